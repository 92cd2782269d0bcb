"""The image that the node runs, and the one that its channel names now."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from shlex import quote

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import DockerApi, Stat, Steps
from sesam_audit.destinations import PRIVATE_IMAGE
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.containers import Containers
from sesam_audit.facts.earlier import channel_then
from sesam_audit.facts.engine import Engine, content, mapping
from sesam_audit.facts.pull import Rehearsal
from sesam_audit.facts.running import LOOK, RunningStack
from sesam_audit.facts.stack import Stack
from sesam_audit.profile import Profile

DIGEST = "docker-content-digest"
PATIENCE = timedelta(hours=26)  # the updater asks hourly; a day more for what may delay it
_KEPT = "{}/image/overlay2/imagedb/content/sha256/{}"  # written when an image is pulled
_DOCKER = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")


class LocalImage(Struct, frozen=True):
    """An image in Docker's store: the digests it was pulled by, and when that was."""

    digests: tuple[str, ...] = ()
    pulled: datetime | None = None
    number: str = ""


class NodeImage(Struct, frozen=True):
    """What the node's container runs, what the stack asks for, and what the store has of it."""

    asked: str  # the image by the name the container was made with
    wanted: str  # as the stack's file says now
    running: LocalImage | Unknown
    named: LocalImage  # what the wanted name leads to in the store, if anything
    rehearsal: Rehearsal | Unknown
    then: tuple[str, datetime] | Unknown | None = None  # the channel's digest in an earlier report

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
            by_hand = f"sudo docker image inspect {quote(self.asked)}"
            raise Unknown(f"{self.asked} was not pulled from a registry: it has no digest", by_hand)
        return self.running.digests

    def known_since(self) -> datetime | None:
        """Since when the channel's image is known: it lies in the store, or stood in a report.

        Raises:
            Unknown: there is an earlier report, but it cannot be read.
        """
        named, then = self.named, self.then
        if isinstance(then, Unknown):
            raise then
        moments = [named.pulled if self.channel in named.digests else None]
        moments += [then[1] if then and then[0] == self.channel else None]
        return min(filter(None, moments), default=None)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[NodeImage]:
        """Look at the container, at its image and at the channel's; nothing is pulled.

        Raises:
            Unknown: there is no such container, or it may not be looked at.
        """
        stack, running, mine, named, rehearsal = yield from gather(
            Stack.ask(profile),
            RunningStack.ask(profile),
            attempt(_mine(profile)),
            attempt(_named(profile)),
            attempt(Rehearsal.ask(profile)),
        )
        node, found = stack.role("node"), running.of("sesam-node")
        if node is None or not found:
            raise Unknown("there is no container of sesam-node (stack.services)", LOOK)
        named = LocalImage() if isinstance(named, Unknown) else named
        then = yield from attempt(_then(profile))
        return cls(found[0].asked, node.image, mine, named, rehearsal, then)


def overdue(since: datetime, now: datetime) -> bool:
    """Whether the updater has had its time."""
    return now - since > PATIENCE


def _then(profile: Profile) -> Steps[tuple[str, datetime] | None]:
    yield from every(())
    return channel_then(profile.earlier)


def _mine(profile: Profile) -> Steps[LocalImage]:
    """The image of the node's container."""
    stack, listed = yield from gather(Stack.ask(profile), Containers.ask(profile))
    node = stack.role("node")
    name = node.name if node else ""
    mine = [x for x in listed.containers if x.of_stack(stack.project) and x.service == name]
    running = [each for each in mine if each.state == "running"] or mine
    if not running or not running[0].image_id:
        raise Unknown("there is no container of sesam-node (stack.services)", LOOK)
    return (yield from _image(running[0].image_id))


def _named(profile: Profile) -> Steps[LocalImage]:
    """The image that the stack's file names, as the store has it, and when it came there."""
    stack, engine = yield from gather(Stack.ask(profile), Engine.ask(profile))
    node = stack.role("node")
    found = yield from _image(node.image if node else "")
    kept = yield from attempt(Stat(_KEPT.format(engine.root, found.number)))
    if isinstance(kept, Unknown) or kept.error or not kept.modified:
        return found
    return replace(found, pulled=datetime.fromtimestamp(kept.modified, timezone.utc))


def _image(name: str) -> Steps[LocalImage]:
    """One image of the store; nothing is known of it when it is not there."""
    answer = yield from DockerApi(f"/images/{name}/json", ("Id", "RepoDigests"))
    if answer.status == 404:
        return LocalImage()
    record = mapping(content(answer, dict))
    digests = record.get("RepoDigests")
    pairs = [str(x).partition("@") for x in (digests if isinstance(digests, list) else ())]
    return LocalImage(
        tuple(digest for name, _, digest in pairs if on_hub(name) == PRIVATE_IMAGE),
        number=str(record.get("Id") or "").removeprefix("sha256:"),
    )


def on_hub(name: str) -> str:
    """An image's name without its registry, where that is Docker Hub by one of its names."""
    return next((name.removeprefix(each) for each in _DOCKER if name.startswith(each)), name)
