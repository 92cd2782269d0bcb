"""What keeps a store from being left behind when the stack's file is written anew."""

from __future__ import annotations

from sesam_audit.asks import denied
from sesam_audit.errors import Unknown
from sesam_audit.facts.data_directory import IN_CONTAINER, DataDirectory
from sesam_audit.facts.ground import Bound, Ground
from sesam_audit.facts.inspection import listed
from sesam_audit.facts.stack_files import StackFiles
from sesam_audit.site import Site, Stop
from sesam_audit.wanted import NODE, STORE, store


def left_behind(site: Site) -> Stop | None:
    """A store that the stack has now, or that lies ready for it, where ours would not look."""
    data, bound, ground = site.need(DataDirectory), site.need(Bound), site.need(Ground)
    home = data.store if store(site.profile) == STORE else data.node
    if volume := _volume(site):
        return Stop(
            f"the stack has its data in the volume {volume}, and would be started on {home.path}",
            f"With the stack stopped and a backup made, move what the volume holds to {home.path};"
            " where it was never started, take the volume out of its file",
        )
    found = [(bound.place, bound.names)] if bound.place else []
    if home.path == NODE:
        found.append((data.store, ground.in_store))
    for place, inside in found:
        if place.path == home.path or place.same(home) or inside.missing:
            continue
        if inside.error:
            raise denied(inside, place.path)
        if inside.names:
            return Stop(
                f"{place.path} holds {listed(inside.names, 3)}, and the stack would be started on"
                f" {home.path}",
                "Say which one is the store: use --set data=datadisk or --set data=rootdisk, or"
                " with the stack stopped and a backup made, move what it holds to"
                f" {home.path}, and leave it empty",
            )
    return None


def _volume(site: Site) -> str:
    """The volume that is the node's data directory, in the stack there is; "" when none is."""
    rendering = site.need(StackFiles).rendering
    stack = None if isinstance(rendering, Unknown) else rendering.stack
    node = stack.role("node") if stack else None
    there = node.mounts if node else ()
    mounts = [m for m in there if f"{IN_CONTAINER}/".startswith(f"{m.target}/")]
    deepest = max(mounts, key=lambda m: len(m.target), default=None)
    return deepest.source if deepest and deepest.type == "volume" else ""
