"""/etc/hosts: names that the host leads somewhere by itself, which containers never learn."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import File, Steps
from sesam_audit.profile import Profile

HOSTS = "/etc/hosts"


class HostsFile(Struct, frozen=True):
    """The addresses of each name, in lower case; a file that cannot be read pins nothing."""

    names: dict[str, tuple[str, ...]] = {}

    @classmethod
    def ask(cls, profile: Profile) -> Steps[HostsFile]:
        """Read the file."""
        answer = yield from File(HOSTS)
        found: dict[str, tuple[str, ...]] = {}
        for line in answer.text.splitlines():
            address, *names = line.partition("#")[0].split() or [""]
            for name in map(str.lower, names):
                found[name] = (*found.get(name, ()), address)
        return cls(found)
