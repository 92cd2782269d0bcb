"""What one dial from outside met: silence, this host's own listener, or somebody else. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sesam_audit.asks import DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.markers import location
from sesam_audit.facts.scene import SHORT

_KINDS = {"TIMEOUT": "silent", "ECONNREFUSED": "refused"}
Told = DialAnswer | Unknown


class Seen(Struct, frozen=True):
    """What a dial from outside met.

    `kind`: token (this host's own listener), rival (that of another audit of this host), stranger
    (another audited host's), answered, mute (connected, nothing said), refused, silent, unresolved,
    no-route.
    """

    kind: str
    text: str = ""
    source: str = ""  # the vantage's own address
    address: str = ""  # which of the host's; "" where no single one was met


def shown_leaf(answer: Told | None) -> Leaf | None:
    """The certificate that a dial was shown."""
    return leaf(answer.chain[0]) if isinstance(answer, DialAnswer) and answer.chain else None


def opened(answer: DialAnswer) -> str:
    """The address that the dial got to; "" when none was open."""
    return next((each.address for each in answer.attempts if each.result == "open"), "")


def greeting(answer: DialAnswer, token: str) -> Seen | None:
    """The audit's own listener, of this host or of another one audited at the same time."""
    headers = answer.headers or {}
    shown = headers.get("x-sesam-audit", "")
    if not shown:
        return None
    peer = headers.get("x-sesam-peer", "").removeprefix("::ffff:")
    if token and shown == token:
        return Seen("token", "this host's own listener", peer, opened(answer))
    if token and shown.partition("-")[0] == token.partition("-")[0]:
        return Seen("rival", "the listener of another audit of this host", peer, opened(answer))
    words = "the listener of another host that is being audited"
    return Seen("stranger", words, peer, opened(answer))


def outcome(answer: DialAnswer) -> Seen:
    """Whoever else was met, or nobody."""
    address = opened(answer)
    source = next((each.source for each in answer.attempts if each.source), "")
    if answer.layer == "dns":
        return Seen("unresolved", answer.error or "")
    if not address:
        kind = _KINDS.get(answer.error or "", "no-route")
        tried = [each.address for each in answer.attempts]
        return Seen(kind, ", ".join(tried), source, tried[0] if len(tried) == 1 else "")
    if answer.status or answer.chain:
        return Seen("answered", _who(answer), source, address)
    return Seen("mute", f"{address} ({answer.error}: {answer.detail})", source, address)


def in_vain(answer: DialAnswer) -> Iterator[Seen]:
    """The addresses that were tried before the one that was open, each long enough."""
    for each in answer.attempts:
        if each.result == "open" or (each.result == "TIMEOUT" and 0 < each.seconds < SHORT):
            continue
        kind = _KINDS.get(each.result, "no-route")
        yield Seen(kind, each.address, each.source, each.address)


def _who(answer: DialAnswer) -> str:
    """Whoever answered, by all it shows of itself."""
    headers, found, shown = answer.headers or {}, shown_leaf(answer), []
    if answer.status:
        shown.append(f"HTTP {answer.status}")
    if headers.get("server"):
        shown.append(f"server {headers['server']!r}")
    target = location(answer)
    if target.hostname:
        shown.append(f"leading to {target.scheme}://{target.hostname}")
    if found is not None:
        names = ", ".join(found.names[:3]) or found.subject
        shown.append(f"certificate for {names} by {found.issuer}")
    return ", ".join(shown)
