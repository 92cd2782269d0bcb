"""Rows of the rehearsed pulls: where each ended, and every request on the way there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from sesam_audit.destinations import PRIVATE_IMAGE, layer_host
from sesam_audit.errors import Unknown
from sesam_audit.facts.pull import REGISTRY, Pulled, Rehearsal, known
from sesam_audit.facts.pull_rights import allowed
from sesam_audit.facts.scene import Dialled
from sesam_audit.flow_rows import Judged, heard, moment, outward, row, shown, verdict
from sesam_audit.judge import Case
from sesam_audit.model import Finding, Flow

REGISTRY_ACCESS, LAYERS = "docker.registry-access", "outbound.docker-layers"
_PUBLIC = "the first bytes of an image's layer, as a pull is led to them"
_PRIVATE = f"the manifest of {PRIVATE_IMAGE}, with the login"
_SPENT = f"a layer's first bytes of {PRIVATE_IMAGE}, with the login (--spend-pull)"


def pulls(case: Case, judged: Judged) -> Iterator[Flow]:
    """The public pull, the private image's manifest, and its layer where that was asked for."""
    rehearsal, layers = case.known[Rehearsal], judged.get((LAYERS, None))
    access = judged.get((REGISTRY_ACCESS, None))
    if isinstance(rehearsal, Unknown):
        nowhere = "layers of a public image"
        yield _row(case, layers, rehearsal, _PUBLIC, nowhere, partial(known, rehearsal))
        yield _row(case, access, rehearsal, _PRIVATE, REGISTRY, partial(known, rehearsal))
        return
    public, now = rehearsal.public, case.then
    named = "layers of a public image"
    yield _row(case, layers, public, _PUBLIC, named, partial(rehearsal.layers, now))
    private = partial(_manifest, rehearsal, now)
    yield _row(case, access, rehearsal.private, _PRIVATE, REGISTRY, private)
    spent = rehearsal.spent
    if spent is not None:
        read = isinstance(spent, Pulled) and spent.read
        look = partial(_layer, rehearsal, now)
        yield _row(case, layers if read else access, spent, _SPENT, REGISTRY, look)


def _row(  # noqa: PLR0913, PLR0917 - what a row is made of
    case: Case,
    finding: Finding | None,
    pulled: Pulled | Unknown,
    purpose: str,
    begins: str,
    judge: Callable[[], Any],
) -> Flow:
    """Where one pull ended, else where it would begin."""
    host = pulled.host if isinstance(pulled, Pulled) else ""
    given = {**outward(layer_host(host or begins), case), "purpose": purpose}
    return row(given, finding, partial(_rehearsed, pulled, judge, case))


def _rehearsed(
    pulled: Pulled | Unknown, judge: Callable[[], Dialled], case: Case
) -> dict[str, Any]:
    """What the last connection of a pull brought. Raises Unknown when there was none."""
    if isinstance(pulled, Unknown):
        raise pulled
    if not pulled.answer.steps:
        judge()  # which knows why
    pulled.tried()
    scene, steps = pulled.scene(case.then), pulled.answer.steps
    hops = (f"{x.host}{x.path} {x.status or x.error or 'no answer'}" for x in steps)
    told = {**shown(scene, *verdict(judge)), **moment(heard(scene.answer), case)}
    if pulled.refused:
        told["http"] = "not reached"
    return {**told, "redirect": " -> ".join(hops)}


def _manifest(rehearsal: Rehearsal, now: datetime) -> Dialled:
    """Whether the registry itself decided about the login, whatever it decided."""
    pulled = known(rehearsal.private)
    if not pulled.answer.steps:
        allowed(rehearsal, now)
    ended = pulled.ended(now)
    return replace(ended, text=f"{pulled.host}: HTTP {pulled.status}") if ended.ok else ended


def _layer(rehearsal: Rehearsal, now: datetime) -> Dialled:
    """Whether a layer of the private image came; else how far its manifest did."""
    spent = rehearsal.spent
    if isinstance(spent, Pulled) and not spent.read:
        return _manifest(replace(rehearsal, private=spent), now)
    return rehearsal.spent_layer(now)
