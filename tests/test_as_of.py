"""Another date than today's: what is the deployment's own is judged at it, others' are not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.audit import Audit
from sesam_audit.collect import Arrival
from sesam_audit.evidence import Evidence, Known
from sesam_audit.facts.control import HERE, Control
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import Rooms
from sesam_audit.facts.served import Served
from sesam_audit.host import parse
from sesam_audit.judge import Case, Now, Then, judge
from sesam_audit.level import Outcome
from sesam_audit.profile import Profile
from sesam_audit.request import Request
from sesam_audit.requirement import LIVE, catalogue
from sesam_audit.testing import NOW

from .facts.network import DAY, PUBLIC, perfect, tls

OWN = {
    "license.expiry",
    "license.expiry-soon",
    "layout.certificates",
    "layout.certificates-soon",
    "os.support",
    "stack.tls",
    "stack.image-current",
}


def test_the_deployments_own_dates_alone_are_judged_at_another_day() -> None:
    takes = {item.id: set(item.parameters.values()) for item in catalogue().values()}

    assert {id_ for id_, kinds in takes.items() if Now in kinds} == OWN
    both = {id_ for id_, kinds in takes.items() if Then in kinds} & OWN
    assert both == {"stack.tls"}  # by how it is renewed


@pytest.mark.parametrize("days", [-365, 0, 91, 1500])
def test_certificates_of_public_services_are_judged_when_they_were_seen(days: int) -> None:
    everything = ("outbound.letsencrypt", "outbound.sesam", "outbound.docker", "outbound.pypi")
    audit = Audit(Request(profile=Profile(), only=everything, as_of=NOW + days * DAY))
    reach = perfect()
    known = Known({Reach: reach, Rooms: Rooms(reach), Control: Control(absent=HERE)})
    spec = "ssh://node.example"
    seen = Evidence(spec, NOW.timestamp())
    audit.judge(Arrival(target=parse(spec), evidence=seen, known=known))

    (host,) = audit.report([spec]).hosts
    assert {item.outcome for item in host.findings} == {Outcome.PASSED}
    dialled = [flow for flow in host.flows if flow.rule.startswith("OUT-") and flow.at]
    assert {flow.result for flow in dialled if flow.tcp == "ok"} == {"ok"}


@pytest.mark.parametrize(
    ("certificates", "outcome"), [("letsencrypt", "passed"), ("provided", "failed")]
)
def test_a_served_certificate_that_traefik_renews_is_judged_when_it_was_seen(
    certificates: Any, outcome: str
) -> None:
    shown = tls("node.example.org")
    served = Served("node.example.org", shown, shown, PUBLIC.bundle)
    case = Case(
        known=Known({Served: served}),
        profile=Profile(certificates=certificates),
        now=NOW + 91 * DAY,
        asked=NOW,
        stage=LIVE,
    )
    item = replace(catalogue()["stack.tls"], needs=())

    assert judge(item, None, case, {}).outcome.value == outcome
