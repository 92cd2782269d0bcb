"""What a dial from outside proves about a port of the host, with what answered it. Pure."""

from __future__ import annotations

from shlex import quote

from msgspec import Struct

from sesam_audit.errors import AS_ROOT, Unknown, needs_root
from sesam_audit.facts.host_firewall import COMMAND, HostFirewall
from sesam_audit.facts.inbound import NAME, NAME_6, Inbound, no_vantage
from sesam_audit.facts.port_owners import PortOwner, PortOwners
from sesam_audit.facts.seen import Seen


class Arrival(Struct, frozen=True):
    """The stack of this host answered, unless there is a `fault` or a `doubt`."""

    seen: Seen
    fault: str = ""
    doubt: Unknown | None = None


_THROUGH = ("token", "answered")
_NOBODY = ("refused", "silent", "no-route")


def arrive(
    port: int, way: str, inbound: Inbound, owners: PortOwners, firewall: HostFirewall | Unknown
) -> Arrival:
    """Judge one port by one way, for the people this vantage stands for, at its worst address.

    Raises:
        Unknown: there is no vantage, or no name to dial.
    """
    found = arrivals(port, way, inbound, owners, firewall)
    faults = (each for each in found if each.fault)
    doubts = (each for each in found if each.doubt is not None)
    return next(faults, None) or next(doubts, None) or found[0]


def arrivals(
    port: int, way: str, inbound: Inbound, owners: PortOwners, firewall: HostFirewall | Unknown
) -> list[Arrival]:
    """Judge one port by one way at each of its addresses.

    Raises:
        Unknown: there is no vantage, or no name to dial.
    """
    first = inbound.seen(port, way)
    told = inbound.each(port, way)
    through = [x.address for x in told if isinstance(x, Seen) and x.kind in _THROUGH]
    found = []
    for seen in told:
        if isinstance(seen, Unknown):
            found.append(Arrival(first, doubt=seen))
        elif through and seen.kind in _NOBODY:
            words = f"{seen.address or seen.text} does not answer ({seen.kind}), although"
            said = f"port {port} at {words} {through[0]} does: {inbound.name} leads to both"
            found.append(Arrival(seen, said))
        elif way == NAME_6 and _lags_behind(port, seen, inbound):
            words = "does not answer, although IPv4 does, and IPv6 is tried first"
            found.append(Arrival(seen, f"AAAA {seen.text} {words}"))
        else:
            found.append(_arrival(port, way, seen, inbound, owners, firewall))
    return found


def _lags_behind(port: int, seen: Seen, inbound: Inbound) -> bool:
    silent = seen.kind in ("refused", "silent")
    return silent and inbound.seen(port, NAME).kind in _THROUGH


def _arrival(  # noqa: PLR0911, PLR0913, PLR0917 - what a way in is judged by
    port: int,
    way: str,
    seen: Seen,
    inbound: Inbound,
    owners: PortOwners,
    firewall: HostFirewall | Unknown,
) -> Arrival:
    if seen.kind in ("token", "stranger"):
        ours = seen.kind == "token"
        return Arrival(seen, "" if ours else f"another machine answers: {seen.text}")
    if seen.kind == "rival":
        reason = "another audit of this host answers: run this one again when that has ended"
        return Arrival(seen, doubt=Unknown(reason))
    led = _led_elsewhere(port, owners)
    if led and seen.kind in ("answered", "refused", "silent", "mute"):
        reason = f"{seen.kind}, but the host itself leads port {port} elsewhere: {led}"
        return Arrival(seen, doubt=Unknown(f"{reason} (inbound.port-owner)"))
    if port in inbound.listening and seen.kind in ("answered", "refused", "silent", "mute"):
        return _missed(port, seen, inbound, firewall)
    if seen.kind == "answered":
        return _answered(port, way, seen, inbound, owners)
    if seen.kind == "refused" and port in inbound.forbidden:
        why = f"nothing listens on port {port} yet, and only root may listen there"
        return Arrival(seen, doubt=needs_root(why, AS_ROOT))
    if seen.kind in ("refused", "silent"):
        return _closed(port, seen, owners, inbound.stands)
    doubts = {
        "unresolved": Unknown(
            f"{inbound.name} does not resolve for {inbound.vantage} (inbound.dns)",
            f"getent ahosts {quote(str(inbound.name))}",
        ),
        "no-route": no_vantage(f"{inbound.vantage} has no route to {seen.text}"),
    }
    mute = Unknown(f"the connection is completed, but nothing answers: {seen.text}")
    return Arrival(seen, doubt=doubts.get(seen.kind, mute))


