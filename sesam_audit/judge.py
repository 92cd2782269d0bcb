"""One check over one host's facts and one subject: exactly one finding, whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from datetime import datetime, timezone
from typing import Any

from msgspec import Struct

from sesam_audit.errors import OURS, Lack, NotApplicable, Unknown, refuse_optimised
from sesam_audit.evidence import Known
from sesam_audit.level import Outcome, Stage
from sesam_audit.model import Finding, Key
from sesam_audit.profile import Profile
from sesam_audit.requirement import Found, Requirement, Subject, in_order, need_id

_STATES = {
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "is not proven",
    Outcome.BLOCKED: "is blocked itself",
}


class Now(datetime):
    """The moment dates are judged at, UTC: the auditor's clock, or `--as-of`."""


class Then(datetime):
    """The moment the host was asked, UTC: what others showed it then is judged at that date."""


class Case(Struct, frozen=True, kw_only=True):
    """What findings are judged from: one host, one moment, one deployment.

    `asked` is when the host was, where `now` is another date.
    """

    known: Known
    profile: Profile
    now: datetime
    asked: datetime | None = None
    stage: Stage = Stage.PREFLIGHT
    user: str = ""
    at: str = ""

    @property
    def then(self) -> datetime:
        return self.asked or self.now


class _Ruling(Struct, frozen=True):
    """What came of running a check; `reason` is why it was not simply passed or failed."""

    outcome: Outcome
    message: str = ""
    remedy: str = ""
    blocked_by: str | None = None
    lacks: Lack | None = None

    @property
    def reason(self) -> str | None:
        return None if self.outcome in (Outcome.PASSED, Outcome.FAILED) else self.message


def judge(
    item: Requirement, subject: str | None, case: Case, earlier: Mapping[Key, Finding]
) -> Finding:
    """Judge one requirement and subject.

    Only an assertion of the check itself is `failed`; every other exception is `unknown`,
    KeyboardInterrupt excepted. `earlier` holds the findings of what the requirement needs.
    """
    refuse_optimised()
    found = Found()
    return _finding(item, subject, case, found, _rule(item, subject, case, earlier, found))


def not_run(item: Requirement, subject: str | None) -> Finding:
    """What stands for a check that did not run."""
    case = Case(known=Known({}), profile=Profile(), now=datetime.now(timezone.utc))
    ruling = _Ruling(Outcome.UNKNOWN, "did not run", item.remedy)
    return _finding(item, subject, case, Found(), ruling)


def _finding(
    item: Requirement, subject: str | None, case: Case, found: Found, ruling: _Ruling
) -> Finding:
    facts = item.facts()
    return Finding(
        id=item.id,
        subject=subject,
        title=item.title,
        level=item.level,
        outcome=ruling.outcome,
        message=ruling.message or found.message or _default(ruling, item),
        source=item.source,
        remedy=ruling.remedy,
        owner=item.owner,
        measured=found.measured,
        required=found.required,
        reason=ruling.reason,
        lacks=ruling.lacks,
        vantage=found.vantage or item.vantage,
        user=case.user,
        rule=item.rule,
        needs=item.needs,
        blocked_by=ruling.blocked_by,
        apply_mends=item.apply_mends,
        notes=tuple(found.notes),
        evidence=tuple(case.known.references(facts)),
        at=case.at,
        seconds=round(max((case.known.seconds.get(kind, 0.0) for kind in facts), default=0.0), 4),
    )


def _rule(
    item: Requirement, subject: str | None, case: Case, earlier: Mapping[Key, Finding], found: Found
) -> _Ruling:
    try:
        _applicable(item, case)
        if blocker := _blocker(item, earlier):
            words = f"blocked by {blocker.id}, which {_STATES[blocker.outcome]}"
            return _Ruling(Outcome.BLOCKED, words, blocker.remedy, blocker.id)
        with redirect_stdout(sys.stderr):
            item.check(**_arguments(item, subject, case, found))
    except KeyboardInterrupt:
        raise
    except NotApplicable as off:
        return _Ruling(Outcome.NOT_APPLICABLE, off.reason)
    except Unknown as unknown:
        run = f"Run: {unknown.command}" if unknown.command else item.remedy
        return _Ruling(Outcome.UNKNOWN, unknown.reason, run, lacks=unknown.lacks)
    except BaseException as raised:  # noqa: BLE001 - whatever else happened, nothing was proved
        if isinstance(raised, AssertionError) and _own(raised, item):
            return _Ruling(Outcome.FAILED, _words(raised) or found.message, item.remedy)
        words = f"the check did not run to its end: {type(raised).__name__}: {_words(raised)}"
        return _Ruling(Outcome.UNKNOWN, words, OURS)
    return _Ruling(Outcome.PASSED)


def _default(ruling: _Ruling, item: Requirement) -> str:
    return item.title if ruling.outcome is Outcome.PASSED else f"does not hold: {item.title}"


def _words(raised: BaseException) -> str:
    """What an exception says, even when it cannot be shown."""
    try:
        return str(raised)
    except Exception:  # noqa: BLE001 - a foreign __str__
        return "(it cannot be shown)"


def _own(failure: AssertionError, item: Requirement) -> bool:
    """Whether the check's own module asserted, not something it called."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == item.check.__module__


def _applicable(item: Requirement, case: Case) -> None:
    if case.stage not in item.stages:
        raise NotApplicable(f"not judged at stage {case.stage.value}")
    reason = item.when(case.profile) if item.when else None
    if reason:
        raise NotApplicable(reason)


def _blocker(item: Requirement, earlier: Mapping[Key, Finding]) -> Finding | None:
    """The finding this one is blocked by: a need that failed, is unknown or blocked itself."""
    fine = (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    for finding in earlier.values():
        names = {finding.id, f"{finding.id} [{finding.subject}]"}
        if names.intersection(item.needs) and finding.outcome not in fine:
            return finding
    return None


def _arguments(item: Requirement, subject: str | None, case: Case, found: Found) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, kind in item.parameters.items():
        if kind is Found:
            values[name] = found
        elif kind is Profile:
            values[name] = case.profile
        elif kind is Subject:
            values[name] = Subject(subject or "")
        elif kind is Now:
            values[name] = case.now
        elif kind is Then:
            values[name] = case.then
        else:
            values[name] = case.known[kind]
            if isinstance(values[name], Unknown):
                raise values[name]
    return values


def plan(items: Sequence[Requirement], profile: Profile) -> list[tuple[Requirement, str | None]]:
    """Every finding that must exist in the end, known before a host is reached."""
    return [(item, subject) for item in items for subject in item.subjects(profile)]


def with_needs(items: Sequence[Requirement], known: Mapping[str, Requirement]) -> list[Requirement]:
    """The requirements and all they need, in an order in which needs come first."""
    wanted = {item.id: item for item in items}
    queue = list(items)
    while queue:
        for need in map(need_id, queue.pop().needs):
            if need not in wanted:
                wanted[need] = known[need]
                queue.append(known[need])
    return in_order(wanted.values())
