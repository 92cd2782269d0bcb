"""Whether host, stack and license mean the same data directory, in the words of what is wrong."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts.data_directory import IN_CONTAINER, DataDirectory, Place
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile
from sesam_audit.wanted import LICENSE, NODE, STORE


class StrayLink(Struct, frozen=True):
    """What is called `data` inside the data directory."""

    inside: Place
    home: Place

    @property
    def to_itself(self) -> bool:
        return self.inside.kind == "link" and self.inside.same(self.home)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[StrayLink]:
        """Look into the data directory."""
        data = yield from DataDirectory.ask(profile)
        return cls((yield from Place.look(f"{data.path}/data")), data.home)


def inspect_link(data: DataDirectory) -> Inspection:
    """Data disk: /sesam/node-00/data has to lead to the store on /srv/data."""
    found, node = Inspection(), data.node
    found.doubt(node.doubt)
    if node.missing:
        found.problem(f"there is no {NODE}")
    elif node.kind and node.error == "ELOOP":
        found.problem(f"{NODE} is a link that leads back to itself")
    elif node.error == "ENOENT":
        found.problem(f"{NODE} is a dangling link: there is no {node.leads_to}")
    elif node.kind == "link":
        _judge_target(found, node, data.store)
    elif node.same(data.store):
        found.note(f"{NODE} is no link, but the same directory as {STORE} (a bind mount)")
    elif node.kind == "directory":
        found.problem(f"{NODE} is a directory of its own, where a link to {STORE} should be")
    elif node.kind:
        found.problem(f"{NODE} is a {node.kind}, where a link to {STORE} should be")
    return found


def _judge_target(found: Inspection, node: Place, store: Place) -> None:
    found.doubt(store.doubt)
    if not node.directory:
        found.problem(f"{NODE} leads to {node.leads_to}, which is a {node.leads_kind}")
    elif not node.same(store) and not store.doubt:
        found.problem(f"{NODE} leads to {node.leads_to}, not to {STORE}")


def inspect_no_link(data: DataDirectory) -> Inspection:
    """Root disk: /sesam/node-00/data has to be the directory itself."""
    found, node = Inspection(), data.node
    found.doubt(node.doubt)
    if node.missing:
        found.problem(f"there is no {NODE}")
    elif node.kind == "link":
        found.problem(
            f"{NODE} is a link to {node.leads_to}; on the root disk it has to be a directory"
        )
    elif node.kind and node.kind != "directory":
        found.problem(f"{NODE} is a {node.kind}, not a directory")
    return found


def inspect_agreement(data: DataDirectory) -> Inspection:
    """The node's directory, the stack's and the license's have to be one and the same."""
    found = Inspection()
    home = _judge_mount(found, data)
    found.doubt(data.licenses_doubt)
    places = {p.path: p for p in (data.node, data.store, home) if p}
    unseen = [path for path in data.licenses if home and not home.same(places[path])]
    seen = len(data.licenses) - len(unseen)
    if home and home.directory and unseen and seen:
        found.note(f"a second {LICENSE}, which the node does not see, lies in {unseen[0]}")
    elif home and home.directory and unseen:
        found.problem(f"{LICENSE} lies in {unseen[0]}, but the stack's node reads {home.path}")
    return found


def _judge_mount(found: Inspection, data: DataDirectory) -> Place | None:
    """Compare the host's place with the stack's, which is returned when it is known."""
    bound, node = data.bound, data.node
    if isinstance(bound, Unknown):
        found.doubt(bound)
        return None
    if bound is None:
        found.problem(f"the stack mounts nothing on {IN_CONTAINER}: the node would start empty")
        return None
    if bound.doubt or node.doubt:
        found.doubt(bound.doubt or node.doubt)
    elif bound.missing:
        found.problem(
            f"the stack mounts {bound.path} on {IN_CONTAINER}, which does not exist: Docker would"
            " make it, and the node would start empty"
        )
    elif not bound.same(node):
        at = node.leads_to or NODE
        found.problem(f"the stack mounts {bound.path} on {IN_CONTAINER}, but {NODE} is {at}")
    return bound
