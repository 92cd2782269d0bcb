"""The data directory: the one place that node, license and data partition have to agree on."""

from __future__ import annotations

from shlex import quote

from msgspec import Struct

from sesam_audit.asks import Stat, StatAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.stack import Stack
from sesam_audit.profile import Profile
from sesam_audit.wanted import LICENSE, NODE, STORE
from sesam_audit.wanted import store as wanted_store

IN_CONTAINER = "/sesam/data"


class Place(Struct, frozen=True):
    """A path, and which directory it leads to after all links."""

    path: str
    kind: str = ""  # of the path itself: directory, link, file, ...; "" when it is not there
    leads_to: str = ""
    leads_kind: str = ""
    identity: tuple[int, int] | None = None  # device and inode of what it leads to
    error: str | None = None  # ENOENT: missing or dangling; ELOOP; EACCES: not told

    @property
    def missing(self) -> bool:
        """Proved absent: neither the path nor a link is there."""
        return not self.kind and self.error in ("ENOENT", "ENOTDIR")

    @property
    def directory(self) -> bool:
        return self.leads_kind == "directory"

    @property
    def doubt(self) -> Unknown | None:
        """Why it cannot be told what is there, if so."""
        if self.error in (None, "ENOENT", "ENOTDIR"):
            return None
        if self.error == "ELOOP":  # of the path's own link it is known
            words = f"{self.path} is not reached: a link above it leads back to itself"
            return None if self.kind else Unknown(words, f"namei -l {quote(self.path)}")
        return denied(StatAnswer(error=self.error), self.path)

    def same(self, other: Place) -> bool:
        """Whether both lead to one and the same thing."""
        return self.identity is not None and self.identity == other.identity

    @classmethod
    def of(cls, path: str, answer: StatAnswer) -> Place:
        """What the answer to `Stat(path)` says."""
        if answer.error:
            return cls(path, error=answer.error)
        end = answer.resolved
        if answer.kind != "link" or end is None:
            return cls(path, answer.kind, path, answer.kind, identity=(answer.device, answer.inode))
        if end.error:
            return cls(path, "link", end.path or answer.target, error=end.error)
        return cls(path, "link", end.path, end.kind, identity=(end.device, end.inode))

    @classmethod
    def look(cls, path: str) -> Steps[Place]:
        """Ask where a path leads."""
        return cls.of(path, (yield from Stat(path)))


class DataDirectory(Struct, frozen=True):
    """The data directory as the host, the stack and the license see it.

    `path` is the one that counts: where all agree, else the one of the chosen variant.
    """

    path: str
    node: Place
    store: Place
    bound: Place | Unknown | None = None
    """The host's side of /sesam/data in the stack's node; None when nothing is mounted there."""
    licenses: tuple[str, ...] = ()  # the directories in which a license.key lies
    licenses_doubt: Unknown | None = None  # a place in which it could not be looked for

    @property
    def license(self) -> str:
        return f"{self.path}/{LICENSE}"

    @property
    def home(self) -> Place:
        """What is at `path`."""
        return self.store if self.path == STORE else self.node

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DataDirectory]:
        """Look at both documented places at once, and at the stack's own if it is another."""
        stack, places, licenses = yield from gather(
            attempt(Stack.ask(profile)),
            every(Place.look(path) for path in (NODE, STORE)),
            every(Place.look(f"{path}/{LICENSE}") for path in (NODE, STORE)),
        )
        source = (
            stack if isinstance(stack, Unknown) else _source(stack, link=places[0].kind == "link")
        )
        if isinstance(source, str) and source not in (NODE, STORE):
            place, license_key = yield from every(map(Place.look, (source, f"{source}/{LICENSE}")))
            places, licenses = (*places, place), (*licenses, license_key)
        known = {place.path: place for place in places}
        bound = known[source] if isinstance(source, str) else source
        return cls(
            path=_agreed(wanted_store(profile), places[0], places[1], bound),
            node=places[0],
            store=places[1],
            bound=bound,
            licenses=tuple(p.path.removesuffix(f"/{LICENSE}") for p in licenses if p.kind),
            licenses_doubt=next((p.doubt for p in licenses if p.doubt), None),
        )


def _source(stack: Stack, *, link: bool) -> str | None:
    """The host's side of the node's data; a link inside another mount leads nowhere in there."""
    node = stack.role("node")
    mount = node.mount_of(IN_CONTAINER) if node else None
    if node is None or mount is None or (link and mount.target.rstrip("/") != IN_CONTAINER):
        return None
    return node.on_host(IN_CONTAINER)


def _agreed(default: str, node: Place, store: Place, bound: Place | Unknown | None) -> str:
    """Where host and stack agree on another place, the name by which the host knows it."""
    agree = isinstance(bound, Place) and bound.directory and bound.same(node)
    return NODE if agree and not store.same(node) else default
