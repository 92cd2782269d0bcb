"""Block devices: disks, partitions and what is stacked on them, as sysfs shows them to anyone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from sesam_audit.asks import Files, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import every
from sesam_audit.facts.mounts import Mount
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size

ROOT = "/sys/class/block"
_PATTERNS = (
    *("*/dev", "*/size", "*/queue/rotational", "*/device/vendor", "*/device/model"),
    *("*/dm/name", "*/dm/uuid", "*/slaves/*/dev", "*/*/partition"),
)
_SECTOR = 512  # sysfs counts in these, whatever the device's own sectors are
_VIRTUAL = re.compile(r"(vd|xvd|loop|nbd|rbd|zd|zram|ram)[0-9a-z]")
_HYPERVISORS = re.compile(
    r"qemu|vbox|virtual|vmware|msft|google|xen|nutanix|proxmox", re.IGNORECASE
)


class BlockDevice(Struct, frozen=True):
    """One block device; `rotational` is None for what has no queue of its own (partitions)."""

    name: str
    number: str = ""  # "8:1"
    size: Size = Size(0)
    rotational: bool | None = None
    label: str = ""  # vendor and model
    dm_name: str = ""
    dm_uuid: str = ""
    parent: str = ""  # the disk this is a partition of
    slaves: tuple[str, ...] = ()  # what this is stacked on

    @property
    def virtual(self) -> bool:
        """Whether a hypervisor made it: its flag then says little about the storage behind."""
        return bool(_VIRTUAL.match(self.name) or _HYPERVISORS.search(self.label))


class BlockDevices(Struct, frozen=True):
    """All block devices of the machine."""

    devices: tuple[BlockDevice, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[BlockDevices]:
        """Read what sysfs says of each device."""
        answers = yield from every(Files(f"{ROOT}/{pattern}") for pattern in _PATTERNS)
        if answers[0].error or (not answers[0].files and answers[0].errors):
            raise Unknown(f"{ROOT} could not be read", "lsblk -b")
        dev, size, spins, vendor, model, name, uuid, slaves, partitions = (
            {path.removeprefix(f"{ROOT}/"): text.strip() for path, text in (a.files or {}).items()}
            for a in answers
        )
        parents = {path.split("/")[1]: path.split("/")[0] for path in partitions}
        devices = [path.partition("/")[0] for path in dev]
        return cls(
            tuple(
                BlockDevice(
                    name=each,
                    number=dev[f"{each}/dev"],
                    size=_bytes(size.get(f"{each}/size", "")),
                    rotational=_flag(spins.get(f"{each}/queue/rotational")),
                    label=f"{vendor.get(f'{each}/device/vendor', '')} "
                    f"{model.get(f'{each}/device/model', '')}".strip(),
                    dm_name=name.get(f"{each}/dm/name", ""),
                    dm_uuid=uuid.get(f"{each}/dm/uuid", ""),
                    parent=parents.get(each, ""),
                    slaves=tuple(p.split("/")[2] for p in slaves if p.startswith(f"{each}/")),
                )
                for each in devices
            )
        )

    def named(self, name: str) -> BlockDevice | None:
        return next((each for each in self.devices if name and each.name == name), None)

    def under(self, mount: Mount) -> BlockDevice | None:
        """The device of a mount: by number, else (btrfs has numbers of its own) by source."""
        name = mount.source.rpartition("/")[2] if mount.source.startswith("/dev/") else ""
        for each in self.devices:
            if each.number == mount.device:
                return each
        return next(
            (each for each in self.devices if name and name in (each.name, each.dm_name)), None
        )

    def stack(self, device: BlockDevice) -> Iterator[BlockDevice]:
        """The device and everything below it, down to the disks, each once."""
        waiting, seen = [device], {device.name}
        while waiting:
            current = waiting.pop()
            yield current
            for name in (*current.slaves, current.parent):
                below = self.named(name)
                if below and name not in seen:
                    seen.add(name)
                    waiting.append(below)

    def disks(self, device: BlockDevice) -> tuple[BlockDevice, ...]:
        """The disks at the bottom."""
        return tuple(d for d in self.stack(device) if not d.slaves and not d.parent)

    def holders(self, device: BlockDevice) -> tuple[BlockDevice, ...]:
        """What is stacked directly on a device."""
        return tuple(each for each in self.devices if device.name in each.slaves)


def _bytes(sectors: str) -> Size:
    return Size(int(sectors) * _SECTOR) if sectors.isdigit() else Size(0)


def _flag(text: str | None) -> bool | None:
    return {"0": False, "1": True}.get(text or "")
