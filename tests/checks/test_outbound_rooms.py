"""Outbound, for the programs that will connect from containers; the host stands beside."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sesam_audit.asks import DialAnswer
from sesam_audit.facts.control import Control
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.rooms import Rooms
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.testing import evaluate
from tests.facts.network import chain, perfect, stopped, tls

INSIDE = (
    ("outbound.docker-updates", "registry-1.docker.io:443 by the updater"),
    ("outbound.docker-updates", "auth.docker.io:443 by the updater"),
    ("outbound.letsencrypt", "acme-v02.api.letsencrypt.org:443"),
    ("outbound.sesam", "portal.sesam.io:443"),
    ("outbound.sesam", "log shipping"),
)
PORTAL = INSIDE[3]
SILENT = stopped("tcp", "TIMEOUT", "192.0.2.7")


def meeting(subject: str, answer: DialAnswer) -> Reach:
    """Everything is well but one name."""
    reach, subject = perfect(), subject.removesuffix(" by the updater")
    reach.reached[subject] = Reached(reach.reached[subject].destination, answer)
    return reach


def judged(
    where: tuple[str, str], host: Reach, rooms: Rooms, control: Control | None = None
) -> Finding:
    name, subject = where
    return evaluate(name, host, rooms, control or Control(perfect()), subject=subject)


@pytest.mark.parametrize("where", INSIDE)
def test_the_container_decides_against_the_host(where: tuple[str, str]) -> None:
    finding = judged(where, perfect(), Rooms(meeting(where[1], SILENT)))

    assert (finding.outcome, finding.vantage) == (Outcome.FAILED, "container")
    assert finding.message.startswith("tcp-timeout: 192.0.2.7 port 443")
    assert "so it is from a container, while the host itself reaches it" in finding.message
    assert any(note.startswith("dialled from the host itself: ok: ") for note in finding.notes)


@pytest.mark.parametrize("where", INSIDE)
def test_the_container_decides_for_what_the_host_does_not_reach(where: tuple[str, str]) -> None:
    finding = judged(where, meeting(where[1], SILENT), Rooms(perfect()))

    assert (finding.outcome, finding.vantage) == (Outcome.PASSED, "container")
    assert any("the host itself: tcp-timeout" in note for note in finding.notes)


@pytest.mark.parametrize("where", INSIDE)
def test_without_a_container_what_the_host_reaches_is_not_proven(where: tuple[str, str]) -> None:
    finding = judged(where, perfect(), Rooms(Reach({}), "needs root: entering it"))

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.reason == (
        "the host itself reaches it, but its containers may not: not tried from a container:"
        " needs root: entering it"
    )


@pytest.mark.parametrize("where", INSIDE)
def test_without_a_container_what_the_host_does_not_reach_fails(where: tuple[str, str]) -> None:
    host = meeting(where[1], SILENT)

    finding = judged(where, host, Rooms(Reach({}), "needs root: entering it"))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.startswith("tcp-timeout: 192.0.2.7 port 443")


def test_both_and_the_auditor_meet_nobody() -> None:
    silent = meeting(PORTAL[1], SILENT)

    finding = judged(PORTAL, silent, Rooms(silent), Control(silent))

    assert finding.outcome is Outcome.UNKNOWN
    assert "the name may be gone" in finding.message


def test_the_hosts_own_store_does_not_speak_for_a_container() -> None:
    opened = chain("portal.sesam.io", "Example Corp Inspection")
    trusted = tls("portal.sesam.io", opened, trusted=None, addresses=("203.0.113.9",))

    finding = judged(PORTAL, perfect(), Rooms(meeting(PORTAL[1], trusted)))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.startswith("tls-intercepted: ")


@pytest.mark.parametrize("where", INSIDE)
def test_what_the_host_pins_is_told_once(where: tuple[str, str]) -> None:
    name = perfect().reached[where[1].removesuffix(" by the updater")].destination.name
    host = replace(perfect(), pinned={name.lower(): ("192.0.2.9",)})
    told = f"the host's /etc/hosts pins {name} to 192.0.2.9: containers do not see that file"

    for rooms in (Rooms(perfect()), Rooms(Reach({}), "needs root: entering it")):
        assert judged(where, host, rooms).notes.count(told) == 1
