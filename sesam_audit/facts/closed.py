"""What should be closed on the way out: dialled from the host, its proxy and a container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import AUDITOR, Contact, Dial, DialAnswer, Steps
from sesam_audit.destinations import SESAM, Consumer, Destination, Service
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.control import SECONDS
from sesam_audit.facts.reach import Reach, Reached, proxy_of
from sesam_audit.facts.rooms import PASSIVE, Rooms
from sesam_audit.facts.scene import Dialled, by_hand
from sesam_audit.facts.trust import public_roots
from sesam_audit.profile import Profile

DIRECTLY, BY_PROXY, INSIDE = "the host", "the host, by the proxy", "a container"
_SECONDS = 4.0  # three SYNs: silence is what is hoped for, and must not cost the deadline
_ADDRESS, _PORT = re.compile(r"[0-9.]+|.*:.*"), re.compile(r"(?<!:):[0-9]+$|\]:[0-9]+$")
_SHUT = ("dns-fails", "dns-sinkhole", "tcp-refused", "tcp-timeout", "block-page", "proxy-refused")


class Look(Struct, frozen=True):
    """What one dial proves: open, closed, or why it proves nothing."""

    place: str
    said: str
    open: bool | Unknown

    def __str__(self) -> str:
        return f"{self.place}: {self.said}"


class Worlds(Struct, frozen=True):
    """What else was dialled from each place: it proves that the network works there."""

    host: Reach
    inside: Reach

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Worlds]:
        """The dials of the documented destinations."""
        if not profile.closed_destinations:
            return cls(Reach({}), Reach({}))
        reach, rooms = yield from gather(Reach.ask(profile), attempt(Rooms.ask(profile)))
        return cls(reach, Reach({}) if isinstance(rooms, Unknown) else rooms.reach)


class Closed(Struct, frozen=True):
    """The dials by the place they came from; `absent` says why none came from a container."""

    places: dict[str, Reach] = {}
    control: Reach | None = None
    absent: str = ""

    def looks(self, subject: str, now: datetime, worlds: Worlds) -> tuple[Look, ...]:
        """Every place's view."""
        return tuple(
            _look(place, reach, subject, now, worlds) for place, reach in self.places.items()
        )

    def notes(self, looks: tuple[Look, ...], subject: str, now: datetime) -> Iterator[str]:
        """What was dialled from where, and what the auditor met there."""
        yield from (f"dialled from {look}" for look in looks)
        if self.absent:
            yield f"not dialled from a container: {self.absent}"
        if self.control is not None:
            try:
                yield f"dialled by the auditor: {self.control.dialled(subject, now).word}"
            except Unknown as unknown:
                yield f"dialled by the auditor: not known, {unknown.reason}"

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Closed]:
        """Dial everything at once; the proxy is tried where the profile names one."""
        chosen, proxy = closed_destinations(profile), proxy_of(profile)
        if not chosen:
            return cls()
        contact = yield from Contact()
        ways = {DIRECTLY: Dial("")}
        if proxy:
            ways[BY_PROXY] = Dial("", proxy=proxy)
        if not profile.passive:
            ways[INSIDE] = Dial("", context=SESAM)
        if contact.scheme != "local":
            ways[AUDITOR] = Dial("", vantage=AUDITOR, seconds_limit=SECONDS)
        told = yield from gather(*(_dialled(chosen, way) for way in ways.values()))
        roots = public_roots(profile.public_roots)
        seen = {
            place: Reach(reached, roots, way.proxy)
            for (place, way), reached in zip(ways.items(), told, strict=True)
        }
        absent = PASSIVE if profile.passive else _hindrance(seen[INSIDE])
        if absent:
            seen.pop(INSIDE, None)
        return cls(seen, seen.pop(AUDITOR, None), absent)


def closed_destinations(profile: Profile) -> tuple[Destination, ...]:
    """What the profile says must not be reached, judged by public roots where TLS answers."""
    return tuple(map(_closed, profile.closed_destinations))


