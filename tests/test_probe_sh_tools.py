"""What the shell twin tells with other tools: as the probe tells it, and without its secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.asks import (
    Ask,
    Certificates,
    Compose,
    DockerApi,
    DockerConfig,
    EnvFile,
    LicenseFile,
    Listeners,
    PrivateKey,
    Walk,
)
from sesam_audit.probe.cleaning import clean
from sesam_audit.probe.docker_api import picked
from sesam_audit.probe.docker_config import docker_config
from sesam_audit.probe.env_file import env_file
from sesam_audit.probe.labelled import owner_of
from sesam_audit.probe.license import license_file
from sesam_audit.probe.reducing import reduced
from sesam_audit.probe_sh_awk import REDUCER

from .twins import NOBODY, SHELLS, alike, assert_alike, told, told_by_python

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> Sequence[str]:
    """Every shell here that could be a target's sh."""
    words: Sequence[str] = request.param
    return words


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everyone may enter."""
    made = Path(tempfile.mkdtemp(prefix="sesam-audit-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


# -- files that hold secrets ----------------------------------------------------------------------

PAYLOAD = {
    "_id": "12345",
    "expires": "2031-01-01",
    "created": "2024",
    "email": "hunter@example.org",
}
LOGIN = base64.b64encode(b"sesam:hunter2").decode()
CONFIG = {
    "auths": {
        "https://index.docker.io/v1/": {"auth": LOGIN},
        "http://me:hunter2@registry/": {"auth": "no base64"},
        "token": {"identitytoken": "hunter3"},
        "é€😀": None,
    },
    "credHelpers": {"helped": "ecr-login"},
    "credsStore": "desktop",
    "proxies": {"default": {"httpProxy": "http://me:hunter4@proxy:3128", "noProxy": "a,b"}},
    "HttpHeaders": {"X-Token": "hunter7"},
}
ENV = (
    "\ufeffA_PASSWORD=hunter2\n  export K = v # hunter\nL='a\nB=hunter3'\n"
    "N=http://u:hunter5@h/x\r\nO=$x\né=hunter6\nexport=1\n# C=hunter7\nP=''hunter8\n"
    'Q="a\\nb"\nM="open hunter4\n'
)


def coded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def license_text(payload: object) -> str:
    body = coded({"payload": payload, "signature": "hunter2"})
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN SESAM LICENSE-----", *lines, "-----END SESAM LICENSE-----", ""])


LICENSE = license_text(coded(PAYLOAD))
LICENSES = [
    LICENSE,
    LICENSE.replace("\n", "\r\n"),
    "\ufeff" + LICENSE,
    LICENSE.replace("\n", "\\n"),
    LICENSE.replace("-----BEGIN SESAM LICENSE-----\n", ""),
    f'"{LICENSE.strip()}"',
    LICENSE.replace("\n", " "),
    LICENSE.replace("LICENSE-----\n", "LICENSE-----", 1),
    LICENSE.replace("\n-----END", "-----END"),
    f"license: |\n  {LICENSE}",
    LICENSE + LICENSE,
    f"\n \x1c{LICENSE}\x1d\n",
    LICENSE[:-60],
    LICENSE[:200],
    LICENSE.replace("eyJ", "e!J", 1),
    "<!DOCTYPE html>hunter",
    "hello",
    "",
    " \r\n",
    coded([1]),
    coded({"a": 1}),
    *map(license_text, ("!!", coded([1]), coded({"_id": 5, "created": True}), coded({}), None, "")),
]


CONFIGS = [
    json.dumps(CONFIG),
    json.dumps(CONFIG, indent=4),
    *(
        "",
        " ",
        "{",
        "[]",
        "{}",
        "{} x",
        "{}{}",
        "{,}",
        '{"a" 1}',
        '{"a":1,}',
        '{"a":01}',
        '{"a":1.}',
    ),
    *(
        '{"a":"\\x"}',
        '{"a":"\t"}',
        '{"a":"\xff"}',
        '{"a":"',
        '{"a":"\\u12g4"}',
        '{"a":[1}]',
        '{"a":nul}',
    ),
    *(
        '{"auths":{"a":{"auth":"dTpw"},"a":{}}}',
        '\t{"credsStore" :\r\n"x" }',
        '{"\\u0061uths":{"b":{}}}',
    ),
]


def test_secrets_are_reduced_as_the_probe_reduces_them(
    shell: Sequence[str], tmp_path: Path
) -> None:
    asks: list[Ask[Any]] = []
    for number, text in enumerate(LICENSES):
        (tmp_path / f"{number}.key").write_bytes(text.encode())
        asks.append(LicenseFile(f"{tmp_path}/{number}.key"))
    for number, text in enumerate(CONFIGS):
        (tmp_path / f"{number}.json").write_bytes(text.encode("latin-1"))
        asks.append(DockerConfig(f"{tmp_path}/{number}.json"))
    (tmp_path / ".env").write_bytes(ENV.encode())
    asks.append(EnvFile(f"{tmp_path}/.env", ("K", "L", "M", "N", "O", "P", "Q", "missing")))
    for kind in (LicenseFile, DockerConfig, Certificates, PrivateKey):
        asks += [kind(f"{tmp_path}/none"), kind(str(tmp_path))]
    secrets = ["hunter2", *(f"hunter{number}" for number in (3, 4, 5, 6, 7)), LOGIN]
    kept = [each for each in asks if not isinstance(each, EnvFile)]
    assert_alike(shell, *asks)
    told(shell, *kept, without=[*secrets, "hunter@", coded("hunter2")[4:12]])
    (env,) = told(shell, EnvFile(f"{tmp_path}/.env", ("K", "N")), without=["hunter"])
    assert env.values == {"K": "v", "N": "http://h/x"}


def test_a_whole_license_comes_when_asked_for(shell: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "license.key").write_text(LICENSE, "utf-8")
    assert_alike(shell, LicenseFile(f"{tmp_path}/license.key", whole=True))


@pytest.mark.parametrize(
    "data",
    [
        LICENSE.encode("utf-16"),
        LICENSE.encode() + b"\0",
        LICENSE.replace("\n", "\u00a0\n").encode(),
        license_text(coded({"_id": "\ud800"})).encode(),
        license_text(7).encode(),
    ],
)
def test_what_awk_could_misread_in_a_license_is_not_judged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "license.key").write_bytes(data)
    (answer,) = told(SHELLS[0], LicenseFile(f"{tmp_path}/license.key"), without=["hunter"])
    assert (answer.error, answer.problems) == ("UNSUPPORTED", ())


@pytest.mark.parametrize(
    "text",
    [
        '{"auths": {"a": {"auth": "YWI6="}}}',
        '{"credsStore": ["hunter"]}',
        '{"credHelpers": {"a": 1}}',
        '{"a": NaN}',
        '{"a": "\\u0000"}',
        "[" * 200,
        '{"proxies": {"default": {"httpProxy": "http://u:hunter@h\\nx"}}}',
    ],
)
def test_what_awk_could_misread_in_a_docker_config_is_not_judged(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, "utf-8")
    (answer,) = told(SHELLS[0], DockerConfig(f"{tmp_path}/config.json"), without=["hunter"])
    assert answer.error == "UNSUPPORTED"


def test_certificates_come_without_the_key_beside_them(
    shell: Sequence[str], tmp_path: Path
) -> None:
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout "
    words += f"{tmp_path}/key -out {tmp_path}/pem"
    made = subprocess.run(("openssl", *words.split()), capture_output=True, check=False)
    assert made.returncode == 0
    key, pem = (tmp_path / "key").read_text("ascii"), (tmp_path / "pem").read_text("ascii")
    (tmp_path / "both").write_text(key + pem * 2, "ascii")
    inside = f"-----BEGIN CERTIFICATE-----\n{key}\n-----END CERTIFICATE-----\n"
    (tmp_path / "inside").write_text(inside, "ascii")
    assert_alike(
        shell,
        *(Certificates(f"{tmp_path}/{name}") for name in ("both", "inside", "key", "pem")),
        *(PrivateKey(f"{tmp_path}/{name}") for name in ("both", "key")),
        without=[key.splitlines()[1]],
    )


# -- a walk, sockets ------------------------------------------------------------------------------


@as_root
def test_who_owns_what_below_a_directory(shell: Sequence[str], place: Path) -> None:
    """With names that look like find's own lines, skipped paths, a file system within, a link."""
    for name in ("own", "skipped/deep", "other/target", "other/.git/x", "mount", "star[*]", "sta"):
        (place / name).mkdir(parents=True)
    for name in ("own/a", "other/b", "other/odd\nentry 1 0 0 f x\nnew é", "mount/x", "star[*]/y"):
        (place / name).touch()
        os.chown(place / name, 1234, 5678)
    (place / "own" / "link").symlink_to("../other")
    os.lchown(place / "own" / "link", NOBODY, 0)
    root = str(place)
    skip = (f"{root}/skipped", f"{root}/star[*]")
    assert_alike(
        shell,
        Walk((root,), 0, 0),
        Walk((root,), 0, 0, skip, (".git", "target")),
        Walk((f"{root}//own/", f"{root}/other", root, f"{root}/none"), 1234, 5678, skip),
        Walk((f"{root}/own/a",), 1234, 5678),
        Walk((f"{root}/none",), 0, 0),
        Walk((f"{root}/none", root), 0, 0, (root,)),
        mounts={f"{root}/mount": Path("/dev/shm")},
    )


