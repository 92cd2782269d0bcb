"""Which version of Docker's API each program of the stack will speak to the daemon."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import Steps
from sesam_audit.facts.stack import Service, Stack
from sesam_audit.profile import Profile

_WATCHTOWER = "1.25"  # containrrr/watchtower, internal/flags: archived, never negotiates
_TRAEFIK = "1.24"  # until 3.6.1 and 2.11.31 (traefik CHANGELOG, 2025-11-13)
_RELEASE = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-.*)?")
_FLAG = re.compile(r"(?:^|\s)(?:--api-version|-a)[= ](\S+)")


class Client(Struct, frozen=True):
    """A service and the API version it insists on; "" when it negotiates."""

    service: str
    image: str
    version: str = ""
    doubt: str = ""  # why the version is not certain


class DockerClients(Struct, frozen=True):
    """The services of the rendered stack, as clients of the daemon."""

    clients: tuple[Client, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DockerClients]:
        """Judge each service by its image and environment."""
        stack = yield from Stack.ask(profile)
        return cls(tuple(_client(service) for service in stack.services.values()))


def _client(service: Service) -> Client:
    repository = service.repository.removeprefix("docker.io/").removeprefix("library/")
    told = service.environment.get("DOCKER_API_VERSION") or ""
    if repository == "containrrr/watchtower":
        return Client(service.name, service.image, _flag(service.command) or told or _WATCHTOWER)
    if repository == "traefik":
        return _traefik(service)
    return Client(service.name, service.image, told)


def _flag(command: tuple[str, ...]) -> str:
    found = _FLAG.search(" ".join(command))
    return found[1] if found else ""


def _traefik(service: Service) -> Client:
    """Judge the release; tags such as `latest`, `v3` and `v2.11` follow the newest one."""
    name, image = service.name, service.image
    if service.tag in ("", "latest") and not service.pinned:
        return Client(name, image)
    release = _RELEASE.fullmatch(service.tag)
    if release is None:
        return Client(name, image, _TRAEFIK, "its tag does not tell its version")
    number = int(release[1]), int(release[2] or 99), int(release[3] or 999)
    negotiates = number >= (3, 6, 1) or (2, 11, 31) <= number < (3, 0, 0)
    return Client(name, image, "" if negotiates else _TRAEFIK)
