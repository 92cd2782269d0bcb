"""Storage: mount, device and size of what holds the data directory."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    Compose,
    ComposeAnswer,
    File,
    FileAnswer,
    Fsync,
    FsyncAnswer,
    Resolved,
    Run,
    RunAnswer,
    Space,
    SpaceAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.block_devices import BlockDevice
from sesam_audit.facts.mounts import MOUNTINFO
from sesam_audit.facts.stack import ENVIRONMENT
from sesam_audit.facts.storage import Storage
from sesam_audit.facts.storage_speed import StorageSpeed
from sesam_audit.facts.thin_storage import ThinStorage
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size
from sesam_audit.wanted import NODE, POINT, STORE

from .disks import GB, shown
from .machine import find

Answers = dict[Ask[Any], Answer | Unknown]
ROOT_MOUNT = "29 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
DATA_MOUNT = "30 29 8:17 / /srv/data rw - ext4 /dev/sdb1 rw\n"
DISKS = (
    BlockDevice("sda", "8:0", Size(100 * GB), rotational=False),
    BlockDevice("sda1", "8:1", Size(99 * GB), parent="sda"),
    BlockDevice("sdb", "8:16", Size(401 * GB), rotational=True),
    BlockDevice("sdb1", "8:17", Size(400 * GB), parent="sdb"),
)
SPACE = SpaceAnswer(total=394 * GB, available=370 * GB, inodes=1000, inodes_available=900)


def at(path: str) -> StatAnswer:
    return StatAnswer(kind="directory", resolved=Resolved(path=path, kind="directory"))


def link(target: str) -> StatAnswer:
    return StatAnswer(kind="link", target=target, resolved=Resolved(path=target, kind="directory"))


def machine(
    mounts: str = ROOT_MOUNT + DATA_MOUNT, disks: tuple[BlockDevice, ...] = DISKS
) -> Answers:
    return {
        File(MOUNTINFO, limit=262_144): FileAnswer(text=mounts),
        Stat("/srv"): at("/srv"),
        Stat("/srv/data"): at("/srv/data"),
        Stat(STORE): at(STORE),
        Space("/srv/data"): SPACE,
        **shown(disks),
    }


def test_a_data_disk() -> None:
    found = find(Storage, machine())

    assert (found.path, found.mount.target, found.size) == (STORE, "/srv/data", 400 * GB)
    assert (found.total, found.available, found.inodes_available) == (394 * GB, 370 * GB, 900)
    assert [disk.name for disk in found.disks] == ["sdb"]


def test_the_root_disk() -> None:
    answers = machine(ROOT_MOUNT) | {Stat("/sesam"): at("/sesam"), Space("/"): SPACE}

    found = find(Storage, answers, Profile(data="rootdisk"))

    assert (found.path, found.mount.target, found.size) == (NODE, "/", 99 * GB)


def test_a_directory_that_is_yet_to_be_made_lies_where_its_parents_lie() -> None:
    answers = machine()
    del answers[Stat(STORE)]

    assert find(Storage, answers).mount.target == "/srv/data"


def test_links_on_the_way_are_followed() -> None:
    mounts = ROOT_MOUNT + DATA_MOUNT.replace("/srv/data", "/mnt/disk")
    answers = machine(mounts) | {Stat("/srv/data"): link("/mnt/disk"), Space("/mnt/disk"): SPACE}
    del answers[Stat(STORE)]

    assert find(Storage, answers).mount.target == "/mnt/disk"


def test_a_place_that_only_the_stack_names() -> None:
    """Found in three rounds: the stack, the place it names, the space there."""
    mounts = {"type": "bind", "source": "/data/node", "target": "/sesam/data"}
    document = {"services": {"sesam-node": {"image": "sesam/sesam-node", "volumes": [mounts]}}}
    here = StatAnswer(
        kind="directory", device=1, inode=7, resolved=Resolved("/data/node", "directory", 1, 7)
    )
    answers = machine(ROOT_MOUNT + DATA_MOUNT.replace("/srv/data", "/data"))
    answers |= {
        Compose(POINT, ENVIRONMENT): ComposeAnswer(code=0, document=document),
        Stat("/data/node"): here,
        Stat(NODE): replace(here, kind="link", target="/data/node"),
        Space("/data"): SPACE,
    }

    found = find(Storage, answers)

    assert found.mount.target == "/data"


def test_a_directory_that_may_not_be_looked_at_is_unknown() -> None:
    with pytest.raises(Unknown, match=f"needs root: {STORE}"):
        find(Storage, machine() | {Stat(STORE): StatAnswer(error="EACCES")})


def test_a_link_that_may_not_be_followed_is_unknown() -> None:
    closed = StatAnswer(kind="link", target="/root/x", resolved=Resolved(error="EACCES"))

    with pytest.raises(Unknown, match=f"needs root: {STORE}"):
        find(Storage, machine() | {Stat(STORE): closed})


def test_space_that_is_not_told_is_unknown() -> None:
    with pytest.raises(Unknown, match="/srv/data: EIO"):
        find(Storage, machine() | {Space("/srv/data"): SpaceAnswer(error="EIO")})


def test_a_server_that_hangs_is_unknown() -> None:
    with pytest.raises(Unknown, match="no answer in time"):
        find(Storage, machine() | {Space("/srv/data"): SpaceAnswer(error="TIMEOUT")})


@pytest.mark.parametrize("fstype", ["btrfs", "zfs"])
def test_a_file_system_of_several_devices_is_judged_itself(fstype: str) -> None:
    mounts = ROOT_MOUNT + f"30 29 0:38 /@data /srv/data rw - {fstype} /dev/sdb1 rw\n"

    found = find(Storage, machine(mounts))

    assert (found.size, found.hidden) == (394 * GB, False)


def test_a_zfs_dataset_may_grow_to_used_and_available() -> None:
    mounts = ROOT_MOUNT + "30 29 0:38 / /srv/data rw - zfs tank/data rw\n"
    asked = Run(("zfs", "get", "-Hpo", "value", "used,available", "tank/data"))
    told = RunAnswer(code=0, out=f"{60 * GB}\n{340 * GB}\n")

    assert find(Storage, machine(mounts) | {asked: told}).size == 400 * GB


def test_a_share_has_no_device() -> None:
    mounts = ROOT_MOUNT + "30 29 0:46 / /srv/data rw - nfs4 files:/export rw\n"

    found = find(Storage, machine(mounts))

    assert (found.device, found.disks, found.hidden, found.size) == (None, (), False, 394 * GB)


def test_a_device_that_sysfs_does_not_show_is_hidden() -> None:
    assert find(Storage, machine(disks=())).hidden


def volume(device: str, name: str, size: int, uuid: str) -> BlockDevice:
    """A logical volume in the thin pool."""
    return BlockDevice(
        device,
        f"253:{device[-1]}",
        Size(size * GB),
        dm_name=f"vg--a-{name}",
        dm_uuid=uuid,
        slaves=("dm-2",),
    )


POOL = BlockDevice(
    "dm-2", "253:2", Size(500 * GB), dm_name="vg--a-pool-tpool", dm_uuid="LVM-p-tpool",
    slaves=("sdb1",),
)  # fmt: skip
THIN = (
    *DISKS,
    POOL,
    volume("dm-3", "pool", 500, "LVM-p-pool"),
    volume("dm-4", "data", 400, "LVM-d"),
)
OTHER = volume("dm-5", "more", 200, "LVM-m")
THIN_MOUNT = ROOT_MOUNT + "30 29 253:4 / /srv/data rw - xfs /dev/mapper/vg--a-data rw\n"
LVS = Run(
    (
        *("lvs", "--reportformat", "json", "--units", "b", "--nosuffix"),
        *("-o", "vg_name,lv_name,lv_size,pool_lv"),
    )
)


def listing(*sizes: int) -> RunAnswer:
    rows = ",".join(
        f'{{"vg_name":"vg-a","lv_name":"l{i}","lv_size":"{size}","pool_lv":"pool"}}'
        for i, size in enumerate(sizes)
    )
    return RunAnswer(code=0, out=f'{{"report":[{{"lv":[{rows}]}}]}}')


def test_storage_that_is_not_thin() -> None:
    assert find(ThinStorage, machine()) == ThinStorage()


def test_a_pool_that_holds_what_its_volumes_promise() -> None:
    found = find(ThinStorage, machine(THIN_MOUNT, THIN) | {LVS: listing(400 * GB)})

    assert found == ThinStorage("vg--a-pool-tpool", Size(500 * GB), Size(400 * GB), complete=True)


def test_volumes_that_are_not_active_count_too() -> None:
    found = find(ThinStorage, machine(THIN_MOUNT, THIN) | {LVS: listing(400 * GB, 300 * GB)})

    assert found.promised == 700 * GB


def test_active_volumes_prove_an_overcommitted_pool_without_root() -> None:
    found = find(ThinStorage, machine(THIN_MOUNT, (*THIN, OTHER)) | {LVS: RunAnswer(code=5)})

    assert (found.promised, found.complete) == (600 * GB, False)


@pytest.mark.parametrize("told", ["{}", '{"report": 3}', '{"report":[{"lv":["x"]}]}'])
def test_a_listing_of_another_shape_proves_nothing(told: str) -> None:
    found = find(ThinStorage, machine(THIN_MOUNT, THIN) | {LVS: RunAnswer(code=0, out=told)})

    assert not found.complete


def test_a_vdo_volume_promises_its_virtual_size() -> None:
    vdo = BlockDevice(
        "dm-4", "253:4", Size(900 * GB), dm_name="vg-vdo", dm_uuid="LVM-v-vpool", slaves=("sdb1",)
    )

    found = find(ThinStorage, machine(THIN_MOUNT, (*DISKS, vdo)))

    assert found == ThinStorage("vg-vdo", Size(400 * GB), Size(900 * GB))


MEASURING = Profile(measure_storage=True)


def test_nothing_is_written_unless_it_was_asked_for() -> None:
    answers = machine() | {Fsync(STORE): FsyncAnswer(writes=300)}

    assert find(StorageSpeed, answers).fsync is None


def test_a_measurement() -> None:
    answer = FsyncAnswer(writes=300, p50=0.001, p99=0.002)

    found = find(StorageSpeed, machine() | {Fsync(STORE): answer}, MEASURING)

    assert found.fsync == answer
    assert [disk.name for disk in found.disks] == ["sdb"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [("EACCES", "needs root"), ("ENOENT", "has yet to be made"), ("ENOSPC", "ENOSPC")],
)
def test_a_measurement_that_was_not_possible(error: str, reason: str) -> None:
    found = find(StorageSpeed, machine() | {Fsync(STORE): FsyncAnswer(error=error)}, MEASURING)

    assert isinstance(found.fsync, Unknown)
    assert reason in found.fsync.reason
