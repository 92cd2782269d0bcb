"""How one vantage looks at a host: which of its addresses and ports are dialled, and when."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from msgspec.structs import replace

from sesam_audit.asks import AUDITOR, ContactAnswer, Dial, DialAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.domain import is_global
from sesam_audit.facts.inbound import ADDRESS, NAME, NAME_6, Inbound
from sesam_audit.facts.port_owners import PORTS, WEB_PORTS
from sesam_audit.facts.seen import Told, in_vain, opened
from sesam_audit.profile import Profile

SECONDS = 4.0  # three SYNs; a filtered port is the common case and must not cost the deadline
_MOST = 8  # addresses of one name that are dialled
_PATHS = {2375: "/version", 2376: "/version"}

Dials = dict[int, tuple[Told, ...]]  # by port: the first dial, then those of further addresses


def look(vantage: str, stands: str, profile: Profile, shared: dict[str, Any]) -> Steps[Inbound]:
    """Dial from one vantage, to the host's addresses and by its name in both families.

    Where it knows no address of the host, the ports that must be silent are dialled by name too.
    """
    every_port = tuple(dict.fromkeys((*PORTS, *profile.closed_ports)))
    contact, name, mine = shared["contact"], shared["name"], shared["listening"]
    declared = profile.public_addresses[:_MOST] if vantage != AUDITOR else ()
    there = declared or _reached(vantage, stands, contact)
    named = isinstance(name, str) and (contact.scheme == "ssh" or vantage != AUDITOR)
    called = name if isinstance(name, str) else ""
    by_name = _dials(called, vantage, mine, WEB_PORTS if there else every_port) if named else ()
    to_address = _dials(called, vantage, mine, every_port) if there else ()
    by_address, four, six = yield from gather(
        _to(there, to_address),
        _named(replace(dial, family=4) for dial in by_name),
        _named(replace(dial, family=6) for dial in by_name),
    )
    ways = {ADDRESS: by_address, NAME: four, NAME_6: six}
    return Inbound(
        by_address=_firsts(by_address),
        by_name=_firsts(four),
        by_name_6=_firsts(six),
        beside={way: {port: x[1:] for port, x in dials.items()} for way, dials in ways.items()},
        declared=bool(declared),
        vantage=vantage,
        stands=stands,
        **shared,
    )


def _reached(vantage: str, stands: str, contact: ContactAnswer) -> tuple[str, ...]:
    """The address of ssh, unless it is another machine's for this vantage.

    A private address leads to somebody else where it is dialled from the internet.
    """
    address = contact.address
    if contact.scheme != "ssh" or _loopback(address):
        return ()
    elsewhere = vantage != AUDITOR and stands == "internet" and not is_global(address)
    return () if elsewhere else (address,)


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return not address


def _dials(
    name: str, vantage: str, mine: frozenset[int], ports: tuple[int, ...]
) -> tuple[Dial, ...]:
    """One dial for each port: TLS where the port is for TLS and our own listener is not on it."""
    return tuple(
        Dial(
            name,
            port,
            path=_PATHS.get(port, "/"),
            tls=port in (443, 2376) and port not in mine,
            vantage=vantage,
            seconds_limit=SECONDS,
        )
        for port in ports
    )


def _to(addresses: tuple[str, ...], dials: Iterable[Dial]) -> Steps[Dials]:
    """Every port at the first address, 80 and 443 at all of them."""
    asked = {
        dial.port: [
            replace(dial, name=dial.name or each, address=each)
            for each in (addresses if dial.port in WEB_PORTS else addresses[:1])
        ]
        for dial in dials
    }
    answers = yield from every(every(map(attempt, each)) for each in asked.values())
    return dict(zip(asked, answers, strict=True))


def _named(dials: Iterable[Dial]) -> Steps[Dials]:
    """By name, then by each address of the name that was not dialled yet."""
    asked = tuple(dials)
    answers = yield from every(map(_everywhere, asked))
    return {dial.port: answer for dial, answer in zip(asked, answers, strict=True)}


def _everywhere(dial: Dial) -> Steps[tuple[Told, ...]]:
    first = yield from attempt(dial)
    left = _left(first) if isinstance(first, DialAnswer) and dial.port in WEB_PORTS else []
    again = yield from every(attempt(replace(dial, address=x, family=0)) for x in left[:_MOST])
    many = Unknown(f"{dial.name} has more addresses than are dialled: {', '.join(left[_MOST:])}")
    return (first, *again, *([many] if left[_MOST:] else []))


def _left(answer: DialAnswer) -> list[str]:
    """The addresses that were not tried, or not long enough, for another one was open."""
    reached = opened(answer)
    tried = {reached, *(each.address for each in in_vain(answer))}
    return [each for each in answer.addresses if reached and each not in tried]


def _firsts(dials: Dials) -> dict[int, Told]:
    return {port: answers[0] for port, answers in dials.items()}
