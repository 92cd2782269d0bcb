"""An installation from before this stack: its containers, and where its node keeps the store."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sesam_audit.agent.places import store_of
from sesam_audit.asks import DockerApi, Stat, StatAnswer, Steps
from sesam_audit.facts import every, gather
from sesam_audit.facts.containers import Container, Containers
from sesam_audit.facts.engine import content
from sesam_audit.facts.mounts import Mounts
from sesam_audit.profile import Profile
from sesam_audit.wanted import LICENSE, LOGS_IMAGE, NODE_IMAGE, PROJECT, SERVICES, store

_LAST = {NODE_IMAGE: 2, LOGS_IMAGE: 1}  # the updater and the door first, the node at the end
_KEYS = ("Id", "Args", "Mounts")


class OldStore(Struct, frozen=True):
    """Where a container's data lie: a directory of the host, or "" for its own writable layer."""

    container: str
    path: str = ""
    licensed: bool = False
    renamed: bool = False  # on the mount of the new place: it needs no copy
    here: bool = False  # it is the new place
    resting: bool = False  # an apply put the container to rest, and did not come to the store


class OldInstallation(Struct, frozen=True):
    """Sesam's containers that the stack of /srv/data did not make, in the order of their end.

    `stores` also has those that an interrupted apply left behind with a container it put to rest.
    """

    containers: tuple[Container, ...] = ()
    stores: tuple[OldStore, ...] = ()

    @property
    def moving(self) -> tuple[OldStore, ...]:
        """The stores that are not where the stack wants them."""
        return tuple(each for each in self.stores if not each.here)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[OldInstallation]:
        """Find the containers, then the nodes' arguments and mounts, then what is there.

        Raises:
            Unknown: the daemon did not answer.
        """
        everything, mounts = yield from gather(Containers.ask(profile), Mounts.ask(profile))
        old = sorted(
            (each for each in everything.containers if _sesams(each)),
            key=lambda each: (_LAST.get(each.repository, 0), each.name),
        )
        resting = [each for each in everything.containers if each.kept]
        nodes = [each for each in (*old, *resting) if each.repository == NODE_IMAGE]
        told = yield from every(DockerApi(f"/containers/{e.id}/json", _KEYS) for e in nodes)
        places = [store_of(content(answer, dict)) for answer in told]
        target = store(profile)
        found = yield from every(
            Stat(path) for place in places for path in (target, place, f"{place}/{LICENSE}")
        )
        stores = (
            _store(node, place, found[3 * number : 3 * number + 3], mounts, target)
            for number, (node, place) in enumerate(zip(nodes, places, strict=True))
        )
        return cls(tuple(old), tuple(each for each in stores if each is not None))


def _sesams(container: Container) -> bool:
    """One that is labelled as the stack's stays that under every name: compose would start it."""
    if container.of_stack() or container.kept or container.project == PROJECT:
        return False
    return container.repository.startswith("sesam/") or container.name in SERVICES


def _store(
    node: Container, place: str, found: Sequence[StatAnswer], mounts: Mounts, target: str
) -> OldStore | None:
    """None for a container at rest whose store has moved: nothing is left where it was."""
    wanted, there, license_there = found
    if node.kept and (not place or there.missing):
        return None
    if not place:
        return OldStore(node.name)
    same = not wanted.error and _identity(wanted) == _identity(there)
    return OldStore(
        node.name,
        place,
        licensed=not license_there.error,
        renamed=mounts.holding(place) == mounts.holding(target),
        here=place == target or same,
        resting=node.kept,
    )


def _identity(found: StatAnswer) -> tuple[int, int]:
    """Device and inode of what a path leads to."""
    end = found.resolved or found
    return end.device, end.inode
