"""What becomes of blocked findings when what they wait for was waived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sesam_audit.model import Finding, Key

_UNMET = ("failed", "unknown", "blocked")


def excused(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The blocked findings that wait, in the end, for waived ones alone."""
    known: dict[str, list[Finding]] = {}
    for item in findings:
        if item.outcome.value in _UNMET:
            for name in {item.id, f"{item.id} [{item.subject}]"}:
                known.setdefault(name, []).append(item)
    verdicts: dict[Key, bool] = {}

    def accepted(item: Finding) -> bool:
        if item.waiver or item.outcome.value != "blocked":
            return item.waiver is not None
        if item.key not in verdicts:
            verdicts[item.key] = False  # two that wait for each other wait for ever
            roots = [root for need in item.needs for root in known.get(need, ())]
            seen = any(root.id == item.blocked_by for root in roots)
            verdicts[item.key] = seen and all(map(accepted, roots))
        return verdicts[item.key]

    blocked = (item for item in findings if item.outcome.value == "blocked")
    return tuple(item for item in blocked if accepted(item))
