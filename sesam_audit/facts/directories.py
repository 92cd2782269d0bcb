"""The directories of the guide: there, and directories."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Stat, StatAnswer, Steps, denied
from sesam_audit.facts import every, gather
from sesam_audit.facts.data_directory import DataDirectory, Place
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile
from sesam_audit.wanted import ACME, NODE, demanded


class Directories(Struct, frozen=True):
    """Each demanded directory with what is there."""

    places: tuple[Place, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Directories]:
        """Look at all of them; the data directory may be reached through its link."""
        data, places = yield from gather(
            DataDirectory.ask(profile), every(map(Place.look, demanded(profile)))
        )
        return cls((*places, data.home))

    def inspect(self) -> Inspection:
        """Each has to be a directory; only the data directory's own path may be a link."""
        found = Inspection()
        missing = [place.path for place in self.places if place.missing]
        if missing:
            found.problem(f"missing: {', '.join(missing)}")
        for place in self.places:
            found.doubt(place.doubt)
            if place.kind == "link" and place.path != NODE:
                found.problem(f"{place.path} is a link, not a directory")
            elif place.kind and not place.directory and not place.error:
                found.problem(f"{place.path} is a {place.leads_kind}, not a directory")
        return found


class AcmeFile(Struct, frozen=True):
    """Where Traefik keeps what Let's Encrypt gave it."""

    file: StatAnswer

    @classmethod
    def ask(cls, profile: Profile) -> Steps[AcmeFile]:
        """Look at it, never into it."""
        return cls((yield from Stat(ACME)))

    def inspect(self) -> Inspection:
        """Absent is fine: Traefik makes it."""
        found, file = Inspection(), self.file
        if file.missing:
            found.note(f"{ACME} is not there yet: Traefik makes it")
        elif file.error:
            found.doubt(denied(file, ACME))
        elif file.kind != "file":
            found.problem(f"{ACME} is a {file.kind}, not a file")
        elif file.mode & 0o077:
            found.problem(f"{ACME} has mode {file.mode:04o}, Traefik demands 0600")
        return found