def _closed(text: str) -> Destination:
    host, _, port = text.rpartition(":") if _PORT.search(text) else (text, "", "443")
    nameless = port == "80" or _ADDRESS.fullmatch(host)
    return Destination(
        name=host.strip("[]"),
        rule="",
        service=Service.ANY_TLS if nameless else Service.IDENTITY,
        consumer=Consumer.CONTAINER,
        by="nobody: it should be closed",
        port=int(port),
        tls=port != "80",
        needed=False,
        subject=text,
        source="the profile's closed_destinations",
    )


def closed_subjects(profile: Profile) -> tuple[str, ...]:
    """What is judged, for `each`."""
    return profile.closed_destinations or ("closed destinations",)


def settled(looks: tuple[Look, ...]) -> str:
    """What all of them met, in words. Raises the first Unknown of them."""
    for look in looks:
        if isinstance(look.open, Unknown):
            raise look.open
    return "; ".join(map(str, looks))


def _dialled(chosen: tuple[Destination, ...], way: Dial) -> Steps[dict[str, Reached]]:
    answers = yield from every(attempt(_dial(each, way)) for each in chosen)
    return {each.key: Reached(each, answer) for each, answer in zip(chosen, answers, strict=True)}


def _dial(destination: Destination, way: Dial) -> Dial:
    return replace(
        way,
        name=destination.name,
        port=destination.port,
        path=destination.path,
        tls=destination.tls,
        seconds_limit=way.seconds_limit or _SECONDS,
    )


def _hindrance(reach: Reach) -> str:
    """Why there was no container to dial from."""
    for each in reach.reached.values():
        if isinstance(each.answer, Unknown):
            return each.answer.reason
        if each.answer.error == "NOROOM":
            return each.answer.detail
    return ""


def _look(place: str, reach: Reach, subject: str, now: datetime, worlds: Worlds) -> Look:
    try:
        verdict = reach.dialled(subject, now)
    except Unknown as unknown:
        return Look(place, unknown.reason, unknown)
    itself = verdict.word == "block-page" and reach.scene(subject, now).public_trust().trusted
    if verdict.word in _SHUT and not verdict.proxy_fault and not itself:
        world = worlds.inside if place == INSIDE else worlds.host
        if any(_well(world, key, now) for key in world.reached):
            return Look(place, str(verdict), False)
        dead = Unknown(f"{verdict}; but nothing else was reached from {place} either")
        return Look(place, str(verdict), dead)
    if itself or _through(reach, subject, verdict, now, worlds):
        return Look(place, str(verdict), True)
    unclear = Unknown(
        f"{verdict}; whether by the destination or a device before it is not told",
        by_hand(reach.reached[subject].destination),
    )
    return Look(place, str(verdict), unclear)


def _well(world: Reach, key: str, now: datetime) -> bool:
    try:
        return world.dialled(key, now).ok
    except Unknown:
        return False


def _through(reach: Reach, subject: str, verdict: Dialled, now: datetime, worlds: Worlds) -> bool:
    """Whether the destination itself must have answered.

    A connection alone never counts, nor does TLS by whoever opens it for others too, or under
    another name.
    """
    scene = reach.scene(subject, now)
    if verdict.word in ("ok", "clock-skew"):
        return True
    if verdict.word == "tls-fails" and not scene.answer.chain:
        spoke = "WRONG_VERSION" in scene.answer.detail.upper().replace(" ", "_")
        return spoke and scene.destination.port != 443
    if verdict.word in ("tls-fails", "tls-intercepted"):
        others = {*_inspectors(worlds.host, now), *_inspectors(worlds.inside, now)}
        return scene.public_trust().issuer not in others
    return verdict.word in ("wrong-service", "service-trouble") and scene.public_trust().trusted


def _inspectors(world: Reach, now: datetime) -> Iterator[str]:
    """The private authorities that show themselves in the place of known services."""
    for key, each in world.reached.items():
        if isinstance(each.answer, DialAnswer) and each.answer.chain:
            trust = world.scene(key, now).public_trust()
            if not trust.trusted:
                yield trust.issuer
