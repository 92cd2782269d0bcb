"""How /srv/data comes back after a reboot, and whether Docker waits for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from posixpath import dirname
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import File, Stat, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.fstab import BootEntry, parse_fstab, parse_unit, unit_name
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounts import Mount, Mounts, mount_point
from sesam_audit.facts.named_disk import links, mistaken, uncarried
from sesam_audit.facts.unit_files import UNITS, UnitFiles, docker_unit, unit_files
from sesam_audit.profile import Profile
from sesam_audit.wanted import POINT

_DOCKER = "systemctl show docker.service --property=Requires,After,RequiresMountsFor"


class BootMount(Struct, frozen=True):
    """What brings /srv/data back: `entry`, or the words in `otherwise` for what needs no entry."""

    entry: BootEntry | None = None
    otherwise: str = ""
    disabled: str = ""  # a mount unit that is there, but that nothing starts
    unread: Unknown | None = None  # why a unit may be there that was not found
    docker_waits: bool | Unknown = False
    mistaken: str | Unknown = ""  # why what the entry names is not what is mounted now
    image: bool = False  # only files can be judged
    ignored: tuple[str, ...] = ()  # what further lines of fstab name, which systemd does not take

    @classmethod
    def ask(cls, profile: Profile) -> Steps[BootMount]:
        """Read fstab and units, then see which disk they mean."""
        (fstab, point, kernel), units, docker, mounts, names = yield from gather(
            gather(File("/etc/fstab"), Stat(POINT), Stat("/proc/version")),
            _units(POINT),
            docker_unit(_DOCKER),
            attempt(Mounts.ask(profile)),
            links(),
        )
        where = mount_point(POINT, point)
        if where != POINT:
            units = yield from _units(where)
        fstab_lines = tuple(parse_fstab(fstab.read("/etc/fstab") or ""))
        lines = [line for line in fstab_lines if line.target in (POINT, where)]
        waits = _waits(docker, where)
        by_unit, disabled = (
            (None, "") if lines else _by_unit(units.found, where, waits=waits is True)
        )
        entry = lines[0] if lines else by_unit
        mount = None if isinstance(mounts, Unknown) else mounts.at(where)
        wrong: str | Unknown = ""
        if entry and entry.complete and not kernel.missing:
            if isinstance(mounts, Unknown):
                doubt = f"whether {entry.source} is what is mounted: {mounts.reason}"
                wrong = mounts.reworded(doubt)
            else:
                targets = {line.target for line in fstab_lines if line.automatic}
                wrong = (yield from mistaken(entry, mount, names, point)) or (
                    uncarried(entry, mounts, targets) or ""
                )
        return cls(
            entry=entry,
            otherwise=_otherwise(mount),
            disabled=disabled,
            unread=waits if disabled and isinstance(waits, Unknown) else units.unread,
            docker_waits=_before_docker(entry) or waits,
            mistaken=wrong,
            image=kernel.missing,
            ignored=tuple(line.source for line in lines[1:]),
        )

    def inspect(self) -> Inspection:
        """Judge whether it comes back by itself."""
        found, entry = Inspection(), self.entry
        if entry is None and self.otherwise:
            found.note(f"{POINT} comes back by {self.otherwise}")
        elif entry is None and self.unread is not None:
            found.doubt(self.unread)
        elif entry is None:
            why = f"; {self.disabled} is there, but not enabled" if self.disabled else ""
            found.problem(f"nothing mounts {POINT} at boot: no line in /etc/fstab, no unit{why}")
        if entry is not None:
            self._judge(found, entry)
        return found

    def _judge(self, found: Inspection, entry: BootEntry) -> None:
        if not entry.automatic:
            found.problem(f"{entry.origin} says noauto for {POINT}, so it stays unmounted at boot")
        if self.ignored:
            found.note(
                f"{entry.origin} has {len(self.ignored) + 1} lines for {POINT}: systemd takes the"
                f" first, {entry.source}, and not {', '.join(self.ignored)}"
            )
        if not entry.complete:
            found.problem(
                f"the line for {POINT} in {entry.origin} names no type, so mount passes it over"
            )
        if "ro" in entry.options:
            found.problem(f"{entry.origin} mounts {POINT} read-only")
        if isinstance(self.mistaken, Unknown):
            found.doubt(self.mistaken)
        elif self.mistaken:
            found.problem(self.mistaken)
        if self.image:
            found.note(f"whether {entry.source} is there shows only on a running machine")

    def inspect_order(self) -> Inspection:
        """Judge the name it is mounted by, and whether Docker can start too early."""
        found, entry = Inspection(), self.entry
        if entry is None:
            return found
        if not entry.stable:
            found.problem(
                f"{entry.origin} names {entry.source}, a name that may move to another disk"
            )
        if entry.late and isinstance(self.docker_waits, Unknown):
            found.doubt(self.docker_waits)
        elif entry.late and not self.docker_waits:
            words = ", ".join(entry.late)
            found.problem(
                f"with {words} the boot goes on without {POINT}, and Docker does not wait"
            )
        return found


def _units(where: str) -> Steps[UnitFiles]:
    """The texts of the units for a mount point, by path; a link for each that is enabled."""
    name = unit_name(where).replace("\\", "?")  # a pattern takes a backslash for itself
    places = ("", "*.wants/", "*.requires/")
    patterns = (f"{root}/{x}{name}.*" for root in UNITS for x in places)
    return unit_files(patterns, f"systemctl cat {quote(unit_name(where))}.mount")


def _by_unit(units: Mapping[str, str], where: str, *, waits: bool) -> tuple[BootEntry | None, str]:
    """The unit that counts, or the path of one that does not for want of being enabled."""
    name = unit_name(where)
    installed = [path for path in units if dirname(path) in UNITS]
    enabled = {path.rpartition("/")[2] for path in units if dirname(path) not in UNITS}
    for path in (path for path in installed if path.endswith(".mount")):
        entry = parse_unit(units[path], path)
        if entry is None:
            continue
        if f"{name}.automount" in enabled:
            late = (*entry.options, "x-systemd.automount")
            return BootEntry(entry.source, entry.target, entry.fstype, late, path), ""
        return (entry, "") if waits or f"{name}.mount" in enabled else (None, path)
    return None, ""


def _otherwise(mount: Mount | None) -> str:
    words = {"zfs": "ZFS's own mountpoint property", "autofs": "an automount"}
    return words.get(mount.fstype, "") if mount else ""


def _waits(docker: UnitFiles, where: str) -> bool | Unknown:
    """Whether Docker's unit says so; nothing said is proof only where all of it was read."""
    text, unit = "\n".join(docker.found.values()), re.escape(f"{unit_name(where)}.mount")

    def says(keys: str, value: str) -> bool:
        line = rf"^\s*(?:{keys})\s*=(?:.*\s)?{value}"
        return bool(re.search(line, text, re.MULTILINE))

    by_unit = says("Requires|BindsTo", rf"{unit}(?!\S)") and says("After", rf"{unit}(?!\S)")
    waits = by_unit or says("RequiresMountsFor", rf"{re.escape(where)}(?![\w.-])")
    return waits or (docker.unread or False)


def _before_docker(entry: BootEntry | None) -> bool:
    wanted = {"x-systemd.required-by=docker.service", "x-systemd.before=docker.service"}
    return entry is not None and wanted <= set(entry.options)
