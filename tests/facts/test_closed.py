"""What should be closed: from where it is dialled, and what each answer proves."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Contact, ContactAnswer, Dial, DialAnswer
from sesam_audit.destinations import SESAM, Service
from sesam_audit.errors import Unknown
from sesam_audit.facts.closed import BY_PROXY, DIRECTLY, INSIDE, Closed, Worlds, closed_destinations
from sesam_audit.facts.control import SECONDS
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW

from .machine import find
from .network import PUBLIC, chain, perfect, stopped, tls

NAME = "example.com"
SSH, LOCAL = ContactAnswer(scheme="ssh"), ContactAnswer(scheme="local")
SILENT = stopped("tcp", "TIMEOUT", "192.0.2.7")
PORTAL: dict[str, Any] = {"status": 403, "headers": {"content-type": "text/html"}}
OPENED = chain(NAME, "Example Corp Inspection")


def dials(contact: ContactAnswer = SSH, **options: Any) -> list[Dial]:
    inquiry = Inquiry((Closed,), Profile(**options))
    inquiry.feed({Contact(): contact})
    return [ask for ask in inquiry.pending if isinstance(ask, Dial)]


def met(answer: DialAnswer, name: str = NAME, world: Reach | None = None) -> bool | Unknown:
    """What one dial from the host proves."""
    (each,) = closed_destinations(Profile(closed_destinations=(name,)))
    closed = Closed({DIRECTLY: Reach({name: Reached(each, answer)}, PUBLIC.bundle)})
    (look,) = closed.looks(name, NOW, Worlds(world or perfect(), perfect()))
    return look.open


def test_without_the_key_nothing_is_dialled() -> None:
    assert dials() == []
    assert find(Closed, {}).places == {}


def test_it_is_dialled_from_the_host_a_container_and_the_auditor() -> None:
    asked = dials(closed_destinations=("example.com", "db.example.com:5432"))

    assert [(x.name, x.port, x.vantage, x.context, x.proxy) for x in asked[::2]] == [
        ("example.com", 443, "host", "", ""),
        ("example.com", 443, "host", SESAM, ""),
        ("example.com", 443, "auditor", "", ""),
    ]
    assert {(x.name, x.port) for x in asked[1::2]} == {("db.example.com", 5432)}
    assert {x.seconds_limit for x in asked} == {4.0, SECONDS}


def test_a_proxy_is_tried_beside_the_direct_way() -> None:
    asked = dials(LOCAL, closed_destinations=(NAME,), proxy="proxy:3128", passive=True)

    assert [x.proxy for x in asked] == ["", "proxy:3128"]


def test_passive_makes_no_container() -> None:
    closed = find(Closed, {Contact(): SSH}, Profile(closed_destinations=(NAME,), passive=True))

    assert INSIDE not in closed.places
    assert closed.absent == "--passive makes no container"


def test_without_a_room_the_container_is_left_out_and_said() -> None:
    profile = Profile(closed_destinations=(NAME,))
    (inside,) = (ask for ask in dials(LOCAL, closed_destinations=(NAME,)) if ask.context)
    noroom = DialAnswer(error="NOROOM", detail="needs root: entering it")
    closed = find(Closed, {Contact(): LOCAL, inside: noroom}, profile)

    assert set(closed.places) == {DIRECTLY}
    assert closed.absent == "needs root: entering it"


def test_an_address_is_held_to_no_name() -> None:
    first, second, plain = closed_destinations(
        Profile(closed_destinations=("192.0.2.9", "[2001:db8::9]:8443", "example.com:80"))
    )

    assert {first.service, second.service, plain.service} == {Service.ANY_TLS}
    assert (second.name, second.port) == ("2001:db8::9", 8443)
    assert not plain.tls


@pytest.mark.parametrize(
    "answer",
    [
        stopped("dns", "NXDOMAIN"),
        stopped("tcp", "ECONNREFUSED", "192.0.2.7"),
        SILENT,
        tls(NAME, addresses=("127.0.0.1",)),
        tls(NAME, chain("login.example.net"), trusted=False, addresses=("8.8.8.8",), **PORTAL),
    ],
)
def test_what_proves_that_it_is_closed(answer: DialAnswer) -> None:
    assert met(answer) is False


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (tls(NAME, status=404), NAME),
        (tls(NAME, status=503), NAME),
        (tls(NAME, status=302, headers={"location": "http://www.example.net/"}), NAME),
        (tls(NAME, OPENED, trusted=False, addresses=("8.8.8.8",)), NAME),
        (tls("other.example", status=200), "192.0.2.7"),
        (stopped("tls", "TLS", "192.0.2.7", detail="WRONG_VERSION_NUMBER"), "example.com:22"),
        (replace(tls(NAME), chain=(), tls_version=""), "example.com:80"),
    ],
)
def test_what_proves_that_it_is_open(answer: DialAnswer, name: str) -> None:
    assert met(answer, name) is True


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (stopped("tls", "ECONNRESET", "192.0.2.7"), "tls-fails"),
        (stopped("tls", "TIMEOUT", "192.0.2.7"), "tls-fails"),
        (stopped("tls", "TLS", "192.0.2.7", detail="WRONG_VERSION_NUMBER"), "tls-fails"),
        (tls(NAME, chain("other.example"), trusted=False, addresses=("8.8.8.8",)), "tls-name"),
        (DialAnswer(error="UNSUPPORTED"), "no Python"),
        (replace(SILENT, seconds=0.4), "were left of the deadline"),
    ],
)
def test_what_proves_nothing(answer: DialAnswer, reason: str) -> None:
    found = met(answer)

    assert isinstance(found, Unknown)
    assert reason in found.reason


def test_silence_proves_nothing_where_nothing_else_answers() -> None:
    dead = perfect()
    for key, each in dead.reached.items():
        dead.reached[key] = replace(each, answer=SILENT)

    found = met(SILENT, world=dead)

    assert isinstance(found, Unknown)
    assert found.reason.endswith("but nothing else was reached from the host either")


def test_who_opens_tls_for_others_too_is_not_the_destination() -> None:
    world = perfect()
    opened = tls("pypi.org", chain("pypi.org", "Example Corp Inspection"), trusted=False)
    world.reached["pypi.org:443"] = replace(world.reached["pypi.org:443"], answer=opened)

    found = met(tls(NAME, OPENED, trusted=False, addresses=("8.8.8.8",)), world=world)

    assert isinstance(found, Unknown)
    assert "or a device before it" in found.reason


def test_who_opens_tls_for_the_host_is_not_the_destination_for_containers_either() -> None:
    world = perfect()
    opened = tls("pypi.org", chain("pypi.org", "Example Corp Inspection"), trusted=False)
    world.reached["pypi.org:443"] = replace(world.reached["pypi.org:443"], answer=opened)
    (each,) = closed_destinations(Profile(closed_destinations=(NAME,)))
    answer = tls(NAME, OPENED, trusted=None, addresses=("8.8.8.8",))
    closed = Closed({INSIDE: Reach({NAME: Reached(each, answer)}, PUBLIC.bundle)})

    (look,) = closed.looks(NAME, NOW, Worlds(world, perfect()))

    assert isinstance(look.open, Unknown)


def test_a_proxy_that_refuses_it_closes_it_and_a_proxy_at_fault_proves_nothing() -> None:
    def by_proxy(answer: DialAnswer) -> bool | Unknown:
        (each,) = closed_destinations(Profile(closed_destinations=(NAME,)))
        reach = Reach({NAME: Reached(each, answer)}, PUBLIC.bundle, "proxy:3128")
        (look,) = Closed({BY_PROXY: reach}).looks(NAME, NOW, Worlds(perfect(), perfect()))
        return look.open

    assert by_proxy(DialAnswer(layer="proxy", error="HTTP", proxy_status=403)) is False
    assert by_proxy(tls(NAME, proxy_status=200)) is True
    assert isinstance(by_proxy(DialAnswer(layer="tcp", error="TIMEOUT")), Unknown)
    assert isinstance(by_proxy(DialAnswer(layer="proxy", proxy_status=407)), Unknown)
