"""Docker's containers, running or not: names, images, and which compose project made them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from posixpath import normpath
from typing import Any

from msgspec import Struct

from sesam_audit.agent.names import KEPT
from sesam_audit.asks import DockerApi, Stat, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.engine import content, mapping
from sesam_audit.facts.versions import major
from sesam_audit.profile import Profile
from sesam_audit.wanted import LOGS_IMAGE, NODE_IMAGE, POINT, PROJECT, SERVICES

PROGRAMS = (NODE_IMAGE, LOGS_IMAGE)
_LABELS = (
    "com.docker.compose.project",
    "com.docker.compose.project.working_dir",
    "com.docker.compose.service",
    "com.docker.compose.version",
    "com.docker.compose.oneoff",
)
ASK = DockerApi(
    "/containers/json?all=1",
    ("Id", "Names", "Image", "ImageID", "State", "Ports", "Labels", "NetworkSettings"),
    _LABELS,
)


class Container(Struct, frozen=True):
    """One container; `project`, `directory`, `service` and `compose` are compose's labels.

    A directory that is /srv/data by another name is called /srv/data.
    """

    name: str
    image: str = ""
    state: str = "running"
    id: str = ""
    published: frozenset[int] = frozenset()  # TCP ports of the host
    addresses: tuple[tuple[int, str], ...] = ()  # each published port with the host's address
    networks: tuple[str, ...] = ()
    project: str = ""
    directory: str = ""
    service: str = ""
    compose: str = ""  # version of the compose that made it
    image_id: str = ""
    oneoff: bool = False  # of `compose run`, beside the service's own

    @property
    def repository(self) -> str:
        """The image's name without registry, tag and digest."""
        name = self.image.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
        folder, slash, last = name.rpartition("/")
        return folder + slash + last.partition(":")[0]

    def of_stack(self, project: str = PROJECT) -> bool:
        """Whether the compose project of /srv/data made it: elsewhere, others may be called so."""
        return self.directory == POINT if self.directory else self.project == project

    @property
    def kept(self) -> bool:
        """Whether an apply put it to rest: it is in nobody's way until `finish` removes it."""
        return self.name.startswith(KEPT) and self.state in ("exited", "created")

    def __str__(self) -> str:
        return f"{self.name} ({self.image}, {self.state})"


class Containers(Struct, frozen=True):
    """All containers of the daemon, stopped ones included."""

    containers: tuple[Container, ...] = ()

    def named(self, names: Collection[str]) -> tuple[Container, ...]:
        """Containers from elsewhere that have these names."""
        return tuple(c for c in self.containers if c.name in names and not c.of_stack())

    @property
    def older(self) -> tuple[Container, ...]:
        """Sesam's own programs from elsewhere: an installation before this one."""
        known = (c for c in self.containers if c.repository in PROGRAMS and not c.of_stack())
        return tuple(c for c in known if not c.kept)

    @property
    def taken_over(self) -> tuple[Container, ...]:
        """What compose would take for this stack's, and replace: another project has its name."""
        mine = (c for c in self.containers if c.project == PROJECT and not c.of_stack())
        return tuple(c for c in mine if c.service in SERVICES and not c.oneoff)

    @property
    def conflicts(self) -> dict[str, tuple[Container, ...]]:
        """What stands in the stack's way, by the reason in words."""
        return {
            "has a name that the stack needs": self.named(SERVICES),
            "is of an older installation of Sesam": self.older,
            "was left by compose v1": self.left_by_v1,
            f"is of another project that is called {PROJECT} too": self.taken_over,
        }

    @property
    def made_by_v1(self) -> tuple[Container, ...]:
        return tuple(c for c in self.containers if major(c.compose) == 1)

    @property
    def left_by_v1(self) -> tuple[Container, ...]:
        """What compose v1 made of Sesam's stack."""
        return tuple(
            c
            for c in self.made_by_v1
            if c.of_stack() or (c.repository.startswith("sesam/") and not c.kept)
        )

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Containers]:
        """List them.

        Raises:
            Unknown: the daemon did not answer, or more came than could be read.
        """
        listed, point = yield from gather(ASK, attempt(Stat(POINT)))
        end = None if isinstance(point, Unknown) else point.resolved
        names = {POINT, end.path if end and not end.error else POINT}
        records = content(listed, list)
        return cls(tuple(_container(each, names) for each in records if isinstance(each, dict)))


def _container(record: dict[str, Any], names: set[str]) -> Container:
    labels = mapping(record.get("Labels"))
    project, directory, service, compose, oneoff = (str(labels.get(name, "")) for name in _LABELS)
    networks = mapping(mapping(record.get("NetworkSettings")).get("Networks"))
    ports = record.get("Ports")
    published = tuple(_published(ports if isinstance(ports, list) else ()))
    return Container(
        name=_own_name(record.get("Names")),
        image=str(record.get("Image", "")),
        state=str(record.get("State", "")),
        id=str(record.get("Id", "")),
        published=frozenset(number for number, _ in published),
        addresses=published,
        networks=tuple(networks),
        project=project,
        directory=POINT if directory and normpath(directory) in names else directory,
        service=service,
        compose=compose,
        image_id=str(record.get("ImageID", "")),
        oneoff=oneoff == "True",
    )


def _published(ports: Iterable[object]) -> Iterator[tuple[int, str]]:
    for port in map(mapping, ports):
        number = port.get("PublicPort")
        if isinstance(number, int) and port.get("Type") == "tcp":
            yield number, str(port.get("IP") or "")


def _own_name(names: object) -> str:
    """Its own name; links of other containers add names such as `/web/database`."""
    plain = [str(name).lstrip("/") for name in names] if isinstance(names, list) else []
    return next((name for name in plain if "/" not in name), "")
