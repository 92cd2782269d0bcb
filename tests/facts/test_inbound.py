"""Inbound: what the auditor's dials met, and what they prove."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    Attempt,
    Compose,
    ComposeAnswer,
    Contact,
    ContactAnswer,
    Dial,
    DialAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.arrival import Arrival, arrive
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME, NAME_6, Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PortOwner, PortOwners
from sesam_audit.facts.stack import ENVIRONMENT
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW
from sesam_audit.wanted import POINT

from .machine import find
from .network import DAY, PUBLIC, authority, chain, stopped, tls

HOST, OUTSIDE, NODE = "192.0.2.4", "198.51.100.9", "sesam.example.org"
SSH = ContactAnswer(scheme="ssh", address=HOST)
PROFILE = Profile(node_domain=NODE)
STACK = PortOwner("stack", "container traefik (traefik)")
FREE = PortOwner("free")


def opened(**changes: Any) -> DialAnswer:
    """An answer of the node's 443 to somebody outside."""
    attempt = Attempt(HOST, "open", OUTSIDE)
    return replace(tls(NODE, attempts=(attempt,), addresses=(HOST,)), **changes)


def redirected(to: str = f"https://{NODE}/") -> DialAnswer:
    """An answer of Traefik's 80."""
    return opened(chain=(), tls_version="", status=308, headers={"location": to})


def closed(error: str) -> DialAnswer:
    return stopped("tcp", error, HOST)


def inbound(**changes: Any) -> Inbound:
    """The running stack as seen from outside."""
    both = {80: redirected(), 443: opened()}
    given: dict[str, Any] = dict.fromkeys(("by_address", "by_name", "by_name_6"), both)
    given["own"] = opened(status=0)
    return Inbound(**{"contact": SSH, "name": NODE, **given, "roots": PUBLIC.bundle, **changes})


def owners(owner: PortOwner | Unknown = STACK) -> PortOwners:
    return PortOwners(dict.fromkeys((80, 443), owner))


def arrived(port: int, way: str, seen: Inbound, held: PortOwners, stands: str) -> Arrival:
    """What is proved on a host that filters nothing itself."""
    return arrive(port, way, replace(seen, stands=stands), held, HostFirewall())


# -- asking ----------------------------------------------------------------------------------------


def dials(profile: Profile, contact: ContactAnswer) -> list[Dial]:
    inquiry = Inquiry((Outside,), profile)
    inquiry.feed({Contact(): contact})
    found: list[Dial] = []
    for _ in range(2):
        found += [ask for ask in inquiry.pending if isinstance(ask, Dial)]
        inquiry.feed({ask: ask.answer(error="ENOENT") for ask in inquiry.pending})
    return found


def test_both_ways_are_dialled_from_the_auditor() -> None:
    asked = dials(PROFILE, SSH)
    away = [ask for ask in asked if ask.vantage == "auditor"]

    assert {x.port for x in away if x.address == HOST} == {80, 443, 2375, 2376, 9042}
    assert {x.port for x in away if not x.address} == {80, 443}
    assert {x.name for x in away} == {NODE}
    assert [x.address for x in asked if x.vantage == "host"] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "contact",
    [
        ContactAnswer(scheme="local"),
        ContactAnswer(scheme="docker"),
        ContactAnswer(scheme="podman"),
    ],
)
def test_nothing_is_dialled_without_a_way_of_its_own(contact: ContactAnswer) -> None:
    assert not [ask for ask in dials(PROFILE, contact) if ask.vantage == "auditor"]


@pytest.mark.parametrize("address", ["", "127.0.0.1", "::1"])
def test_behind_a_jump_host_only_the_name_is_dialled(address: str) -> None:
    asked = dials(PROFILE, ContactAnswer(scheme="ssh", address=address))

    assert {x.address for x in asked if x.vantage == "auditor"} == {""}


def test_a_filtered_port_does_not_cost_the_deadline() -> None:
    assert all(0 < ask.seconds_limit <= 4 for ask in dials(PROFILE, SSH))


def test_how_the_stack_gets_certificates_is_known() -> None:
    services = {
        "traefik": {"image": "traefik", "command": ["--x.acme.httpChallenge.entryPoint=web"]}
    }
    answers: dict[Ask[Any], Answer | Unknown] = {
        Contact(): SSH,
        Compose(POINT, ENVIRONMENT): ComposeAnswer(document={"services": services}),
    }

    assert find(Outside, answers, PROFILE).views[0].http_challenge is True


