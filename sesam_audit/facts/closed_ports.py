"""Ports that should not answer: what each vantage met, and whether that proves anything. Pure."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import AUDITOR
from sesam_audit.errors import Unknown
from sesam_audit.facts.inbound import ADDRESS, Inbound
from sesam_audit.facts.port_owners import PortOwners
from sesam_audit.facts.seen import Seen
from sesam_audit.profile import Profile


class PortLook(Struct, frozen=True):
    """One vantage's view of a port: closed (None), who answers, or why it proves nothing."""

    vantage: str
    said: str
    open: str | Unknown | None

    def __str__(self) -> str:
        return f"{self.vantage}: {self.said}"


def closed_subjects(profile: Profile) -> tuple[str, ...]:
    """What is judged, for `each`."""
    return tuple(map(str, profile.closed_ports)) or ("closed ports",)


def without_closed(profile: Profile) -> str | None:
    """Why nothing is judged, for `when`."""
    if profile.closed_ports:
        return None
    return "the profile names no ports that should not answer (closed_ports)"


def looked(port: int, views: tuple[Inbound, ...], owners: PortOwners) -> tuple[PortLook, ...]:
    """Every vantage's view of a port."""
    return tuple(_look(port, view, owners) for view in views)


def silent(looks: tuple[PortLook, ...]) -> str:
    """Who met nobody. Raises the first Unknown where that is known of no vantage."""
    shut = [f"{look.said} from {look.vantage}" for look in looks if look.open is None]
    for look in looks:
        if isinstance(look.open, Unknown) and not shut:
            raise look.open
    return ", ".join(shut)


def _look(port: int, view: Inbound, owners: PortOwners) -> PortLook:
    try:
        seen = view.seen(port, view.side_way())
        return PortLook(view.vantage, seen.kind, _met(port, seen, view, owners))
    except Unknown as unknown:
        return PortLook(view.vantage, unknown.reason, unknown)


def _met(port: int, seen: Seen, view: Inbound, owners: PortOwners) -> str | Unknown | None:
    if seen.kind in ("answered", "token"):
        return f"answers {view.vantage}: {seen.text}"
    if seen.kind == "mute":
        owner = owners.of(port)
        if owner.kind != "free":
            return f"is open to {view.vantage}: {owner.who}"
        what = "is completed by something on the way: nobody on the host listens there"
        return Unknown(f"a connection to port {port} {what}")
    if seen.kind not in ("silent", "refused"):
        return Unknown(f"port {port} was not reached ({seen.kind}: {seen.text})")
    alone = f"{view.vantage} did not reach this host at all"
    return None if _arrives(view) else Unknown(f"port {port} is {seen.kind}, but {alone}")


def _arrives(view: Inbound) -> bool:
    """Whether this vantage reached this very host by the address it dials.

    By the ssh connection of the audit itself, the audit's own listener, or the certificate that
    the host shows itself.
    """
    if view.side_way() != ADDRESS:  # by a name that is proved to be the host's
        return True
    if view.vantage == AUDITOR and view.contact.scheme == "ssh" and view.contact.address:
        return True
    return view.same(ADDRESS) is True or any(_kind(view, port) == "token" for port in (80, 443))


def _kind(view: Inbound, port: int) -> str:
    try:
        return view.seen(port).kind
    except Unknown:
        return ""
