"""What a fault is: how it is put on a host, how it is taken away, and exactly what it changes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sesam_audit.level import Stage
from sesam_audit.requirement import Requirement, catalogue

from ..auditing import Outcomes
from ..host import LabHost
from ..internet import Internet
from ..lab import Lab

KEPT = "/run/kept"
RESTART_DOCKER = """systemctl daemon-reload
for n in 1 2 3; do
  systemctl reset-failed docker
  systemctl restart docker && break
  sleep 2
done
systemctl is-active --quiet docker
"""
FAILED, UNKNOWN, BLOCKED, PASSED = "failed", "unknown", "blocked", "passed"
NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong, or only looks so.

    `changes` names every finding that comes out otherwise than without the fault; what is blocked
    by those follows from the catalogue. Nothing in it: a false verdict to design out.
    """

    name: str
    changes: Mapping[str, str] = field(default_factory=dict)
    says: str = ""  # a pattern; a finding that changes says it
    scene: str = "perfect"
    keep: tuple[str, ...] = ()  # paths that are put back as they were
    seed: str = ""  # a script of the shell, inside, as root
    mend: str = ""  # before the paths are put back
    outside: Callable[[Lab, LabHost], None] | None = None  # undone by `reset`, `restore`
    restore: Callable[[Lab, LabHost], None] | None = None
    network: Callable[[Internet], None] | None = None
    settings: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # of the command line
    user: str = "auditor"

    @property
    def spoiled(self) -> set[str]:
        """The ids that do not hold, or cannot be told, because of the fault itself."""
        return set(map(_id, self._spoiled))

    @property
    def _spoiled(self) -> list[str]:
        spoils = (FAILED, UNKNOWN)
        return [name for name, outcome in self.changes.items() if outcome in spoils]

    def expected(self, baseline: Outcomes) -> Outcomes:
        """What differs from the baseline: the changes, and what they block."""
        blocked = dict.fromkeys(_findings(_dependents(self._spoiled), baseline), BLOCKED)
        return {**blocked, **self.changes}


def _id(name: str) -> str:
    return name.partition(" ")[0]


def _dependents(names: Iterable[str]) -> set[str]:
    """What needs one of these findings, directly or by way of another."""
    needing = {*names, *map(_id, names)}
    found: set[str] = set()
    while more := {x.id for x in catalogue().values() if needing & set(x.needs)} - found:
        found |= more
        needing |= more
    return found.difference(map(_id, names))


def _findings(ids: set[str], baseline: Outcomes) -> Iterator[str]:
    for name, outcome in baseline.items():
        if _id(name) in ids and outcome != NOT_APPLICABLE:
            yield name


def preflight() -> dict[str, Requirement]:
    """Every requirement of the default stage."""
    return {x.id: x for x in catalogue().values() if Stage.PREFLIGHT in x.stages}


# An audit's containers outlive it for a moment, and hold the networks they are on. A dockerd that
# is stopped while it removes a network panics at every start after it (20.10, libnetwork).
_ALONE = """
set -eu
room=label=sesam-audit.room
for _ in $(seq 100); do
  { docker ps -aq --filter $room; docker network ls -q --filter $room
    docker images -q --filter $room; } 2>/dev/null | grep -q . || break
  sleep 0.1
done
"""


@contextmanager
def seeded(fault: Fault, lab: Lab, host: LabHost) -> Iterator[None]:
    """The host with the fault; afterwards without it."""
    try:
        host.run("\n".join([_ALONE, f"mkdir {KEPT}", *map(_keep, fault.keep), fault.seed]))
        if fault.network:
            fault.network(lab.internet)
        if fault.outside:
            fault.outside(lab, host)
        yield
    finally:
        host.run("\n".join([_ALONE, fault.mend, *map(_put_back, fault.keep), f"rm -r {KEPT}"]))
        if fault.restore:
            fault.restore(lab, host)
        if fault.network:
            lab.internet.reset()
            lab.internet.publish(host.node_domain, host.public_address)


def _keep(path: str) -> str:
    at = shlex.quote(path)
    return f"if [ -e {at} ] || [ -L {at} ]; then cp -a --parents {at} {KEPT}; fi"


def _put_back(path: str) -> str:
    at = shlex.quote(path)
    kept = shlex.quote(KEPT + path)
    return f"rm -rf {at}; if [ -e {kept} ] || [ -L {kept} ]; then cp -a {kept} {at}; fi"


def matches(pattern: str, messages: Iterable[str]) -> bool:
    return any(re.search(pattern, text) for text in messages)