# -- seeing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (opened(), "answered"),
        (closed("TIMEOUT"), "silent"),
        (closed("ECONNREFUSED"), "refused"),
        (closed("EHOSTUNREACH"), "no-route"),
        (closed("ENETUNREACH"), "no-route"),
        (stopped("dns", "NXDOMAIN"), "unresolved"),
        (stopped("tls", "TIMEOUT", HOST), "mute"),
    ],
)
def test_what_a_dial_met(answer: DialAnswer, kind: str) -> None:
    assert inbound(by_address={443: answer}).seen(443).kind == kind


def test_who_answered_is_told_by_all_it_shows() -> None:
    headers = {"server": "nginx", "location": "https://login.example.net/x?secret"}
    seen = inbound(by_address={443: opened(status=302, headers=headers)}).seen(443)

    assert seen.text == (
        "HTTP 302, server 'nginx', leading to https://login.example.net,"
        f" certificate for {NODE} by Test Trust Services E1"
    )


@pytest.mark.parametrize("contact", [ContactAnswer(scheme="local"), SSH])
def test_the_host_is_no_evidence_about_itself(contact: ContactAnswer) -> None:
    mine = replace(opened(), attempts=(Attempt(HOST, "open", HOST),))

    with pytest.raises(Unknown, match=r"^needs a vantage: the auditor runs on the host itself"):
        inbound(contact=contact, by_address={443: mine}).seen(443)


def test_ways_out_are_printed() -> None:
    with pytest.raises(Unknown, match=r"another machine .*ssh://THIS-HOST.* waive"):
        inbound(contact=ContactAnswer(scheme="docker"), by_address={}).seen(443)


def test_unknown_name_is_unknown_by_name_only() -> None:
    found = inbound(name=Unknown("needs root: .env"), by_name={})

    assert found.seen(443, ADDRESS).kind == "answered"
    with pytest.raises(Unknown, match="needs root"):
        found.seen(443, NAME)


# -- proving ---------------------------------------------------------------------------------------


def test_the_stacks_own_certificate_proves_the_host() -> None:
    arrival = arrived(443, NAME, inbound(), owners(), "none")

    assert (arrival.fault, arrival.doubt) == ("", None)


def test_another_certificate_is_another_machine() -> None:
    other = opened(chain=chain("other.example.org"))

    arrival = arrived(443, NAME, inbound(by_name={443: other}), owners(), "none")

    assert "another machine answers" in arrival.fault
    assert "other.example.org" in arrival.fault


def test_without_a_sample_of_the_host_nothing_is_proved() -> None:
    arrival = arrived(443, NAME, inbound(own=Unknown("x")), owners(), "none")

    assert "not proven to be this host" in str(arrival.doubt)


def test_an_answer_where_nobody_listens_is_somebody_else() -> None:
    arrival = arrived(443, ADDRESS, inbound(), owners(FREE), "none")

    assert arrival.fault.startswith("answered by something else")


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        (PortOwner("process", "nginx (pid 9)"), "nginx"),
        (Unknown("needs root: sockets"), "needs root"),
    ],
)
def test_an_answer_of_somebody_else_on_the_host_is_unknown(
    owner: PortOwner | Unknown, said: str
) -> None:
    arrival = arrived(443, ADDRESS, inbound(), owners(owner), "internet")

    assert not arrival.fault
    assert said in str(arrival.doubt)


@pytest.mark.parametrize(
    ("error", "owner", "stands", "port", "fault"),
    [
        ("ECONNREFUSED", FREE, "internet", 443, False),
        ("ECONNREFUSED", STACK, "none", 443, False),
        ("ECONNREFUSED", STACK, "none", 80, True),
        ("ECONNREFUSED", STACK, "clients", 443, True),
        ("TIMEOUT", FREE, "internet", 443, False),
        ("TIMEOUT", STACK, "none", 443, False),
        ("TIMEOUT", STACK, "none", 80, False),
        ("TIMEOUT", STACK, "clients", 443, True),
        ("TIMEOUT", STACK, "clients", 80, False),
        ("TIMEOUT", STACK, "internet", 80, True),
        ("TIMEOUT", Unknown("x"), "internet", 80, False),
    ],
)
def test_silence_is_a_fault_only_where_it_is_proved(
    error: str, owner: PortOwner | Unknown, stands: str, port: int, fault: bool
) -> None:
    found = inbound(by_address={port: closed(error)})

    arrival = arrived(port, ADDRESS, found, owners(owner), stands)

    assert bool(arrival.fault) is fault
    assert (arrival.doubt is None) is fault


