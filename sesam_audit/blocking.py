"""What becomes of blocked findings when what they wait for was waived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sesam_audit.level import Outcome

_UNMET = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.BLOCKED)


class Judged(Protocol):
    """A finding (model.py), as far as it says for whom it waits."""

    @property
    def id(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def waiver(self) -> object | None: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def blocked_by(self) -> str | None: ...


_Finding = TypeVar("_Finding", bound=Judged)


def excused(findings: Sequence[_Finding]) -> tuple[_Finding, ...]:
    """The blocked findings that wait, in the end, for waived ones alone."""
    known: dict[str, list[_Finding]] = {}
    for item in findings:
        if item.outcome in _UNMET:
            for name in {item.id, f"{item.id} [{item.subject}]"}:
                known.setdefault(name, []).append(item)
    verdicts: dict[tuple[str, str | None], bool] = {}

    def accepted(item: _Finding) -> bool:
        if item.waiver or item.outcome is not Outcome.BLOCKED:
            return item.waiver is not None
        key = (item.id, item.subject)
        if key not in verdicts:
            verdicts[key] = False  # two that wait for each other wait for ever
            roots = [root for need in item.needs for root in known.get(need, ())]
            seen = any(root.id == item.blocked_by for root in roots)
            verdicts[key] = seen and all(map(accepted, roots))
        return verdicts[key]

    blocked = (item for item in findings if item.outcome is Outcome.BLOCKED)
    return tuple(item for item in blocked if accepted(item))
