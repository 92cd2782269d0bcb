"""The data disk: what is mounted on /srv/data now, and which disks wait to be."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import File, Files, FilesAnswer, Stat, StatAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.block_devices import BlockDevice, BlockDevices
from sesam_audit.facts.fstab import parse_fstab
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
_SWAPS = "/proc/swaps"
_UDEV = "/run/udev/data/b[!7]*"  # without loop devices
_BTRFS = "/sys/fs/btrfs/*/devices/*/dev"
_MEMBERS = re.compile(
    r"swap|.*_member|LVM\d_member|crypto_LUKS|bcache|ceph_bluestore|drbd", re.IGNORECASE
)
_SIGNATURE = re.compile(r"^E:ID_(FS_TYPE|PART_TABLE_TYPE)=(.+)$", re.MULTILINE)
_NO_DISKS = re.compile(r"(ram|zram|loop|sr|fd)\d")


class DataMount(Struct, frozen=True):
    """The mount on /srv/data, whose disk it is, and unmounted disks of fitting size."""

    mount: Mount | None
    below: Mount | None = None  # what holds /srv/data when nothing is mounted on it
    root: Mount | None = None
    temporary: str | Unknown = ""  # the cloud's temporary disk, in words
    unmounted: tuple[BlockDevice, ...] = ()
    holding: dict[str, str] = {}  # name -> what is on an unmounted disk; "" for nothing
    listed: str = ""  # what fstab names for it

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DataMount]:
        """Compare the mounts with the block devices."""
        mounts, devices, (point, fstab), azure, signs = yield from gather(
            Mounts.ask(profile),
            attempt(BlockDevices.ask(profile)),
            gather(Stat(POINT), File("/etc/fstab")),
            every(Stat(path) for path in _AZURE),
            gather(File(_SWAPS), Files(_UDEV), Files(_BTRFS)),
        )
        where = mount_point(POINT, point)
        mount, root = mounts.at(where), mounts.at("/")
        resource = _names(azure)
        temporary = _temporary(mount, devices, resource) if mount else ""
        lines = [x.source for x in parse_fstab(fstab.text) if x.target in (POINT, where)]
        listed = lines[0] if lines else ""
        if isinstance(devices, Unknown):
            return cls(mount, mounts.holding(where), root, temporary, listed=listed)
        swaps, udev, btrfs = signs
        holding = _holding(devices, udev)
        used = {
            *resource,
            *re.findall(r"^/dev/(\S+)", swaps.text, re.MULTILINE),
            *(path.split("/")[-2] for path in btrfs.files or {}),
            *(name for name, kind in holding.items() if _MEMBERS.fullmatch(kind)),
        }
        return cls(
            mount=mount,
            below=mounts.holding(where),
            root=root,
            temporary=temporary,
            unmounted=tuple(
                disk
                for disk in _unmounted(mounts, devices, used)
                if disk.size >= profile.hardware.data_partition
            ),
            holding=holding,
            listed=listed,
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
        if isinstance(self.temporary, Unknown):
            found.doubt(self.temporary)
        elif self.temporary:
            found.problem(f"{POINT} is on {self.temporary}, whose content the cloud may drop")
        if self._of_root_disk(mount):
            found.problem(f"{POINT} is only {mount.root} of the root disk, mounted a second time")
        return found

    def _nothing(self) -> str:
        below = f", which lies on the file system of {self.below.target}" if self.below else ""
        disks = ", ".join(f"/dev/{disk.name} ({self._told(disk)})" for disk in self.unmounted)
        waiting = f"; not mounted and large enough: {disks}" if disks else ""
        if any(self.holding.get(disk.name) != "" for disk in self.unmounted):
            waiting += "; look first what is on it: lsblk -f"
        line = f"; /etc/fstab names {self.listed} for it" if self.listed else ""
        return f"nothing is mounted on {POINT}{below}{line}{waiting}"

    def _told(self, disk: BlockDevice) -> str:
        kind = self.holding.get(disk.name)
        return f"{disk.size}, with {kind}" if kind else f"{disk.size}"

    def _of_root_disk(self, mount: Mount) -> bool:
        """A bind mount of the root disk; subvolumes and datasets are file systems of their own."""
        if self.root is None or mount.fstype in ("btrfs", "zfs", "autofs"):
            return False
        return mount.device == self.root.device and mount.root != "/"


def _names(links: tuple[StatAnswer, ...]) -> frozenset[str]:
    return frozenset(
        link.resolved.path.rpartition("/")[2] for link in links if link.resolved and not link.error
    )


def _temporary(
    mount: Mount, devices: BlockDevices | Unknown, resource: frozenset[str]
) -> str | Unknown:
    """Whose the disk is; what is no device (NFS, a pool) is no disk that a cloud has lent."""
    whose = f"whether {POINT} is on the cloud's temporary disk is not known"
    if isinstance(devices, Unknown):
        local = mount.source.startswith("/dev/")
        return devices.reworded(f"{whose}: {devices.reason}") if local else ""
    device = devices.under(mount)
    if device is None:
        missing = f"{mount.source} is not among the disks that Linux shows"
        return Unknown(f"{whose}: {missing}", "lsblk") if mount.source.startswith("/dev/") else ""
    for each in devices.stack(device):
        if each.name in resource:
            return "Azure's temporary resource disk"
        for pattern, words in _TEMPORARY.items():
            if re.search(pattern, each.label):
                return words
    return ""


def _holding(devices: BlockDevices, udev: FilesAnswer) -> dict[str, str]:
    """What udev found on each device that it knows: a file system, a member's sign, partitions."""
    texts = {path.rpartition("/b")[2]: text for path, text in (udev.files or {}).items()}
    found = {}
    for device in devices.devices:
        if device.number in texts:
            signs = dict(_SIGNATURE.findall(texts[device.number]))
            partitions = "partitions" if "PART_TABLE_TYPE" in signs else ""
            found[device.name] = signs.get("FS_TYPE", partitions).strip()
    return found


def _unmounted(mounts: Mounts, devices: BlockDevices, used: set[str]) -> list[BlockDevice]:
    """Disks of which nothing is mounted or used, neither a partition nor what is stacked on one."""
    busy = {
        disk.name
        for device in (
            *map(devices.under, mounts.mounts),
            *map(devices.named, used),
            *(device for device in devices.devices if device.slaves),
        )
        if device is not None
        for disk in devices.disks(device)
    }
    return [
        each
        for each in devices.devices
        if not (each.slaves or each.parent or _NO_DISKS.match(each.name) or each.name in busy)
    ]
