"""The host's routes and the packet sizes of its network devices."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from msgspec import Struct

from sesam_audit.asks import File, Files, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import gather
from sesam_audit.profile import Profile

_V4, _V6 = "/proc/net/route", "/proc/net/ipv6_route"
_UP, _GATEWAY, _REJECT = 0x1, 0x2, 0x200


class Route(Struct, frozen=True):
    """One route of the main table; on-link when it has no gateway."""

    network: str
    device: str
    on_link: bool = True
    metric: int = 0

    @property
    def default(self) -> bool:
        return self.network.endswith("/0")


class Routes(Struct, frozen=True):
    """Where the host's packets go, without loopback, link-local and multicast."""

    routes: tuple[Route, ...]
    mtus: dict[str, int] = {}  # by device

    @property
    def default(self) -> Route | None:
        """The default route that is used: IPv4 before IPv6, the lowest metric first."""
        defaults = [each for each in self.routes if each.default]
        return min(defaults, key=lambda each: (":" in each.network, each.metric), default=None)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Routes]:
        """Read the kernel's tables."""
        v4, v6, mtus = yield from gather(
            File(_V4, 262_144), File(_V6, 262_144), Files("/sys/class/net/*/mtu")
        )
        table = v4.read(_V4)
        if table is None or v4.cut:
            raise Unknown(f"{_V4} could not be read", "ip route")
        sizes = {path.split("/")[4]: text.strip() for path, text in (mtus.files or {}).items()}
        return cls(
            (*_of_v4(table), *_of_v6(v6.text)),
            {device: int(text) for device, text in sizes.items() if text.isdecimal()},
        )


def _of_v4(table: str) -> Iterator[Route]:
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 8:
            continue
        device, destination, flags, metric = fields[0], fields[1], int(fields[3], 16), fields[6]
        network = f"{_address(destination)}/{int(fields[7], 16).bit_count()}"
        if _counts(network, device, flags):
            yield Route(network, device, not flags & _GATEWAY, int(metric))


def _of_v6(table: str) -> Iterator[Route]:
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 10:
            continue
        address = ipaddress.IPv6Address(bytes.fromhex(fields[0]))
        network, flags = f"{address}/{int(fields[1], 16)}", int(fields[8], 16)
        if _counts(network, fields[9], flags):
            yield Route(network, fields[9], not flags & _GATEWAY, int(fields[5], 16))


def _address(word: str) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(bytes.fromhex(word)[::-1])


def _counts(network: str, device: str, flags: int) -> bool:
    place = ipaddress.ip_network(network, strict=False).network_address
    ordinary = not (place.is_loopback or place.is_link_local or place.is_multicast)
    return bool(flags & _UP) and not flags & _REJECT and device != "lo" and ordinary