@as_root
def test_roots_that_are_links(shell: Sequence[str], place: Path) -> None:
    for name in ("real/skipped/x", "real/kept/y", "other/*"):
        (place / name).mkdir(parents=True)
    (place / "link").symlink_to("real/kept")
    (place / "chain").symlink_to("link/..")
    (place / "odd").symlink_to("other/*")
    (place / "loop").symlink_to("loop")
    (place / "dangling").symlink_to("nothing")
    root = str(place)
    skip = (f"{root}/chain/skipped", f"{root}/dangling/x")
    assert_alike(
        shell,
        Walk((f"{root}/chain",), 9, 9, skip),
        Walk((root, f"{root}/chain", f"{root}/link"), 9, 9, skip),
        Walk((f"{root}/chain", f"{root}/chain/kept"), 9, 9),
        Walk((f"{root}/dangling",), 9, 9),
        Walk((f"{root}/dangling", f"{root}/other"), 9, 9),
        Walk((f"{root}/loop", f"{root}/real"), 9, 9),
    )
    odd, twice = told(
        shell, Walk((f"{root}/odd",), 9, 9), Walk((f"{root}/chain", f"{root}/real"), 9, 9)
    )
    assert (odd.error, twice.error) == ("UNSUPPORTED", "UNSUPPORTED")


