"""The user whose files are mended swaps directories for links to other people's meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from sesam_audit.agent import ownership as own
from sesam_audit.agent import paths

from . import harness
from .wanting import UID, directory, file, ownership

SWAPPER = """
import ctypes, os, sys
os.setgid({uid}); os.setuid({uid})
libc = ctypes.CDLL(None)
a, b = (os.path.join(sys.argv[1], name).encode() for name in ("way", "trap"))
print("ready", flush=True)
while True:
    libc.renameat2(-100, a, -100, b, 2)
"""
ROUNDS = 120


@pytest.fixture
def trap(root: Path) -> Iterator[Path]:
    """A tree of user 1001 in which a directory and a link to /etc change places all the time."""
    for parent in (root, *root.parents[:-1]):
        parent.chmod(parent.stat().st_mode | 0o011)
    tree = root / "srv/tree"
    (tree / "way").mkdir(parents=True)
    (tree / "trap").symlink_to(root / "etc")
    for name in ("shadow", "config"):
        (root / "etc" / name).write_text("not theirs")
        (tree / "way" / name).write_text("theirs")
    for path in (tree, tree / "way"):
        os.chown(path, UID, UID)
    swapper = subprocess.Popen(
        (sys.executable, "-c", SWAPPER.format(uid=UID), str(tree)), stdout=subprocess.PIPE
    )
    try:
        assert swapper.stdout
        assert swapper.stdout.readline() == b"ready\n"
        yield root
    finally:
        swapper.send_signal(signal.SIGKILL)
        swapper.communicate()


def stolen(root: Path) -> list[str]:
    """What of /etc was given away, or written, or made."""
    found = [path.name for path in (root / "etc").iterdir() if path.lstat().st_uid != 0]
    names = {path.name for path in (root / "etc").iterdir()}
    return found + sorted(names ^ {"shadow", "config"})


def again(root: Path, number: int) -> None:
    """One apply of an ownership action, with offenders anew."""
    for name in ("shadow", "config"):
        for place in ("way", "trap"):
            try:
                handle = os.open(root / "srv/tree" / place, os.O_DIRECTORY | os.O_NOFOLLOW)
            except OSError:
                continue
            os.chown(name, 0, 0, dir_fd=handle)
            os.close(handle)
    wanted = [ownership("/srv/tree")]
    harness.finished(harness.planned(root, wanted, run=f"round-{number}"), root)


def test_nothing_of_others_is_given_away(trap: Path) -> None:
    for number in range(ROUNDS):
        again(trap, number)

    assert stolen(trap) == []


def test_nothing_is_written_through_a_swapped_directory(trap: Path) -> None:
    outcomes = set()
    for number in range(ROUNDS):
        wanted = [
            directory("/srv/tree/way/made", 1),
            file("/srv/tree/way/config", f"new {number}", 2),
        ]
        plan = harness.planned_if_possible(trap, wanted, run=f"round-{number}")
        if plan:
            outcomes.add(harness.finished(plan, trap)["outcome"])

    assert stolen(trap) == []
    assert (trap / "etc/config").read_text() == "not theirs"
    assert outcomes  # of plans that were begun between two swaps


def test_with_chown_by_path_files_are_given_away(trap: Path) -> None:
    """The proof that the attack is one: the same rounds with the usual way to do it."""

    def give(held: int, entry: own.Entry, uid: int, gid: int) -> None:
        del held
        path = trap / entry["path"].lstrip("/")
        if path.exists():
            os.chown(path, uid, gid, follow_symlinks=False)

    with mock.patch.object(own, "_give", give):
        for number in range(10 * ROUNDS):
            again(trap, number)
            if stolen(trap):
                break

    assert stolen(trap)


def test_with_links_followed_others_files_are_changed(trap: Path) -> None:
    """The proof that the swaps above are an attack on paths too: the walk follows links."""
    wanted = [directory("/srv/tree/way/made", 1), file("/srv/tree/way/config", "new", 2)]
    with mock.patch.object(paths, "DIRECTORY", paths.DIRECTORY & ~os.O_NOFOLLOW):
        for number in range(10 * ROUNDS):
            plan = harness.planned_if_possible(trap, wanted, run=f"round-{number}")
            if plan:
                harness.finished(plan, trap)
            if stolen(trap):
                break

    assert stolen(trap)
