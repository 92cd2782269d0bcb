"""Support: until when a distribution's vendor supports it, and whether Docker publishes for it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from sesam_audit.asks import Stat, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import gather
from sesam_audit.facts.os_release import OsRelease
from sesam_audit.profile import Profile

READ = "22 November 2026"
"""When the tables below were last compared with their sources."""

# The month in which standard support (RHEL: maintenance support) ends. Sources: ubuntu.com/about/
# release-cycle; access.redhat.com/support/policy/updates/errata; the rebuilds' own release pages;
# endoflife.date. They differ by a month or two: the later one stands here.
_ENDS = {
    ("ubuntu", "20.04"): "2025-05",
    ("ubuntu", "22.04"): "2027-06",
    ("ubuntu", "24.04"): "2029-06",
    ("ubuntu", "26.04"): "2031-06",
    ("rhel", "8"): "2029-05",
    ("rhel", "9"): "2032-05",
    ("rhel", "10"): "2035-05",
    ("almalinux", "8"): "2029-05",
    ("almalinux", "9"): "2032-05",
    ("almalinux", "10"): "2035-05",
    ("rocky", "8"): "2029-05",
    ("rocky", "9"): "2032-05",
    ("rocky", "10"): "2035-05",
    ("oracle", "8"): "2029-07",
    ("oracle", "9"): "2032-06",
    ("oracle", "10"): "2035-06",
    ("centos", "8"): "2024-05",  # Stream; CentOS Linux 8 ended in 2021-12
    ("centos", "9"): "2027-05",
    ("centos", "10"): "2030-01",
}
# Docker documentation: Install Docker Engine, on Ubuntu, on RHEL, on CentOS. The CentOS packages
# are what the other rebuilds use.
_DOCKER = {
    "ubuntu": ("22.04", "24.04", "26.04"),
    "rhel": ("8", "9", "10"),
    "centos": ("9", "10"),
}
_EXTENDED_YEARS = 5  # Ubuntu Pro (ESM) after the end of standard support
_INTERIM_MONTHS = 9
_PRO = "/etc/apt/auth.conf.d/90ubuntu-advantage"  # written when Ubuntu Pro is attached


class Support(Struct, frozen=True):
    """`ends` is the last month of support, as 2029-05; Pro is already counted in."""

    release: str
    ends: str
    extended: bool = False
    docker: bool | None = None  # None: not told by Docker's pages, as read

    def over(self, now: datetime) -> bool:
        """Whether the last month of support has passed."""
        return f"{now:%Y-%m}" > self.ends

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Support]:
        """Look the release up; on Ubuntu, see whether Pro extends it."""
        system, pro = yield from gather(OsRelease.ask(profile), Stat(_PRO))
        ubuntu = system.id == "ubuntu"
        release = system.version if ubuntu else system.version.partition(".")[0]
        ends = _ENDS.get((system.id, release)) or (_interim(system.numbers) if ubuntu else "")
        if not ends:
            raise Unknown(
                f"how long {system.name or system.id} is supported was not known on {READ}"
            )
        known = (system.id, release) in _ENDS
        extended = ubuntu and known and not pro.error
        return cls(
            release=f"{system.id} {release}",
            ends=f"{int(ends[:4]) + _EXTENDED_YEARS}{ends[4:]}" if extended else ends,
            extended=extended,
            docker=release in _DOCKER[system.id] if known and system.id in _DOCKER else None,
        )


def _interim(numbers: tuple[int, ...]) -> str:
    """The last month of an Ubuntu between two long-term ones: 25.10 came in October 2025."""
    if len(numbers) < 2 or not 1 <= numbers[1] <= 12 or (numbers[1] == 4 and numbers[0] % 2 == 0):
        return ""
    months = numbers[0] * 12 + numbers[1] - 1 + _INTERIM_MONTHS
    return f"20{months // 12}-{months % 12 + 1:02}"
