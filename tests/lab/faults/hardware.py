"""Faults of hardware."""

from __future__ import annotations

import os

from ..host import DATA_BYTES, LabHost
from ..lab import Lab
from .fault import FAILED, UNKNOWN, Fault

STORE = "/srv/data/sesam/node-00/data"
LOOP = "device=$(findmnt -no SOURCE /srv/data)\n"


def _grown(_: Lab, host: LabHost) -> None:
    _set_size(host, DATA_BYTES + 100 * 10**9)


def _shrunk(_: Lab, host: LabHost) -> None:
    _set_size(host, DATA_BYTES)


def _set_size(host: LabHost, size: int) -> None:
    """Give the data disk another size; its file system stays as it is."""
    os.truncate(host.data_image, size)
    host.run(f"{LOOP}losetup --set-capacity $device")


def _rotational(value: int) -> str:
    return (
        "mount -o remount,bind,rw /sys\n"
        f"echo {value} >/sys/block/$(basename $(findmnt -no SOURCE /srv/data))/queue/rotational\n"
        "mount -o remount,bind,ro /sys"
    )


FAULTS = (
    Fault(
        name="fewer processors than demanded",
        changes={"hardware.cpu": FAILED},
        settings=("hardware.cpus=4096",),
        says="4096 CPUs required",
    ),
    Fault(
        name="less memory than demanded",
        changes={"hardware.memory": FAILED},
        settings=("hardware.memory=1000000 GB",),
    ),
    Fault(
        name="a smaller data disk than demanded",
        changes={"hardware.data-partition": FAILED},
        settings=("hardware.data_partition=401 GB",),
    ),
    Fault(
        name="a disk of just the size demanded",
        settings=("hardware.data_partition=400 GB",),
    ),
    Fault(
        name="a grown disk whose file system was not grown",
        changes={"hardware.data-partition": FAILED},
        outside=_grown,
        restore=_shrunk,
        says="file system was not grown",
    ),
    Fault(
        name="a data disk that is nearly full",
        changes={"hardware.data-free": FAILED},
        seed=f"fallocate -l 365G {STORE}/big && chown sesam:sesam {STORE}/big",
        mend=f"rm {STORE}/big",
    ),
    Fault(
        name="a store in memory over the data disk",
        changes={
            "hardware.filesystem": FAILED,
            "hardware.data-partition": FAILED,
            "hardware.storage-speed": UNKNOWN,
        },
        seed=f"mkdir /run/held; cp -a {STORE}/license.key /run/held; "
        f"mount -t tmpfs -o size=1000g,uid=1500,gid=1500,mode=755 tmpfs {STORE}; "
        f"cp -a /run/held/license.key {STORE}",
        mend=f"umount {STORE}; rm -r /run/held",
        says="tmpfs, which does not persist",
    ),
    Fault(
        name="a virtual disk that says it spins",
        changes={"hardware.storage-speed": UNKNOWN},
        seed=_rotational(1),
        mend=_rotational(0),
        says="not measured",
    ),
)
