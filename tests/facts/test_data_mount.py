"""The mount on /srv/data."""

from __future__ import annotations

import pytest

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer, Stat
from sesam_audit.errors import Unknown
from sesam_audit.facts.block_devices import BlockDevice
from sesam_audit.facts.data_mount import DataMount
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounts import MOUNTINFO, Mount
from sesam_audit.quantity import Size

from .machine import find, matches
from .sesam_host import Answers, link, there

BLOCK = "/sys/class/block"
ROOT = Mount("/", "/dev/sda1", "ext4", ("rw",), "8:1")


def mounted(
    source: str = "/dev/sdb1",
    fstype: str = "ext4",
    options: str = "rw",
    device: str = "8:17",
    root: str = "/",
) -> Inspection:
    mount = Mount("/srv/data", source, fstype, tuple(options.split(",")), device, root)
    return DataMount(mount, mount, ROOT).inspect()


@pytest.mark.parametrize(
    ("source", "fstype", "device", "root"),
    [
        ("/dev/sdb1", "ext4", "8:17", "/"),
        ("/dev/mapper/vg-data", "xfs", "253:0", "/"),
        ("files:/export", "nfs4", "0:50", "/"),
        ("tank/data", "zfs", "0:51", "/"),
        ("/dev/sda1", "btrfs", "8:1", "/@data"),
        ("/dev/sdb1", "ext4", "8:17", "/sesam"),
    ],
)
def test_lasting_kinds(source: str, fstype: str, device: str, root: str) -> None:
    assert mounted(source, fstype, "rw", device, root) == Inspection()


@pytest.mark.parametrize(
    ("fstype", "options", "device", "root", "words"),
    [
        ("tmpfs", "rw", "0:44", "/", "is tmpfs, which does not outlast a reboot"),
        ("overlay", "rw", "0:44", "/", "is overlay"),
        ("ext4", "ro,relatime", "8:17", "/", "read-only"),
        ("ext4", "rw", "8:1", "/data", "is only /data of the root disk"),
    ],
)
def test_kinds_that_do_not_last(
    fstype: str, options: str, device: str, root: str, words: str
) -> None:
    (problem,) = mounted("x", fstype, options, device, root).problems

    assert words in problem


def test_an_automount_not_yet_used() -> None:
    found = mounted("systemd-1", "autofs", "rw", "0:40")

    assert not found.problems
    assert "on first use" in str(found.unknown)


def test_nothing_mounted() -> None:
    disk = BlockDevice("sdc", "8:32", Size(500 * 10**9))
    (problem,) = DataMount(None, ROOT, ROOT, unmounted=(disk,)).inspect().problems

    assert "nothing is mounted on /srv/data, which lies on the file system of /" in problem
    assert "/dev/sdc (500 GB)" in problem


def test_nothing_mounted_though_fstab_has_a_line() -> None:
    fstab: Answers = {File("/etc/fstab"): FileAnswer(text="UUID=1 /srv/data ext4 defaults 0 2\n")}
    text = MOUNTINFO_TEXT.splitlines()[0]
    (problem,) = find(DataMount, {**host(text), **fstab}).inspect().problems

    assert "; /etc/fstab names UUID=1 for it; not mounted and large enough" in problem


MOUNTINFO_TEXT = """\
29 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 29 8:17 / /srv/data rw,relatime - ext4 /dev/sdb1 rw
"""
DISKS = {
    "sda": ("8:0", 60, ""),
    "sda1": ("8:1", 60, "sda"),
    "sdb": ("8:16", 400, ""),
    "sdb1": ("8:17", 400, "sdb"),
    "sdc": ("8:32", 500, ""),
    "sdd": ("8:48", 100, ""),
    "loop0": ("7:0", 900, ""),
}


def host(text: str = MOUNTINFO_TEXT, model: str = "Virtual Disk") -> Answers:
    block = {
        f"{BLOCK}/*/dev": {f"{BLOCK}/{n}/dev": f"{d[0]}\n" for n, d in DISKS.items()},
        f"{BLOCK}/*/size": {
            f"{BLOCK}/{n}/size": f"{d[1] * 10**9 // 512}\n" for n, d in DISKS.items()
        },
        f"{BLOCK}/*/*/partition": {
            f"{BLOCK}/{d[2]}/{n}/partition": "1\n" for n, d in DISKS.items() if d[2]
        },
        f"{BLOCK}/*/device/model": {f"{BLOCK}/sdb/device/model": f"{model}\n"},
    }
    return {
        File(MOUNTINFO, limit=262_144): FileAnswer(text=text),
        Stat("/srv/data"): there(),
        **matches(block),
    }


def test_on_a_host_with_a_data_disk() -> None:
    found = find(DataMount, host(), rounds=1)

    assert found.mount
    assert found.mount.source == "/dev/sdb1"
    assert not found.inspect().problems


def test_unmounted_disks_of_fitting_size() -> None:
    found = find(DataMount, host(MOUNTINFO_TEXT.splitlines()[0]))

    assert [disk.name for disk in found.unmounted] == ["sdb", "sdc"]


def waiting(*more: Answers) -> list[str]:
    """The disks that a host names on which nothing is mounted on /srv/data."""
    answers = host(MOUNTINFO_TEXT.splitlines()[0])
    for each in more:
        answers |= each
    return [disk.name for disk in find(DataMount, answers, rounds=1).unmounted]


