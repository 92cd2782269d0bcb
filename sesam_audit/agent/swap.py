"""The names around a file that is replaced: the name, a temporary one, and the kept copy's."""

import contextlib
import errno
import os
from typing import Optional

from . import kernel
from .action import Facts, Stop, UndoResult
from .paths import Place, described

_NO_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_STAMPS = ("type", "inode", "size", "mtime")


def stamped(now: Facts, was: Facts) -> bool:
    """Say whether a file is the very one of a look, unwritten since. Links change its ctime."""
    return all(now.get(key) == was.get(key) for key in _STAMPS)


class Swap:
    """A name is never taken away for what it is called: it must be what it is believed to be."""

    def __init__(self, place: Place, kept: int, run: str) -> None:
        self.place = place
        self.directory = place.directory
        self.kept = kept  # the directory of the kept copy
        self.temporary = "%s.sesam-audit-%s.new" % (place.name, run)
        self.old = "%s.sesam-audit-%s.old" % (place.name, run)

    def _inode(self, name: str) -> Optional[int]:
        status = self.place.status(name)
        return status.st_ino if status else None

    def _old_inode(self) -> Optional[int]:
        try:
            return os.stat(self.old, dir_fd=self.kept, follow_symlinks=False).st_ino
        except FileNotFoundError:
            return None

    def sync(self) -> None:
        """Bring the names to the disk."""
        os.fsync(self.directory)
        if self.kept != self.directory:
            os.fsync(self.kept)

    def keep(self, inode: int, source: Optional[str] = None) -> None:
        """Give the old file its second name."""
        # by an interrupted attempt, or it is not ours: the inode tells
        with contextlib.suppress(FileExistsError):
            os.link(
                source or self.place.name, self.old, src_dir_fd=self.directory,
                dst_dir_fd=self.kept, follow_symlinks=False,
            )  # fmt: skip
        self.check_kept(inode)

    def check_kept(self, inode: int) -> None:
        """Make sure that the kept copy is the old file."""
        if self._old_inode() != inode:
            raise Stop("%s is not the old file" % self.old, "Look what it is.", "changed")

    def exchange(self, was: Facts) -> None:
        """Swap new and old in; back again when it is not the old one that came out."""
        try:
            kernel.rename(self.temporary, self.place.name, kernel.EXCHANGE, self.directory)
        except OSError as error:
            if error.errno not in _NO_EXCHANGE:
                raise
            self._rename(was)
            return
        out = self.place.status(self.temporary)
        if out is None or not stamped(described(out), was):
            kernel.rename(self.temporary, self.place.name, kernel.EXCHANGE, self.directory)
            raise Stop("it was changed by somebody else meanwhile", kind="changed")
        self.place.unlink(self.temporary)
        self.place.sync()

    def _rename(self, was: Facts) -> None:
        """Where two names cannot be swapped: a last look, then one name over the other."""
        last = self.place.status()
        if last is None or not stamped(described(last), was):
            raise Stop("it was changed by somebody else meanwhile", kind="changed")
        os.rename(
            self.temporary, self.place.name, src_dir_fd=self.directory, dst_dir_fd=self.directory
        )
        self.place.sync()

    def tidy(self, was: Facts, notes: Facts) -> None:
        """Take the temporary name away, when an interrupted attempt left it."""
        found = self._inode(self.temporary)
        if found is None:
            return
        here = self._inode(self.place.name)
        if found == was.get("inode"):  # the swap was done: this is the old file
            if self._old_inode() is None:
                self.keep(found, self.temporary)
            self.check_kept(found)
        elif found != notes.get("new") and here != was.get("inode"):
            raise Stop("%s is not ours" % self.temporary, "Look what it is.", "changed")
        self.place.unlink(self.temporary)
        self.sync()

    def remove(self, notes: Facts) -> UndoResult:
        """Undo of a new file: away from its name, looked at again, and only then taken away."""
        kernel.rename(self.place.name, self.temporary, kernel.NOREPLACE, self.directory)
        if self._inode(self.temporary) != notes["new"]:
            kernel.rename(self.temporary, self.place.name, kernel.NOREPLACE, self.directory)
            return "left", "it was changed by somebody else meanwhile"
        self.place.unlink(self.temporary)
        self.place.sync()
        return "undone", ""

    def gone(self) -> UndoResult:
        """Undo of a new file that is not there as we left it."""
        if self.place.status() is None:
            self.place.sync()
            return "undone", ""
        return "left", "it was changed since"

    def holds_old(self, before: Facts) -> bool:
        """Say whether the kept copy is the old file, unwritten, and in its place no more."""
        try:
            kept = os.stat(self.old, dir_fd=self.kept, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return stamped(described(kept), before) and kept.st_ino != self._inode(self.place.name)

    def drop(self, before: Facts, notes: Facts) -> None:
        """Take our second name away: of the old file, or of ours after it was swapped out."""
        if self._old_inode() in (before["inode"], notes.get("new", 0)):
            os.unlink(self.old, dir_fd=self.kept)
            self.sync()

    def put_back(self, before: Facts, now: Facts, notes: Facts) -> UndoResult:
        """Undo of a replaced file: swap the kept one in, and check what came out."""
        if self._old_inode() != before["inode"]:
            return "cannot", "the copy that was kept is gone"
        kernel.rename(self.old, self.place.name, kernel.EXCHANGE, self.kept, self.directory)
        if self._old_inode() != now["inode"]:
            kernel.rename(self.old, self.place.name, kernel.EXCHANGE, self.kept, self.directory)
            return "left", "it was changed by somebody else meanwhile"
        self.sync()
        self.drop(before, notes)
        return "undone", ""
