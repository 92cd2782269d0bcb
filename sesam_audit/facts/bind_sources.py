"""What the stack mounts from the host: there, and of the type the container expects."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import Steps
from sesam_audit.facts import every
from sesam_audit.facts.data_directory import Place
from sesam_audit.facts.engine import SOCKET
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.stack import BindMount, Stack
from sesam_audit.profile import Profile

_FILE = re.compile(r"\.(json|ya?ml|toml|conf|cfg|ini|env|pem|crt|cer|key)$", re.IGNORECASE)
_DIRECTORY = re.compile(
    r"/(sesam(/data|/logs)?|letsencrypt|certs|data|logs/node/logs|system-logs/logs)/?"
)
_SOCKETS = (SOCKET, SOCKET.removeprefix("/var"))  # /var/run is a link to /run


class BindSource(Struct, frozen=True):
    """A place on the host that a service wants inside."""

    service: str
    mount: BindMount
    place: Place

    @property
    def wanted(self) -> str:
        """The type it has to have: socket, file, directory; "" when any will do."""
        if self.mount.target.endswith(".sock"):
            return "socket"
        if _FILE.search(self.mount.target):
            return "file"
        return "directory" if _DIRECTORY.fullmatch(self.mount.target) else ""


class BindSources(Struct, frozen=True):
    """All of them, each source once for each type that is wanted of it."""

    sources: tuple[BindSource, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[BindSources]:
        """Look at every source that the rendered stack names."""
        stack = yield from Stack.ask(profile)
        wanted = [
            (service.name, mount)
            for service in stack.services.values()
            for mount in service.mounts
            if mount.type == "bind" and mount.source.startswith("/")
        ]
        places = yield from every(Place.look(mount.source) for _, mount in wanted)
        found = [
            BindSource(name, mount, place)
            for (name, mount), place in zip(wanted, places, strict=True)
        ]
        return cls(tuple({(each.place.path, each.wanted): each for each in found}.values()))

    def inspect(self) -> Inspection:
        """Docker makes a directory of whatever is missing, also where a file should be."""
        found = Inspection()
        for each in self.sources:
            _judge(found, each)
        return found


def _judge(found: Inspection, each: BindSource) -> None:
    path, wanted = each.place.path, each.wanted
    found.doubt(each.place.doubt)
    if each.place.missing and path in _SOCKETS:
        found.note(f"there is no {path}: docker.engine tells why")
    elif each.place.missing and wanted in ("file", "socket"):
        found.problem(f"{path} is missing: Docker would make a directory of it for {each.service}")
    elif each.place.missing and not each.mount.creates:
        found.problem(f"{path} is missing, and the stack forbids Docker to make it")
    elif each.place.missing:
        found.note(f"{path} is missing: Docker will make it, owned by root")
    elif each.place.error in ("ENOENT", "ELOOP"):
        found.problem(f"{path} is a link that leads nowhere")
    elif wanted and each.place.leads_kind and each.place.leads_kind != wanted:
        found.problem(f"{path} is a {each.place.leads_kind}, but {each.service} needs a {wanted}")
