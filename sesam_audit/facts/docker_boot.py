"""Whether Docker comes back by itself when the machine boots."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import File, FileAnswer, Run, RunAnswer, Stat, StatAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.engine import DAEMONS
from sesam_audit.profile import Profile

SERVICE, SOCKET, CONTAINERD = "docker.service", "docker.socket", "containerd.service"
SNAP = "snap.docker.dockerd.service"
_PROPERTIES = "Id,LoadState,UnitFileState,WantedBy,RequiredBy,Wants,Requires,BindsTo,ExecStart"
_WANTED = "/etc/systemd/system/multi-user.target.wants/"
_FILES = (
    f"{_WANTED}{SERVICE}",
    "/etc/systemd/system/sockets.target.wants/docker.socket",
    f"{_WANTED}{SNAP}",
    *(f"/{place}/systemd/system/{SERVICE}" for place in ("etc", "usr/lib", "lib")),
)
_UNIT = re.compile(r"([\w@.\\-]+\.service)$", re.MULTILINE)

Unit = dict[str, str]


class DockerBoot(Struct, frozen=True):
    """What systemd does at boot, in its own words: enabled, disabled, masked, not-found, ..."""

    service: str
    socket: str = "not-found"
    unit: str = SERVICE  # the unit that runs the daemon, when it has another name
    installed: bool = True
    containerd: str = ""  # why Docker would wait in vain for containerd

    @property
    def starts(self) -> bool:
        return self.service == "enabled"

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DockerBoot]:
        """Ask systemd; where it does not run (an image), read its links."""
        shown, links, daemons, pid, (kernel, systemd) = yield from gather(
            attempt(_show(SERVICE, SOCKET, CONTAINERD, SNAP)),
            every(map(Stat, _FILES)),
            every(map(Stat, DAEMONS)),
            attempt(File("/run/docker.pid")),
            gather(Stat("/proc/version"), Stat("/run/systemd/system")),
        )
        installed = not all(each.missing for each in daemons)
        if not kernel.missing and systemd.missing:
            raise Unknown("this host was not booted by systemd", "rc-status default")
        if isinstance(shown, Unknown) or shown.error or shown.code:
            return _by_files(links, installed)
        boot = _by_systemd(_units(shown), installed)
        if boot.starts or isinstance(pid, Unknown) or not pid.text.strip().isdecimal():
            return boot
        other = yield from attempt(File(f"/proc/{pid.text.strip()}/cgroup"))
        unit = _unit_of(other)
        if unit in ("", SERVICE, SNAP):
            return boot
        units = _units((yield from _show(unit)))
        return cls(_state(units.get(unit, {})), boot.socket, unit)


def _show(*units: str) -> Run:
    return Run(("systemctl", "show", "--no-pager", f"--property={_PROPERTIES}", *units))


def _units(shown: RunAnswer) -> dict[str, Unit]:
    blocks = [
        dict(line.partition("=")[::2] for line in block.splitlines())
        for block in shown.out.split("\n\n")
    ]
    return {block.get("Id", ""): block for block in blocks}


def _state(unit: Unit) -> str:
    """Whether a unit starts at boot; something that wants a unit without [Install] enables it."""
    if unit.get("LoadState", "not-found") in ("not-found", "masked"):
        return unit.get("LoadState", "not-found")
    state = unit.get("UnitFileState", "")
    pulled = unit.get("WantedBy") or unit.get("RequiredBy")
    return "enabled" if state in ("static", "generated") and pulled else state


def _by_systemd(units: dict[str, Unit], installed: bool) -> DockerBoot:
    docker = units.get(SERVICE, {})
    if _state(docker) == "not-found" and _state(units.get(SNAP, {})) != "not-found":
        return DockerBoot(_state(units[SNAP]), unit=SNAP)
    return DockerBoot(
        _state(docker),
        _state(units.get(SOCKET, {})),
        installed=installed or _state(docker) != "not-found",
        containerd=_waits_in_vain(docker, units.get(CONTAINERD, {})),
    )


def _waits_in_vain(docker: Unit, containerd: Unit) -> str:
    pulls = " ".join(docker.get(key, "") for key in ("Wants", "Requires", "BindsTo")).split()
    needs = "--containerd=" in docker.get("ExecStart", "")
    state = _state(containerd)
    return "" if not needs or CONTAINERD in pulls or state == "enabled" else state


def _by_files(links: tuple[StatAnswer, ...], installed: bool) -> DockerBoot:
    service, socket, snap, *files = links
    if not snap.missing:
        return DockerBoot("enabled", unit=SNAP)
    masked = files[0].target == "/dev/null"
    there = installed or not all(each.missing for each in files)
    if not there or any(each.error and not each.missing for each in links):
        raise Unknown("systemd does not answer here", "systemctl status")
    return DockerBoot(
        "masked" if masked else "disabled" if service.missing else "enabled",
        "disabled" if socket.missing else "enabled",
    )


def _unit_of(cgroup: FileAnswer | Unknown) -> str:
    found = None if isinstance(cgroup, Unknown) else _UNIT.search(cgroup.text)
    return found[1] if found else ""
