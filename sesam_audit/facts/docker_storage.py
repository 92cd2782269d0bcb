"""How much room images and containers have: on Docker's own root and on containerd's."""

from __future__ import annotations

from shlex import quote

from msgspec import Struct

from sesam_audit.asks import Space, Stat, Steps, denied
from sesam_audit.facts import every, gather
from sesam_audit.facts.daemon_settings import ContainerdSettings
from sesam_audit.facts.engine import Engine
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size

CONTAINERD = "/var/lib/containerd"


class Room(Struct, frozen=True):
    """What is free where one of the roots lies."""

    path: str
    available: Size


class DockerStorage(Struct, frozen=True):
    """The roots that exist; containerd's is absent where dockerd keeps its own."""

    rooms: tuple[Room, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DockerStorage]:
        """Learn where the roots are, then measure what is free there."""
        engine, config = yield from gather(Engine.ask(profile), ContainerdSettings.ask(profile))
        roots = (engine.answering().root, config.root or CONTAINERD)
        spaces, stats = yield from gather(every(map(Space, roots)), every(map(Stat, roots)))
        rooms = []
        for path, space, stat in zip(roots, spaces, stats, strict=True):
            if stat.missing and path != roots[0]:
                continue
            if space.error:
                raise denied(space, path, f"df -h {quote(path)}")
            rooms.append(Room(path, Size(space.available)))
        return cls(tuple(rooms))
