"""The street between the hosts and the internet: what nftables lets become of their packets."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from . import nginx
from .gateways import PROXY
from .resolver import MUTE
from .services import LAYERS, R2, SERVICES

BOTH = "tcp dport { 80, 443 }"
PUSHED = "tcp flags & psh == psh"  # the first packet that carries anything: TLS's hello
MARK = "cs1"
HOSTS = "{ 10.213.0.0/16, 192.31.196.0/24 }"
ASKER = "ip saddr . udp sport"


class Street(Struct, kw_only=True):
    """What is in the way, name by name; in the auditor's too when it is `everywhere`."""

    auditor: str
    ports: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    portals: list[str] = field(default_factory=list)  # whose port 80 leads to a login as well
    translations: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    proxy: int = PROXY
    six: str = ""
    deaf: bool = False
    lossy: bool = False
    everywhere: bool = False
    marked: bool = False  # of the hosts' packets only those that bear a mark
    cut_off: bool = False

    def text(self) -> str:
        """The whole rule set."""
        four = [
            "set seen { type ipv4_addr . inet_service; flags dynamic; timeout 1m; }",
            *_chain("way", "nat hook prerouting priority dstnat", self._ways()),
            *_chain("back", "nat hook postrouting priority srcnat", self._backs()),
            *_chain("door", "filter hook prerouting priority mangle", self._doors()),
            *_chain("desk", "filter hook input priority filter", [f"iif lo udp dport {MUTE} drop"]),
        ]
        six = _chain("door", "filter hook input priority filter", self._six())
        return "\n".join([*_table("ip", four), *_table("ip6", list(six)), ""])

    @property
    def _whose(self) -> str:
        mark = f" ip dscp {MARK}" if self.marked else ""
        return "" if self.everywhere else f"ip saddr != {self.auditor}{mark}"

    def _ways(self) -> Iterator[str]:
        for name, port in self.ports.items():
            yield f"{self._whose} ip daddr {_at(name)} tcp dport 443 redirect to :{port}"
        for name in self.portals:
            to = nginx.CAPTIVE_80
            yield f"{self._whose} ip daddr {_at(name)} tcp dport 80 redirect to :{to}"
        if self.proxy != PROXY:
            yield f"tcp dport {PROXY} redirect to :{self.proxy}"
        for address, to_address in self.translations.items():
            yield f"ip daddr {address} dnat to {to_address}"

    def _backs(self) -> Iterator[str]:
        yield from ("ct status dnat masquerade" for _ in self.translations)

    def _doors(self) -> Iterator[str]:
        if self.deaf:
            yield from (f"{self._whose} {each} dport 53 drop" for each in ("udp", "tcp"))
        if self.lossy:
            yield f"{self._whose} udp dport 53 {ASKER} @seen accept"
            yield f"{self._whose} udp dport 53 add @seen {{ {ASKER} }} drop"
        if self.cut_off:
            yield f"ip saddr {self.auditor} ip daddr != {HOSTS} tcp dport 443 drop"
        for name, verdict in self.verdicts.items():
            yield f"{self._whose} ip daddr {_at(name)} {verdict}"
        yield from self.rules

    def _six(self) -> Iterator[str]:
        if self.six:
            yield f"{BOTH} {self.six}"


def _table(family: str, parts: list[str]) -> list[str]:
    return [
        f"table {family} lab",
        f"delete table {family} lab",
        f"table {family} lab {{",
        *parts,
        "}",
    ]


def _chain(name: str, hook: str, rules: Iterator[str] | list[str]) -> list[str]:
    return [f"chain {name} {{ type {hook};", *rules, "}"]


def _at(name: str) -> str:
    if name == R2:
        return LAYERS
    service = SERVICES.get(name)
    if service is None:
        return name  # an address
    return f"{{ {', '.join(filter(None, (service.address, service.extra_address)))} }}"
