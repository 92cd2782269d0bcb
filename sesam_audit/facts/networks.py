"""Docker's networks: their drivers, address ranges and packet sizes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sesam_audit.asks import DockerApi, Steps
from sesam_audit.facts.engine import content, mapping
from sesam_audit.profile import Profile

_ASK = DockerApi("/networks", ("Id", "Name", "Driver", "Internal", "IPAM", "Options"))
_DEFAULT_MTU = 1500  # what Docker gives a network that says nothing, whatever the host has


class Network(Struct, frozen=True):
    """One Docker network."""

    name: str
    driver: str = "bridge"
    internal: bool = False
    subnets: tuple[str, ...] = ()
    mtu: int = _DEFAULT_MTU
    interface: str = ""  # the host's bridge for it; "" for other drivers


class Networks(Struct, frozen=True):
    """All networks of the daemon; Docker allows several of one name."""

    networks: tuple[Network, ...] = ()

    def named(self, name: str) -> tuple[Network, ...]:
        return tuple(each for each in self.networks if each.name == name)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Networks]:
        """Ask the daemon. Raises Unknown when it does not answer."""
        records = content((yield from _ASK), list)
        return cls(tuple(_network(each) for each in records if isinstance(each, dict)))


def _network(record: dict[str, Any]) -> Network:
    options = mapping(record.get("Options"))
    ranges = mapping(record.get("IPAM")).get("Config")
    driver = str(record.get("Driver", ""))
    mtu = str(options.get("com.docker.network.driver.mtu", ""))
    bridge = options.get("com.docker.network.bridge.name", f"br-{str(record.get('Id', ''))[:12]}")
    return Network(
        name=str(record.get("Name", "")),
        driver=driver,
        internal=record.get("Internal") is True,
        subnets=tuple(
            str(each["Subnet"])
            for each in (ranges if isinstance(ranges, list) else ())
            if isinstance(each, dict) and each.get("Subnet")
        ),
        mtu=int(mtu) if mtu.isdecimal() else _DEFAULT_MTU,
        interface=str(bridge) if driver == "bridge" else "",
    )
