"""The probe in processes of its own: real files, sockets, TLS servers, programs, users."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sesam_audit import shipping
from sesam_audit.asks import (
    VOCABULARY,
    Account,
    Answer,
    Ask,
    Certificates,
    Compose,
    ComposeVersion,
    Dial,
    DialAnswer,
    DockerApi,
    DockerConfig,
    EnvFile,
    File,
    Files,
    Fsync,
    LicenseAnswer,
    LicenseFile,
    Listeners,
    Lookup,
    Names,
    PrivateKey,
    Registry,
    Roots,
    Run,
    Self,
    Space,
    Stat,
    Walk,
)
from sesam_audit.bootstrap import Privilege, command, program
from sesam_audit.probe import vocabulary
from sesam_audit.probe.reducing import reduced
from sesam_audit.probe.tls import BUNDLES

A = TypeVar("A", bound=Answer)
Serve = Callable[[socket.socket], None]

MARKER = "0123456789abcdef"
TEXT = shipping.program("probe")
NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def pythons() -> dict[str, str]:
    """Every Python from 3.6 on that is installed here, by version."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for minor in range(6, 16):
        kept = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"))
        path = str(kept[-1]) if kept else shutil.which(f"python3.{minor}")
        if path:
            found.setdefault(f"3.{minor}", path)
    return found


PYTHONS = pythons()
on_every_python = pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)


