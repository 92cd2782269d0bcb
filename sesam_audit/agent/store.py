"""An old store is brought to its new place: renamed where that can be, else copied and proved.

The source is never changed and never removed here: after a copy it stays, renamed, until `finish`.
"""

import contextlib
import os
import time
from typing import Iterator, List, Optional, Tuple

from . import copier, kernel, manifests, room
from .action import Action, Facts, Note, Stop, UndoResult
from .compose import engine
from .containers import runs
from .directory import make_again
from .engine import SOCKET, name_of
from .holders import holders
from .paths import DIRECTORY, Place
from .removal import remove

ATTEMPTS = 3


class MoveStore(Action):
    """`after`: source, target, way (rename or copy)."""

    kind = "move-store"

    def look(self) -> Facts:
        source = self.host.paths.facts(self.want["source"])
        target = self.host.paths.facts(self.want["target"])
        found = {"source": source, "target": target, "entries": 0}  # type: Facts
        if target["type"] == "directory":
            with self.host.paths.place(self.want["target"]) as place:
                found["entries"] = _count(place)
        if self.host.run is None and source["type"] != "absent":
            if found["entries"]:
                raise self._taken()
            found.update(self._foreseen())
        return found

    def _foreseen(self) -> Facts:
        """What would stop the move later, while the node is down; and what a copy takes."""
        with self.host.paths.place(self.want["source"]) as source:
            if _kind(source) != "directory":
                raise _no_directory(source)
            with source.opened(DIRECTORY) as store:
                room.check_mounts(store)
                if self.want["way"] != "copy":
                    return {}
                return room.foreseen(store, self.host.real(self.want["target"]))

    def holds(self, now: Facts) -> bool:
        return bool(now["source"]["type"] == "absent" and now["target"]["type"] == "directory")

    def same(self, was: Facts, now: Facts) -> bool:
        """The empty directory that the store replaces may have been made by the same plan."""
        free = now["target"]["type"] in ("absent", "directory") and not now["entries"]
        kept = {key: was[key] for key in ("target", "entries")} if free else {}
        kept["bytes"] = was.get("bytes")  # a running node's store grows
        return super().same(dict(was, bytes=kept["bytes"]), dict(now, **kept))

    def do(self, was: Facts, note: Note) -> None:
        with self._places() as (source, target):
            self._check(source, target)
            if self.want["way"] == "rename":
                self._rename(source, target)
            else:
                self._copy(source, target, note)

    @contextlib.contextmanager
    def _places(self) -> Iterator[Tuple[Place, Place]]:
        place = self.host.paths.place
        with place(self.want["source"]) as source, place(self.want["target"]) as target:
            yield source, target

    def _check(self, source: Place, target: Place) -> None:
        """Nothing may be at work in the store, and nothing may be in its new place."""
        status = target.status()
        if status and (_kind(target) != "directory" or _count(target)):
            raise self._taken()
        if _kind(source) != "directory":
            raise _no_directory(source)
        with source.opened(DIRECTORY) as store:
            room.check_mounts(store)
            users = self._containers() or holders(store, source.asked)
        if users:
            raise Stop("%s" % "; ".join(users[:5]), "Stop them, then run the same command again.")

    def _taken(self) -> Stop:
        return Stop(
            "%s is there already and not empty" % self.want["target"],
            "Say which of the two is the store, and move the other one away.",
        )

    def _containers(self) -> List[str]:
        """Running containers into which the store, or what holds it, is mounted."""
        if not os.path.exists(self.host.real(SOCKET)):
            return []
        path, found = self.want["source"].rstrip("/") + "/", []
        for each in engine(self.host).containers():
            for mount in each.get("Mounts") or ():
                place = str(mount.get("Source", "")).rstrip("/") + "/"
                if (
                    runs(each)
                    and place != "/"
                    and (path.startswith(place) or place.startswith(path))
                ):
                    found.append("the container %s uses %s" % (name_of(each), mount["Source"]))
        return found

    def _rename(self, source: Place, target: Place) -> None:
        self._make_way(target)
        try:
            kernel.rename(
                source.name, target.name, kernel.NOREPLACE, source.directory, target.directory
            )
        except OSError as error:
            raise Stop(
                "%s cannot be renamed to %s: %s" % (source.asked, target.asked, error.strerror),
                "Run the same command again: the new plan copies it.",
            ) from error
        target.sync()
        source.sync()

    def _make_way(self, target: Place) -> None:
        if target.status():
            os.rmdir(target.name, dir_fd=target.directory)  # succeeds on an empty one alone
            target.sync()

    def _copy(self, source: Place, target: Place, note: Note) -> None:
        part = self._part(target)
        if not target.status(part):
            os.mkdir(part, 0o700, dir_fd=target.directory)
            target.sync()
        with source.opened(DIRECTORY) as store, target.opened(DIRECTORY, part) as copy:
            found = list(copier.entries(store))
            self._check_room(found, copy)
            manifest = self._copied(store, copy, found)
            self.host.keep(self._manifest_name(), manifests.packed(manifest))
            note(part=os.fstat(copy).st_ino)
            users = holders(store, source.asked)
            if users:
                raise Stop(users[0], "Stop it, then run the same command again.", "changed")
        self._make_way(target)
        kernel.rename(part, target.name, kernel.NOREPLACE, target.directory)
        target.sync()
        self._set_aside(source)

    def _copied(self, store: int, copy: int, found: List[copier.Entry]) -> List[copier.Entry]:
        """The manifest of a copy that was read back; what differs is copied again."""
        for left in range(ATTEMPTS - 1, -1, -1):
            copier.Copy(store, copy, _Progress(self, "copying", found)).run(found)
            try:
                return copier.compare(store, copy, found, _Progress(self, "proving", found))
            except copier.Torn as torn:
                self.host.say("progress", text="%s was not copied well, once more" % torn.path)
                if not left:
                    raise Stop(
                        "%s is another one each time it is copied" % torn.path,
                        "Look at the disk of %s: sudo dmesg" % self.want["target"],
                    ) from torn
                copier.forget(copy, torn.path)
        raise AssertionError("unreachable")

    def _check_room(self, found: List[copier.Entry], copy: int) -> None:
        size, inodes = copier.needed(found)
        there, known = copier.needed(list(copier.entries(copy)))
        room.check(size - there, inodes - known, os.fstatvfs(copy), self.want["target"])

    def _set_aside(self, source: Place) -> None:
        kernel.rename(source.name, self._moved(source), kernel.NOREPLACE, source.directory)
        source.sync()

    def _part(self, target: Place) -> str:
        return "%s.sesam-audit-%s.part" % (target.name, self.host.name)

    def _moved(self, source: Place) -> str:
        return "%s.sesam-audit-%s.moved" % (source.name, self.host.name)

    def _manifest_name(self) -> str:
        return "store-%s.manifest" % self.spec["id"]

    def _manifest(self) -> List[copier.Entry]:
        return manifests.unpacked(self.host.kept(self._manifest_name()))

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        now = self.look()
        if now["source"].get("inode") == was["source"].get("inode"):
            if notes.get("part") and now["target"].get("inode") == notes["part"]:
                with self.host.paths.place(self.want["source"]) as source:
                    self._set_aside(source)
            else:
                self.do(was, note)
            return
        wanted = notes.get("part") or was["source"].get("inode")
        if now["source"]["type"] != "absent" or now["target"].get("inode") != wanted:
            raise Stop("the store was moved by somebody else meanwhile", "", "changed")

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        was, now = begun["before"], self.look()
        with self._places() as (source, target):
            if self.want["way"] == "rename":
                result = self._rename_back(was, now, source, target)
            else:
                result = self._copy_back(begun, now, source, target)
            if result[0] == "undone" and was["target"]["type"] == "directory":
                make_again(was["target"], target)
        return result

    def _rename_back(self, was: Facts, now: Facts, source: Place, target: Place) -> UndoResult:
        if now["source"].get("inode") == was["source"]["inode"]:
            return "undone", ""
        if now["target"].get("inode") != was["source"]["inode"]:
            return "left", "%s is not the store that was moved there" % target.asked
        with target.opened(DIRECTORY) as store:
            users = holders(store, target.asked)
        if users:
            return "left", users[0]
        kernel.rename(
            target.name, source.name, kernel.NOREPLACE, target.directory, source.directory
        )
        source.sync()
        target.sync()
        return "undone", "with what was written to it since"

    def _copy_back(self, begun: Facts, now: Facts, source: Place, target: Place) -> UndoResult:
        moved, part = self._moved(source), begun["notes"].get("part")
        manifest, ours = self._manifest(), part and now["target"].get("inode") == part
        if ours:
            changes = manifests.changes(target, manifest)
            if changes:
                where = moved if source.status(moved) else source.name
                words = "%s holds newer data (%s) than %s/%s: both are kept"
                folder = os.path.dirname(source.asked)
                return "left", words % (target.asked, changes[0], folder, where)
        if source.status(moved) and not source.status():
            kernel.rename(moved, source.name, kernel.NOREPLACE, source.directory)
            source.sync()
        if ours:
            kernel.rename(target.name, self._part(target), kernel.NOREPLACE, target.directory)
        if target.status(self._part(target)):
            with source.opened(DIRECTORY) as store:
                known = {each["path"] for each in copier.entries(store)}
            left = remove(target, self._part(target), lambda each: each["path"] in known)
            if left:
                raise Stop(
                    "%s of the copy was not removed from %s/%s"
                    % (left[0], os.path.dirname(target.asked), self._part(target)),
                    "Look what it is, then run the same command again.",
                )
        return "undone", ""

    def keeps(self, begun: Facts, done: Optional[Facts]) -> str:
        """What a finish would remove."""
        if self.want["way"] == "rename":
            return ""
        with self.host.paths.place(self.want["source"]) as source:
            if not source.status(self._moved(source)):
                return ""
            size = sum(each["size"] for each in self._manifest())
            where = os.path.join(os.path.dirname(source.asked), self._moved(source))
            return "the old store %s, %d MB, copied to %s" % (
                where, -(-size // 10**6), self.want["target"],
            )  # fmt: skip

    def finish(self, begun: Facts, done: Optional[Facts], note: Note) -> str:
        """Remove what the manifest names and is unchanged; anything else stays, and is named."""
        target = self.host.paths.facts(self.want["target"])
        if target.get("inode") != begun["notes"].get("part"):
            raise Stop(
                "%s is not the copy that was made; the old store stays" % self.want["target"]
            )
        listed = {each["path"]: each for each in self._manifest()}
        with self.host.paths.place(self.want["source"]) as source:
            left = remove(source, self._moved(source), lambda each: manifests.same(each, listed))
        if left:
            return "these were not in the manifest and stay: %s" % ", ".join(left[:5])
        return "removed"


def _no_directory(source: Place) -> Stop:
    return Stop("%s is no directory" % source.asked, "ls -ld %s" % source.asked)


def _kind(place: Place) -> str:
    return str(place.facts()["type"])


def _count(place: Place) -> int:
    with place.opened(DIRECTORY) as directory:
        return len(os.listdir(directory))


class _Progress:
    """Bytes of a pass over the store, told about twice a second."""

    def __init__(self, action: MoveStore, words: str, found: List[copier.Entry]) -> None:
        self.action, self.words = action, words
        self.done, self.total = 0, sum(each["size"] for each in found)
        self.told = 0.0

    def __call__(self, size: int) -> None:
        """So many bytes more."""
        self.done += size
        if time.monotonic() - self.told > 0.5 or self.done == self.total:
            self.told = time.monotonic()
            told = {"done": self.done, "total": self.total, "unit": "bytes"}
            self.action.host.say("progress", text="%s the store" % self.words, **told)
