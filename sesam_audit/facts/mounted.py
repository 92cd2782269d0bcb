"""Whether running containers still see what lies at their paths on the host.

A bind mount holds a file or directory, not its name: what is replaced on the host, or comes to lie
under a mount, stays in the container as it was.
"""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Stat, StatAnswer, Steps
from sesam_audit.errors import AS_ROOT, Unknown, needs_root
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.running import LOOK, Mounted, RunningContainer, RunningStack
from sesam_audit.profile import Profile

_MISSING = ("ENOENT", "ENOTDIR")


class View(Struct, frozen=True):
    """One mount of a running container, from both ends."""

    container: RunningContainer
    mount: Mounted
    inside: StatAnswer | Unknown
    outside: StatAnswer | Unknown


class StackMounts(Struct, frozen=True):
    """Every bind mount of the stack's running containers."""

    views: tuple[View, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[StackMounts]:
        """Look at each from the host, and through /proc from the container."""
        stack = yield from RunningStack.ask(profile)
        mine = set(stack.services.values())
        mounts = [
            (each, mount)
            for each in stack.containers
            if each.service in mine and each.status == "running" and each.pid
            for mount in each.mounts
        ]
        if not mounts:
            raise Unknown("no container of the stack runs (stack.services)", LOOK)
        ends = yield from every(_ends(each, mount) for each, mount in mounts)
        return cls(
            tuple(
                View(each, mount, *both) for (each, mount), both in zip(mounts, ends, strict=True)
            )
        )

    def inspect(self) -> Inspection:
        """Compare device and inode of both ends."""
        found = Inspection()
        # Who falls meanwhile has nothing mounted; starting anew, it sees what lies there.
        there = [each for each in self.views if not _gone(each.inside)]
        for view in there:
            _compare(found, view)
        if not there:
            found.doubt(Unknown("no container stayed up to be looked at (stack.services)", LOOK))
        return found


def _ends(
    container: RunningContainer, mount: Mounted
) -> Steps[tuple[StatAnswer | Unknown, StatAnswer | Unknown]]:
    return (
        yield from gather(
            attempt(Stat(f"/proc/{container.pid}/root{mount.destination}")),
            attempt(Stat(mount.source)),
        )
    )


def _gone(inside: StatAnswer | Unknown) -> bool:
    return isinstance(inside, StatAnswer) and inside.missing


def _compare(found: Inspection, view: View) -> None:
    service, path, inside = view.container.service, view.mount.source, _thing(view.inside)
    outside = _thing(view.outside)
    if isinstance(inside, Unknown):
        found.doubt(inside)
    elif isinstance(outside, Unknown):
        found.doubt(outside)
    elif outside[0] in _MISSING:
        found.problem(f"{path} is gone, and {service} still works on what lay there")
    elif inside[1:] != outside[1:]:
        kind = f"a {inside[0]}" if inside[0] != outside[0] else "an older one"
        found.problem(f"{path} was replaced: {service} still sees {kind}")


def _thing(answer: StatAnswer | Unknown) -> tuple[str, int, int] | Unknown:
    """Kind, device and inode of what a path leads to; the error's name as kind when absent."""
    if isinstance(answer, Unknown):
        return answer
    if answer.missing:
        return answer.error or "", 0, 0
    end = answer.resolved
    if answer.error or (end is not None and end.error and end.error not in _MISSING):
        error = answer.error or (end.error if end else "")
        if error in ("EACCES", "EPERM"):
            return needs_root("what containers see is theirs and root's", f"{AS_ROOT} --stage live")
        return Unknown(f"a container's mount could not be compared: {error}", LOOK)
    if end is None:
        return answer.kind, answer.device, answer.inode
    return end.error or end.kind, end.device, end.inode
