"""What the stack's containers will reach: dialled from containers of the audit's own."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import Dial, DialAnswer, Self, SelfAnswer, Steps
from sesam_audit.destinations import (
    DEFAULT,
    SESAM,
    Destination,
    destinations,
)
from sesam_audit.errors import Lack, Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.docker_proxy import ContainerProxy, Way, way_of
from sesam_audit.facts.name_servers import NameServers
from sesam_audit.facts.reach import (
    Reach,
    Reached,
    dial,
    dialled_again,
    hides,
    log_host_of,
    proxy_of,
)
from sesam_audit.facts.scene import Dialled
from sesam_audit.facts.trust import Bundle, public_roots
from sesam_audit.profile import Profile

PLACES = {
    "": "the host's network path",
    "shell": "the host's network path, with the settings of a shell",
    "daemon": "the host's network path, with the Docker daemon's settings",
    DEFAULT: "a container on a network like the project's own",
    SESAM: "a container on Docker's network sesam",
}
PASSIVE = "--passive makes no container"


class Rooms(Struct, frozen=True):
    """Every destination that a container of the stack will dial, dialled from one."""

    reach: Reach
    absent: str = ""  # why there was no container to dial from
    lacks: Lack | None = None  # what would let one be made

    def dialled(self, subject: str, now: datetime) -> Dialled | Unknown | None:
        """What a container met, why that is not known, or None where none will dial it."""
        if subject not in self.reach.reached:
            why = f"not tried from a container: {self.absent}"
            return Unknown(why, lacks=self.lacks) if self.absent else None
        try:
            verdict = self.reach.dialled(subject, now)
        except Unknown as unknown:
            return unknown
        answer = self.reach.reached[subject].answer
        place = "" if isinstance(answer, Unknown) else answer.proxy_from
        if verdict.word == "proxy-needs-auth" and place:
            return Unknown(f"{verdict}; whether the URL in {place} has one is not shown")
        return verdict

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Rooms]:
        """Dial in the same rounds as the host, from the network on which each container will be."""
        proxy, roots = proxy_of(profile), public_roots(profile.public_roots)
        if profile.passive:
            return cls(Reach({}, roots, proxy), PASSIVE)
        rooms, given = yield from gather(
            cls._dialled(profile, proxy, roots), attempt(ContainerProxy.ask(profile))
        )
        if rooms.absent:
            return rooms
        reached = yield from _by_own_ways(rooms.reach.reached, given, profile)
        return replace(rooms, reach=replace(rooms.reach, reached=reached))

    @classmethod
    def _dialled(cls, profile: Profile, proxy: str, roots: Bundle) -> Steps[Rooms]:
        """As if the containers had the profile's proxy."""
        chosen = [each for each in destinations(profile) if each.context]
        deployment, answers, me, servers, outside = yield from gather(
            attempt(Deployment.ask(profile)),
            every(attempt(_inside(each, proxy)) for each in chosen),
            attempt(Self()),
            NameServers.ask(profile),
            every(attempt(dial(each, proxy)) for each in chosen),
        )
        hindrance = next(filter(None, (_hindrance(each, me) for each in answers)), None)
        if hindrance is not None:
            return cls(Reach({}, roots, proxy), hindrance.reason, hindrance.lacks)
        reached = {
            each.key: Reached(each, answer) for each, answer in zip(chosen, answers, strict=True)
        }
        log_host = log_host_of(deployment)
        again = partial(_inside, proxy=proxy)
        reached = yield from dialled_again(reached, log_host, profile, again)
        return cls(Reach(reached, roots, proxy, log_host, resolving=servers.by_docker(outside)))


def where(answer: DialAnswer | Unknown) -> str:
    """The network path of a dial, in words."""
    return PLACES["" if isinstance(answer, Unknown) else answer.context]


def _by_own_ways(
    reached: dict[str, Reached], given: ContainerProxy | Unknown, profile: Profile
) -> Steps[dict[str, Reached]]:
    """The same, each by the proxy its container is given; dialled again where that is another."""
    told: dict[str, Reached] = {}
    again: dict[str, Way] = {}
    for key, each in reached.items():
        way = way_of(given, each.destination, profile)
        if way is None or isinstance(each.answer, Unknown):
            told[key] = each
        elif isinstance(way, Unknown):
            told[key] = Reached(each.destination, way)
        elif way.proxy != proxy_of(profile):
            again[key] = way
        else:
            told[key] = _told(each.destination, each.answer, way)
    public = any(hides(reached[key].answer) for key in again)
    answers = yield from every(
        attempt(_by(reached[key].destination, way, public=public)) for key, way in again.items()
    )
    for (key, way), answer in zip(again.items(), answers, strict=True):
        told[key] = _told(reached[key].destination, answer, way)
    return {key: told[key] for key in reached}


def _told(destination: Destination, answer: DialAnswer | Unknown, way: Way) -> Reached:
    if isinstance(answer, DialAnswer):
        answer = replace(answer, proxy=way.proxy, proxy_from=way.place)
    return Reached(destination, answer)


def _by(destination: Destination, way: Way, *, public: bool) -> Dial:
    return replace(_inside(destination, way.proxy, public=public), anonymous=True)


def _inside(destination: Destination, proxy: str, *, public: bool = False) -> Dial:
    whole = dial(destination, proxy, public=public)
    return replace(whole, context=destination.context, proxy="" if destination.direct else proxy)


def _hindrance(answer: DialAnswer | Unknown, me: SelfAnswer | Unknown) -> Unknown | None:
    if isinstance(answer, Unknown):
        return answer
    if answer.error == "UNSUPPORTED":
        return Unknown("the target has no Python 3.6 or later")
    if answer.error != "NOROOM":
        return None
    root = isinstance(me, Unknown) or me.uid <= 0  # else nothing but root was tried
    return Unknown(answer.detail, lacks=None if root else Lack.ROOT)