def _led_elsewhere(port: int, owners: PortOwners) -> str:
    """The host's own redirection of a port: what a dial meets then is not the way in."""
    owner = owners.owners.get(port)
    return owner.who if isinstance(owner, PortOwner) and owner.kind == "redirection" else ""


def _missed(port: int, seen: Seen, inbound: Inbound, firewall: HostFirewall | Unknown) -> Arrival:
    """The host listened, and the vantage met something else: what that proves (table 4.1)."""
    if seen.kind == "answered":
        return Arrival(seen, f"answered by something else than this host: {seen.text}")
    if seen.kind == "mute":
        reason = f"the connection is completed, but this host's answer does not come: {seen.text}"
        return Arrival(seen, doubt=Unknown(reason))
    words = "refused" if seen.kind == "refused" else "filtered: no answer"
    said = f"port {port} is {words} at {seen.text}, while "
    if inbound.published:
        said += f"a container published it{_explained(port, firewall)}"
    else:
        said += "this host listened on it"
        if isinstance(firewall, Unknown) or firewall.filters_input:
            why = f" (no container published it: {inbound.unpublished})"
            reason = f"{said}; its own INPUT rules may do that, which Docker's ports do not pass"
            return Arrival(seen, doubt=Unknown(reason + why * bool(inbound.unpublished), COMMAND))
    if _accuses(seen.kind, port, inbound.stands):
        return Arrival(seen, said)
    return Arrival(seen, doubt=Unknown(said))


def _accuses(kind: str, port: int, stands: str) -> bool:
    """Whether a closed port is a fault for those for whom the vantage stands.

    443 may be private: whoever is refused there, and is no client, was perhaps meant to be.
    """
    if kind == "refused":
        return port == 80 or stands == "clients"
    return stands == "internet" or (port == 443 and stands == "clients")


def _explained(port: int, firewall: HostFirewall | Unknown) -> str:
    """The host's own rule that stops a published port, if there is one; dials decide."""
    try:
        stops = "" if isinstance(firewall, Unknown) else firewall.forwarding(port).stops
    except Unknown:
        stops = ""
    return f"; on the host: {stops}" if stops else ""


def _answered(port: int, way: str, seen: Seen, inbound: Inbound, owners: PortOwners) -> Arrival:
    try:
        owner = owners.of(port)
    except Unknown as unknown:
        reason = f"answered ({seen.text}), but whether by the stack is not known: {unknown.reason}"
        return Arrival(seen, doubt=unknown.reworded(reason))
    if owner.kind == "free":
        return Arrival(
            seen, f"answered by something else, for nobody listens on this host: {seen.text}"
        )
    if owner.kind != "stack":
        reason = f"answered ({seen.text}), but {owner.who} holds the port, not the stack"
        return Arrival(seen, doubt=Unknown(f"{reason} (inbound.port-owner)"))
    return _of_stack(way, seen, inbound)


def _of_stack(way: str, seen: Seen, inbound: Inbound) -> Arrival:
    """The stack listens here; judge whether it was this one that answered."""
    same = inbound.same(way, seen.address)
    if same is None:
        doubt = Unknown(f"answered ({seen.text}), but not proven to be this host")
        return Arrival(seen, doubt=doubt)
    if not same:
        words = f"another machine answers: {seen.text}; this host shows another certificate"
        return Arrival(seen, words)
    return Arrival(seen)


def _closed(port: int, seen: Seen, owners: PortOwners, stands: str) -> Arrival:
    """Nobody answered: a fault only where the stack listens and the vantage has a right to it."""
    try:
        listening = owners.of(port).kind == "stack"
    except Unknown:
        listening = False
    accuses = _accuses(seen.kind, port, stands)
    if seen.kind == "refused":
        if listening and accuses:
            return Arrival(
                seen, f"port {port} is refused at {seen.text}, although the stack listens"
            )
        reason = (
            f"port {port} is refused at {seen.text}: nothing listens yet, or a firewall refuses"
        )
    elif listening and accuses:
        return Arrival(seen, f"port {port} is filtered: no answer from {seen.text}")
    else:
        reason = f"port {port} is filtered here or on the way: no answer from {seen.text}"
    return Arrival(seen, doubt=Unknown(reason))
