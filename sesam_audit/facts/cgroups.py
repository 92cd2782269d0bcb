"""Control groups: how much of the machine the containers may use."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import File, FileAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.daemon_settings import DaemonSettings
from sesam_audit.facts.engine import Engine
from sesam_audit.profile import Profile

ROOT = "/sys/fs/cgroup"
_ALL, _OWN, _SYSTEMD = _USUAL = ("", "/docker", "/system.slice")  # Docker's own driver; systemd's
_FILES = (
    *("cpu.max", "cpuset.cpus.effective", "memory.max"),
    *("cpu/{}/cpu.cfs_quota_us", "cpu/{}/cpu.cfs_period_us"),
    *("cpuset/{}/cpuset.effective_cpus", "memory/{}/memory.limit_in_bytes"),
)
_UNLIMITED = 2**60  # cgroup v1 writes "no limit" as a number near 2^63


class Limit(Struct, frozen=True):
    """How many CPUs, or bytes, somebody leaves to the containers."""

    by: str
    value: float


class ControlGroups(Struct, frozen=True):
    """The limits on the group that Docker puts containers into, and on those above it."""

    cpus: tuple[Limit, ...] = ()
    memory: tuple[Limit, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ControlGroups]:
        """Learn the group from Docker, then read version 2 and version 1; absent is unlimited."""
        engine, daemon, usual = yield from gather(
            attempt(Engine.ask(profile)), DaemonSettings.ask(profile), every(map(_group, _USUAL))
        )
        groups = dict(zip(_USUAL, usual, strict=True))
        driver = "" if isinstance(engine, Unknown) else engine.cgroup_driver
        parent = daemon.text("cgroup-parent")
        chain = _chain(parent, driver or _usual_driver(groups))
        more = [group for group in chain if group not in groups]
        groups |= dict(zip(more, (yield from every(map(_group, more))), strict=True))
        limits = [_limits(ROOT + group, _texts(groups[group])) for group in chain]
        return cls(
            cpus=tuple(limit for cpus, _ in limits for limit in cpus),
            memory=tuple(limit for _, memory in limits for limit in memory),
        )


def _group(group: str) -> Steps[dict[str, FileAnswer]]:
    paths = [_path(group, name) for name in _FILES]
    return dict(zip(paths, (yield from every(map(File, paths))), strict=True))


def _texts(group: dict[str, FileAnswer]) -> dict[str, str]:
    """The files that are there, by name.

    Raises:
        Unknown: one cannot be read.
    """
    texts = {path.rpartition("/")[2]: answer.read(path) for path, answer in group.items()}
    return {name: text.strip() for name, text in texts.items() if text is not None}


def _usual_driver(groups: dict[str, dict[str, FileAnswer]]) -> str:
    """What Docker takes by itself: systemd with version 2; groups may be left of another time."""
    there = {
        group: {path.rpartition("/")[2] for path, answer in files.items() if not answer.missing}
        for group, files in groups.items()
    }
    second = there[_SYSTEMD].intersection(_FILES)  # names of version 1 stand below a controller
    own = there[_OWN] and not second
    return "cgroupfs" if own else "systemd"


def _chain(parent: str, driver: str) -> list[str]:
    """The group of the containers, with all above it."""
    if driver == "cgroupfs":
        home = parent or _OWN
        home = home if home.startswith("/") else f"{_SYSTEMD}/docker.service/{home}"
    elif parent.endswith(".slice"):  # a-b.slice lies in a.slice
        words = parent.removesuffix(".slice").split("-")
        home = "".join(f"/{'-'.join(words[: n + 1])}.slice" for n in range(len(words)))
    else:
        home = _SYSTEMD
    parts = home.strip("/").split("/")
    return [_ALL, *(f"/{'/'.join(parts[: n + 1])}" for n in range(len(parts)))]


def _path(parent: str, name: str) -> str:
    where = f"{parent}/{name}" if "{}" not in name else f"/{name}".replace("/{}", parent)
    return ROOT + where


def _limits(where: str, texts: dict[str, str]) -> tuple[list[Limit], list[Limit]]:
    cpus, memory = [], []
    quota, period = _quota(texts)
    if quota > 0 and period > 0:
        share = round(quota / period, 2)
        cpus.append(Limit(f"the CPU quota of {where}", int(share) if share.is_integer() else share))
    cpuset = texts.get("cpuset.cpus.effective") or texts.get("cpuset.effective_cpus")
    if cpuset:
        cpus.append(Limit(f"the CPU set of {where}", len(numbers(cpuset))))
    size = texts.get("memory.max") or texts.get("memory.limit_in_bytes") or "max"
    if size.isdigit() and int(size) < _UNLIMITED:
        memory.append(Limit(f"the memory limit of {where}", int(size)))
    return cpus, memory


def _quota(texts: dict[str, str]) -> tuple[int, int]:
    words = texts.get("cpu.max", "").split()
    if len(words) != 2:
        words = [texts.get("cpu.cfs_quota_us", ""), texts.get("cpu.cfs_period_us", "")]
    quota, period = words
    return (int(quota), int(period)) if quota.isdigit() and period.isdigit() else (0, 0)


def numbers(text: str) -> frozenset[int]:
    """The numbers of a kernel list such as 0-3,8.

    Raises:
        Unknown: not such a list.
    """
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if not (first.isdigit() and last.isdigit() and int(last) < 2**16):
            raise Unknown(f"{text[:80]!r} is not a list of numbers")
        found.update(range(int(first), int(last) + 1))
    return frozenset(found)
