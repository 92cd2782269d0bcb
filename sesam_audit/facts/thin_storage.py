"""Thin storage: volumes that promise more than the pool below them holds."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from sesam_audit.asks import Run, RunAnswer, Steps
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.block_devices import BlockDevice, BlockDevices
from sesam_audit.facts.storage import Storage
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size

_COLUMNS = "vg_name,lv_name,lv_size,pool_lv"
_LVS = Run(("lvs", "--reportformat", "json", "--units", "b", "--nosuffix", "-o", _COLUMNS))
_POOL = "-tpool"


class ThinStorage(Struct, frozen=True):
    """The pool below the data directory; `pool` is "" where storage is not thin."""

    pool: str = ""
    size: Size = Size(0)
    promised: Size = Size(0)  # by the active volumes; by all, when `complete`
    complete: bool = True

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ThinStorage]:
        """Look below the data directory; only root sees the volumes that are not active."""
        storage, devices, volumes = yield from gather(
            Storage.ask(profile), BlockDevices.ask(profile), _volumes(profile)
        )
        device = devices.under(storage.mount)
        for below in devices.stack(device) if device else ():
            if below.dm_uuid.endswith(_POOL):
                return _pool(below, devices, volumes)
            if below.dm_uuid.startswith("VDO-") or below.dm_uuid.endswith("-vpool"):
                held = sum(d.size for d in devices.devices if d.name in below.slaves)
                return cls(below.dm_name, Size(held), below.size)
        return cls()


def _volumes(profile: Profile) -> Steps[dict[str, int] | Unknown]:
    """What all thin volumes promise, by the name of their pool's device."""
    devices = yield from BlockDevices.ask(profile)
    if not any(each.dm_uuid.endswith(_POOL) for each in devices.devices):
        return {}
    answer = yield from attempt(_LVS)
    if not isinstance(answer, RunAnswer) or answer.code != 0:
        return needs_root("volumes that are not active", "sudo lvs -o +pool_lv")
    promised: dict[str, int] = {}
    for volume in _rows(json.loads(answer.out)):
        pool, group, size = (str(volume.get(k) or "") for k in ("pool_lv", "vg_name", "lv_size"))
        if pool and size.isdigit():
            name = f"{group.replace('-', '--')}-{pool.replace('-', '--')}{_POOL}"
            promised[name] = promised.get(name, 0) + int(size)
    return promised


def _rows(document: Any) -> list[dict[str, Any]]:
    try:
        rows = document["report"][0]["lv"]
    except (KeyError, IndexError, TypeError):
        rows = []
    return [row for row in rows if isinstance(row, dict)]


def _pool(
    pool: BlockDevice, devices: BlockDevices, volumes: dict[str, int] | Unknown
) -> ThinStorage:
    active = sum(each.size for each in devices.holders(pool) if not each.dm_uuid.endswith("-pool"))
    listed = 0 if isinstance(volumes, Unknown) else volumes.get(pool.dm_name, 0)
    return ThinStorage(pool.dm_name, pool.size, Size(max(active, listed)), complete=bool(listed))
