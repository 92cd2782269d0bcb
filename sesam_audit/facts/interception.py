"""Which chains end in a private root, whose it is, and whom that breaks: TLS inspection's mark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import DialAnswer, Steps
from sesam_audit.destinations import Consumer, Destination
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.pull import Rehearsal
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import Rooms
from sesam_audit.facts.scene import Scene
from sesam_audit.facts.trust import Bundle
from sesam_audit.profile import Profile

_PROGRAMS = {Consumer.DOCKERD: "the Docker daemon", Consumer.HOST: "the sesam-agent"}
_WATCHTOWER = "the watchtower container"  # what dials Docker Hub from a container


class Interceptor(Struct, frozen=True):
    """An authority that public roots do not know, the names it signed for, and for whom."""

    authority: str
    names: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()  # those whose store knows it

    def __str__(self) -> str:
        text = f"{self.authority!r} for {', '.join(self.names)}"
        if self.breaks:
            text += f", which breaks {', '.join(self.breaks)}"
        if self.spares:
            text += f"; the host's store knows it, which is enough for {', '.join(self.spares)}"
        return text


class Sight(Struct, frozen=True):
    """One connection that showed a chain, or may have."""

    name: str
    scene: Scene
    inside: bool = False  # dialled from a container

    @property
    def program(self) -> str:
        """Who will connect so; "" where nobody of the stack does."""
        whose = self.scene.destination
        if not whose.needed:
            return ""
        if self.inside or whose.consumer is Consumer.CONTAINER:
            return whose.by if whose.consumer is Consumer.CONTAINER else _WATCHTOWER
        return _PROGRAMS[whose.consumer]

    @property
    def breaks(self) -> bool | None:
        """Whether that program refuses a private authority; None where nobody tried."""
        if self.inside or self.scene.destination.consumer is Consumer.CONTAINER:
            return True  # containers believe public roots alone
        trusted = self.scene.answer.trusted
        return None if trusted is None else not trusted


class Interceptors(Struct, frozen=True):
    """The chains that were met: by the host, from containers, and by the rehearsal of a pull."""

    reach: Reach
    rooms: Rooms | Unknown
    rehearsal: Rehearsal | Unknown

    @property
    def roots(self) -> Bundle:
        return self.reach.roots

    @property
    def unseen(self) -> str:
        """Why nothing was dialled from a container; "" when it was."""
        return self.rooms.reason if isinstance(self.rooms, Unknown) else self.rooms.absent

    def sights(self, now: datetime) -> tuple[Sight, ...]:
        """Every connection to the guide's destinations; what the profile adds is no part of it."""
        found = tuple(self._sights(now))
        inspectors = frozenset(
            filter(None, (x.scene.inspector for x in found if not x.scene.destination.tolerant))
        )
        return tuple(replace(x, scene=replace(x.scene, inspectors=inspectors)) for x in found)

    def _sights(self, now: datetime) -> Iterator[Sight]:
        for key, destination, answer in _guides(self.reach):
            yield Sight(key, Scene(answer, destination, now, self.roots))
        if isinstance(self.rooms, Rooms):
            for key, destination, answer in _guides(self.rooms.reach):
                yield Sight(key, Scene(answer, destination, now, self.roots), inside=True)
        if isinstance(self.rehearsal, Rehearsal):
            for pulled in self.rehearsal.pulls:
                if pulled.answer.last is not None:
                    yield Sight(f"{pulled.host}:443", pulled.scene(now))

    def names(self, now: datetime) -> tuple[str, ...]:
        """What was dialled."""
        return tuple(dict.fromkeys(each.name for each in self.sights(now)))

    def seen(self, now: datetime) -> tuple[str, ...]:
        """The destinations whose chain can be told from a private one."""
        shown = (each.name for each in self.sights(now) if each.scene.inspector is not None)
        return tuple(dict.fromkeys(shown))

    def met(self, now: datetime) -> tuple[Interceptor, ...]:
        """Every private authority, with the names it signed for and whom that breaks."""
        sights = self.sights(now)
        own = {each.name for each in sights if each.inside and each.scene.inspector is not None}
        found: dict[str, list[Sight]] = {}
        for each in sights:
            if each.scene.inspector:
                found.setdefault(each.scene.inspector, []).append(each)
        return tuple(_interceptor(authority, several, own) for authority, several in found.items())

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Interceptors]:
        """Look at every chain that the host, the containers and the rehearsal met."""
        reach, rooms, rehearsal = yield from gather(
            Reach.ask(profile), attempt(Rooms.ask(profile)), attempt(Rehearsal.ask(profile))
        )
        return cls(reach, rooms, rehearsal)


def _guides(reach: Reach) -> Iterator[tuple[str, Destination, DialAnswer]]:
    for key, each in reach.reached.items():
        if each.destination.rule and isinstance(each.answer, DialAnswer):
            yield key, each.destination, each.answer


def _interceptor(authority: str, sights: list[Sight], own: set[str]) -> Interceptor:
    """One authority; of `own`, dialled by containers too, the host's dials tell nothing of them."""
    outside = {each.name for each in sights if not each.inside}
    names = (
        each.name if each.name in outside else f"{each.name} from a container" for each in sights
    )
    fates: dict[str, bool] = {}
    for each in sights:
        theirs = each.scene.destination.consumer is Consumer.CONTAINER
        known = each.breaks
        if not each.program or known is None or (theirs and not each.inside and each.name in own):
            continue
        fates[each.program] = fates.get(each.program, False) or known
    return Interceptor(
        authority,
        tuple(dict.fromkeys(names)),
        tuple(program for program, broken in fates.items() if broken),
        tuple(program for program, broken in fates.items() if not broken),
    )
