"""Domain: which name the node has, where it leads, and which addresses the host has."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import (
    Answer,
    Ask,
    Contact,
    ContactAnswer,
    EnvFile,
    EnvFileAnswer,
    File,
    FileAnswer,
    Lookup,
    LookupAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.domain import Domain, Resolved
from sesam_audit.profile import Profile
from sesam_audit.wanted import ENV_FILE

from .machine import find

NAME = "sesam.example.org"
ENV = EnvFile(ENV_FILE, KEYS)
SSH = ContactAnswer(scheme="ssh", address="192.0.2.4")
FIB = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.4
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
"""
INET6 = "20010db8000000000000000000000004 02 40 00 80     eth0\n"


def domain(profile: Profile | None = None, **records: LookupAnswer | Unknown) -> Domain:
    """The name with answers such as host_A or auditor_AAAA."""
    answers: dict[Ask[Any], Answer | Unknown] = {
        Contact(): SSH,
        ENV: EnvFileAnswer(values={"NODE_DOMAIN": NAME}),
        File("/proc/net/fib_trie", 1_048_576): FileAnswer(text=FIB),
        File("/proc/net/if_inet6"): FileAnswer(text=INET6),
    }
    for vantage in ("host", "auditor"):
        for kind in ("A", "AAAA"):
            given = records.get(f"{vantage}_{kind}", LookupAnswer(server="192.0.2.53"))
            answers[Lookup(NAME, kind, vantage)] = given
    return find(Domain, answers, profile)


def test_addresses_of_both_vantages_and_of_the_host() -> None:
    found = domain(
        host_A=LookupAnswer(records=("192.0.2.4",), server="192.0.2.53"),
        auditor_AAAA=LookupAnswer(records=("2001:DB8::4",), server="9.9.9.9"),
    )

    assert found.name == NAME
    assert found.addresses == ("192.0.2.4", "2001:db8::4")
    assert found.own == frozenset({"192.0.2.4", "2001:db8::4"})


def test_the_profile_names_the_node_first() -> None:
    found = domain(Profile(node_domain="Other.Example.ORG."))

    assert found.name == "other.example.org"


@pytest.mark.parametrize(
    ("value", "said"),
    [("", "names none"), ("your_node_domain", "layout.env"), ("a b;c", "no host name")],
)
def test_names_that_cannot_be_asked_for(value: str, said: str) -> None:
    with pytest.raises(Unknown, match=said):
        find(Domain, {Contact(): SSH, ENV: EnvFileAnswer(values={"NODE_DOMAIN": value})})


def test_a_name_that_env_has_wrong_is_mended_there_and_not_in_dns() -> None:
    with pytest.raises(Unknown) as raised:
        find(Domain, {Contact(): SSH, ENV: EnvFileAnswer(values={"NODE_DOMAIN": "https://x"})})

    assert raised.value.reason == (
        "NODE_DOMAIN is 'https://x', which is no host name: mend /srv/data/.env first (layout.env)"
    )
    assert raised.value.command == "sudoedit /srv/data/.env"


def test_unreadable_env() -> None:
    with pytest.raises(Unknown, match="needs root"):
        find(Domain, {Contact(): SSH, ENV: EnvFileAnswer(error="EACCES")})


def test_local_host_asks_its_resolver_once() -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {Contact(): ContactAnswer(scheme="local")}

    found = find(Domain, answers, Profile(node_domain=NAME))

    assert [each.vantage for each in found.resolved] == ["host"]


def test_addresses_of_the_host_that_cannot_be_read() -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {
        Contact(): SSH,
        File("/proc/net/fib_trie", 1_048_576): FileAnswer(error="EACCES"),
    }

    assert isinstance(find(Domain, answers, Profile(node_domain=NAME)).own, Unknown)


@pytest.mark.parametrize(
    ("resolved", "absent"),
    [
        (Resolved("host", errors=("NXDOMAIN", "NXDOMAIN")), True),
        (Resolved("host", errors=("", "")), True),
        (Resolved("host", errors=("NXDOMAIN", "TIMEOUT")), False),
        (Resolved("host", errors=("SERVFAIL", "SERVFAIL")), False),
        (Resolved("host", ("192.0.2.4",), errors=("",)), False),
        (Resolved("host"), False),
    ],
)
def test_absence_needs_proof(resolved: Resolved, absent: bool) -> None:
    assert resolved.absent is absent


@pytest.mark.parametrize(
    ("name", "private"),
    [("sesam", True), ("sesam.lan", True), ("a.home.arpa", True), ("sesam.no", False)],
)
def test_names_nobody_outside_can_know(name: str, private: bool) -> None:
    assert Domain(name, ()).private is private
