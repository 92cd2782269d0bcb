"""Inbound, row by row: each result of a dial with what answers to it on the host."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import Attempt, ContactAnswer, DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.domain import Domain, Resolved
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME, NAME_6, Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PORTS, PortOwner, PortOwners
from sesam_audit.facts.routes import Route, Routes
from sesam_audit.facts.ways_in import WaysIn
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW, evaluate
from tests.facts.network import DAY
from tests.facts.test_inbound import issued

NODE, TOKEN = "sesam.example.org", "5e5a"
PUBLIC, OTHER, SIX = "93.184.216.34", "93.184.217.34", "2606:2800:220:1::1"
INSIDE, OUTSIDE = "10.0.0.4", "62.92.1.20"
PASSED, FAILED, UNKNOWN, OFF = "passed", "failed", "unknown", "not-applicable"
FREE = PortOwners(dict.fromkeys(PORTS, PortOwner("free")))


def token(address: str = PUBLIC, peer: str = "10.0.0.9", shown: str = TOKEN) -> DialAnswer:
    return DialAnswer(
        layer="done",
        addresses=(address,),
        attempts=(Attempt(address, "open", "172.31.0.9"),),
        status=200,
        headers={"x-sesam-audit": shown, "x-sesam-peer": peer},
    )


def closed(result: str, address: str = PUBLIC) -> DialAnswer:
    return DialAnswer(layer="tcp", error=result, attempts=(Attempt(address, result, "172.31.0.9"),))


def page() -> DialAnswer:
    return replace(token(), headers={"server": "nginx"})


RST, SILENCE = closed("ECONNREFUSED"), closed("TIMEOUT")
NO_ROUTE_6 = closed("ENETUNREACH", SIX)
NOBODY = Unknown("needs a vantage: it is down")


class View(Struct, frozen=True):
    """A vantage: whom it stands for, and what it met by each way on 80 and 443 alike."""

    stands: str = "unset"
    met: Any = NOBODY
    six: Any = None
    more: tuple[Any, ...] = ()
    address: Any = None
    name: str = "ssh://outside"
    listening: bool = True

    def inbound(self) -> Inbound:
        ways = {"by_name": self.met, "by_name_6": self.six, "by_address": self.address}
        dials = {way: dict.fromkeys((80, 443), x) for way, x in ways.items() if x is not None}
        given: dict[str, Any] = {
            **dials,
            "beside": {NAME: dict.fromkeys((80, 443), self.more)},
            "listening": frozenset((80, 443)) if self.listening else frozenset(),
            "token": TOKEN,
        }
        contact = ContactAnswer(scheme="ssh", address=INSIDE)
        return Inbound(contact, NODE, stands=self.stands, vantage=self.name, **given)


def judged(port: int, *views: View, way: str = NAME, **more: Any) -> Finding:
    """80 or 443 of a host behind NAT, with an address of its own that is private."""
    domain = Domain(NODE, (Resolved("host", (PUBLIC, SIX)),), frozenset({INSIDE}))
    routes = Routes((Route("10.0.0.0/24", "eth0"),))
    outside = Outside(tuple(view.inbound() for view in views), more.pop("hairpin", None))
    name = "http" if port == 80 else "https"
    ways = WaysIn(HostFirewall(), domain, routes)
    return evaluate(f"inbound.{name}", outside, FREE, ways, subject=way, **more)


class Row(Struct, frozen=True):
    """A situation, and its outcomes on 80 and on 443."""

    name: str
    views: tuple[View, ...]
    http: str
    https: str
    says: str = ""
    way: str = NAME


ROWS = (
    Row("own token, internet", (View("internet", token()),), PASSED, PASSED),
    Row(
        "own token, internet, on every address",
        (View("internet", token(), more=(token(OTHER),)),),
        PASSED,
        PASSED,
    ),
    Row(
        "own token, internet, but not on every address",
        (View("internet", token(), more=(closed("TIMEOUT", OTHER),)),),
        FAILED,
        FAILED,
        f"{OTHER} does not answer (silent), although {PUBLIC} does",
    ),
    Row(
        "own token, internet, but one address could not be tried",
        (View("internet", token(), more=(Unknown("only 0.3 s were left"),)),),
        UNKNOWN,
        UNKNOWN,
        "only 0.3 s",
    ),
    Row("own token, clients only", (View("clients", token()),), UNKNOWN, PASSED, "reachable from"),
    Row("own token, auditor only", (View(met=token(), name="auditor"),), UNKNOWN, PASSED),
    Row(
        "own token, no role, a global source that is not the target's own",
        (View(met=token(peer=OUTSIDE)),),
        PASSED,
        PASSED,
    ),
    Row(
        "own token, a role declared otherwise, a global source",
        (View("clients", met=token(peer=OUTSIDE)),),
        UNKNOWN,
        PASSED,
    ),
    Row("own token, none declared, global", (View("none", token(peer=OUTSIDE)),), UNKNOWN, PASSED),
    Row(
        "own token, a global source of the target's own",
        (View(met=token(peer=PUBLIC)),),
        UNKNOWN,
        PASSED,
    ),
    Row("token of another machine", (View(met=token(shown="01")),), FAILED, FAILED, "another"),
    Row(
        "token of another audit of this machine",
        (View(met=token(shown=f"{TOKEN.partition('-')[0]}-01")),),
        UNKNOWN,
        UNKNOWN,
        "another audit of this host",
    ),
    Row("other banner, captive page", (View(met=page()),), FAILED, FAILED, "server 'nginx'"),
    Row("RST, internet", (View("internet", RST),), FAILED, UNKNOWN, "refused"),
    Row("RST, clients", (View("clients", RST),), FAILED, FAILED, "refused"),
    Row("RST, no role", (View(met=RST),), FAILED, UNKNOWN, "refused"),
    Row("silence, internet", (View("internet", SILENCE),), FAILED, FAILED, "filtered"),
    Row("silence, clients", (View("clients", SILENCE),), UNKNOWN, FAILED, "filtered"),
    Row("silence, auditor with no role", (View(met=SILENCE, name="auditor"),), UNKNOWN, UNKNOWN),
    Row(
        "no listener, nothing listens: RST",
        (View("internet", RST, listening=False),),
        UNKNOWN,
        UNKNOWN,
        "nothing listens yet",
    ),
    Row(
        "no listener, nothing listens: silence",
        (View("internet", SILENCE, listening=False),),
        UNKNOWN,
        UNKNOWN,
        "filtered here or on the way",
    ),
    Row("A works, AAAA too", (View("internet", token(), token(SIX)),), PASSED, PASSED, way=NAME_6),
    Row(
        "A works, AAAA does not",
        (View("internet", token(), closed("TIMEOUT", SIX)),),
        FAILED,
        FAILED,
        f"AAAA {SIX} does not answer",
        NAME_6,
    ),
    Row(
        "vantage has no IPv6",
        (View("internet", token(), NO_ROUTE_6),),
        UNKNOWN,
        UNKNOWN,
        "no route",
        NAME_6,
    ),
    Row("no vantage", (View(), View(name="ssh://b")), UNKNOWN, UNKNOWN, "needs a vantage"),
    # 443 may be private: its clients decide, whatever the internet meets
    Row(
        "80 from ANY, 443 from clients alone: silence",
        (View("internet", SILENCE), View("clients", token(), name="ssh://office")),
        FAILED,
        PASSED,
    ),
    Row(
        "443 is silent to the internet, and its clients could not look",
        (View("internet", SILENCE), View("clients", name="ssh://office")),
        FAILED,
        UNKNOWN,
        "filtered",
    ),
    Row(
        "443 is silent to the internet, and somebody without a role gets through",
        (View("internet", SILENCE), View(met=token(), name="auditor")),
        FAILED,
        FAILED,
    ),
    Row(
        "443 is refused to the internet, and somebody without a role gets through",
        (View("internet", RST), View(met=token(), name="auditor")),
        FAILED,
        PASSED,
    ),
    # the address of ssh stands in for the name, and is another machine's to many
    Row(
        "by address: silence to clients and the internet, who come by name",
        (View("internet", token(), address=SILENCE), View("clients", token(), address=SILENCE)),
        OFF,
        OFF,
        "others come by NODE_DOMAIN",
        ADDRESS,
    ),
    Row(
        "by address: another machine of the same private address",
        (View("internet", NOBODY, address=page()), View(address=page())),
        UNKNOWN,
        UNKNOWN,
        way=ADDRESS,
    ),
    Row(
        "by address: RST from where ssh answers, though the name is proved",
        (View(met=token(peer=OUTSIDE), address=RST, name="auditor"),),
        FAILED,
        OFF,
        way=ADDRESS,
    ),
    Row(
        "by address: proved by some, and the name by the internet",
        (View("internet", token()), View(address=token(INSIDE), name="auditor")),
        OFF,
        PASSED,
        way=ADDRESS,
    ),
    Row(
        "by address: proved by some, and nothing by name",
        (View("internet"), View(address=token(INSIDE), name="auditor")),
        UNKNOWN,
        PASSED,
        way=ADDRESS,
    ),
)


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_its_outcome(row: Row, port: int) -> None:
    wanted = row.http if port == 80 else row.https

    finding = judged(port, *row.views, way=row.way)

    assert finding.outcome.value == wanted, finding.message
    assert row.says in finding.message or wanted == PASSED


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize("back", [closed("TIMEOUT"), closed("ECONNREFUSED")])
def test_only_the_hairpin_fails(port: int, back: DialAnswer) -> None:
    finding = judged(port, View("internet", token()), hairpin=back)

    assert finding.outcome.value == PASSED
    assert any("(hairpin)" in note and "ignored" in note for note in finding.notes)


@pytest.mark.parametrize("port", [80, 443])
def test_hairpin_only_is_said_and_proves_nothing(port: int) -> None:
    finding = judged(port, View(met=SILENCE), hairpin=token())

    assert finding.outcome.value == UNKNOWN
    assert finding.message.endswith("hairpin only: the host alone got to itself by NODE_DOMAIN")


@pytest.mark.parametrize(
    "back",
    [
        None,
        NOBODY,
        replace(token(), attempts=(Attempt(PUBLIC, "open", PUBLIC),)),
        DialAnswer(layer="dns", error="NXDOMAIN"),
    ],
)
def test_what_never_left_the_host_is_no_hairpin(back: Any) -> None:
    for met in (token(), SILENCE):
        finding = judged(443, View(met=met), hairpin=back)

        assert not any("hairpin" in text for text in (finding.message, *finding.notes))


def test_live_issued_by_lets_encrypt() -> None:
    outside = Outside((issued(contact=ContactAnswer(scheme="local")),))

    finding = evaluate("inbound.http", outside, FREE, WaysIn(HostFirewall()), subject=NAME)

    assert finding.outcome.value == PASSED
    assert f"{NOW - 30 * DAY:%Y-%m-%d}" in finding.message


@pytest.mark.parametrize("certificates", ["provided", "self-signed"])
def test_without_lets_encrypt_80_may_stay_closed_and_443_be_private(certificates: Any) -> None:
    profile = Profile(certificates=certificates)
    views = (View("internet", SILENCE), View("clients", token(), name="ssh://office"))

    assert judged(80, *views, profile=profile).outcome.value == OFF
    assert judged(443, *views, profile=profile).outcome.value == PASSED