def udev(**signs: str) -> Answers:
    texts = {
        f"/run/udev/data/b{DISKS[name][0]}": f"E:DEVTYPE=x\nE:ID_FS_UUID=1\n{sign}\n"
        for name, sign in signs.items()
    }
    return matches({"/run/udev/data/b[!7]*": texts})


def test_disks_that_others_use_are_not_named() -> None:
    holder = {
        f"{BLOCK}/*/dev": {f"{BLOCK}/{n}/dev": d[0] for n, d in DISKS.items()}
        | {f"{BLOCK}/dm-0/dev": "253:0"},
        f"{BLOCK}/*/slaves/*/dev": {f"{BLOCK}/dm-0/slaves/sdb1/dev": "8:17"},
    }
    swap = File("/proc/swaps"), FileAnswer(text="Filename Type\n/dev/sdb1 partition 1 0 -2\n")
    btrfs = matches({"/sys/fs/btrfs/*/devices/*/dev": {"/sys/fs/btrfs/x/devices/sdc/dev": "8:32"}})

    assert waiting() == ["sdb", "sdc"]
    assert waiting(matches(holder)) == ["sdc"]
    assert waiting(dict([swap])) == ["sdc"]
    assert waiting(btrfs) == ["sdb"]


@pytest.mark.parametrize("kind", ["zfs_member", "LVM2_member", "linux_raid_member", "swap"])
def test_members_of_something_are_not_named(kind: str) -> None:
    assert waiting(udev(sdb1=f"E:ID_FS_TYPE={kind}")) == ["sdc"]


def test_what_is_on_a_disk_is_told() -> None:
    signs = udev(sdb="E:ID_PART_TABLE_TYPE=gpt", sdb1="E:ID_FS_TYPE=ext4", sdc="")
    bare = host(MOUNTINFO_TEXT.splitlines()[0])
    (problem,) = find(DataMount, bare | signs).inspect().problems
    (unknown,) = find(DataMount, bare).inspect().problems

    assert "/dev/sdb (400 GB, with partitions), /dev/sdc (500 GB); look first" in problem
    assert unknown.endswith("look first what is on it: lsblk -f")


def test_an_empty_disk_needs_no_second_look() -> None:
    disk = BlockDevice("sdc", "8:32", Size(500 * 10**9))
    (problem,) = DataMount(None, unmounted=(disk,), holding={"sdc": ""}).inspect().problems

    assert problem.endswith("large enough: /dev/sdc (500 GB)")


def test_a_link_at_srv_data_is_followed() -> None:
    text = MOUNTINFO_TEXT.replace("/srv/data", "/data")
    answers = host(text) | {Stat("/srv/data"): link("/data", inode=3)}

    assert find(DataMount, answers).mount


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("Amazon EC2 NVMe Instance Storage", "an AWS instance store"),
        ("Microsoft NVMe Direct Disk v2", "an Azure local disk"),
        ("EphemeralDisk", "a Google Cloud local SSD"),
        ("nvme_card", "a Google Cloud local SSD"),
        ("nvme_card-pd", ""),
        ("Amazon Elastic Block Store", ""),
    ],
)
def test_the_clouds_temporary_disks(model: str, words: str) -> None:
    assert find(DataMount, host(model=model)).temporary == words


def test_azures_resource_disk() -> None:
    resource: Answers = {Stat("/dev/disk/azure/resource"): link("/dev/sdb", inode=3, kind="block")}
    found = find(DataMount, host() | resource)

    assert "Azure's temporary resource disk" in found.inspect().problems[0]


def test_no_mountinfo_proves_nothing() -> None:
    with pytest.raises(Unknown):
        find(DataMount, {})


HIDDEN = FilesAnswer(files={}, errors={BLOCK: "EACCES"})


@pytest.mark.parametrize("told", [Unknown("no answer in time: files"), HIDDEN, FilesAnswer()])
def test_without_sysfs_whose_disk_it_is_cannot_be_told(told: FilesAnswer | Unknown) -> None:
    answers = {ask: answer for ask, answer in host().items() if not str(ask).startswith("files")}
    found = find(DataMount, answers | {Files(f"{BLOCK}/*/dev"): told})

    assert found.mount
    assert found.unmounted == ()
    assert not found.inspect().problems
    assert "whether /srv/data is on the cloud's temporary disk" in str(found.inspect().unknown)


@pytest.mark.parametrize("source", ["files:/export", "tank/data"])
def test_what_is_no_device_is_no_disk_of_a_cloud(source: str) -> None:
    text = MOUNTINFO_TEXT.replace("/dev/sdb1", source).replace("8:17", "0:50")

    for sysfs in ({}, {Files(f"{BLOCK}/*/dev"): FilesAnswer()}):
        assert find(DataMount, host(text) | sysfs).inspect() == Inspection()


def test_an_unmounted_data_disk_needs_no_sysfs_to_fail() -> None:
    answers = host(MOUNTINFO_TEXT.splitlines()[0]) | {Files(f"{BLOCK}/*/dev"): HIDDEN}

    assert "nothing is mounted" in find(DataMount, answers).inspect().problems[0]
