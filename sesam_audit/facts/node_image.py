"""The image that the node runs, and the one that its channel names now."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec import Struct

from sesam_audit.asks import DockerApi, DockerApiAnswer, Steps
from sesam_audit.destinations import PRIVATE_IMAGE
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.engine import content, mapping
from sesam_audit.facts.pull import Rehearsal
from sesam_audit.facts.running import LOOK, RunningStack, moment
from sesam_audit.facts.stack import Stack
from sesam_audit.profile import Profile

DIGEST = "docker-content-digest"
PATIENCE = timedelta(hours=26)  # the updater asks hourly; a day more for what may delay it
_DOCKER = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")


class LocalImage(Struct, frozen=True):
    """An image in Docker's store: the digests it was pulled by, and when its name was given."""

    digests: tuple[str, ...] = ()
    tagged: datetime | None = None


class NodeImage(Struct, frozen=True):
    """What the node's container runs, what the stack asks for, and what the store has of it."""

    asked: str  # the image by the name the container was made with
    wanted: str  # as the stack's file says now
    running: LocalImage | Unknown
    named: LocalImage | Unknown | None  # what the wanted name leads to in the store
    rehearsal: Rehearsal | Unknown

    @property
    def channel(self) -> str:
        """The digest that the registry gives for the channel.

        Raises:
            Unknown: the registry did not tell.
        """
        pulled = self.rehearsal if isinstance(self.rehearsal, Unknown) else self.rehearsal.private
        if isinstance(pulled, Unknown):
            raise pulled
        told = (pulled.answer.last.headers if pulled.answer.last else None) or {}
        if pulled.status != 200 or not told.get(DIGEST):
            raise Unknown("the registry did not tell the channel's digest (docker.registry-access)")
        return told[DIGEST]

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests of what runs. Raises Unknown when they cannot be told."""
        if isinstance(self.running, Unknown):
            raise self.running
        if not self.running.digests:
            by_hand = f"sudo docker image inspect {self.asked}"
            raise Unknown(f"{self.asked} was not pulled from a registry: it has no digest", by_hand)
        return self.running.digests

    def waiting_since(self) -> datetime | None:
        """Since when the channel's image has lain in the store without being run."""
        named = self.named
        if not isinstance(named, LocalImage) or self.channel not in named.digests:
            return None
        return named.tagged

    @classmethod
    def ask(cls, profile: Profile) -> Steps[NodeImage]:
        """Find the node's container, then its image; the registry is asked without a pull.

        Raises:
            Unknown: there is no such container, or it may not be looked at.
        """
        stack, running, rehearsal = yield from gather(
            Stack.ask(profile), RunningStack.ask(profile), attempt(Rehearsal.ask(profile))
        )
        node, found = stack.role("node"), running.of("sesam-node")
        if node is None or not found or not found[0].image:
            raise Unknown("there is no container of sesam-node (stack.services)", LOOK)
        mine, named = yield from every(_image(each) for each in (found[0].image, node.image))
        absent = isinstance(named, Unknown) or not named.digests
        return cls(found[0].asked, node.image, mine, None if absent else named, rehearsal)


def overdue(since: datetime, now: datetime) -> bool:
    """Whether the updater has had its time."""
    return now - since > PATIENCE


def _image(name: str) -> Steps[LocalImage | Unknown]:
    """One image of the store; nothing is known of it when it is not there."""
    keep = ("RepoDigests", "Metadata.LastTagTime")
    answer = yield from attempt(DockerApi(f"/images/{name}/json", keep))
    try:
        return LocalImage() if _absent(answer) else _read(mapping(content(answer, dict)))
    except Unknown as unknown:
        return unknown


def _absent(answer: DockerApiAnswer | Unknown) -> bool:
    return isinstance(answer, DockerApiAnswer) and answer.status == 404


def _read(record: dict[str, Any]) -> LocalImage:
    digests = record.get("RepoDigests")
    pairs = [str(x).partition("@") for x in (digests if isinstance(digests, list) else ())]
    tagged = moment(record.get("Metadata.LastTagTime"))
    return LocalImage(
        tuple(digest for name, _, digest in pairs if _plain(name) == PRIVATE_IMAGE),
        datetime.fromtimestamp(tagged, timezone.utc) if tagged else None,
    )


def _plain(name: str) -> str:
    return next((name.removeprefix(each) for each in _DOCKER if name.startswith(each)), name)
