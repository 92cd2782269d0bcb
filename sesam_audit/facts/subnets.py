"""Whether Docker has taken, or may take, addresses that the host must reach elsewhere."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from sesam_audit.asks import Contact, ContactAnswer, File, FileAnswer, Lookup, LookupAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.engine import BUILT_IN_POOLS, Engine
from sesam_audit.facts.networks import Networks
from sesam_audit.facts.routes import Routes
from sesam_audit.profile import Profile

_RESOLVERS = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
_SSH, _ESTABLISHED = 22, "01"
_AGGREGATE = 8  # shorter prefixes are default routes in disguise (0.0.0.0/1 of a VPN)

Ip = Any  # IPv4Network | IPv6Network: the standard library gives them no common type


class Place(Struct, frozen=True):
    """Addresses the host must reach outside Docker. `kept` ones Docker itself steers clear of."""

    what: str
    network: str
    kept: bool = False
    reached: bool = False  # it is talking with the host now, so nothing taken stands in its way


class Subnets(Struct, frozen=True):
    """Docker's networks and pools beside everything else the host must reach."""

    places: tuple[Place, ...]
    taken: dict[str, tuple[str, ...]]  # Docker network -> its subnets
    pools: tuple[tuple[str, int], ...] = BUILT_IN_POOLS

    @property
    def collisions(self) -> tuple[str, ...]:
        """What Docker has taken or may take next, in words."""
        return tuple(dict.fromkeys((*self._taken(), *self._next())))

    def _taken(self) -> Iterator[str]:
        for name, subnets in self.taken.items():
            for subnet in filter(None, map(_network, subnets)):
                for place in self.places:
                    if not place.reached and _overlap(subnet, _network(place.network)):
                        yield f"Docker's network {name} ({subnet}) covers {place.what}"

    def _next(self) -> Iterator[str]:
        """Pools whose next network may cover a place (moby, InferReservedNetworks)."""
        for base, size in self.pools:
            pool = _network(base)
            for place in self.places:
                network = _network(place.network)
                if not place.kept and _overlap(pool, network) and self._free(pool, network, size):
                    yield f"Docker's address pool {base} covers {place.what}"

    def _free(self, pool: Ip, network: Ip, size: int) -> bool:
        """Whether Docker could hand out a part of the pool that touches this network."""
        kept = [place.network for place in self.places if place.kept]
        taken = [subnet for subnets in self.taken.values() for subnet in subnets]
        gone = [each for each in map(_network, (*kept, *taken)) if each]
        if network.prefixlen > size:
            part = network.supernet(new_prefix=size)
            return not any(_overlap(part, each) for each in gone)
        part = max(pool, network, key=lambda each: each.prefixlen)
        return not any(_overlap(part, each) and each.prefixlen <= part.prefixlen for each in gone)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Subnets]:
        """Ask the daemon, the kernel and the files; look a proxy's name up."""
        engine, networks, routes, files, proxy, contact = yield from gather(
            Engine.ask(profile),
            Networks.ask(profile),
            Routes.ask(profile),
            every(map(File, (*_RESOLVERS, "/proc/net/tcp", "/proc/net/tcp6"))),
            _proxy(profile),
            Contact(),
        )
        bridges = {each.interface for each in networks.networks}
        places = (
            *_routed(routes, bridges),
            *_resolvers(files[:2]),
            *(Place(f"the proxy {profile.proxy} ({each})", each) for each in proxy),
            *(Place(f"the clients' network {each}", each) for each in profile.client_networks),
            *(Place(f"the vantage {x} ({each})", each) for x, each in _vantages(contact)),
            *_talking(files[2:], contact.port),
        )
        taken = {each.name: each.subnets for each in networks.networks if each.subnets}
        return cls(tuple(places), taken, engine.answering().pools)


def _network(text: str) -> Ip | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _overlap(one: Ip | None, other: Ip | None) -> bool:
    return bool(one and other and one.version == other.version and one.overlaps(other))


def _routed(routes: Routes, bridges: set[str]) -> Iterator[Place]:
    for route in routes.routes:
        if route.device in bridges or int(route.network.rpartition("/")[2]) < _AGGREGATE:
            continue
        kept = route.on_link and ":" not in route.network
        yield Place(f"the route to {route.network} over {route.device}", route.network, kept=kept)


def _resolvers(files: tuple[FileAnswer, ...]) -> Iterator[Place]:
    lines = [line.split() for file in files for line in file.text.splitlines()]
    for words in lines:
        if len(words) > 1 and words[0] == "nameserver":
            address = words[1].partition("%")[0]
            if (network := _network(address)) and not network.is_loopback:
                yield Place(f"the resolver {address}", address, kept=True)


def _vantages(contact: ContactAnswer) -> Iterator[tuple[str, str]]:
    for spec, address in contact.vantages.items():
        network = _network(address.partition("%")[0])
        if network and not network.is_loopback:
            yield spec, str(network.network_address)


def _talking(files: tuple[FileAnswer, ...], port: int = 0) -> Iterator[Place]:
    """Who has an SSH connection to the host: the auditor, and others who must get through."""
    ports = tuple(f":{each:04X}" for each in (_SSH, port))
    for line in (line.split() for file in files for line in file.text.splitlines()):
        if len(line) > 3 and line[3] == _ESTABLISHED and line[1].endswith(ports):
            address = _peer(line[2].partition(":")[0])
            if not address.is_loopback:
                yield Place(f"{address}, which is connected by SSH", str(address), reached=True)


def _peer(word: str) -> Any:
    words = [bytes.fromhex(word[start : start + 8])[::-1] for start in range(0, len(word), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return getattr(address, "ipv4_mapped", None) or address


def _proxy(profile: Profile) -> Steps[tuple[str, ...]]:
    if not profile.proxy_address:
        return ()
    name = profile.proxy_address[0]
    if _network(name):
        return (name,)
    answer: LookupAnswer | Unknown = yield from attempt(Lookup(name, "A"))
    return () if isinstance(answer, Unknown) else answer.records
