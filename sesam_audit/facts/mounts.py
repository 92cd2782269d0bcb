"""Mounts: what is mounted where, as the kernel tells it."""

from __future__ import annotations

import re
from posixpath import normpath

from msgspec import Struct

from sesam_audit.asks import File, StatAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.profile import Profile

MOUNTINFO = "/proc/self/mountinfo"
VOLATILE = frozenset({"tmpfs", "ramfs", "overlay", "overlayfs", "aufs", "squashfs", "devtmpfs"})
SERVED = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "lustre", "virtiofs"}
)


class Mount(Struct, frozen=True):
    """One line of mountinfo."""

    target: str
    source: str
    fstype: str
    options: tuple[str, ...] = ()  # of the mount and of its file system
    device: str = ""  # "8:1"
    root: str = "/"  # the part of the file system that is mounted

    @property
    def read_only(self) -> bool:
        return "ro" in self.options

    @property
    def volatile(self) -> bool:
        """Whether what is written here is gone after a reboot, or was never writable."""
        return self.fstype in VOLATILE

    @property
    def served(self) -> bool:
        """Whether a server, or a program in user space, keeps the files."""
        return self.fstype in SERVED or self.fstype.partition(".")[0] in ("fuse", "fuseblk")


class Mounts(Struct, frozen=True):
    """All mounts the probe sees, in the order in which they were made."""

    mounts: tuple[Mount, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Mounts]:
        answer = yield from File(MOUNTINFO, limit=262_144)
        text = answer.read(MOUNTINFO)
        if not text:
            raise Unknown(f"{MOUNTINFO} is not there", f"cat {MOUNTINFO}")
        return cls(tuple(_parse(line) for line in text.splitlines() if " - " in line))

    def holding(self, path: str) -> Mount | None:
        """The mount that holds a path without links: longest prefix, of equals the later."""
        path, found = normpath(path), None
        for mount in self.mounts:
            if below(path, mount.target) and (not found or len(mount.target) >= len(found.target)):
                found = mount
        return found

    def at(self, path: str) -> Mount | None:
        """The visible mount whose mount point is exactly this path."""
        mount = self.holding(path)
        return mount if mount and mount.target == normpath(path) else None


def mount_point(path: str, answer: StatAnswer) -> str:
    """Where the kernel, and systemd, know a mount on this path: links are resolved."""
    return answer.resolved.path if answer.resolved and answer.resolved.path else path


def below(path: str, folder: str) -> bool:
    """Whether a path is a folder's own, or lies in it."""
    folder = folder.rstrip("/")
    return path == folder or path.startswith(f"{folder}/")


def _parse(line: str) -> Mount:
    left, _, right = line.partition(" - ")
    fields, kind = left.split(" "), right.split(" ")
    flags = [*fields[5].split(","), *(kind[2].split(",") if len(kind) > 2 else [])]
    return Mount(
        target=unescaped(fields[4]),
        source=unescaped(kind[1]) if len(kind) > 1 else "",
        fstype=kind[0],
        options=tuple(dict.fromkeys(unescaped(flag) for flag in flags if flag)),
        device=fields[2],
        root=unescaped(fields[3]),
    )


def unescaped(text: str) -> str:
    """A word of mountinfo or fstab, where blanks are written as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
