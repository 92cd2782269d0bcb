"""Clock: how far the target's clock is off."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from msgspec import Struct

from sesam_audit.asks import Contact, Self, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.reach import Reach
from sesam_audit.profile import Profile

AGREEMENT = 60.0
"""Seconds by which two services may differ and still be believed without a third."""


class Clock(Struct, frozen=True):
    """Seconds the target is ahead of something trusted, give or take `doubt`."""

    ahead: float
    of: str
    doubt: float = 0.0

    @property
    def words(self) -> str:
        """Say it, as in "12.0 s behind 3 authentic services"."""
        side = "ahead of" if self.ahead >= 0 else "behind"
        give = f" (± {self.doubt:.1f} s)" if self.doubt >= 0.1 else ""
        return f"{abs(self.ahead):.1f} s {side} {self.of}{give}"

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Clock]:
        """Compare with the dates of authentic services, else with the auditor's clock."""
        reach, auditor = yield from gather(attempt(Reach.ask(profile)), attempt(_auditor()))
        services = None if isinstance(reach, Unknown) else by_services(reach.offsets())
        if services:
            return services
        if isinstance(auditor, Unknown):
            raise auditor
        return auditor


def by_services(offsets: Mapping[str, float]) -> Clock | None:
    """The clock against the median of the services' dates; None when they cannot outvote one."""
    values = sorted(offsets.values())
    if len(values) < 2 or (len(values) == 2 and values[1] - values[0] > AGREEMENT):
        return None
    # A Date is cut to whole seconds: half a second late on average.
    return Clock(median(values) - 0.5, f"{len(values)} authentic services", 0.5)


def _auditor() -> Steps[Clock]:
    """The target's clock against ours; it was read somewhere within the first exchange."""
    me = yield from Self()
    contact = yield from Contact()
    if contact.scheme == "local":
        raise Unknown("nothing to compare the clock with: no authentic service answered", "date -u")
    if not (me.time and contact.asked and contact.answered):
        raise Unknown("the target did not tell its clock", "date -u")
    middle = (contact.asked + contact.answered) / 2
    return Clock(me.time - middle, "the auditor's clock", (contact.answered - contact.asked) / 2)
