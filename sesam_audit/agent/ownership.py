"""Gives what lies below some directories to its owner: offenders only, each by its descriptor.

The walk follows no link, stays on the mount of each root and ends at a limit. The list of what will
be changed, with what is needed to take it back, is on the disk before the first change. A file with
names outside of what was walked is somebody else's too: it is named and left.
"""

import contextlib
import errno
import json
import os
import stat
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import kernel
from .action import Action, Facts, Note, Stop, UndoResult
from .holders import mounts_below
from .journal import canonical
from .paths import DIRECTORY, OBJECT, described, mount_id

Entry = Dict[str, Any]
LIMIT = 1000000
_CAPABILITY = "security.capability"
_EVERY = 2000  # entries between two words of progress
_SHOWN = 5


class Ownership(Action):
    """`after`: roots, uid, gid, passed_over (paths), names (passed over anywhere), limit."""

    kind = "ownership"

    def look(self) -> Facts:
        walk = self._walk(whole=False)
        shown = [{key: each[key] for key in ("path", "uid", "gid")} for each in walk.offenders]
        return {
            "type": "tree",
            "roots": [self.host.paths.facts(root) for root in self.want["roots"]],
            "count": walk.count,
            "seen": walk.seen,
            "sample": shown[:_SHOWN],
            "left": walk.left[:_SHOWN],
        }

    def _walk(self, whole: bool = True) -> "Walk":
        uid, gid = self.host.uid(self.want["uid"]), self.host.gid(self.want["gid"])
        walk = Walk(self, uid, gid, whole)
        for root in self.want["roots"]:
            walk.root(root)
        walk.end()
        return walk

    def holds(self, now: Facts) -> bool:
        return bool(now["count"] == 0 and all(each["type"] != "absent" for each in now["roots"]))

    def same(self, was: Facts, now: Facts) -> bool:
        """Earlier steps of a plan make and mend: the roots must be the same, not the count."""
        pairs = zip(was["roots"], now["roots"])  # noqa: B905 - Python 3.6
        keys = ("type", "inode", "mount")
        return all(
            before["type"] == "absent"
            or super(Ownership, self).same(
                {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}
            )
            for before, after in pairs
        )

    def do(self, was: Facts, note: Note) -> None:
        walk = self._walk()
        lines = b"".join(canonical(each) + b"\n" for each in walk.offenders)
        self.host.keep(self._list(), lines)
        note(count=len(walk.offenders), left=walk.left[:50])
        self._change(walk.offenders)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        """Go on with the list on the disk; nothing was changed before there was one."""
        if not self.same(was, self.look()):
            raise Stop("the directories are not the same any more", kind="changed")
        if self.host.kept(self._list()) is None:
            self.do(was, note)
        else:
            self._change(self._listed())
            rest = self._walk().offenders
            if rest:  # made since
                known = {each["path"]: each for each in rest}
                known.update((each["path"], each) for each in self._listed())
                self.host.keep(
                    self._list(), b"".join(canonical(each) + b"\n" for each in known.values())
                )
                self._change(rest)

    def _list(self) -> str:
        return "ownership-%s" % self.spec["id"]

    def _listed(self) -> List[Entry]:
        lines = (self.host.kept(self._list()) or b"").splitlines()
        return [json.loads(line.decode("ascii")) for line in lines]

    def _change(self, entries: List[Entry]) -> None:
        uid, gid = self.host.uid(self.want["uid"]), self.host.gid(self.want["gid"])
        if uid is None or gid is None:
            raise Stop("there is no user %s yet" % self.want["uid"])
        for number, entry in enumerate(entries):
            if number % _EVERY == 0 and number:
                self.host.say("progress", action=self.spec["id"], done=number, total=len(entries))
            with self._held(entry) as held:
                if held is not None:
                    _give(held, entry, uid, gid)

    @contextlib.contextmanager
    def _held(self, entry: Entry) -> Iterator[Optional[int]]:
        """The very object of a listed entry; None when it is another one now, or gone."""
        descriptor = None
        try:
            try:
                with self.host.paths.place(os.fsdecode(bytes.fromhex(entry["raw"]))) as place:
                    descriptor = os.open(place.name, OBJECT, dir_fd=place.directory)
            except (FileNotFoundError, NotADirectoryError, Stop):
                descriptor = None
            else:
                status = os.fstat(descriptor)
                links = 1 if stat.S_ISDIR(status.st_mode) else status.st_nlink
                same = (status.st_ino, links) == (entry["inode"], entry["links"])
                if not same or stat.S_IFMT(status.st_mode) != entry["format"]:
                    os.close(descriptor)
                    descriptor = None
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def sync(self) -> None:
        for root in self.want["roots"]:
            with self.host.paths.place(root) as place, place.opened(DIRECTORY) as directory:
                kernel.sync_all(directory)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        """Give back what is still as this action left it."""
        uid, gid = self.host.uid(self.want["uid"]), self.host.gid(self.want["gid"])
        left = 0
        for entry in reversed(self._listed()):
            with self._held(entry) as held:
                if held is None:
                    left += 1
                    continue
                now = os.fstat(held)
                if (now.st_uid, now.st_gid) not in ((uid, gid), (entry["uid"], entry["gid"])):
                    left += 1
                    continue
                _give(held, entry, entry["uid"], entry["gid"])
        with contextlib.suppress(FileNotFoundError):
            self.sync()
        if left:
            return "left", "%d entries are gone or were changed since" % left
        return "undone", ""


