"""Real file systems: ext4 and xfs as they are, full, and after a power cut.

A power cut is played by copying the file system's image at the moment of a kill, after another
file on it was synced (which writes the log), and mounting the copy: what was not synced is gone.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesam_audit.agent.journal import Journal, plan_id, read
from sesam_audit.agent.state import boot

from . import harness
from .harness import Point, Request, looks, resume, take_back, traced

SIZES = {"ext4": 40 << 20, "xfs": 320 << 20}
MAKE = {"ext4": ("mkfs.ext4", "-q", "-F", "-N2048"), "xfs": ("mkfs.xfs", "-q", "-f")}
KINDS = pytest.mark.parametrize("kind", ["ext4", "xfs"])


def made(image: Path, kind: str, *more: str, size: int = 0) -> Path:
    """A file system in a sparse file."""
    with image.open("wb") as file:
        file.truncate(size or SIZES[kind])
    subprocess.run((*MAKE[kind], *more, str(image)), check=True, stdout=subprocess.DEVNULL)
    return image


@KINDS
def test_a_write_that_failed_does_not_cost_the_journals_reserve(base: Path, kind: str) -> None:
    """Cutting a torn record off frees the blocks beyond it: they are reserved anew."""
    root = base / "root"
    with mounted(made(base / f"{kind}.image", kind), root):
        journal = Journal(str(root / "journal"))
        journal.write("open", number=1)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal._length + 10, limits[1]))
        try:
            with pytest.raises(OSError, match="full"):
                journal.write("begin", words="x" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        fill(root, 0)
        try:
            journal.write("done", words="x" * 100_000)
        finally:
            journal.close()

        assert [each["kind"] for each in read(str(root / "journal"))] == ["open", "done"]


@contextlib.contextmanager
def mounted(image: Path, target: Path) -> Iterator[None]:
    """The image, mounted by a loop device that goes with it."""
    target.mkdir(exist_ok=True, parents=True)
    subprocess.run(("mount", "-o", "loop,nouuid" if "xfs" in image.name else "loop", str(image),
                    str(target)), check=True)  # fmt: skip
    try:
        yield
    finally:
        subprocess.run(("umount", str(target)), check=True)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A place for images; root is needed to mount them."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("mounting needs root")
    return tmp_path


@KINDS
def test_applied_and_taken_back(base: Path, kind: str) -> None:
    root = base / "root"
    with mounted(made(base / f"{kind}.image", kind), root):
        harness.seed(root)
        before = looks(root)

        assert harness.finished(harness.planned(root), root)["outcome"] == "done"

        assert harness.planned(root, run="second")["plan"]["actions"] == []
        assert take_back(root)["left"] == []
        assert looks(root) == before


def test_a_full_disk_costs_nothing(base: Path) -> None:
    """The data disk has few blocks left: whatever fails, what was there is there; then it goes."""
    failed = 0
    for left in range(0, 12, 1 if harness.EVERYTHING else 2):
        root = base / f"root{left}"
        image = made(
            base / f"small{left}", "ext4", "-b1024", "-N128", "-O^has_journal", size=1 << 20
        )
        with mounted(image, root / "srv"):
            harness.seed(root)
            old = {name: facts for name, facts in looks(root).items() if "file" not in name}
            request = harness.planned(root)
            filler = fill(root / "srv", left)
            first = harness.finished(request, root)
            failed += first["outcome"] == "failed"
            contents = {facts[-2] for facts in looks(root).values()}
            assert {facts[-2] for facts in old.values() if len(facts) > 5} <= contents

            filler.unlink()
            assert resume(root, request)["outcome"] == "done"
            assert take_back(root)["left"] == []
            assert looks(root) == old

    assert failed >= 2


def fill(where: Path, left: int) -> Path:
    """Take all blocks but some."""
    filler = where / "filler"
    with filler.open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 1024)
        os.fsync(file.fileno())
        file.truncate(max(0, filler.stat().st_size - left * 1024))
        os.fsync(file.fileno())
    return filler


class Cuts:
    """A seeded image, and what becomes of copies of it."""

    def __init__(self, base: Path, kind: str) -> None:
        self.base, self.root = base, base / "root"
        self.pristine = made(base / f"{kind}.image", kind)
        with mounted(self.pristine, self.root):
            harness.seed(self.root)
            (self.root / "another").write_text("")
            self.before = looks(self.root)
        with self.copy(self.pristine):
            request = self.request()
            harness.finished(request, self.root)
            self.wanted = looks(self.root)
        with self.copy(self.pristine):
            self.points = harness.points(traced(self.request(), self.root))

    @contextlib.contextmanager
    def copy(self, image: Path) -> Iterator[Path]:
        """A copy of an image, mounted in its place: as after the machine's next start."""
        copied = image.with_name(f"copy-of-{image.name}")
        subprocess.run(("cp", "--sparse=always", str(image), str(copied)), check=True)
        with mounted(copied, self.root):
            yield copied
        copied.unlink()

    def request(self) -> Request:
        """The plan of an earlier boot, approved anew in this one."""
        request = harness.planned(self.root)
        request["plan"]["boot"] = "the boot before"
        request["plan"]["id"] = plan_id(request["plan"])
        return dict(request, boot=boot())

    def cut(self, point: Point, *off: str) -> Request:
        """Cut the power at a call; go on after the next start. The result, tree included."""
        with self.copy(self.pristine) as live:
            request = self.request()
            kill = "{}:signal=SIGKILL:when={}".format(*point)
            assert harness.KILLED in traced(request, self.root, kill, *off)
            with (self.root / "another").open("w") as file:
                os.fsync(file.fileno())
            at_the_cut = live.with_name(f"cut-{live.name}")
            subprocess.run(("cp", "--sparse=always", str(live), str(at_the_cut)), check=True)
        with self.copy(at_the_cut):
            try:
                result = resume(self.root, request)
            except Exception as error:  # noqa: BLE001 - what was lost shows in many ways
                result = {"outcome": repr(error)}
            result["as wanted"] = looks(self.root) == self.wanted
            result["back"] = take_back(self.root)
            result["as before"] = looks(self.root) == self.before
        at_the_cut.unlink()
        return result


def good(result: Request) -> bool:
    return bool(
        result["outcome"] == "done"
        and result["as wanted"]
        and result["as before"]
        and result["back"].get("outcome") == "done"
    )


@KINDS
def test_after_a_power_cut_the_same_command_ends_as_if_undisturbed(base: Path, kind: str) -> None:
    cuts = Cuts(base, kind)
    for point in harness.sampled(cuts.points, 12):
        result = cuts.cut(point)
        assert good(result), (point, result)


@KINDS
def test_without_syncs_a_power_cut_loses_what_was_done(base: Path, kind: str) -> None:
    """The proof that the cuts above are ones: all syncs of the agent do nothing."""
    cuts = Cuts(base, kind)
    renames = [each for each in cuts.points if each[0] in ("unlinkat", "renameat2", "fchownat")]
    off = ("fsync:retval=0", "syncfs:retval=0")
    lost = [each for each in renames[::3] if not good(cuts.cut(each, *off))]

    assert len(lost) >= 2
