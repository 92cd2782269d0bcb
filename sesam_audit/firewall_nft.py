"""The rules as an nftables table of today's addresses; loading it opens and closes nothing."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sesam_audit import REQUIREMENTS_VERSION, __version__
from sesam_audit.opening import Opening, Sheet
from sesam_audit.profile_values import is_address

Addresses = Mapping[str, tuple[str, ...]]
"""What names resolve to; an unresolvable one has no address."""

_HEAD = """\
# Firewall rules for a self-hosted Sesam machine, by address.
# Made {made:%Y-%m-%dT%H:%M:%SZ} by sesam-audit {version}, requirements version {requirements}.
#
# WARNING: this will rot. The sets hold what the names resolved to at that moment, on the machine
# that ran sesam-audit; the guide: "you have no guarantee that the IPs don't change". Make it anew
# often, or use a firewall or a proxy that knows names.
# WARNING: nftables cannot express wildcards. Only names known to lie behind them are in the sets;
# what the guide asks for stands in the comments.
#
# Loading this file opens and closes nothing: no chain here has a hook or a policy. Copy the sets
# and chains into the table of your own firewall, and jump to the chains from its own.
# Docker's published ports (80, 443) pass through forward, not input, and Docker does not support
# rule sets of nft beside its own on the same machine: rather use them on a firewall before it.
"""


def as_nft(sheet: Sheet, made: datetime, addresses: Addresses) -> str:
    """A table with a set for each rule, and rules that accept and never drop."""
    head = _HEAD.format(made=made, version=__version__, requirements=REQUIREMENTS_VERSION)
    openings = [*sheet.rules, *sheet.also]
    lines = ["table inet sesam {"]
    for each in openings:
        lines += [f"    {line}".rstrip() for line in _sets(each, addresses)]
    for direction in ("inbound", "outbound"):
        chosen = [each for each in openings if each.direction == direction]
        rules = [f"        {line}" for each in chosen for line in _rules(each)]
        lines += [f"    chain {direction} {{", *rules, "    }", ""]
    skipped = [f"# {name} is not asked for: {why}.\n" for name, why in sheet.skipped]
    return "".join([head, *skipped, "\n", *(f"{line}\n" for line in lines[:-1]), "}\n"])


def wanted(sheet: Sheet) -> tuple[str, ...]:
    """The names and addresses that the sets need."""
    openings = (each for each in (*sheet.rules, *sheet.also) if not each.via_proxy)
    return tuple(dict.fromkeys(name for each in openings for name in each.names))


def resolved(names: Iterable[str], seconds: float) -> dict[str, tuple[str, ...]]:
    """What this machine's resolver says now; what it does not say in time is unresolvable."""
    found: dict[str, tuple[str, ...]] = {}

    def ask(name: str) -> None:
        found[name] = _lookup(name)

    # Daemons: getaddrinfo has no deadline of its own, and the program must end all the same.
    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return dict(found)


def _lookup(name: str) -> tuple[str, ...]:
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(sorted({str(answer[4][0]).partition("%")[0] for answer in answers}))


def _sets(opening: Opening, addresses: Addresses) -> Iterator[str]:
    yield from _about(opening)
    if opening.via_proxy:
        yield from ("# to be allowed on the proxy, so without a set", "")
        return
    if opening.from_anywhere:
        yield ""
        return
    found = list(opening.networks)
    for name in opening.names:
        answers = (name,) if is_address(name) else addresses.get(name, ())
        usable = [each for each in answers if _usable(each)]
        if not usable:
            yield f"# {name}: not resolved to a usable address"
        elif not is_address(name):
            yield f"# {name}: {', '.join(usable)}"
        found += usable
    for version in (4, 6):
        yield from _set(opening, version, found)
    yield ""


def _about(opening: Opening) -> Iterator[str]:
    """What was asked for, as comments."""
    yield f"# {opening.name}: {opening.source} -> {', '.join(opening.destinations)}"
    if opening.wildcards:
        yield f"# not expressible in nftables: {', '.join(opening.wildcards)}"
    yield from (f"# {note}" for note in opening.notes)


def _set(opening: Opening, version: int, found: Iterable[str]) -> Iterator[str]:
    networks = {ipaddress.ip_network(each, strict=False) for each in found}
    mine = [_short(each) for each in sorted(x for x in networks if x.version == version)]
    yield f"set {_set_name(opening, version)} {{"
    yield f"    type ipv{version}_addr"
    yield "    flags interval"
    yield "    auto-merge"
    if mine:
        yield f"    elements = {{ {', '.join(mine)} }}"
    else:
        yield "    # empty: to be filled in" if not opening.names else "    # empty: none is known"
    yield "}"


def _rules(opening: Opening) -> Iterator[str]:
    if opening.via_proxy:
        yield f"# {opening.name}: on the proxy"
        return
    side = "saddr" if opening.direction == "inbound" else "daddr"
    ports = ", ".join(map(str, opening.ports))
    for protocol in opening.protocols:
        verdict = f'{protocol} dport {{ {ports} }} counter accept comment "{opening.name}"'
        if opening.from_anywhere:
            yield verdict
            continue
        for version, family in ((4, "ip"), (6, "ip6")):
            yield f"{family} {side} @{_set_name(opening, version)} {verdict}"


def _set_name(opening: Opening, version: int) -> str:
    return f"{opening.name.lower().replace('-', '_')}_v{version}"


def _short(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    return str(network.network_address if network.num_addresses == 1 else network)


def _usable(text: str) -> bool:
    """Whether packets of this rule could go there; a sinkhole's 0.0.0.0 or 127.0.0.1 never."""
    address = ipaddress.ip_address(text)
    nowhere = address.is_loopback or address.is_unspecified or address.is_link_local
    return not (nowhere or address.is_multicast)


def resolve_and_render(sheet: Sheet, made: datetime) -> str:
    """The table, with sets filled from this machine's resolver, within the profile's deadline."""
    return as_nft(sheet, made, resolved(wanted(sheet), sheet.profile.deadline))
