"""Which of the host's ports answer a vantage, by address and by NODE_DOMAIN, and who answers."""

from __future__ import annotations

import json
from datetime import datetime

from msgspec import Struct, field

from sesam_audit.asks import AUDITOR, ContactAnswer, DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.markers import location
from sesam_audit.facts.scene import SHORT
from sesam_audit.facts.trust import Bundle, judge_chain

ADDRESS, NAME, NAME_6 = "host's address", "NODE_DOMAIN", "NODE_DOMAIN over IPv6"
WAYS = (ADDRESS, NAME, NAME_6)
_WAYS_OUT = (
    "run it from another machine (sesam-audit run ssh://THIS-HOST), name another vantage"
    " (--from ssh://MACHINE), or waive it with a reason"
)
Told = DialAnswer | Unknown


class Seen(Struct, frozen=True):
    """What a dial from outside met.

    `kind`: token (this host's own listener), stranger (another audited host's), answered, mute
    (connected, nothing said), refused, silent, unresolved, no-route.
    """

    kind: str
    text: str = ""
    source: str = ""  # the vantage's own address


class Inbound(Struct, frozen=True):
    """Dials from one vantage; `own` is the host's own certificate, a sample to compare with.

    `listening` are the ports on which this host answered with `token` while it was dialled:
    in a container that `published` them, or, for the reason in `unpublished`, in its own network.
    """

    contact: ContactAnswer
    name: str | Unknown
    by_address: dict[int, Told] = {}
    by_name: dict[int, Told] = {}  # its IPv4 addresses
    by_name_6: dict[int, Told] = {}
    own: Told | None = None
    http_challenge: bool | Unknown = False  # how the stack's Traefik gets its certificates
    roots: Bundle = field(default_factory=Bundle)
    vantage: str = AUDITOR
    stands: str = "none"
    listening: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()  # free ports on which only root may listen
    token: str = ""
    published: bool = False
    unpublished: str = ""

    def seen(self, port: int, way: str = ADDRESS) -> Seen:
        """What came of dialling a port.

        Raises:
            Unknown: there is no vantage, or no name.
        """
        if way != ADDRESS and isinstance(self.name, Unknown):
            raise self.name
        answer = self._answer(port, way)
        if any(each.source == each.address != "" for each in answer.attempts):
            who = f"the {AUDITOR}" if self.vantage == AUDITOR else self.vantage
            raise no_vantage(f"{who} runs on the host itself, which is no evidence about it")
        seen = _own(answer, self.token) or _seen(answer)
        tried = sum(each.seconds for each in answer.attempts if each.result == "TIMEOUT")
        if seen.kind == "silent" and 0 < tried < SHORT:
            raise Unknown(f"only {tried:.1f} s were left of the deadline to reach {seen.text}")
        return seen

    def _answer(self, port: int, way: str) -> DialAnswer:
        if self.contact.scheme == "local" and self.vantage == AUDITOR:
            raise no_vantage("the auditor runs on the host itself, which is no evidence about it")
        answers = self.ways[way]
        if not answers:
            raise no_vantage(f"{self.vantage} does not reach the host by an address of its own")
        answer = answers.get(port, Unknown(f"port {port} was not dialled"))
        if isinstance(answer, Unknown):
            raise answer
        if answer.error == "UNSUPPORTED" or (answer.error or "").startswith("CRASH"):
            raise Unknown(f"{self.vantage} could not dial: {answer.error}")
        return answer

    @property
    def ways(self) -> dict[str, dict[int, Told]]:
        """The dials by each way, by port."""
        return {ADDRESS: self.by_address, NAME: self.by_name, NAME_6: self.by_name_6}

    def same(self, way: str) -> bool | None:
        """Whether 443 shows the certificate the host itself shows; None when one is missing."""
        theirs, ours = _leaf(self.ways[way].get(443)), None
        if self.own is not None:
            ours = _leaf(self.own)
        return None if theirs is None or ours is None else theirs.sha256 == ours.sha256

    def redirects(self, way: str) -> bool:
        """Whether 80 sends on to https of the same host, as the stack's Traefik does."""
        answer = self.ways[way].get(80)
        if not isinstance(answer, DialAnswer) or not 300 <= answer.status < 400:
            return False
        target = location(answer)
        return target.scheme == "https" and target.hostname in (self.name, self.contact.address)

    def issued(self, now: datetime) -> datetime | None:
        """When Let's Encrypt last proved port 80, by the certificate the host serves."""
        found = None if self.own is None else _leaf(self.own)
        if found is None or not isinstance(self.own, DialAnswer) or isinstance(self.name, Unknown):
            return None
        if self.http_challenge is not True or "Let's Encrypt" not in found.issuer:
            return None
        trusted = judge_chain(self.own.chain, self.name, now, self.roots).trusted
        return found.not_before if trusted else None

    def docker_api(self, port: int) -> bool:
        """Whether a port answered as an open Docker API. Raises Unknown without a vantage."""
        if self.seen(port).kind == "no-route":
            raise no_vantage("the auditor has no route to the host")
        answer = self._answer(port, ADDRESS)
        headers = answer.headers or {}
        if answer.status != 200:
            return False
        if "api-version" in headers or headers.get("server", "").startswith("Docker/"):
            return True
        try:
            said = json.loads(answer.body)
        except (ValueError, RecursionError):
            return False
        return isinstance(said, dict) and "ApiVersion" in said


def no_vantage(why: str) -> Unknown:
    """The outcome where nobody outside could look, with the ways out."""
    return Unknown(f"needs a vantage: {why}; {_WAYS_OUT}", "sesam-audit run ssh://THIS-HOST")


def _leaf(answer: Told | None) -> Leaf | None:
    return leaf(answer.chain[0]) if isinstance(answer, DialAnswer) and answer.chain else None


def _own(answer: DialAnswer, token: str) -> Seen | None:
    """The audit's own listener, of this host or of another one audited at the same time."""
    headers = answer.headers or {}
    shown = headers.get("x-sesam-audit", "")
    if not shown:
        return None
    peer = headers.get("x-sesam-peer", "").removeprefix("::ffff:")
    if token and shown == token:
        return Seen("token", "this host's own listener", peer)
    return Seen("stranger", "the listener of another host that is being audited", peer)


def _seen(answer: DialAnswer) -> Seen:
    opened = next((each for each in answer.attempts if each.result == "open"), None)
    source = next((each.source for each in answer.attempts if each.source), "")
    if answer.layer == "dns":
        return Seen("unresolved", answer.error or "")
    if opened is None:
        kinds = {"TIMEOUT": "silent", "ECONNREFUSED": "refused"}
        kind = kinds.get(answer.error or "", "no-route")
        return Seen(kind, ", ".join(each.address for each in answer.attempts), source)
    if answer.status or answer.chain:
        return Seen("answered", _who(answer), source)
    return Seen("mute", f"{opened.address} ({answer.error}: {answer.detail})", source)


def _who(answer: DialAnswer) -> str:
    """Whoever answered, by all it shows of itself."""
    headers, found, shown = answer.headers or {}, _leaf(answer), []
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
