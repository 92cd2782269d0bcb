"""The node's name: which it is, and where resolvers lead it, on the host and from the auditor."""

from __future__ import annotations

import ipaddress

from msgspec import Struct

from sesam_audit.asks import AUDITOR, HOST, Contact, Lookup, LookupAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.deployment import Deployment, amiss
from sesam_audit.facts.own_addresses import own_addresses
from sesam_audit.profile import Profile
from sesam_audit.profile_values import labelled
from sesam_audit.wanted import ENV_FILE

NAMED = "sesam-audit run HOST --set node_domain=NAME"
_PRIVATE_ENDS = (".local", ".internal", ".lan", ".localhost", ".home.arpa", ".intranet")


def node_domain(profile: Profile) -> Steps[str]:
    """NODE_DOMAIN, from the profile or else from the deployment.

    Raises:
        Unknown: neither names one that can be asked for.
    """
    name = profile.node_domain
    if not name:
        deployment = yield from Deployment.ask(profile)
        name = deployment.value("NODE_DOMAIN")
    if not name:
        raise Unknown(
            f"NODE_DOMAIN is not known: {ENV_FILE} names none",
            NAMED,
        )
    if name == "your_node_domain" or not labelled(name):
        if profile.node_domain:
            raise Unknown(f"node_domain is {name!r}, which is no host name", NAMED)
        raise amiss("NODE_DOMAIN", name, "no host name")
    return name.rstrip(".").lower()


class NodeName(Struct, frozen=True):
    """NODE_DOMAIN by itself; "" where it is not known."""

    name: str

    @classmethod
    def ask(cls, profile: Profile) -> Steps[NodeName]:
        """Take it from the profile or the deployment."""
        name = yield from attempt(node_domain(profile))
        return cls("" if isinstance(name, Unknown) else name)


class Resolved(Struct, frozen=True):
    """What one vantage's resolver said."""

    vantage: str
    addresses: tuple[str, ...] = ()
    server: str = ""
    errors: tuple[str, ...] = ()  # DNS words; "" is an answer without records

    def __str__(self) -> str:
        said = ", ".join(self.addresses) or "/".join(dict.fromkeys(filter(None, self.errors)))
        return f"{self.vantage}'s resolver {self.server}: {said or 'no address'}"

    @property
    def absent(self) -> bool:
        """The resolver says that there is no such name, or no address for it."""
        return not self.addresses and bool(self.errors) and self.told

    @property
    def told(self) -> bool:
        """The resolver answered: what it did not name is not there."""
        return all(error in ("", "NXDOMAIN") for error in self.errors)


class Domain(Struct, frozen=True):
    """The node's name with its addresses by vantage, and the host's own addresses."""

    name: str
    resolved: tuple[Resolved, ...]
    own: frozenset[str] | Unknown = frozenset()

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(a for each in self.resolved for a in each.addresses))

    def absent_for(self, vantage: str) -> bool:
        """Whether the resolver of this vantage says that there is no such name."""
        return any(each.absent for each in self.resolved if each.vantage == vantage)

    @property
    def private(self) -> bool:
        """No public resolver can ever know this name."""
        return "." not in self.name or self.name.endswith(_PRIVATE_ENDS)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Domain]:
        """Resolve the name here and there, and read the host's addresses."""
        contact = yield from Contact()
        name = yield from node_domain(profile)
        vantages = (HOST,) if contact.scheme == "local" else (HOST, AUDITOR)
        asks = [Lookup(name, kind, vantage) for vantage in vantages for kind in ("A", "AAAA")]
        answers, own = yield from gather(
            every(attempt(ask) for ask in asks), attempt(own_addresses())
        )
        heard = dict(zip(asks, answers, strict=True))
        return cls(name, tuple(_resolved(vantage, heard) for vantage in vantages), own)


def _resolved(vantage: str, heard: dict[Lookup, LookupAnswer | Unknown]) -> Resolved:
    answers = [answer for ask, answer in heard.items() if ask.vantage == vantage]
    known = [answer for answer in answers if isinstance(answer, LookupAnswer)]
    return Resolved(
        vantage,
        addresses=tuple(_canonical(record) for answer in known for record in answer.records),
        server=next((answer.server for answer in known if answer.server), ""),
        errors=tuple(
            answer.reason if isinstance(answer, Unknown) else answer.error or ""
            for answer in answers
            if isinstance(answer, Unknown) or not answer.records
        ),
    )


def _canonical(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def is_global(text: str) -> bool:
    """Whether an address can be reached from the internet."""
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False
