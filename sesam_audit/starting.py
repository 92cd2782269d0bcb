"""The order of a start: check the request, reach for the hosts, and only then import the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sesam_audit.asking import profile_of, request_of, targets_of, way_of
from sesam_audit.host import approach
from sesam_audit.progress import Progress

if TYPE_CHECKING:
    from sesam_audit.audit import Audit
    from sesam_audit.collect import Collection
    from sesam_audit.request import Request


def start(hosts: Sequence[str], options: Mapping[str, Any]) -> tuple[Audit, Collection, Progress]:
    """Start an audit; ssh shakes hands while checks and facts are imported.

    Raises:
        UsageError: the request is wrong; no host was touched.
    """
    targets = targets_of(hosts)
    way = way_of(options, alone=len(targets) == 1)
    request = request_of(options, profile_of(options), way)
    audit = _audit(request) if request.names_checks else None
    progress = Progress(quiet=options["quiet"], total=len(targets))
    opened = approach(targets, way, request.jobs)
    audit = audit or _audit(request)
    return audit, audit.start(targets, progress, opened), progress


def _audit(request: Request) -> Audit:
    from sesam_audit.audit import Audit

    return Audit(request)
