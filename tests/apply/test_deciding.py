"""How `apply --plan` ends: 0 nothing to do, 10 something to do, 1 where something is in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from sesam_audit.apply_session import Session
from sesam_audit.host import parse
from sesam_audit.plan import Action, Plan
from sesam_audit.planning import draft, unmended
from sesam_audit.site import Stop

from .sites import WISHES, site

ACTION = Action(id="01-directory", kind="directory", title="Make it")
SESSION = Session(
    target=parse("local://"),
    request=cast("Any", None),
    wishes=WISHES,
    delivery=cast("Any", None),
    only_plan=True,
    yes=False,
)


@pytest.mark.parametrize(
    ("actions", "missing", "stops", "code"),
    [
        ((), [], [], 0),
        ((ACTION,), [], [], 10),
        ((), ["the license"], [], 10),
        ((ACTION,), [], [Stop("a link elsewhere")], 1),
    ],
)
def test_a_must_that_apply_does_not_mend_is_no_reason_to_end_with_1(
    actions: tuple[Action, ...], missing: list[str], stops: list[Stop], code: int
) -> None:
    host = site()
    made = replace(draft(host), missing=missing, stops=stops)
    plan = Plan(tool="t", run="r", machine="m", boot="b", actions=actions)
    assert unmended(host.findings, made)

    nobody = cast("Any", None)
    assert SESSION._decided(nobody, nobody, made, host, plan, {}) == code
