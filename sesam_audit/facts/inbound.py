"""Which of the host's ports answer a vantage, by address and by NODE_DOMAIN, and who answers."""

from __future__ import annotations

import json
from datetime import datetime

from msgspec import Struct, field

from sesam_audit.asks import AUDITOR, ContactAnswer, DialAnswer
from sesam_audit.errors import Lack, Unknown, needs_vantage
from sesam_audit.facts.markers import location
from sesam_audit.facts.scene import SHORT
from sesam_audit.facts.seen import Seen, Told, greeting, in_vain, opened, outcome, shown_leaf
from sesam_audit.facts.trust import Bundle, judge_chain

ADDRESS, NAME, NAME_6 = "host's address", "NODE_DOMAIN", "NODE_DOMAIN over IPv6"
WAYS = (ADDRESS, NAME, NAME_6)
_WAYS_OUT = (
    "run it from another machine (sesam-audit run ssh://THIS-HOST), name another vantage"
    " (--from ssh://MACHINE), or waive it with a reason"
)


_RENEWED = 0.7  # of its time; Traefik renews when two thirds are over, and tries once a day


class Issuance(Struct, frozen=True):
    """A certificate of Let's Encrypt, for which it came in by port 80."""

    on: datetime
    until: datetime
    now: datetime

    @property
    def overdue(self) -> bool:
        """Whether Traefik should have renewed it by now: something keeps Let's Encrypt out."""
        return self.now - self.on > (self.until - self.on) * _RENEWED

    def __str__(self) -> str:
        return f"issued on {self.on:%Y-%m-%d}, {(self.now - self.on).days} days ago"


