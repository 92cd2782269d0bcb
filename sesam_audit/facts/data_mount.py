"""The data disk: what is mounted on /srv/data now, and which disks wait to be."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import Stat, StatAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.block_devices import BlockDevice, BlockDevices
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounts import Mount, Mounts, mount_point
from sesam_audit.profile import Profile
from sesam_audit.wanted import POINT

_AZURE = ("/dev/disk/azure/resource", "/dev/disk/azure/resource-part1")
_TEMPORARY = {  # model as sysfs shows it -> what it is
    r"Amazon EC2 NVMe Instance Storage": "an AWS instance store",
    r"Microsoft NVMe Direct Disk": "an Azure local disk",
    r"EphemeralDisk|nvme_card(?!-pd)": "a Google Cloud local SSD",
}
_NO_DISKS = re.compile(r"(ram|zram|loop|sr|fd)\d")


class DataMount(Struct, frozen=True):
    """The mount on /srv/data, whose disk it is, and unmounted disks of fitting size."""

    mount: Mount | None
    below: Mount | None = None  # what holds /srv/data when nothing is mounted on it
    root: Mount | None = None
    temporary: str = ""  # the cloud's temporary disk, in words
    unmounted: tuple[BlockDevice, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DataMount]:
        """Compare the mounts with the block devices."""
        mounts, devices, point, azure = yield from gather(
            Mounts.ask(profile),
            attempt(BlockDevices.ask(profile)),
            Stat(POINT),
            every(Stat(path) for path in _AZURE),
        )
        where = mount_point(POINT, point)
        mount, root = mounts.at(where), mounts.at("/")
        if isinstance(devices, Unknown):
            return cls(mount, mounts.holding(where), root)
        resource = _names(azure)
        return cls(
            mount=mount,
            below=mounts.holding(where),
            root=root,
            temporary=_temporary(mount, devices, resource) if mount else "",
            unmounted=tuple(
                disk
                for disk in _unmounted(mounts, devices)
                if disk.size >= profile.hardware.data_partition and disk.name not in resource
            ),
        )

    def inspect(self) -> Inspection:
        """Judge the mount as the home of data that must last."""
        found = Inspection()
        mount = self.mount
        if mount is None:
            found.problem(self._nothing())
            return found
        if mount.fstype == "autofs":
            found.doubt(Unknown(f"{POINT} is mounted on first use, and was not yet", f"ls {POINT}"))
        elif mount.volatile:
            found.problem(f"{POINT} is {mount.fstype}, which does not outlast a reboot")
        if mount.read_only:
            found.problem(f"{POINT} is mounted read-only (a disk fault can cause that: see dmesg)")
        if self.temporary:
            found.problem(f"{POINT} is on {self.temporary}, whose content the cloud may drop")
        if self._of_root_disk(mount):
            found.problem(f"{POINT} is only {mount.root} of the root disk, mounted a second time")
        return found

    def _nothing(self) -> str:
        below = f", which lies on the file system of {self.below.target}" if self.below else ""
        disks = ", ".join(f"/dev/{disk.name} ({disk.size})" for disk in self.unmounted)
        waiting = f"; not mounted and large enough: {disks}" if disks else ""
        return f"nothing is mounted on {POINT}{below}{waiting}"

    def _of_root_disk(self, mount: Mount) -> bool:
        """A bind mount of the root disk; subvolumes and datasets are file systems of their own."""
        if self.root is None or mount.fstype in ("btrfs", "zfs", "autofs"):
            return False
        return mount.device == self.root.device and mount.root != "/"


def _names(links: tuple[StatAnswer, ...]) -> frozenset[str]:
    return frozenset(
        link.resolved.path.rpartition("/")[2] for link in links if link.resolved and not link.error
    )


def _temporary(mount: Mount, devices: BlockDevices, resource: frozenset[str]) -> str:
    device = devices.under(mount)
    for each in devices.stack(device) if device else ():
        if each.name in resource:
            return "Azure's temporary resource disk"
        for pattern, words in _TEMPORARY.items():
            if re.search(pattern, each.label):
                return words
    return ""


def _unmounted(mounts: Mounts, devices: BlockDevices) -> list[BlockDevice]:
    """Disks of which nothing is mounted, neither a partition nor what is stacked on one."""
    used = {
        disk.name
        for mount in mounts.mounts
        if (device := devices.under(mount)) is not None
        for disk in devices.disks(device)
    }
    return [
        each
        for each in devices.devices
        if not (each.slaves or each.parent or _NO_DISKS.match(each.name) or each.name in used)
    ]
