"""The phase that moves an installation from before: its containers rest, its store moves."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.facts.containers import Containers
from sesam_audit.facts.neighbours import Neighbours
from sesam_audit.facts.old_installation import OldInstallation
from sesam_audit.facts.port_owners import WEB_PORTS, PortOwners
from sesam_audit.facts.revivers import Revivers
from sesam_audit.site import Draft, Phase, Site, Step, Stop
from sesam_audit.wanted import store

GRACE = 600  # seconds for a node to close its store
_FIRST = ("login", "pull")
_GUIDE = "the guide, Migrate an old installation to use docker compose"


def migration(site: Site, draft: Draft) -> Phase:
    """Put the old containers to rest, the node last, then bring its store to its place."""
    old = site.need(OldInstallation)
    _note_revivers(site, draft, old)
    _note_neighbours(site, draft)
    if not old.containers and not old.moving:
        return
    resting = [each for each in old.moving if each.resting]
    if resting and not site.wishes.start:
        yield Stop(
            f"the old node is at rest as {resting[0].container}, and its store {resting[0].path}"
            " has not moved yet",
            "Go on without --no-start, or take that back: sesam-audit undo HOST",
        )
        return
    if not site.wishes.start:
        names = ", ".join(each.name for each in old.containers)
        draft.notes.append(f"the installation from before stays as it is, with --no-start: {names}")
        return
    yield from _namesakes(site)
    if not site.wishes.backup_made:
        draft.missing.append("a backup of the old store (--backup-made says that there is one)")
    places = {each.path for each in old.moving}
    if len(places) > 1:
        yield Stop(
            f"there are several old stores: {', '.join(sorted(places))}",
            "Say which one counts: stop and rename the container of the other",
        )
        return
    for each in old.containers:
        yield Step(
            kind="keep-container",
            title=f"Stop {each.name} and keep it aside ({each.image})",
            reason=f"{_GUIDE}; it is removed by finish only",
            after={"id": each.id, "name": each.name, "grace": GRACE},
            mends=site.open("docker.conflicts", "inbound.port-owner"),
        )
    for moved in old.moving[:1]:
        if not moved.path:
            yield Stop(
                f"{moved.container} keeps its data in no mount, but in the container itself",
                f"Copy them out first:\n\n    sudo docker cp {moved.container}:/sesam/data /srv/",
            )
            return
        if moved.licensed and site.wishes.license:
            draft.notes.append(
                f"the license in {moved.path} moves with the store; to replace it, run this again"
            )
        yield Step(
            kind="move-store",
            title=f"Move the store of {moved.container} to {store(site.profile)}",
            reason=f"{_GUIDE}; what is there now stays until finish",
            after={
                "source": moved.path,
                "target": store(site.profile),
                "way": "rename" if moved.renamed else "copy",
            },
        )


def _note_revivers(site: Site, draft: Draft, old: OldInstallation) -> None:
    found = site.maybe(Revivers)
    if found and found.files:
        steps = "; ".join(found.remedies)
        draft.notes.append(
            f"what starts the old installation again is yours to end, now and for good:"
            f" {', '.join(found.files)} ({steps})"
        )
    elif old.containers and found is None:
        draft.notes.append(f"{site.known[Revivers]}; look for units, timers and cron lines")


def _note_neighbours(site: Site, draft: Draft) -> None:
    found = site.maybe(Neighbours)
    draft.notes.extend(
        f"the container {each} {tie}, and is not Sesam's: it is not touched"
        for each, tie in (found.beside if found else ())
    )


def _namesakes(site: Site) -> Iterator[Stop]:
    """What nothing but a name makes Sesam's is put aside only when a person says so."""
    for each in site.need(Neighbours).namesakes:
        if each.name not in site.wishes.stop:
            made = f", of the compose project {each.project}," if each.project else ""
            yield Stop(
                f"the container {each}{made} has a name that the stack needs, and nothing shows"
                " that it is Sesam's",
                "Rename it yourself; where it belongs to the old installation, or may rest:"
                f" --stop {each.name}",
            )


def brings_license(site: Site) -> bool:
    """Whether a license comes into the store together with what moves there."""
    old = site.maybe(OldInstallation)
    return bool(old and site.wishes.start and any(each.licensed for each in old.moving))


def held_ports(site: Site, draft: Draft) -> str:
    """Why 80 and 443 will not be free, though what is put to rest is gone; "" when they will."""
    kept = {step.after["id"] for step in draft.steps if step.kind == "keep-container"}
    owners, containers = site.need(PortOwners), site.need(Containers).containers
    words = []
    for port in WEB_PORTS:
        owner = owners.of(port)
        mine = {each.id for each in containers if port in each.published and not each.of_stack()}
        freed = owner.kind == "container" and mine <= kept
        if owner.kind not in ("free", "stack") and not freed:
            words.append(f"port {port} is held by {owner.who}")
    return "; ".join(words)


def ordered(steps: list[Step]) -> list[Step]:
    """Images come before anything is stopped: the node rests as short as it can."""
    kinds = [step.kind for step in steps]
    if "keep-container" not in kinds:
        return steps
    at = kinds.index("keep-container")
    early = [step for step in steps[at:] if step.kind in _FIRST]
    return [*steps[:at], *early, *(step for step in steps[at:] if step not in early)]
