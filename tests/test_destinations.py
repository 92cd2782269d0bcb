"""The stand-ins: every one belongs to a rule that covers it, and says where it comes from."""

from __future__ import annotations

import re

import pytest

from sesam_audit.destinations import (
    Destination,
    Service,
    destinations,
    log_shipping,
    needed,
)
from sesam_audit.profile import Profile
from sesam_audit.profile_values import labelled
from sesam_audit.rules import RULES

SHIPPED = destinations(Profile())


@pytest.mark.parametrize("each", SHIPPED, ids=lambda each: each.name)
def test_inside_its_rules_wildcards(each: Destination) -> None:
    assert RULES[each.rule].covers(each.name)


@pytest.mark.parametrize("each", SHIPPED, ids=lambda each: each.name)
def test_dated_and_sourced(each: Destination) -> None:
    assert re.fullmatch(r"20\d\d-\d\d", each.seen)
    assert each.source


def test_subjects_are_unique() -> None:
    profile = Profile(sesam_destinations="ips", extra_destinations=("a.example:1", "b.example:2"))
    keys = [each.key for each in destinations(profile)]

    assert len(keys) == len(set(keys))


def test_indicators_never_decide() -> None:
    assert needed(Profile(), "OUT-HUB") == (
        "registry-1.docker.io:443",
        "auth.docker.io:443",
        "production.cloudfront.docker.com:443",
    )


def test_log_shipping_keeps_its_subject_under_any_name() -> None:
    assert log_shipping("logs.example.org").key == "log shipping"


@pytest.mark.parametrize(
    ("text", "name", "port", "service"),
    [
        ("db.example:5432", "db.example", 5432, Service.TCP),
        ("db.example", "db.example", 443, Service.OWN_TLS),
        ("[2001:db8::1]:443", "2001:db8::1", 443, Service.OWN_TLS),
        ("https://registry.example:5000", "registry.example", 5000, Service.OWN_TLS),
        ("https://registry.example", "registry.example", 443, Service.OWN_TLS),
        ("https://[2001:db8::1]:5000", "2001:db8::1", 5000, Service.OWN_TLS),
        ("web.example:80", "web.example", 80, Service.HTTP),
    ],
)
def test_extra_destinations(text: str, name: str, port: int, service: Service) -> None:
    extra = destinations(Profile(extra_destinations=(text,)))[-1]

    assert (extra.name, extra.port, extra.key, extra.service) == (name, port, text, service)
    assert extra.tls is (service is Service.OWN_TLS)


@pytest.mark.parametrize(
    ("host", "covered"),
    [("registry-1.docker.io", True), ("docker.io", False), ("docker.io.evil.example", False)],
)
def test_wildcards_cover_what_lies_below(host: str, covered: bool) -> None:
    assert RULES["OUT-HUB"].covers(host) is covered


@pytest.mark.parametrize("text", ["a.example.org", "localhost", "xn--bcher-kva.example", "a.b."])
def test_host_names(text: str) -> None:
    assert labelled(text)


@pytest.mark.parametrize("text", ["", "a b", "x;reboot", "-x.example", "a..b", "https://a", "ø.no"])
def test_no_host_names(text: str) -> None:
    assert not labelled(text)


def test_reviewers_rule_names_are_stable() -> None:
    assert tuple(RULES) == ("IN-80", "IN-443", "OUT-HUB", "OUT-LE", "OUT-SESAM", "OUT-PYPI")
