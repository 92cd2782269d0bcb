"""Copies a tree so that a copy that has its name is whole, and proves it by a second, cold read.

Each file is written under a temporary name, synced and renamed: after an interruption whatever has
its final name is whole, and everything else is begun again. Data only is read, holes stay holes;
hard links, owners, modes, times and extended attributes are kept. Sockets and devices are listed,
not copied. Nothing in the source is changed.
"""

import contextlib
import errno
import hashlib
import os
import stat
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from .stop import Stop

TEMPORARY = b".sesam-audit-part-"
FOLDER = stat.S_IFDIR
BLOCK = 1 << 20
Entry = Dict[str, Any]
Tell = Callable[[int], None]
_LEFT = (stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK)
_LINE = 4096


def entries(root: int, device: Optional[int] = None) -> Iterator[Entry]:
    """Everything below an open directory, parents first; names as bytes, spelt for JSON."""
    device = os.fstat(root).st_dev if device is None else device
    yield from _below(root, "", device)


def _below(directory: int, path: str, device: int) -> Iterator[Entry]:
    for name in sorted(os.listdir(directory)):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        inside = path + "/" + name if path else name
        if status.st_dev != device:
            raise Stop("%s is another file system" % inside, "Unmount it, or move it by hand.")
        entry = described(inside, status)
        if stat.S_ISLNK(status.st_mode):
            entry["text"] = os.readlink(name, dir_fd=directory)
        yield entry
        if stat.S_ISDIR(status.st_mode):
            deeper = os.open(name, _FOLDER, dir_fd=directory)
            try:
                yield from _below(deeper, inside, device)
            finally:
                os.close(deeper)


_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def described(path: str, status: os.stat_result) -> Entry:
    """What tells whether an entry is still the same."""
    return {
        "path": path,
        "kind": stat.S_IFMT(status.st_mode),
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "size": status.st_size if stat.S_ISREG(status.st_mode) else 0,
        "blocks": status.st_blocks,
        "mtime": status.st_mtime_ns,
        "ctime": status.st_ctime_ns,
        "inode": status.st_ino,
        "links": status.st_nlink,
    }


def needed(found: List[Entry]) -> Tuple[int, int]:
    """Bytes and inodes that a copy takes: allocated blocks, rounded up, with a reserve."""
    counted = {each["inode"]: each for each in found}.values()
    size = sum(each["blocks"] * 512 + _LINE for each in counted)
    return size * 105 // 100, len(counted)


class Copy:
    """One copy of an open source directory into an open target directory."""

    def __init__(self, source: int, target: int, tell: Tell) -> None:
        self.source, self.target, self.tell = source, target, tell
        self._linked = {}  # type: Dict[int, str]

    def run(self, found: List[Entry]) -> None:
        """Copy what is not there yet, then give directories their times, deepest first."""
        for entry in found:
            path = entry["path"]
            with opened(self.source, path) as (here, name), opened(self.target, path) as (there, _):
                self._one(entry, here, there, name)
        for entry in reversed(found):
            if entry["kind"] == stat.S_IFDIR:
                self._directory_ends(entry)
        self._prune(found)
        dress(self.source, self.target)
        os.fsync(self.target)

    def _one(self, entry: Entry, here: int, there: int, name: str) -> None:
        if entry["kind"] == stat.S_IFDIR:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=there)
        elif entry["kind"] == stat.S_IFREG:
            self._file(entry, here, there, name)
        elif entry["kind"] == stat.S_IFLNK:
            with contextlib.suppress(FileExistsError):
                os.symlink(entry["text"], name, dir_fd=there)
            os.chown(name, entry["uid"], entry["gid"], dir_fd=there, follow_symlinks=False)
            os.utime(name, ns=(entry["mtime"],) * 2, dir_fd=there, follow_symlinks=False)
        elif entry["kind"] == stat.S_IFIFO:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(name, 0o600, dir_fd=there)
            os.chown(name, entry["uid"], entry["gid"], dir_fd=there, follow_symlinks=False)
            os.chmod(name, entry["mode"], dir_fd=there)
            os.utime(name, ns=(entry["mtime"],) * 2, dir_fd=there, follow_symlinks=False)

    def _file(self, entry: Entry, here: int, there: int, name: str) -> None:
        first = self._linked.setdefault(entry["inode"], entry["path"])
        if first != entry["path"]:
            self._link(first, there, name)
        elif not self._whole(entry, there, name):
            self._write(entry, here, there, name)
        self.tell(entry["size"])

    def _whole(self, entry: Entry, there: int, name: str) -> bool:
        try:
            status = os.stat(name, dir_fd=there, follow_symlinks=False)
        except FileNotFoundError:
            return False
        same = (status.st_size, status.st_mtime_ns) == (entry["size"], entry["mtime"])
        if not same or not stat.S_ISREG(status.st_mode):
            os.unlink(name, dir_fd=there)
            return False
        return True

    def _link(self, first: str, there: int, name: str) -> None:
        with opened(self.target, first) as (folder, original):
            wanted = os.stat(original, dir_fd=folder, follow_symlinks=False).st_ino
            with contextlib.suppress(FileNotFoundError):
                if os.stat(name, dir_fd=there, follow_symlinks=False).st_ino == wanted:
                    return
                os.unlink(name, dir_fd=there)
            os.link(original, name, src_dir_fd=folder, dst_dir_fd=there, follow_symlinks=False)

    def _write(self, entry: Entry, here: int, there: int, name: str) -> None:
        temporary = os.fsdecode(TEMPORARY) + str(entry["inode"])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=there)
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            target = os.open(temporary, flags, 0o600, dir_fd=there)
            try:
                _pour(source, target, entry["size"])
                if changed(entry, os.fstat(source)):
                    raise Stop("%s changes while it is copied" % entry["path"], "", "changed")
                dress(source, target)
                os.fsync(target)
            finally:
                os.close(target)
            os.rename(temporary, name, src_dir_fd=there, dst_dir_fd=there)
        finally:
            os.close(source)

    def _directory_ends(self, entry: Entry) -> None:
        path = entry["path"]
        with opened(self.source, path) as (here, name), opened(self.target, path) as (there, _):
            source = os.open(name, _FOLDER, dir_fd=here)
            target = os.open(name, _FOLDER, dir_fd=there)
            try:
                dress(source, target)
                os.fsync(target)
            finally:
                os.close(source)
                os.close(target)

    def _prune(self, found: List[Entry]) -> None:
        """Our own torn writes are the only thing that may be there beside the copy."""
        known = {each["path"] for each in found}
        for entry in list(entries(self.target)):
            if entry["path"] not in known:
                name = entry["path"].rpartition("/")[2]
                if not os.fsencode(name).startswith(TEMPORARY):
                    raise Stop("%s is in the copy and not in the store" % entry["path"])
                with opened(self.target, entry["path"]) as (folder, last):
                    os.unlink(last, dir_fd=folder)