@as_root
def test_a_walk_without_printf_in_find(shell: Sequence[str], place: Path) -> None:
    (place / "bin").mkdir()
    (place / "bin" / "find").symlink_to(shutil.which("busybox") or "/none")
    (place / "tree" / "in\nside").mkdir(parents=True)
    os.chown(place / "tree" / "in\nside", 1234, 5678)
    mounts = {"/usr/local/sbin": place / "bin"}
    walks = Walk((f"{place}/tree",), 0, 0), Walk((f"{place}/tree",), 0, 0, (f"{place}/tree",))
    assert_alike(shell, *walks, mounts=mounts)


@as_root
def test_what_nobody_may_not_enter_is_named(shell: Sequence[str], place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    (place / "open").mkdir(mode=0o755)
    assert_alike(shell, Walk((str(place),), 0, 0), Walk((f"{place}/closed/x",), 0, 0), user=NOBODY)


def test_a_walk_ends_at_its_bound(shell: Sequence[str], place: Path) -> None:
    for number in range(30):
        (place / str(number)).touch()
    whole, cut = told(
        shell, Walk((str(place),), 9, 9, entries=31), Walk((str(place),), 9, 9, entries=30)
    )
    assert (whole.entries, whole.offenders, whole.complete) == (31, 31, True)
    assert (cut.entries, cut.offenders, cut.complete) == (30, 30, False)
    assert len(whole.samples) == 20


@as_root
def test_a_walk_that_takes_too_long_tells_how_far_it_came(
    shell: Sequence[str], place: Path
) -> None:
    (place / "bin").mkdir()
    (place / "bin" / "find").write_text(
        f'#!/bin/sh\n{shutil.which("find")} "$@"\ncase "$*" in *bin*) exec sleep 60 ;; esac\n'
    )
    (place / "bin" / "find").chmod(0o755)
    ask = Walk((f"{place}/bin",), 9, 9, seconds_limit=2)
    began = time.monotonic()
    (answer,) = told(shell, ask, mounts={"/usr/local/sbin": place / "bin"})
    assert time.monotonic() - began < 8
    assert (answer.error, answer.entries, answer.offenders) == (None, 2, 2)
    assert (answer.complete, answer.unreadable) == (False, ())


@contextmanager
def listening(*addresses: str) -> Iterator[dict[int, str]]:
    """Sockets that listen: the ports, each with what its socket is called in /proc."""
    sockets = []
    for address in addresses:
        sockets.append(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET))
        sockets[-1].bind((address, 0))
        sockets[-1].listen()
    inodes = [f"socket:[{os.fstat(each.fileno()).st_ino}]" for each in sockets]
    yield dict(zip([each.getsockname()[1] for each in sockets], inodes, strict=True))
    for each in sockets:
        each.close()


