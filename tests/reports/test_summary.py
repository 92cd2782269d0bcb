from __future__ import annotations

import pytest

from sesam_audit.level import Level, Outcome
from sesam_audit.model import Finding, HostReport
from tests.reports import samples
from tests.reports.formats import summary


def broken(findings: tuple[Finding, ...]) -> HostReport:
    return samples.host(findings=findings, trouble="The connection was lost")


@pytest.mark.parametrize(
    ("host", "headline"),
    [
        (samples.host(findings=()), "Nothing proven: no binding check passed"),
        (broken(()), "Not audited: The connection was lost"),
        (broken(tuple(samples.findings())), "Broken off: The connection was lost"),
        (
            samples.host(findings=samples.faults(), fail_on=Level.SHOULD),
            "Not ready: 6 blockers, 3 not proven",
        ),
        (
            samples.host(
                findings=samples.changed(
                    samples.findings(),
                    os__clock_sync={"outcome": Outcome.FAILED},
                    license__file={"outcome": Outcome.UNKNOWN},
                )
            ),
            "No blockers found, 1 not proven, 1 warning",
        ),
    ],
)
def test_headlines(host: HostReport, headline: str) -> None:
    assert summary.headline(host) == headline
