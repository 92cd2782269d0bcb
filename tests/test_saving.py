"""Evidence as a file, and hostile files in its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import fields

from sesam_audit.asks import (
    VOCABULARY,
    Answer,
    Attempt,
    Dial,
    DialAnswer,
    File,
    FileAnswer,
    LicenseAnswer,
    LicenseFile,
    Steps,
)
from sesam_audit.collect import Arrival
from sesam_audit.errors import Lack, Unknown, UsageError
from sesam_audit.evidence import Evidence, Known
from sesam_audit.host import parse
from sesam_audit.profile import Profile
from sesam_audit.saving import load, save, save_path


@dataclass(frozen=True)
class Hostname:
    text: str

    @classmethod
    def ask(cls, _profile: Profile) -> Steps[Hostname]:
        return cls((yield from File("/etc/hostname")).text)


def arrival(trouble: str = "", **answers: Any) -> Arrival:
    asked: dict[Any, Any] = {File("/etc/hostname"): FileAnswer(text="here\n"), **answers}
    evidence = Evidence("ssh://me@a", 1.7e9, asked)
    return Arrival(target=parse("ssh://me@a"), evidence=evidence, known=Known({}), trouble=trouble)


def again(path: Path, *arrivals: Arrival) -> list[Arrival]:
    save(arrivals, path)
    return load(path, (Hostname,), Profile())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evidence.json"


def test_evidence_is_found_again(path: Path) -> None:
    (loaded,) = again(path, arrival())
    assert loaded.evidence == arrival().evidence
    assert loaded.known[Hostname] == Hostname("here\n")
    assert loaded.target == parse("ssh://me@a")


def test_trouble_and_its_remedy_are_found_again(path: Path) -> None:
    made = Arrival(
        target=parse("ssh://me@a"),
        evidence=Evidence("ssh://me@a", 1.7e9),
        known=Known({}),
        trouble="ssh://me@a: its host key has changed",
        remedy="Find out why",
    )
    (loaded,) = again(path, made)
    assert (loaded.trouble, loaded.remedy) == (made.trouble, made.remedy)


def test_several_hosts_are_found_again(path: Path) -> None:
    assert len(again(path, arrival(), arrival())) == 2


@pytest.mark.parametrize("lacks", [None, *Lack])
def test_an_unknown_answer_keeps_all_it_says(path: Path, lacks: Lack | None) -> None:
    asked: dict[Any, Any] = {File("/etc/hostname"): Unknown("not understood", "cat it", lacks)}
    evidence = Evidence("local://", 1.7e9, asked)
    made = Arrival(target=parse("local://"), evidence=evidence, known=Known({}))
    (loaded,) = again(path, made)
    found = loaded.known[Hostname]
    assert (found.reason, found.command, found.lacks) == ("not understood", "cat it", lacks)


def test_nested_answers_are_found_again(path: Path) -> None:
    answer = DialAnswer(attempts=(Attempt(address="192.0.2.1", result="open"),), headers={"a": "b"})
    asked: dict[Any, Any] = {Dial("a"): answer}
    made = Arrival(
        target=parse("local://"), evidence=Evidence("local://", 1.0, asked), known=Known({})
    )
    (loaded,) = again(path, made)
    assert loaded.evidence[Dial("a")] == answer


@pytest.mark.parametrize("kind", VOCABULARY.values(), ids=VOCABULARY)
def test_every_answer_survives_being_saved(path: Path, kind: type) -> None:
    values = {
        "path": "/x", "name": "x", "pattern": "/x", "directory": "/x", "pem": "x", "type": "A",
        "argv": ("a",), "roots": ("/x",), "keep": ("a",), "keys": ("a",), "ports": (80,),
        "uid": 1, "gid": 1, "repository": "a/b", "reference": "c",
    }  # fmt: skip
    ask = kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})
    answer: Answer = ask.answer(error="ENOENT", seconds=0.5)
    made = Arrival(
        target=parse("local://"), evidence=Evidence("local://", 1.0, {ask: answer}), known=Known({})
    )
    (loaded,) = again(path, made)
    assert loaded.evidence[ask] == answer


def test_a_licenses_text_is_never_saved(path: Path) -> None:
    asked: dict[Any, Any] = {
        LicenseFile("/x", whole=True): LicenseAnswer(text="-----BEGIN SESAM LICENSE-----")
    }
    made = Arrival(
        target=parse("local://"), evidence=Evidence("local://", 1.0, asked), known=Known({})
    )
    save([made], path)
    assert "BEGIN SESAM" not in path.read_text()


def test_evidence_is_for_its_owner_only(path: Path) -> None:
    save([arrival()], path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_text_that_is_hardly_text_survives(path: Path) -> None:
    odd = "\x00\x1b\\xff\u2028\U0001f642\ufffd"
    asked: dict[Any, Any] = {File("/etc/hostname"): FileAnswer(text=odd)}
    made = Arrival(
        target=parse("local://"), evidence=Evidence("local://", 1.0, asked), known=Known({})
    )
    (loaded,) = again(path, made)
    assert loaded.known[Hostname] == Hostname(odd)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("ssh://me@a.example.org:22", "ssh-me@a.example.org-22.evidence.json"),
        ("local://", "local.evidence.json"),
        ("ssh://[2001:db8::1]", "ssh-2001-db8-1.evidence.json"),
        ("ssh://../../x", "ssh-..-..-x.evidence.json"),
    ],
)
def test_the_file_is_named_after_the_host(tmp_path: Path, spec: str, name: str) -> None:
    assert save_path(tmp_path, spec) == tmp_path / name


def test_two_hosts_do_not_share_a_file(tmp_path: Path) -> None:
    assert save_path(tmp_path, "ssh://a@b") != save_path(tmp_path, "ssh://a-b")


def test_a_long_host_name_still_makes_a_file_name(tmp_path: Path) -> None:
    save([arrival()], save_path(tmp_path, "ssh://" + "a" * 1000))


# -- hostile files ---------------------------------------------------------------------------------


def document() -> Any:
    return {
        "schema": "sesam-audit/evidence/1",
        "tool": "x",
        "hosts": [
            {
                "host": "local://",
                "started": 1.7e9,
                "trouble": "",
                "answers": [[{"ask": "File", "path": "/etc/hostname"}, {"text": "x"}]],
            }
        ],
    }


HOSTILE: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "another version": (("schema",), "sesam-audit/evidence/9"),
    "no version": (("schema",), None),
    "hosts as an object": (("hosts",), {}),
    "hosts as a number": (("hosts",), 5),
    "a host that is a text": (("hosts", 0), "local://"),
    "a host that is a list": (("hosts", 0), []),
    "a host by another way": (("hosts", 0, "host"), "paramiko://a"),
    "a host that is an option": (("hosts", 0, "host"), "ssh://-oProxyCommand=x"),
    "a host that is a number": (("hosts", 0, "host"), 5),
    "a time that is a text": (("hosts", 0, "started"), "noon"),
    "a time before all": (("hosts", 0, "started"), -1e300),
    "a time after all": (("hosts", 0, "started"), 1e300),
    "no time": (("hosts", 0, "started"), None),
    "trouble that is a list": (("hosts", 0, "trouble"), ["x"]),
    "answers as a number": (("hosts", 0, "answers"), 5),
    "an answer without its question": (("hosts", 0, "answers", 0), [{}]),
    "a question that is a text": (("hosts", 0, "answers", 0, 0), "File"),
    "a question that is none": (("hosts", 0, "answers", 0, 0), {"ask": "Eval"}),
    "a question of a wrong kind": (("hosts", 0, "answers", 0, 0), {"ask": "File", "path": []}),
    "a question without its path": (("hosts", 0, "answers", 0, 0), {"ask": "File"}),
    "an answer that is a number": (("hosts", 0, "answers", 0, 1), 5),
    "an answer that is a text": (("hosts", 0, "answers", 0, 1), "text"),
    "an answer that is null": (("hosts", 0, "answers", 0, 1), None),
    "an answer that is a list": (("hosts", 0, "answers", 0, 1), []),
    "an answer of a wrong kind": (("hosts", 0, "answers", 0, 1), {"text": 5}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_usage_error(path: Path, name: str) -> None:
    made = document()
    (*way, last), value = HOSTILE[name]
    place = made
    for step in way:
        place = place[step]
    place[last] = value
    path.write_text(json.dumps(made))
    with pytest.raises(UsageError):
        load(path, (Hostname,), Profile())


def test_the_untouched_document_is_fine(path: Path) -> None:
    path.write_text(json.dumps(document()))
    (loaded,) = load(path, (Hostname,), Profile())
    assert loaded.known[Hostname] == Hostname("x")


def test_deep_nesting_is_a_usage_error(path: Path) -> None:
    text = msgspec.json.encode(document()).replace(b'"x"}', b'"x","y":' + b"[" * 100_000 + b"}")
    path.write_bytes(text)
    with pytest.raises(UsageError):
        load(path, (Hostname,), Profile())


def test_a_folder_is_no_evidence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path, (Hostname,), Profile())


def test_a_file_beyond_all_measure_is_not_read(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(UsageError, match="too large to be one"):
        load(path, (Hostname,), Profile())


def test_a_pipe_is_read_no_further_than_a_file() -> None:
    with pytest.raises(UsageError, match="too large to be one"):
        load(Path("/dev/zero"), (Hostname,), Profile())
