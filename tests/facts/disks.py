"""Made-up disks, as sysfs shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sesam_audit.asks import Answer, Ask
from sesam_audit.errors import Unknown
from sesam_audit.facts.block_devices import ROOT, BlockDevice

from .machine import matches

GB = 10**9


def shown(devices: Iterable[BlockDevice]) -> dict[Ask[Any], Answer | Unknown]:
    """What sysfs answers about these devices."""
    texts: dict[str, dict[str, str]] = {
        pattern: {}
        for pattern in (
            *("*/dev", "*/size", "*/queue/rotational", "*/device/vendor", "*/device/model"),
            *("*/dm/name", "*/dm/uuid", "*/slaves/*/dev", "*/*/partition"),
        )
    }
    for each in devices:
        texts["*/dev"][f"{each.name}/dev"] = f"{each.number}\n"
        texts["*/size"][f"{each.name}/size"] = f"{each.size // 512}\n"
        if each.rotational is not None:
            texts["*/queue/rotational"][f"{each.name}/queue/rotational"] = f"{each.rotational:d}\n"
        if each.label:
            texts["*/device/model"][f"{each.name}/device/model"] = f"{each.label}\n"
        if each.dm_uuid:
            texts["*/dm/name"][f"{each.name}/dm/name"] = f"{each.dm_name}\n"
            texts["*/dm/uuid"][f"{each.name}/dm/uuid"] = f"{each.dm_uuid}\n"
        if each.parent:
            texts["*/*/partition"][f"{each.parent}/{each.name}/partition"] = "1\n"
        for slave in each.slaves:
            texts["*/slaves/*/dev"][f"{each.name}/slaves/{slave}/dev"] = "8:1\n"
    return matches(
        {
            f"{ROOT}/{pattern}": {f"{ROOT}/{path}": text for path, text in found.items()}
            for pattern, found in texts.items()
        }
    )
