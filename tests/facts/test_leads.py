"""Leads: whose machine each address of NODE_DOMAIN is, by the dials of all vantages."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Attempt, ContactAnswer, DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import Inbound
from sesam_audit.facts.leads import Leads, leads
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PortOwner, PortOwners

from .network import chain, tls

NAT, OTHER, TOKEN = "93.184.216.34", "93.184.216.35", "5e5a"
FREE = PortOwners(dict.fromkeys((80, 443), PortOwner("free")))
STACK = PortOwners(dict.fromkeys((80, 443), PortOwner("stack")))
NODE = "sesam.example.org"


def at(address: str, token: str | None = TOKEN) -> DialAnswer:
    """An answer at an address: this host's listener, another's, or somebody else's page."""
    headers = {"server": "nginx"} if token is None else {"x-sesam-audit": token}
    attempts = (Attempt(address, "open", "198.51.100.9"),)
    return DialAnswer(layer="done", attempts=attempts, status=200, headers=headers)


def view(*answers: DialAnswer | Unknown, **more: Any) -> Inbound:
    first, *again = answers
    given: dict[str, Any] = {
        "by_name": {443: first},
        "beside": {"NODE_DOMAIN": {443: tuple(again)}},
        "listening": frozenset((80, 443)),
        "token": TOKEN,
    }
    return Inbound(ContactAnswer(scheme="ssh", address="10.0.0.4"), NODE, **{**given, **more})


def led(*views: Inbound, owners: PortOwners = FREE) -> Leads:
    return leads(Outside(views), owners, HostFirewall())


def test_the_token_proves_the_address_it_came_from() -> None:
    assert led(view(at(NAT))) == Leads(frozenset({NAT}))


@pytest.mark.parametrize("token", ["0123", None])
def test_another_answer_while_the_host_listens_is_another_machine(token: str | None) -> None:
    found = led(view(at(NAT, token)))

    assert not found.ours
    assert found.theirs[NAT].startswith("from auditor: ")


def test_each_address_is_judged_by_itself() -> None:
    found = led(view(at(NAT), at(OTHER, None)))

    assert (found.ours, set(found.theirs)) == (frozenset({NAT}), {OTHER})


def test_a_page_in_one_vantages_way_does_not_outweigh_the_token() -> None:
    assert led(view(at(NAT, None)), view(at(NAT), vantage="ssh://x")).theirs == {}


def test_nobody_who_looks_proves_nothing() -> None:
    assert led(view(Unknown("needs a vantage"))) == Leads()


@pytest.mark.parametrize(("other", "ours"), [(NODE, True), ("other.example.org", False)])
def test_the_stacks_own_certificate_proves_it_too(other: str, ours: bool) -> None:
    shown = tls(other, chain(other), attempts=(Attempt(NAT, "open", "198.51.100.9"),))
    found = led(view(shown, own=tls(NODE), listening=frozenset(), token=""), owners=STACK)

    assert (NAT in found.ours, NAT in found.theirs) == (ours, not ours)


def test_the_certificate_is_that_of_the_same_address() -> None:
    ours, other = (
        tls(name, chain(name), attempts=(Attempt(address, "open", "198.51.100.9"),))
        for name, address in ((NODE, NAT), ("other.example.org", OTHER))
    )
    found = led(view(ours, other, own=tls(NODE), listening=frozenset(), token=""), owners=STACK)

    assert (found.ours, set(found.theirs)) == (frozenset({NAT}), {OTHER})


def test_an_answer_at_the_address_of_ssh_says_nothing_of_the_name() -> None:
    there = view(at(NAT), by_address={443: at("10.0.0.4", None)})

    assert led(there).theirs == {}