def test_no_route_is_a_missing_vantage() -> None:
    arrival = arrived(
        443, ADDRESS, inbound(by_address={443: closed("ENETUNREACH")}), owners(), "none"
    )

    assert str(arrival.doubt).startswith("needs a vantage: ")


def test_a_device_that_completes_connections_proves_nothing() -> None:
    mute = stopped("tls", "TIMEOUT", HOST)

    arrival = arrived(443, ADDRESS, inbound(by_address={443: mute}), owners(FREE), "internet")

    assert "nothing answers" in str(arrival.doubt)


@pytest.mark.parametrize(("result", "fault"), [("TIMEOUT", True), ("ENETUNREACH", False)])
def test_silent_ipv6_beside_a_working_ipv4(result: str, fault: bool) -> None:
    found = inbound(by_name_6={443: stopped("tcp", result, "2001:db8::4")})

    assert bool(arrived(443, NAME_6, found, owners(), "none").fault) is fault
    assert not arrived(443, NAME, found, owners(), "none").fault


def test_silent_ipv6_beside_a_silent_ipv4_is_judged_like_it() -> None:
    silence = stopped("tcp", "TIMEOUT", HOST)
    found = inbound(by_name={443: silence}, by_name_6={443: silence})

    for stands, fault in (("none", False), ("clients", True)):
        ways = [arrived(443, way, found, owners(), stands).fault for way in (NAME, NAME_6)]
        assert [bool(each) for each in ways] == [fault, fault]


@pytest.mark.parametrize(
    ("to", "ours"),
    [
        (f"https://{NODE}/", True),
        (f"https://{HOST}/", True),
        (f"http://{NODE}/", False),
        ("https://login.example.net/", False),
        ("https://[/", False),
    ],
)
def test_redirection_of_traefik(to: str, ours: bool) -> None:
    assert inbound(by_address={80: redirected(to)}).redirects(ADDRESS) is ours


# -- issuance --------------------------------------------------------------------------------------

ENCRYPT = authority("Let's Encrypt")


def issued(**changes: Any) -> Inbound:
    own = opened(chain=ENCRYPT.chain(NODE))
    given: dict[str, Any] = {"own": own, "roots": ENCRYPT.bundle, "http_challenge": True}
    return inbound(**{**given, **changes})


def test_issuance_proves_port_80() -> None:
    found = issued().issued(NOW)

    assert found is not None
    assert (found.on, found.overdue) == (NOW - 30 * DAY, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"http_challenge": False},
        {"http_challenge": Unknown("needs root")},
        {"own": Unknown("x")},
        {"own": opened()},
        {"own": opened(chain=ENCRYPT.chain("other.example.org"))},
        {"own": opened(chain=ENCRYPT.chain(NODE, days=(-100, -10)))},
        {"roots": PUBLIC.bundle},
        {"name": Unknown("x")},
    ],
)
def test_what_proves_no_issuance(changes: dict[str, Any]) -> None:
    assert issued(**changes).issued(NOW) is None


@pytest.mark.parametrize(
    ("answer", "open_api"),
    [
        ({"status": 200, "headers": {"api-version": "1.47"}}, True),
        ({"status": 200, "headers": {"server": "Docker/29.1 (linux)"}}, True),
        ({"status": 200, "body": '{"ApiVersion":"1.47"}'}, True),
        ({"status": 200, "body": "[" * 9000}, False),
        ({"status": 403, "headers": {"api-version": "1.47"}}, False),
        ({"status": 200, "headers": {"server": "nginx"}}, False),
    ],
)
def test_open_docker_api(answer: dict[str, Any], open_api: bool) -> None:
    found = inbound(by_address={2375: opened(chain=(), **answer)})

    assert found.docker_api(2375) is open_api


def test_a_deadline_that_ran_out_is_no_filter() -> None:
    attempts = (Attempt(address="192.0.2.7", result="TIMEOUT", seconds=0.9),)
    answer = DialAnswer(layer="tcp", error="TIMEOUT", attempts=attempts)

    with pytest.raises(Unknown, match=r"only 0\.9 s were left of the deadline to reach 192.0.2.7"):
        inbound(by_address={443: answer}).seen(443)
