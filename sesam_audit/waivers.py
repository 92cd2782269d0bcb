"""Accepted risks: a TOML file that lies over failed and unknown findings, never in their place."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.errors import UsageError
from sesam_audit.level import Outcome
from sesam_audit.model import Finding, Waiver
from sesam_audit.reading import read
from sesam_audit.requirement import catalogue, near

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_KEYS = {"id", "subject", "host", "reason", "until", "by"}


class WaiverRule(Struct, frozen=True):
    """One `[[waiver]]`: which findings, why, until which day, who said so."""

    id: str
    reason: str
    until: date
    by: str
    subject: str | None = None
    host: str = "*"

    def covers(self, host: str, finding: Finding, now: datetime) -> bool:
        """Failed and unknown only; the last day still counts."""
        return (
            self.names(host, finding)
            and finding.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
            and now.date() <= self.until
        )

    def names(self, host: str, finding: Finding) -> bool:
        """Whether it is about this finding, whatever that came to."""
        return (
            finding.id == self.id
            and self.subject in (None, finding.subject)
            and fnmatch.fnmatchcase(host, self.host)
        )


def load(path: Path) -> tuple[WaiverRule, ...]:
    """The rules of a waiver file.

    Raises:
        UsageError: unreadable, not TOML, an unknown key or id, or a part missing.
    """
    data = read(path, "The waiver file")
    try:
        tree = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not TOML, endless digits
        raise UsageError(f"The waiver file {str(path)!r} is not valid TOML: {error}") from error
    rules = tree.pop("waiver", [])
    if tree or not isinstance(rules, list):
        raise UsageError(f"{path}: only [[waiver]] tables may stand there")
    return tuple(_rule(entry, f"{path}: waiver {n}") for n, entry in enumerate(rules, 1))


def _rule(entry: Any, where: str) -> WaiverRule:
    if not isinstance(entry, dict) or set(entry) - _KEYS:
        raise UsageError(f"{where}: known keys are {', '.join(sorted(_KEYS))}")
    for key in ("id", "reason", "by"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise UsageError(f"{where} has no {key!r}", "Say what is accepted, why, and by whom")
    for key in ("subject", "host"):
        if not isinstance(entry.get(key, ""), str):
            raise UsageError(f"{where}: {key!r} is not a text")
    if entry["id"] not in catalogue():
        raise UsageError(
            f"{where}: no check is called {entry['id']!r}", near(entry["id"], catalogue())
        )
    until = entry.get("until")
    if not isinstance(until, date) or isinstance(until, datetime):
        raise UsageError(f"{where} has no 'until' day", "Write until = 2027-01-31")
    return WaiverRule(**entry)


def apply(rules: tuple[WaiverRule, ...], host: str, finding: Finding, now: datetime) -> Finding:
    """The finding with the first waiver that covers it."""
    for rule in rules:
        if rule.covers(host, finding, now):
            waiver = Waiver(rule.reason, rule.until.isoformat(), rule.by)
            return replace(finding, waiver=waiver)
    return finding


def idle(
    rules: Iterable[WaiverRule], hosts: Sequence[tuple[str, Sequence[Finding]]], now: datetime
) -> Iterator[str]:
    """In words: the rules that ended while they are still needed, and those that name nothing."""
    for rule in rules:
        named = [each for host, found in hosts for each in found if rule.names(host, each)]
        what = f"{rule.id} [{rule.subject}]" if rule.subject else rule.id
        if not named and any(each.id == rule.id for _, found in hosts for each in found):
            where = "" if rule.host == "*" else f" on a host called {rule.host}"
            yield f"The waiver of {what} by {rule.by} names no finding{where}"
        elif now.date() > rule.until and any(
            each.outcome in (Outcome.FAILED, Outcome.UNKNOWN) and not each.waiver for each in named
        ):
            yield f"The waiver of {what} by {rule.by} ended on {rule.until}: it counts no more"
