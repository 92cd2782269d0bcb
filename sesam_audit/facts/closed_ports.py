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
    stands: str
    open: str | Unknown | None
    said: str = ""
    source: str = ""

    def __str__(self) -> str:
        if isinstance(self.open, Unknown):
            return f"{self.vantage} could not tell: {self.open.reason}"
        source = f" ({self.source})" if self.source else ""
        return f"dialled from {self.vantage}{source}: {self.said}"


def closed_subjects(profile: Profile) -> tuple[str, ...]:
    """What is judged, for `each`."""
    return tuple(map(str, profile.closed_ports)) or ("closed ports",)


def looked(port: int, views: tuple[Inbound, ...], owners: PortOwners) -> tuple[PortLook, ...]:
    """Every vantage's view of a port."""
    return tuple(_look(port, view, owners) for view in views)


def shut(looks: tuple[PortLook, ...]) -> str:
    """Who met nobody, where no look is open.

    Raises:
        Unknown: nobody could tell, or nobody of those who stand for the internet.
    """
    for some in ([look for look in looks if look.stands == "internet"], looks):
        doubts = [look.open for look in some if isinstance(look.open, Unknown)]
        if doubts and len(doubts) == len(some):
            raise doubts[0]
    return ", ".join(f"{look.said} from {look.vantage}" for look in looks if look.open is None)


def _look(port: int, view: Inbound, owners: PortOwners) -> PortLook:
    try:
        seen = view.seen(port, view.side_way())
        met = _met(port, seen, view, owners)
    except Unknown as unknown:
        return PortLook(view.vantage, view.stands, unknown)
    return PortLook(view.vantage, view.stands, met, seen.kind, seen.source)


def _met(port: int, seen: Seen, view: Inbound, owners: PortOwners) -> str | Unknown | None:
    if seen.kind == "token":
        return f"answers {view.vantage}: {seen.text}"
    if seen.kind in ("answered", "mute"):
        owner = owners.of(port)
        if owner.kind == "free":
            who = "something on the way, for nobody on this host listens there"
            return Unknown(f"port {port} is answered by {who} ({seen.kind}: {seen.text})")
        said = f"{seen.text}, from " if seen.kind == "answered" else ""
        return f"answers {view.vantage}: {said}{owner.who}"
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
