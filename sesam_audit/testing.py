"""Try one check on made-up facts, as the tests of checks do."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sesam_audit.evidence import Known
from sesam_audit.judge import Case, judge
from sesam_audit.level import Stage
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)


def evaluate(  # noqa: PLR0913 - all but the facts have defaults
    requirement: str,
    *facts: Any,
    subject: str | None = None,
    profile: Profile | None = None,
    now: datetime = NOW,
    stage: Stage = Stage.PREFLIGHT,
    unknown: dict[type, Exception] | None = None,
) -> Finding:
    """Judge one requirement by its id over these facts; what is not given is Unknown."""
    known = Known({**{type(fact): fact for fact in facts}, **(unknown or {})})
    case = Case(known=known, profile=profile or Profile(), now=now, stage=stage)
    return judge(catalogue()[requirement], subject, case, {})
