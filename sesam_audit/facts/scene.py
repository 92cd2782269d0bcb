"""One connection with all it is judged by, and the word for what it came to."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from shlex import quote

from msgspec import Struct, field

from sesam_audit.asks import DialAnswer
from sesam_audit.destinations import Destination, Service
from sesam_audit.facts import inspection
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.trust import Bundle, Trust, judge_chain

SHORT = 1.5  # seconds; a connection that got less of the deadline proves no timeout
MORE_TIME = "sesam-audit run ssh://THIS-HOST --set deadline=30"
HUB_ROOTS = "sudo ls -l /etc/docker/certs.d/docker.io"  # what dockerd may trust besides
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
_WORLDLY = frozenset(
    ("dns-fails", "tcp-refused", "tcp-timeout", "tls-fails", "tls-name-mismatch", "wrong-service")
)


class Dialled(Struct, frozen=True):
    """How far a connection got.

    `word`: ok, dns-fails, dns-sinkhole, tcp-refused, tcp-timeout, tls-fails, tls-intercepted,
    tls-name-mismatch, clock-skew, proxy-refused, proxy-needs-auth, block-page, wrong-service,
    service-trouble.
    """

    word: str
    text: str
    proxy_fault: bool = False  # the proxy itself, whatever the destination
    proxy_status: int = 0  # with which the proxy did not open the way

    @property
    def ok(self) -> bool:
        return self.word == "ok"

    @property
    def worldly(self) -> bool:
        """Whether the destination itself may be at fault: nobody in the way shows his face."""
        return self.word in _WORLDLY or (self.word == "proxy-refused" and self.proxy_status >= 500)

    def __str__(self) -> str:
        return f"{self.word}: {self.text}"


class Scene(Struct, frozen=True):
    """One answer with all it is judged by."""

    answer: DialAnswer
    destination: Destination
    now: datetime
    roots: Bundle = field(default_factory=Bundle)
    proxy: str = ""
    inspectors: frozenset[str] = frozenset()  # authorities that open TLS of the guide's names
    shared: frozenset[str] = frozenset()  # addresses that names of different rules lead to
    resolving: float = SHORT  # seconds until a resolver's silence proves that nobody answers

    @property
    def leaf(self) -> Leaf | None:
        return leaf(self.answer.chain[0]) if self.answer.chain else None

    @property
    def wanted(self) -> str:
        """The name the certificate must be for; "" when none is demanded."""
        any_name = self.destination.service is Service.ANY_TLS
        return "" if any_name else self.destination.name

    @property
    def hidden(self) -> bool:
        """Whether its Python shows the server's certificate alone, and tried no public roots."""
        return not self.answer.whole_chain and self.answer.public is None

    def public_trust(self, at: datetime | None = None) -> Trust:
        """How the chain fares against public roots, by what the target's Python could show."""
        answer, when = self.answer, at or self.now
        if answer.whole_chain or answer.public is None:
            return judge_chain(answer.chain, self.wanted, when, self.roots)
        found = self.leaf
        if found is None:
            return Trust("unreadable")
        if when > found.not_after:
            return Trust("expired", found.issuer)
        if when < found.not_before:
            return Trust("not-yet-valid", found.issuer)
        if not answer.public:
            return Trust("unknown-issuer", found.issuer)
        mismatch = bool(self.wanted) and not found.covers(self.wanted)
        return Trust("name-mismatch" if mismatch else "trusted", found.issuer)

    @property
    def inspector(self) -> str | None:
        """The private authority that opens TLS here; "" where none does, None where that is hidden.

        It signs for the very name. A server of one's own may have an authority of its own, unless
        that one signs for others' names too.
        """
        trust, found = self.public_trust(), self.leaf
        if found is None or trust.word in ("unreadable", "incomplete"):
            return None
        if trust.word != "unknown-issuer":
            return ""
        if self.hidden:
            return None
        if self.wanted and not found.covers(self.wanted):
            return ""
        own = self.destination.tolerant and trust.issuer not in self.inspectors
        return "" if own else trust.issuer


def by_hand(destination: Destination) -> str:
    """The command that tries the same connection."""
    if destination.service is Service.TCP:
        there = f"telnet://{in_url(destination.name)}:{destination.port}"
        return f"curl -v {quote(there)} </dev/null"
    if destination.server_name:
        name = destination.server_name
        way = f"{name}:{destination.port}:{destination.name}"
        return f"curl -v --resolve {quote(way)} {quote(f'https://{name}/')}"
    scheme = "https" if destination.tls else "http"
    there = f"{scheme}://{in_url(destination.name)}:{destination.port}{destination.path or '/'}"
    return f"curl -v {quote(there)}"


def in_url(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def nowhere(text: str) -> bool:
    address = address_of(text)
    return address is not None and (
        address.is_loopback or address.is_unspecified or address.is_link_local
    )


def private(text: str) -> bool:
    """Whether an address belongs to private networks; not all that Python calls private does."""
    address = address_of(text)
    if address is None:
        return False
    return nowhere(text) or any(address in network for network in _PRIVATE)


def listed(values: tuple[str, ...]) -> str:
    return inspection.listed(values, limit=4)
