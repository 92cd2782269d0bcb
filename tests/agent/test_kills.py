"""The agent is killed before, and fails in, any of its writing system calls; then it goes on.

Every call that writes is one of the points; with SESAM_AUDIT_KILL_ALL=1 so is every open for
reading, before which the disk is as before the next call that writes.
Where ptrace is not allowed these tests fail: there is no other proof.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import pytest

from sesam_audit.agent.journal import Journal
from sesam_audit.agent.swap import Swap

from . import harness
from .harness import KILLED, Point, Request, fresh, looks, resume, take_back, traced


@pytest.fixture(scope="module")
def places() -> Iterator[Iterator[Path]]:
    """Roots, one after the other, on a tmpfs: what is synced is another test's matter."""
    base = Path(tempfile.mkdtemp(dir="/dev/shm"))

    def made() -> Iterator[Path]:
        for number in itertools.count():
            root = base / str(number)
            root.mkdir()
            yield root
            shutil.rmtree(root)

    yield made()
    shutil.rmtree(base)


@pytest.fixture(scope="module")
def wanted(places: Iterator[Path]) -> dict[str, object]:
    """The tree after an undisturbed run."""
    root, request = fresh(places)
    assert harness.finished(request, root)["outcome"] == "done"
    return looks(root)


@pytest.fixture(scope="module")
def calls(places: Iterator[Path]) -> list[Point]:
    """The writing calls of an undisturbed run."""
    root, request = fresh(places)
    found = harness.points(traced(request, root))
    assert len(found) > 300
    return found


@pytest.fixture(scope="module")
def undo_calls(places: Iterator[Path]) -> list[Point]:
    """The writing calls of an undisturbed undo."""
    root, request = fresh(places)
    harness.finished(request, root)
    found = harness.points(traced({"verb": "undo"}, root))
    assert len(found) > 180
    return found


def kill(point: Point) -> str:
    return "{}:signal=SIGKILL:when={}".format(*point)


def fail(point: Point, error: str) -> str:
    return f"{point[0]}:error={error}:when={point[1]}"


def check_applied(root: Path, result: Request, wanted: dict[str, object]) -> None:
    assert result["outcome"] == "done", result
    found = looks(root)
    assert found == wanted
    again = harness.planned(root, run="another")
    assert again["plan"]["actions"] == []


def check_taken_back(root: Path, result: Request, before: dict[str, object]) -> None:
    assert (result["outcome"], result["left"], result["cannot"]) == ("done", [], []), result
    assert looks(root) == before


def test_killed_anywhere_the_same_command_ends_as_if_undisturbed(
    places: Iterator[Path], calls: list[Point], wanted: dict[str, object]
) -> None:
    for point in calls:
        root, request = fresh(places)
        assert KILLED in traced(request, root, kill(point)), point
        check_applied(root, resume(root, request), wanted)


def test_killed_anywhere_undo_gives_the_old_tree_back(
    places: Iterator[Path], calls: list[Point]
) -> None:
    for point in calls:
        root, request = fresh(places)
        before = looks(root)
        assert KILLED in traced(request, root, kill(point)), point
        check_taken_back(root, take_back(root), before)


def test_an_undo_killed_anywhere_goes_on(places: Iterator[Path], undo_calls: list[Point]) -> None:
    for point in undo_calls:
        root, request = fresh(places)
        before = looks(root)
        harness.finished(request, root)
        assert KILLED in traced({"verb": "undo"}, root, kill(point)), point
        check_taken_back(root, take_back(root), before)


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again(
    places: Iterator[Path], calls: list[Point], wanted: dict[str, object], seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(20 if harness.EVERYTHING else 2):
        root, request = fresh(places)
        for _ in range(dice.randint(2, 4)):
            traced(request, root, kill(dice.choice(calls)))
            stored = harness.stored(root)
            request = dict(request, plan=stored or request["plan"])
        check_applied(root, resume(root, request), wanted)


SYNCING = ("write", "fsync", "syncfs")


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_an_error_anywhere_costs_nothing(
    places: Iterator[Path], calls: list[Point], wanted: dict[str, object], error: str
) -> None:
    failing = SYNCING if error == "EIO" else {each[0] for each in calls} - {"flock"}
    for point in [each for each in calls if each[0] in failing]:
        root, request = fresh(places)
        assert "(INJECTED)" in traced(request, root, fail(point, error)), point
        check_applied(root, resume(root, request), wanted)


def test_an_error_anywhere_in_an_undo_costs_nothing(
    places: Iterator[Path], undo_calls: list[Point]
) -> None:
    for point in [each for each in undo_calls if each[0] != "flock"]:
        root, request = fresh(places)
        before = looks(root)
        harness.finished(request, root)
        assert "(INJECTED)" in traced({"verb": "undo"}, root, fail(point, "ENOSPC")), point
        check_taken_back(root, take_back(root), before)


@pytest.fixture(scope="module")
def swapped(places: Iterator[Path], calls: list[Point]) -> list[Point]:
    """The calls before which an old file is out of its place, under two names."""
    found = []
    for point in [each for each in calls if each[0] == "unlinkat"]:
        root, request = fresh(places)
        traced(request, root, kill(point))
        found += [point] if _kept_twice(root) else []
    return found


def _kept_twice(root: Path) -> list[Path]:
    """Kept copies that are the file under the temporary name too."""
    copies = root.glob("srv/**/*.old")
    return [each for each in copies if Path(f"{each}"[:-3] + "new").exists()]


def tidied_up(places: Iterator[Path], point: Point) -> bool:
    """Killed there, then somebody takes the kept copy away; whether undo has the old file still."""
    root, request = fresh(places)
    before = looks(root)
    traced(request, root, kill(point))
    for each in _kept_twice(root):
        each.unlink()
    take_back(root)
    return looks(root) == before


def test_what_lies_under_a_temporary_name_is_not_lost(
    places: Iterator[Path], swapped: list[Point]
) -> None:
    assert len(swapped) >= 3
    assert [each for each in swapped if not tidied_up(places, each)] == []


def test_with_debris_taken_away_by_name_it_is_lost(
    places: Iterator[Path], swapped: list[Point]
) -> None:
    """The proof that the test before shows a missing safeguard."""

    def tidy(self: Swap, *_: object) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.place.unlink(self.temporary)

    with mock.patch.object(Swap, "tidy", tidy):
        assert [each for each in swapped if tidied_up(places, each)] == []


def forgetful() -> AbstractContextManager[object]:
    """A journal without the records before the act."""
    write = Journal.write

    def written(self: Journal, kind: str, **more: object) -> None:
        if kind != "begin":
            write(self, kind, **more)

    return mock.patch.object(Journal, "write", written)


def test_without_begin_records_the_harness_turns_red(
    places: Iterator[Path], calls: list[Point], wanted: dict[str, object]
) -> None:
    """The proof that the kills above would show a missing safeguard."""
    bad = 0
    for point in [each for each in calls if each[0] in ("fchown", "fchownat", "renameat2")]:
        root, request = fresh(places)
        traced(request, root, kill(point), off=[forgetful()])
        try:
            check_applied(root, resume(root, request), wanted)
        except AssertionError:
            bad += 1

    assert bad >= 5