def test_who_listens(shell: Sequence[str]) -> None:
    with listening("127.0.0.1", "127.1.2.3", "::1", "::", "::ffff:127.0.0.5") as ports:
        found = told(shell, Listeners((*ports, 1)))[0].listeners
        expected = told_by_python(Listeners((*ports, 1)))[0].listeners
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert {each.pid for each in found} == {os.getpid()}
    assert {each.address for each in found} >= {"127.1.2.3", "::1", "::", "::ffff:127.0.0.5"}


@as_root
def test_a_file_with_the_name_of_a_socket_owns_nothing(place: Path) -> None:
    """Its name looks like lines of ls that give the socket of another to the first process."""
    with listening("127.0.0.1") as ports:
        ((port, inode),) = ports.items()
        path = Path(f"{place}/x\n/proc/1/fd:\nl 0 -> {inode}")
        path.parent.mkdir(parents=True)
        path.touch()
        with path.open() as file, subprocess.Popen(("sleep", "60"), stdin=file) as sleeper:
            (answer,) = told(SHELLS[0], Listeners((port,)))
            sleeper.kill()
    assert [each.pid for each in answer.listeners] == [os.getpid()]


# -- docker ---------------------------------------------------------------------------------------

BODIES = {
    "/info": b'{"NCPU": 4, "Name": "\xc3\xa9", "HttpProxy": "http://u:hunter2@p", "X": 1.5}',
    "/list": json.dumps(
        [
            {"Config": {"Env": ["P=hunter2", "NODE_DOMAIN=d", "DOCKER_API_VERSION=1.44"]}},
            {"Labels": {"ours": "a\nb", "theirs": "hunter3"}, "Cmd": ["--token", "hunter4", "-x"]},
            {"Labels": {"sesam-audit.room": "1-2"}, "State": {"Status": "exited"}},
            {"State": {"Status": "running", "Other": "x"}, "Config": []},
            {"Args": "run --password hunter5", "x-y": "hunter6", "Mounts": [[], {}, None, True]},
        ]
    ).encode(),
    "/none": b'{"message": "no such thing", "other": "hunter2"}',
    "/text": b"OK hunter2",
    "/broken": b'{"a": "hunter2',
    "/big": b'{"a": "' + b"x" * (9 << 20) + b'"}',
}


@contextmanager
def docker(directory: Path) -> Iterator[None]:
    """A daemon's socket that answers BODIES."""
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(f"{directory}/docker.sock")
    bound.listen()

    def serve() -> None:
        with suppress(OSError):
            while True:
                link, _ = bound.accept()
                with link, suppress(OSError):
                    path = link.recv(4096).decode().split()[1]
                    status = "404 Not Found" if path == "/none" else "200 OK"
                    body = BODIES.get(path, b"[]")
                    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
                    link.sendall(head.encode() + body)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        bound.shutdown(socket.SHUT_RDWR)
        bound.close()
        thread.join()


