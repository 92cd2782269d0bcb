"""hardware.*: each line passed, failed, at its boundary, and not told."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sesam_audit.asks import FsyncAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.block_devices import BlockDevice
from sesam_audit.facts.cgroups import Limit
from sesam_audit.facts.cpu import Cpu
from sesam_audit.facts.memory import Memory
from sesam_audit.facts.mounts import Mount
from sesam_audit.facts.storage import Storage
from sesam_audit.facts.storage_speed import StorageSpeed
from sesam_audit.facts.thin_storage import ThinStorage
from sesam_audit.level import Outcome
from sesam_audit.profile import Profile, Sizes
from sesam_audit.quantity import Size
from sesam_audit.requirement import catalogue
from sesam_audit.testing import evaluate

GB = 10**9
GIB = 2**30
PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN

DISK = BlockDevice("sdb", "8:16", Size(400 * GB), rotational=False)
STORAGE = Storage(
    path="/srv/data/sesam/node-00/data",
    mount=Mount("/srv/data", "/dev/sdb", "ext4", ("rw",), "8:16"),
    total=Size(394 * GB),
    available=Size(370 * GB),
    inodes=1000,
    inodes_available=900,
    device=DISK,
    disks=(DISK,),
)


def on(fstype: str, source: str = "/dev/sdb", flag: str = "rw") -> Mount:
    return Mount("/srv/data", source, fstype, (flag,))


def sized(device: int, total: int) -> Storage:
    return replace(STORAGE, device=replace(DISK, size=Size(device)), total=Size(total))


@pytest.mark.parametrize(
    ("cpu", "outcome"),
    [
        (Cpu(4), PASSED),
        (Cpu(3), FAILED),
        (Cpu(64), PASSED),
        (Cpu(2, offline=2), FAILED),
        (Cpu(8, limits=(Limit("the Docker daemon", 4),)), PASSED),
        (Cpu(8, limits=(Limit("the CPU quota of /sys/fs/cgroup/system.slice", 3.5),)), FAILED),
    ],
)
def test_cpu(cpu: Cpu, outcome: Outcome) -> None:
    assert evaluate("hardware.cpu", cpu).outcome is outcome


def test_too_few_cpus_are_counted() -> None:
    assert evaluate("hardware.cpu", Cpu(2)).message == "2 CPUs found, 4 CPUs required"


def test_who_leaves_fewer_cpus_is_named() -> None:
    finding = evaluate("hardware.cpu", Cpu(8, limits=(Limit("the Docker daemon", 2),)))

    assert finding.message == "2 CPUs found, 4 CPUs required"
    assert finding.notes == ("8 CPUs are online; the Docker daemon leaves 2",)


def test_offline_cpus_are_noted() -> None:
    assert evaluate("hardware.cpu", Cpu(2, offline=2)).notes == (
        "2 more CPUs are there, but offline",
    )


def test_the_profile_demands_cpus() -> None:
    assert (
        evaluate("hardware.cpu", Cpu(4), profile=Profile(hardware=Sizes(cpus=8))).outcome is FAILED
    )


@pytest.mark.parametrize(
    ("memory", "outcome"),
    [
        (Memory(Size(16 * GB)), PASSED),
        (Memory(Size(16 * GB - 1)), FAILED),
        (Memory(Size(int(15.4 * GIB))), PASSED),  # what clouds show for "16 GB"
        (Memory(Size(int(14.7 * GIB)), installed=Size(16 * GIB)), PASSED),  # a confidential VM
        (Memory(Size(8 * GIB), installed=Size(16 * GIB)), FAILED),  # a container host's limit
        (Memory(Size(32 * GB), limits=(Limit("the memory limit of x", 8 * GB),)), FAILED),
    ],
)
def test_memory(memory: Memory, outcome: Outcome) -> None:
    assert evaluate("hardware.memory", memory).outcome is outcome


def test_both_figures_of_memory_are_shown() -> None:
    finding = evaluate("hardware.memory", Memory(Size(15_800_000_000), installed=Size(16 * GIB)))

    assert finding.message == "17.1 GB found, 16 GB required"
    assert finding.notes == ("15.8 GB managed by Linux, 17.1 GB installed",)


def test_what_may_change_memory_is_noted() -> None:
    memory = Memory(
        Size(8 * GB),
        offline=Size(2 * GB),
        limits=(Limit("the Docker daemon", 4 * GB),),
        balloon="virtio_balloon",
    )

    assert evaluate("hardware.memory", memory).notes == (
        "2 GB more are there, but offline",
        "the Docker daemon leaves 4 GB",
        "virtio_balloon is loaded: the hypervisor may take memory back; judged as it is now",
    )


@pytest.mark.parametrize(
    ("storage", "outcome", "message"),
    [
        (sized(350 * GB, 345 * GB), PASSED, "350 GB found, 350 GB required"),
        (sized(350 * GB - 1, 345 * GB), FAILED, "349.9 GB found, 350 GB required"),
        (sized(500 * GB, 465 * GB), PASSED, "500 GB found, 350 GB required"),
        (
            sized(500 * GB, 465 * GB - 1),
            FAILED,
            "the file system was not grown: it uses 464.9 GB of the 500 GB of /dev/sdb",
        ),
        (
            sized(500 * GB, 100 * GB),
            FAILED,
            "the file system was not grown: it uses 100 GB of the 500 GB of /dev/sdb",
        ),
    ],
)
def test_data_partition(storage: Storage, outcome: Outcome, message: str) -> None:
    finding = evaluate("hardware.data-partition", storage)

    assert (finding.outcome, finding.message) == (outcome, message)


def test_where_the_data_lies_is_noted() -> None:
    assert evaluate("hardware.data-partition", STORAGE).notes == (
        "/srv/data/sesam/node-00/data lies on /dev/sdb (ext4), mounted at /srv/data",
    )


@pytest.mark.parametrize("fstype", ["tmpfs", "overlay", "squashfs"])
def test_a_data_partition_must_persist(fstype: str) -> None:
    storage = replace(STORAGE, mount=on(fstype), device=None)

    finding = evaluate("hardware.data-partition", storage)

    assert finding.outcome is FAILED
    assert "does not persist" in finding.message


@pytest.mark.parametrize(
    ("total", "outcome"), [(350, PASSED), (349, UNKNOWN), (326, UNKNOWN), (325, FAILED)]
)
def test_without_the_device_only_the_file_system_can_prove(total: int, outcome: Outcome) -> None:
    storage = replace(STORAGE, device=None, total=Size(total * GB))

    assert evaluate("hardware.data-partition", storage).outcome is outcome


@pytest.mark.parametrize(("total", "outcome"), [(350, PASSED), (349, FAILED)])
def test_a_share_is_judged_by_its_file_system(total: int, outcome: Outcome) -> None:
    mount = on("nfs4", "files:/export")
    storage = replace(STORAGE, mount=mount, device=None, total=Size(total * GB))

    assert evaluate("hardware.data-partition", storage).outcome is outcome


@pytest.mark.parametrize("name", ["data-partition", "data-free", "filesystem", "storage-speed"])
def test_without_its_mount_another_disk_would_be_judged(name: str) -> None:
    assert catalogue()[f"hardware.{name}"].needs == ("layout.data-mount",)


@pytest.mark.parametrize(
    ("total", "available", "outcome"),
    [
        (400, 40, PASSED),
        (400, 39, FAILED),
        (100, 20, PASSED),
        (100, 19, FAILED),
    ],
)
def test_data_free(total: int, available: int, outcome: Outcome) -> None:
    storage = replace(STORAGE, total=Size(total * GB), available=Size(available * GB))

    assert evaluate("hardware.data-free", storage).outcome is outcome


@pytest.mark.parametrize(
    ("inodes", "left", "outcome"), [(1000, 50, PASSED), (1000, 49, FAILED), (0, 0, PASSED)]
)
def test_free_inodes(inodes: int, left: int, outcome: Outcome) -> None:
    storage = replace(STORAGE, inodes=inodes, inodes_available=left)

    assert evaluate("hardware.data-free", storage).outcome is outcome


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        (on("nfs4", "files:/export"), "lies on nfs4 from files:/export"),
        (on("cifs", "//files/share"), "lies on cifs"),
        (on("fuse.sshfs"), "lies on fuse.sshfs"),
        (on("overlay"), "does not persist"),
        (on("ext4", flag="ro"), "/srv/data is mounted read-only"),
    ],
)
def test_file_systems_that_will_not_do(mount: Mount, message: str) -> None:
    finding = evaluate("hardware.filesystem", replace(STORAGE, mount=mount), ThinStorage())

    assert finding.outcome is FAILED
    assert message in finding.message


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs", "zfs"])
def test_local_file_systems_will_do(fstype: str) -> None:
    storage = replace(STORAGE, mount=on(fstype))

    assert evaluate("hardware.filesystem", storage, ThinStorage()).outcome is PASSED


@pytest.mark.parametrize(
    ("promised", "complete", "outcome"),
    [
        (500, True, PASSED),
        (501, True, FAILED),
        (501, False, FAILED),
        (500, False, UNKNOWN),
    ],
)
def test_thin_storage(promised: int, complete: bool, outcome: Outcome) -> None:
    thin = ThinStorage("vg-pool", Size(500 * GB), Size(promised * GB), complete)

    assert evaluate("hardware.filesystem", STORAGE, thin).outcome is outcome


def test_an_overcommitted_pool_is_named() -> None:
    thin = ThinStorage("vg-pool", Size(500 * GB), Size(900 * GB))

    finding = evaluate("hardware.filesystem", STORAGE, thin)

    assert finding.message == "the pool vg-pool has 500 GB and its volumes promise 900 GB"


SPINNING = replace(DISK, rotational=True, label="ATA ST4000NM")
VIRTUAL = replace(DISK, name="vda", rotational=True)
FAST = FsyncAnswer(writes=300, p50=0.001, p99=0.025)


@pytest.mark.parametrize(
    ("disks", "fsync", "outcome"),
    [
        ((DISK,), None, PASSED),
        ((SPINNING,), None, FAILED),
        ((DISK, SPINNING), None, FAILED),
        ((SPINNING,), FAST, FAILED),
        ((VIRTUAL,), None, UNKNOWN),
        ((), None, UNKNOWN),
        ((VIRTUAL,), FAST, PASSED),
        ((), FAST, PASSED),
        ((DISK,), FAST, PASSED),
        ((DISK,), Unknown("needs root: x"), UNKNOWN),
        ((DISK,), FsyncAnswer(writes=300, p50=0.01, p99=0.0251), FAILED),
        ((DISK,), FsyncAnswer(writes=300, p50=0.001, p99=0.0251), UNKNOWN),  # noisy
        ((DISK,), FsyncAnswer(writes=200, p50=0.001, p99=0.002), PASSED),
        ((DISK,), FsyncAnswer(writes=199, p50=0.001, p99=0.002), UNKNOWN),
        ((DISK,), FsyncAnswer(writes=100, p50=0.080, p99=0.120), FAILED),
    ],
)
def test_storage_speed(
    disks: tuple[BlockDevice, ...], fsync: FsyncAnswer | Unknown | None, outcome: Outcome
) -> None:
    assert evaluate("hardware.storage-speed", StorageSpeed(disks, fsync)).outcome is outcome


def test_the_spinning_disk_is_named() -> None:
    finding = evaluate("hardware.storage-speed", StorageSpeed((DISK, SPINNING)))

    assert finding.message == "sdb is a spinning disk"


def test_slow_writes_are_measured() -> None:
    slow = FsyncAnswer(writes=300, p50=0.02, p99=0.04)

    finding = evaluate("hardware.storage-speed", StorageSpeed((DISK,), slow))

    assert finding.message == "40.0 ms for 99 of 100 writes, 25 ms required"
    assert finding.notes == ("300 writes were measured, half of them durable within 20.0 ms",)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cpu", Cpu),
        ("memory", Memory),
        ("data-partition", Storage),
        ("data-free", Storage),
        ("filesystem", Storage),
        ("storage-speed", StorageSpeed),
    ],
)
def test_what_the_host_did_not_tell_is_unknown(name: str, kind: type) -> None:
    finding = evaluate(f"hardware.{name}", unknown={kind: Unknown("needs root: x", "sudo x")})

    assert (finding.outcome, finding.reason) == (UNKNOWN, "needs root: x")
