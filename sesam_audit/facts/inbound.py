"""Which of the host's ports answer the auditor, by address and by NODE_DOMAIN, and who answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address

from sesam_audit.asks import Contact, ContactAnswer, Dial, DialAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.domain import node_domain
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.markers import location
from sesam_audit.facts.port_owners import PORTS
from sesam_audit.facts.stack import Stack
from sesam_audit.facts.trust import Bundle, judge_chain, public_roots
from sesam_audit.profile import Profile

ADDRESS, NAME = "host's address", "NODE_DOMAIN"
WAYS = (ADDRESS, NAME)
_SECONDS = 4.0  # three SYNs; a filtered port is the common case and must not cost the deadline
_WAYS_OUT = (
    "run it from another machine (sesam-audit run ssh://THIS-HOST), or waive it with a reason"
)
Told = DialAnswer | Unknown


@dataclass(frozen=True)
class Seen:
    """What a dial from outside met.

    `kind`: answered, mute (connected, nothing said), refused, silent, unresolved, no-route.
    """

    kind: str
    text: str = ""
    source: str = ""  # the vantage's own address


@dataclass(frozen=True)
class Inbound:
    """Dials from the auditor; `own` is the host's own certificate, a sample to compare with."""

    contact: ContactAnswer
    name: str | Unknown
    by_address: dict[int, Told] = field(default_factory=dict)
    by_name: dict[int, Told] = field(default_factory=dict)
    own: Told | None = None
    http_challenge: bool | Unknown = False  # how the stack's Traefik gets its certificates
    roots: Bundle = field(default_factory=Bundle)

    def seen(self, port: int, way: str = ADDRESS) -> Seen:
        """What came of dialling a port.

        Raises:
            Unknown: there is no vantage, or no name.
        """
        if way == NAME and isinstance(self.name, Unknown):
            raise self.name
        answer = self._answer(port, way)
        if any(each.source == each.address != "" for each in answer.attempts):
            raise no_vantage("the auditor runs on the host itself, which is no evidence about it")
        return _seen(answer)

    def _answer(self, port: int, way: str) -> DialAnswer:
        if self.contact.scheme == "local":
            raise no_vantage("the auditor runs on the host itself, which is no evidence about it")
        answers = self.by_address if way == ADDRESS else self.by_name
        if not answers:
            raise no_vantage("the auditor does not reach the host by an address of its own")
        answer = answers.get(port, Unknown(f"port {port} was not dialled"))
        if isinstance(answer, Unknown):
            raise answer
        if answer.error == "UNSUPPORTED" or (answer.error or "").startswith("CRASH"):
            raise Unknown(f"the auditor could not dial: {answer.error}")
        return answer

    def silent_6(self, port: int) -> tuple[str, ...]:
        """IPv6 addresses of NODE_DOMAIN that do not answer although the auditor has a route."""
        answer = self.by_name.get(port)
        if not isinstance(answer, DialAnswer):
            return ()
        return tuple(
            each.address
            for each in answer.attempts
            if ":" in each.address and each.result in ("TIMEOUT", "ECONNREFUSED")
        )

    def same(self, way: str) -> bool | None:
        """Whether 443 shows the certificate the host itself shows; None when one is missing."""
        theirs, ours = _leaf((self.by_address if way == ADDRESS else self.by_name).get(443)), None
        if self.own is not None:
            ours = _leaf(self.own)
        return None if theirs is None or ours is None else theirs.sha256 == ours.sha256

    def redirects(self, way: str) -> bool:
        """Whether 80 sends on to https of the same host, as the stack's Traefik does."""
        answer = (self.by_address if way == ADDRESS else self.by_name).get(80)
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

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Inbound]:
        """Dial the host's address and its name together, and the host's own 443 for comparison."""
        contact = yield from Contact()
        name, stack = yield from gather(attempt(node_domain(profile)), attempt(Stack.ask(profile)))
        outside = contact.scheme == "ssh"
        called = name if isinstance(name, str) else contact.address
        there = contact.address if outside and not _loopback(contact.address) else ""
        own = Dial(called, 443, path="", address="127.0.0.1", seconds_limit=_SECONDS)
        by_address, by_name, ours = yield from gather(
            _dialled(_dials(called, there)) if there else _nothing(),
            _dialled(_dials(name, "")) if outside and isinstance(name, str) else _nothing(),
            attempt(own),
        )
        challenge = stack if isinstance(stack, Unknown) else _challenge(stack)
        roots = public_roots(profile.public_roots)
        return cls(contact, name, by_address, by_name, ours, challenge, roots)


def no_vantage(why: str) -> Unknown:
    """The outcome where nobody outside could look, with the ways out."""
    return Unknown(f"needs a vantage: {why}; {_WAYS_OUT}", "sesam-audit run ssh://THIS-HOST")


def _loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return not address


def _dials(name: str, address: str) -> dict[int, Dial]:
    """One dial for each port: plain HTTP, or TLS where the port is for TLS."""
    paths = {2375: "/version", 2376: "/version"}
    ports = PORTS if address else (80, 443)
    return {
        port: Dial(
            name or address,
            port,
            path=paths.get(port, "/"),
            tls=port in (443, 2376),
            address=address,
            vantage="auditor",
            seconds_limit=_SECONDS,
        )
        for port in ports
    }


def _dialled(dials: dict[int, Dial]) -> Steps[dict[int, Told]]:
    answers = yield from every(attempt(dial) for dial in dials.values())
    return dict(zip(dials, answers, strict=True))


def _nothing() -> Steps[dict[int, Told]]:
    yield from every(())
    return {}


def _challenge(stack: Stack) -> bool:
    traefik = stack.role("traefik")
    return traefik is not None and any("httpchallenge" in x.lower() for x in traefik.command)


def _leaf(answer: Told | None) -> Leaf | None:
    return leaf(answer.chain[0]) if isinstance(answer, DialAnswer) and answer.chain else None


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
