"""What every format says in the same words: verdicts, names, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import asdict

from sesam_audit.level import Level, Outcome
from sesam_audit.model import Coverage, Finding, HostReport, Report, Verdict

OPEN = (Outcome.UNKNOWN, Outcome.BLOCKED)
_WORDS = {
    Verdict.NOT_READY: "not ready",
    Verdict.INCOMPLETE: "incomplete",
    Verdict.PARTIAL: "partial",
    Verdict.READY: "ready",
}
COUNTS = (
    "planned",
    "passed",
    "failed",
    "warnings",
    "unknown",
    "blocked",
    "not_applicable",
    "waived",
    "not_selected",
)


def flat(text: str) -> str:
    """Text on one line, for names and headings that must not break a layout."""
    return " ".join(text.split())


def names(findings: Iterable[Finding]) -> str:
    """The ids, each once, with the number of its subjects."""
    counted = Counter(item.id for item in findings)
    return ", ".join(f"{id_} ({n})" if n > 1 else id_ for id_, n in counted.items())


def label(finding: Finding) -> str:
    """The id, with the subject when there are several."""
    return finding.id if finding.subject is None else f"{finding.id} [{flat(finding.subject)}]"


def several(number: int, one: str, more: str = "") -> str:
    """A number with its word: 1 blocker, 2 blockers."""
    return f"{number} {one if number == 1 else more or one + 's'}"


def headline(host: HostReport) -> str:
    """The verdict in one line; the words `ready` and `partial` are used for nothing else."""
    warned = len(host.warnings)
    rest = [
        several(warned, "warning") if warned else "",
        f"{host.coverage.waived} waived" if host.coverage.waived else "",
    ]
    unproven = f"{len(host.unproven)} not proven" if host.unproven else ""
    if host.verdict is Verdict.NOT_READY:
        blockers = several(len(host.blockers), "blocker")
        return _joined(f"Not ready: {blockers}", rest[0], unproven, rest[1])
    if host.trouble:
        return f"{'Not audited' if unasked(host) else 'Broken off'}: {flat(host.trouble)}"
    if host.verdict is Verdict.INCOMPLETE and not unproven:
        return _joined("Nothing proven: no binding check passed", *rest)
    if host.verdict is Verdict.INCOMPLETE:
        opening = "No blockers found" if any(rest) else "Nothing wrong found"
        return _joined(opening, unproven, *rest)
    if host.verdict is Verdict.PARTIAL:
        skipped = f"{len(host.not_selected)} not selected"
        return _joined(f"Partial: no blockers among the selected checks, {skipped}", *rest)
    return _joined("Ready", *rest)


def unasked(host: HostReport) -> bool:
    """Whether trouble came before anything at all was learnt."""
    told = (Outcome.PASSED, Outcome.FAILED)
    return bool(host.trouble) and not any(item.outcome in told for item in host.findings)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def silent(host: HostReport) -> bool:
    """Among several hosts, one with nothing to tell beyond its line in the table."""
    told = host.warnings or host.coverage.waived or host.unreached
    return host.verdict is Verdict.READY and not told


def overall(report: Report) -> str:
    """The verdict over all hosts in one line."""
    if report.interrupted:
        return f"Interrupted: what is shown is not the whole audit ({_tally(report)})"
    if len(report.hosts) == 1:
        return headline(report.hosts[0])
    return f"{_WORDS[report.verdict].capitalize()} · {_tally(report)}"


def _tally(report: Report) -> str:
    states = Counter(_WORDS[host.verdict] for host in report.hosts)
    counted = [f"{states[word]} {word}" for word in _WORDS.values() if states[word]]
    return f"{several(len(report.hosts), 'host')}{': ' if counted else ''}{', '.join(counted)}"


def closing(report: Report) -> str:
    """The exit code in words."""
    words = "interrupted" if report.interrupted else _WORDS[report.verdict]
    return f"exit code {report.exit_code}: {words}"


def total(coverage: Coverage) -> str:
    """The nine counts as the sum they are."""
    counts = asdict(coverage)
    parts = [f"{counts[name]} {name.replace('_', ' ')}" for name in COUNTS]
    return f"{parts[0]} = {' + '.join(parts[1:7])}; {', '.join(parts[7:])}"


def categories(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by category, in the order of the report."""
    groups: dict[str, list[Finding]] = {}
    for item in findings:
        groups.setdefault(item.category, []).append(item)
    return groups


def state(finding: Finding) -> str:
    """How one finding is shown: its outcome, with `warning` and `waived` as their own."""
    if finding.waiver:
        return "waived"
    return "warning" if finding.warning else finding.outcome.value


def binding(host: HostReport, finding: Finding) -> bool:
    """Whether the verdict depends on this finding."""
    return finding.level is Level.MUST or host.fail_on is Level.SHOULD
