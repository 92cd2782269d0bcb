"""Storage speed: what the disks say of themselves, and what was measured if asked for."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Fsync, FsyncAnswer, Steps
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.block_devices import BlockDevice
from sesam_audit.facts.data_directory import DataDirectory
from sesam_audit.facts.storage import Storage
from sesam_audit.profile import Profile


class StorageSpeed(Struct, frozen=True):
    """The disks below the data directory, and how fast a write became durable there."""

    disks: tuple[BlockDevice, ...]
    fsync: FsyncAnswer | Unknown | None = None  # None: not asked for

    @classmethod
    def ask(cls, profile: Profile) -> Steps[StorageSpeed]:
        """Name the disks; write and sync a small file only with --measure-storage."""
        storage, fsync = yield from gather(Storage.ask(profile), attempt(_measure(profile)))
        return cls(storage.disks, fsync)


def _measure(profile: Profile) -> Steps[FsyncAnswer | None]:
    if not profile.measure_storage:
        return None
    directory = yield from DataDirectory.ask(profile)
    answer = yield from Fsync(directory.path)
    if answer.missing:
        raise Unknown(f"{directory.path} has yet to be made, so nothing was measured there")
    if answer.error in ("EACCES", "EPERM"):
        run = "sesam-audit run --measure-storage --sudo"
        raise needs_root(f"{directory.path} is not writable", run)
    if answer.error:
        raise Unknown(f"nothing was measured in {directory.path}: {answer.error}")
    return answer
