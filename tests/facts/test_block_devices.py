"""BlockDevices: which device holds a mount, and which disks lie below it."""

from __future__ import annotations

import pytest

from sesam_audit.asks import Files, FilesAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.block_devices import ROOT, BlockDevice, BlockDevices
from sesam_audit.facts.mounts import Mount
from sesam_audit.quantity import Size

from .disks import GB, shown
from .machine import find

DISK = BlockDevice("sda", "8:0", Size(500 * GB), rotational=False, label="ATA Samsung")
PART = BlockDevice("sda1", "8:1", Size(499 * GB), parent="sda")
SPIN = BlockDevice("sdb", "8:16", Size(4000 * GB), rotational=True, label="ATA ST4000")
CRYPT = BlockDevice(
    "dm-0",
    "253:0",
    Size(498 * GB),
    False,
    dm_name="crypt",
    dm_uuid="CRYPT-LUKS2-x",
    slaves=("sda1",),
)
VOLUME = BlockDevice(
    "dm-1", "253:1", Size(400 * GB), False, dm_name="vg-data", dm_uuid="LVM-a",
    slaves=("dm-0", "sdb"),
)  # fmt: skip
ALL = (CRYPT, VOLUME, DISK, PART, SPIN)


def devices() -> BlockDevices:
    return find(BlockDevices, shown(ALL))


def test_everything_that_sysfs_says_is_found() -> None:
    assert devices() == BlockDevices(ALL)


@pytest.mark.parametrize(
    ("source", "number", "device"),
    [
        ("/dev/sda1", "8:1", PART),
        ("/dev/root", "8:1", PART),
        ("/dev/mapper/vg-data", "253:1", VOLUME),
        ("/dev/mapper/vg-data", "0:38", VOLUME),
        ("/dev/sda1", "0:38", PART),
        ("tmpfs", "0:44", None),
        ("files:/sda1", "0:44", None),
    ],
)
def test_the_device_under_a_mount(source: str, number: str, device: BlockDevice | None) -> None:
    assert devices().under(Mount("/srv/data", source, "btrfs", device=number)) == device


def test_the_disks_below_a_volume() -> None:
    assert set(devices().disks(VOLUME)) == {DISK, SPIN}


def test_a_disk_is_its_own_bottom() -> None:
    assert devices().disks(SPIN) == (SPIN,)


def test_a_ring_of_devices_ends() -> None:
    ring = (BlockDevice("a", "1:1", slaves=("b",)), BlockDevice("b", "1:2", slaves=("a",)))

    assert set(BlockDevices(ring).stack(ring[0])) == set(ring)


def test_what_is_stacked_on_a_device() -> None:
    assert devices().holders(CRYPT) == (VOLUME,)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        *(("vda", ""), ("xvdf", ""), ("loop3", ""), ("sda", "QEMU QEMU HARDDISK")),
        *(
            ("sda", "Msft Virtual Disk"),
            ("sda", "VMware Virtual disk"),
            ("sda", "ATA VBOX HARDDISK"),
        ),
    ],
)
def test_a_hypervisors_disk_is_virtual(name: str, label: str) -> None:
    assert BlockDevice(name, label=label).virtual


@pytest.mark.parametrize("name", ["sda", "nvme0n1", "dm-0", "md127"])
def test_other_disks_are_not_virtual(name: str) -> None:
    assert not BlockDevice(name, label="ATA ST4000").virtual


def test_unreadable_sysfs_is_unknown() -> None:
    with pytest.raises(Unknown, match="could not be read"):
        find(BlockDevices, {Files(f"{ROOT}/*/dev"): FilesAnswer(errors={ROOT: "EACCES"})})
