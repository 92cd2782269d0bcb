"""A vantage that was named and not there: said beside the verdict, in every format for people."""

from __future__ import annotations

import json as parser

import pytest

from sesam_audit.model import HostReport, Verdict
from tests.reports import samples
from tests.reports.formats import html, json, text

ABSENCE = "ssh://badhost was not reached: its name does not resolve"
AWAY = samples.host(unreached=(ABSENCE,), findings=samples.unproven())


def test_it_stands_above_everything_else() -> None:
    page = text.render(samples.report(AWAY))

    assert page.index(ABSENCE) < page.index("Not proven")


def test_a_ready_host_among_others_is_shown_for_it() -> None:
    ready = samples.ready().hosts[0]
    assert ready.verdict is Verdict.READY
    away = samples.host("ssh://node-2", findings=ready.findings, unreached=(ABSENCE,))

    assert ABSENCE in text.render(samples.report(ready, away))


@pytest.mark.parametrize("hosts", [(AWAY,), (samples.host("ssh://other"), AWAY)])
def test_the_page_says_it_with_the_verdict(hosts: tuple[HostReport, ...]) -> None:
    document = html.render(samples.report(*hosts))

    assert f'<p class="notice">{ABSENCE}</p>' in document


def test_programs_find_it_beside_what_was_not_verified() -> None:
    (host,) = parser.loads(json.render(samples.report(AWAY)))["hosts"]

    assert host["unreached"] == [ABSENCE]
