"""Control groups: how much of the machine the containers may use."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import File, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import every
from sesam_audit.profile import Profile

ROOT = "/sys/fs/cgroup"
_PARENTS = ("", "/docker", "/system.slice")  # all; Docker's own driver; systemd's driver
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
    """The limits on the slice containers run in (`system.slice`, or `docker` with cgroupfs)."""

    cpus: tuple[Limit, ...] = ()
    memory: tuple[Limit, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ControlGroups]:
        """Read version 2 and version 1; what is missing does not limit."""
        paths = [(parent, _path(parent, name)) for parent in _PARENTS for name in _FILES]
        answers = yield from every(File(path) for _, path in paths)
        texts: dict[str, dict[str, str]] = {parent: {} for parent in _PARENTS}
        for (parent, path), answer in zip(paths, answers, strict=True):
            text = answer.read(path)
            if text is not None:
                texts[parent][path.rpartition("/")[2]] = text.strip()
        home = "/docker" if texts["/docker"] else "/system.slice"
        limits = [_limits(ROOT + parent, texts[parent]) for parent in ("", home)]
        return cls(
            cpus=tuple(limit for cpus, _ in limits for limit in cpus),
            memory=tuple(limit for _, memory in limits for limit in memory),
        )


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
