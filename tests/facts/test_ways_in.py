"""WaysIn: which families a name has, and who comes from the internet."""

from __future__ import annotations

import pytest

from sesam_audit.errors import Unknown
from sesam_audit.facts.domain import Domain, Resolved
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME, NAME_6
from sesam_audit.facts.routes import Route, Routes
from sesam_audit.facts.ways_in import WaysIn

NODE, FOUR, SIX = "sesam.example.org", "93.184.216.34", "2606:2800:220:1::1"
UNKNOWN = Unknown("not known")


def ways(domain: Domain | Unknown) -> WaysIn:
    return WaysIn(HostFirewall(), domain)


@pytest.mark.parametrize(
    ("resolved", "used"),
    [
        (Resolved("host", (FOUR,), errors=("",)), [NAME]),
        (Resolved("host", (FOUR, SIX)), [NAME, NAME_6]),
        (Resolved("host", (SIX,), errors=("",)), [NAME_6]),
        (Resolved("host", (SIX,), errors=("SERVFAIL",)), [NAME, NAME_6]),
        (Resolved("host", errors=("NXDOMAIN", "NXDOMAIN")), [NAME]),
    ],
)
def test_a_family_is_a_way_where_the_name_has_an_address(
    resolved: Resolved, used: list[str]
) -> None:
    found = ways(Domain(NODE, (resolved,)))

    assert [way for way in (ADDRESS, NAME, NAME_6) if found.in_use(way)] == [ADDRESS, *used]
    assert found.by_name == used[0]


def test_a_name_that_is_not_known_has_the_usual_way() -> None:
    assert ways(UNKNOWN).by_name == NAME


ROUTES = Routes(
    (
        Route("0.0.0.0/0", "eth0", on_link=False),
        Route("62.92.1.0/26", "eth0"),
        Route("62.92.2.0/24", "eth0", on_link=False),
        Route("2a01:799:1::/64", "eth0"),
    )
)


@pytest.mark.parametrize(
    ("source", "internet"),
    [
        ("198.18.0.9", False),  # no address of the internet
        ("10.1.2.3", False),
        ("", False),
        ("62.92.1.4", False),  # the host itself
        ("62.92.1.20", False),  # its neighbour
        ("62.92.1.80", True),
        ("62.92.2.5", True),
        ("2a01:799:1::77", False),
        ("2a01:799:2::77", True),
        (FOUR, False),  # NAT, and back
        ("93.184.216.99", False),  # behind the same NAT, with another address of its site
        ("93.184.217.99", True),
        ("2606:2800:220:2::9", False),
        ("2606:2800:221::9", True),
    ],
)
def test_who_comes_from_the_internet(source: str, internet: bool) -> None:
    domain = Domain(NODE, (Resolved("host", (FOUR, SIX)),), frozenset({"62.92.1.4"}))

    assert WaysIn(HostFirewall(), domain, ROUTES).of_internet(source) is internet


@pytest.mark.parametrize(
    ("domain", "routes"),
    [
        (UNKNOWN, ROUTES),
        (Domain(NODE, (), UNKNOWN), ROUTES),
        (Domain(NODE, (), frozenset()), UNKNOWN),
    ],
)
def test_where_the_hosts_own_networks_are_not_known_nobody_does(
    domain: Domain | Unknown, routes: Routes | Unknown
) -> None:
    assert not WaysIn(HostFirewall(), domain, routes).of_internet("8.8.8.8")


def test_the_site_of_a_declared_address_is_not_the_internet() -> None:
    domain = Domain(NODE, (), frozenset())
    found = WaysIn(HostFirewall(), domain, ROUTES, (FOUR, "no address"))

    assert [found.of_internet(x) for x in ("93.184.216.1", "8.8.8.8")] == [False, True]
