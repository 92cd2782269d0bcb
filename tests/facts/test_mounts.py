"""Mounts: read from mountinfo of real kinds of hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesam_audit.asks import File, FileAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.mounts import MOUNTINFO, Mount, Mounts

from .machine import find

DATA = Path(__file__).with_name("data") / "mountinfo"
QUESTION = File(MOUNTINFO, limit=262_144)


def mounts(text: str) -> Mounts:
    return find(Mounts, {QUESTION: FileAnswer(text=text)})


def captured(name: str) -> Mounts:
    return mounts((DATA / name).read_text())


@pytest.mark.parametrize(
    ("host", "path", "target", "device", "fstype"),
    [
        ("lab-datadisk", "/srv/data/sesam/node-00/data", "/srv/data", "7:0", "ext4"),
        ("lab-datadisk", "/sesam/node-00", "/", "0:40", "overlay"),
        ("lab-datadisk", "/srv/database", "/", "0:40", "overlay"),
        ("azure-lvm", "/srv/data", "/srv/data", "253:0", "xfs"),
        ("azure-lvm", "/srv/data/", "/srv/data", "253:0", "xfs"),
        ("azure-lvm", "/sesam/../srv/data/x", "/srv/data", "253:0", "xfs"),
        ("azure-lvm", "/sesam/node-00/data", "/", "8:1", "ext4"),
    ],
)
def test_the_mount_that_holds_a_path(
    host: str, path: str, target: str, device: str, fstype: str
) -> None:
    mount = captured(host).holding(path)

    assert mount
    assert (mount.target, mount.device, mount.fstype) == (target, device, fstype)


def test_a_mount_over_another_hides_it() -> None:
    found = mounts(
        "29 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 29 8:17 / /srv/data rw - ext4 /dev/sdb1 rw\n"
        "31 30 0:44 / /srv/data rw - tmpfs tmpfs rw\n"
    ).holding("/srv/data")

    assert found
    assert found.fstype == "tmpfs"


def test_escaped_characters() -> None:
    mount = captured("azure-lvm").at("/srv/old store")

    assert mount
    assert mount.source == "files.example.org:/export\\x"


def test_only_a_mount_point_itself_is_at_a_path() -> None:
    assert captured("azure-lvm").at("/srv/data/sesam") is None


def test_nothing_holds_a_path_without_a_root() -> None:
    assert Mounts().holding("/srv") is None


def test_options_of_mount_and_file_system() -> None:
    mount = captured("azure-lvm").holding("/srv/data")

    assert mount
    assert {"noatime", "attr2"} <= set(mount.options)
    assert not mount.read_only


@pytest.mark.parametrize(
    "flags", ["ro,relatime - ext4 /dev/sdb1 rw", "rw,relatime - ext4 /dev/sdb1 ro"]
)
def test_read_only_by_mount_or_by_file_system(flags: str) -> None:
    (mount,) = mounts(f"30 29 8:17 / /srv/data {flags}\n").mounts

    assert mount.read_only


@pytest.mark.parametrize("fstype", ["nfs", "nfs4", "cifs", "fuse.sshfs", "fuseblk", "9p"])
def test_file_systems_kept_by_somebody_else(fstype: str) -> None:
    assert Mount("/srv/data", "x", fstype).served


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs", "zfs", "overlay"])
def test_file_systems_of_the_machine(fstype: str) -> None:
    assert not Mount("/srv/data", "x", fstype).served


@pytest.mark.parametrize("fstype", ["tmpfs", "overlay", "squashfs", "ramfs"])
def test_file_systems_that_do_not_persist(fstype: str) -> None:
    assert Mount("/srv/data", "x", fstype).volatile


def test_no_mountinfo_is_unknown() -> None:
    with pytest.raises(Unknown, match="not there"):
        find(Mounts, {})
