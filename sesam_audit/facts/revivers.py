"""Units, timers and cron lines that would start an old installation again, by file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import Run, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts.containers import PROGRAMS, Container, Containers
from sesam_audit.profile import Profile
from sesam_audit.wanted import SERVICES

PLACES = (
    *("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system"),
    *("/usr/lib/systemd/system", "/lib/systemd/system", "/etc/init.d", "/etc/rc.local"),
    *("/etc/crontab", "/etc/anacrontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily"),
    *("/etc/cron.weekly", "/etc/cron.monthly", "/var/spool/cron"),
)
_STARTS = r"docker.* (run|start|restart|create|up) (.*[ /])?{}([^[:alnum:]_.-]|$)"
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
_UNIT = re.compile(r".*/systemd/.*?([^/]+\.(?:service|timer))$")


class Revivers(Struct, frozen=True):
    """The files; their contents, which may hold secrets, stay where they are."""

    files: tuple[str, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Revivers]:
        """Search for the images, and for what starts the old containers or lies beside them.

        Raises:
            Unknown: the daemon did not answer, or the places could not be searched.
        """
        known = yield from Containers.ask(profile)
        old = tuple(each for each in known.containers if _old(each))
        wanted = [word for pattern in _patterns(old) for word in ("-e", pattern)]
        told = yield from _search(tuple(wanted))
        return cls(tuple(dict.fromkeys(told)))

    @property
    def remedies(self) -> Iterator[str]:
        """For each file how a person ends that."""
        for path in self.files:
            unit = _UNIT.fullmatch(path)
            if unit:
                yield f"sudo systemctl disable --now {quote(unit[1])}"
            else:
                yield f"sudoedit {quote(path)}"


def _old(each: Container) -> bool:
    ours = each.repository.startswith("sesam/") or each.name in SERVICES
    return ours and not (each.of_stack() or each.kept)


def _patterns(old: tuple[Container, ...]) -> Iterator[str]:
    yield from PROGRAMS
    for each in old:
        if _PLAIN.fullmatch(each.name):
            yield _STARTS.format(each.name.replace(".", "[.]"))
        if len(each.directory) > 1 and _PLAIN.fullmatch(each.directory):
            yield each.directory.replace(".", "[.]")


def _search(patterns: tuple[str, ...]) -> Steps[list[str]]:
    """Names of files alone: `-r` follows no link but the places themselves."""
    told = yield from Run(("grep", "-rlsIE", *patterns, "--", *PLACES))
    if told.error or told.code not in (0, 1, 2) or told.cut:  # 2: some place is not there
        raise Unknown(
            "whether a unit or a cron line starts the old containers cannot be told",
            "systemctl list-units; sudo ls /etc/cron.d /var/spool/cron",
        )
    return told.out.splitlines()
