"""CPU: how many processors the containers really get."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import File, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.cgroups import ControlGroups, Limit, numbers
from sesam_audit.facts.engine import Engine
from sesam_audit.profile import Profile

ONLINE = "/sys/devices/system/cpu/online"
PRESENT = "/sys/devices/system/cpu/present"


class Cpu(Struct, frozen=True):
    """Processors that are switched on, and what leaves fewer of them to the containers."""

    online: int
    offline: int = 0
    limits: tuple[Limit, ...] = ()

    @property
    def limit(self) -> Limit | None:
        """The tightest limit that leaves less than what is online."""
        tight = [limit for limit in self.limits if limit.value < self.online]
        return min(tight, key=lambda limit: limit.value, default=None)

    @property
    def effective(self) -> float:
        return self.limit.value if self.limit else self.online

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Cpu]:
        """Count what is online; Docker's count and the control groups may be lower."""
        online, present, groups, engine = yield from gather(
            File(ONLINE),
            File(PRESENT),
            ControlGroups.ask(profile),
            attempt(Engine.ask(profile)),
        )
        text = online.read(ONLINE)
        if not text:
            raise Unknown(f"{ONLINE} is not there", "nproc --all")
        count = len(numbers(text))
        limits = groups.cpus
        if not isinstance(engine, Unknown) and engine.cpus:
            limits += (Limit("the Docker daemon", engine.cpus),)
        return cls(count, max(0, len(numbers(present.text)) - count), limits)