class Conversation:
    """A probe started as on a target, by the line that is sent to its login shell."""

    def __init__(
        self,
        python: str = sys.executable,
        user: int = 0,
        mounts: dict[str, Path] | None = None,
        text: bytes = TEXT,
    ) -> None:
        line = "exec " + command(MARKER, Privilege.PLAIN)
        for place, source in (mounts or {}).items():
            line = f"mount --bind {shlex.quote(str(source))} {place} && {line}"
        self.process = subprocess.Popen(
            [*(["unshare", "-m"] if mounts else []), "sh", "-c", line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": f"{Path(python).parent}:/usr/sbin:/usr/bin:/sbin:/bin"},
            user=user or None,
            group=user or None,
            extra_groups=[] if user else None,
            cwd="/",
        )
        self.send(program(MARKER, text, None))

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        self.process.wait(10)
        self.stdout.close()

    @property
    def stdin(self) -> Any:
        return self.process.stdin

    @property
    def stdout(self) -> Any:
        return self.process.stdout

    def send(self, data: bytes) -> None:
        self.stdin.write(data)
        self.stdin.flush()

    def request(
        self, asks: Sequence[Ask[Any]], deadline: float, secrets: dict[str, str] | None = None
    ) -> None:
        spelt = [{"ask": type(ask).__name__, **msgspec.to_builtins(ask)} for ask in asks]
        self.raw({"asks": spelt, "deadline": deadline, "secrets": secrets or {}})

    def raw(self, request: dict[str, Any]) -> None:
        self.send(msgspec.json.encode(request) + b"\n")

    def frame(self) -> bytes:
        watch = threading.Timer(30, self.process.kill)
        watch.start()
        try:
            assert self.stdout.readline() == b"\n"
            marker, length = self.stdout.readline().split()
            assert marker == MARKER.encode()
            frame: bytes = self.stdout.read(int(length))
        finally:
            watch.cancel()
        return zlib.decompress(frame)

    def all(
        self,
        *asks: Ask[Any],
        deadline: float = 8,
        secrets: dict[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> list[Any]:
        """The answers, decoded as the engine does; `without` may be nowhere in them."""
        self.request(asks, deadline, secrets)
        frame = self.frame()
        assert frame.isascii()
        for secret in without:
            assert secret.encode() not in frame
        answers = msgspec.json.decode(frame, type=list[msgspec.Raw])
        assert len(answers) == len(asks)
        return [
            msgspec.json.decode(answer, type=type(ask).answer)
            for ask, answer in zip(asks, answers, strict=True)
        ]

    def __call__(self, ask: Ask[A], **options: Any) -> A:
        answer: A = self.all(ask, **options)[0]
        return answer


@pytest.fixture(scope="module")
def asked() -> Iterator[Conversation]:
    """One conversation for all questions that need nothing special."""
    with Conversation() as conversation:
        yield conversation


@pytest.fixture
def nobody() -> Iterator[Conversation]:
    """A conversation with a probe that runs as nobody."""
    if os.geteuid() != 0 or not Path("/usr/bin/python3").exists():
        pytest.skip("needs root and a system-wide Python")
    with Conversation("/usr/bin/python3", user=NOBODY) as conversation:
        yield conversation


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everyone may enter; pytest's own are closed, again at every session."""
    made = Path(tempfile.mkdtemp(prefix="sesam-audit-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def running(word: str) -> list[int]:
    """Processes with `word` among their arguments; zombies have none."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and word.encode() in (entry / "cmdline").read_bytes().split(
                b"\0"
            ):
                found.append(int(entry.name))
    return found


def wait_for(condition: Callable[[], object], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


# -- conversation ---------------------------------------------------------------------------------


def test_the_vocabulary_is_answered_and_no_more() -> None:
    assert set(vocabulary.ANSWERS) == set(VOCABULARY) - {"Contact"}
    assert all(map(callable, map(vocabulary.answering, vocabulary.ANSWERS)))
    assert {name for name, kind in VOCABULARY.items() if kind.slow} == vocabulary.SLOW
    assert set(VOCABULARY) >= vocabulary.SECRET


def test_what_no_question_needs_is_not_even_compiled() -> None:
    asked = "respond({'asks': [{'ask': 'Self'}], 'deadline': 5})"
    told = "print(*(name for name in sys.modules if name.startswith('sesam_audit_probe.')))"
    script = TEXT.decode() + f"\nfrom sesam_audit_probe.rounds import respond\n{asked}\n{told}\n"
    done = subprocess.run(
        (sys.executable, "-I", "-S", "-"), input=script, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[2] for name in done.stdout.split()}
    assert "accounts" in loaded
    assert not loaded & {"dial", "tls", "lookup", "room", "janitor", "rehearsal", "programs"}


@on_every_python
def test_it_answers_in_order_round_after_round(python: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("grüße\n", "utf-8")
    with Conversation(python) as conversation:
        me, text, done, missing = conversation.all(
            Self(),
            File(f"{tmp_path}/file"),
            Run(("sh", "-c", "echo out; echo err >&2; exit 3")),
            File(f"{tmp_path}/nothing"),
        )
        assert (me.uid, me.hostname) == (os.geteuid(), socket.gethostname())
        assert PYTHONS[f"{me.python[0]}.{me.python[1]}"] == python
        assert abs(me.time - time.time()) < 60
        assert text.text == "grüße\n"
        assert (done.code, done.out, done.err, done.error) == (3, "out\n", "err\n", None)
        assert missing.missing
        assert conversation(Names(str(tmp_path))).names == ("file",)
    assert conversation.process.returncode == 0


def test_what_it_does_not_know_it_does_not_answer(asked: Conversation) -> None:
    asked.raw({"asks": [{"ask": "Contact"}, {"ask": "__import__"}], "deadline": 2})
    answers = json.loads(asked.frame())
    assert [answer["error"] for answer in answers] == ["UNSUPPORTED"] * 2


def test_a_fault_of_its_own_spoils_one_answer(asked: Conversation) -> None:
    asked.raw({"asks": [{"ask": "File"}, {"ask": "Names", "path": "/"}], "deadline": 2})
    crashed, fine = json.loads(asked.frame())
    assert crashed["error"].startswith("CRASH: KeyError")
    assert "etc" in fine["names"]


@pytest.mark.parametrize("way", ["stdin", "SIGTERM", "SIGHUP"])
def test_its_end_is_its_children_s_end(way: str) -> None:
    """Also in the middle of a round, and of children that started children of their own."""
    word = f"98{os.getpid()}"
    conversation = Conversation()
    number = int(conversation(Run(("sh", "-c", "echo $PPID"))).out)
    conversation.request([Run(("sh", "-c", f"sleep {word} & sleep {word}"), 60)], 60)
    assert wait_for(lambda: len(running(word)) == 2)
    if way == "stdin":
        conversation.stdin.close()
    else:
        os.kill(number, signal.Signals[way])
    assert conversation.process.wait(3) == 0
    assert wait_for(lambda: not running(word), 2)
    conversation.__exit__()


def test_it_does_not_live_for_ever() -> None:
    """With a life of one second instead of fifteen minutes."""
    word = f"95{os.getpid()}"
    with Conversation(text=TEXT.replace(b"LIFETIME = 900", b"LIFETIME = 1")) as conversation:
        conversation.request([Run(("sleep", word), 60)], 60)
        assert wait_for(lambda: running(word))
        assert conversation.process.wait(3) == 0
    assert wait_for(lambda: not running(word), 2)


def test_the_deadline_ends_a_round_and_not_its_other_answers(asked: Conversation) -> None:
    word = f"97{os.getpid()}"
    began = time.monotonic()
    late, space = asked.all(
        Run(("sh", "-c", f"echo so far; sleep {word}"), 60), Space("/"), deadline=0.5
    )
    assert time.monotonic() - began < 1
    assert (late.error, late.out) == ("TIMEOUT", "so far\n")
    assert space.total > 0
    assert wait_for(lambda: not running(word), 1)


def test_an_ask_s_own_limit_ends_it_before_the_deadline(asked: Conversation) -> None:
    began = time.monotonic()
    assert asked(Run(("sleep", "60"), seconds_limit=0.3), deadline=20).error == "TIMEOUT"
    assert time.monotonic() - began < 2


def test_a_round_without_questions_has_an_empty_answer(asked: Conversation) -> None:
    assert asked.all() == []


# -- bounds ---------------------------------------------------------------------------------------


def test_an_answer_that_is_too_big_spoils_itself_only(asked: Conversation, tmp_path: Path) -> None:
    """One NUL becomes six characters: the encoded answer is what counts."""
    (tmp_path / "nul").write_bytes(bytes(400_000))
    big, fine = asked.all(File(f"{tmp_path}/nul", 10**6), File(f"{tmp_path}/nul", 10))
    assert big.error == "TOOBIG"
    assert (fine.text, fine.cut) == ("\0" * 10, True)


def test_the_sum_of_all_answers_is_bounded(asked: Conversation, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 900_000)
    asks = [File(f"{tmp_path}/file", 10**6 + number) for number in range(12)]
    asked.request(asks, 8)
    frame = asked.frame()
    assert len(frame) < 8 * 2**20 + 4096
    errors = [answer.get("error") for answer in json.loads(frame)]
    assert errors == [None] * 9 + ["TOOBIG"] * 3


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_flood_is_killed_at_its_cap(asked: Conversation, stream: str) -> None:
    word = f"flood{os.getpid()}"
    began = time.monotonic()
    answer = asked(Run(("sh", "-c", f"exec yes {word} >&{stream}"), limit=1000))
    assert time.monotonic() - began < 2
    assert answer.cut
    assert len(answer.out + answer.err) == 1000
    assert wait_for(lambda: not running(word), 1)


def test_a_flood_that_takes_no_signal_is_killed_too(asked: Conversation) -> None:
    began = time.monotonic()
    text = "trap '' PIPE TERM HUP; while :; do echo x; done 2>/dev/null"
    assert asked(Run(("sh", "-c", text), limit=1000)).cut
    assert time.monotonic() - began < 2


# -- files ----------------------------------------------------------------------------------------


@pytest.fixture
def kinds(place: Path) -> Path:
    """One thing of each kind."""
    (place / "file").write_text("text", "utf-8")
    (place / "directory").mkdir()
    (place / "link").symlink_to("file")
    (place / "dangling").symlink_to("nothing")
    (place / "loop").symlink_to("loop")
    os.mkfifo(place / "fifo")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(place / "socket"))
    return place


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("file", None),
        ("link", None),
        ("nothing", "ENOENT"),
        ("dangling", "ENOENT"),
        ("file/below", "ENOTDIR"),
        ("loop", "ELOOP"),
        ("directory", "EISDIR"),
        ("fifo", "EINVAL"),
        ("socket", "EINVAL"),
        ("../../../../../../../dev/zero", "EINVAL"),
    ],
)
def test_a_file_or_the_reason_why_not(
    asked: Conversation, kinds: Path, name: str, error: str | None
) -> None:
    """A FIFO and a device do not hold anything up."""
    answer = asked(File(f"{kinds}/{name}"), deadline=2)
    assert (answer.error, answer.text) == (error, "" if error else "text")


def test_files_of_proc_and_sys_have_no_size_and_are_read(asked: Conversation) -> None:
    text = asked(File("/proc/self/status")).text
    assert "Name:\tpython3" in text
    assert "TracerPid" in text


def test_bytes_that_are_no_text_are_spelt_out(asked: Conversation, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xe2\x82\xac \xe2\x82 \xff\x00")
    assert asked(File(f"{tmp_path}/file")).text == "€ \\xe2\\x82 \\xff\x00"


@on_every_python
def test_names_that_are_no_text_are_spelt_out(python: str, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in (b"\xff", b"a\n", "ø".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/d/" + name)).write_text("x", encoding="utf-8")
    Path(tmp_path, "link").symlink_to(os.fsdecode(b"d/\xff"))
    with Conversation(python) as conversation:
        names, files, link, walk = conversation.all(
            Names(f"{tmp_path}/d"),
            Files(f"{tmp_path}/d/*"),
            Stat(f"{tmp_path}/link"),
            Walk((f"{tmp_path}/d",), 4321, 4321),
        )
    assert names.names == ("a\n", "ø", "\\xff")
    assert set(files.files) == {f"{tmp_path}/d/{name}" for name in names.names}
    assert (link.target, link.resolved.path) == ("d/\\xff", f"{tmp_path}/d/\\xff")
    assert walk.offenders == 4


def test_what_nobody_may_not_see_is_not_missing(nobody: Conversation, place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    (place / "closed" / "file").write_text("x", "utf-8")
    (place / "listed").mkdir()
    (place / "listed" / "secret").touch(mode=0o600)
    closed, secret, missing, names, stat, files, inside = nobody.all(
        File(f"{place}/closed/file"),
        File(f"{place}/listed/secret"),
        File(f"{place}/listed/nothing"),
        Names(f"{place}/closed"),
        Stat(f"{place}/closed/file"),
        Files(f"{place}/*/*"),
        Files(f"{place}/closed/file"),
    )
    assert [closed.error, secret.error, missing.error] == ["EACCES", "EACCES", "ENOENT"]
    assert [names.error, stat.error] == ["EACCES", "EACCES"]
    assert files.files == {}
    assert files.errors == {f"{place}/closed": "EACCES", f"{place}/listed/secret": "EACCES"}
    assert inside.errors == {f"{place}/closed": "EACCES"}


def test_patterns_match_as_in_a_shell(asked: Conversation, tmp_path: Path) -> None:
    for name in ("a/1.conf", "b/2.conf", "b/.3.conf", "b/4.txt", "c"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name, "utf-8")
    (tmp_path / "d.conf").mkdir()
    found, none, many = asked.all(
        Files(f"{tmp_path}/[ab]/?.conf"),
        Files(f"{tmp_path}/nothing/*.conf"),
        Files(f"{tmp_path}/*", limit=0),
    )
    assert found.files == {f"{tmp_path}/a/1.conf": "a/1.conf", f"{tmp_path}/b/2.conf": "b/2.conf"}
    assert found.errors == {}
    assert (none.files, none.errors) == ({}, {})
    assert many.errors == {f"{tmp_path}/c": "TOOBIG"}


def test_more_files_than_are_told_is_said(asked: Conversation, tmp_path: Path) -> None:
    for number in range(501):
        (tmp_path / str(number)).touch()
    answer = asked(Files(f"{tmp_path}/*"))
    assert len(answer.files or ()) == 500
    assert answer.errors == {f"{tmp_path}/*": "TOOBIG"}


@pytest.mark.parametrize(
    ("name", "kind", "leads_to", "error"),
    [
        ("file", "file", "file", None),
        ("directory", "directory", "directory", None),
        ("link", "link", "file", None),
        ("dangling", "link", "", "ENOENT"),
        ("loop", "link", "", "ELOOP"),
        ("fifo", "fifo", "fifo", None),
        ("socket", "socket", "socket", None),
    ],
)
def test_a_path_and_what_it_leads_to(
    *, asked: Conversation, kinds: Path, name: str, kind: str, leads_to: str, error: str | None
) -> None:
    answer = asked(Stat(f"{kinds}/{name}"))
    assert answer.resolved is not None
    assert (answer.kind, answer.resolved.kind) == (kind, leads_to)
    assert (answer.error, answer.resolved.error) == (None, error)
    own = os.lstat(kinds / name)
    assert (answer.inode, answer.uid, answer.size) == (own.st_ino, own.st_uid, own.st_size)
    assert (answer.mode, answer.modified) == (own.st_mode & 0o7777, own.st_mtime)


def test_a_dangling_link_says_where_it_leads(asked: Conversation, kinds: Path) -> None:
    answer = asked(Stat(f"{kinds}/dangling"))
    assert answer.resolved is not None
    assert (answer.target, answer.resolved.path) == ("nothing", f"{kinds}/nothing")


@as_root
def test_a_number_without_a_name_stays_a_number(asked: Conversation, place: Path) -> None:
    os.chown(place, 54321, 54322)
    answer = asked(Stat(str(place)))
    assert (answer.uid, answer.gid, answer.user, answer.group) == (54321, 54322, "", "")


def test_space_is_what_statvfs_says(asked: Conversation) -> None:
    space, missing = asked.all(Space("/"), Space("/nothing/at/all"))
    found = os.statvfs("/")
    assert (space.total, space.inodes) == (found.f_blocks * found.f_frsize, found.f_files)
    assert missing.missing


def test_more_names_than_are_told(asked: Conversation, tmp_path: Path) -> None:
    for number in range(1001):
        (tmp_path / f"{number:04}").touch()
    assert len(asked(Names(str(tmp_path))).names) == 1000


# -- walks ----------------------------------------------------------------------------------------


@pytest.fixture
def tree(place: Path) -> Path:
    """Eight entries: two links out of it, one directory to skip, one name to skip."""
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "file").touch()
    root = place / "root"
    for name in ("a/b", "skipped/inside", "lost+found"):
        (root / name).mkdir(parents=True)
    (root / "a" / "file").touch()
    (root / "a" / "link").symlink_to(place / "elsewhere")
    (root / "a" / "dangling").symlink_to("nothing")
    return root


def walk(root: Path, uid: int, **options: Any) -> Walk:
    skipped = {"skip": (f"{root}/skipped",), "skip_names": ("lost+found",)}
    return Walk((str(root),), uid, os.getegid(), **{**skipped, **options})


def test_a_walk_counts_what_is_owned_and_follows_nothing(asked: Conversation, tree: Path) -> None:
    mine, other = asked.all(walk(tree, os.geteuid()), walk(tree, 54321))
    assert (mine.offenders, mine.entries, mine.complete) == (0, 6, True)
    assert set(mine.passed_over) == {f"{tree}/skipped", f"{tree}/lost+found"}
    assert other.offenders == 6
    assert all(sample.startswith(f"{tree}") and ":" in sample for sample in other.samples)
    assert not any("elsewhere" in sample for sample in other.samples)


def test_a_walk_ends_at_its_bounds(asked: Conversation, tree: Path) -> None:
    few, quick = asked.all(
        walk(tree, os.geteuid(), entries=3), walk(tree, os.geteuid(), seconds_limit=1e-9)
    )
    assert (few.entries, few.complete) == (3, False)
    assert not quick.complete


def test_roots_within_roots_are_walked_once(asked: Conversation, tree: Path) -> None:
    both = Walk((str(tree), f"{tree}/a"), 54321, 54321)
    assert asked(both).offenders == 9


def test_a_root_that_is_a_link_is_walked_where_it_leads(asked: Conversation, tree: Path) -> None:
    link = tree.parent / "link"
    link.symlink_to(tree)
    led = asked(walk(link, 54321))
    assert (led.offenders, led.complete) == (6, True)
    assert set(led.passed_over) == {f"{tree}/skipped", f"{tree}/lost+found"}
    within, twice = asked.all(
        Walk((str(tree.parent), str(link)), 54321, 0, skip=(f"{link}/a",)),
        Walk((str(tree), str(link)), 54321, 0),
    )
    assert (within.entries, within.passed_over) == (8, (f"{tree}/a",))
    assert twice.entries == 9


def test_a_root_that_leads_nowhere_is_not_walked(asked: Conversation, tree: Path) -> None:
    (tree / "dangling").symlink_to("nothing")
    (tree / "loop").symlink_to("loop")
    dangling, loop = asked.all(
        Walk((f"{tree}/dangling",), 0, 0), Walk((f"{tree}/loop", f"{tree}/a/b"), 0, 0)
    )
    assert dangling.missing
    assert (loop.entries, loop.unreadable) == (1, (f"{tree}/loop",))


def test_a_walk_of_nothing_is_missing(asked: Conversation, tree: Path) -> None:
    none, one = asked.all(
        Walk((f"{tree}/nothing",), 0, 0), Walk((f"{tree}/nothing", f"{tree}/a/b"), 54321, 0)
    )
    assert none.missing
    assert (one.error, one.offenders) == (None, 1)


def test_a_walk_says_where_it_could_not_go(nobody: Conversation, tree: Path) -> None:
    (tree / "a" / "b").chmod(0o700)
    answer = nobody(walk(tree, 0))
    assert answer.unreadable == (f"{tree}/a/b",)


@as_root
def test_a_walk_stays_on_its_file_system(asked: Conversation) -> None:
    if not os.path.ismount("/dev/pts"):
        pytest.skip("no second file system below /dev")
    assert "/dev/pts" in asked(Walk(("/dev",), 0, 0)).passed_over


def test_fsync_leaves_nothing_behind(asked: Conversation, tmp_path: Path) -> None:
    answer, missing = asked.all(Fsync(str(tmp_path), writes=20), Fsync(f"{tmp_path}/nothing"))
    assert answer.writes == 20
    assert 0 < answer.p50 <= answer.p99
    assert list(tmp_path.iterdir()) == []
    assert missing.missing


# -- files that hold secrets ----------------------------------------------------------------------

PAYLOAD = {
    "_id": "12345",
    "expires": "2031-01-01T00:00:00",
    "created": "2024-01-01T00:00:00",
    "email": "holder@example.org",
}


def coded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def license_text(payload: object = PAYLOAD, outer: dict[str, object] | None = None) -> str:
    body = coded({"payload": coded(payload), "signature": "SIGNATURE", **(outer or {})})
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN SESAM LICENSE-----", *lines, "-----END SESAM LICENSE-----", ""])


def licensed(asked: Conversation, path: Path, data: bytes) -> LicenseAnswer:
    """Ask for a license; nothing of its holder or signature may come back, coded or not."""
    path.write_bytes(data)
    coded_pieces = [coded(PAYLOAD)[40:80], coded("SIGNATURE")[4:12]]
    return asked(
        LicenseFile(str(path)),
        without=["holder@example", "SIGNATURE", *coded_pieces],
    )


def test_a_license_tells_its_number_and_dates(asked: Conversation, tmp_path: Path) -> None:
    data = license_text().encode()
    answer = licensed(asked, tmp_path / "license.key", data)
    assert answer == LicenseAnswer(
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        id="12345",
        expires="2031-01-01T00:00:00",
        created="2024-01-01T00:00:00",
        signed=True,
        seconds=answer.seconds,
    )
    whole = asked(LicenseFile(str(tmp_path / "license.key"), whole=True))
    assert whole.text == data.decode()


GOOD = license_text()


@pytest.mark.parametrize(
    ("data", "problems", "known"),
    [
        (GOOD.replace("\n", "\r\n"), ["crlf"], True),
        ("\ufeff" + GOOD, ["bom"], True),
        (GOOD.replace("\n", "\\n"), ["literal-newlines"], True),
        (GOOD.replace("-----BEGIN SESAM LICENSE-----\n", ""), ["no-begin"], True),
        (GOOD.replace("-----END SESAM LICENSE-----\n", ""), ["no-end"], True),
        (f'"{GOOD.strip()}"\n', ["outside"], True),
        (GOOD.replace("\n", " "), ["one-line"], True),
        (GOOD.replace("LICENSE-----\n", "LICENSE-----", 1), ["one-line"], True),
        (GOOD.replace("\n-----END", "-----END"), ["one-line"], True),
        (f"license: |\n  {GOOD}", ["outside"], True),
        (GOOD + GOOD, ["outside"], True),
        (f"\n  {GOOD}\n\n", [], True),
        ("<!DOCTYPE html><html>holder@example.org</html>", ["html"], False),
        (GOOD.replace("eyJ", "e!J", 1), ["not-base64"], False),
        ("hello", ["no-begin", "no-end", "not-json"], False),
        (GOOD[: len(GOOD) // 2], ["no-end", "truncated"], False),
        (GOOD[: len(GOOD) // 2 + 1], ["no-end", "truncated"], False),
        (GOOD[: len(GOOD) // 2 + 2], ["no-end", "truncated"], False),
        (license_text(payload=PAYLOAD).replace("SESAM", "OTHER"), ["no-begin", "no-end"], True),
        (coded({"a": 1}), ["no-begin", "no-end", "no-payload"], False),
        (coded([1]), ["no-begin", "no-end", "not-json"], False),
        (license_text(payload=[1]), ["payload-not-json"], False),
    ],
)
def test_what_is_wrong_with_a_license_is_named(
    asked: Conversation, tmp_path: Path, data: str, problems: list[str], known: bool
) -> None:
    answer = licensed(asked, tmp_path / "license.key", data.encode())
    assert sorted(answer.problems) == sorted(problems)
    assert (answer.id == "12345") is known


@pytest.mark.parametrize(
    ("outer", "problem"),
    [
        ({"payload": "!!"}, "payload-not-base64"),
        ({"payload": {"_id": "1"}}, "payload-not-base64"),
        ({"payload": coded("text")}, "payload-not-json"),
        ({"payload": coded({"expires": "2031"})}, "no-id"),
        ({"payload": None}, "no-payload"),
    ],
)
def test_what_is_wrong_inside_a_license_is_named(
    asked: Conversation, tmp_path: Path, outer: dict[str, object], problem: str
) -> None:
    answer = licensed(asked, tmp_path / "license.key", license_text(outer=outer).encode())
    assert answer.problems == (problem,)
    assert answer.id is None


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf \r\n", bytes(10)])
def test_a_license_without_text_is_blank(asked: Conversation, tmp_path: Path, data: bytes) -> None:
    answer = licensed(asked, tmp_path / "license.key", data)
    assert answer.blank
    assert answer.size == len(data)


def test_a_license_in_utf_16_is_read(asked: Conversation, tmp_path: Path) -> None:
    answer = licensed(asked, tmp_path / "license.key", GOOD.encode("utf-16"))
    assert (answer.problems, answer.id) == (("bom",), "12345")


def test_a_docker_login_is_there_and_not_told(asked: Conversation, tmp_path: Path) -> None:
    login = base64.b64encode(b"sesam:hunter2").decode()
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(
            {
                "auths": {
                    "https://index.docker.io/v1/": {"auth": login},
                    "helped.example": {},
                    "broken.example": {"auth": "no base64"},
                    "token.example": {"identitytoken": "hunter3"},
                },
                "credHelpers": {"helped.example": "ecr-login"},
                "credsStore": "desktop",
                "proxies": {
                    "default": {
                        "httpProxy": "http://me:hunter4@proxy:3128",
                        "httpsProxy": "me:hunter5@proxy:3128",
                        "noProxy": "localhost",
                        "other": "hunter6",
                    }
                },
                "HttpHeaders": {"X-Token": "hunter7"},
            }
        ),
        "utf-8",
    )
    answer = asked(DockerConfig(str(path)), without=["hunter", login])
    assert answer.registries == {
        "https://index.docker.io/v1/": Registry(auth=True),
        "helped.example": Registry(helper="ecr-login"),
        "broken.example": Registry(),
        "token.example": Registry(),
    }
    assert (answer.json, answer.store) == (True, "desktop")
    assert answer.proxies == {
        "httpProxy": "http://proxy:3128",
        "httpsProxy": "proxy:3128",
        "noProxy": "localhost",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"auths": "hunter2"', "\x00"])
def test_a_docker_config_that_is_none(asked: Conversation, tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, "utf-8")
    answer = asked(DockerConfig(f"{tmp_path}/config.json"), without=["hunter"])
    assert (answer.error, answer.json) == (None, False)


@pytest.mark.parametrize(
    ("line", "value", "doubt"),
    [
        ("K=v", "v", False),
        ("  export   K = v  ", "v", False),
        ("K: v", "v", False),
        ("K=v # comment", "v", False),
        ("K=v#x", "v#x", False),
        ("K='a $b # c' # d", "a $b # c", False),
        ('K="a # b"', "a # b", False),
        ("K=", "", False),
        ("#K=x\nK=v", "v", False),
        ("K=old\nK=new", "new", False),
        ("K=$x\nK=new", "new", False),
        ("K=v\r", "v", False),
        ("K=a$b", "a$b", True),
        ('K="a$b"', "a$b", True),
        ('K="a\\nb"', "a\\nb", True),
        ("K='a\nOTHER=b'", "a\nOTHER=b", True),
        ("K='open", "", True),
        ("K=http://me:hunter2@host/x", "http://host/x", False),
    ],
)
def test_env_files_are_read_as_compose_does(
    asked: Conversation, tmp_path: Path, line: str, value: str, doubt: bool
) -> None:
    (tmp_path / ".env").write_text(f"\ufeffA_PASSWORD=hunter2\n{line}\n", "utf-8")
    answer = asked(EnvFile(f"{tmp_path}/.env", ("K", "L")), without=["hunter"])
    assert answer.values == {"K": value}
    assert answer.names == ("A_PASSWORD",)
    assert answer.doubtful == (("K",) if doubt else ())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://u:p4ss@host:80/x", "http://host:80/x"),
        ("http://u:p4@ss@host", "http://host"),
        ("http://u:p4/ss@host/x", "http://host/x"),
        ("http://u:p4#ss?@host", "http://host"),
        ("http://p4ss@host", "http://host"),
        ("a=http://u:p4ss@h b='https://v:p4ss@i/'", "a=http://h b='https://i/'"),
        ("http://host:80/path@x", "http://host:80/path@x"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://host?to=a@b", "https://host?to=a@b"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("http://a:1,http://b:2 x@y", "http://a:1,http://b:2 x@y"),
        ("image@sha256:00", "image@sha256:00"),
    ],
)
def test_logins_are_cut_out_of_urls(
    asked: Conversation, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "file").write_text(text, "utf-8")
    assert asked(File(f"{tmp_path}/file"), without=["p4"]).text == told


def test_a_stack_keeps_what_the_audit_needs() -> None:
    stack = {
        "x-shared": {"environment": {"K": "hunter2"}},
        "services": {
            "node": {
                "environment": {"KEPT": "v", "DB_PASSWORD": "hunter2", "NONE": None},
                "command": ["--token", "hunter2", "--level=1", "--secret=hunter2"],
                "labels": {"x.basicauth.users": "hunter2", "rule": "Host(`a`)"},
                "build": {"args": {"PIP_TOKEN": "hunter2"}},
            },
            "watchtower": {
                "environment": [
                    "WATCHTOWER_CLEANUP=true",
                    "WATCHTOWER_X_PASSWORD=hunter2",
                    "O=hunter2",
                ],
                "command": "run --password hunter2 --user me",
            },
        },
        "configs": {"c": {"content": "hunter2"}},
        "volumes": {"v": {"driver_opts": {"o": "username=me,password=hunter2,vers=3"}}},
    }
    assert reduced(stack, ["KEPT"]) == {
        "services": {
            "node": {
                "environment": {"KEPT": "v", "DB_PASSWORD": None, "NONE": None},
                "command": ["--token", "...", "--level=1", "--secret=..."],
                "labels": {"x.basicauth.users": "...", "rule": "Host(`a`)"},
                "build": {"args": {"PIP_TOKEN": None}},
            },
            "watchtower": {
                "environment": ["WATCHTOWER_CLEANUP=true", "WATCHTOWER_X_PASSWORD", "O"],
                "command": "run --password ... --user me",
            },
        },
        "configs": {"c": {"content": "..."}},
        "volumes": {"v": {"driver_opts": {"o": "username=me,password=...,vers=3"}}},
    }


WARNINGS = r"""
time="2026-11-22T10:00:00Z" level=warning msg="The \"NODE_DOMAIN\" variable is not set. Default."
WARN[0000] The "DNS_ADMIN" variable is not set. Default.
"""
REFUSAL = r"""
service "node" is odd: unexpected character "!" in variable name near "A!B=hunter2\nC=d"
unterminated quoted value 'hunter2
"""


PLUGINS = ["/root/.docker", *(f"/usr/{at}/docker" for at in ("local/libexec", "lib", "libexec"))]


@as_root
@pytest.mark.parametrize(("code", "words"), [(0, "compose "), (15, "compose "), (0, "")])
def test_a_rendered_stack_and_compose_s_words(tmp_path: Path, code: int, words: str) -> None:
    """By a docker, or its plugin, that tells its environment, words and directory."""
    if any(Path(place, "cli-plugins", "docker-compose").exists() for place in PLUGINS):
        pytest.skip("a real compose would answer")
    plugin = tmp_path / "lib" / "docker" / "cli-plugins" / "docker-compose"
    for path in [tmp_path / "bin" / "docker", *([] if words else [plugin])]:
        path.parent.mkdir(parents=True)
        path.write_text(
            f"""#!/bin/sh
cat >&2 <<'-'
{WARNINGS if code == 0 else REFUSAL}
-
test {code} = 0 || exit {code}
printf '{{"name": "%s", "words": "%s", "env": {{}}, "at": "%s"}}' "$(env | wc -l)" "$*" "$PWD"
""",
            "utf-8",
        )
        path.chmod(0o755)
    for name in ("stack", "lib"):
        (tmp_path / name).mkdir(exist_ok=True)
    mounts = {"/usr/local/sbin": tmp_path / "bin", "/usr/local/lib": tmp_path / "lib"}
    with Conversation(mounts=mounts) as conversation:
        answer, nowhere = conversation.all(
            Compose(f"{tmp_path}/stack", ()), Compose(f"{tmp_path}/none", ()), without=["hunter"]
        )
    assert nowhere.missing
    assert answer.code == code
    if code:
        assert answer.document is None
        assert 'service "node" is odd: unexpected character "..." in' in answer.message
        return
    assert answer.document == {
        "name": "3",  # PATH, HOME and the shell's own PWD
        "words": f"{words}config --format json",
        "env": {},
        "at": f"{tmp_path}/stack",
    }
    assert answer.warnings == (
        'The "NODE_DOMAIN" variable is not set. Default.',
        'The "DNS_ADMIN" variable is not set. Default.',
    )


METADATA = '{"SchemaVersion": "0.1.0", "Vendor": "Docker Inc.", "Version": "v2.33.1"}'
PODMAN = b"#!/bin/sh\necho podman has no $2\n"


@pytest.mark.parametrize(
    ("docker", "metadata", "mode", "settings", "told"),
    [
        (Path("/bin/echo"), METADATA, 0o755, "", "v2.33.1"),
        (Path("/bin/echo"), METADATA, 0o755, '{"auths": {}}', "v2.33.1"),
        (PODMAN, METADATA, 0o755, "", "podman has no version"),
        ("/bin/echo", METADATA, 0o755, "", "compose version --short"),
        (Path("/bin/echo"), "1.29.2", 0o755, "", "compose version --short"),
        (Path("/bin/echo"), METADATA.replace("0.1.0", "9"), 0o755, "", "compose version --short"),
        (Path("/bin/echo"), METADATA.replace("Docker Inc.", ""), 0o755, "", "compose version"),
        (Path("/bin/echo"), METADATA, 0o644, "", "compose version --short"),
        (Path("/bin/echo"), METADATA, 0o755, '{"cliPluginsextraDirs": ["/x"]}', "compose version"),
    ],
    ids=[
        "a plugin", "other settings", "podman's script", "a link elsewhere",
        "compose v1 linked there", "a later schema", "nobody's", "not executable",
        "plugins elsewhere",
    ],
)  # fmt: skip
@as_root
def test_a_plugin_tells_its_version_where_docker_would_start_it(
    tmp_path: Path, docker: bytes | Path | str, metadata: str, mode: int, settings: str, told: str
) -> None:
    """By an `echo` in docker's place, which is a program of its own and repeats what it is told."""
    program = tmp_path / "bin" / "docker"
    plugin, later = (
        tmp_path / place / "cli-plugins" / "docker-compose"
        for place in ("home/.docker", "lib/docker")
    )
    for path in (program, plugin, later):
        path.parent.mkdir(parents=True)
    if isinstance(docker, str):
        program.symlink_to(docker)
    else:
        program.write_bytes(docker if isinstance(docker, bytes) else docker.read_bytes())
        program.chmod(0o755)
    for path, words in ((plugin, metadata), (later, METADATA.replace("2.33.1", "9.9.9"))):
        path.write_text(f"#!/bin/sh\ntest $1 = docker-cli-plugin-metadata && echo '{words}'\n")
        path.chmod(0o755 if path == later else mode)
    if settings:
        (tmp_path / "home" / ".docker" / "config.json").write_text(settings)
    mounts = {
        "/usr/local/sbin": tmp_path / "bin",
        "/usr/local/lib": tmp_path / "lib",
        "/root": tmp_path / "home",
    }
    with Conversation("/usr/bin/python3", mounts=mounts) as conversation:
        answer = conversation(ComposeVersion())
    assert answer.out.startswith(told)
    assert answer.code == 0


# -- certificates and keys ------------------------------------------------------------------------


class Authority:
    """A certificate authority with an intermediate, made for one test session."""

    def __init__(self, name: str, directory: Path) -> None:
        self.directory = directory
        self.key, self.certificate = self._made(f"{name} root", None)
        self.issuer_key, self.issuer = self._made(f"{name} issuer", (self.key, self.certificate))
        self.leaf_key, self.leaf = self._made(
            "sesam.test", (self.issuer_key, self.issuer), leaf=True
        )
        self.root = directory / "root.pem"
        self.root.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        self.chain = directory / "chain.pem"
        self.chain.write_bytes(
            self.private_key()
            + self.leaf.public_bytes(Encoding.PEM)
            + self.issuer.public_bytes(Encoding.PEM)
        )

    def private_key(self, password: bytes = b"") -> bytes:
        protection = BestAvailableEncryption(password) if password else NoEncryption()
        return self.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)

    @staticmethod
    def _made(
        name: str,
        issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None,
        *,
        leaf: bool = False,
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer[1].subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=not leaf, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("Test", tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("Other", tmp_path_factory.mktemp("stranger"))


def test_certificates_come_without_the_key_beside_them(
    asked: Conversation, authority: Authority
) -> None:
    inside = authority.private_key().decode().splitlines()[1]
    both, alone = asked.all(
        Certificates(str(authority.chain)), Certificates(str(authority.root)), without=[inside]
    )
    assert (len(both.pems), both.private) == (2, True)
    assert (len(alone.pems), alone.private) == (1, False)
    assert x509.load_pem_x509_certificate(both.pems[0].encode()) == authority.leaf


def test_a_key_inside_a_broken_certificate_stays(
    asked: Conversation, authority: Authority, tmp_path: Path
) -> None:
    key = authority.private_key().decode()
    (tmp_path / "pem").write_text(
        f"-----BEGIN CERTIFICATE-----\n{key}\n-----END CERTIFICATE-----\n", "utf-8"
    )
    answer = asked(Certificates(f"{tmp_path}/pem"), without=[key.splitlines()[1]])
    assert (answer.pems, answer.private) == ((), True)


def test_a_key_tells_its_public_half(
    asked: Conversation, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "locked").write_bytes(authority.private_key(b"password"))
    public, locked, missing, none = asked.all(
        PrivateKey(str(authority.chain)),
        PrivateKey(f"{tmp_path}/locked"),
        PrivateKey(f"{tmp_path}/nothing"),
        PrivateKey(str(authority.root)),
        without=[authority.private_key().decode().splitlines()[1]],
    )
    assert public.public.encode() == authority.leaf.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    for answer in (locked, none):
        assert (answer.error, answer.public) == (None, "")
        assert answer.message
    assert missing.missing


# -- people and programs --------------------------------------------------------------------------


def test_accounts_by_name_and_number(asked: Conversation) -> None:
    by_name, by_number, missing, nobody = asked.all(
        Account("root"), Account("0"), Account("no-such-user"), Account("54321")
    )
    assert (by_name.uid, by_name.gid, by_name.group, by_name.home) == (0, 0, "root", "/root")
    assert by_name.own_group == 0
    assert by_number.name == "root"
    assert missing.missing
    assert nobody.missing


def test_the_account_without_a_name_is_who_logged_in(asked: Conversation) -> None:
    me, named = asked.all(Self(), Account())

    assert named.name == (me.login or me.user)


def test_programs_start_with_a_clean_environment(asked: Conversation) -> None:
    answer = asked(Run(("env",)))
    assert sorted(line.split("=")[0] for line in answer.out.splitlines()) == [
        "HOME",
        "LC_ALL",
        "PATH",
    ]
    assert asked(Run(("cat",))).out == ""
    assert asked(Run(("sh", "-c", "ps -o sid= -p $$; echo $$"))).out.split()[0].isdigit()


def test_a_program_that_is_not_there(asked: Conversation) -> None:
    absent, path, cannot = asked.all(
        Run(("no-such-program",)), Run(("/no/such",)), Run(("/etc/passwd",))
    )
    assert [absent.error, path.error, cannot.error] == ["ENOENT"] * 3


def test_a_daemon_left_behind_does_not_hold_the_answer_up(asked: Conversation) -> None:
    word = f"96{os.getpid()}"
    began = time.monotonic()
    answer = asked(Run(("sh", "-c", f"echo done; sleep {word} &")))
    assert (answer.code, answer.out) == (0, "done\n")
    assert time.monotonic() - began < 2
    assert wait_for(lambda: not running(word), 1)


@as_root
def test_a_program_as_another_user(asked: Conversation) -> None:
    own, other, none = asked.all(
        Run(("grep", "^Uid", "/proc/self/status"), user="root"),
        Run(("sh", "-c", "grep ^Uid /proc/self/status; echo $HOME"), user="nobody"),
        Run(("true",), user="no-such-user"),
    )
    assert own.out.split() == ["Uid:", *4 * ["0"]]
    assert other.out.split() == ["Uid:", *4 * [f"{NOBODY}"], str(Path("~nobody").expanduser())]
    assert none.error == "EINVAL"


def test_only_root_runs_as_another_user(nobody: Conversation) -> None:
    other, own = nobody.all(Run(("true",), user="root"), Run(("true",), user="nobody"))
    assert other.error == "EPERM"
    assert (own.error, own.code) == (None, 0)


def test_who_listens(asked: Conversation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        pairs = [(socket.AF_INET6, "::1")] if socket.has_dualstack_ipv6() else []
        with contextlib.ExitStack() as stack:
            for family, address in pairs:
                stack.enter_context(socket.create_server((address, port), family=family))
            found = asked(Listeners((port,))).listeners
        assert {(each.address, each.pid) for each in found} == {
            (address, os.getpid()) for address in ("127.0.0.1", *(pair[1] for pair in pairs))
        }
        assert {each.command for each in found} == {
            Path("/proc/self/comm").read_text("ascii").strip()
        }
    assert asked(Listeners((port,))).listeners == ()


# -- servers --------------------------------------------------------------------------------------


class Server:
    """A TCP server on this machine that treats each connection in one way."""

    def __init__(self, serve: Serve, bound: socket.socket | None = None) -> None:
        self._serve = serve
        self._server = bound or socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._server.getsockname()[1]
        return port

    def _accept(self) -> None:
        while True:
            try:
                link = self._server.accept()[0]
            except OSError:
                return
            self._open.append(link)
            threading.Thread(target=self._one, args=(link,), daemon=True).start()

    def _one(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), link:
            self._serve(link)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for link in self._open:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()


Start = Callable[[Serve], int]


@pytest.fixture
def serving() -> Iterator[Start]:
    """Start a server, get its port."""
    servers: list[Server] = []

    def start(serve: Serve) -> int:
        servers.append(Server(serve))
        return servers[-1].port

    yield start
    for server in servers:
        server.close()


def request_on(link: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n\r\n") and (part := link.recv(4096)):
        data += part
    return data


PAGE = b"HTTP/1.1 200 OK\r\nServer: test\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\npage"


def answering(response: bytes = PAGE) -> Serve:
    def serve(link: socket.socket) -> None:
        request_on(link)
        link.sendall(response)

    return serve


def over_tls(authority: Authority, then: Serve) -> Serve:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain)

    def serve(link: socket.socket) -> None:
        with context.wrap_socket(link, server_side=True) as secured:
            then(secured)

    return serve


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port whose backlog is full: it takes no connection and refuses none."""
    with socket.socket() as server, contextlib.ExitStack() as fillers:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        time.sleep(0.05)
        yield server.getsockname()[1]


dial = partial(Dial, "sesam.test", address="127.0.0.1")


def leaf_of(answer: DialAnswer) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(answer.chain[0]))


# -- dials ----------------------------------------------------------------------------------------


@on_every_python
def test_a_dial_through_all_layers(python: str, serving: Start, authority: Authority) -> None:
    """The private authority is not trusted, which is said; the chain and the page come anyway."""
    port = serving(over_tls(authority, answering()))
    with Conversation(python) as conversation:
        answer, me = conversation.all(dial(port), Self())
    assert (answer.error, answer.layer, answer.status, answer.body) == (None, "done", 200, "page")
    assert answer.headers == {"server": "test", "x-a": "1, 2", "content-length": "4"}
    assert answer.addresses == ("127.0.0.1",)
    assert [(each.result, each.source) for each in answer.attempts] == [("open", "127.0.0.1")]
    assert answer.tls_version.startswith("TLSv1.")
    assert (answer.trusted, answer.public) == (False, None)
    assert answer.trust_error
    assert leaf_of(answer) == authority.leaf
    assert answer.whole_chain == (me.python >= (3, 10))
    assert len(answer.chain) == (2 if answer.whole_chain else 1)
    assert abs(answer.time - time.time()) < 60


@as_root
@on_every_python
def test_the_host_s_store_decides_trust(
    python: str, serving: Start, authority: Authority, stranger: Authority
) -> None:
    """In a mount namespace whose bundle holds one of two authorities."""
    bundle = next((path for path in BUNDLES if Path(path).is_file()), None)
    if bundle is None:
        pytest.skip("no bundle to lay another over")
    ports = [serving(over_tls(each, answering())) for each in (authority, stranger)]
    with Conversation(python, mounts={bundle: authority.root}) as conversation:
        good, bad = conversation.all(*map(dial, ports))
    assert (good.trusted, good.trust_error, good.store) == (True, "", bundle)
    assert (bad.trusted, bad.store, bad.layer) == (False, bundle, "done")
    assert leaf_of(bad) == stranger.leaf


def test_public_roots_sent_along_decide_too(
    serving: Start, authority: Authority, stranger: Authority
) -> None:
    ports = [serving(over_tls(each, answering())) for each in (authority, stranger)]
    with Conversation() as conversation:
        (without,) = conversation.all(dial(ports[0], public=True))
        count, good, bad = conversation.all(
            Roots("Főtanúsítvány\n" + authority.root.read_text("utf-8")),
            *(dial(port, public=True) for port in ports),
        )
        (later,) = conversation.all(dial(ports[0], public=True))
    assert (without.public, count.count, good.public, bad.public) == (None, 1, True, False)
    assert later.public
    assert (good.layer, bad.layer) == ("done", "done")


def test_a_refused_connection(asked: Conversation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = asked(dial(port))
    assert (answer.layer, answer.error) == ("tcp", "ECONNREFUSED")
    assert answer.attempts[0].result == "ECONNREFUSED"
    assert abs(answer.time - time.time()) < 60


def test_a_name_that_does_not_exist(asked: Conversation) -> None:
    answer, impossible = asked.all(Dial("no-such-name.invalid"), Dial("a..b"))
    assert answer.layer == "dns"
    assert answer.error in ("NXDOMAIN", "SERVFAIL")  # as the resolver here has it
    assert (impossible.layer, impossible.error) == ("dns", "NXDOMAIN")


def test_sixteen_black_holes_cost_the_deadline_once(
    asked: Conversation, black_hole: int, serving: Start
) -> None:
    port = serving(answering())
    began = time.monotonic()
    *lost, fine = asked.all(
        *(dial(black_hole, accept=f"x/{number}") for number in range(16)),
        dial(port, tls=False),
        deadline=1.5,
    )
    assert time.monotonic() - began < 2.5
    assert {(answer.layer, answer.error) for answer in lost} == {("tcp", "TIMEOUT")}
    assert {answer.attempts[0].result for answer in lost} == {"TIMEOUT"}
    assert fine.layer == "done"


def test_a_dial_has_its_own_limit(asked: Conversation, black_hole: int) -> None:
    began = time.monotonic()
    assert asked(dial(black_hole, seconds_limit=0.3), deadline=20).error == "TIMEOUT"
    assert time.monotonic() - began < 2


def test_both_families_are_tried(asked: Conversation, serving: Start) -> None:
    """Nobody listens on ::1, so that it is refused before 127.0.0.1 answers, or not known here."""
    answer = asked(Dial("localhost", serving(answering()), tls=False))
    results = {each.address: each.result for each in answer.attempts}
    assert answer.layer == "done"
    assert results.pop("127.0.0.1") == "open"
    assert set(results) <= {"::1"}


@pytest.mark.parametrize(
    ("serve", "errors"),
    [
        (lambda link: link.recv(4096), {"TLS", "ECONNRESET"}),
        (lambda link: link.sendall(b"220 garbage\r\n" * 99), {"TLS", "ECONNRESET"}),
        (lambda link: link.recv(10), {"TLS", "ECONNRESET"}),
        (lambda link: (link.recv(9999), link.sendall(PAGE)), {"TLS", "ECONNRESET"}),
    ],
    ids=["stops", "garbage", "resets", "plain"],
)
def test_a_server_that_is_no_tls_server(
    asked: Conversation, serving: Start, serve: Serve, errors: set[str]
) -> None:
    """An ssl error is never an errno: 1 would read EPERM, needs root."""
    answer = asked(dial(serving(serve)))
    assert (answer.layer, answer.trusted) == ("tls", None)
    assert answer.error in errors
    assert answer.detail
    assert answer.attempts[0].result == "open"


def test_a_server_that_hangs_in_the_handshake(asked: Conversation, serving: Start) -> None:
    answer = asked(dial(serving(lambda _: time.sleep(9))), deadline=0.6)
    assert (answer.layer, answer.error) == ("tls", "TIMEOUT")
    assert answer.attempts[0].result == "open"


SAID: list[tuple[bytes, str | None, int, str]] = [
    (b"HTTP/1.1 200 OK\r\n\r\nto the end", None, 200, "to the end"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", None, 200, "short"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nchunk\r\n", None, 200, "chunk"),
    (b"HTTP/1.1 302 Found\r\nLocation: http://u:p4ss@x/\r\n\r\n", None, 302, ""),
    (b"HTTP/1.1 204 None\r\n\r\n", None, 204, ""),
    (b"", "HTTP", 0, ""),
    (b"SSH-2.0-OpenSSH\r\n", "HTTP", 0, ""),
]


@on_every_python
def test_what_servers_say(python: str, serving: Start, authority: Authority) -> None:
    """Each closes without TLS's close_notify: an end, and no fault of TLS."""
    ports = [serving(over_tls(authority, answering(said[0]))) for said in SAID]
    with Conversation(python) as conversation:
        answers = conversation.all(*map(dial, ports), without=["p4ss"])
    for answer, (_, error, status, body) in zip(answers, SAID, strict=True):
        assert (answer.error, answer.status, answer.body) == (error, status, body)
        assert answer.layer == ("http" if error else "done")


def test_rights_that_a_server_hands_out_stay_here(asked: Conversation, serving: Start) -> None:
    said = (
        b"HTTP/1.1 307 There\r\nLocation: https://cdn/x?signature=s3cret\r\n"
        b"Set-Cookie: session=s3cret\r\n\r\n"
        b'{"token": "s3cret", "access_token":"s3cret", "expires_in": 300}'
    )
    answer = asked(dial(serving(answering(said)), tls=False), without=["s3cret"])
    assert answer.headers == {"location": "https://cdn/x"}
    assert '"expires_in": 300' in answer.body


def test_a_huge_answer_is_cut(asked: Conversation, serving: Start) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"v" * 900) for n in range(60))
    answer = asked(dial(serving(answering(head + b"\r\n" + b"x" * 10**7)), tls=False))
    assert (answer.layer, answer.body) == ("done", "x" * 4096)
    assert answer.headers is not None
    assert len(answer.headers) == 40
    assert max(map(len, answer.headers.values())) == 500


def test_endless_headers_are_an_end(asked: Conversation, serving: Start) -> None:
    def serve(link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            link.sendall(b"X: y\r\n" * 100)

    answer = asked(dial(serving(serve), tls=False), deadline=3)
    assert (answer.layer, answer.error) == ("http", "HTTP")


def test_tokens_cookies_and_signatures_stay_on_the_target(
    asked: Conversation, serving: Start
) -> None:
    page = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: id=hunter2\r\n"
        b"Location: https://cdn.example/blob?signature=hunter2\r\n\r\n"
        b'{"token": "hunter2", "access_token":"hunter2", "expires_in": 300, "refresh_token":"hunt'
    )
    answer = asked(dial(serving(answering(page)), tls=False))

    assert answer.headers == {"location": "https://cdn.example/blob"}
    assert answer.body == (
        '{"token": "...", "access_token":"...", "expires_in": 300, "refresh_token":"...'
    )


def test_a_slow_body_keeps_what_came_before(
    asked: Conversation, serving: Start, authority: Authority
) -> None:
    def serve(link: socket.socket) -> None:
        request_on(link)
        link.sendall(b"HTTP/1.1 200 OK\r\nServer: slow\r\nContent-Length: 99\r\n\r\n")
        while True:
            link.sendall(b".")
            time.sleep(0.1)

    began = time.monotonic()
    answer = asked(dial(serving(over_tls(authority, serve))), deadline=1)
    assert time.monotonic() - began < 1.5
    assert (answer.layer, answer.error, answer.status) == ("http", "TIMEOUT", 200)
    assert answer.headers == {"server": "slow", "content-length": "99"}
    assert set(answer.body) == {"."}
    assert leaf_of(answer) == authority.leaf


def test_a_dial_may_stop_after_tcp_or_tls(
    asked: Conversation, serving: Start, authority: Authority
) -> None:
    plain, secured = asked.all(
        dial(serving(answering()), tls=False, path=""),
        dial(serving(over_tls(authority, answering())), path=""),
    )
    assert (plain.layer, plain.status, plain.tls_version) == ("done", 0, "")
    assert (secured.layer, secured.status) == ("done", 0)
    assert leaf_of(secured) == authority.leaf


def test_what_the_request_says(asked: Conversation, serving: Start) -> None:
    seen: list[bytes] = []

    def serve(link: socket.socket) -> None:
        seen.append(request_on(link))
        link.sendall(PAGE)

    port = serving(serve)
    asked(dial(port, "/a?b=c", tls=False, accept="text/html"), secrets={"proxy": "me:hunter2"})
    assert seen[0].decode().split("\r\n") == [
        "GET /a?b=c HTTP/1.1",
        f"Host: sesam.test:{port}",
        "User-Agent: sesam-audit",
        "Accept: text/html",
        "Connection: close",
        "",
        "",
    ]


def proxied(port: int, seen: list[bytes], login: str = "") -> Serve:
    """A proxy that leads everywhere to one port, perhaps only for those who log in."""

    def serve(link: socket.socket) -> None:
        seen.append(request_on(link))
        if login and base64.b64encode(login.encode()) not in seen[-1]:
            link.sendall(
                b"HTTP/1.1 407 Log In\r\nProxy-Authenticate: Basic realm=x\r\n"
                b"Content-Length: 0\r\n\r\n"
            )
            return
        link.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as onward:
            back = threading.Thread(target=pump, args=(onward, link), daemon=True)
            back.start()
            pump(link, onward)
            back.join(5)

    return serve


def pump(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


def test_a_dial_through_a_proxy(asked: Conversation, serving: Start, authority: Authority) -> None:
    """The name is the proxy's to resolve, and the login never comes back."""
    seen: list[bytes] = []
    proxy = serving(proxied(serving(over_tls(authority, answering())), seen, "me:hunter2"))
    ask = Dial("sesam.test", 443, proxy=f"127.0.0.1:{proxy}")
    secrets = {"proxy": "me:hunter2"}
    login = base64.b64encode(b"me:hunter2").decode()
    answer = asked(ask, secrets=secrets, without=["hunter2", login])
    assert (answer.layer, answer.proxy_status, answer.status) == ("done", 200, 200)
    assert answer.addresses == ()
    assert leaf_of(answer) == authority.leaf
    assert seen[0].startswith(b"CONNECT sesam.test:443 HTTP/1.1\r\nHost: sesam.test:443\r\n")
    refused = asked(ask)
    assert (refused.layer, refused.error, refused.proxy_status) == ("proxy", "HTTP", 407)
    assert refused.proxy_authenticate == "Basic realm=x"
    assert refused.detail == "407 Log In"


def test_a_proxy_that_is_not_the_profiles_gets_no_login(
    asked: Conversation, serving: Start, authority: Authority
) -> None:
    seen: list[bytes] = []
    proxy = serving(proxied(serving(over_tls(authority, answering())), seen, "me:hunter2"))
    ask = Dial("sesam.test", 443, proxy=f"127.0.0.1:{proxy}", anonymous=True)
    answer = asked(ask, secrets={"proxy": "me:hunter2"})
    assert (answer.layer, answer.proxy_status) == ("proxy", 407)
    assert b"Authorization" not in seen[0]


def test_a_proxy_that_is_not_there(asked: Conversation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = asked(Dial("sesam.test", proxy=f"127.0.0.1:{port}"))
    assert (answer.layer, answer.error) == ("tcp", "ECONNREFUSED")


def test_proxies_of_the_environment_are_not_taken(asked: Conversation, serving: Start) -> None:
    """The program that starts the probe may have any; dials go straight."""
    before = dict(os.environ)
    os.environ["http_proxy"] = os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"
    try:
        with Conversation() as conversation:
            assert conversation(dial(serving(answering()), tls=False)).layer == "done"
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert asked(Self()).uid == os.geteuid()


# -- the docker daemon and DNS: in namespaces of their own ----------------------------------------


@as_root
def test_the_docker_daemon_s_answers_are_picked_over(tmp_path: Path) -> None:
    bodies = {
        b"/one": b'{"State": {"Status": "up", "Health": {"Log": ["hunter2"]}}, "State.Pid": 1}',
        b"/info": b'{"NCPU": 4, "Name": "x", "HttpProxy": "http://u:hunter2@p"}',
        b"/list": b'[{"Config": {"Env": ["P=hunter2", "DOCKER_API_VERSION=1.44"]}}, {"Id": "2"}]',
        b"/none": b'{"message": "no such thing"}',
        b"/text": b"OK",
    }

    def serve(link: socket.socket) -> None:
        path = request_on(link).split()[1]
        body = bodies.get(path, b"[]")  # there is no room of an earlier audit
        status = b"404 Not Found" if path == b"/none" else b"200 OK"
        link.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)))
        link.sendall(body)

    bound = socket.socket(socket.AF_UNIX)
    bound.bind(f"{tmp_path}/docker.sock")
    bound.listen()
    server = Server(serve, bound)
    with Conversation(mounts={"/run": tmp_path}) as conversation:
        one, info, everything, listed, none, text = conversation.all(
            DockerApi("/one", ("State.Status", "State.Health.Status", "Status.State", "Id.X")),
            DockerApi("/info", ("NCPU", "HttpProxy", "Missing")),
            DockerApi("/info", ()),
            DockerApi("/list", ("Config",)),
            DockerApi("/none", ("Id",)),
            DockerApi("/text", ()),
            without=["hunter2"],
        )
        server.close()
        assert conversation(DockerApi("/info", ())).error == "ECONNREFUSED"
    assert (info.status, info.value) == (200, {"NCPU": 4, "HttpProxy": "http://p"})
    assert one.value == {"State.Status": "up"}
    assert everything.value["Name"] == "x"
    assert listed.value == [{"Config": {"Env": ["P", "DOCKER_API_VERSION=1.44"]}}, {}]
    assert (none.status, none.value) == (404, {"message": "no such thing"})
    assert (text.status, text.value, text.error) == (200, None, None)


@as_root
def test_no_docker_socket(tmp_path: Path) -> None:
    with Conversation(mounts={"/run": tmp_path}) as conversation:
        assert conversation(DockerApi("/info", ())).missing


def name_of(text: str) -> bytes:
    parts = text.split(".")
    return b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\0"


def record(kind: int, data: bytes, owner: bytes = b"\xc0\x0c") -> bytes:
    return owner + struct.pack(">2HIH", kind, 1, 60, len(data)) + data


ZONE: dict[tuple[str, int], tuple[int, list[bytes]]] = {
    ("good.test", 1): (0, [record(1, bytes([192, 0, 2, 1])), record(1, bytes([192, 0, 2, 2]))]),
    ("good.test", 28): (0, []),
    ("alias.test", 1): (0, [record(5, name_of("good.test")), record(1, bytes([192, 0, 2, 3]))]),
    ("good.test", 257): (0, [record(257, b"\x00\x05issueletsencrypt.org")]),
    ("six.test", 28): (0, [record(28, socket.inet_pton(socket.AF_INET6, "2001:db8::1"))]),
    ("none.test", 1): (3, []),
    ("broken.test", 1): (2, []),
    ("refused.test", 1): (5, []),
    ("short.test", 1): (0, [record(1, b"\x01")[:-1]]),
    ("loop.test", 1): (0, [record(1, bytes(4), b"\x3f" * 70)]),
    ("odd.test", 1): (0, [record(1, b"\x01\x02")]),
}


def dns_reply(query: bytes, *, by_stream: bool = False) -> bytes | None:
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    name, kind = ".".join(labels).lower(), struct.unpack_from(">H", query, at + 1)[0]
    if name == "silent.test":
        return None
    if name == "big.test" and not by_stream:
        return query[:2] + struct.pack(">5H", 0x8380, 1, 0, 0, 0) + query[12:]
    if name == "big.test":
        code, records = 0, [record(1, bytes([192, 0, 2, n])) for n in range(60)]
    else:
        code, records = ZONE[name, kind]
    return (
        query[:2]
        + struct.pack(">5H", 0x8180 | code, 1, len(records), 0, 0)
        + query[12:]
        + b"".join(records)
    )


@pytest.fixture
def resolver(tmp_path: Path) -> Iterator[Conversation]:
    """A probe that sees its own /etc/resolv.conf, with a dead resolver and a real one in it."""
    if os.geteuid() != 0 or not Path("/etc/resolv.conf").is_file():
        pytest.skip("needs root and a resolv.conf to lay another over")
    servers = "nameserver 127.0.53.54\nnameserver 127.0.53.53\n"
    (tmp_path / "resolv.conf").write_text(servers, "utf-8")
    stream = socket.create_server(("127.0.53.53", 53))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.53.53", 53))

    def answer() -> None:
        while True:
            try:
                query, place = datagrams.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            if reply := dns_reply(query):
                datagrams.sendto(b"xx" + reply[2:], place)  # a forgery, to be passed over
                datagrams.sendto(reply, place)

    def serve(link: socket.socket) -> None:
        (size,) = struct.unpack(">H", link.recv(2))
        reply = dns_reply(link.recv(size), by_stream=True) or b""
        link.sendall(struct.pack(">H", len(reply)) + reply)

    thread = threading.Thread(target=answer)
    thread.start()
    server = Server(serve, stream)
    with Conversation(mounts={"/etc/resolv.conf": tmp_path / "resolv.conf"}) as conversation:
        yield conversation
    server.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", ("127.0.53.53", 53))
    thread.join(5)
    datagrams.close()


def test_names_are_looked_up_past_the_hosts_file(resolver: Conversation) -> None:
    questions: dict[tuple[str, str], object] = {
        ("good.test", "A"): ("192.0.2.1", "192.0.2.2"),
        ("GOOD.test.", "A"): ("192.0.2.1", "192.0.2.2"),
        ("good.test", "AAAA"): (),
        ("good.test", "CAA"): ("0 issue letsencrypt.org",),
        ("six.test", "AAAA"): ("2001:db8::1",),
        ("alias.test", "A"): ("192.0.2.3",),
        ("big.test", "A"): tuple(f"192.0.2.{n}" for n in range(60)),
        ("none.test", "A"): "NXDOMAIN",
        ("broken.test", "A"): "SERVFAIL",
        ("refused.test", "A"): "REFUSED",
        ("short.test", "A"): "SERVFAIL",
        ("loop.test", "A"): "SERVFAIL",
        ("odd.test", "A"): "SERVFAIL",
        ("silent.test", "A"): "TIMEOUT",
    }
    asks = [Lookup(name, kind, seconds_limit=1) for name, kind in questions]
    answers = resolver.all(*asks)
    assert {
        (ask.name, ask.type): answer.error or answer.records
        for ask, answer in zip(asks, answers, strict=True)
    } == questions
    assert answers[0].server == "127.0.53.53"


def test_a_resolver_that_says_nothing_costs_its_own_answer(resolver: Conversation) -> None:
    """Nothing interrupts a resolver call: the round ends without it, and so does the probe."""
    began = time.monotonic()
    lost, space = resolver.all(Dial("silent.test"), Space("/"), deadline=0.5)
    assert (lost.layer, lost.error) == ("dns", "TIMEOUT")
    assert space.total > 0
    resolver.stdin.close()
    assert resolver.process.wait(2) == 0
    assert time.monotonic() - began < 1.5


@as_root
def test_an_empty_store_trusts_nobody(tmp_path: Path, serving: Start, authority: Authority) -> None:
    bundle = next((path for path in BUNDLES if Path(path).is_file()), None)
    if bundle is None:
        pytest.skip("no bundle to lay another over")
    (tmp_path / "empty").touch()
    with Conversation(mounts={bundle: tmp_path / "empty"}) as conversation:
        answer = conversation(dial(serving(over_tls(authority, answering()))))
    assert (answer.layer, answer.trusted, answer.store) == ("done", False, bundle)


@as_root
def test_a_machine_without_resolvers(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("# none\n", "utf-8")
    with Conversation(mounts={"/etc/resolv.conf": tmp_path / "resolv.conf"}) as conversation:
        assert conversation(Lookup("good.test", "A")).error == "NOSERVER"