class Walk:
    """The offenders below some roots: all, as entries that undo can work from, or how many."""

    def __init__(
        self, action: Ownership, uid: Optional[int], gid: Optional[int], whole: bool = True
    ) -> None:
        self.action = action
        self.whole = whole
        self.owner = (uid, gid)
        want = action.want
        self.passed_over = set(want.get("passed_over", ()))
        self.names = set(want.get("names", ("lost+found",)))
        self.limit = want.get("limit") or LIMIT
        self.offenders: List[Entry] = []
        self.count = 0
        self.left: List[str] = []
        self.seen = 0
        self._links: Dict[Tuple[int, int], List[Any]] = {}

    def root(self, path: str) -> None:
        """Walk one root; an absent one has no offenders."""
        try:
            with self.action.host.paths.place(path) as place:
                descriptor = os.open(place.name, DIRECTORY, dir_fd=place.directory)
        except FileNotFoundError:
            return
        try:
            self._seen(descriptor, path, os.fstat(descriptor))
            self._below(descriptor, path, Home(descriptor, path, self.whole))
        finally:
            os.close(descriptor)

    def end(self) -> None:
        """Judge the files with several names, when all roots have been seen."""
        for links, count, entry in self._links.values():
            if links == count:
                self._offends(entry)
            else:
                self.left.append(
                    "%s has %d names, %d of them elsewhere" % (entry["path"], links, links - count)
                )

    def _below(self, directory: int, path: str, home: "Home") -> None:
        """One directory's entries, deeper ones with one more descriptor each."""
        for name in sorted(os.listdir(directory)):
            inside = "%s/%s" % (path.rstrip("/"), name)
            if inside in self.passed_over or name in self.names:
                continue
            try:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if self._settled(inside, status, home):
                    continue
                descriptor = os.open(name, OBJECT, dir_fd=directory)
            except FileNotFoundError:
                continue
            try:
                status = os.fstat(descriptor)
                if not home.holds(descriptor, inside, status):
                    continue
                self._seen(descriptor, inside, status)
                if stat.S_ISDIR(status.st_mode):
                    self._deeper(descriptor, inside, home)
            finally:
                os.close(descriptor)

    def _settled(self, path: str, status: os.stat_result, home: "Home") -> bool:
        """Whether a look at the name is enough: most entries are no directory, and owned well."""
        if stat.S_ISDIR(status.st_mode) or (status.st_uid, status.st_gid) != self.owner:
            return False
        if path not in home.points:
            self._count()
        return True

    def _deeper(self, held: int, path: str, home: "Home") -> None:
        try:
            descriptor = os.open(".", DIRECTORY, dir_fd=held)
        except FileNotFoundError:
            return
        try:
            self._below(descriptor, path, home)
        except RecursionError:
            raise Stop("%s lies too deep" % path) from None
        finally:
            os.close(descriptor)

    def _count(self) -> None:
        self.seen += 1
        if self.seen > self.limit:
            raise Stop(
                "there are more than %d entries" % self.limit, "Give them their owner by hand."
            )

    def _offends(self, entry: Entry) -> None:
        self.count += 1
        if self.whole or self.count <= _SHOWN:
            self.offenders.append(entry)

    def _seen(self, descriptor: int, path: str, status: os.stat_result) -> None:
        self._count()
        if (status.st_uid, status.st_gid) == self.owner:
            return
        entry = {
            "path": path.encode("utf-8", "backslashreplace").decode(),
            "raw": os.fsencode(path).hex(),
            "inode": status.st_ino,
            "links": 1 if stat.S_ISDIR(status.st_mode) else status.st_nlink,
            "format": stat.S_IFMT(status.st_mode),
            "uid": status.st_uid,
            "gid": status.st_gid,
            "mode": stat.S_IMODE(status.st_mode),
            "capability": _capability(descriptor) if self.whole else "",
        }
        kind = stat.S_IFMT(status.st_mode)
        if kind in (stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK):
            self.left.append("%s is a %s" % (entry["path"], described(status)["type"]))
        elif kind == stat.S_IFREG and status.st_nlink > 1:
            known = self._links.setdefault((status.st_dev, status.st_ino), [0, 0, entry])
            known[0], known[1] = status.st_nlink, known[1] + 1
        else:
            self._offends(entry)


class Home:
    """The mount of a root, told from others without reading the table of mounts for each entry.

    Directories, and whatever is to be changed, are asked which mount they are on; device numbers
    tell nothing, with bind mounts, subvolumes and overlays.
    """

    def __init__(self, root: int, path: str, strict: bool) -> None:
        self.number, self.strict = mount_id(root), strict
        real = os.readlink("/proc/self/fd/%d" % root)
        self.points = {path.rstrip("/") + each[len(real) :] for each in mounts_below(real)}

    def holds(self, descriptor: int, path: str, status: os.stat_result) -> bool:
        """Say whether an object is on it."""
        asked = self.strict or stat.S_ISDIR(status.st_mode)
        return path not in self.points and not (asked and mount_id(descriptor) != self.number)


def _capability(descriptor: int) -> str:
    try:
        return os.getxattr("/proc/self/fd/%d" % descriptor, _CAPABILITY).hex()
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM):
            return ""
        raise


def _give(held: int, entry: Entry, uid: int, gid: int) -> None:
    """Change the owner, then restore what that strips: setuid, setgid and capabilities."""
    kernel.own(held, uid, gid)
    if entry["format"] == stat.S_IFLNK:
        return
    itself = "/proc/self/fd/%d" % held
    mode = stat.S_IMODE(os.fstat(held).st_mode)
    stripped = entry["mode"] & ~mode & (stat.S_ISUID | stat.S_ISGID)
    if stripped:
        os.chmod(itself, mode | stripped)
    if entry["capability"]:
        os.setxattr(itself, _CAPABILITY, bytes.fromhex(entry["capability"]))
