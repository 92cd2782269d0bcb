"""Several vantages and the audit's own listener: what is asked, and what it proves (table 4.1)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Ask,
    Attempt,
    Contact,
    ContactAnswer,
    Dial,
    DialAnswer,
    Listen,
    ListenAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Answers
from sesam_audit.facts.arrival import Arrival, arrive
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME, Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PortOwner, PortOwners
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile

from .network import stopped

HOST, NODE, TOKEN = "192.0.2.4", "sesam.example.org", "5e5a"
SSH = ContactAnswer(scheme="ssh", address=HOST)
FREE = PortOwners(dict.fromkeys((80, 443), PortOwner("free")))
AFAR = Profile(node_domain=NODE, vantages=("ssh://outside=internet", "ssh://office=clients"))


def asked(profile: Profile, contact: ContactAnswer, ports: str = "") -> list[Ask[Any]]:
    """Everything that is asked to look from outside, round by round."""
    inquiry = Inquiry((Outside,), profile)
    inquiry.feed({Contact(): contact})
    found: list[Ask[Any]] = []
    while inquiry.pending:
        found += inquiry.pending
        answers: Answers = {ask: ask.answer(error="ENOENT") for ask in inquiry.pending}
        for ask in answers:
            if isinstance(ask, Listen):
                bound = {str(port): ports for port in ask.ports}
                answers[ask] = ListenAnswer(ports=bound, token=TOKEN)
        inquiry.feed(answers)
    return found


def dials(profile: Profile, contact: ContactAnswer = SSH, ports: str = "") -> list[Dial]:
    """What others dial."""
    found = asked(profile, contact, ports)
    return [ask for ask in found if isinstance(ask, Dial) and ask.vantage != "host"]


def test_it_listens_before_it_dials() -> None:
    kinds: list[type] = [type(ask) for ask in asked(Profile(node_domain=NODE), SSH)]

    assert kinds.index(Listen) < kinds.index(Dial)


@pytest.mark.parametrize(
    ("profile", "contact"),
    [
        (Profile(passive=True), SSH),
        (Profile(listen=False), SSH),
        (Profile(), ContactAnswer(scheme="local")),
        (Profile(), ContactAnswer(scheme="docker")),
    ],
)
def test_it_does_not_listen_when_told_or_for_nobody(
    profile: Profile, contact: ContactAnswer
) -> None:
    assert not [ask for ask in asked(profile, contact) if isinstance(ask, Listen)]


def test_with_own_certificates_nothing_listens_on_80() -> None:
    profile = Profile(certificates="provided")
    (listen,) = (ask for ask in asked(profile, SSH) if isinstance(ask, Listen))

    assert listen.ports == (443,)


def test_every_vantage_dials_by_address_and_by_name() -> None:
    away = {ask.vantage: set[str]() for ask in dials(AFAR)}
    for ask in dials(AFAR):
        away[ask.vantage].add(ask.address)

    assert away == {
        "auditor": {HOST, ""},
        "ssh://outside": {""},  # where a private address is somebody else's
        "ssh://office": {HOST, ""},
    }


def test_a_global_address_of_ssh_is_dialled_from_the_internet_too() -> None:
    contact = ContactAnswer(scheme="ssh", address="93.184.216.34")

    outside = [x for x in dials(AFAR, contact) if x.vantage == "ssh://outside"]

    assert {x.address for x in outside} == {"", "93.184.216.34"}


def test_where_no_address_is_known_the_silent_ports_are_dialled_by_name() -> None:
    ports = {x.port for x in dials(AFAR) if x.vantage == "ssh://outside"}

    assert ports == {80, 443, 2375, 2376, 9042}


def test_others_dial_the_public_address() -> None:
    profile = dataclasses.replace(AFAR, public_addresses=("198.51.100.1", "198.51.100.2"))
    addresses = {(ask.vantage, ask.address) for ask in dials(profile) if ask.address}

    assert ("auditor", HOST) in addresses
    assert ("ssh://outside", "198.51.100.1") in addresses
    assert ("ssh://outside", "198.51.100.2") in addresses
    assert ("ssh://outside", HOST) not in addresses


def test_a_local_run_is_proved_by_a_vantage() -> None:
    vantages = {ask.vantage for ask in dials(AFAR, ContactAnswer(scheme="local"))}

    assert vantages == {"ssh://outside", "ssh://office"}


def test_the_listener_is_spoken_to_in_plain_http() -> None:
    assert not [ask for ask in dials(AFAR) if ask.port == 443 and ask.tls]
    assert [ask for ask in dials(AFAR, ports="EADDRINUSE") if ask.port == 443 and ask.tls]


def greeted(token: str = TOKEN, peer: str = "::ffff:198.51.100.9") -> DialAnswer:
    return DialAnswer(
        layer="done",
        attempts=(Attempt(HOST, "open", "10.0.0.9"),),
        status=200,
        headers={"x-sesam-audit": token, "x-sesam-peer": peer},
    )


def arrived(
    answer: DialAnswer,
    stands: str = "internet",
    port: int = 443,
    firewall: HostFirewall | Unknown | None = None,
    **given: Any,
) -> Arrival:
    """What is proved while the host itself listens."""
    view = Inbound(
        SSH,
        NODE,
        by_address={port: answer},
        stands=stands,
        listening=frozenset((80, 443)),
        token=TOKEN,
        **given,
    )
    return arrive(port, ADDRESS, view, FREE, HostFirewall() if firewall is None else firewall)


def test_the_own_token_proves_the_way_and_tells_the_source() -> None:
    arrival = arrived(greeted())

    assert (arrival.fault, arrival.doubt) == ("", None)
    assert arrival.seen.source == "198.51.100.9"


def test_another_hosts_token_is_another_machine() -> None:
    assert arrived(greeted("0123")).fault.startswith("another machine answers")


def test_a_page_of_somebody_else_is_named() -> None:
    page = replace(greeted(), headers={"server": "squid"})

    assert "something else than this host: HTTP 200, server 'squid'" in arrived(page).fault


@pytest.mark.parametrize(
    ("error", "stands", "port", "fault"),
    [
        ("TIMEOUT", "internet", 80, True),
        ("TIMEOUT", "internet", 443, True),
        ("TIMEOUT", "clients", 443, True),
        ("TIMEOUT", "clients", 80, False),
        ("TIMEOUT", "none", 443, False),
        ("ECONNREFUSED", "none", 80, True),
        ("ECONNREFUSED", "none", 443, False),
        ("ECONNREFUSED", "clients", 443, True),
    ],
)
def test_silence_and_refusal_while_the_host_listens(
    error: str, stands: str, port: int, fault: bool
) -> None:
    arrival = arrived(stopped("tcp", error, HOST), stands, port)

    assert bool(arrival.fault) is fault
    assert (arrival.doubt is None) is fault


FILTERS = (
    HostFirewall(ufw=True),
    HostFirewall(iptables="*filter\n:INPUT DROP [0:0]\nCOMMIT\n"),
    HostFirewall(iptables="*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ufw-before-input\n"),
    HostFirewall(
        nftables="table inet f {\n\tchain i {\n\t\ttype filter hook input priority 0;"
        " policy drop;\n\t}\n}\n"
    ),
    HostFirewall(nftables=Unknown("needs root: the firewall's rules")),
    Unknown("not collected"),
)


@pytest.mark.parametrize("firewall", FILTERS)
def test_an_input_filter_of_the_host_is_no_evidence_against_it(
    firewall: HostFirewall | Unknown,
) -> None:
    arrival = arrived(stopped("tcp", "TIMEOUT", HOST), firewall=firewall)

    assert not arrival.fault
    assert "which Docker's ports do not pass" in str(arrival.doubt)


def test_why_no_container_published_is_told_beside() -> None:
    why = "no Docker daemon answers (ENOENT)"
    silence = stopped("tcp", "TIMEOUT", HOST)

    arrival = arrived(silence, firewall=HostFirewall(ufw=True), unpublished=why)

    assert str(arrival.doubt).endswith(f"(no container published it: {why})")


@pytest.mark.parametrize("firewall", FILTERS)
def test_an_input_filter_excuses_no_published_port(firewall: HostFirewall | Unknown) -> None:
    silence = stopped("tcp", "TIMEOUT", HOST)

    arrival = arrived(silence, firewall=firewall, published=True)

    assert arrival.fault == (
        f"port 443 is filtered: no answer at {HOST}, while a container published it"
    )


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize(("stands", "fault"), [("clients", True), ("none", False)])
def test_silence_of_a_published_port_counts_for_those_who_have_a_right_to_it(
    stands: str, fault: bool, published: bool
) -> None:
    arrival = arrived(stopped("tcp", "TIMEOUT", HOST), stands, published=published)

    assert (bool(arrival.fault), arrival.doubt is None) == (fault, fault)


def test_the_rule_that_stops_a_published_port_is_named() -> None:
    drop = (
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -j DOCKER-USER\n-A DOCKER-USER -j DROP\nCOMMIT\n"
    )
    silence = stopped("tcp", "TIMEOUT", HOST)

    arrival = arrived(silence, firewall=HostFirewall(iptables=drop), published=True)

    assert "a container published it; on the host: " in arrival.fault
    assert "DOCKER-USER" in arrival.fault


def test_without_root_nobody_listens_on_443() -> None:
    view = Inbound(
        SSH,
        NODE,
        by_address={443: stopped("tcp", "ECONNREFUSED", HOST)},
        stands="internet",
        forbidden=frozenset((443,)),
    )
    arrival = arrive(443, ADDRESS, view, FREE, HostFirewall())

    assert not arrival.fault
    assert arrival.doubt is not None
    assert arrival.doubt.reason.startswith("needs root: nothing listens on port 443")
    assert arrival.doubt.command == "sesam-audit run ssh://THIS-HOST --ask-sudo-password"


def test_a_vantage_that_could_not_be_asked_says_so() -> None:
    told = Unknown("needs a vantage: ssh://outside: it refuses connections")
    view = Inbound(SSH, NODE, by_name={443: told}, vantage="ssh://outside")

    with pytest.raises(Unknown, match="it refuses connections"):
        view.seen(443, NAME)
