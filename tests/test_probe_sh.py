"""The shell twin in real shells, answer by answer beside the probe over the same questions."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.asks import (
    Account,
    Ask,
    Dial,
    DockerApi,
    EnvFile,
    File,
    Files,
    Fsync,
    Listen,
    Lookup,
    Names,
    Pull,
    Run,
    Self,
    Space,
    Stat,
    Walk,
)
from sesam_audit.probe_sh import script

from .twins import MARKER, NOBODY, SHELLS, alike, assert_alike, spoken, told, told_by_python

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> Sequence[str]:
    """Every shell here that could be a target's sh."""
    words: Sequence[str] = request.param
    return words


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everyone may enter; pytest's own are closed, again at every session."""
    made = Path(tempfile.mkdtemp(prefix="sesam-audit-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


# -- the same answers as the probe ----------------------------------------------------------------


def test_this_machine_is_told_as_the_probe_tells_it(shell: Sequence[str]) -> None:
    asks: list[Ask[Any]] = [
        Self(),
        *map(
            File, ("/etc/os-release", "/etc/passwd", "/proc/filesystems", "/proc/cpuinfo", "/etc")
        ),
        *map(File, ("/nothing", "/etc/passwd/below", "/dev/zero", "/proc/sys/kernel/hostname")),
        File("/etc/passwd", 10),
        *map(Files, ("/proc/sys/kernel/*_max", "/etc/*.conf", "/nothing/*", "/etc/hostname")),
        Files("/usr/lib/locale/*/LC_*/*", 100),
        *map(Names, ("/", "/etc", "/nothing", "/etc/passwd")),
        *map(Stat, ("/", "/etc", "/etc/passwd", "/dev/null", "/nothing", "/bin/sh")),
        *map(Space, ("/", "/proc", "/nothing")),
        *map(Account, ("root", "nobody", "daemon", "0", "no-such-user", "54321")),
        Run(("sh", "-c", "echo out; echo err >&2; exit 3")),
        Run(("printf", r"\0\1\377\303\251")),
        Run(("cat",)),
        Run(("no-such-program",)),
        Run(("/no/such",)),
        Run(("env",)),
    ]
    assert_alike(shell, *asks)


def test_things_of_each_kind(shell: Sequence[str], place: Path) -> None:
    (place / "file").write_text("text", "utf-8")
    (place / "empty").touch()
    (place / "directory").mkdir()
    (place / "link").symlink_to("file")
    (place / "far").symlink_to("directory/../file")
    (place / "dangling").symlink_to("nothing")
    (place / "gone").symlink_to("/no/such/place")
    (place / "loop").symlink_to("loop")
    (place / "odd").symlink_to("a 'b' $c\nd\n")
    os.mkfifo(place / "fifo")
    asks: list[Ask[Any]] = [Names(str(place)), Files(f"{place}/*"), Files(f"{place}/*/*")]
    for name in (*(each.name for each in place.iterdir()), "nothing", "nothing/below"):
        asks += [File(f"{place}/{name}"), Stat(f"{place}/{name}")]
    assert_alike(shell, *asks)


@as_root
def test_what_nobody_may_not_see_is_not_missing(shell: Sequence[str], place: Path) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("no Python that nobody may start")
    (place / "closed").mkdir(mode=0o700)
    (place / "closed" / "file").write_text("x", "utf-8")
    (place / "listed").mkdir(mode=0o744)
    (place / "listed" / "file").write_text("x", "utf-8")
    (place / "open").mkdir()
    (place / "open" / "secret").touch(mode=0o600)
    (place / "way").symlink_to("closed/file")
    paths = ("closed/file", "closed/nothing", "closed", "open/secret", "open/nothing", "way", "")
    asks: list[Ask[Any]] = []
    for path in paths:
        asks += [File(f"{place}/{path}"), Stat(f"{place}/{path}")]
    asks += [Names(f"{place}/closed"), Files(f"{place}/*/*"), Files(f"{place}/closed/x*")]
    asks += [Files(f"{place}/closed/file"), Space(f"{place}/closed/file")]
    asks += [Run(("true",), user="nobody"), Run(("true",), user="no-such-user")]
    shown = told(shell, *asks, user=NOBODY)
    expected = told_by_python(*asks, user=NOBODY)
    one: Any
    other: Any
    for ask, one, other in zip(asks, map(alike, shown), map(alike, expected), strict=True):
        if isinstance(ask, Files) and "*/*" in ask.pattern:
            # The shell stops at a directory that can be listed and not entered.
            assert one.files == other.files
            assert one.errors == {
                f"{place}/closed": "EACCES",
                f"{place}/listed": "EACCES",
                f"{place}/open/secret": "EACCES",
                f"{place}/way": "EACCES",
            }
        elif isinstance(ask, Run):
            assert one.error == other.error
        else:
            assert (str(ask), one) == (str(ask), other)


def texts() -> Iterator[bytes]:
    """Random bytes, and random text with URLs in it; the same at every run."""
    source = random.Random(1)
    for _ in range(12):
        yield bytes(source.randrange(256) for _ in range(300))
    pieces = [b"://", b"http://", b"@", b":", b"/", b"u", b"7", b" ", b"?", b"[", b"]", b'"', b"\n"]
    for _ in range(24):
        yield b"".join(source.choices(pieces, k=40))
    letters = "aé€😀\u0800\uffff\U0010ffff".encode()
    for _ in range(12):
        yield bytes(source.choices(letters, k=80))
        yield "".join(source.choices("aé€😀\x7f\x00\t\\\"'", k=60)).encode()


def test_bytes_become_the_same_text(shell: Sequence[str], tmp_path: Path) -> None:
    """Every odd sequence, cut anywhere; URLs lose the same logins."""
    asks = []
    for number, text in enumerate(texts()):
        (tmp_path / str(number)).write_bytes(text)
        asks += [File(f"{tmp_path}/{number}"), File(f"{tmp_path}/{number}", 17)]
    for at in range(0, len(asks), 64):
        assert_alike(shell, *asks[at : at + 64])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:p4ss@host:80/x", "http://host:80/x"),
        ("http://u:p4@ss@host", "http://host"),
        ("http://u:p4/s?s@host/x", "http://host/x"),
        ("http://p4ss@host", "http://host"),
        ("http://a:1,http://b:2 x@y", "http://a:1,http://b:2 x@y"),
        ("https://host:80/a@b", "https://host:80/a@b"),
    ],
)
def test_logins_are_cut_out_of_urls(
    shell: Sequence[str], tmp_path: Path, text: str, shown: str
) -> None:
    (tmp_path / "file").write_text(text, "utf-8")
    file, run = told(shell, File(f"{tmp_path}/file"), Run(("echo", text)))
    assert (file.text, run.out) == (shown, f"{shown}\n")


