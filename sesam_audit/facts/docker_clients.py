"""Which version of Docker's API each program of the stack will speak to the daemon."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import Steps
from sesam_audit.facts.stack import Service, Stack
from sesam_audit.profile import Profile

_WATCHTOWERS = {  # OWNER/NAME, in whatever registry; "" where it negotiates
    "containrrr/watchtower": "1.25",  # internal/flags: archived, never negotiates
    "v2tec/watchtower": "1.24",  # its forerunner
    "nickfedor/watchtower": "",
    "nicholas-fedor/watchtower": "",  # the same at ghcr.io
}
_OLDEST = "1.24"  # what the oldest of them speaks, and Traefik until 3.6.1 and 2.11.31
_TRAEFIKS = ("library/traefik", "traefik/traefik")  # (traefik CHANGELOG, 2025-11-13)
_RELEASE = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-.*)?")
_FLAG = re.compile(r"(?:^|\s)(?:--api-version|-a)[= ](\S+)")


class Client(Struct, frozen=True):
    """A service and the API version it insists on; "" when it negotiates."""

    service: str
    image: str
    version: str = ""
    doubt: str = ""  # why the version is not certain
    tells: str = "version"  # the word at which the image tells it


class DockerClients(Struct, frozen=True):
    """The services of the rendered stack, as clients of the daemon."""

    clients: tuple[Client, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DockerClients]:
        """Judge each service by its image and environment."""
        stack = yield from Stack.ask(profile)
        return cls(tuple(_client(service) for service in stack.services.values()))


def _client(service: Service) -> Client:
    told = service.environment.get("DOCKER_API_VERSION") or ""
    owned = _owned(service.repository)
    name = owned.rpartition("/")[2]
    if "watchtower" in name:
        told = _flag(service.command) or told
        if told or owned in _WATCHTOWERS:
            return Client(service.name, service.image, told or _WATCHTOWERS[owned])
        doubt = "which version this watchtower speaks is not known"
        return Client(service.name, service.image, _OLDEST, doubt, "--help")
    if owned in _TRAEFIKS:
        return _traefik(service)
    if name == "traefik" or name.endswith("-traefik"):
        return Client(service.name, service.image, _OLDEST, "not Traefik's own image")
    return Client(service.name, service.image, told)


def _owned(repository: str) -> str:
    """OWNER/NAME of an image in any registry; what has no owner is Docker's own library."""
    *above, name = repository.split("/")
    if above and (above[0] == "localhost" or set(".:") & set(above[0])):
        above = above[1:]
    return f"{above[-1] if above else 'library'}/{name}"


def _flag(command: tuple[str, ...]) -> str:
    found = _FLAG.search(" ".join(command))
    return found[1] if found else ""


def _traefik(service: Service) -> Client:
    """Judge the release; tags such as `latest`, `v3` and `v2.11` follow the newest one."""
    name, image = service.name, service.image
    if service.tag in ("", "latest") and not service.digest:
        return Client(name, image)
    release = _RELEASE.fullmatch(service.tag)
    if release is None:
        return Client(name, image, _OLDEST, "its tag does not tell its version")
    number = int(release[1]), int(release[2] or 99), int(release[3] or 999)
    negotiates = number >= (3, 6, 1) or (2, 11, 31) <= number < (3, 0, 0)
    return Client(name, image, "" if negotiates else _OLDEST)
