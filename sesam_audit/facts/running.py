"""The stack's containers as they run now: how each fares, since when, and how often it fell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from msgspec import Struct

from sesam_audit.asks import DockerApi, Run, RunAnswer, Self, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.containers import Container, Containers
from sesam_audit.facts.engine import SOCKET, content, mapping
from sesam_audit.facts.stack import Stack
from sesam_audit.facts.stack_roles import updater
from sesam_audit.profile import Profile
from sesam_audit.wanted import SERVICES

LOOK = "cd /srv/data && sudo docker compose ps --all"
EVENTS = Run(
    (
        *("docker", "--host", f"unix://{SOCKET}", "events", "--since", "15m", "--until", "0s"),
        *("--filter", "type=container", "--filter", "event=start", "--filter", "event=kill"),
        *("--filter", "event=die", "--format"),
        '{{.TimeNano}} {{.ID}} {{.Action}} {{index .Actor.Attributes "exitCode"}}',
    )
)
"""What became of containers in the last quarter of an hour, as far as the daemon remembers."""

_STATE = (
    *("Status", "ExitCode", "OOMKilled", "Error", "StartedAt", "Pid"),
    *("Health.Status",),  # not its log: that is the output of the customer's own check
)
_KEEP = (
    *("Id", "RestartCount", "Mounts", "Config.Image"),
    *(f"State.{key}" for key in _STATE),
)
_STABLE = 600.0  # seconds without a fall that settle it, whatever happened before
_WINDOW = 60.0
_LOOP = 3  # falls that make a loop
_GRACE = 120.0  # a kill is answered by an end within this many seconds


class Fall(Struct, frozen=True):
    """An end that nobody asked for; `lived` is how long the container had run, if known."""

    code: int
    lived: float | None = None


class Mounted(Struct, frozen=True):
    """One bind mount as the container was made with it."""

    source: str
    destination: str


class RunningContainer(Struct, frozen=True, kw_only=True):
    """One container of the stack; times are seconds of the target's own clock."""

    name: str
    service: str = ""
    asked: str = ""  # the image by the name it was asked for
    image: str = ""  # the image's own number
    status: str = "running"  # or restarting, exited, created, paused, dead, removing
    health: str = ""  # starting, healthy, unhealthy; "" without a check
    code: int = 0
    oom: bool = False
    error: str = ""  # Docker's own words
    restarts: int = 0
    up: float = 0.0
    pid: int = 0
    mounts: tuple[Mounted, ...] = ()
    falls: tuple[Fall, ...] = ()

    @property
    def fault(self) -> str:
        """What is proved to be wrong with it; "" when nothing is."""
        ended = f"exit code {self.code}" + (", for lack of memory" if self.oom else "")
        words = {
            "restarting": f"starts again and again: {_times(self.restarts)} so far, {ended}",
            "exited": f"has ended ({ended})",
            "dead": f"has ended ({ended}) and cannot be removed",
            "created": "was made, but has never started",
            "paused": "is paused",
            "removing": "is being removed",
        }
        if self.status != "running":
            said = words.get(self.status, f"is {self.status}")
            return f"{said}: {self.error}" if self.error else said
        if self.health == "unhealthy":
            return "runs, but its own health check says that it is not well"
        if len(self.falls) >= _LOOP and self.up < self.calm:
            return (
                f"fell {_times(len(self.falls))} in the last 15 minutes"
                f" (exit code {self.falls[-1].code}), and runs for {span(self.up)} now"
            )
        return ""

    @property
    def calm(self) -> float:
        """Seconds it has to run before its last fall is history."""
        if not (self.falls or self.restarts):
            return 0.0
        lives = [fall.lived for fall in self.falls if fall.lived is not None]
        return min(_STABLE, max(_WINDOW, 2 * max(lives))) if lives else _STABLE

    def doubt(self, settled: float) -> str:
        """Why it cannot be told yet that it stays up; `settled` seconds are enough at best."""
        if self.health == "starting":
            return f"is still starting, by its own health check (for {span(self.up)})"
        if self.up >= max(self.calm, settled):
            return ""
        fell = f"fell {_times(max(len(self.falls), self.restarts))}, and " if self.calm else ""
        return (
            f"{fell}has run for {span(self.up)} so far; {span(max(self.calm, settled))} would tell"
        )

    def __str__(self) -> str:
        health = f", {self.health}" if self.health else ""
        fell = f", after {self.restarts} restarts" if self.restarts else ""
        return f"runs for {span(self.up)}{health}{fell}"


