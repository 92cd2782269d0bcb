"""A file: new whole or not at all; replaced by one swap of names, with the old one kept beside it.

To replace: write the new file without a name and sync it, give it a temporary name, link the old
file to NAME.sesam-audit-RUN.old, swap name and temporary name in one step, make sure that what came
out is the file that was looked at, and only then take the temporary name away. Whoever edits the
old file meanwhile edits the kept one.
"""

import contextlib
import errno
import hashlib
import os
from typing import Iterator, List, Optional

from . import kernel
from .action import Action, Facts, Note, Stop, UndoResult
from .directory import halfway, owning
from .paths import READING, Place, described
from .swap import Swap, stamped

_NAMELESS = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
_NAMED = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.ENOSYS)
_LARGEST = 16 << 20
MEANWHILE = "it was changed by somebody else meanwhile"


class File(Action):
    """`after`: path, uid, gid, mode, content (null: the secret), sha256 but of none, kept_in."""

    kind = "file"

    def content(self) -> Optional[bytes]:
        """What the file is to hold; None where that did not come along, as in an undo."""
        text = self.want.get("content")
        secret = self.spec.get("secret")
        if text is None and secret and self.host.has_secret(secret):
            text = self.host.secret(secret)
        return None if text is None else text.encode("utf-8")

    def equal(self, found: bytes) -> bool:
        """Say whether a content is as good as the wanted one."""
        wanted = self.content()
        if wanted is None:
            secret = self.spec.get("secret")
            known = self.host.sum_of(secret) if secret else self.want.get("sha256")
            return known is not None and known == self.sum(found)
        if self.spec.get("secret") == "license":  # pasted through a clipboard, it is the same one
            return found.split() == wanted.split()
        return found == wanted

    def sum(self, content: bytes) -> Optional[str]:
        """What journals say of a content: a secret's hash is under this machine's key."""
        if self.spec.get("secret"):
            return self.host.keyed(content)
        return hashlib.sha256(content).hexdigest()

    def look(self) -> Facts:
        now = self.host.paths.facts(self.want["path"])
        if now["type"] == "file":
            with self.host.paths.place(self.want["path"]) as place, place.opened(READING) as file:
                if now["size"] > _LARGEST:
                    raise Stop("%s is larger than 16 MiB" % place.asked, "Look what it is.")
                content = _read(file)
            now.update(sum=self.sum(content), wanted=self.equal(content))
        return now

    def holds(self, now: Facts) -> bool:
        return now["type"] == "file" and now["wanted"] and owning(now) == self._owning()

    def same(self, was: Facts, now: Facts) -> bool:
        was, now = dict(was), dict(now)
        if None in (was.get("sum"), now.get("sum")):  # a first look, before there was a key
            was.pop("sum", None)
            now.pop("sum", None)
        return super().same(was, now)

    def _owning(self) -> Facts:
        uid, gid = self.host.uid(self.want["uid"]), self.host.gid(self.want["gid"])
        return {"uid": uid, "gid": gid, "mode": self.want["mode"]}

    @contextlib.contextmanager
    def _placed(self) -> Iterator[Swap]:
        with contextlib.ExitStack() as stack:
            place = stack.enter_context(self.host.paths.place(self.want["path"]))
            beside = self.want.get("kept_in")
            kept = place
            if beside:
                inside = "%s/%s" % (beside.rstrip("/"), place.name)
                kept = stack.enter_context(self.host.paths.place(inside))
            yield Swap(place, kept.directory, self.host.name)

    def do(self, was: Facts, note: Note) -> None:
        if was["type"] not in ("absent", "file"):
            raise Stop(
                "%s is a %s, a file is needed there" % (self.want["path"], was["type"]),
                "Look what it is, and move it away.",
            )
        content = self.content()
        if content is None:
            raise Stop("what it is to hold did not come along", "Run the same command again.")
        planned = self.want.get("sha256")
        if planned and hashlib.sha256(content).hexdigest() != planned:
            raise Stop("its content is not the one that was approved", "", "changed")
        with self._placed() as swap:
            if was["type"] == "absent":
                self._create(swap.place, swap.place.name, None, content, note)
                swap.sync()
            elif was["wanted"] and was["links"] == 1:
                self._own(swap.place, was)
            else:
                self._replace(swap, was, content, note)

    def _own(self, place: Place, was: Facts) -> None:
        with place.opened(READING) as file:
            now = described(os.fstat(file))
            if now["inode"] != was["inode"] or now["links"] != 1:
                raise Stop(MEANWHILE, kind="changed")
            want = self._owning()
            os.fchown(file, want["uid"], want["gid"])
            os.fchmod(file, int(want["mode"], 8))
            os.fsync(file)

    def _replace(self, swap: Swap, was: Facts, content: bytes, note: Note) -> None:
        with swap.place.opened(READING) as old:
            if not stamped(described(os.fstat(old)), was):
                raise Stop(MEANWHILE, kind="changed")
            self._create(swap.place, swap.temporary, old, content, note)
        swap.keep(was["inode"])
        swap.sync()
        swap.exchange(was)

    def _create(
        self, place: Place, name: str, old: Optional[int], content: bytes, note: Note
    ) -> None:
        """Put a whole, synced file at a free name."""
        temporary = Swap(place, place.directory, self.host.name).temporary
        nameless = True
        try:
            file = os.open(".", _NAMELESS, 0o600, dir_fd=place.directory)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            nameless = False
            file = os.open(temporary, _NAMED, 0o600, dir_fd=place.directory)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            _copy_attributes(old, file)
            want = self._owning()
            os.fchown(file, want["uid"], want["gid"])
            os.fchmod(file, int(want["mode"], 8))
            os.fsync(file)
            note(new=os.fstat(file).st_ino, sum=self.sum(content))
            if nameless:
                os.link("/proc/self/fd/%d" % file, name, dst_dir_fd=place.directory)
            elif name != temporary:
                kernel.rename(temporary, name, kernel.NOREPLACE, place.directory)
        finally:
            os.close(file)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        with self._placed() as swap:
            swap.tidy(was, notes)
            now = self.look()
            if self.holds(now):
                if was["type"] == "file" and now["inode"] != was["inode"]:
                    swap.check_kept(was["inode"])
                return
            states = halfway(was, self._owning()) if was["type"] == "file" else {}
            untouched = was["type"] == now["type"] == "absent" or (
                stamped(now, was) and all(now[key] in states[key] for key in states)
            )
            if not untouched:
                raise Stop(
                    "it was interrupted, and %s was changed since" % self.want["path"],
                    kind="changed",
                )
        self.do(now, note)

    def sync(self) -> None:
        with self._placed() as swap:
            with swap.place.opened(READING) as file:
                os.fsync(file)
            swap.sync()

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        before, notes = begun["before"], begun["notes"]
        try:
            with self._placed() as swap:
                swap.tidy(before, notes)
                now = self.look()
                ours = "new" in notes and (
                    (now.get("inode"), now.get("sum")) == (notes["new"], notes["sum"])
                )
                if before["type"] == "absent":
                    return swap.remove(notes) if ours else swap.gone()
                if now.get("inode") == before["inode"]:
                    return self._disowned(swap, before, now, notes)
                return (
                    swap.put_back(before, now, notes) if ours else ("left", "it was changed since")
                )
        except FileNotFoundError:
            return ("undone", "") if begun["before"]["type"] == "absent" else ("left", "it is gone")

    def keeps(self, begun: Facts, done: Optional[Facts]) -> str:
        """What a finish would remove: the old file, while it only has the name that we gave it."""
        with contextlib.suppress(FileNotFoundError), self._placed() as swap:
            if swap.holds_old(begun["before"]):
                return "the old %s, kept as %s" % (self.want["path"], swap.old)
        return ""

    def finish(self, begun: Facts, done: Optional[Facts], note: Note) -> str:
        with self._placed() as swap:
            if not swap.holds_old(begun["before"]):
                raise Stop("%s is not the old file any more" % swap.old, "", "changed")
            swap.drop(begun["before"], {})
        return "removed"

    def _disowned(self, swap: Swap, before: Facts, now: Facts, notes: Facts) -> UndoResult:
        """The old file is in its place: give it its owner back, take our second name of it away."""
        swap.drop(before, notes)
        if owning(now) != owning(before):
            states = halfway(before, self._owning())
            if not all(now[key] in states[key] for key in states):
                return "left", "its owner or mode was changed since"
            with swap.place.opened(READING) as file:
                if os.fstat(file).st_ino != before["inode"]:
                    return "left", MEANWHILE
                os.fchown(file, before["uid"], before["gid"])
                os.fchmod(file, int(before["mode"], 8))
                os.fsync(file)
        return "undone", ""


def _read(file: int) -> bytes:
    parts: List[bytes] = []
    while True:
        part = os.read(file, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _copy_attributes(old: Optional[int], new: int) -> None:
    """ACLs, SELinux label and other extended attributes of the file that is replaced."""
    if old is None:
        return
    try:
        names = os.listxattr(old)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return
        raise
    for name in names:
        if name != "security.capability":
            os.setxattr(new, name, os.getxattr(old, name))
