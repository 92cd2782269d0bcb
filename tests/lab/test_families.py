"""Outbound by IPv4 and IPv6: judged where the host has both, and named where one of them fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .auditing import Audited, Auditor
from .host import LabHost
from .internet import Internet
from .lab import Lab

NAMES = ("pypi.org", "registry-1.docker.io")
SAYS = "its IPv6 address does not answer"


@pytest.fixture
def internet(lab: Lab) -> Iterator[Internet]:
    yield lab.internet
    lab.internet.reset()


def audited(lab: Lab, host: LabHost) -> Audited:
    return Auditor(lab).audit(host, "deadline=4", words=("--only", "outbound"))


def told(found: Audited, name: str) -> tuple[str, str, bool]:
    """What TCP came to by each family, and whether the finding names a family that fails."""
    rows = [
        x for x in found.host()["flows"] if x["name"] == name and "container" not in x["context"]
    ]
    notes = [
        note
        for finding in found.host()["findings"]
        if (finding["subject"] or "").startswith(name) and finding["vantage"] == "host"
        for note in finding["notes"]
    ]
    return rows[0]["tcp_v4"], rows[0]["tcp_v6"], any(SAYS in note for note in notes)


@pytest.mark.parametrize(
    ("verdict", "four", "six", "named"),
    [
        ("", "not tried", "ok", False),
        ("reject with tcp reset", "ok", "refused", True),
        ("drop", "ok", "timeout", True),
    ],
    ids=["open", "rejected", "dropped"],
)
def test_where_the_host_has_both(
    lab: Lab, perfect: LabHost, internet: Internet, verdict: str, four: str, six: str, named: bool
) -> None:
    internet.six(verdict)
    with lab.six(perfect):
        found = audited(lab, perfect)

    assert {told(found, name) for name in NAMES} == {(four, six, named)}
    assert not found.of("failed")


def test_a_host_without_ipv6_is_not_judged_by_it(
    lab: Lab, perfect: LabHost, internet: Internet
) -> None:
    internet.six("drop")
    found = audited(lab, perfect)

    assert {told(found, name)[0::2] for name in NAMES} == {("ok", False)}
    assert not found.of("failed")
