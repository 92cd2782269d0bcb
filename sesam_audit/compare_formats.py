"""A comparison of two reports as calm text and as JSON."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from sesam_audit.cleaning import without_orders, without_orders_in_json
from sesam_audit.compare import Change, Comparison, Difference, Pair, Saved, SavedFinding, SavedHost
from sesam_audit.compare_flows import FIELDS, FlowDifference
from sesam_audit.destinations import host_port
from sesam_audit.level import Outcome

_LONGEST = 500  # characters of one foreign sentence; the rest of it is in the JSON
_WIDTH = 100
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_QUIET = (Outcome.PASSED, Outcome.NOT_APPLICABLE)


def as_text(comparison: Comparison) -> str:
    """What changed, the worse first."""
    return without_orders("".join(f"{line}\n" for line in _text(comparison)))


def _text(comparison: Comparison) -> Iterator[str]:
    yield _headline(comparison)
    yield from _about(comparison)
    for host in comparison.gone:
        yield from ("", _flat(f"{host.host}: gone, was {host.verdict.value}"))
    for pair in comparison.pairs:
        if pair.differences or pair.flows or pair.old.verdict != pair.new.verdict:
            yield from ("", *_pair(pair))
    for host in comparison.added:
        yield from ("", _flat(f"{host.host}: new, {host.verdict.value}"))


def _headline(comparison: Comparison) -> str:
    counts = comparison.counts
    said = [f"{number} {change.value}" for change, number in counts.items() if number]
    gone, added = len(comparison.gone), len(comparison.added)
    for number, word in ((comparison.less_ready, "less ready"), (gone, "gone"), (added, "new")):
        if number:
            said.append(f"{number} {'host' if number == 1 else 'hosts'} {word}")
    flows = sum(len(pair.flows) for pair in comparison.pairs)
    if flows:
        said.append(f"{flows} {'connection' if flows == 1 else 'connections'} changed")
    if not said:
        return "Nothing changed"
    better = counts[Change.BETTER] and not comparison.worse
    word = "Worse" if comparison.worse else "Better" if better else "Not worse"
    return f"{word}: {', '.join(said)}"


def _about(comparison: Comparison) -> Iterator[str]:
    """What must be known before the findings are believed."""
    old, new = comparison.old, comparison.new
    yield _flat(f"  from {old.started} to {new.started}")
    if _TIME.fullmatch(old.started) and _TIME.fullmatch(new.started) and old.started > new.started:
        yield "  The first report is the younger one: OLD comes first, then NEW"
    if old.tool.version != new.tool.version:
        yield _flat(f"  sesam-audit {new.tool.version}, was {old.tool.version}")
    if old.tool.requirements != new.tool.requirements:
        yield _flat(f"  requirements {new.tool.requirements}, was {old.tool.requirements}")
    if old.selection != new.selection:
        yield from _wrapped(f"selected: {_selection(new)}; was: {_selection(old)}", 2)
    for key, before, after in _options(comparison):
        yield from _wrapped(f"{key} = {after or 'as shipped'}, was {before or 'as shipped'}", 2)
    for pair in comparison.pairs:
        if pair.old.host != pair.new.host:
            said = "Each report has one host, so they are compared although the names differ"
            yield from _wrapped(f"{said}: {pair.old.host} and {pair.new.host}", 2)


def _selection(report: Saved) -> str:
    only, skip = ", ".join(report.selection.only), ", ".join(report.selection.skip)
    said = [only and f"only {only}", skip and f"without {skip}"]
    return " ".join(filter(None, said)) or "everything"


def _options(comparison: Comparison) -> Iterator[tuple[str, str | None, str | None]]:
    before, after = comparison.old.profile, comparison.new.profile
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def _pair(pair: Pair) -> Iterator[str]:
    words = _moved(pair.old.verdict.value, pair.new.verdict.value)
    stage = f", stage {_moved(pair.old.stage.value, pair.new.stage.value)}"
    yield _flat(f"{pair.new.host}: {words}{stage if pair.old.stage != pair.new.stage else ''}")
    for change, group in groupby(pair.differences, key=lambda each: each.change):
        yield f"  {change.value.capitalize()}"
        for each in group:
            yield from _difference(each)
    if pair.flows:
        yield "  Connections"
        for flow in pair.flows:
            yield from _flow(flow)


def _flow(difference: FlowDifference) -> Iterator[str]:
    flow = difference.known
    name = f"{flow.rule or 'extra'} {host_port(flow.name, flow.port)}"
    word = "" if difference.fields else f"  {difference.change}: {flow.result}"
    yield from _wrapped(f"{name} from {flow.vantage}, {flow.context}{word}", 4)
    for field, old, new in difference.fields:
        yield from _wrapped(f"{FIELDS[field]} {_moved(old or 'none', new or 'none')}", 6)


def _difference(difference: Difference) -> Iterator[str]:
    old, new, known = difference.old, difference.new, difference.known
    outcome = _moved(old.outcome.value, new.outcome.value) if old and new else known.outcome.value
    if new is None:
        outcome = f"was {outcome}"
    yield from _wrapped(f"{known.label}  {outcome}", 4)
    if old and new:
        yield from _between(old, new)
    elif known.outcome not in _QUIET:
        yield from _wrapped(known.message, 6)


def _between(old: SavedFinding, new: SavedFinding) -> Iterator[str]:
    """The message, and what else is not as it was."""
    before, after = _measured(old), _measured(new)
    if new.level != old.level:
        yield f"      {_moved(old.level.value, new.level.value)}"
    if before != after:
        yield from _wrapped(f"measured {_moved(before, after)}", 6)
    if new.outcome != old.outcome and new.outcome not in _QUIET:
        yield from _wrapped(new.message, 6)
    elif new.outcome == old.outcome and before == after and new.message != old.message:
        yield from _wrapped(f"now: {new.message}", 6)
        yield from _wrapped(f"was: {old.message}", 6)
    if new.waiver != old.waiver:
        yield from _wrapped(_waived(new), 6)


def _waived(finding: SavedFinding) -> str:
    waiver = finding.waiver
    return f"waived until {waiver.until} by {waiver.by}" if waiver else "no longer waived"


def _measured(finding: SavedFinding) -> str:
    return finding.measured.text if finding.measured else "nothing"


def _moved(old: str, new: str) -> str:
    return new if old == new else f"{new}, was {old}"


def _flat(text: str) -> str:
    """One line, cut, of what may be foreign; its indent stays."""
    indent = len(text) - len(text.lstrip(" "))
    return " " * indent + " ".join(_cut(text.strip()).split())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _wrapped(text: str, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        _cut(text),
        _WIDTH,
        initial_indent=margin,
        subsequent_indent=f"{margin}  ",
        break_on_hyphens=False,
    )


def as_json(comparison: Comparison) -> str:
    """Everything, for programs."""
    document = {
        "schema": "sesam-audit/comparison/1",
        "worse": comparison.worse,
        "counts": {change.value: number for change, number in comparison.counts.items()},
        "old": _report(comparison.old),
        "new": _report(comparison.new),
        "profile": [{"key": key, "old": old, "new": new} for key, old, new in _options(comparison)],
        "hosts": [
            *(_host(host, None) for host in comparison.gone),
            *(_host(each.old, each.new, each) for each in comparison.pairs),
            *(_host(None, host) for host in comparison.added),
        ],
    }
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return without_orders_in_json(text) + "\n"


def _report(report: Saved) -> dict[str, Any]:
    return {"started": report.started, "tool": report.tool, "selection": report.selection}


def _host(old: SavedHost | None, new: SavedHost | None, pair: Pair | None = None) -> dict[str, Any]:
    return {
        "old": _summary(old),
        "new": _summary(new),
        "differences": [
            {
                "id": each.known.id,
                "subject": each.known.subject,
                "change": each.change,
                "old": _side(each.old),
                "new": _side(each.new),
            }
            for each in (pair.differences if pair else ())
        ],
        "flows": [_flow_record(each) for each in (pair.flows if pair else ())],
    }


def _flow_record(difference: FlowDifference) -> dict[str, Any]:
    flow = difference.known
    return {
        "rule": flow.rule,
        "name": flow.name,
        "port": flow.port,
        "subject": flow.subject,
        "vantage": flow.vantage,
        "context": flow.context,
        "consumer": flow.consumer,
        "change": difference.change,
        "fields": {field: {"old": old, "new": new} for field, old, new in difference.fields},
    }


def _summary(host: SavedHost | None) -> dict[str, Any] | None:
    if host is None:
        return None
    return {"host": host.host, "verdict": host.verdict, "stage": host.stage}


def _side(finding: SavedFinding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {
        "level": finding.level,
        "outcome": finding.outcome,
        "message": finding.message,
        "measured": finding.measured,
        "waiver": finding.waiver,
    }