def _pour(source: int, target: int, size: int) -> None:
    """The data of a file, its holes left out."""
    at = 0
    while at < size:
        try:
            begin = os.lseek(source, at, os.SEEK_DATA)
            end = os.lseek(source, begin, os.SEEK_HOLE)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break
        at = begin
        while at < min(end, size):
            part = os.pread(source, min(BLOCK, end - at), at)
            if not part:
                break
            written = 0
            while written < len(part):
                written += os.pwrite(target, part[written:], at + written)
            at += len(part)
    os.ftruncate(target, size)


def dress(source: int, target: int) -> None:
    """Owner, attributes, mode and times of one open object for another."""
    status = os.fstat(source)
    os.fchown(target, status.st_uid, status.st_gid)
    for name in os.listxattr(source):
        try:
            os.setxattr(target, name, os.getxattr(source, name))
        except OSError as error:
            raise Stop(
                "the target cannot keep the attribute %s: %s" % (name, error.strerror)
            ) from error
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def changed(entry: Entry, status: os.stat_result) -> bool:
    """Say whether an entry is not what it was when it was listed."""
    now = described(entry["path"], status)
    return any(now[key] != entry[key] for key in ("inode", "size", "mtime", "ctime", "kind"))


def checksum(descriptor: int, size: int, cold: bool) -> str:
    """SHA-256 of an open file's content; cold: as it is on the disk, not in memory."""
    if cold:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    total, at = hashlib.sha256(), 0
    while at < size:
        part = os.pread(descriptor, BLOCK, at)
        if not part:
            break
        total.update(part)
        at += len(part)
    return total.hexdigest()


def compare(source: int, target: int, found: List[Entry], tell: Tell) -> List[Entry]:
    """Read both trees wholly; return the manifest: every entry, with its checksum.

    Raises Stop, and names the file, where the copy differs or the source changed.
    """
    copies = {each["path"]: each for each in entries(target)}
    manifest = []
    for entry in found:
        copy = copies.get(entry["path"])
        if entry["kind"] in _LEFT:
            manifest.append(entry)
            continue
        if copy is None or _unlike(entry, copy):
            raise Torn(entry["path"])
        total = _content(source, target, entry) if entry["kind"] == stat.S_IFREG else None
        manifest.append(dict(entry, sha256=total, copy=[copy["inode"], copy["mtime"]]))
        tell(entry["size"])
    return manifest


def forget(root: int, path: str) -> None:
    """Take one file of a copy away, so that it is copied again."""
    gone = contextlib.suppress(FileNotFoundError, IsADirectoryError, PermissionError)
    with opened(root, path) as (folder, name), gone:
        os.unlink(name, dir_fd=folder)


class Torn(Exception):
    """A file of the copy is not the source's."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def _unlike(entry: Entry, copy: Entry) -> bool:
    keys = ["kind", "uid", "gid", "size"]
    if entry["kind"] != stat.S_IFLNK:
        keys.append("mode")
    if entry["kind"] == stat.S_IFREG:
        keys += ["mtime", "links"]
    return any(entry[key] != copy[key] for key in keys) or entry.get("text") != copy.get("text")


def _content(source: int, target: int, entry: Entry) -> str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    sums = []
    for root, cold in ((source, False), (target, True)):
        with opened(root, entry["path"]) as (folder, name):
            descriptor = os.open(name, flags, dir_fd=folder)
            try:
                if not cold and changed(entry, os.fstat(descriptor)):
                    raise Stop("%s changed while it was copied" % entry["path"], "", "changed")
                sums.append(checksum(descriptor, entry["size"], cold))
            finally:
                os.close(descriptor)
    if sums[0] != sums[1]:
        raise Torn(entry["path"])
    return sums[0]


@contextlib.contextmanager
def opened(root: int, path: str) -> Iterator[Tuple[int, str]]:
    """The directory that holds a path below an open one, and the last name."""
    *folders, name = path.split("/")
    descriptor = os.dup(root)
    try:
        for each in folders:
            deeper = os.open(each, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor, name
    finally:
        os.close(descriptor)
