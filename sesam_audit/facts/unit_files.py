"""The files of systemd's units as they lie on the disk, whatever systemd has loaded."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sesam_audit.asks import MISSING, Answer, Files, FilesAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import every

UNITS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


class UnitFiles(Struct, frozen=True):
    """Texts by path, and why others that may matter are not among them."""

    found: dict[str, str]
    unread: Unknown | None = None


def unit_files(patterns: Iterable[str], command: str) -> Steps[UnitFiles]:
    """What matches these patterns; `command` tells a person what could not be read."""
    answers: tuple[FilesAnswer, ...] = yield from every(Files(pattern) for pattern in patterns)
    errors = {
        path: error
        for answer in answers
        for path, error in (answer.errors or {}).items()
        if error not in MISSING
    }
    unread = next((denied(Answer(error=x), path, command) for path, x in errors.items()), None)
    found = {path: text for answer in answers for path, text in (answer.files or {}).items()}
    return UnitFiles(found, unread)


def docker_unit(command: str) -> Steps[UnitFiles]:
    """Docker's unit and its drop-ins; of one name the first place counts."""
    names = ("docker.service", "docker.service.d/*.conf")
    return unit_files((f"{root}/{name}" for root in UNITS for name in names), command)
