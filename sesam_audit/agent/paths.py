"""Paths, walked from the root by descriptors, one name at a time.

A link on the way is followed only where nobody but root could have placed it: in a directory that
root owns and that neither group nor others may write. What is found is held by descriptor, so what
is changed is what was looked at, whatever happens to the names meanwhile.
"""

import contextlib
import errno
import os
import stat
from typing import Any, Dict, Iterator, List, Optional, Tuple

from .stop import Stop

Facts = Dict[str, Any]

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
OBJECT = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LINKS = 16  # followed on one path, at most

TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Place:
    """A name in a directory that is held open."""

    def __init__(self, directory: int, name: str, asked: str) -> None:
        self.directory = directory
        self.name = name
        self.asked = asked

    def status(self, name: Optional[str] = None) -> Optional[os.stat_result]:
        """What the name is, never what it leads to; None when there is nothing."""
        try:
            return os.stat(name or self.name, dir_fd=self.directory, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def text(self, name: Optional[str] = None) -> str:
        """Where a link points."""
        return os.readlink(name or self.name, dir_fd=self.directory)

    @contextlib.contextmanager
    def opened(self, flags: int, name: Optional[str] = None) -> Iterator[int]:
        """A descriptor of the name's object, for as long as it is needed."""
        descriptor = os.open(name or self.name, flags | os.O_NOFOLLOW, dir_fd=self.directory)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def unlink(self, name: Optional[str] = None) -> None:
        """Take one name away; the caller has looked at what it is."""
        os.unlink(name or self.name, dir_fd=self.directory)

    def sync(self) -> None:
        """Bring the directory's names to the disk."""
        os.fsync(self.directory)

    def facts(self) -> Facts:
        """The object as the plan is bound to it."""
        status = self.status()
        if status is None:
            return {"type": "absent", "mount": mount(self.directory)}
        found = described(status)
        if found["type"] == "link":
            found["text"] = self.text()
        with self.opened(OBJECT) as descriptor:
            found["mount"] = mount(descriptor)
        return found


def described(status: os.stat_result) -> Facts:
    """What a status says that does not change by itself; a directory's times and size do."""
    found = {
        "type": TYPES.get(stat.S_IFMT(status.st_mode), "unknown"),
        "inode": status.st_ino,
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mode": "%04o" % stat.S_IMODE(status.st_mode),
    }  # type: Facts
    if found["type"] == "file":
        found.update(
            size=status.st_size, mtime=status.st_mtime_ns, ctime=status.st_ctime_ns,
            links=status.st_nlink,
        )  # fmt: skip
    return found


def mount_id(descriptor: int) -> str:
    """The number of the mount that holds an open object."""
    with open("/proc/self/fdinfo/%d" % descriptor) as lines:
        return next(line.split()[1] for line in lines if line.startswith("mnt_id"))


def mount(descriptor: int) -> Facts:
    """The mount that holds an open object. Its number and device last until the next boot."""
    number = mount_id(descriptor)
    with open("/proc/self/mountinfo", "rb") as lines_of_bytes:
        for each in lines_of_bytes:
            words = str(each, "utf-8", "backslashreplace").split()
            if words[0] == number:
                kind = words[words.index("-") + 1]
                return {"id": int(number), "device": words[2], "at": words[4], "type": kind}
    return {"id": int(number), "device": "", "at": "", "type": ""}


class Paths:
    """The machine's paths, below a root."""

    def __init__(self, root: str = "/") -> None:
        self.root = root

    @contextlib.contextmanager
    def place(self, path: str) -> Iterator[Place]:
        """A path's last name in its directory. FileNotFoundError: there is no such directory."""
        descriptor, names = self._walked(path)
        try:
            if len(names) > 1:
                raise FileNotFoundError(errno.ENOENT, "there is no directory for it", path)
            yield Place(descriptor, names[0], path)
        finally:
            os.close(descriptor)

    def facts(self, path: str) -> Facts:
        """What is at a path. An absent one has the mount that would hold it."""
        descriptor, names = self._walked(path)
        try:
            if len(names) > 1:
                return {"type": "absent", "mount": mount(descriptor)}
            return Place(descriptor, names[0], path).facts()
        finally:
            os.close(descriptor)

    def _walked(self, path: str) -> Tuple[int, List[str]]:
        """The deepest directory that there is on the way, and the names that remain."""
        names, left = _names(path), _LINKS
        real: List[str] = []
        descriptor = os.open(self.root, DIRECTORY)
        try:
            while len(names) > 1:
                try:
                    deeper = os.open(names[0], DIRECTORY, dir_fd=descriptor)
                except FileNotFoundError:
                    break
                except OSError as error:
                    if error.errno not in (errno.ELOOP, errno.ENOTDIR) or not left:
                        raise
                    left -= 1
                    names = _led(descriptor, real, names[0], path) + names[1:]
                    real = []
                    deeper = os.open(self.root, DIRECTORY)
                else:
                    real.append(names.pop(0))
                os.close(descriptor)
                descriptor = deeper
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, names


def _names(path: str) -> List[str]:
    names = [name for name in path.split("/") if name not in ("", ".")]
    if not path.startswith("/") or ".." in names or not names or "\0" in path:
        raise Stop("%r is no path that this program takes" % path)
    return names


def _led(directory: int, real: List[str], name: str, path: str) -> List[str]:
    """The names from the root that a trusted link in a directory leads to."""
    here = "/" + "/".join(real + [name])
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        raise Stop("%s is no directory, so there is no %s" % (here, path))
    holder = os.fstat(directory)
    if holder.st_uid or holder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Stop(
            "%s is a link in a directory that not only root can write; it is not followed" % here,
            "Use the path that it leads to.",
        )
    text = os.readlink(name, dir_fd=directory)
    names = [each for each in text.split("/") if each not in ("", ".")]
    start = [] if text.startswith("/") else list(real)
    while names and names[0] == "..":
        names.pop(0)
        start = start[:-1]
    if ".." in names:
        raise Stop("%s is a link to %s, which is not followed" % (here, text))
    return start + names
