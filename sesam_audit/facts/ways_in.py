"""What the ways to a host are judged by beside the dials: its filter, addresses and networks."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from msgspec import Struct

from sesam_audit.asks import Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.domain import Domain, is_global
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME, NAME_6
from sesam_audit.facts.routes import Routes
from sesam_audit.profile import Profile

_SITE_4, _SITE_6 = 24, 48  # bits that addresses of one site have in common, at the least


class WaysIn(Struct, frozen=True):
    """The host's own packet filter, as far as it could be read, and where its name and routes lead.

    `public` are the addresses that the profile declares.
    """

    firewall: HostFirewall | Unknown
    domain: Domain | Unknown = Unknown("NODE_DOMAIN was not resolved")
    routes: Routes | Unknown = Unknown("the host's routes were not read")
    public: tuple[str, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[WaysIn]:
        """Read the filter and the routes, resolve the name; what was not read stays unknown."""
        firewall, domain, routes = yield from gather(
            attempt(HostFirewall.ask(profile)),
            attempt(Domain.ask(profile)),
            attempt(Routes.ask(profile)),
        )
        return cls(firewall, domain, routes, profile.public_addresses)

    def in_use(self, way: str) -> bool:
        """Whether a way is one at all: a family is, where the name has such an address.

        That it has no IPv4 address needs proof: no resolver failed to tell.
        """
        resolved = () if isinstance(self.domain, Unknown) else self.domain.resolved
        addresses = [address for each in resolved for address in each.addresses]
        if way == NAME_6:
            return any(":" in each for each in addresses)
        proved = all(each.told for each in resolved)
        return (
            way == ADDRESS or not (addresses and proved) or any("." in each for each in addresses)
        )

    @property
    def by_name(self) -> str:
        """The way of NODE_DOMAIN: over IPv4, unless it has no such address."""
        return NAME if self.in_use(NAME) else NAME_6

    def of_internet(self, source: str) -> bool:
        """Whether a source that the host itself saw is somebody's on the internet.

        It is, where it is global, and neither of a network that the host is in nor of the site
        whose address is translated to the host's.
        """
        if not is_global(source) or isinstance(self.domain, Unknown):
            return False
        if isinstance(self.domain.own, Unknown) or isinstance(self.routes, Unknown):
            return False
        own = {*self.domain.own, *_on_link(self.routes)}
        outer = {*self.domain.addresses, *self.public}.difference(own)
        sites = map(_site, filter(is_global, outer))
        address = ip_address(source)
        return not any(address in ip_network(each, strict=False) for each in (*own, *sites))


def _on_link(routes: Routes) -> Iterator[str]:
    return (x.network for x in routes.routes if x.on_link and not x.default)


def _site(address: str) -> str:
    return f"{address}/{_SITE_6 if ':' in address else _SITE_4}"