# -- what a shell is not asked to do --------------------------------------------------------------


def test_what_a_shell_cannot_tell_is_said(shell: Sequence[str]) -> None:
    asks: list[Ask[Any]] = [
        Dial("localhost"),
        Pull("library/busybox", "latest"),
        Listen((1,)),
        Lookup("localhost", "A"),
        Fsync("/etc"),
        Account("-x"),
        EnvFile("/etc/environment", ("a,b",)),
        DockerApi("/info", ("a\\b",)),
        DockerApi("/containers/json?x y", ()),
        Walk(("/etc",), 0, 0, skip_names=("--",)),
    ]
    assert [answer.error for answer in told(shell, *asks)] == ["UNSUPPORTED"] * len(asks)


EVIL = "a'b\"c $(touch PWNED) `touch PWNED` ;touch PWNED\n&& touch PWNED *?[x] !é -e"


def test_no_name_is_a_command(shell: Sequence[str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / EVIL).mkdir(parents=True)
    (work / EVIL / EVIL).write_text(EVIL, "utf-8")
    before = set(work.rglob("*"))
    path = f"{work}/{EVIL}/{EVIL}"
    literal = re.sub(r"([*?[])", r"[\1]", path)
    file, stat, names, files, odd, account, run = told(
        ("env", "-C", str(work), *shell),
        File(path),
        Stat(path),
        Names(f"{work}/{EVIL}"),
        Files(literal),
        Files(f"{work}/*/$(touch PWNED)*"),
        Account(EVIL),
        Run(("printf", "%s", EVIL)),
    )
    (backslash,) = told(shell, File(f"{tmp_path}/\\"), deadline=9)
    assert backslash.missing
    assert (file.text, stat.kind, names.names, run.out) == (EVIL, "file", (EVIL,), EVIL)
    assert list(files.files.values()) == [EVIL]
    assert (odd.files, account.error) == ({}, "ENOENT")
    assert set(work.rglob("*")) == before
    assert not list(tmp_path.rglob("PWNED"))


# -- bounds and conversation ----------------------------------------------------------------------


def test_several_rounds_in_one_shell(shell: Sequence[str]) -> None:
    rounds: list[list[Ask[Any]]] = [[Self(), File("/nothing")], [], [Run(("cat",)), Names("/etc")]]
    done = subprocess.run(
        [*shell, "-s"],
        input="".join(script(MARKER, asks, deadline=9) for asks in rounds).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    first, nothing, last = spoken(done.stdout, rounds)
    assert (first[0].uid, first[1].missing, nothing) == (os.geteuid(), True, [])
    assert (last[0].code, last[0].out) == (0, "")
    assert "passwd" in last[1].names


def test_a_flood_ends_at_its_cap(shell: Sequence[str]) -> None:
    began = time.monotonic()
    flood, errors = told(shell, Run(("yes",), limit=1000), Run(("sh", "-c", "yes >&2"), limit=1000))
    assert time.monotonic() - began < 5
    assert (flood.cut, flood.out) == (True, "y\n" * 500)
    assert (errors.cut, errors.err[:6]) == (True, "y\n" * 3)


def test_the_deadline_holds(shell: Sequence[str]) -> None:
    """A program ends with the round; what comes after is not begun."""
    began = time.monotonic()
    before, late, after = told(
        shell, File("/etc/passwd"), Run(("sleep", "77"), 60), Names("/etc"), deadline=2
    )
    assert time.monotonic() - began < 5
    assert (before.error, late.error, after.error) == (None, "TIMEOUT", "TIMEOUT")


def test_an_answer_that_is_too_big(shell: Sequence[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 180_000)
    big, fine = told(shell, File(f"{tmp_path}/file", 10**6), Names(str(tmp_path)))
    assert (big.error, fine.names) == ("TOOBIG", ("file",))


def test_forty_files_take_a_moment(shell: Sequence[str]) -> None:
    began = time.monotonic()
    told(shell, *(File("/etc/passwd", 4096 + number) for number in range(40)))
    assert time.monotonic() - began < 5


# -- machines with next to nothing ----------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory with dash, its libraries, two files, and no tool at all."""
    if os.geteuid() != 0 or not shutil.which("dash") or not shutil.which("busybox"):
        pytest.skip("needs root, dash and busybox")
    made = tmp_path / "root"
    for name in ("bin", "etc", "dev"):
        (made / name).mkdir(parents=True)
    shutil.copy("/bin/dash", made / "bin" / "dash")
    libraries(made, "/bin/dash")
    (made / "dev" / "null").touch()
    (made / "etc" / "plain").write_text('a "b"\n\t\\c\n\nd', "utf-8")
    (made / "etc" / "odd").write_text("é", "utf-8")
    (made / "etc" / "passwd").write_text(
        "root:x:0:0:::\nsesam:x:1000:1001::/home/sesam:\n", "utf-8"
    )
    (made / "etc" / "group").write_text("root:x:0:\nsesam:x:1000:\nusers:x:1001:\n", "utf-8")
    return made


def libraries(root: Path, program: str) -> None:
    """What a program needs to start; nothing where it is linked statically."""
    shown = subprocess.run(["ldd", program], capture_output=True, check=False, encoding="utf-8")
    for path in re.findall(r"(/\S+) \(", shown.stdout):
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path[1:])


def give(root: Path, *tools: str) -> None:
    """Tools under their own names, from a busybox that itself has another."""
    busybox = shutil.which("busybox")
    assert busybox
    shutil.copy(busybox, root / "bin" / "many")
    libraries(root, busybox)
    for tool in tools:
        (root / "bin" / tool).symlink_to("many")


def in_root(root: Path) -> Sequence[str]:
    return ("chroot", str(root), "/bin/dash")


def test_a_shell_alone_reads_plain_text(root: Path) -> None:
    """What it cannot read without a tool it does not pretend to have read."""
    plain, odd, cut, missing, names, stat, missing_stat, space, run, absent, files = told(
        in_root(root),
        File("/etc/plain"),
        File("/etc/odd"),
        File("/etc/plain", 3),
        File("/etc/nothing"),
        Names("/etc"),
        Stat("/etc"),
        Stat("/nothing"),
        Space("/"),
        Run(("dash", "-c", "echo x")),
        Run(("no-such-program",)),
        Files("/etc/*"),
    )
    assert plain.text == 'a "b"\n\t\\c\n\nd'
    assert odd.error == "UNSUPPORTED"
    assert (cut.text, cut.cut) == ('a "', True)
    assert missing.missing
    assert missing_stat.missing
    assert names.names == ("group", "odd", "passwd", "plain")
    assert [stat.error, space.error, run.error] == ["UNSUPPORTED"] * 3
    assert absent.error == "ENOENT"
    assert files.files["/etc/plain"] == plain.text
    assert files.errors == {"/etc/odd": "UNSUPPORTED"}


def test_accounts_without_getent(root: Path) -> None:
    give(root, "id", "od")
    sesam, number, missing = told(
        in_root(root), Account("sesam"), Account("1000"), Account("nobody")
    )
    assert sesam == number
    assert (sesam.uid, sesam.gid, sesam.group, sesam.own_group) == (1000, 1001, "users", 1000)
    assert sesam.home == "/home/sesam"
    assert missing.missing


@pytest.mark.parametrize("tool", ["od", "hexdump"])
def test_one_tool_for_bytes_is_enough(root: Path, tool: str) -> None:
    give(root, tool)
    plain, odd, cut = told(
        in_root(root), File("/etc/plain"), File("/etc/odd"), File("/etc/plain", 3)
    )
    assert (plain.text, odd.text) == ('a "b"\n\t\\c\n\nd', "é")
    assert (cut.text, cut.cut) == ('a "', True)


def test_busybox_under_its_own_name_is_enough(root: Path) -> None:
    give(root)
    (root / "bin" / "busybox").symlink_to("many")
    odd, stat = told(in_root(root), File("/etc/odd"), Stat("/etc/odd"))
    assert (odd.text, stat.kind, stat.size) == ("é", "file", 2)


def test_programs_are_bounded_without_timeout(root: Path) -> None:
    give(root, "od", "id", "sleep")
    began = time.monotonic()
    quick, late = told(
        in_root(root), Run(("dash", "-c", "echo x; exit 2")), Run(("sleep", "77"), seconds_limit=1)
    )
    assert (quick.code, quick.out) == (2, "x\n")
    assert (late.error, late.code) == ("TIMEOUT", 137)
    assert time.monotonic() - began < 5
