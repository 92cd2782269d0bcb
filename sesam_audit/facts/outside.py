"""Everybody who looks at the host from outside, and the listener that answers them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import AUDITOR, Contact, Dial, DialAnswer, Listen, ListenAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.domain import node_domain
from sesam_audit.facts.inbound import Inbound
from sesam_audit.facts.looking import SECONDS, look
from sesam_audit.facts.seen import Seen, Told, greeting, outcome
from sesam_audit.facts.stack import Stack
from sesam_audit.facts.trust import public_roots
from sesam_audit.profile import Profile


class Outside(Struct, frozen=True):
    """Everybody who looked at the host from outside; the auditor is the first.

    `hairpin` is the host's own dial to NODE_DOMAIN while it listened: evidence of nothing else.
    """

    views: tuple[Inbound, ...]
    hairpin: Told | None = None

    @property
    def absences(self) -> tuple[str, ...]:
        """The vantages that were not reached, and why."""
        return tuple(filter(None, (view.absence for view in self.views)))

    @property
    def back(self) -> Seen | None:
        """What the host met on its way out and back to itself; None where it never leaves."""
        answer = self.hairpin
        if not isinstance(answer, DialAnswer) or not answer.attempts:
            return None
        if any(each.source == each.address for each in answer.attempts):
            return None
        return greeting(answer, self.views[0].token) or outcome(answer)

    def docker_api(self, port: int) -> bool:
        """Whether a port answered anybody as an open Docker API.

        Raises:
            Unknown: nobody could look.
        """
        doubts = []
        for view in self.views:
            try:
                if view.docker_api(port):
                    return True
            except Unknown as unknown:
                doubts.append(unknown)
        if len(doubts) == len(self.views):
            raise doubts[0]
        return False

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Outside]:
        """Listen on the free ports, dial from every vantage at once, then what is still left."""
        contact = yield from Contact()
        somebody = contact.scheme == "ssh" or bool(profile.outside)
        listens = somebody and profile.listen and not profile.passive
        name, stack, heard = yield from gather(
            attempt(node_domain(profile)),
            attempt(Stack.ask(profile)),
            attempt(Listen(_listened(profile), published=True)) if listens else _nobody(),
        )
        mine = _ports(heard, "")
        called = name if isinstance(name, str) else contact.address
        itself = isinstance(name, str) and 443 in mine
        shared: dict[str, Any] = {
            "contact": contact,
            "name": name,
            "http_challenge": stack if isinstance(stack, Unknown) else _challenge(stack),
            "roots": public_roots(profile.public_roots),
            "listening": mine,
            "forbidden": _ports(heard, "EACCES"),
            "token": heard.token if isinstance(heard, ListenAnswer) else "",
            "published": isinstance(heard, ListenAnswer) and heard.published,
            "unpublished": heard.detail if isinstance(heard, ListenAnswer) else "",
        }
        vantages = ((AUDITOR, profile.auditor_stands_for), *profile.outside)
        own, hairpin, views = yield from gather(
            _one(_own(called)) if 443 not in mine else _without(),
            _one(_hairpin(called)) if itself else _without(),
            every(look(vantage, stands, profile, shared) for vantage, stands in vantages),
        )
        ours = own.get(443)
        return cls(tuple(replace(each, own=ours) for each in views), hairpin.get(443))


def _listened(profile: Profile) -> tuple[int, ...]:
    return (80, 443) if profile.certificates == "letsencrypt" else (443,)


def _ports(heard: ListenAnswer | Unknown | None, told: str) -> frozenset[int]:
    """The ports of which the listener told this: "" where the audit itself listens."""
    ports = (heard.ports if isinstance(heard, ListenAnswer) else None) or {}
    return frozenset(int(port) for port, word in ports.items() if word == told and port.isdigit())


def _one(dial: Dial) -> Steps[dict[int, Told]]:
    return {dial.port: (yield from attempt(dial))}


def _nobody() -> Steps[None]:
    yield from every(())


def _own(name: str) -> Dial:
    """What the host itself is shown by whoever has 443, to compare with."""
    return Dial(name, 443, path="", address="127.0.0.1", seconds_limit=SECONDS)


def _hairpin(name: str) -> Dial:
    return Dial(name, 443, tls=False, seconds_limit=SECONDS)


def _without() -> Steps[dict[int, Told]]:
    yield from every(())
    return {}


def _challenge(stack: Stack) -> bool:
    traefik = stack.role("traefik")
    return traefik is not None and any("httpchallenge" in x.lower() for x in traefik.command)
