"""Least privilege: what should be closed is, on the way out and on the way in."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Attempt, ContactAnswer, DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.closed import DIRECTLY, INSIDE, Closed, Worlds, closed_destinations
from sesam_audit.facts.inbound import Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PortOwner, PortOwners
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.testing import evaluate
from tests.facts.network import PUBLIC, perfect, stopped, tls

NAME = "example.com"
PROFILE = Profile(closed_destinations=(NAME,), closed_ports=(22,))
SILENT = stopped("tcp", "TIMEOUT", "192.0.2.7")
HOST, PEER = "192.0.2.4", "198.51.100.9"

# -- on the way out --------------------------------------------------------------------------------


def outward(host: DialAnswer, inside: DialAnswer | None = None, absent: str = "") -> Finding:
    (each,) = closed_destinations(PROFILE)
    met = {DIRECTLY: host} | ({} if inside is None else {INSIDE: inside})
    places = {
        place: Reach({NAME: Reached(each, answer)}, PUBLIC.bundle) for place, answer in met.items()
    }
    control = Reach({NAME: Reached(each, tls(NAME))}, PUBLIC.bundle)
    facts = (Closed(places, control, absent), Worlds(perfect(), perfect()))
    return evaluate("outbound.closed", *facts, subject=NAME, profile=PROFILE)


def test_a_destination_that_is_closed_everywhere() -> None:
    finding = outward(SILENT, stopped("tcp", "ECONNREFUSED", "192.0.2.7"))

    assert finding.outcome is Outcome.PASSED
    assert "the host: tcp-timeout" in finding.message
    assert "dialled by the auditor: ok" in finding.notes


def test_a_destination_that_the_host_reaches_is_a_warning() -> None:
    finding = outward(tls(NAME), SILENT)

    assert finding.warning
    assert finding.message.startswith("open from the host (ok: ")


def test_a_destination_that_only_containers_reach_is_a_warning() -> None:
    finding = outward(SILENT, tls(NAME, trusted=None))

    assert finding.warning
    assert finding.message.startswith("open from a container (ok: ")


def test_a_container_that_tells_nothing_leaves_it_open_whether_it_is() -> None:
    finding = outward(SILENT, stopped("tls", "ECONNRESET", "192.0.2.7"))

    assert finding.outcome is Outcome.UNKNOWN
    assert "a device before it" in finding.message


def test_without_a_container_the_host_decides_and_it_is_said() -> None:
    finding = outward(SILENT, absent="--passive makes no container")

    assert finding.outcome is Outcome.PASSED
    assert "not dialled from a container: --passive makes no container" in finding.notes


# -- on the way in ---------------------------------------------------------------------------------


def answered(error: str = "", **more: Any) -> DialAnswer:
    attempts = (Attempt(HOST, error or "open", PEER),)
    given: dict[str, Any] = {"layer": "tcp" if error else "done", "error": error or None, **more}
    return DialAnswer(attempts=attempts, addresses=(HOST,), **given)


MUTE = DialAnswer(
    layer="http",
    error="HTTP",
    detail="SSH-2.0-OpenSSH_9.2",
    attempts=(Attempt(HOST, "open", PEER),),
    addresses=(HOST,),
)


def view(answer: DialAnswer, **more: Any) -> Inbound:
    given: dict[str, Any] = {
        "contact": ContactAnswer(scheme="ssh", address=HOST),
        "name": Unknown("no name"),
        "by_address": {22: answer},
    }
    return Inbound(**{**given, **more})


def inward(*views: Inbound, owner: PortOwner | None = None) -> Finding:
    owners = PortOwners({22: owner or PortOwner("process", "sshd (pid 7) on 0.0.0.0:22")})
    return evaluate("inbound.closed", Outside(views), owners, subject="22", profile=PROFILE)


@pytest.mark.parametrize("error", ["TIMEOUT", "ECONNREFUSED"])
def test_a_port_that_is_silent_or_refused(error: str) -> None:
    finding = inward(view(answered(error)))

    assert finding.outcome is Outcome.PASSED
    assert "from auditor" in finding.message


@pytest.mark.parametrize("answer", [MUTE, answered(status=200)])
def test_a_port_that_answers_is_a_warning(answer: DialAnswer) -> None:
    finding = inward(view(answered("TIMEOUT")), view(answer, vantage="ssh://outside"))

    assert finding.warning
    assert "ssh://outside" in finding.message


def test_a_device_that_completes_every_connection_proves_nothing() -> None:
    finding = inward(view(MUTE), owner=PortOwner("free"))

    assert finding.outcome is Outcome.UNKNOWN
    assert "nobody on this host listens there" in finding.message


def test_silence_counts_only_from_where_the_host_is_reached() -> None:
    lost = view(answered("TIMEOUT"), vantage="ssh://outside")
    token = answered(status=200, headers={"x-sesam-audit": "5e5a"})
    there = replace(lost, by_address={22: answered("TIMEOUT"), 443: token}, token="5e5a")

    assert inward(lost).outcome is Outcome.UNKNOWN
    assert "did not reach this host at all" in inward(lost).message
    assert inward(there).outcome is Outcome.PASSED


def blind(vantage: str = "ssh://outside") -> Inbound:
    lost = Unknown("needs a vantage: no login")
    return view(answered("TIMEOUT"), vantage=vantage, stands="internet", by_address={22: lost})


def test_who_sees_it_shut_does_not_speak_for_an_internet_that_could_not_look() -> None:
    finding = inward(view(answered("TIMEOUT")), blind())

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, "needs a vantage: no login")
    assert "ssh://outside could not tell: needs a vantage: no login" in finding.notes


def test_one_who_stands_for_the_internet_speaks_for_another() -> None:
    silent = view(answered("TIMEOUT"), stands="internet")

    assert inward(silent, blind()).outcome is Outcome.PASSED
    assert inward(view(answered("TIMEOUT"), stands="none")).outcome is Outcome.PASSED


def test_an_open_port_outweighs_what_others_could_not_see() -> None:
    assert inward(view(MUTE), blind()).warning


def test_an_answer_of_somebody_else_is_not_this_hosts() -> None:
    finding = inward(view(answered(status=200)), owner=PortOwner("free"))

    assert finding.outcome is Outcome.UNKNOWN


def test_nobody_outside_is_unknown() -> None:
    finding = inward(view(MUTE, contact=ContactAnswer(scheme="local")))

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith("needs a vantage")


@pytest.mark.parametrize(
    ("name", "subject"),
    [("outbound.closed", "closed destinations"), ("inbound.closed", "closed ports")],
)
def test_without_the_key_it_does_not_apply(name: str, subject: str) -> None:
    finding = evaluate(name, subject=subject)

    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "should" in finding.message
