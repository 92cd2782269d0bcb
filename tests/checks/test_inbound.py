"""Inbound checks: what passes, what fails, what nobody can tell, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import ContactAnswer, DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.caa import Caa
from sesam_audit.facts.domain import Domain, Resolved
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME, NAME_6, WAYS, Inbound
from sesam_audit.facts.leads import Leads
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PORTS, PortOwner, PortOwners
from sesam_audit.facts.ways_in import WaysIn
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from sesam_audit.testing import evaluate
from tests.facts.network import stopped
from tests.facts.test_inbound import (
    ENCRYPT,
    FREE,
    HOST,
    NODE,
    STACK,
    closed,
    inbound,
    issued,
    opened,
    redirected,
)
from tests.facts.test_rulesets import forward, user

LOCAL = ContactAnswer(scheme="local")
INTERNET = Profile(auditor_stands_for="internet")
PROVIDED = Profile(certificates="provided")
ROOT = Unknown("needs root: sockets", "sudo ss -ltnp")


def owners(owner: PortOwner | Unknown = STACK, **more: Any) -> PortOwners:
    return PortOwners(dict.fromkeys(PORTS, owner), **more)


def way_in(name: str, seen: Inbound, held: PortOwners | None = None, **more: Any) -> Finding:
    given: dict[str, Any] = {"subject": NAME, "profile": Profile(), **more}
    view = replace(seen, stands=given["profile"].auditor_stands_for)
    ways = WaysIn(HostFirewall(), Domain(NODE, (Resolved("host", (HOST, "2001:db8::4")),)))
    return evaluate(f"inbound.{name}", Outside((view,)), held or owners(), ways, **given)


# -- 80 and 443 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", WAYS)
def test_port_80_open_to_the_internet(subject: str) -> None:
    finding = way_in("http", inbound(), subject=subject, profile=INTERNET)

    assert finding.outcome is Outcome.PASSED
    assert finding.message == "reachable from auditor (198.51.100.9); required: reachable from ANY"


@pytest.mark.parametrize("stands", ["none", "clients"])
def test_port_80_open_to_some_does_not_prove_any(stands: Any) -> None:
    finding = way_in("http", inbound(), profile=Profile(auditor_stands_for=stands))

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith("needs a vantage: ")
    assert "ANY is not proven" in finding.message


def test_port_80_proved_by_issuance_without_any_vantage() -> None:
    finding = way_in("http", issued(contact=LOCAL))

    assert finding.outcome is Outcome.PASSED
    assert "issued on 2026-10-23, 30 days ago" in finding.message


@pytest.mark.parametrize("stands", ["none", "clients", "internet"])
def test_port_80_open_to_some_and_proved_by_issuance(stands: Any) -> None:
    own = opened(chain=ENCRYPT.chain(NODE))
    seen = issued(own=own, by_name={80: redirected(), 443: own})

    finding = way_in("http", seen, profile=Profile(auditor_stands_for=stands))

    assert finding.outcome is Outcome.PASSED
    assert finding.message.startswith("reachable from" if stands == "internet" else "proved by")


@pytest.mark.parametrize("subject", [NAME, NAME_6])
def test_a_port_80_that_is_shut_now_outweighs_a_certificate_of_then(subject: str) -> None:
    shut = {80: closed("TIMEOUT"), 443: opened()}
    seen = issued(by_name=shut, by_name_6=shut)

    finding = way_in("http", seen, subject=subject, profile=INTERNET)

    assert finding.outcome is Outcome.FAILED
    assert "port 80 is filtered" in finding.message


def test_silence_of_nobody_in_particular_leaves_issuance_to_prove_it() -> None:
    finding = way_in("http", issued(by_name={80: closed("TIMEOUT"), 443: opened()}))

    assert finding.outcome is Outcome.PASSED
    assert "proved by Let's Encrypt" in finding.message


@pytest.mark.parametrize(
    ("age", "outcome"), [(60, Outcome.PASSED), (62, Outcome.PASSED), (64, Outcome.UNKNOWN)]
)
def test_a_certificate_whose_renewal_is_overdue_proves_nothing(age: int, outcome: Outcome) -> None:
    own = opened(chain=ENCRYPT.chain(NODE, days=(-age, 90 - age)))

    finding = way_in("http", issued(own=own, contact=LOCAL))

    assert finding.outcome is outcome
    assert any("a renewal is overdue" in note for note in finding.notes) is (age > 63)


def test_port_80_that_does_not_redirect_is_not_traefik() -> None:
    seen = inbound(by_name={80: redirected("http://x.example/"), 443: opened()})

    assert way_in("http", seen, profile=INTERNET).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("subject", [ADDRESS, NAME])
@pytest.mark.parametrize(
    "answer", [stopped("tcp", "ECONNREFUSED", HOST), stopped("tcp", "TIMEOUT", HOST), opened()]
)
def test_a_port_that_the_host_leads_elsewhere_is_port_owners_finding(
    subject: str, answer: DialAnswer
) -> None:
    dials = dict.fromkeys((80, 443), answer)
    seen = inbound(by_address=dials, by_name=dials, listening=frozenset((80, 443)))
    led = owners(PortOwner("redirection", "iptables: REDIRECT to 8000"))

    for name in ("http", "https"):
        finding = way_in(name, seen, led, subject=subject, profile=INTERNET)
        assert finding.outcome is Outcome.UNKNOWN
        assert finding.message.endswith("REDIRECT to 8000 (inbound.port-owner)")


@pytest.mark.parametrize("certificates", ["provided", "self-signed"])
def test_port_80_may_stay_closed_with_own_certificates(certificates: Any) -> None:
    finding = way_in("http", inbound(), profile=Profile(certificates=certificates))

    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "can be skipped" in finding.message


@pytest.mark.parametrize("name", ["http", "https"])
@pytest.mark.parametrize("domain", [Domain(NODE, (Resolved("host", (HOST,)),)), ROOT])
def test_a_name_without_ipv6_needs_none(name: str, domain: Domain | Unknown) -> None:
    outside, ways = Outside((inbound(),)), WaysIn(HostFirewall(), domain)

    finding = evaluate(f"inbound.{name}", outside, owners(), ways, subject=NAME_6)

    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "no resolver knows an IPv6 address" in finding.message


@pytest.mark.parametrize("name", ["http", "https"])
def test_a_name_with_ipv6_alone_needs_no_ipv4(name: str) -> None:
    domain = Domain(NODE, (Resolved("host", ("2001:db8::4",), errors=("",)),))
    seen = inbound(by_name={443: stopped("dns", "NODATA")}, stands="internet")
    given = (Outside((seen,)), owners(), WaysIn(HostFirewall(), domain))

    over_ipv4 = evaluate(f"inbound.{name}", *given, subject=NAME)

    assert over_ipv4.outcome is Outcome.NOT_APPLICABLE
    assert "no resolver knows an IPv4 address (A record)" in over_ipv4.message
    assert evaluate(f"inbound.{name}", *given, subject=NAME_6).outcome is Outcome.PASSED


@pytest.mark.parametrize("error", ["TIMEOUT", "ECONNREFUSED"])
@pytest.mark.parametrize("name", ["http", "https"])
def test_an_aaaa_that_does_not_answer_is_named(name: str, error: str) -> None:
    seen = inbound(by_name_6=dict.fromkeys((80, 443), stopped("tcp", error, "2001:db8::4")))

    finding = way_in(name, seen, subject=NAME_6)

    assert finding.outcome is Outcome.FAILED
    assert "AAAA 2001:db8::4 does not answer, although IPv4 does" in finding.message
    assert way_in("https", seen, subject=NAME).outcome is Outcome.PASSED


def test_a_vantage_without_ipv6_proves_nothing_of_it() -> None:
    seen = inbound(by_name_6={443: stopped("tcp", "ENETUNREACH", "2001:db8::4")})

    finding = way_in("https", seen, subject=NAME_6)

    assert finding.outcome is Outcome.UNKNOWN
    assert "no route to 2001:db8::4" in finding.message


@pytest.mark.parametrize("subject", WAYS)
def test_port_443_reachable_says_from_where(subject: str) -> None:
    finding = way_in("https", inbound(), subject=subject)

    assert finding.outcome is Outcome.PASSED
    assert finding.message == "reachable from auditor (198.51.100.9)"
    assert finding.vantage == "auditor"


@pytest.mark.parametrize("name", ["http", "https"])
def test_nothing_listens_yet_is_unknown(name: str) -> None:
    refused = {80: closed("ECONNREFUSED"), 443: closed("ECONNREFUSED")}

    finding = way_in(name, inbound(by_name=refused), owners(FREE), profile=INTERNET)

    assert finding.outcome is Outcome.UNKNOWN
    assert "nothing listens yet, or a firewall refuses" in finding.message


@pytest.mark.parametrize("name", ["http", "https"])
def test_silence_before_the_stack_runs_is_unknown(name: str) -> None:
    silent = {80: closed("TIMEOUT"), 443: closed("TIMEOUT")}

    finding = way_in(name, inbound(by_name=silent), owners(FREE), profile=INTERNET)

    assert finding.outcome is Outcome.UNKNOWN
    assert "filtered here or on the way" in finding.message


@pytest.mark.parametrize("name", ["http", "https"])
def test_silence_of_a_running_stack_is_a_filter(name: str) -> None:
    silent = {80: closed("TIMEOUT"), 443: closed("TIMEOUT")}

    finding = way_in(name, inbound(by_name=silent), profile=INTERNET)

    assert finding.outcome is Outcome.FAILED
    assert "is filtered" in finding.message


def test_whoever_answers_in_place_of_the_host_is_named() -> None:
    stranger = opened(headers={"server": "FortiWeb"})

    finding = way_in("https", inbound(by_name={443: stranger}), owners(FREE))

    assert finding.outcome is Outcome.FAILED
    assert "FortiWeb" in finding.message


@pytest.mark.parametrize("name", ["http", "https"])
def test_a_local_run_needs_a_vantage(name: str) -> None:
    finding = way_in(name, inbound(contact=LOCAL), owners(FREE))

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith("needs a vantage: ")
    assert finding.remedy.startswith("Run: sesam-audit run ssh://")


def test_a_name_the_auditor_cannot_resolve() -> None:
    seen = inbound(by_name={443: stopped("dns", "NXDOMAIN")})

    finding = way_in("https", seen, subject=NAME)

    assert finding.outcome is Outcome.UNKNOWN
    assert "inbound.dns" in finding.message


# -- port-owner ------------------------------------------------------------------------------------


@pytest.mark.parametrize("owner", [FREE, STACK])
@pytest.mark.parametrize("port", ["80", "443"])
def test_port_free_or_the_stacks(port: str, owner: PortOwner) -> None:
    assert evaluate("inbound.port-owner", owners(owner), subject=port).outcome is Outcome.PASSED


@pytest.mark.parametrize("kind", ["process", "container", "redirection"])
def test_port_of_somebody_else(kind: str) -> None:
    finding = evaluate("inbound.port-owner", owners(PortOwner(kind, "nginx (pid 9)")), subject="80")

    assert finding.outcome is Outcome.FAILED
    assert finding.message == "port 80 is held by nginx (pid 9)"


def test_port_whose_owner_only_root_sees() -> None:
    finding = evaluate("inbound.port-owner", owners(ROOT), subject="80")

    assert (finding.outcome, finding.remedy) == (Outcome.UNKNOWN, "Run: sudo ss -ltnp")


def test_port_is_judged_with_any_certificates() -> None:
    finding = evaluate("inbound.port-owner", owners(FREE), subject="80", profile=PROVIDED)

    assert finding.outcome is Outcome.PASSED


def test_sleeping_web_server_is_a_note() -> None:
    held = owners(FREE, sleeping=("nginx.service",))

    finding = evaluate("inbound.port-owner", held, subject="80")

    assert finding.outcome is Outcome.PASSED
    assert "next boot" in finding.notes[0]


# -- dns -------------------------------------------------------------------------------------------

PUBLIC_4, PUBLIC_6, INSIDE = "93.184.216.34", "2606:2800:220:1::1", "10.0.0.4"


def named(*addresses: str, own: Any = frozenset({INSIDE}), name: str = NODE, **more: Any) -> Domain:
    return Domain(name, (Resolved("host", addresses, "192.0.2.53", **more),), own)


def dns(domain: Domain, leads: Leads | None = None, **profile: Any) -> Finding:
    return evaluate("inbound.dns", domain, leads or Leads(), profile=Profile(**profile))


def test_every_address_on_the_host() -> None:
    finding = dns(named(PUBLIC_4, PUBLIC_6, own=frozenset({PUBLIC_4, PUBLIC_6})))

    assert finding.outcome is Outcome.PASSED
    assert finding.notes == (f"host's resolver 192.0.2.53: {PUBLIC_4}, {PUBLIC_6}",)


def test_declared_address() -> None:
    finding = dns(named(PUBLIC_4), public_addresses=(PUBLIC_4,))

    assert finding.outcome is Outcome.PASSED


def test_address_behind_nat_is_unknown() -> None:
    finding = dns(named(PUBLIC_4))

    assert finding.outcome is Outcome.UNKNOWN
    assert "may be NAT" in finding.message
    assert (
        finding.remedy == f"Run: sesam-audit run ssh://THIS-HOST --set public_addresses={PUBLIC_4}"
    )


def test_an_address_of_nat_that_brought_the_token_is_proved() -> None:
    finding = dns(named(PUBLIC_4), Leads(ours=frozenset({PUBLIC_4})))

    assert finding.outcome is Outcome.PASSED
    assert f"{PUBLIC_4} is proved: it brought this host's own answer" in finding.notes


def test_a_proof_of_one_address_proves_no_other() -> None:
    finding = dns(named(PUBLIC_4, PUBLIC_6), Leads(ours=frozenset({PUBLIC_4})))

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith(f"{PUBLIC_6} is not on this host")


def test_an_address_where_another_machine_answers() -> None:
    theirs = {PUBLIC_4: "from auditor: another machine answers: HTTP 200"}

    finding = dns(named(PUBLIC_4, PUBLIC_6), Leads(frozenset({PUBLIC_6}), theirs))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.startswith(f"{NODE} leads to another machine: {PUBLIC_4} (from auditor")


@pytest.mark.parametrize("given", [{"own": frozenset({PUBLIC_4})}, {}])
def test_who_answers_at_the_hosts_own_address_is_in_the_way_and_not_in_the_name(
    given: dict[str, Any],
) -> None:
    theirs = Leads(theirs={PUBLIC_4: "from auditor: answered by something else"})
    declared = () if given else (PUBLIC_4,)

    finding = dns(named(PUBLIC_4, **given), theirs, public_addresses=declared)

    assert finding.outcome is Outcome.PASSED


def test_one_strange_address_is_enough() -> None:
    finding = dns(named(PUBLIC_4, PUBLIC_6, own=frozenset({PUBLIC_4})))

    assert finding.message.startswith(PUBLIC_6)


@pytest.mark.parametrize("errors", [("NXDOMAIN", "NXDOMAIN"), ("", "")])
def test_absent_name(errors: tuple[str, ...]) -> None:
    finding = dns(named(errors=errors))

    assert (finding.outcome, finding.message) == (Outcome.FAILED, f"{NODE} does not resolve")


@pytest.mark.parametrize("errors", [("TIMEOUT", "TIMEOUT"), ("SERVFAIL", "NXDOMAIN")])
def test_resolver_in_trouble_is_unknown(errors: tuple[str, ...]) -> None:
    assert dns(named(errors=errors)).outcome is Outcome.UNKNOWN


def test_split_dns_is_normal() -> None:
    outside = Resolved("auditor", (PUBLIC_4,), "9.9.9.9")
    inside = named(INSIDE)

    finding = dns(
        replace(inside, resolved=(*inside.resolved, outside)), public_addresses=(PUBLIC_4,)
    )

    assert finding.outcome is Outcome.PASSED
    assert len(finding.notes) == 2


def test_name_known_to_the_auditor_alone() -> None:
    resolved = (Resolved("host", errors=("NXDOMAIN",)), Resolved("auditor", (PUBLIC_4,)))

    finding = dns(Domain(NODE, resolved, frozenset({PUBLIC_4})))

    assert finding.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("profile", "outcome"),
    [
        ({"auditor_stands_for": "internet"}, Outcome.FAILED),
        ({"auditor_stands_for": "none"}, Outcome.PASSED),
        ({"auditor_stands_for": "internet", "certificates": "provided"}, Outcome.PASSED),
    ],
)
def test_name_the_internet_does_not_know(profile: dict[str, Any], outcome: Outcome) -> None:
    outside = Resolved("auditor", errors=("NXDOMAIN", "NXDOMAIN"))
    resolved = (Resolved("host", (PUBLIC_4,)), outside)

    assert dns(Domain(NODE, resolved, frozenset({PUBLIC_4})), **profile).outcome is outcome


def test_private_address_with_letsencrypt() -> None:
    finding = dns(named(INSIDE))

    assert finding.outcome is Outcome.FAILED
    assert "only to private addresses" in finding.message


def test_private_address_with_own_certificates() -> None:
    assert dns(named(INSIDE), certificates="provided").outcome is Outcome.PASSED


@pytest.mark.parametrize("name", ["sesam", "sesam.local", "sesam.corp.internal"])
def test_private_name_with_letsencrypt(name: str) -> None:
    assert dns(named(PUBLIC_4, name=name)).outcome is Outcome.FAILED


def test_addresses_of_the_host_unknown() -> None:
    own = Unknown("needs root: addresses")

    assert dns(named(PUBLIC_4, own=own)).outcome is Outcome.UNKNOWN
    declared = dns(named(PUBLIC_4, own=own), public_addresses=(PUBLIC_4,))
    assert declared.outcome is Outcome.PASSED


def test_unknown_name() -> None:
    finding = evaluate(
        "inbound.dns", Leads(), unknown={Domain: Unknown("NODE_DOMAIN is not known")}
    )

    assert finding.outcome is Outcome.UNKNOWN


# -- caa -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("issuers", [(), ("letsencrypt.org",), ("digicert.com", "letsencrypt.org")])
def test_caa_allows(issuers: tuple[str, ...]) -> None:
    assert evaluate("inbound.caa", Caa(NODE, "example.org", issuers)).outcome is Outcome.PASSED


def test_caa_forbids_and_names_holder_and_issuers() -> None:
    finding = evaluate("inbound.caa", Caa(NODE, "example.org", ("digicert.com",)))

    assert finding.outcome is Outcome.FAILED
    assert finding.message == "CAA of example.org allows only 'digicert.com'"


def test_critical_caa_tag() -> None:
    assert "critical" in evaluate("inbound.caa", Caa(NODE, "a.org", (), ("future",))).message


def test_caa_account_is_a_note() -> None:
    value = "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1"

    assert "account" in evaluate("inbound.caa", Caa(NODE, "a.org", (value,))).notes[0]


def test_caa_unanswered() -> None:
    unknown = Unknown("CAA of example.org was not answered (SERVFAIL)", "dig CAA example.org")

    assert evaluate("inbound.caa", unknown={Caa: unknown}).outcome is Outcome.UNKNOWN


def test_caa_does_not_matter_with_own_certificates() -> None:
    finding = evaluate("inbound.caa", Caa(NODE), profile=PROVIDED)

    assert finding.outcome is Outcome.NOT_APPLICABLE


# -- host-firewall ---------------------------------------------------------------------------------


def firewall(profile: Profile | None = None, **changes: Any) -> Finding:
    return evaluate("inbound.host-firewall", HostFirewall(**changes), profile=profile)


def test_nothing_stops_published_ports() -> None:
    finding = firewall(ufw=True)

    assert finding.outcome is Outcome.PASSED
    assert "ufw is on" in finding.notes[0]


def test_rule_that_stops_is_quoted() -> None:
    finding = firewall(iptables=user("-p tcp -m tcp --dport 80 -j DROP"))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.endswith(
        "80 by iptables -A DOCKER-USER -p tcp -m tcp --dport 80 -j DROP"
    )


def test_port_80_does_not_matter_with_own_certificates() -> None:
    finding = firewall(PROVIDED, iptables=user("-p tcp -m tcp --dport 80 -j DROP"))

    assert finding.outcome is Outcome.PASSED


def test_rules_that_are_not_clear() -> None:
    text = forward('iifname "eth0" tcp dport { 80, 443 } accept', policy="drop")

    assert firewall(nftables=text).outcome is Outcome.UNKNOWN


def test_rules_that_only_root_reads() -> None:
    finding = firewall(iptables=Unknown("needs root: the firewall's rules", "sudo iptables-save"))

    assert (finding.outcome, finding.remedy) == (Outcome.UNKNOWN, "Run: sudo iptables-save")


# -- docker-api and exposure -----------------------------------------------------------------------


def seen_on(port: int, answer: Any, **more: Any) -> Inbound:
    quiet = dict.fromkeys(PORTS, closed("TIMEOUT"))
    return inbound(by_address={**quiet, port: answer}, **more)


def test_docker_api_is_silent() -> None:
    found = evaluate("inbound.docker-api", Outside((seen_on(80, redirected()),)), owners(ROOT))

    assert found.outcome is Outcome.PASSED


@pytest.mark.parametrize("port", [2375, 2376])
def test_open_docker_api(port: int) -> None:
    answer = opened(chain=(), headers={"api-version": "1.47"})

    finding = evaluate("inbound.docker-api", Outside((seen_on(port, answer),)), owners(ROOT))

    assert finding.outcome is Outcome.FAILED
    assert str(port) in finding.message


def test_docker_api_that_demands_a_certificate_is_closed() -> None:
    answer = stopped("http", "TLS", HOST, detail="certificate required")

    finding = evaluate("inbound.docker-api", Outside((seen_on(2376, answer),)), owners(ROOT))

    assert finding.outcome is Outcome.PASSED


def test_docker_api_from_the_host_itself_passes_when_nobody_listens() -> None:
    found = evaluate("inbound.docker-api", Outside((inbound(contact=LOCAL),)), owners(FREE))

    assert found.outcome is Outcome.PASSED


@pytest.mark.parametrize("owner", [ROOT, PortOwner("process", "dockerd (pid 9)")])
def test_docker_api_from_the_host_itself_is_unknown_else(owner: PortOwner | Unknown) -> None:
    found = evaluate("inbound.docker-api", Outside((inbound(contact=LOCAL),)), owners(owner))

    assert found.outcome is Outcome.UNKNOWN


EXPOSED = tuple(map(int, catalogue()["inbound.exposure"].subjects(Profile())))  # type: ignore[arg-type]


def exposure(port: int, seen: Inbound, held: PortOwners) -> Finding:
    return evaluate("inbound.exposure", Outside((seen,)), held, subject=str(port))


def test_ports_that_must_be_silent() -> None:
    assert EXPOSED == (9042, 2375, 2376)


@pytest.mark.parametrize("error", ["TIMEOUT", "ECONNREFUSED"])
@pytest.mark.parametrize("port", EXPOSED)
def test_silent_port(port: int, error: str) -> None:
    found = exposure(port, seen_on(port, closed(error)), owners(ROOT))

    assert found.outcome is Outcome.PASSED


@pytest.mark.parametrize("port", EXPOSED)
def test_answering_port_bypasses_ufw(port: int) -> None:
    held = owners(PortOwner("container", "container sesam-node (sesam/sesam-node)"))

    finding = exposure(port, seen_on(port, opened()), held)

    assert finding.outcome is Outcome.FAILED
    assert "sesam-node" in finding.message
    assert "bypass ufw" in finding.message


@pytest.mark.parametrize(
    ("answer", "owner", "outcome"),
    [
        (stopped("http", "TIMEOUT", HOST), FREE, Outcome.UNKNOWN),
        (stopped("http", "TIMEOUT", HOST), PortOwner("process", "node"), Outcome.FAILED),
        (stopped("http", "TIMEOUT", HOST), ROOT, Outcome.UNKNOWN),
        (opened(), FREE, Outcome.UNKNOWN),
        (closed("EHOSTUNREACH"), ROOT, Outcome.UNKNOWN),
    ],
)
def test_doubtful_answers(answer: Any, owner: PortOwner | Unknown, outcome: Outcome) -> None:
    assert exposure(9042, seen_on(9042, answer), owners(owner)).outcome is outcome


def test_exposure_from_the_host_itself_is_unknown() -> None:
    found = exposure(9042, inbound(contact=LOCAL), owners(FREE))

    assert found.outcome is Outcome.UNKNOWN
    assert found.message.startswith("needs a vantage: ")