@as_root
def test_the_docker_daemon_s_answers_are_picked_over(shell: Sequence[str], tmp_path: Path) -> None:
    asks = [
        DockerApi("/info", ("NCPU", "HttpProxy", "Missing", "Name", "X")),
        DockerApi("/info", ()),
        DockerApi("/list", (), ("ours",)),
        DockerApi("/list", ("Config", "Labels", "State.Status", "Config.Env", "State.None.No")),
        *(DockerApi(path, ("Id",)) for path in ("/none", "/text", "/broken")),
    ]
    mounts = {"/run": tmp_path}
    with docker(tmp_path):
        assert_alike(shell, *asks, mounts=mounts, without=["hunter"])
        assert told(shell, DockerApi("/big", ()), mounts=mounts)[0].error == "TOOBIG"
    assert_alike(shell, asks[0], mounts=mounts)  # nobody listens on it any more
    (tmp_path / "docker.sock").unlink()
    assert_alike(shell, asks[0], mounts=mounts)


STACK = {
    "x-shared": {"environment": {"K": "hunter2"}},
    "services": {
        "node": {
            "environment": {"KEPT": "v", "DB_PASSWORD": "hunter2", "NONE": None},
            "command": ["--token", "hunter2", "--level=1", "--secret=hunter2"],
            "labels": {"x.basicauth.users": "hunter2", "rule": 'Host(`a`) "b" \\ é\n'},
            "build": {"args": {"PIP_TOKEN": "hunter2"}},
        },
        "updater": {
            "environment": [
                "WATCHTOWER_CLEANUP=true",
                "WATCHTOWER_X_PASSWORD=hunter2",
                "O=hunter2",
            ],
            "command": "run --password hunter2 --user me, token: 'hunter2 x' secret=\"a\"b",
            "image": "http://me:hunter2@registry/x:1",
            "deploy": {"cpus": 0.5, "pids": -1, "on": True, "empty": {}, "none": []},
        },
    },
    "configs": {"c": {"content": "hunter2"}},
    "volumes": {"v": {"driver_opts": {"o": "username=me,password=hunter2,vers=3"}}},
}
WORDS = r"""
time="2026-11-22T10:00:00Z" level=warning msg="The \"NODE_DOMAIN\" variable is not set. Default."
WARN[0000] The "DNS_ADMIN" variable is not set. password=hunter2
"""
REFUSAL = r"""
service "node" is odd: unexpected character "!" in variable name near "A!B=hunter2\nC=d"
unterminated quoted value 'hunter2
--token hunter2
"""


@as_root
@pytest.mark.parametrize("ending", ["exit 0", "exit 15", "exec sleep 60", "kill -9 $$"])
@pytest.mark.parametrize("plugin", [True, False])
def test_a_rendered_stack_and_compose_s_words(tmp_path: Path, ending: str, plugin: bool) -> None:
    """By a docker, or its plugin, that also tells its environment, words and directory."""
    said = WORDS if ending == "exit 0" else REFUSAL
    stack = json.dumps(STACK, indent=2)[:-2]
    text = f"""#!/bin/sh
cat >&2 <<'-'
{said}
-
cat <<'-'
{stack}
-
printf ', "name": "%s", "words": "%s", "at": "%s"}}' "$(env | wc -l)" "$*" "$PWD"
{ending}
"""
    for name in ("bin/docker", *(["lib/docker/cli-plugins/docker-compose"] if plugin else [])):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o755)
    for name in ("stack", "lib"):
        (tmp_path / name).mkdir(exist_ok=True)
    mounts = {"/usr/local/sbin": tmp_path / "bin", "/usr/local/lib": tmp_path / "lib"}
    ask = Compose(f"{tmp_path}/stack", ("KEPT",))
    for shell in SHELLS if ending.startswith("exit") else SHELLS[:1]:
        seconds = 2 if "sleep" in ending else 20
        (answer,) = told(shell, ask, deadline=seconds, mounts=mounts, without=["hunter"])
        if "sleep" in ending or "kill" in ending:
            assert (answer.error, answer.document) == ("TIMEOUT", None)
        else:
            assert alike(answer) == alike(told_by_python(ask, mounts=mounts)[0])
            assert (answer.document is None) is (ending != "exit 0")


@as_root
def test_no_compose(shell: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "docker").write_text('#!/bin/sh\necho "unknown flag: --format" >&2\nexit 1\n')
    (tmp_path / "docker").chmod(0o755)
    mounts = {"/usr/local/sbin": tmp_path}
    asks = (Compose("/none", ()), Compose("/etc/passwd", ()), Compose(str(tmp_path), ()))
    assert_alike(shell, *asks, mounts=mounts)


