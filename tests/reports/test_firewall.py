"""What rows and rules are shown as: nothing is proved by nobody, nor others' faults a rule's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from tests.reports import samples
from tests.reports.formats import csv, html
from tests.reports.reviewing import table

if TYPE_CHECKING:
    from reports import firewall
else:
    from sesam_audit.reports import firewall

UNTRIED = {"result": "not tried", "dns": "not tried", "tcp": "not tried", "tls": "not tried"}


def judged(id_: str, outcome: Outcome, rule: str | None = "IN-443") -> Finding:
    return samples.finding(id_, id_, rule=rule, outcome=outcome)


def state(rule: str, *pairs: tuple[Finding, dict[str, str]]) -> str:
    flows = [
        samples.flow(rule, f"name-{number}.example", finding.id, **more)
        for number, (finding, more) in enumerate(pairs)
    ]
    host = samples.host(findings=tuple(finding for finding, _ in pairs), flows=tuple(flows))
    return {each.name: each.state for each in firewall.rules(host)}[rule]


def test_a_row_that_nobody_tried_is_not_shown_as_proved() -> None:
    passed = judged("inbound.https", Outcome.PASSED)
    tried = samples.flow("IN-443", "node.example.com", passed.id, outcome="passed")
    away = samples.flow("IN-443", "node.example.com", passed.id, outcome="unknown", **UNTRIED)

    assert [firewall.state(each, passed) for each in (tried, away)] == ["passed", "unknown"]
    assert firewall.state(away, None) == ""
    host = samples.host(findings=(passed,), flows=(tried, away))
    rows = html.render(samples.report(host)).split("<tbody class=")[1:]
    assert [each[1:8].strip('"') for each in rows if "node.example.com" in each] == [
        "passed",
        "unknown",
    ]
    cells = table(csv.render(samples.report(host)))
    assert [each["outcome"] for each in cells if each["name"]] == ["passed", "unknown"]


def test_a_warning_and_a_waiver_are_shown_as_themselves() -> None:
    item = judged("outbound.sesam", Outcome.FAILED, "OUT-SESAM")
    row = samples.flow("OUT-SESAM", "portal.sesam.io", item.id, outcome="failed")

    assert firewall.state(row, item) == "failed"


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        (UNTRIED | {"outcome": "unknown"}, "passed"),  # a bad tag in .env
        ({"outcome": "failed", "result": "ok"}, "passed"),  # a login that the registry refuses
        ({"outcome": "unknown", "result": "tcp-timeout"}, "unknown"),
    ],
)
def test_what_is_wrong_with_a_pull_is_the_rules_only_where_it_did_not_get_through(
    more: dict[str, str], shown: str
) -> None:
    reached = judged("outbound.docker", Outcome.PASSED, "OUT-HUB")
    outcome = Outcome(more["outcome"])
    access = judged("docker.registry-access", outcome, None)

    assert state("OUT-HUB", (reached, {"outcome": "passed"}), (access, more)) == shown


def test_the_rules_own_doubt_stays_the_rules() -> None:
    reached = judged("outbound.docker", Outcome.PASSED, "OUT-HUB")
    doubt = judged("outbound.docker-updates", Outcome.UNKNOWN, "OUT-HUB")
    untried = {**UNTRIED, "outcome": "unknown"}

    assert state("OUT-HUB", (reached, {"outcome": "passed"}), (doubt, untried)) == "unknown"
