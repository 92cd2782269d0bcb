"""Whether a store can move at all, as far as that shows while its node still runs."""

import contextlib
import os
from typing import Dict, List, Optional, Tuple

from . import copier
from .holders import mounts_below
from .paths import DIRECTORY
from .stop import Stop

_ATTEMPTS = 3


def check(size: int, inodes: int, free: os.statvfs_result, target: str) -> None:
    """Refuse a copy that would not fit, a reserve of a twentieth left."""
    reserve = free.f_blocks * free.f_frsize // 20
    short = size + reserve - free.f_bavail * free.f_frsize
    if short > 0:
        raise Stop(
            "%d MB are missing for the copy at %s" % (-(-short // 10**6), target),
            "df -h %s" % os.path.dirname(target),
        )
    if free.f_files and free.f_favail < inodes:
        raise Stop("too few inodes are free for the copy", "df -i")


def check_mounts(store: int) -> None:
    """Refuse a store that is a mount, or has one in it."""
    mounts = mounts_below(os.readlink("/proc/self/fd/%d" % store))
    if mounts:
        raise Stop("%s is a mount, it does not move along" % mounts[0], "findmnt %s" % mounts[0])


def foreseen(store: int, target: str) -> Dict[str, int]:
    """The bytes that a copy will take; refused where they will not be free."""
    found = _listed(store)
    if found is None:
        return {}
    size, inodes = copier.needed(found)
    above, name = os.path.split(target)
    there, known = _parts(above, name)
    while not os.path.isdir(above):
        above = os.path.dirname(above)
    check(size - there, inodes - known, os.statvfs(above), target)
    return {"bytes": size}


def _listed(store: int) -> Optional[List[copier.Entry]]:
    """All entries; None where the node that still runs takes files away all the time."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(FileNotFoundError):
            return list(copier.entries(store))
    return None


def _parts(above: str, name: str) -> Tuple[int, int]:
    """Bytes and inodes of what interrupted copies have brought there already."""
    size = inodes = 0
    for each in os.listdir(above) if os.path.isdir(above) else ():
        if each.startswith(name + ".sesam-audit-") and each.endswith(".part"):
            part = os.open(os.path.join(above, each), DIRECTORY)
            try:
                found = copier.needed(list(copier.entries(part)))
            finally:
                os.close(part)
            size, inodes = size + found[0], inodes + found[1]
    return size, inodes