class Inbound(Struct, frozen=True):
    """Dials from one vantage; `own` is the host's own certificate, a sample to compare with.

    `beside` are the dials of a way's further addresses, by way and port: a dial of a name ends at
    the first address that is open. `declared` says that `by_address` are `public_addresses`.
    `listening` are the ports on which this host answered with `token` while it was dialled:
    in a container that `published` them, or, for the reason in `unpublished`, in its own network.
    """

    contact: ContactAnswer
    name: str | Unknown
    by_address: dict[int, Told] = {}
    by_name: dict[int, Told] = {}  # its IPv4 addresses
    by_name_6: dict[int, Told] = {}
    beside: dict[str, dict[int, tuple[Told, ...]]] = {}
    declared: bool = False
    own: Told | None = None
    http_challenge: bool | Unknown = False  # how the stack's Traefik gets its certificates
    roots: Bundle = field(default_factory=Bundle)
    vantage: str = AUDITOR
    stands: str = "unset"
    listening: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()  # free ports on which only root may listen
    token: str = ""
    published: bool = False
    unpublished: str = ""

    def seen(self, port: int, way: str = ADDRESS) -> Seen:
        """What came of dialling a port; of several addresses, at the first that is open.

        Raises:
            Unknown: there is no vantage, or no name.
        """
        return self.met(self.answer(port, way))[0]

    def each(self, port: int, way: str) -> tuple[Seen | Unknown, ...]:
        """What came of dialling a port at each of the way's addresses.

        Raises:
            Unknown: there is no vantage, or no name.
        """
        first = self.met(self.answer(port, way))
        again: list[Seen | Unknown] = []
        for told in self.beside.get(way, {}).get(port, ()):
            try:
                again += self.met(told)[:1]
            except Unknown as unknown:
                again.append(unknown)
        known = {each.address for each in again if isinstance(each, Seen)}
        return (first[0], *(each for each in first[1:] if each.address not in known), *again)

    def met(self, told: Told) -> tuple[Seen, ...]:
        """What one dial met, and behind it the addresses that it tried in vain before.

        Raises:
            Unknown: the dial was not made, or is no evidence.
        """
        answer = self._tried(told)
        if any(each.source == each.address != "" for each in answer.attempts):
            who = f"the {AUDITOR}" if self.vantage == AUDITOR else self.vantage
            raise no_vantage(f"{who} runs on the host itself, which is no evidence about it")
        seen = greeting(answer, self.token) or outcome(answer)
        tried = sum(each.seconds for each in answer.attempts if each.result == "TIMEOUT")
        if seen.kind == "silent" and 0 < tried < SHORT:
            raise Unknown(f"only {tried:.1f} s were left of the deadline to reach {seen.text}")
        return (seen, *(in_vain(answer) if opened(answer) else ()))

    def answer(self, port: int, way: str) -> Told:
        """The first dial of a port by one way.

        Raises:
            Unknown: there is no vantage, or no name.
        """
        if way != ADDRESS and isinstance(self.name, Unknown):
            raise self.name
        if self.contact.scheme == "local" and self.vantage == AUDITOR:
            raise no_vantage("the auditor runs on the host itself, which is no evidence about it")
        answers = self.ways[way]
        if not answers and self.unreached is not None:
            raise self.unreached
        if not answers:
            raise no_vantage(f"{self.vantage} does not reach the host by an address of its own")
        return answers.get(port, Unknown(f"port {port} was not dialled"))

    def _tried(self, answer: Told) -> DialAnswer:
        if isinstance(answer, Unknown):
            raise answer
        if answer.error == "UNSUPPORTED" or (answer.error or "").startswith("CRASH"):
            raise Unknown(f"{self.vantage} could not dial: {answer.error}")
        return answer

    def side_way(self) -> str:
        """The way by which ports are dialled that the stack does not publish.

        Raises:
            Unknown: nobody could look, or it may be another machine that NODE_DOMAIN leads to.
        """
        if self.by_address or not self.by_name:
            return ADDRESS
        for way in (NAME, NAME_6):
            kinds = {each.kind for port in (80, 443) for each in self._known(port, way)}
            if "token" in kinds or self.same(way):
                return way
        raise self.unreached or no_vantage(
            f"{self.vantage} knows no address that is proved to be this host's"
        )

    def _known(self, port: int, way: str) -> tuple[Seen, ...]:
        try:
            return self.met(self.answer(port, way))
        except Unknown:
            return ()

    @property
    def unreached(self) -> Unknown | None:
        """Why nobody was there to dial from this vantage; None where somebody was."""
        told = [each for ports in self.ways.values() for each in ports.values()]
        if any(isinstance(each, DialAnswer) for each in told):
            return None
        doubts = (each for each in told if isinstance(each, Unknown))
        return next((each for each in doubts if each.lacks is Lack.VANTAGE), None)

    @property
    def absence(self) -> str:
        """The same for people, in one sentence; "" where somebody was there."""
        return self.unreached.reason.partition(": ")[2] if self.unreached else ""

    @property
    def ways(self) -> dict[str, dict[int, Told]]:
        """The dials by each way, by port."""
        return {ADDRESS: self.by_address, NAME: self.by_name, NAME_6: self.by_name_6}

    def same(self, way: str, address: str = "") -> bool | None:
        """Whether 443 shows the certificate the host itself shows; None when one is missing."""
        theirs, ours = shown_leaf(self._at(443, way, address)), None
        if self.own is not None:
            ours = shown_leaf(self.own)
        return None if theirs is None or ours is None else theirs.sha256 == ours.sha256

    def redirects(self, way: str, address: str = "") -> bool:
        """Whether 80 sends on to https of the same host, as the stack's Traefik does."""
        answer = self._at(80, way, address)
        if not isinstance(answer, DialAnswer) or not 300 <= answer.status < 400:
            return False
        target = location(answer)
        return target.scheme == "https" and target.hostname in (self.name, self.contact.address)

    def _at(self, port: int, way: str, address: str) -> Told | None:
        """The dial that got to one of the way's addresses; without one, the first."""
        first = self.ways[way].get(port)
        dials = (first, *self.beside.get(way, {}).get(port, ()))
        if not address:
            return first
        return next((x for x in dials if isinstance(x, DialAnswer) and opened(x) == address), None)

    def issued(self, now: datetime) -> Issuance | None:
        """When Let's Encrypt last proved port 80, by the certificate the host serves."""
        found = None if self.own is None else shown_leaf(self.own)
        if found is None or not isinstance(self.own, DialAnswer) or isinstance(self.name, Unknown):
            return None
        if self.http_challenge is not True or "Let's Encrypt" not in found.issuer:
            return None
        trusted = judge_chain(self.own.chain, self.name, now, self.roots).trusted
        return Issuance(found.not_before, found.not_after, now) if trusted else None

    def docker_api(self, port: int) -> bool:
        """Whether a port answered as an open Docker API. Raises Unknown without a vantage."""
        way = self.side_way()
        if self.seen(port, way).kind == "no-route":
            raise no_vantage("the auditor has no route to the host")
        answer = self._tried(self.answer(port, way))
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
    return needs_vantage(f"{why}; {_WAYS_OUT}", "sesam-audit run ssh://THIS-HOST")
