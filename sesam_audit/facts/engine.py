"""The Docker daemon behind /var/run/docker.sock, or what is there instead of one."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from sesam_audit.asks import (
    Answer,
    DockerApi,
    DockerApiAnswer,
    Names,
    NamesAnswer,
    Run,
    RunAnswer,
    Self,
    Stat,
    StatAnswer,
    Steps,
)
from sesam_audit.errors import Lack, Unknown, needs_root
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.versions import version
from sesam_audit.profile import Profile

SOCKET = "/var/run/docker.sock"
DAEMONS = ("/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd", "/snap/bin/dockerd")
_INSTEAD = {  # by kind
    "absent": "Docker is not installed",
    "stopped": "Docker is installed, but its daemon does not answer",
    "podman": "podman answers in Docker's place; the stack needs Docker Engine",
    "rootless": "Docker runs rootless only: there is no /var/run/docker.sock to mount",
}
_UNFIT = {  # by what it is
    "snap": "Docker comes from a snap, which cannot write to /srv/data and /sesam",
    "rootless": (
        "Docker runs rootless: the node could not own its files, Traefik not take ports 80 and 443"
    ),
    "userns": "Docker remaps users (userns-remap): the node's files would not belong to sesam",
}
BUILT_IN_POOLS = (  # moby, daemon/libnetwork/ipamutils: what networks get when nothing is said
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
)
_INFO = DockerApi(
    "/info",
    (
        *("NCPU", "MemTotal", "DockerRootDir", "SecurityOptions", "DefaultAddressPools"),
        *("HttpProxy", "HttpsProxy", "NoProxy", "Driver", "DriverStatus", "OperatingSystem"),
        "CgroupDriver",
    ),
)
_VERSION = DockerApi("/version", ("Version", "ApiVersion", "MinAPIVersion", "Components"))
_USERINFO = re.compile(r"^((?:\w+://)?)[^/@]*@")


class Engine(Struct, frozen=True):
    """What answers on the socket. Only `docker` fills the fields below `kind`."""

    kind: str  # docker, podman, rootless, stopped, absent, or installed (in an image)
    version: str = ""
    api: str = ""
    min_api: str = ""
    cpus: int | None = None
    memory: int | None = None  # bytes
    root: str = ""
    security: tuple[str, ...] = ()  # apparmor, seccomp, selinux, rootless, userns, cgroupns
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    pools: tuple[tuple[str, int], ...] = BUILT_IN_POOLS
    containerd_images: bool = False  # images lie in containerd's root, not in Docker's
    cgroup_driver: str = ""  # systemd or cgroupfs
    user: str = ""  # who was let in without being root

    @property
    def snap(self) -> bool:
        return self.root.startswith("/var/snap/")

    @property
    def shortcomings(self) -> dict[str, str]:
        """Why the stack cannot run on it, in words, by absent, stopped, podman, snap, ..."""
        if self.kind in _INSTEAD:
            return {self.kind: _INSTEAD[self.kind]}
        traits = {*self.security, *(["snap"] if self.snap else [])}
        return {trait: words for trait, words in _UNFIT.items() if trait in traits}

    @property
    def api_range(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The oldest and the newest version of its API.

        Raises:
            Unknown: no Docker daemon answers, or it does not tell.
        """
        least, most = version(self.answering().min_api), version(self.api)
        if least is None or most is None:
            why = "the daemon does not tell which API versions it speaks"
            raise Unknown(why, "sudo docker version")
        return least, most

    def answering(self) -> Engine:
        """Return this engine when it answers, for facts that need it.

        Raises:
            Unknown: no Docker daemon answers.
        """
        if self.kind != "docker":
            raise no_daemon()
        return self

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Engine]:
        """Ask the daemon; when it is silent, look for what is there instead."""
        info, told, socket, me, daemons, users = yield from gather(
            attempt(_INFO),
            attempt(_VERSION),
            Stat(SOCKET),
            Self(),
            every(map(Stat, DAEMONS)),
            attempt(Names("/run/user")),
        )
        if socket.resolved is not None and "podman" in socket.resolved.path:
            return cls(kind="podman")
        if not _silent(info):
            described = content(info, dict), content(told, dict)
            return _described(*described, "" if me.uid == 0 else me.user)
        rooms = users.names if isinstance(users, NamesAnswer) else ()
        shim, sockets, kernel = yield from gather(
            attempt(Run(("docker", "--version"))),
            every(attempt(Stat(f"/run/user/{room}/docker.sock")) for room in rooms),
            Stat("/proc/version"),
        )
        kind = _instead(shim, sockets, daemons)
        return cls(kind="installed" if kind == "stopped" and kernel.missing else kind)


