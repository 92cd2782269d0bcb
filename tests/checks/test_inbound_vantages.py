"""Ports judged from several vantages together: who decides, and who is only noted."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Attempt, ContactAnswer, DialAnswer
from sesam_audit.errors import Lack, Unknown, needs_vantage
from sesam_audit.facts.deployment import amiss
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import NAME, Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PORTS, PortOwner, PortOwners
from sesam_audit.facts.ways_in import WaysIn
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.testing import evaluate

HOST, TOKEN = "192.0.2.4", "5e5a"
FREE = PortOwners(dict.fromkeys(PORTS, PortOwner("free")))
NOBODY = Unknown("needs a vantage: the auditor runs on the host itself")


def greeted(peer: str = "198.51.100.9", token: str = TOKEN) -> DialAnswer:
    return DialAnswer(
        layer="done",
        attempts=(Attempt(HOST, "open", "10.0.0.9"),),
        status=200,
        headers={"x-sesam-audit": token, "x-sesam-peer": peer},
    )


def silent() -> DialAnswer:
    return DialAnswer(layer="tcp", error="TIMEOUT", attempts=(Attempt(HOST, "TIMEOUT"),))


def view(answer: DialAnswer | Unknown, vantage: str = "auditor", stands: str = "none") -> Inbound:
    return Inbound(
        ContactAnswer(scheme="ssh", address=HOST),
        "sesam.example.org",
        by_address=dict.fromkeys(PORTS, answer),
        by_name=dict.fromkeys((80, 443), answer),
        vantage=vantage,
        stands=stands,
        listening=frozenset((80, 443)),
        token=TOKEN,
    )


def way_in(name: str, *views: Inbound) -> Finding:
    ways = WaysIn(HostFirewall())
    return evaluate(f"inbound.{name}", Outside(views), FREE, ways, subject=NAME)


@pytest.mark.parametrize("first", [NOBODY, silent(), greeted("10.0.0.9")])
def test_the_one_who_stands_for_the_internet_decides(first: DialAnswer | Unknown) -> None:
    finding = way_in("http", view(first), view(greeted(), "ssh://outside", "internet"))

    assert (finding.outcome, finding.vantage) == (Outcome.PASSED, "ssh://outside")
    assert "reachable from ssh://outside (198.51.100.9)" in finding.message


@pytest.mark.parametrize("stands", ["none", "clients"])
def test_any_is_not_proved_by_some(stands: str) -> None:
    finding = way_in("http", view(greeted(), "ssh://office", stands))

    assert finding.outcome is Outcome.UNKNOWN
    assert "ANY is not proven" in finding.message


def test_443_is_proved_by_anybody_best_by_clients() -> None:
    office = view(greeted(), "ssh://office", "clients")
    finding = way_in("https", view(greeted("10.0.0.9")), office)

    assert (finding.outcome, finding.vantage) == (Outcome.PASSED, "ssh://office")


def test_a_fault_that_one_vantage_proves_fails_although_another_gets_through() -> None:
    finding = way_in("https", view(greeted()), view(silent(), "ssh://office", "clients"))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.startswith("from ssh://office: port 443 is filtered")


def test_the_way_of_the_listener_is_said() -> None:
    finding = way_in("https", view(greeted()))

    assert any("Docker's forwarding was not on that way" in note for note in finding.notes)


def test_nobody_could_look() -> None:
    finding = way_in("https", view(NOBODY))

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, NOBODY.reason)


def arriving() -> Inbound:
    """Somebody on the internet who gets to this host's listener, and to nothing else."""
    there = view(silent(), "ssh://outside", "internet")
    return replace(there, by_address={**there.by_address, 443: greeted()})


def exposure(*views: Inbound) -> Finding:
    return evaluate("inbound.exposure", Outside(views), FREE, subject="9042")


def test_silence_from_one_vantage_is_told_although_another_could_not_look() -> None:
    finding = exposure(view(NOBODY), arriving())

    assert finding.outcome is Outcome.PASSED
    assert finding.message.startswith("silent from ssh://outside;")
    assert any("ssh://outside" in note for note in finding.notes)


