"""Who has something open below a directory: files, maps, working directories and mounts."""

import contextlib
import os
import re
from typing import Iterator, List, Tuple

_ESCAPE = re.compile(rb"\\([0-7]{3})")


def holders(directory: int, path: str) -> List[str]:
    """Processes that have anything open below an open directory, in words.

    A process in a mount namespace of its own calls the same files by other paths, so what it has
    open is compared by device and inode of the directories above it.
    """
    status = os.fstat(directory)
    root = (status.st_dev, status.st_ino)
    inodes = _inodes(directory)
    found = []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid == os.getpid():
            continue
        opened = next((what for what in _opened(pid) if what in inodes or what == root), None)
        if opened:
            found.append("%s (process %d) has files below %s open" % (_name(pid), pid, path))
    return found


def _inodes(directory: int) -> "set[Tuple[int, int]]":
    found = set()
    for _, folders, files, descriptor in os.fwalk(".", dir_fd=directory, follow_symlinks=False):
        for name in folders + files:
            with contextlib.suppress(OSError):
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                found.add((status.st_dev, status.st_ino))
    return found


def _opened(pid: int) -> Iterator[Tuple[int, int]]:
    """Device and inode of everything a process has open or mapped."""
    here = "/proc/%d" % pid
    paths = [here + "/cwd", here + "/root"]
    for folder in ("fd", "map_files"):
        with contextlib.suppress(OSError):
            paths += ["%s/%s/%s" % (here, folder, name) for name in os.listdir(here + "/" + folder)]
    for path in paths:
        with contextlib.suppress(OSError):
            status = os.stat(path)
            yield status.st_dev, status.st_ino


def _name(pid: int) -> str:
    with contextlib.suppress(OSError), open("/proc/%d/comm" % pid) as file:
        return file.read().strip()
    return "a program that has ended"


def mounts_below(path: str) -> List[str]:
    """The mount points at a path and below it."""
    wanted, found = os.fsencode(path.rstrip("/")), []
    with open("/proc/self/mountinfo", "rb") as lines:
        for line in lines:
            at = _ESCAPE.sub(lambda octal: bytes([int(octal.group(1), 8)]), line.split()[4])
            if at == wanted or at.startswith(wanted + b"/"):
                found.append(os.fsdecode(at))
    return sorted(found)
