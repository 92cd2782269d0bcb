"""Every verdict is brought by a real part, on the names it is put on, and on no other."""

from __future__ import annotations

import pytest

from sesam_audit.facts.scene import Dialled

from .auditing import Audited
from .faults.fault import matches, seeded
from .faults.verdicts import CELLS, LAYERS, Cell
from .lab import Lab
from .staging import Scenes, differences

ISSUE = frozenset(
    (
        *("ok", "dns-fails", "dns-sinkhole", "tcp-refused", "tcp-timeout", "tls-fails"),
        *("tls-intercepted", "tls-name-mismatch", "clock-skew", "proxy-refused"),
        *("proxy-needs-auth", "block-page", "wrong-service", "service-trouble"),
    )
)


def words(audited: Audited) -> dict[str, set[str]]:
    """What the rows of the way out say of the host's own dials, by name."""
    found: dict[str, set[str]] = {}
    for flow in audited.host()["flows"]:
        if flow["context"].startswith("a container on "):
            continue
        if flow["rule"].startswith("OUT-") and "switches this rule off" not in flow["said"]:
            name = LAYERS if flow["finding"] == "outbound.docker-layers" else flow["name"]
            if flow["finding"] != "docker.registry-access" and flow["rule"] != "OUT-PROXY":
                found.setdefault(name, set()).add(flow["result"])
    return found


def test_every_verdict_has_a_part_that_brings_it() -> None:
    brought = {word for cell in CELLS for word in cell.words.values()}

    assert brought | {"ok"} == ISSUE
    assert Dialled.__doc__ is not None
    assert all(word in Dialled.__doc__ for word in ISSUE)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.fault.name)
def test_a_part_brings_its_verdict_and_no_other(lab: Lab, scenes: Scenes, cell: Cell) -> None:
    fault = cell.fault
    host, auditor, baseline = scenes[fault.scene]
    with seeded(fault, lab, host):
        audited = auditor.audit(host, *fault.settings)

    said = words(audited)
    assert said == {name: {cell.words.get(name, "ok")} for name in said}
    assert cell.words.keys() <= said.keys()
    assert differences(audited, {**baseline, **fault.expected(baseline)}) == []
    told = [audited.findings[key]["message"] for key in fault.changes]
    assert not told or matches(fault.says, told), told
