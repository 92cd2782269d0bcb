"""Whether the disk that fstab names is the one that is mounted, as hosts of many kinds tell."""

from __future__ import annotations

import pytest

from sesam_audit.asks import (
    File,
    FileAnswer,
    Names,
    NamesAnswer,
    Run,
    RunAnswer,
    Self,
    SelfAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounts import MOUNTINFO

from .sesam_host import Answers, link, there
from .test_boot_mount import LINE, RUNNING, boot, mounted

BLKID = ("blkid", "-c", "/dev/null", "-o", "export")
ROOT: Answers = {Self(): SelfAnswer(uid=0, user="root")}
NODE: Answers = {Stat("/dev/sdb1"): link("/dev/sdb1", inode=17, kind="block")}


def line(source: str, fstype: str = "ext4", options: str = "defaults") -> str:
    return f"{source} /srv/data {fstype} {options} 0 2\n"


def listed(kind: str, *names: str) -> Answers:
    """What udev shows."""
    return {Names(f"/dev/disk/by-{kind}"): NamesAnswer(names=names)}


def called(signs: str = "", *words: str, code: int = 0) -> Answers:
    """What blkid says; of what is mounted when nothing else is asked."""
    run = Run((*BLKID, *(words or ("/dev/sdb1",))))
    return {**ROOT, **NODE, run: RunAnswer(code=code, out=signs)}


def judged(fstab: str, *answers: Answers, mounts: Answers | None = None) -> Inspection:
    more = {str(number): each for number, each in enumerate(answers)}
    return boot(fstab, mounts=mounted() if mounts is None else mounts, **more).inspect()


@pytest.mark.parametrize(("inode", "other"), [(17, False), (33, True)])
def test_the_disk_that_is_mounted_now(inode: int, other: bool) -> None:
    bears: Answers = {
        Stat("/dev/disk/by-uuid/1234-abcd"): link("/dev/sdb1", inode=inode, kind="block")
    }
    found = judged(LINE, NODE, listed("uuid", "1234-abcd"), bears)

    assert found.problems == (
        ["/etc/fstab names UUID=1234-abcd, but /dev/sdb1 is mounted now"] if other else []
    )
    assert not found.doubts


@pytest.mark.parametrize("mounts", [mounted(), RUNNING])
def test_a_uuid_that_no_disk_bears(mounts: Answers) -> None:
    found = judged(LINE, listed("uuid", "aaaa", "bbbb"), mounts=mounts)

    assert found.problems == ["/etc/fstab names UUID=1234-abcd, but no disk has that name"]


@pytest.mark.parametrize(
    ("source", "signs", "other"),
    [
        ("UUID=1234-abcd", "DEVNAME=/dev/sdb1\nUUID=1234-abcd\nTYPE=ext4\n", False),
        ("UUID=1234-abcd", "DEVNAME=/dev/sdb1\nUUID=5678-abcd\nTYPE=ext4\n", True),
        ("LABEL=sesam-data", "UUID=1234-abcd\nTYPE=ext4\n", True),
        ("LABEL=my\\040data", "UUID=1234-abcd\nLABEL=my\\ data\n", False),
        ('PARTLABEL="Sesam\\040data"', "UUID=1\nPARTLABEL=Sesam\\ data\n", False),
        ("PARTUUID=aaaa-01", "UUID=1234-abcd\nPARTUUID=aaaa-02\n", True),
        ("partuuid=aaaa-01", "UUID=1234-abcd\nPARTUUID=aaaa-01\n", False),
    ],
)
def test_without_udev_the_disk_itself_is_asked(source: str, signs: str, other: bool) -> None:
    found = judged(line(source), called(signs))

    assert bool(found.problems) is other
    assert not found.doubts
    if other:
        assert "/dev/sdb1, mounted now, has another name" in found.problems[0]


def test_a_label_where_udev_knows_of_none() -> None:
    found = judged(line("LABEL=sesam-data"), called("UUID=1\n"), listed("uuid", "1"))

    assert "has another name" in found.problems[0]


def test_a_name_that_udev_has_not_heard_of_yet() -> None:
    found = judged(line("LABEL=new"), called("LABEL=new\n"), listed("label", "old"))

    assert found == Inspection()


@pytest.mark.parametrize(
    "answers",
    [
        called(code=2),
        {**ROOT, Run((*BLKID, "/dev/sdb1")): RunAnswer(error="ENOENT")},
        {Self(): SelfAnswer(uid=1000), Run((*BLKID, "/dev/sdb1")): RunAnswer(code=2)},
    ],
)
def test_what_a_disk_is_called_may_remain_untold(answers: Answers) -> None:
    found = judged(LINE, answers)

    assert not found.problems
    assert "whether a disk is called UUID=1234-abcd is not told" in str(found.unknown)
    assert found.unknown
    assert found.unknown.command == "sudo blkid /dev/sdb1"


@pytest.mark.parametrize(
    ("answers", "problems", "doubts"),
    [
        (called("UUID=1234-abcd\n", "-t", "UUID=1234-abcd"), 0, 0),
        (called("", "-t", "UUID=1234-abcd", code=2), 1, 0),
        ({Self(): SelfAnswer(uid=1000)}, 0, 1),
        ({**ROOT, Run((*BLKID, "-t", "UUID=1234-abcd")): RunAnswer(error="ENOENT")}, 0, 1),
    ],
)
def test_with_nothing_mounted_any_disk_may_bear_the_name(
    answers: Answers, problems: int, doubts: int
) -> None:
    found = judged(LINE, answers, mounts=RUNNING)

    assert (len(found.problems), len(found.doubts)) == (problems, doubts)


def test_an_automount_that_was_not_used_yet() -> None:
    waiting = mounted("systemd-1", "autofs")

    assert judged(LINE, called("UUID=1\n", "-t", "UUID=1234-abcd"), mounts=waiting).doubts
    found = called("UUID=1234-abcd\n", "-t", "UUID=1234-abcd")
    assert not judged(LINE, found, mounts=waiting).doubts


@pytest.mark.parametrize("source", ["/dev/mapper/vg-sesam", "/dev/sdz1", "/dev/disk/by-uuid/7"])
@pytest.mark.parametrize("mounts", [mounted(), RUNNING])
def test_a_device_that_is_not_there(source: str, mounts: Answers) -> None:
    found = judged(line(source), NODE, mounts=mounts)

    assert found.problems == [f"/etc/fstab names {source}, but there is no such device"]


def test_devices_that_a_container_is_not_shown() -> None:
    found = judged(line("/dev/sdc1"))

    assert not found.problems
    assert "neither /dev/sdc1 nor /dev/sdb1 is shown here" in str(found.unknown)
    assert not judged(line("/dev/sdb1")).doubts


def test_a_device_by_another_of_its_names() -> None:
    alias: Answers = {Stat("/dev/vg/data"): link("/dev/dm-0", inode=17, kind="block")}
    now: Answers = {Stat("/dev/mapper/vg-data"): link("/dev/dm-0", inode=17, kind="block")}

    assert judged(line("/dev/vg/data"), alias, now, mounts=mounted("/dev/mapper/vg-data")) == (
        Inspection()
    )


@pytest.mark.parametrize(
    ("named", "mounted_as", "other"),
    [
        ("xfs", "ext4", True),
        ("ext3", "ext4", True),
        ("ext4", "ext3", False),
        ("auto", "xfs", False),
        ("ext4,xfs", "xfs", False),
        ("ntfs-3g", "fuseblk", False),
    ],
)
def test_the_type(named: str, mounted_as: str, other: bool) -> None:
    found = judged(line("/dev/sdb1", named), mounts=mounted(fstype=mounted_as))

    assert bool(found.problems) is other
    if other:
        assert found.problems == [
            f"/etc/fstab says {named} for /srv/data, but what /dev/sdb1 holds is {mounted_as}"
        ]


@pytest.mark.parametrize(
    ("source", "kind", "mounts", "problems", "doubts"),
    [
        ("nas:/x", "nfs", mounted(), 1, 0),
        ("nas:/x", "nfs", mounted("nas:/x", "nfs4"), 0, 0),
        ("nas:/x/", "nfs", mounted("nas:/x", "nfs4"), 0, 0),
        ("nas:/x", "nfs", mounted("nas.example.org:/x", "nfs4"), 0, 1),
        ("nas:/x", "nfs", RUNNING, 0, 0),
        ("sesam@nas:/x", "sshfs", mounted("sesam@nas:/x", "fuse.sshfs"), 0, 0),
        ("tank/data", "zfs", mounted("tank/data", "zfs"), 0, 0),
        ("UUID=1", "ext4", mounted("tank/data", "zfs"), 1, 0),
    ],
)
def test_what_is_no_disk(
    source: str, kind: str, mounts: Answers, problems: int, doubts: int
) -> None:
    found = judged(line(source, kind), mounts=mounts)

    assert (len(found.problems), len(found.doubts)) == (problems, doubts)


POINT: Answers = {Stat("/srv/data"): there(inode=2)}


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({}, "binds /mnt/disk/data, which is not there"),
        ({Stat("/mnt/disk/data"): there(inode=2)}, ""),
        ({Stat("/mnt/disk/data"): there(inode=7)}, "but /dev/sdb1 is mounted now"),
    ],
)
def test_a_directory_that_is_shown_twice(answers: Answers, problem: str) -> None:
    found = judged(line("/mnt/disk/data", "none", "bind"), POINT, answers)

    assert bool(found.problems) is bool(problem)
    assert not found.problems or problem in found.problems[0]