def test_who_could_not_look_is_told() -> None:
    finding = exposure(view(NOBODY), arriving())

    assert f"auditor could not tell: {NOBODY.reason}" in finding.notes


def test_the_internet_that_could_not_look_leaves_exposure_open() -> None:
    blind = view(Unknown("needs a vantage: no login"), "ssh://outside", "internet")
    finding = exposure(view(silent()), blind)

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, "needs a vantage: no login")

    assert exposure(view(silent()), blind, arriving()).outcome is Outcome.PASSED


def test_silence_towards_who_reaches_this_host_nowhere_proves_nothing() -> None:
    finding = exposure(view(silent(), "ssh://outside", "internet"))

    assert finding.outcome is Outcome.UNKNOWN
    assert "ssh://outside did not reach this host at all" in finding.message


def by_name(answer: DialAnswer, web: DialAnswer) -> Inbound:
    """Somebody on the internet, who knows the host by its name alone."""
    there = view(answer, "ssh://outside", "internet")
    dials = {**there.by_address, 80: web, 443: web}
    return replace(there, by_address={}, by_name=dials)


def test_exposure_is_looked_at_by_a_name_that_is_proved_to_lead_here() -> None:
    finding = exposure(by_name(silent(), greeted()))

    assert finding.outcome is Outcome.PASSED
    assert finding.message.startswith("silent from ssh://outside;")


def test_exposure_of_whoever_else_has_the_name_says_nothing() -> None:
    for answer in (silent(), greeted()):
        finding = exposure(by_name(answer, greeted(token="0123")))

        assert finding.outcome is Outcome.UNKNOWN
        assert "no address that is proved to be this host's" in finding.message


def test_exposure_that_nobody_could_look_at() -> None:
    assert exposure(view(NOBODY)).outcome is Outcome.UNKNOWN


NO_NAME = "ssh://badhost was not reached: its name does not resolve"
MISSING = needs_vantage(NO_NAME, "ssh ssh://badhost true")


def missing(**more: Any) -> Inbound:
    return replace(view(MISSING, "ssh://badhost", "internet"), **more)


@pytest.mark.parametrize("away", [missing(), missing(by_address={}), missing(by_name_6={})])
@pytest.mark.parametrize("name", ["http", "https"])
def test_a_vantage_that_was_not_reached_is_said_to_be_the_reason(name: str, away: Inbound) -> None:
    finding = way_in(name, view(silent()), away)

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.endswith(f"; {NO_NAME}")
    assert finding.remedy == "Run: ssh ssh://badhost true"
    assert NO_NAME in finding.notes


def test_any_is_not_proven_because_who_was_to_prove_it_was_not_reached() -> None:
    finding = way_in("http", view(greeted()), missing())

    assert finding.message.endswith(f"ANY is not proven; {NO_NAME}")
    assert (finding.lacks, finding.remedy) == (Lack.VANTAGE, "Run: ssh ssh://badhost true")


def test_what_others_prove_is_proved_and_names_who_was_not_reached() -> None:
    finding = way_in("https", view(greeted()), missing())

    assert finding.outcome is Outcome.PASSED
    assert NO_NAME in finding.notes


def test_nobody_else_stands_in_for_a_vantage_that_was_not_reached() -> None:
    finding = exposure(view(silent()), missing(by_address={}))

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, MISSING.reason)


def test_who_failed_while_he_was_asked_was_reached() -> None:
    lost = Unknown("ssh://badhost: no answer in time; what it dialled is not known")
    outside = Outside((view(greeted()), view(lost, "ssh://badhost", "internet")))

    assert not outside.absences
    assert Outside((view(greeted()), missing())).absences == (NO_NAME,)


@pytest.mark.parametrize("name", ["http", "https"])
def test_a_name_that_env_has_wrong_is_nothing_to_ask_the_network_team_for(name: str) -> None:
    wrong = amiss("NODE_DOMAIN", "https://x", "no host name")
    finding = way_in(name, replace(view(greeted()), name=wrong))

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, wrong.reason)
    assert finding.remedy == "Run: sudoedit /srv/data/.env"
