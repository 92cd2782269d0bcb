"""One opening of a firewall, and the sheet of all that a deployment asks for."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from sesam_audit.destinations import Destination
from sesam_audit.profile import Profile
from sesam_audit.profile_values import is_host

SESAM_IP = "Sesam IP"


class Need(str, Enum):
    """How binding an opening is."""

    REQUIRED = "required"
    CONDITIONAL = "conditional"
    ADVICE = "advice"


class Opening(Struct, frozen=True, kw_only=True):
    """One rule to ask for; `name` is stable, and the same as in reports."""

    name: str
    direction: str
    source: str = SESAM_IP
    destinations: tuple[str, ...]
    purpose: str
    consequence: str
    document: str
    ports: tuple[int, ...] = (443,)
    service: str = "HTTPS"
    protocols: tuple[str, ...] = ("tcp",)
    need: Need = Need.REQUIRED
    condition: str = ""
    stand_ins: tuple[Destination, ...] = ()
    networks: tuple[str, ...] = ()  # where it may come from, as networks
    direct: bool = False  # never through a proxy
    via_proxy: bool = False  # to be allowed on the proxy; the host itself does not dial it
    notes: tuple[str, ...] = ()

    @property
    def wildcards(self) -> tuple[str, ...]:
        return tuple(each for each in self.destinations if each.startswith("*."))

    @property
    def from_anywhere(self) -> bool:
        return self.source.startswith("ANY")

    @property
    def names(self) -> tuple[str, ...]:
        """The names and addresses of its other end, as far as they are known."""
        if self.direction == "inbound":
            return ()
        known = (*self.destinations, *(each.name for each in self.stand_ins))
        return tuple(each for each in dict.fromkeys(known) if is_host(each))


class Sheet(Struct, frozen=True):
    """All that is to be asked of a firewall team for one deployment."""

    profile: Profile
    rules: tuple[Opening, ...]
    also: tuple[Opening, ...]
    skipped: tuple[tuple[str, str], ...]  # rules of the guide, and why this deployment needs none
