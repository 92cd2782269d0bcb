"""The order of a start: check the request, reach for the hosts, and only then import the rest."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sesam_audit.asking import profile_of, request_of, targets_of, way_of
from sesam_audit.errors import HostError
from sesam_audit.host import Conversation, Target, Way
from sesam_audit.progress import Progress

if TYPE_CHECKING:
    from sesam_audit.audit import Audit
    from sesam_audit.collect import Collection
    from sesam_audit.request import Request


_OWN_FILES = 40  # open files that stay free for imports and reports
_PIPES = 4  # of a program: three, and what waits for them
_FILES = 48  # of a host: its program's while it starts, and the auditor's own dials


@dataclass(frozen=True)
class Errand:
    """What was asked for, checked; it can be run more than once."""

    targets: list[Target]
    request: Request
    quiet: bool

    @classmethod
    def of(cls, hosts: Sequence[str], options: Mapping[str, Any]) -> Errand:
        """Read hosts and options, and passwords where they are asked for.

        Raises:
            UsageError: the request is wrong; no host was touched.
        """
        targets = targets_of(hosts)
        way = way_of(options, alone=len(targets) == 1)
        request = request_of(options, profile_of(options), way)
        jobs = _affordable(min(request.jobs, len(targets)), len(request.profile.vantages))
        return cls(targets, replace(request, jobs=jobs), options["quiet"])

    def start(self) -> tuple[Audit, Collection, Progress]:
        """Start an audit; ssh shakes hands while checks and facts are imported."""
        request = self.request
        audit = _audit(request) if request.names_checks else None
        progress = Progress(quiet=self.quiet, total=len(self.targets))
        opened = approach(self.targets, request.way, request.jobs)
        audit = audit or _audit(request)
        return audit, audit.start(self.targets, progress, opened), progress


def _affordable(jobs: int, vantages: int) -> int:
    """How many hosts at once this process may have files open for; its limit is raised for them."""
    import resource  # not for --help

    each = _FILES + _PIPES * vantages
    wanted = _OWN_FILES + jobs * each
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return jobs
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = raised
    return max(1, min(jobs, (soft - _OWN_FILES) // each))


def approach(targets: Sequence[Target], way: Way, width: int) -> dict[str, Conversation]:
    """Start reaching the first hosts at once: ssh shakes hands while we import the checks.

    A start that fails is tried again when the host is asked, and is that host's own trouble.
    """
    opened = {}
    for target in targets[:width]:
        with contextlib.suppress(HostError):
            opened[target.spec] = Conversation(target, way)
    return opened


def start(hosts: Sequence[str], options: Mapping[str, Any]) -> tuple[Audit, Collection, Progress]:
    """Check what is asked for, and start an audit.

    Raises:
        UsageError: the request is wrong; no host was touched.
    """
    return Errand.of(hosts, options).start()


def _audit(request: Request) -> Audit:
    from sesam_audit.audit import Audit

    return Audit(request)
