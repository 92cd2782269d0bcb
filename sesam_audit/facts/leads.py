"""Whose machine each address of NODE_DOMAIN is, as far as dials proved it."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.arrival import arrivals
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, WAYS
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import WEB_PORTS, PortOwners
from sesam_audit.profile import Profile

_ANOTHER = ("stranger", "answered")


class Leads(Struct, frozen=True):
    """The addresses that brought this host's answer to somebody, and those of other machines."""

    ours: frozenset[str] = frozenset()
    theirs: dict[str, str] = {}  # by address: who answers there, and to whom

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Leads]:
        """Judge every dial from outside; where nobody could look, nothing is proved."""
        outside, owners, firewall = yield from gather(
            attempt(Outside.ask(profile)),
            attempt(PortOwners.ask(profile)),
            attempt(HostFirewall.ask(profile)),
        )
        if isinstance(outside, Unknown):
            return cls()
        return leads(outside, PortOwners({}) if isinstance(owners, Unknown) else owners, firewall)


def leads(outside: Outside, owners: PortOwners, firewall: HostFirewall | Unknown) -> Leads:
    """Whose each address is; one that ever brought the host's own answer is the host's."""
    ours, theirs = set(), {}
    for view in outside.views:
        for way in WAYS:
            for port in WEB_PORTS:
                try:
                    found = arrivals(port, way, view, owners, firewall)
                except Unknown:
                    continue
                for each in found:
                    if not each.fault and each.doubt is None:
                        ours.add(each.seen.address)
                    elif way != ADDRESS and each.fault and each.seen.kind in _ANOTHER:
                        theirs[each.seen.address] = f"from {view.vantage}: {each.fault}"
    return Leads(frozenset(ours), {key: x for key, x in theirs.items() if key not in ours})
