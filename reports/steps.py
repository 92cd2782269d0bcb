"""What to do next: what is wrong, by who must act, and what would prove the rest."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.errors import Lack
from sesam_audit.level import Outcome, Stage
from sesam_audit.model import Finding, HostReport, Owner

from .summary import OPEN, flat

_NEEDS = {Lack.ROOT: "needs root", Lack.VANTAGE: "needs a vantage"}

# The order in which the guide installs; what the network must allow can be asked for meanwhile.
_PHASES = ("hardware", "os", "layout", "docker", "license", "stack", "inbound", "outbound")


class Step(Struct, frozen=True):
    """One thing to do, for all the findings that it mends."""

    number: int
    findings: tuple[Finding, ...]
    waiting: int
    blocks: bool

    @property
    def first(self) -> Finding:
        return self.findings[0]


def steps(host: HostReport) -> dict[Owner, list[Step]]:
    """What must hold, then what should: by who must act, each group in dependency order."""
    known = {item.id: item for item in host.findings}
    waiting = Counter(_root(item, known) for item in host.findings if item.blocked_by)
    groups: dict[Owner, list[Step]] = {}
    for blocks, findings in ((True, host.blockers), (False, host.warnings)):
        for group in alike(_in_order(findings, host.findings)):
            step = Step(0, group, waiting[group[0].id], blocks)
            groups.setdefault(group[0].owner, []).append(step)
    numbers = iter(range(1, len(host.findings) + 1))
    return {
        owner: [replace(step, number=next(numbers)) for step in found]
        for owner, found in groups.items()
    }


def alike(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """Findings that one remedy mends, together: the subjects of an id."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        groups.setdefault((item.id, item.remedy), []).append(item)
    return [tuple(group) for group in groups.values()]


def _in_order(findings: Iterable[Finding], every: Sequence[Finding]) -> list[Finding]:
    """What is needed first; else as the guide installs."""
    phases = {name: place for place, name in enumerate(_PHASES)}
    needs = {
        item.id: [need.partition(" ")[0] for need in item.needs]  # without the subject
        for item in sorted(every, key=lambda item: phases.get(item.category, len(phases)))
    }
    places: dict[str, int] = {}

    def visit(id_: str) -> None:
        if id_ in needs and id_ not in places:
            places[id_] = -1
            for need in needs[id_]:
                visit(need)
            places[id_] = max(places.values()) + 1

    for id_ in needs:
        visit(id_)
    return sorted(findings, key=lambda item: places[item.id])


def _root(finding: Finding, known: Mapping[str, Finding]) -> str:
    """What a blocked finding waits for in the end, past others that are blocked themselves."""
    seen = {finding.id}
    root = finding.blocked_by or finding.id
    while root in known and root not in seen and known[root].blocked_by:
        seen.add(root)
        root = known[root].blocked_by or root
    return root


class Doubt(Struct, frozen=True):
    """Findings that are unproven for one reason, and the command that proves all of them."""

    reason: str
    findings: tuple[Finding, ...]
    command: str

    @property
    def lacks(self) -> Lack | None:
        """What settles all of them, where one thing does."""
        return self.findings[0].lacks

    @property
    def waits(self) -> bool:
        return self.findings[0].outcome is Outcome.BLOCKED

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to do for each of them, where no one command proves all."""
        if self.command or self.waits:
            return ()
        return tuple(dict.fromkeys(item.remedy for item in self.findings))


def doubts(host: HostReport) -> list[Doubt]:
    """What nobody could prove and nobody waived, by reason; what only waits comes last."""
    known = {item.id: item for item in host.findings}
    accepted = {item.key for item in host.accepted}
    groups: dict[str, list[Finding]] = {}
    for item in host.findings:
        if item.outcome in OPEN and not item.waiver and item.key not in accepted:
            groups.setdefault(_reason(item, known), []).append(item)
    named = (
        Doubt(name, tuple(items), _command(host, items[0].lacks)) for name, items in groups.items()
    )
    return sorted(named, key=_rank)


def _rank(doubt: Doubt) -> tuple[bool, bool, int]:
    return doubt.waits, not doubt.command, -len(doubt.findings)


def _reason(finding: Finding, known: Mapping[str, Finding]) -> str:
    if finding.outcome is Outcome.BLOCKED:
        return f"waits for {_root(finding, known)}"
    if finding.lacks in _NEEDS:
        return _NEEDS[finding.lacks]
    return flat(finding.reason or finding.message)


def _command(host: HostReport, lacks: Lack | None) -> str:
    if lacks is Lack.ROOT:
        return f"{_again(host)} --ask-sudo-password"
    return _again(_from_outside(host)) if lacks is Lack.VANTAGE and _local(host) else ""


def _local(host: HostReport) -> bool:
    return host.host.startswith("local:")


def _from_outside(host: HostReport) -> HostReport:
    return replace(host, host="ssh://THIS-HOST")


def _again(host: HostReport) -> str:
    """The command that audits this host again, safe to paste whatever the host is called."""
    stage = "" if host.stage is Stage.PREFLIGHT else f" --stage {host.stage.value}"
    return f"sesam-audit run {_asked(host)}{stage}"


def _asked(host: HostReport) -> str:
    """The host, and the deployment that was asked for."""
    return f"{shlex.quote(flat(host.host))} {flat(host.again)}".strip()


def applying(host: HostReport) -> str:
    """The command that shows what `apply` would mend of the steps, or nothing."""
    mendable = any(item.apply_mends for item in (*host.blockers, *host.warnings))
    return f"sesam-audit apply {_asked(host)} --plan" if mendable else ""


def left(host: HostReport) -> list[str]:
    """What no audit can do or see: the numbered steps of a person, beside what does not apply."""
    return [
        note
        for item in host.findings
        if item.outcome is Outcome.NOT_APPLICABLE
        for note in item.notes
        if note[:1].isdecimal()
    ]


def last_step(host: HostReport) -> tuple[str, str]:
    """How to audit again, in words and as the one command that proves most; or nothing."""
    proving = {doubt.lacks: len(doubt.findings) for doubt in doubts(host) if doubt.command}
    acted = bool(host.trouble or host.blockers or host.warnings)
    if not (acted or proving):
        return "", ""
    opening = "Then audit again" if acted else "Audit again"
    if Lack.VANTAGE in proving:
        host = _from_outside(host)
        opening += " from another machine"
    root = " --ask-sudo-password" if Lack.ROOT in proving else ""
    more = f", so that {sum(proving.values())} more can be proved" if proving else ""
    return f"{opening}{more}:", f"{_again(host)}{root}"
