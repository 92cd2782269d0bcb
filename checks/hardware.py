"""Hardware: processors, memory and the storage that holds the data directory."""

from __future__ import annotations

from shlex import quote

from sesam_audit.asks import FsyncAnswer
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts.cpu import Cpu
from sesam_audit.facts.memory import Memory
from sesam_audit.facts.storage import Storage
from sesam_audit.facts.storage_speed import StorageSpeed
from sesam_audit.facts.thin_storage import ThinStorage
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size
from sesam_audit.requirement import MUST, SHOULD, Found, requirement

RECOMMENDED = (
    "Guide, Hardware requirements: recommended minimum: “at least a machine with 4 CPUs, "
    "16GB RAM and a 350GB data partition with fast storage”"
)
MOUNTED = ("layout.data-mount",)  # else another disk would be judged
GROWN = 0.93  # ext4 and xfs keep less than the rest for themselves
FREE = Size(20 * 10**9)
MEASURE = "sesam-audit run --measure-storage"


@requirement(source=RECOMMENDED, level=MUST)
def check_cpu(cpu: Cpu, profile: Profile, found: Found) -> None:
    """The containers have at least 4 CPUs.

    Give the machine more virtual CPUs, or move it to a larger size. CPUs that are there but offline
    are switched on with:

        echo 1 | sudo tee /sys/devices/system/cpu/cpu*/online

    A limit that is named is raised where it is set, as CPUQuota or AllowedCPUs:

        systemctl cat system.slice
    """
    if cpu.offline:
        found.note(f"{cpu.offline} more CPUs are there, but offline")
    if cpu.limit:
        found.note(f"{cpu.online} CPUs are online; {cpu.limit.by} leaves {cpu.limit.value:g}")
    count = found(cpu.effective, required=profile.hardware.cpus, unit="CPUs")
    assert count >= profile.hardware.cpus


@requirement(source=RECOMMENDED, level=MUST)
def check_memory(memory: Memory, profile: Profile, found: Found) -> None:
    """The containers have at least 16 GB of memory.

    Give the machine more memory, or move it to a larger size. A limit that is named is raised where
    it is set, as MemoryMax:

        systemctl cat system.slice
    """
    if memory.installed:
        found.note(f"{memory.total} managed by Linux, {memory.installed} installed")
    if memory.offline:
        found.note(f"{memory.offline} more are there, but offline")
    if memory.limit:
        found.note(f"{memory.limit.by} leaves {Size(memory.limit.value)}")
    if memory.balloon:
        found.note(
            f"{memory.balloon} is loaded: the hypervisor may take memory back; judged as it is now"
        )
    assert found(memory.effective, required=profile.hardware.memory) >= profile.hardware.memory


@requirement(source=RECOMMENDED, level=MUST, needs=MOUNTED)
def check_data_partition(storage: Storage, profile: Profile, found: Found) -> None:
    """The data directory has a partition of at least 350 GB, used in full.

    Enlarge the disk, then each layer that lies on it, which this shows:

        lsblk -o NAME,SIZE,TYPE,FSTYPE,MOUNTPOINT

    A partition, where the disk has one:

        sudo growpart /dev/DISK NUMBER

    LVM, where it is used:

        sudo pvresize /dev/PARTITION
        sudo lvextend -l +100%FREE /dev/VG/LV

    The file system, when it is ext4:

        sudo resize2fs /dev/DEVICE

    The file system, when it is xfs:

        sudo xfs_growfs /srv/data
    """
    mount, demanded = storage.mount, profile.hardware.data_partition
    found.note(f"{storage.path} lies on {mount.source} ({mount.fstype}), mounted at {mount.target}")
    size = found(storage.size, required=demanded)
    assert not mount.volatile, f"{storage.path} lies on {mount.fstype}, which does not persist"
    if storage.hidden and demanded * GROWN <= size < demanded:
        raise Unknown(f"the size of {mount.source} is not shown", f"lsblk -b {quote(mount.source)}")
    assert size >= demanded
    assert storage.total >= size * GROWN, (
        f"the file system was not grown: it uses {storage.total} of the {size} of {mount.source}"
    )


@requirement(source="Engineering: a full disk stops the node", level=SHOULD, needs=MOUNTED)
def check_data_free(storage: Storage, found: Found) -> None:
    """At least 10 % and 20 GB of the data partition are free.

    Enlarge the disk, or see what takes the space:

        sudo du -xh --max-depth=3 /srv/data | sort -h | tail

    ext4 keeps 5 % for root, which a data disk does not need:

        sudo tune2fs -m 1 /dev/DEVICE
    """
    room = max(FREE, Size(storage.total / 10))
    assert found(storage.available, required=room, words="{} free") >= room
    inodes, left = storage.inodes, storage.inodes_available
    assert left * 20 >= inodes, f"{left} of {inodes} inodes are free, 5 % are required"


@requirement(
    source="Engineering: the node's database needs a local file system whose space is real",
    level=SHOULD,
    needs=MOUNTED,
)
def check_filesystem(storage: Storage, thin: ThinStorage, found: Found) -> None:
    """The data lies on a local, writable file system that is not over-committed.

    Put the data on a disk of this machine, with ext4 or xfs. Where a thin pool is named, enlarge it
    until it holds what its volumes promise:

        sudo lvextend -L SIZE VG/POOL
    """
    mount = storage.mount
    found(mount.fstype)
    assert not mount.served, f"{storage.path} lies on {mount.fstype} from {mount.source}"
    assert not mount.volatile, f"{storage.path} lies on {mount.fstype}, which does not persist"
    assert not mount.read_only, f"{mount.target} is mounted read-only"
    assert thin.promised <= thin.size, (
        f"the pool {thin.pool} has {thin.size} and its volumes promise {thin.promised}"
    )
    if not thin.complete:
        why = f"the pool {thin.pool} may hold volumes that are not active"
        raise needs_root(why, "sudo lvs -o +pool_lv")


@requirement(source=RECOMMENDED, level=SHOULD, needs=MOUNTED)
def check_storage_speed(speed: StorageSpeed, found: Found) -> None:
    """The data lies on fast storage, not on a spinning disk.

    Move the data to solid-state storage, in a cloud to a premium class of disks. To measure it,
    with a small file that is removed at once:

        sesam-audit run --measure-storage
    """
    spinning = [disk for disk in speed.disks if disk.rotational]
    certain = [disk.name for disk in spinning if not disk.virtual]
    assert not certain, f"{', '.join(certain)} is a spinning disk"
    if isinstance(speed.fsync, Unknown):
        raise speed.fsync
    if speed.fsync:
        _durable(speed.fsync, found)
    elif spinning or not speed.disks:
        names = ", ".join(disk.name for disk in spinning) or "what lies below"
        raise Unknown(
            f"not measured, and {names} does not tell: a hypervisor calls every disk rotational",
            MEASURE,
        )
    else:
        found(", ".join(disk.name for disk in speed.disks), words="{} does not spin")


def _durable(fsync: FsyncAnswer, found: Found) -> None:
    slowest = found(
        round(fsync.p99 * 1000, 1), required=25, unit="ms", words="{} for 99 of 100 writes"
    )
    half = round(fsync.p50 * 1000, 1)
    found.note(f"{fsync.writes} writes were measured, half of them durable within {half} ms")
    if fsync.writes < 200 and half <= 25:
        raise Unknown(f"{fsync.writes} writes are too few for a verdict, 200 are needed", MEASURE)
    if half * 10 < slowest and slowest > 25:
        raise Unknown(f"noisy, half of the writes in {half} ms, 99 of 100 in {slowest} ms", MEASURE)
    assert slowest <= 25
