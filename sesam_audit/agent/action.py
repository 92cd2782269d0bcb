"""What every kind of action can do; the runner asks nothing else of it."""

from typing import Any, Callable, Dict, Optional, Tuple

from .host import Host
from .paths import Facts
from .stop import Stop

__all__ = ["Action", "Facts", "Host", "Note", "Spec", "Stop", "UndoResult"]

Spec = Dict[str, Any]
Note = Callable[..., None]
UndoResult = Tuple[str, str]  # "undone", "left" (changed since) or "cannot", and words
BOOT_BOUND = ("id", "device")  # of a mount: other numbers after a reboot


class Action:
    """One step of a plan: what is there now, what is wanted, how to get there and back.

    `spec` is the plan's own words for it; `want` is its `after`.
    """

    kind = ""

    def __init__(self, spec: Spec, host: Host) -> None:
        self.spec = spec
        self.want: Dict[str, Any] = spec["after"]
        self.host = host

    def look(self) -> Facts:
        """The state now, as JSON: all that the plan is bound to and that undo needs."""
        raise NotImplementedError

    def holds(self, now: Facts) -> bool:
        """Say whether a state is the wanted one."""
        raise NotImplementedError

    def same(self, was: Facts, now: Facts) -> bool:
        """Say whether the state is the one that the plan was made for."""
        if self.host.rebooted:
            return bool(_lasting(was) == _lasting(now))
        return was == now

    def do(self, was: Facts, note: Note) -> None:
        """Make it so. `note(**facts)` puts what a later resume must know on the disk first."""
        raise NotImplementedError

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        """Finish what was interrupted after `begin`; `notes` is all that was noted, merged."""
        now = self.look()
        if self.holds(now):
            return
        if not self.same(was, now):
            raise Stop(
                "it was interrupted, and what is there now is neither what it began with nor"
                " what it wanted",
                kind="changed",
            )
        self.do(was, note)

    def sync(self) -> None:
        """Bring what was done to the disk, also when an interrupted attempt did it."""

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        """Take it back. `begun` has `before` and `notes`; `done` has `after`, or is None."""
        raise NotImplementedError

    def keeps(self, begun: Facts, done: Optional[Facts]) -> str:
        """What `finish` would remove of it, in words; "" when there is nothing."""
        return ""

    def finish(self, begun: Facts, done: Optional[Facts], note: Note) -> str:
        """Remove what was kept; says what, and what stays."""
        raise NotImplementedError


def _lasting(facts: Any) -> Any:
    """A look without the numbers that a reboot deals anew."""
    if isinstance(facts, list):
        return [_lasting(each) for each in facts]
    if not isinstance(facts, dict):
        return facts
    kept = {key: _lasting(value) for key, value in facts.items()}
    if isinstance(facts.get("mount"), dict):
        for key in BOOT_BOUND:
            kept["mount"].pop(key, None)
    return kept