@pytest.mark.parametrize(
    ("fstab", "told"),
    [
        ("", False),
        ("/dev/sdb1 /mnt/disk ext4 noauto 0 2\n", False),
        ("/dev/sdb1 /mnt/disk ext4\n", True),
    ],
)
def test_what_holds_a_directory_that_is_shown_twice(fstab: str, told: bool) -> None:
    text = (
        "30 1 8:17 / /mnt/disk rw - ext4 /dev/sdb1 rw\n31 1 8:17 /data /srv/data rw - ext4 x rw\n"
    )
    mounts = {**RUNNING, File(MOUNTINFO, limit=262_144): FileAnswer(text=text)}
    same: Answers = {Stat("/mnt/disk/data"): there(inode=2)}
    found = judged(fstab + line("/mnt/disk/data", "none", "bind"), POINT, same, mounts=mounts)

    assert not found.problems
    assert bool(found.doubts) is not told


def test_a_directory_that_may_not_be_looked_at() -> None:
    closed: Answers = {Stat("/mnt/disk/data"): StatAnswer(error="EACCES")}

    assert judged(line("/mnt/disk/data", "none", "bind"), POINT, closed).doubts


def test_mounts_that_could_not_be_read() -> None:
    running: Answers = {Stat("/proc/version"): there("file")}

    assert "whether UUID=1234-abcd is what is mounted" in str(judged(LINE, mounts=running).unknown)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("LABEL=my\\040data", r"my\x20data"),
        ("LABEL=data/1", r"data\x2f1"),
        ("LABEL=dåta_1", "dåta_1"),
        ('PARTLABEL="Sesam\\040data"', r"Sesam\x20data"),
    ],
)
def test_labels_as_udev_spells_them(source: str, name: str) -> None:
    kind = "partlabel" if source.startswith("P") else "label"
    path = f"/dev/disk/by-{kind}/{name}"
    bears: Answers = {Stat(path): link("/dev/sdb1", inode=17, kind="block")}

    assert judged(line(source), NODE, listed(kind, name), bears) == Inspection()


def test_one_of_several_devices_of_btrfs_is_not_another_disk() -> None:
    nodes: Answers = {
        **listed("uuid", "1234-abcd"),
        Stat("/dev/disk/by-uuid/1234-abcd"): link("/dev/sdb1", inode=17, kind="block"),
        Stat("/dev/sdc1"): link("/dev/sdc1", inode=33, kind="block"),
    }
    both = mounted("/dev/sdc1", "btrfs")

    assert judged(LINE.replace("ext4", "btrfs"), nodes, mounts=both) == Inspection()
    asked: Answers = {**ROOT, Run((*BLKID, "/dev/sdc1")): RunAnswer(code=0, out="PARTUUID=2\n")}
    assert judged(line("PARTUUID=1", "btrfs"), asked, mounts=both).doubts
