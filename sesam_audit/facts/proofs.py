"""Who got in by one way at one port, and why others did not: all vantages together. Pure."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import AUDITOR
from sesam_audit.errors import Unknown, needs_vantage
from sesam_audit.facts.arrival import Arrival, arrive
from sesam_audit.facts.domain import is_global
from sesam_audit.facts.inbound import ADDRESS, Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import PortOwners
from sesam_audit.facts.seen import Seen
from sesam_audit.facts.ways_in import WaysIn


class Proof(Struct, frozen=True):
    """A vantage that reached the stack, or the listener in its place."""

    vantage: str
    stands: str
    source: str

    def __str__(self) -> str:
        return f"{self.vantage} ({self.source})"


class Looks(Struct):
    """What all vantages met at one port by one way."""

    proofs: list[Proof] = []
    faults: list[str] = []
    doubts: list[Unknown] = []
    notes: list[str] = []
    missing: list[Inbound] = []  # vantages that were not reached
    hairpin: str = ""  # why the host's own success by its name does not count

    def best(self, *order: str) -> Proof | None:
        """The proof of whoever comes first in the order."""
        return min(self.proofs, key=lambda proof: order.index(proof.stands), default=None)

    @property
    def unproved(self) -> Unknown:
        """Why nobody's way in is proved."""
        first = self.doubts[0]
        return self._beside(first.reworded(f"{first.reason}{self.hairpin}"))

    def too_few(self, why: str) -> Unknown:
        """Why the proofs there are do not suffice."""
        return self._beside(needs_vantage(why))

    def _beside(self, doubt: Unknown) -> Unknown:
        """A doubt, with the vantages that were to settle it and were not there."""
        absences = [x.absence for x in self.missing if x.absence not in doubt.reason]
        commands = [x.unreached.command for x in self.missing if x.unreached]
        reason = "; ".join((doubt.reason, *absences))
        return Unknown(reason, doubt.command or next(iter(commands), ""), doubt.lacks)


def looks_at(port: int, way: str, outside: Outside, owners: PortOwners, ways: WaysIn) -> Looks:
    """Every vantage's proof, or why it has none."""
    looks = Looks()
    private = port == 443 and any(view.stands == "clients" for view in outside.views)
    for view in outside.views:
        if view.absence:
            looks.missing.append(view)
            looks.notes.append(view.absence)
        try:
            arrival = arrive(port, way, view, owners, ways.firewall)
        except Unknown as unknown:
            looks.doubts.append(unknown)
            continue
        seen, doubt = arrival.seen, arrival.doubt
        source = seen.source or "its own address unknown"
        proof = Proof(view.vantage, _stands(view, arrival, ways), source)
        looks.notes.append(f"dialled from {proof}, standing for {proof.stands}")
        if seen.kind == "token":
            looks.notes.append(_listener(view))
        if port == 80 and seen.kind == "answered" and not view.redirects(way, seen.address):
            reason = f"port 80 answers ({seen.text}), but not as the stack's Traefik does"
            doubt = doubt or Unknown(reason)
        fault = arrival.fault and f"from {view.vantage}: {arrival.fault}"
        if fault and (_aside(way, view) or (private and _silent_to_strangers(view, arrival))):
            looks.notes.append(f"{fault}; that is no fault where others are to come in")
            looks.doubts.append(Unknown(fault))
        elif fault:
            looks.faults.append(fault)
        elif doubt is not None:
            looks.doubts.append(doubt)
        else:
            looks.proofs.append(proof)
    if way == ways.by_name:
        _turn_back(outside.back, looks)
    return looks


def _stands(view: Inbound, arrival: Arrival, ways: WaysIn) -> str:
    """For whom a vantage stands: as declared, else by its source as the host saw it."""
    if view.stands != "unset":
        return view.stands
    seen = arrival.seen
    return "internet" if seen.kind == "token" and ways.of_internet(seen.source) else "none"


def _aside(way: str, view: Inbound) -> bool:
    """Whether a vantage came by an address of ssh that is none of those it stands for."""
    private = not is_global(view.contact.address)
    others = view.stands == "internet" or view.vantage != AUDITOR
    return (
        way == ADDRESS and not view.declared and (view.stands == "clients" or (private and others))
    )


def _silent_to_strangers(view: Inbound, arrival: Arrival) -> bool:
    """Whether 443 was closed to the internet, which is right where its clients are elsewhere."""
    return view.stands == "internet" and arrival.seen.kind == "silent"


def _turn_back(back: Seen | None, looks: Looks) -> None:
    """What the host's own dial to its name is worth: a note."""
    if back is None:
        return
    if back.kind != "token":
        looks.notes.append(
            f"the host itself does not get back to its own NODE_DOMAIN ({back.kind}): ignored, for"
            " nobody else comes that way (hairpin)"
        )
    elif not looks.proofs:
        looks.hairpin = "; hairpin only: the host alone got to itself by NODE_DOMAIN"


def _listener(view: Inbound) -> str:
    if view.published:
        return "proved by a container that published the port, as the stack's Traefik will"
    why = f": {view.unpublished}" if view.unpublished else ""
    return f"proved by a listener on the host; Docker's forwarding was not on that way{why}"
