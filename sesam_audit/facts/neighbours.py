"""Containers that stand close to Sesam's without being Sesam's: by name, network or mount."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sesam_audit.asks import DockerApi, Steps
from sesam_audit.facts import gather
from sesam_audit.facts.containers import Container, Containers
from sesam_audit.facts.engine import content, mapping
from sesam_audit.facts.mounts import below
from sesam_audit.profile import Profile
from sesam_audit.wanted import NETWORKS, NODE, NODE_IMAGE, SERVICES, STORE, TREES

MOUNTS = DockerApi("/containers/json?all=1", ("Id", "Mounts"))
_IN_NODE = "/sesam"  # below it the node mounts what is its own


class Neighbours(Struct, frozen=True):
    """What is of others: `namesakes` have a name that the stack needs, and nothing else of it."""

    namesakes: tuple[Container, ...] = ()
    beside: tuple[tuple[Container, str], ...] = ()  # with what connects them

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Neighbours]:
        """Compare every container's network and mounts with those of the nodes.

        Raises:
            Unknown: the daemon did not answer.
        """
        known, told = yield from gather(Containers.ask(profile), MOUNTS)
        records = [each for each in content(told, list) if isinstance(each, dict)]
        mounts = {str(each.get("Id")): _mounts(each) for each in records}
        sesams = [each for each in known.containers if each.repository.startswith("sesam/")]
        nodes = [each.id for each in sesams if each.repository == NODE_IMAGE]
        inner = {at for node in nodes for to, at in mounts.get(node, ()) if below(to, _IN_NODE)}
        places = {STORE, NODE, *inner}
        projects = {each.project for each in sesams if each.project}
        others = [x for x in known.containers if x not in sesams and not (x.of_stack() or x.kept)]
        ties = [(each, _tie(each, mounts.get(each.id, ()), places)) for each in others]
        return cls(
            tuple(
                x for x, tie in ties if x.name in SERVICES and not tie and x.project not in projects
            ),
            tuple((x, tie) for x, tie in ties if tie and x.name not in SERVICES),
        )


def _tie(each: Container, mounts: tuple[tuple[str, str], ...], places: set[str]) -> str:
    """What connects a container with the stack; "" for nothing."""
    shared = [at for _, at in mounts if any(_shares(at, place) for place in places)]
    networks = [name for name in NETWORKS if name in each.networks]
    if shared:
        return f"has {shared[0]} mounted"
    return f"is on the network {networks[0]}" if networks else ""


def _shares(source: str, place: str) -> bool:
    """Whether a mount is in a place, or holds it, but is no more than our own trees."""
    holds = below(place, source) and any(below(source, tree) for tree in TREES)
    return below(source, place) or holds


def _mounts(record: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Where in the container, and what of the host."""
    listed = record.get("Mounts")
    told = map(mapping, listed if isinstance(listed, list) else ())
    pairs = ((str(x.get("Destination", "")), str(x.get("Source", ""))) for x in told)
    return tuple((to.rstrip("/"), at.rstrip("/")) for to, at in pairs if at.rstrip("/"))
