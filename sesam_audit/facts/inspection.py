"""What looking at several things together came to: problems proved, doubts left, notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sesam_audit.errors import Unknown


@dataclass
class Inspection:
    """Collects what is found; a proved problem outweighs a doubt, a doubt outweighs a pass."""

    problems: list[str] = field(default_factory=list)
    doubts: list[Unknown] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Add what does not hold, proved."""
        self.problems.append(text)

    def doubt(self, doubt: Unknown | None) -> None:
        """Add what could not be told, if anything."""
        if doubt is not None:
            self.doubts.append(doubt)

    def note(self, text: str) -> None:
        """Add a sentence that stands beside the verdict."""
        self.notes.append(text)

    @property
    def unknown(self) -> Unknown | None:
        """All doubts as one, with the first command, and the first lack, that would settle one."""
        if not self.doubts:
            return None
        reasons = dict.fromkeys(doubt.reason for doubt in self.doubts)
        command = next((doubt.command for doubt in self.doubts if doubt.command), "")
        lacks = next((doubt.lacks for doubt in self.doubts if doubt.lacks), None)
        return Unknown("; ".join(reasons), command, lacks)


def listed(items: Iterable[str], limit: int = 5) -> str:
    """The first few of many, and how many more there are."""
    shown = list(items)
    more = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {more} more" if more > 0 else "")