class RunningStack(Struct, frozen=True):
    """The containers of the compose project, by its labels, each as the daemon describes it."""

    containers: tuple[RunningContainer, ...]
    services: dict[str, str]  # what the product calls a service -> what the stack calls it

    def of(self, service: str) -> tuple[RunningContainer, ...]:
        """The containers of one of the product's four services; ended ones if no other is there.

        Raises:
            Unknown: the stack has no such service.
        """
        if service not in self.services:
            raise Unknown(f"the stack has no {service} (layout.compose-file)")
        mine = [each for each in self.containers if each.service == self.services[service]]
        there = [each for each in mine if each.status not in ("exited", "created", "dead")]
        return tuple(there or mine)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[RunningStack]:
        """List them, then look at each.

        Raises:
            Unknown: the stack does not render, or the daemon may not be asked.
        """
        stack, listed, me, told = yield from gather(
            Stack.ask(profile), Containers.ask(profile), Self(), attempt(EVENTS)
        )
        mine = [
            each
            for each in listed.containers
            if each.of_stack(stack.project) and each.service and not each.oneoff
        ]
        looked = yield from every(_inspected(each) for each in mine)
        ends = dict(_falls(told))
        found = (
            _container(each, record, me.time, ends.get(each.id, ()))
            for each, record in zip(mine, looked, strict=True)
            if record
        )
        return cls(tuple(found), dict(_services(stack)))


def span(seconds: float) -> str:
    """A length of time as people say it."""
    for length, word in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {word}"
    return f"{max(seconds, 0):.0f} s"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _services(stack: Stack) -> Iterator[tuple[str, str]]:
    for name, role in SERVICES.items():
        service = updater(stack) if role == "updater" else stack.role(role)
        if service is not None:
            yield name, service.name


def _inspected(container: Container) -> Steps[dict[str, Any]]:
    """What the daemon says of one container; nothing when it is gone meanwhile."""
    answer = yield from DockerApi(f"/containers/{container.id}/json", _KEEP)
    record = {} if answer.status == 404 else mapping(content(answer, dict))
    if record and not _text(record.get("State.Status")):
        raise Unknown(f"the daemon does not tell the state of {container.name}", LOOK)
    return record


def _container(
    listed: Container, record: dict[str, Any], now: float, falls: Sequence[Fall]
) -> RunningContainer:
    state = {key: record.get(f"State.{key}") for key in _STATE}
    started = moment(state["StartedAt"])
    mounts = record.get("Mounts")
    return RunningContainer(
        name=listed.name,
        service=listed.service,
        asked=_text(record.get("Config.Image")),
        image=listed.image_id,
        status=_text(state["Status"]),
        health=_text(state["Health.Status"]).replace("none", ""),
        code=_number(state["ExitCode"]),
        oom=state["OOMKilled"] is True,
        error=_text(state["Error"]),
        restarts=_number(record.get("RestartCount")),
        up=max(0.0, now - started) if started else 0.0,
        pid=_number(state["Pid"]),
        mounts=tuple(_mounts(mounts if isinstance(mounts, list) else ())),
        falls=tuple(falls),
    )


def _mounts(mounts: Sequence[object]) -> Iterator[Mounted]:
    for mount in map(mapping, mounts):
        source, destination = _text(mount.get("Source")), _text(mount.get("Destination"))
        if mount.get("Type") == "bind" and source.startswith("/") and destination.startswith("/"):
            yield Mounted(source, destination)


def moment(text: object) -> float | None:
    """Docker's time as Unix seconds; None for its zero and for what is no time."""
    plain = _text(text).partition(".")[0].removesuffix("Z")
    try:
        found = datetime.strptime(plain, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return found.timestamp() if found.year > 1970 else None


def _falls(told: RunAnswer | Unknown) -> Iterator[tuple[str, tuple[Fall, ...]]]:
    """The ends of each container that no kill had asked for, by its number."""
    if isinstance(told, Unknown) or told.error or told.code:
        return
    lines = [line.split() for line in told.out.splitlines()]
    events = [(int(x[0]) / 1e9, *x[1:]) for x in lines if len(x) > 2 and x[0].isdecimal()]
    for number in dict.fromkeys(str(event[1]) for event in events):
        mine = sorted(event for event in events if event[1] == number)
        yield number, tuple(_own_ends(mine))


def _own_ends(events: Sequence[tuple[Any, ...]]) -> Iterator[Fall]:
    begun = killed = None
    for at, _, action, *rest in events:
        if action == "start":
            begun, killed = at, None
        elif action == "kill":
            killed = at
        elif killed is None or at - killed > _GRACE:
            code = int(rest[0]) if rest and rest[0].isdecimal() else -1
            yield Fall(code, None if begun is None else at - begun)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
