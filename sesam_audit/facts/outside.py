"""Everybody who looks at the host from outside, and the listener that answers them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from msgspec import Struct

from sesam_audit.asks import AUDITOR, Contact, ContactAnswer, Dial, Listen, ListenAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.domain import node_domain
from sesam_audit.facts.inbound import Inbound, Told
from sesam_audit.facts.port_owners import PORTS
from sesam_audit.facts.stack import Stack
from sesam_audit.facts.trust import public_roots
from sesam_audit.profile import Profile

_SECONDS = 4.0  # three SYNs; a filtered port is the common case and must not cost the deadline


class Outside(Struct, frozen=True):
    """Everybody who looked at the host from outside; the auditor is the first."""

    views: tuple[Inbound, ...]

    def docker_api(self, port: int) -> bool:
        """Whether a port answered anybody as an open Docker API.

        Raises:
            Unknown: nobody could look.
        """
        doubts = []
        for view in self.views:
            try:
                if view.docker_api(port):
                    return True
            except Unknown as unknown:
                doubts.append(unknown)
        if len(doubts) == len(self.views):
            raise doubts[0]
        return False

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Outside]:
        """Listen on the free ports, then dial from every vantage at once."""
        return cls((yield from _look(profile, profile.outside)))


def _look(profile: Profile, outside: tuple[tuple[str, str], ...]) -> Steps[tuple[Inbound, ...]]:
    contact = yield from Contact()
    somebody = (contact.scheme == "ssh" or bool(outside)) and profile.listen and not profile.passive
    name, stack, heard = yield from gather(
        attempt(node_domain(profile)),
        attempt(Stack.ask(profile)),
        attempt(Listen(_listened(profile), published=True)) if somebody else _nobody(),
    )
    mine = _ports(heard, "")
    called = name if isinstance(name, str) else contact.address
    own = Dial(called, 443, path="", address="127.0.0.1", seconds_limit=_SECONDS)
    vantages = ((AUDITOR, profile.auditor_stands_for), *outside)
    ours, *looks = yield from every(
        [
            _one(own) if 443 not in mine else _without(),
            *(
                step
                for vantage, _ in vantages
                for step in _ways(vantage, contact, name, profile, mine)
            ),
        ]
    )
    shared: dict[str, Any] = {
        "contact": contact,
        "name": name,
        "own": ours.get(443),
        "http_challenge": stack if isinstance(stack, Unknown) else _challenge(stack),
        "roots": public_roots(profile.public_roots),
        "listening": mine,
        "forbidden": _ports(heard, "EACCES"),
        "token": heard.token if isinstance(heard, ListenAnswer) else "",
        "published": isinstance(heard, ListenAnswer) and heard.published,
        "unpublished": heard.detail if isinstance(heard, ListenAnswer) else "",
    }
    return tuple(
        Inbound(
            by_address=by_address,
            by_name=by_name,
            by_name_6=by_name_6,
            vantage=vantage,
            stands=stands,
            **shared,
        )
        for (vantage, stands), by_address, by_name, by_name_6 in zip(
            vantages, looks[::3], looks[1::3], looks[2::3], strict=True
        )
    )


def _listened(profile: Profile) -> tuple[int, ...]:
    return (80, 443) if profile.certificates == "letsencrypt" else (443,)


def _ports(heard: ListenAnswer | Unknown | None, told: str) -> frozenset[int]:
    """The ports of which the listener told this: "" where the audit itself listens."""
    ports = (heard.ports if isinstance(heard, ListenAnswer) else None) or {}
    return frozenset(int(port) for port, word in ports.items() if word == told and port.isdigit())


def _ways(
    vantage: str,
    contact: ContactAnswer,
    name: str | Unknown,
    profile: Profile,
    mine: frozenset[int],
) -> tuple[Steps[dict[int, Told]], ...]:
    """The dials of one vantage: to the host's address, and by its name in both families."""
    there = contact.address if contact.scheme == "ssh" and not _loopback(contact.address) else ""
    if vantage != AUDITOR and profile.public_addresses:
        there = profile.public_addresses[0]
    called = name if isinstance(name, str) else there
    named = isinstance(name, str) and (contact.scheme == "ssh" or vantage != AUDITOR)
    return (
        _dialled(_dials(called, there, vantage, mine)) if there else _without(),
        *(
            _dialled(_dials(called, "", vantage, mine, family)) if named else _without()
            for family in (4, 6)
        ),
    )


def _one(dial: Dial) -> Steps[dict[int, Told]]:
    return {dial.port: (yield from attempt(dial))}


def _nobody() -> Steps[None]:
    yield from every(())


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return not address


def _dials(
    name: str, address: str, vantage: str, mine: frozenset[int], family: int = 0
) -> dict[int, Dial]:
    """One dial for each port: TLS where the port is for TLS and our own listener is not on it."""
    paths = {2375: "/version", 2376: "/version"}
    ports = PORTS if address else (80, 443)
    return {
        port: Dial(
            name or address,
            port,
            path=paths.get(port, "/"),
            tls=port in (443, 2376) and port not in mine,
            address=address,
            vantage=vantage,
            family=family,
            seconds_limit=_SECONDS,
        )
        for port in ports
    }


def _dialled(dials: dict[int, Dial]) -> Steps[dict[int, Told]]:
    answers = yield from every(attempt(dial) for dial in dials.values())
    return dict(zip(dials, answers, strict=True))


def _without() -> Steps[dict[int, Told]]:
    yield from every(())
    return {}


def _challenge(stack: Stack) -> bool:
    traefik = stack.role("traefik")
    return traefik is not None and any("httpchallenge" in x.lower() for x in traefik.command)
