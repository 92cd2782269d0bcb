"""Storage: the file system and the device that hold the data directory."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import dirname, join, relpath
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import Resolved, Run, RunAnswer, Space, Stat, StatAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.block_devices import BlockDevice, BlockDevices
from sesam_audit.facts.data_directory import DataDirectory
from sesam_audit.facts.mounts import Mount, Mounts
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size
from sesam_audit.wanted import NODE, STORE

_SPANNING = frozenset({"btrfs", "zfs", "bcachefs"})
"""File systems of several devices: the file system is judged, not one device of it."""


class Storage(Struct, frozen=True):
    """What holds the data directory, also one that has yet to be made."""

    path: str
    mount: Mount
    total: Size  # of the file system
    available: Size = Size(0)  # for a non-root user
    inodes: int = 0  # 0 where the file system makes them as needed
    inodes_available: int = 0
    device: BlockDevice | None = None  # None where no single device stands for it
    disks: tuple[BlockDevice, ...] = ()  # the disks at the bottom

    @property
    def size(self) -> Size:
        """What is judged: the device, or the file system where no device stands for it."""
        return self.device.size if self.device else self.total

    @property
    def hidden(self) -> bool:
        """Whether there should be a device, but the host does not show it."""
        plain = self.mount.source.startswith("/dev/") and self.mount.fstype not in _SPANNING
        return plain and self.device is None

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Storage]:
        """Find the data directory's mount and device, then measure the file system."""
        directory, mounts, devices, stats = yield from gather(
            DataDirectory.ask(profile), Mounts.ask(profile), BlockDevices.ask(profile), _look()
        )
        mount = mounts.holding(_real(directory.path, stats))
        if mount is None:
            raise Unknown(f"no mount holds {directory.path}", f"findmnt -T {quote(directory.path)}")
        space, dataset = yield from gather(Space(mount.target), _dataset(mount))
        if space.error:
            raise denied(space, mount.target, f"df -B1 {quote(mount.target)}")
        device = devices.under(mount)
        return cls(
            path=directory.path,
            mount=mount,
            total=dataset or Size(space.total),
            available=Size(space.available),
            inodes=space.inodes,
            inodes_available=space.inodes_available,
            device=None if mount.fstype in _SPANNING else device,
            disks=devices.disks(device) if device else (),
        )


def _look() -> Steps[dict[str, StatAnswer]]:
    """Where the documented places really lie; Linux resolves links, mountinfo has none."""
    paths = [path for place in (STORE, NODE) for path in _upwards(place)]
    answers = yield from every(Stat(path) for path in paths)
    return dict(zip(paths, answers, strict=True))


def _upwards(path: str) -> list[str]:
    return [path, *_upwards(dirname(path))] if path != "/" else []


def _real(path: str, stats: Mapping[str, StatAnswer]) -> str:
    """The path without links; what is missing will be made below its nearest ancestor."""
    for place in _upwards(path):
        answer = stats.get(place)
        if answer is None or answer.missing:
            continue
        if answer.error:
            raise denied(answer, place)
        found = answer.resolved or Resolved()
        if found.error not in (None, "ENOENT"):
            raise denied(StatAnswer(error=found.error), place)
        return join(found.path or place, relpath(path, place))
    return path


def _dataset(mount: Mount) -> Steps[Size | None]:
    """What a ZFS dataset may grow to; statvfs leaves out what its snapshots hold."""
    if mount.fstype != "zfs":
        return None
    argv = ("zfs", "get", "-Hpo", "value", "used,available", mount.source)
    answer = yield from attempt(Run(argv))
    words = answer.out.split() if isinstance(answer, RunAnswer) and answer.code == 0 else []
    return Size(sum(map(int, words))) if len(words) == 2 and all(map(str.isdigit, words)) else None
