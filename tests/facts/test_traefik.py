"""What Traefik really reads: files beat flags, and only a file provider leads to certificates."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.traefik import TraefikConfig
from sesam_audit.facts.traefik_rules import inspect_traefik
from sesam_audit.facts.traefik_settings import at, from_flags, pairs, parse

from .machine import find, matches
from .sesam_host import Answers, document, rendered

HOST_FILE = "/srv/data/traefik/traefik.yml"
STATIC = """\
entryPoints:
  web:
    address: ":80"
    http:
      redirections:
        entryPoint:
          to: websecure
          scheme: https
  websecure:
    address: ":443"
providers:
  docker:
    exposedByDefault: false
"""
PROVIDER = "  file:\n    filename: /etc/traefik/traefik.yml\n"
TLS = """\
tls:
  certificates:
    - certFile: /certs/sesam.crt
      keyFile: /certs/sesam.key
  stores:
    default:
      defaultCertificate:
        certFile: /certs/sesam.crt
        keyFile: /certs/sesam.key
"""
COMPLETE = STATIC + PROVIDER + TLS


def config(text: str | FileAnswer = COMPLETE, **traefik: Any) -> TraefikConfig:
    value = document("provided")
    value["services"]["traefik"].update(traefik)
    answer = text if isinstance(text, FileAnswer) else FileAnswer(text=text)
    return find(TraefikConfig, rendered(value) | {File(HOST_FILE): answer}, rounds=2)


def inspect(text: str | FileAnswer = COMPLETE, **traefik: Any) -> Inspection:
    return inspect_traefik(config(text, **traefik))


def test_a_complete_file() -> None:
    found = inspect()

    assert not found.problems
    assert not found.doubts
    assert config().pairs() == (("/certs/sesam.crt", "/certs/sesam.key"),)


def test_the_flags_beside_a_file_are_ignored() -> None:
    assert f"Traefik reads {HOST_FILE} and ignores its 5 flags" in inspect().notes


def test_a_resolver_that_is_not_there_is_noted() -> None:
    assert any("names the resolver myleresolver" in note for note in inspect().notes)


def test_the_published_file() -> None:
    """Entry points, docker and tls, but no file provider: the default certificate is served."""
    text = STATIC.replace(STATIC[STATIC.index("    http:") : STATIC.index("  websecure:")], "")
    found = inspect(text + TLS)

    assert found.problems == [
        f"{HOST_FILE} does not redirect port 80 to https",
        (
            f"Traefik reads {HOST_FILE} alone and skips its tls; there is no file provider in it,"
            " so Traefik serves its own default certificate"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (COMPLETE.replace(":80", ":8080"), "has no entry point on port 80"),
        (COMPLETE.replace(":443", ":444"), "has no entry point on port 443"),
        (COMPLETE.replace("websecure:\n", "secure:\n"), "wants the entry point websecure"),
        (
            COMPLETE.replace("  docker:\n    exposedByDefault: false\n", ""),
            "has no docker provider",
        ),
        (STATIC + PROVIDER, "the file provider leads to no tls.certificates"),
        (COMPLETE.replace("/certs/", "/other/"), "/other/sesam.crt is not mounted into Traefik"),
        (COMPLETE.replace("filename: /etc", "filename: /x"), "is not mounted into Traefik"),
        ("{}", "has no entry point on port 443"),
        ("a: [", "it is not YAML in line"),
        ("- a\n", "it holds no settings"),
        ("", "it holds no settings"),
    ],
)
def test_incomplete_files(text: str, problem: str) -> None:
    assert any(problem in each for each in inspect(text).problems)


@pytest.mark.parametrize(
    ("error", "words"),
    [("ENOENT", f"{HOST_FILE} is missing"), ("EISDIR", "Docker made it of a missing file")],
)
def test_no_file(error: str, words: str) -> None:
    assert words in inspect(FileAnswer(error=error)).problems[0]


def test_a_file_that_may_not_be_read() -> None:
    found = inspect(FileAnswer(error="EACCES"))

    assert not found.problems
    assert "needs root" in str(found.unknown)


def test_capitals_do_not_count() -> None:
    assert not inspect(COMPLETE.replace("entryPoints", "entrypoints")).problems


def test_toml() -> None:
    text = (
        '[entryPoints.web]\naddress = ":80"\n'
        '[entryPoints.web.http.redirections.entryPoint]\nto = "websecure"\n'
        '[entryPoints.websecure]\naddress = ":443"\n'
        '[providers.docker]\n[providers.file]\nfilename = "/etc/traefik/traefik.toml"\n'
        '[[tls.certificates]]\ncertFile = "/certs/a.crt"\nkeyFile = "/certs/a.key"\n'
    )
    value = document("provided")
    traefik = value["services"]["traefik"]
    traefik["volumes"][1].update(source="/srv/t.toml", target="/etc/traefik/traefik.toml")
    traefik["command"] = None
    answers = rendered(value) | {File("/srv/t.toml"): FileAnswer(text=text)}

    assert not inspect_traefik(find(TraefikConfig, answers)).problems


def test_flags_alone_with_a_directory_of_dynamic_files() -> None:
    value = document("provided")
    traefik = value["services"]["traefik"]
    traefik["volumes"][1].update(source="/srv/data/traefik/dynamic", target="/dynamic")
    traefik["command"] = [
        *(word for word in traefik["command"] if "configFile" not in word),
        "--providers.file.directory=/dynamic",
    ]
    files: Answers = matches(
        {"/srv/data/traefik/dynamic/*.y*ml": {"/srv/data/traefik/dynamic/tls.yml": TLS}}
    )
    found = find(TraefikConfig, rendered(value) | files)

    assert inspect_traefik(found).problems == []
    assert found.pairs() == (("/certs/sesam.crt", "/certs/sesam.key"),)


def hidden(target: str, *command: str) -> Inspection:
    """A directory that is mounted into Traefik, and that only root lists."""
    value = document("letsencrypt")
    traefik = value["services"]["traefik"]
    traefik["command"] = list(command)
    source = "/srv/data/traefik/hidden"
    traefik["volumes"].append({"type": "bind", "source": source, "target": target})
    files: Answers = {
        Files(f"{source}/*{x}"): FilesAnswer(files={}, errors={source: "EACCES"})
        for x in (".y*ml", ".toml")
    }
    return inspect_traefik(find(TraefikConfig, rendered(value) | files))


ENTRIES = ("--providers.docker", "--entrypoints.web.address=:80", "--entrypoints.s.address=:443")


def test_a_file_that_beats_the_flags_may_lie_where_only_root_looks() -> None:
    found = hidden("/etc/traefik", *ENTRIES)

    assert not found.problems
    assert str(found.unknown) == "needs root: /srv/data/traefik/hidden is not readable"


def test_certificates_may_be_named_where_only_root_looks() -> None:
    found = hidden("/dynamic", *ENTRIES, "--providers.file.directory=/dynamic")

    assert not any("leads to no tls.certificates" in each for each in found.problems)
    assert "needs root: /srv/data/traefik/hidden" in str(found.unknown)


def test_a_directory_of_dynamic_files_that_is_not_mounted() -> None:
    command = ["--providers.docker", "--providers.file.directory=/dynamic"]
    value = document("letsencrypt")
    value["services"]["traefik"]["command"] = command

    found = inspect_traefik(find(TraefikConfig, rendered(value)))

    assert "/dynamic is not mounted into Traefik" in found.problems


def test_a_redirect_by_middleware() -> None:
    value = document("provided")
    labels = value["services"]["sesam-node"]["labels"]
    labels["traefik.http.middlewares.up.redirectscheme.scheme"] = "https"
    text = COMPLETE.replace("redirections", "nothing")
    answers = rendered(value) | {File(HOST_FILE): FileAnswer(text=text)}

    assert not inspect_traefik(find(TraefikConfig, answers)).problems


def test_neither_file_nor_flags() -> None:
    value = document("letsencrypt")
    value["services"]["traefik"]["command"] = None

    assert "environment" in str(inspect_traefik(find(TraefikConfig, rendered(value))).unknown)


def test_a_stack_without_traefik() -> None:
    with pytest.raises(Unknown, match="no Traefik"):
        find(TraefikConfig, rendered({"services": {}}))


def test_flags_as_a_tree() -> None:
    found = from_flags(["--A.b=1", "--a.c", "--a=true", "word", "--a.b.d=2"])

    assert found == {"a": {"b": {"d": "2"}, "c": "true"}}


@pytest.mark.parametrize("value", [None, [], "x", {"tls": []}, {"tls": {"certificates": [1, {}]}}])
def test_hostile_shapes_name_no_certificates(value: Any) -> None:
    assert list(pairs(value)) == []
    assert at(value, "a", "b") is None


def test_a_bomb_of_aliases_is_read_in_no_time() -> None:
    lines = ["a0: &a0 [x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)
    ]

    assert at(parse("\n".join(lines), "x.yml"), "providers", "file") is None


def test_a_node_that_traefik_is_not_told_to_expose() -> None:
    value = document("provided")
    del value["services"]["sesam-node"]["labels"]["traefik.enable"]
    answers = rendered(value) | {File(HOST_FILE): FileAnswer(text=COMPLETE)}
    exposed = COMPLETE.replace("exposedByDefault: false", "exposedByDefault: true")
    (problem,) = inspect_traefik(find(TraefikConfig, answers)).problems

    assert "exposedByDefault is false, and sesam-node has no label traefik.enable" in problem
    answers[File(HOST_FILE)] = FileAnswer(text=exposed)
    assert not inspect_traefik(find(TraefikConfig, answers)).problems
