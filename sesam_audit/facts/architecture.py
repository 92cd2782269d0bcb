"""Architecture: which processors the installed programs are made for."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Self, Stat, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import every, gather
from sesam_audit.profile import Profile

_LOADERS = {
    "/lib64/ld-linux-x86-64.so.2": "x86_64",
    "/lib/ld-linux-aarch64.so.1": "aarch64",
    "/lib64/ld64.so.2": "ppc64le",
    "/lib/ld64.so.1": "s390x",
    "/lib/ld-linux-riscv64-lp64d.so.1": "riscv64",
    "/lib/ld-linux-armhf.so.3": "armv7l",
}


class Architecture(Struct, frozen=True):
    """The machine by the name that `uname -m` uses."""

    machine: str

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Architecture]:
        """Go by the program loader, which an image has too, else by the running kernel."""
        me, loaders = yield from gather(Self(), every(map(Stat, _LOADERS)))
        names = [
            name
            for name, loader in zip(_LOADERS.values(), loaders, strict=True)
            if not loader.error
        ]
        machine = names[0] if len(names) == 1 else me.machine
        if not machine:
            raise Unknown("the target did not tell its architecture", "uname -m")
        return cls(machine)
