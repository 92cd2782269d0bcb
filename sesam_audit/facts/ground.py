"""What a plan is made on: the places that apply writes to, and numbers that nobody has yet."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sesam_audit.asks import (
    Account,
    File,
    Names,
    NamesAnswer,
    Self,
    Stat,
    StatAnswer,
    Steps,
    WalkAnswer,
    denied,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts import every, gather
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.data_directory import DataDirectory, Place
from sesam_audit.facts.ownership import PassedOver, walk_of
from sesam_audit.profile import Profile
from sesam_audit.wanted import (
    CERTIFICATE,
    CERTIFICATE_KEY,
    CERTIFICATES,
    COMPOSE_FILE,
    ENV_FILE,
    LOGIN_FILE,
    NODE,
    STORE,
    TRAEFIK_FILE,
    directories,
)

_FILES = (
    *(COMPOSE_FILE, ENV_FILE, TRAEFIK_FILE, LOGIN_FILE),
    *(f"{CERTIFICATES}/{name}" for name in (CERTIFICATE, CERTIFICATE_KEY)),
)
_FIRST = 1500  # above what people are given, so that useradd goes on where it was
_CANDIDATES = 5


class Ground(Struct, frozen=True):
    """Every directory and file that apply may make, as it is now."""

    places: dict[str, StatAnswer]
    in_node: NamesAnswer  # what /sesam/node-00/data holds, link or directory
    in_store: NamesAnswer  # what the place behind the link holds, on the root disk too

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Ground]:
        """Look at all of them in one round."""
        paths = (*(each.path for each in directories(profile)), *_FILES)
        places, in_node, in_store = yield from gather(
            every(map(Stat, paths)), Names(NODE), Names(STORE)
        )
        return cls(dict(zip(paths, places, strict=True)), in_node, in_store)


class Bound(Struct, frozen=True):
    """What lies where the stack's node has its data now."""

    place: Place | None  # None: the stack binds nothing, or there is no stack that renders
    names: NamesAnswer

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Bound]:
        """Look into it."""
        place = (yield from DataDirectory.ask(profile)).bound
        if not isinstance(place, Place):
            return cls(None, NamesAnswer())
        return cls(place, (yield from Names(place.path)))


class Number(Struct, frozen=True):
    """The numbers of user and group sesam: theirs, or one that is free as both."""

    user: int
    group: int

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Number]:
        """Read the files, then ask the name services about the first candidates.

        Raises:
            Unknown: none was found, or a group sesam has a number that a user has.
        """
        sesam, passwd, group = yield from gather(
            SesamUser.ask(profile),
            File("/etc/passwd", limit=1_048_576),
            File("/etc/group", limit=1_048_576),
        )
        if sesam.exists:
            return cls(sesam.uid, sesam.group_id)
        for path, answer in (("/etc/passwd", passwd), ("/etc/group", group)):
            if answer.error or answer.cut:
                raise denied(answer, path)
        users, groups = set(_numbers(passwd.text)), set(_numbers(group.text))
        wanted = _candidates(sesam.own_group, users, groups)
        answers = yield from every(Account(str(number)) for number in wanted)
        free = [n for n, answer in zip(wanted, answers, strict=True) if answer.missing]
        if not free:
            raise Unknown("no number was found that is free for a user and a group", "getent group")
        return cls(free[0], free[0])


def _numbers(text: str) -> Iterator[int]:
    """The third field of each line, and the fourth where it is a number: a user's group."""
    for line in text.splitlines():
        yield from (int(word) for word in line.split(":")[2:4] if word.isascii() and word.isdigit())


def _candidates(group: int | None, users: set[int], groups: set[int]) -> list[int]:
    if group is not None:
        return [group] if group not in users else []
    taken = users | groups
    return [n for n in range(_FIRST, _FIRST + 1000) if n not in taken][:_CANDIDATES]


class Strangers(Struct, frozen=True):
    """What is not sesam's where everything should be, also before there is a sesam."""

    walk: WalkAnswer
    skip: tuple[str, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Strangers]:
        """Walk with the numbers that sesam has or will get."""
        number, skip = yield from gather(Number.ask(profile), PassedOver.ask(profile))
        if skip.unread is not None:
            raise skip.unread
        walk = yield from walk_of(number.user, number.group, skip.paths)
        return cls(walk, skip.paths)


class Caller(Struct, frozen=True):
    """Who apply is on the host."""

    uid: int
    user: str

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Caller]:
        """Ask the probe."""
        me = yield from Self()
        return cls(me.uid, me.user)
