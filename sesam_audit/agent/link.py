"""Symbolic links: the data link, and the stray one that the guide's second `ln -s` leaves."""

import os
import stat
from typing import Optional

from . import kernel
from .action import Action, Facts, Note, Stop, UndoResult
from .paths import DIRECTORY, OBJECT, Place


class Link(Action):
    """`after`: path, text, empty_directory ("refuse" or "replace"); uid, gid (of the link).

    In the place of an empty directory the link is swapped in, so that at no moment the name is
    free for somebody to make a directory there.
    """

    kind = "link"

    def look(self) -> Facts:
        now = self.host.paths.facts(self.want["path"])
        if now["type"] == "directory":
            with self.host.paths.place(self.want["path"]) as place, place.opened(DIRECTORY) as it:
                now["empty"] = not os.listdir(it)
        return now

    def _owner(self) -> Facts:
        return {"uid": self.want.get("uid", 0), "gid": self.want.get("gid", 0)}

    def _is_it(self, now: Facts) -> bool:
        return bool(now["type"] == "link" and now["text"] == self.want["text"])

    def holds(self, now: Facts) -> bool:
        owned = {key: self.want.get(key, now.get(key)) for key in ("uid", "gid")}
        return self._is_it(now) and owned == {key: now[key] for key in owned}

    def do(self, was: Facts, note: Note) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            if was["type"] == "absent":
                self._made(place, place.name)
            elif self._is_it(was):
                self._owned(place, place.name)
            elif was["type"] == "directory" and was["empty"]:
                self._swapped(place, was)
            else:
                raise Stop(self._in_the_way(was), "Look what it is, and move it away.")

    def _in_the_way(self, was: Facts) -> str:
        path = self.want["path"]
        if was["type"] == "link":
            return "%s leads to %s, not to %s" % (path, was["text"], self.want["text"])
        holds = ", and not an empty one" if was["type"] == "directory" else ""
        return "%s is a %s%s; a link is needed there" % (path, was["type"], holds)

    def _temporary(self, place: Place) -> str:
        return "%s.sesam-audit-%s.new" % (place.name, self.host.name)

    def _made(self, place: Place, name: str) -> None:
        os.symlink(self.want["text"], name, dir_fd=place.directory)
        self._owned(place, name)

    def _owned(self, place: Place, name: str) -> None:
        owner = self._owner()
        with place.opened(OBJECT, name) as link:
            if os.readlink("", dir_fd=link) != self.want["text"]:
                raise Stop("%s was changed by somebody else meanwhile" % place.asked, "", "changed")
            kernel.own(link, owner["uid"], owner["gid"])

    def _swapped(self, place: Place, was: Facts) -> None:
        if self.want.get("empty_directory") != "replace":
            raise Stop(
                "%s is an empty directory; a link is needed there" % place.asked,
                "If nothing uses it: sudo rmdir %s" % place.asked,
            )
        temporary = self._temporary(place)
        self._made(place, temporary)
        place.sync()
        kernel.rename(temporary, place.name, kernel.EXCHANGE, place.directory)
        status = place.status(temporary)
        try:
            if status is None or status.st_ino != was["inode"]:
                raise OSError("another one came out")
            os.rmdir(temporary, dir_fd=place.directory)
        except OSError as error:
            kernel.rename(temporary, place.name, kernel.EXCHANGE, place.directory)
            self._unlinked(place, temporary)
            raise Stop("%s came into use meanwhile" % place.asked, "", "changed") from error
        place.sync()

    def _unlinked(self, place: Place, name: str) -> None:
        """Take a name away, when it is our link."""
        status = place.status(name)
        if status and stat.S_ISLNK(status.st_mode) and place.text(name) == self.want["text"]:
            place.unlink(name)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            self._tidied(place)
            now = self.look()
            if self.holds(now):
                return
            if self._is_it(now):  # made, its owner not yet
                self._owned(place, place.name)
                return
        super().resume(was, notes, note)

    def _tidied(self, place: Place) -> None:
        """The temporary name is our link before the swap, and an empty directory after it."""
        temporary = self._temporary(place)
        status = place.status(temporary)
        if status and stat.S_ISDIR(status.st_mode):
            os.rmdir(temporary, dir_fd=place.directory)
        else:
            self._unlinked(place, temporary)

    def sync(self) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            place.sync()

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        before = begun["before"]
        try:
            with self.host.paths.place(self.want["path"]) as place:
                self._tidied(place)
                now = self.look()
                if _put_back(before, now):
                    place.sync()
                    return "undone", ""
                if not self._is_it(now):
                    return "left", "it was changed since"
                return self._taken_back(place, before)
        except FileNotFoundError:
            return "undone", ""

    def _taken_back(self, place: Place, before: Facts) -> UndoResult:
        if before["type"] == "absent":
            self._unlinked(place, place.name)
        elif before["type"] == "link":
            with place.opened(OBJECT) as link:
                kernel.own(link, before["uid"], before["gid"])
        else:
            temporary = self._temporary(place)
            os.mkdir(temporary, 0o700, dir_fd=place.directory)
            with place.opened(DIRECTORY, temporary) as directory:
                os.fchown(directory, before["uid"], before["gid"])
                os.fchmod(directory, int(before["mode"], 8))
                os.fsync(directory)
            kernel.rename(temporary, place.name, kernel.EXCHANGE, place.directory)
            self._unlinked(place, temporary)
        place.sync()
        return "undone", ""


