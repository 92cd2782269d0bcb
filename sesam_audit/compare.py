"""What changed between two reports: findings by host, id and subject, and whether one got worse.

Notes are not compared: they hold what differs every time, such as when the auditor dialled.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from sesam_audit.cleaning import clean_fields
from sesam_audit.compare_flows import FlowDifference, SavedFlow, flow_differences
from sesam_audit.errors import UsageError
from sesam_audit.level import Level, Outcome, Stage
from sesam_audit.model import Quantity, Verdict, Waiver
from sesam_audit.reading import read

_LIMIT = 256 * 2**20
_SCHEMA = re.compile(r"sesam-audit/report/(\d{1,9})")
_MAJOR = 1
_ORDER = {
    Outcome.PASSED: 0,
    Outcome.NOT_APPLICABLE: 0,
    Outcome.UNKNOWN: 1,
    Outcome.BLOCKED: 1,
    Outcome.FAILED: 2,
}


class Change(str, Enum):
    """What became of a finding; worse and gone are what a gate stops at."""

    WORSE = "worse"
    GONE = "gone"
    BETTER = "better"
    NEW = "new"
    CHANGED = "changed"


class _Clean(Struct, frozen=True):
    """Read from a file, so every text of it is made harmless."""

    def __post_init__(self) -> None:
        clean_fields(self)


class SavedFinding(_Clean, frozen=True):
    """The part of a finding that is compared."""

    id: str
    subject: str | None
    level: Level
    outcome: Outcome
    message: str
    measured: Quantity | None
    waiver: Waiver | None

    @property
    def key(self) -> tuple[str, str | None]:
        return (self.id, self.subject)

    @property
    def label(self) -> str:
        """The id, with the subject when there are several."""
        return self.id if self.subject is None else f"{self.id} [{self.subject}]"


class SavedHost(_Clean, frozen=True):
    """One host of a report."""

    host: str
    verdict: Verdict
    stage: Stage
    findings: tuple[SavedFinding, ...]
    flows: tuple[SavedFlow, ...] = ()


class Tool(_Clean, frozen=True):
    """What wrote a report."""

    version: str
    requirements: str


class Selection(_Clean, frozen=True):
    """What was left out of a report."""

    only: tuple[str, ...]
    skip: tuple[str, ...]


class Saved(_Clean, frozen=True):
    """A report, as far as it is compared; keys that are not known are left unread."""

    schema: str
    tool: Tool
    started: str
    selection: Selection
    profile: dict[str, str]
    hosts: tuple[SavedHost, ...]


class _Head(Struct, frozen=True):
    schema: str


class Difference(Struct, frozen=True):
    """One finding that is not as it was; one side is None where it is new or gone."""

    change: Change
    old: SavedFinding | None
    new: SavedFinding | None

    @property
    def known(self) -> SavedFinding:
        """The finding, by its later side."""
        found = self.new or self.old
        assert found is not None  # noqa: S101 - one of them is always there
        return found


class Pair(Struct, frozen=True):
    """A host of both reports; its names differ only where each report has no other."""

    old: SavedHost
    new: SavedHost
    differences: tuple[Difference, ...]
    flows: tuple[FlowDifference, ...] = ()

    @classmethod
    def of(cls, old: SavedHost, new: SavedHost) -> Pair:
        """Compare the host's two sides."""
        return cls(old, new, _differences(old, new), flow_differences(old.flows, new.flows))

    @property
    def less_ready(self) -> bool:
        """Whether the verdict moved towards not-ready, as by a waiver that ran out."""
        order = list(Verdict)
        moved = order.index(self.new.verdict) < order.index(self.old.verdict)
        return moved and self.old.stage is self.new.stage


class Comparison(Struct, frozen=True):
    """Two reports side by side."""

    old: Saved
    new: Saved
    pairs: tuple[Pair, ...]
    gone: tuple[SavedHost, ...]
    added: tuple[SavedHost, ...]

    @property
    def counts(self) -> dict[Change, int]:
        counted = Counter(each.change for pair in self.pairs for each in pair.differences)
        return {change: counted[change] for change in Change}

    @property
    def less_ready(self) -> int:
        """How many hosts' verdicts moved towards not-ready."""
        return sum(pair.less_ready for pair in self.pairs)

    @property
    def worse(self) -> bool:
        """Whether a finding or a host's verdict got worse, or one of them vanished."""
        counts = self.counts
        return bool(counts[Change.WORSE] or counts[Change.GONE] or self.gone or self.less_ready)


def load(path: Path) -> Saved:
    """A JSON report.

    Raises:
        UsageError: it cannot be read, is no report, or is of another schema.
    """
    data = read(path, "The report", _LIMIT)
    try:
        _check_schema(path, msgspec.json.decode(data, type=_Head).schema)
        saved = msgspec.json.decode(data, type=Saved)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        remedy = "Write one with --report json=PATH"
        raise UsageError(f"{path} is not a JSON report: {error}", remedy) from error
    _check_unique(path, "host", (host.host for host in saved.hosts))
    for host in saved.hosts:
        _check_unique(path, "finding", (each.label for each in host.findings))
    return saved


def _check_schema(path: Path, schema: str) -> None:
    found = _SCHEMA.fullmatch(schema)
    if not found:
        raise UsageError(f"{path} is not a report but {schema[:80]!r}")
    if int(found[1]) != _MAJOR:
        raise UsageError(
            f"{path} is of schema {schema}, and only sesam-audit/report/{_MAJOR} can be compared",
            "Write both reports with this sesam-audit",
        )


def _check_unique(path: Path, what: str, names: Iterable[str]) -> None:
    name, times = next(iter(Counter(names).most_common(1)), ("", 0))
    if times > 1:
        raise UsageError(f"{path} is not one report: it has several {what}s {name[:200]!r}")


def compared(old: Saved, new: Saved) -> Comparison:
    """Compare hosts by name; two reports with one host each are about that host."""
    if len(old.hosts) == len(new.hosts) == 1:
        return Comparison(old, new, (Pair.of(old.hosts[0], new.hosts[0]),), (), ())
    before = {host.host: host for host in old.hosts}
    after = {host.host: host for host in new.hosts}
    return Comparison(
        old=old,
        new=new,
        pairs=tuple(Pair.of(host, after[name]) for name, host in before.items() if name in after),
        gone=tuple(host for name, host in before.items() if name not in after),
        added=tuple(host for name, host in after.items() if name not in before),
    )


def _differences(old: SavedHost, new: SavedHost) -> tuple[Difference, ...]:
    order = list(Change)
    found = _changes(old.findings, new.findings)
    return tuple(sorted(found, key=lambda each: order.index(each.change)))


def _changes(old: Sequence[SavedFinding], new: Sequence[SavedFinding]) -> Iterator[Difference]:
    after = {each.key: each for each in new}
    for each in old:
        later = after.pop(each.key, None)
        change = Change.GONE if later is None else _change(each, later)
        if change:
            yield Difference(change, each, later)
    for each in after.values():
        yield Difference(Change.NEW, None, each)


def _change(old: SavedFinding, new: SavedFinding) -> Change | None:
    moved = _ORDER[new.outcome] - _ORDER[old.outcome]
    if moved:
        return Change.WORSE if moved > 0 else Change.BETTER
    return Change.CHANGED if _rest(old) != _rest(new) else None


def _rest(finding: SavedFinding) -> tuple[Any, ...]:
    """What may change while the outcome stays where it is."""
    return (finding.outcome, finding.message, finding.level, finding.measured, finding.waiver)
