"""An old store moves with every byte, by whatever way, interrupted or not; finish removes it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.plan import Action

from .talking import Agent, Answer, agent

Tree = dict[str, Any]
ODD = os.fsdecode(b"odd-\xff-name")


def move(way: str, source: str = "/old/store", target: str = "/srv/data/store") -> Action:
    after = {"source": source, "target": target, "way": way}
    return Action(id="01-move-store", kind="move-store", title="Move the store", after=after)


def filled(store: Path) -> None:
    """Every kind of file that a store can hold."""
    store.mkdir(parents=True)
    (store / "license.key").write_text("-----BEGIN SESAM LICENSE-----\n")
    deep = store / "a" / "b" / ODD
    deep.mkdir(parents=True, mode=0o750)
    (deep / "datum").write_bytes(os.urandom(300_000))
    os.link(deep / "datum", store / "linked")
    (store / "soft").symlink_to("a/b")
    (store / "dangling").symlink_to("/nowhere")
    with (store / "holes").open("wb") as file:
        file.seek(5_000_000)
        file.write(b"end")
    os.mkfifo(store / "pipe", 0o640)
    os.setxattr(store / "license.key", "user.sesam", b"kept")
    (store / "empty").mkdir(mode=0o700)
    os.utime(store / "license.key", ns=(1_600_000_000_123_456_789,) * 2)
    for path in (store / "a", store / "license.key"):
        os.chown(path, 1234, 1235)
    os.utime(store / "a", ns=(1_500_000_000_000_000_001,) * 2)


def tree(root: Path) -> Tree:
    """Everything below a directory that a move must keep."""
    found: Tree = {}
    first: dict[int, str] = {}
    for path in sorted(root.rglob("*")):
        name, status = str(path.relative_to(root)), path.lstat()
        kept: list[object] = [stat.filemode(status.st_mode), status.st_uid, status.st_gid]
        kept.append(status.st_mtime_ns)
        if path.is_symlink():
            kept.append(str(path.readlink()))
        elif path.is_file():
            kept += [hashlib.sha256(path.read_bytes()).hexdigest(), status.st_nlink]
            kept += [first.setdefault(status.st_ino, name)]
            kept += [(x, os.getxattr(path, x)) for x in os.listxattr(path)]
        found[name] = tuple(kept)
    return found


def finished(talk: Agent) -> Answer:
    started = talk.ask("finish")
    return talk.follow(started["run"], started["from"])[-1]


@pytest.fixture
def store(root: Path) -> Path:
    filled(root / "old/store")
    (root / "srv/data/store").mkdir(parents=True, mode=0o755)
    os.chown(root / "srv/data/store", 77, 78)
    return root / "old/store"


@pytest.fixture
def elsewhere(root: Path, store: Path) -> Iterator[Path]:  # noqa: ARG001 - it comes first
    """The new place lies on a file system of its own."""
    image = root.parent / "disk.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(("mkfs.ext4", "-q", "-F", str(image)), check=True)
    point = root / "srv/data"
    subprocess.run(("mount", "-o", "loop", str(image), str(point)), check=True)
    try:
        (point / "store").mkdir(mode=0o755)
        os.chown(point / "store", 77, 78)
        yield point / "store"
    finally:
        subprocess.run(("umount", str(point)), check=True)


def test_renamed_and_taken_back(talk: Agent, root: Path, store: Path) -> None:
    before, inode = tree(root / "old"), store.stat().st_ino
    target = root / "srv/data/store"

    assert talk.carry_out(talk.plan(move("rename")))["outcome"] == "done"

    assert target.stat().st_ino == inode
    assert not store.exists()
    assert talk.plan(move("rename"), run="another")["actions"] == []
    assert len(talk.undo()["undone"]) == 1
    assert tree(root / "old") == before
    assert (target.stat().st_uid, list(target.iterdir())) == (77, [])


def test_copied_proved_and_finished(talk: Agent, root: Path, store: Path, elsewhere: Path) -> None:
    before = tree(store)

    assert talk.carry_out(talk.plan(move("copy")))["outcome"] == "done"

    assert tree(elsewhere) == before
    assert not store.exists()
    (kept,) = (root / "old").iterdir()
    assert kept.name == "store.sesam-audit-20261122-abcd.moved"
    assert tree(kept) == before
    assert elsewhere.joinpath("holes").stat().st_blocks < 100
    words = talk.ask("finish", dry=True)["actions"][0]["words"]
    assert str(kept)[len(str(root)) :] in words
    (kept / "later").write_text("somebody's")
    assert finished(talk)["outcome"] == "done"
    assert [path.name for path in kept.iterdir()] == ["later"]
    assert tree(elsewhere) == before


def test_a_copy_is_taken_back(talk: Agent, root: Path, elsewhere: Path) -> None:
    before = tree(root / "old")
    talk.carry_out(talk.plan(move("copy")))

    assert len(talk.undo()["undone"]) == 1

    assert tree(root / "old") == before
    assert [path.name for path in elsewhere.parent.iterdir()] in (
        ["lost+found", "store"],
        ["store", "lost+found"],
    )
    assert list(elsewhere.iterdir()) == []


@pytest.mark.usefixtures("store")
def test_newer_data_are_never_taken_back(talk: Agent, root: Path) -> None:
    talk.carry_out(talk.plan(move("copy")))
    (root / "srv/data/store/new").write_text("written by the new stack")

    (left,) = talk.undo()["left"]

    assert "newer data" in left["words"]
    assert (root / "srv/data/store/new").exists()
    assert [path.name for path in (root / "old").iterdir()] == [
        "store.sesam-audit-20261122-abcd.moved"
    ]


@pytest.mark.usefixtures("store")
def test_a_target_with_something_in_it_is_no_plan(talk: Agent, root: Path) -> None:
    (root / "srv/data/store/license.key").write_text("x")

    with pytest.raises(AssertionError, match="is there already and not empty"):
        talk.plan(move("rename"))


@pytest.mark.usefixtures("store")
def test_something_that_came_into_the_target_stays(talk: Agent, root: Path) -> None:
    before, plan = tree(root / "old"), talk.plan(move("rename"))
    (root / "srv/data/store/license.key").write_text("x")

    result = talk.carry_out(plan)

    assert (result["outcome"], "entries was 0, is 1" in result["words"]) == ("changed", True)
    assert tree(root / "old") == before
    assert (root / "srv/data/store/license.key").read_text() == "x"


@pytest.mark.parametrize("way", ["rename", "copy"])
def test_an_open_file_is_refused(talk: Agent, store: Path, way: str) -> None:
    plan = talk.plan(move(way))
    with (store / "a/b" / ODD / "datum").open("rb"):
        result = talk.carry_out(plan)

    assert "files below /old/store open" in result["words"]
    assert store.exists()


@pytest.mark.usefixtures("elsewhere")
def test_no_room(talk: Agent, store: Path) -> None:
    """Told while the node still runs; and again where the store grew meanwhile."""
    plan = talk.plan(move("copy"))
    (store / "big").write_bytes(os.urandom(60 << 20))

    with pytest.raises(AssertionError, match="MB are missing"):
        talk.plan(move("copy"))
    result = talk.carry_out(plan)

    assert "MB are missing" in result["words"]
    assert (store / "big").stat().st_size == 60 << 20


@pytest.mark.usefixtures("elsewhere")
def test_what_a_copy_takes_is_foreseen(talk: Agent, store: Path) -> None:
    (store / "big").write_bytes(os.urandom(20 << 20))
    (action,) = talk.plan(move("copy"))["actions"]

    assert 20 << 20 < action["before"]["bytes"] < 24 << 20
    assert "bytes" not in talk.plan(move("rename"))["actions"][0]["before"]


def test_what_an_interrupted_copy_brought_counts_as_room(
    talk: Agent, store: Path, elsewhere: Path
) -> None:
    (store / "big").write_bytes(os.urandom(35 << 20))
    part = elsewhere.with_name("store.sesam-audit-20261122-dead.part")
    part.mkdir()
    shutil.copy2(store / "big", part / "big")

    assert talk.plan(move("copy"))["actions"]


@pytest.mark.parametrize("way", ["rename", "copy"])
@pytest.mark.parametrize("below", [".", "a/b"])
def test_a_mount_is_seen_before_anything_is_stopped(
    talk: Agent, store: Path, way: str, below: str
) -> None:
    subprocess.run(("mount", "-t", "tmpfs", "tmpfs", str(store / below)), check=True)
    try:
        with pytest.raises(AssertionError, match=r"is a mount, it does not move along"):
            talk.plan(move(way))
    finally:
        subprocess.run(("umount", str(store / below)), check=True)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_store_that_is_no_directory_is_seen_before_anything_is_stopped(
    talk: Agent, root: Path, kind: str
) -> None:
    (root / "old").mkdir()
    if kind == "file":
        (root / "old/store").write_text("x")
    else:
        (root / "old/store").symlink_to("elsewhere")

    with pytest.raises(AssertionError, match="is no directory"):
        talk.plan(move("rename"))


def test_a_flipped_byte_is_found_and_copied_again(
    talk: Agent, store: Path, elsewhere: Path
) -> None:
    """A copy that has the right size and time, but not the content, as a bad disk leaves it."""
    before = tree(store)
    part = elsewhere.with_name("store.sesam-audit-20261122-abcd.part")
    part.mkdir()
    original = store / "license.key"
    (part / "license.key").write_bytes(original.read_bytes()[:-2] + b"X\n")
    os.utime(part / "license.key", ns=(original.stat().st_mtime_ns,) * 2)
    os.chown(part / "license.key", 1234, 1235)
    (part / "license.key").chmod(stat.S_IMODE(original.stat().st_mode))

    assert talk.carry_out(talk.plan(move("copy")))["outcome"] == "done"

    assert tree(elsewhere) == before


@pytest.mark.parametrize("moment", range(0, 60, 6))
def test_killed_at_any_moment_it_goes_on(
    root: Path, store: Path, elsewhere: Path, moment: int
) -> None:
    for number in range(40):
        (store / f"more-{number}").write_bytes(os.urandom(100_000))
    before = tree(store)
    with agent(str(root)) as talk:
        plan = talk.plan(move("copy"))
        talk.ask("start", plan=plan)
        time.sleep(0.02 + moment / 100)
        holder = talk.ask("status")["holder"]
        if holder and holder["alive"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(holder["pid"], signal.SIGKILL)
        deadline = time.monotonic() + 5
        while talk.ask("status")["held"] and time.monotonic() < deadline:
            time.sleep(0.02)
    with agent(str(root)) as talk:
        again = talk.ask("start", plan=plan)
        if "run" in again:  # the kill came too late: its plan is done
            talk.follow(again["run"], again["from"])
        state = talk.ask("status")["runs"][0]["state"]

    assert state == "done"
    assert tree(elsewhere) == before
    (kept,) = (root / "old").iterdir()
    assert tree(kept) == before


def test_sockets_are_left_out(talk: Agent, root: Path, store: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(store)
        server.bind("socket")
        os.chdir(here)

    assert talk.carry_out(talk.plan(move("copy")))["outcome"] == "done"

    assert not (root / "srv/data/store/socket").exists()
    assert (root / "srv/data/store/linked").exists()
