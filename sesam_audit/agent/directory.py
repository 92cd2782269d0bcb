"""A directory: made with its final owner and mode, or brought to them."""

import errno
import os
from typing import Optional

from .action import Action, Facts, Note, Stop, UndoResult
from .paths import DIRECTORY, Place, described

OWNING = ("uid", "gid", "mode")


class Directory(Action):
    """`after`: path, uid, gid, mode. Made root's own and 0700 first, opened to others last."""

    kind = "directory"

    def look(self) -> Facts:
        return self.host.paths.facts(self.want["path"])

    def holds(self, now: Facts) -> bool:
        return now["type"] == "directory" and owning(now) == self._owning()

    def _owning(self) -> Facts:
        uid, gid = self.host.uid(self.want["uid"]), self.host.gid(self.want["gid"])
        return {"uid": uid, "gid": gid, "mode": self.want["mode"]}

    def do(self, was: Facts, note: Note) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            if was["type"] == "absent":
                os.mkdir(place.name, 0o700, dir_fd=place.directory)
                self._finish(place, None)
            elif was["type"] == "directory":
                self._finish(place, was["inode"])
            else:
                raise Stop(
                    "%s is a %s, a directory is needed there" % (place.asked, was["type"]),
                    "Look what it is, and move it away.",
                )

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        now = self.look()
        if now["type"] == "absent" and self.same(was, now):
            self.do(was, note)
        elif now["type"] == "directory" and not self.holds(now):
            with self.host.paths.place(self.want["path"]) as place:
                self._finish(place, was.get("inode"), halfway(was, self._owning()))
        else:
            super().resume(was, notes, note)

    def _finish(self, place: Place, inode: Optional[int], states: Optional[Facts] = None) -> None:
        """Give an open directory its owner and mode; one that was made here must be empty."""
        want = self._owning()
        with place.opened(DIRECTORY) as directory:
            now = described(os.fstat(directory))
            states = states or {"uid": {0}, "gid": {0}, "mode": {"0700"}}
            if inode is None:
                expected = not os.listdir(directory) and all(
                    now[key] in states[key] for key in OWNING
                )
            else:
                expected = now["inode"] == inode
            if not expected:
                raise Stop("%s was changed by somebody else meanwhile" % place.asked, "", "changed")
            os.fchown(directory, want["uid"], want["gid"])
            os.fchmod(directory, int(want["mode"], 8))

    def sync(self) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            with place.opened(DIRECTORY) as directory:
                os.fsync(directory)
            place.sync()

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        before, now = begun["before"], self.look()
        if self.same(before, now):
            return "undone", ""
        if now["type"] != "directory":
            return "left", "it is a %s now" % now["type"]
        inode = before.get("inode") or (done and done["after"]["inode"])
        if inode and now["inode"] != inode:
            return "left", "it is another directory now"
        states = halfway(before, owning(done["after"]) if done else self._owning())
        if not all(now[key] in states[key] for key in OWNING):
            return "left", "its owner or mode was changed since"
        with self.host.paths.place(self.want["path"]) as place:
            if before["type"] == "absent":
                return self._removed(place)
            with place.opened(DIRECTORY) as directory:
                if os.fstat(directory).st_ino != before["inode"]:
                    return "left", "it is another directory now"
                os.fchown(directory, before["uid"], before["gid"])
                os.fchmod(directory, int(before["mode"], 8))
                os.fsync(directory)
        return "undone", ""

    def _removed(self, place: Place) -> UndoResult:
        try:
            os.rmdir(place.name, dir_fd=place.directory)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY):
                raise
            return "left", "it is in use: %s" % (error.strerror or "").lower()
        place.sync()
        return "undone", ""


def owning(facts: Facts) -> Facts:
    """Owner, group and mode of a look."""
    return {key: facts[key] for key in OWNING}


def halfway(before: Facts, after: Facts) -> Facts:
    """The values that a change of owner and mode passes through."""
    start = {"uid": 0, "gid": 0, "mode": "0700"} if before["type"] == "absent" else before
    return {key: {start[key], after[key]} for key in OWNING}


def make_again(was: Facts, place: Place) -> None:
    """An empty directory that was there before, also where it is half made already."""
    if not place.status():
        os.mkdir(place.name, 0o700, dir_fd=place.directory)
    elif not _half_made(was, place):
        return
    with place.opened(DIRECTORY) as made:
        os.fchown(made, was["uid"], was["gid"])
        os.fchmod(made, int(was["mode"], 8))
        os.fsync(made)
    place.sync()


def _half_made(was: Facts, place: Place) -> bool:
    """Say whether an interrupted undo can have left it like that."""
    now = place.facts()
    if now["type"] != "directory":
        return False
    with place.opened(DIRECTORY) as there:
        empty = not os.listdir(there)
    states = halfway({"type": "absent"}, owning(was))
    return empty and all(now[key] in states[key] for key in states)