# -- secrets are no words -------------------------------------------------------------------------

TOOLS = (
    "awk", "cat", "curl", "env", "find", "getent", "head", "id", "ls", "od", "openssl", "printf",
    "readlink", "sha256sum", "stat", "timeout", "tr", "uname", "wc",
)  # fmt: skip


@as_root
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_no_secret_is_a_word_of_a_command(shell: Sequence[str], tmp_path: Path) -> None:
    """Every tool is replaced by one that writes down how it was called."""
    (tmp_path / "bin").mkdir()
    run, log = tmp_path / "run", tmp_path / "log"
    run.mkdir()
    for tool in TOOLS:
        real = shutil.which(tool)
        assert real
        (tmp_path / "bin" / tool).write_text(
            f'#!/bin/sh\nprintf "%s\\n" "{tool} $*" >>{log}\nexec {real} "$@"\n', "utf-8"
        )
        (tmp_path / "bin" / tool).chmod(0o755)
    (tmp_path / "license.key").write_text(LICENSE, "utf-8")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    (tmp_path / ".env").write_text(ENV, "utf-8")
    with docker(run):
        told(
            shell,
            LicenseFile(f"{tmp_path}/license.key", whole=True),
            DockerConfig(f"{tmp_path}/config.json"),
            EnvFile(f"{tmp_path}/.env", ("K",)),
            DockerApi("/list", ()),
            mounts={"/usr/local/sbin": tmp_path / "bin", "/run": run},
        )
    words = log.read_text("utf-8")
    assert {"awk", "tr", "sha256sum", "curl"} <= {
        line.partition(" ")[0] for line in words.split("\n")
    }
    for secret in ("hunter", LOGIN, LICENSE.splitlines()[1]):
        assert secret not in words


# -- any awk, any bytes ---------------------------------------------------------------------------

AWKS = [each for each in (("mawk",), ("gawk",), ("busybox", "awk")) if shutil.which(each[0])]
KEYS = (
    "environment", "Env", "args", "command", "password", "x-foo", "content", "Labels", "image",
    "TOKEN", "api-key", "pass", "passx", "compass.x", "pass:word", "a", "é",
)  # fmt: skip
PIECES = (
    "", "abc", "--token", "--password=x y", "token: 'a b' c", "pass: q", "p password=s, z", "O=s",
    "WATCHTOWER_X=1", "WATCHTOWER_PASS=1", "http://u:p@h/x", "http://h:80/a@b ://x:y z@w", "a\nb",
    'q"uo\\te', "é€😀", "-pass", "--api_key", 'token="a"b,c', "token='x", " token :  \x1fz",
)  # fmt: skip


def tree(source: random.Random, depth: int = 0) -> object:
    kind = source.random() if depth < 5 else 0
    if kind < 0.4:
        return "".join(source.choices(PIECES, k=source.randrange(1, 3)))
    if kind < 0.5:
        return source.choice([None, True, 0, -3, 0.5, 1234567890123])
    some = [tree(source, depth + 1) for _ in range(source.randrange(5))]
    return some if kind < 0.7 else {source.choice(KEYS): each for each in some}


def damaged(source: random.Random, text: bytes) -> bytes:
    data = bytearray(text)
    for _ in range(source.randrange(4)):
        at = source.randrange(len(data) + 1)
        part = bytes(source.choices(b"{}[]\",:\\u0123 eE.-+\n\t\x01\xc3\xff9tn'#=", k=1))
        data[at : at + source.randrange(3)] = source.choice([part, b""])
    return bytes(data)


def reduced_by(awk: Sequence[str], todo: str, data: bytes, **words: str) -> Any:
    given = [each for name, word in words.items() for each in ("-v", f"{name}={word}")]
    done = subprocess.run(
        (*awk, "-v", f"todo={todo}", *given, REDUCER),
        input=data.replace(b"\1", b"\2").replace(b"\0", b"\2"),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
    )
    assert done.stderr == b""
    return json.loads(done.stdout)