def no_daemon() -> Unknown:
    """The outcome where Docker's daemon is proved absent or silent."""
    return Unknown("no Docker daemon answers (docker.engine)", "sudo docker info", Lack.DOCKER)


def content(answer: DockerApiAnswer | Unknown, kind: type) -> Any:
    """Return what the daemon said, if it is of the expected JSON kind.

    Raises:
        Unknown: no permission, no daemon, an error, or another shape.
    """
    if isinstance(answer, Unknown):
        raise answer
    if answer.error in ("EACCES", "EPERM"):
        why = f"{SOCKET} (or the group docker, which is as good as root)"
        raise needs_root(why, "sudo docker info")
    if _silent(answer):
        raise no_daemon()
    if answer.error or answer.status != 200 or not isinstance(answer.value, kind):
        told = answer.error or f"HTTP {answer.status}"
        raise Unknown(f"the Docker daemon's answer was not understood: {told}", "sudo docker info")
    return answer.value


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _silent(answer: Answer | Unknown) -> bool:
    return not isinstance(answer, Unknown) and (answer.missing or answer.error == "ECONNREFUSED")


def _instead(
    shim: RunAnswer | Unknown,
    sockets: tuple[StatAnswer | Unknown, ...],
    daemons: tuple[StatAnswer, ...],
) -> str:
    if not isinstance(shim, Unknown) and "podman" in (shim.out + shim.err).lower():
        return "podman"
    if any(not isinstance(each, Unknown) and each.kind == "socket" for each in sockets):
        return "rootless"
    if all(each.missing for each in daemons):
        return "absent"
    return "stopped"


def _described(info: dict[str, Any], told: dict[str, Any], user: str) -> Engine:
    components = _records(told.get("Components"))
    if any("podman" in _text(each.get("Name")).lower() for each in components):
        return Engine(kind="podman", version=_text(told.get("Version")))
    options = [_text(each) for each in _list(info.get("SecurityOptions"))]
    drivers = [each for each in _list(info.get("DriverStatus")) if isinstance(each, list)]
    pools = tuple(
        (_text(each.get("Base")), size)
        for each in _records(info.get("DefaultAddressPools"))
        if isinstance(size := each.get("Size"), int)
    )
    return Engine(
        kind="docker",
        version=_text(told.get("Version")),
        api=_text(told.get("ApiVersion")),
        min_api=_text(told.get("MinAPIVersion")),
        cpus=_number(info.get("NCPU")),
        memory=_number(info.get("MemTotal")),
        root=_text(info.get("DockerRootDir")),
        security=tuple(each.partition(",")[0].removeprefix("name=") for each in options),
        http_proxy=_USERINFO.sub(r"\1", _text(info.get("HttpProxy"))),
        https_proxy=_USERINFO.sub(r"\1", _text(info.get("HttpsProxy"))),
        no_proxy=_text(info.get("NoProxy")),
        pools=pools or BUILT_IN_POOLS,
        containerd_images=any("io.containerd.snapshotter.v1" in each for each in drivers),
        cgroup_driver=_text(info.get("CgroupDriver")),
        user=user,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _records(value: object) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]
