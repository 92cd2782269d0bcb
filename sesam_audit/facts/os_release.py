"""OsRelease: which distribution the target is, never the auditor's machine."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from sesam_audit.asks import File, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import every
from sesam_audit.profile import Profile

_RED_HAT = "/etc/redhat-release"
_FILES = ("/etc/os-release", "/usr/lib/os-release", _RED_HAT)


class OsRelease(Struct, frozen=True):
    """What the target's release files say, as `distro` reads them (ol becomes oracle)."""

    id: str
    version: str = ""  # VERSION_ID
    name: str = ""  # as people call it
    variant: str = ""  # VARIANT_ID: server, coreos, ...
    like: tuple[str, ...] = ()  # ID_LIKE

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version for comparing; () when it has none."""
        parts = self.version.split(".")
        return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[OsRelease]:
        """Collect the release files and let `distro` read them."""
        answers = yield from every(File(path, limit=16_384) for path in _FILES)
        texts = {
            path: answer.read(path) or "" for path, answer in zip(_FILES, answers, strict=True)
        }
        if not texts[_RED_HAT].startswith("Red Hat"):
            del texts[_RED_HAT]  # rebuilds have it too, and by its name would pass for RHEL
        found = _identify({path: text for path, text in texts.items() if text})
        if not found.id:
            raise Unknown("no release file names the distribution", "cat /etc/*-release")
        return found


def _identify(texts: dict[str, str]) -> OsRelease:
    from distro import LinuxDistribution

    with TemporaryDirectory(prefix="sesam-audit-") as root:
        for path, text in texts.items():
            place = Path(root, path.lstrip("/"))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, "utf-8", "replace")
        told = LinuxDistribution(root_dir=root, include_lsb=False, include_uname=False)
        pretty = told.name(pretty=True)  # " 7.9" without a PRETTY_NAME
        return OsRelease(
            id=told.id(),
            version=told.version(),
            name=pretty if pretty[:1].strip() else f"{told.name() or told.id()}{pretty}".strip(),
            variant=told.os_release_attr("variant_id"),
            like=tuple(told.like().split()),
        )