def _put_back(before: Facts, now: Facts) -> bool:
    """Say whether what was there is there; a directory made anew has another number."""
    keys = ("type", "uid", "gid", "mode", "text", "empty")
    return all(before.get(key) == now.get(key) for key in keys)


class StrayLink(Action):
    """`after`: path. A link in a directory that leads to that directory itself is removed."""

    kind = "stray-link"

    def look(self) -> Facts:
        now = self.host.paths.facts(self.want["path"])
        if now["type"] == "link":
            with self.host.paths.place(self.want["path"]) as place:
                now["stray"] = _leads_home(place, place.name, now["text"])
        return now

    def holds(self, now: Facts) -> bool:
        return bool(now["type"] == "absent")

    def _aside(self, place: Place) -> str:
        return "%s.sesam-audit-%s.old" % (place.name, self.host.name)

    def do(self, was: Facts, note: Note) -> None:
        if not was.get("stray"):
            raise Stop("%s is not the link that is known to be left there" % self.want["path"])
        with self.host.paths.place(self.want["path"]) as place:
            aside = self._aside(place)
            kernel.rename(place.name, aside, kernel.NOREPLACE, place.directory)
            status = place.status(aside)
            if status is None or status.st_ino != was["inode"]:
                kernel.rename(aside, place.name, kernel.NOREPLACE, place.directory)
                raise Stop("%s was changed by somebody else meanwhile" % place.asked, "", "changed")
            place.unlink(aside)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            status = place.status(self._aside(place))
            if status and status.st_ino == was["inode"]:
                place.unlink(self._aside(place))
        super().resume(was, notes, note)

    def sync(self) -> None:
        with self.host.paths.place(self.want["path"]) as place:
            place.sync()

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        before, now = begun["before"], self.look()
        if now["type"] == "link" and now["text"] == before["text"]:
            pass
        elif now["type"] == "absent":
            with self.host.paths.place(self.want["path"]) as place:
                os.symlink(before["text"], place.name, dir_fd=place.directory)
        else:
            return "left", "there is a %s now" % now["type"]
        with self.host.paths.place(self.want["path"]) as place:
            status = place.status(self._aside(place))
            if status and status.st_ino == before["inode"]:
                place.unlink(self._aside(place))
            with place.opened(OBJECT) as link:
                if os.readlink("", dir_fd=link) != before["text"]:
                    return "left", "it was changed by somebody else meanwhile"
                kernel.own(link, before["uid"], before["gid"])
            place.sync()
        return "undone", ""


def _leads_home(place: Place, name: str, text: str) -> bool:
    """Say whether a link leads to the directory that it lies in."""
    try:
        there = os.stat(name, dir_fd=place.directory)
    except OSError:
        return False
    here = os.fstat(place.directory)
    return text.startswith("/") and (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