def reduced_by_python(todo: str, data: bytes, path: Path) -> Any:
    path.write_bytes(data)
    ask = {"path": str(path), "keys": ["K", "export"], "whole": False, "keep": [], "labels": ["a"]}
    if todo != "api":
        kinds: dict[str, Any] = {"env": env_file, "config": docker_config}
        answer = kinds.get(todo, license_file)(ask)
        answer.pop("text", None)
        return json.loads(json.dumps(clean(answer)))
    try:
        value = reduced(json.loads(str(data, "utf-8")), ())
    except ValueError:
        value = None
    if isinstance(value, list):
        told = [picked(each, ask) for each in value if not owner_of(each)]
    else:
        told = picked(value, ask)
    return json.loads(json.dumps(clean({"status": 200, "value": told})))


def withheld(answer: object, expected: object) -> bool:
    """Whether an answer is the expected one, but for what has become `...`."""
    if isinstance(answer, dict) and isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(
            withheld(answer[key], expected[key]) for key in answer
        )
    if isinstance(answer, list) and isinstance(expected, list):
        return len(answer) == len(expected) and all(map(withheld, answer, expected))
    return answer in (expected, "...")


@pytest.mark.parametrize("awk", AWKS, ids=" ".join)
def test_any_awk_reduces_odd_bytes_as_the_probe_does_or_says_nothing(
    awk: Sequence[str], tmp_path: Path
) -> None:
    source, silent = random.Random(1), 0
    for _ in range(40):
        stack = [{source.choice(KEYS): tree(source, 1)} for _ in range(3)]
        texts = {
            "api": json.dumps(stack, ensure_ascii=source.random() < 0.5),
            "config": json.dumps(CONFIG, indent=source.choice([None, 2])),
            "license": source.choice(LICENSES),
            "env": "".join(source.choices(ENV.splitlines(keepends=True), k=6)),
        }
        for todo, text in texts.items():
            data = damaged(source, text.encode())
            status = b"\n200 0" if todo == "api" else b""
            words = {"size": str(len(data)), "sum": hashlib.sha256(data).hexdigest()}
            words |= {"wants": "K,export", "labels": "a"}
            answer = reduced_by(awk, todo, data + status, **words)
            if answer == {"error": "UNSUPPORTED"}:
                silent += 1
            else:
                expected = reduced_by_python(todo, data, tmp_path / "file")
                assert withheld(answer, expected), (data, answer, expected)
    assert silent < 40


def test_an_awk_that_fails_its_proof_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "awk").write_text(
        '#!/bin/sh\necho \'{"json":true,"registries":{}}\'\n', "utf-8"
    )
    (tmp_path / "bin" / "awk").chmod(0o755)
    (tmp_path / "config.json").write_text("{}", "utf-8")
    ask = DockerConfig(f"{tmp_path}/config.json")
    assert told(SHELLS[0], ask)[0].json
    (answer,) = told(SHELLS[0], ask, mounts={"/usr/local/sbin": tmp_path / "bin"})
    assert answer.error == "UNSUPPORTED"


@as_root
def test_without_tools_nothing_is_told(tmp_path: Path) -> None:
    """In a root with a busybox alone, and then with a shell alone."""
    root = tmp_path / "root"
    for name in ("bin", "etc", "dev"):
        (root / name).mkdir(parents=True)
    (root / "dev" / "null").touch()
    (root / "etc" / ".env").write_text("K=v\nP=hunter2\n", "utf-8")
    busybox = shutil.which("busybox") or ""
    shutil.copy(busybox, root / "bin" / "busybox")
    shown = subprocess.run(["ldd", busybox], capture_output=True, check=False, encoding="utf-8")
    for path in re.findall(r"(/\S+) \(", shown.stdout):
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path[1:])
    asks = EnvFile("/etc/.env", ("K",)), Walk(("/etc",), 0, 0), DockerApi("/info", ())
    command = ("chroot", str(root), "/bin/busybox", "sh")
    env, walk, api = told(command, *asks, without=["hunter"])
    assert (env.values, env.names, api.error) == ({"K": "v"}, ("P",), "ENOENT")
    assert walk.error == "UNSUPPORTED"  # no /dev/urandom for its mark
    (root / "bin" / "busybox").rename(root / "bin" / "sh")
    env, walk, api = told(("chroot", str(root), "/bin/sh"), *asks)
    assert (env.error, walk.error, api.error) == ("UNSUPPORTED", "UNSUPPORTED", "ENOENT")
