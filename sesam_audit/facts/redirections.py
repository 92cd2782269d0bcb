"""Which rules of iptables and nftables send a port of this host elsewhere. Pure text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from sesam_audit.facts.rulesets import chains, names_port, tables

_TO = re.compile(r"(! )?(?:-d|--destination) (\S+)|\bip6? daddr (!= )?(\{[^}]*\}|\S+)")
_TO_OTHERS = re.compile(r"! --dst-type LOCAL|\bfib daddr (?:\. \S+ )?type != local")
_JUMP = re.compile(r"(?:-j|-g|\bjump|\bgoto) ([^\s,}]+)")
_DOCKERS = "DOCKER"


def iptables_dnat(text: str, port: int, own: Collection[str] = ()) -> Iterator[str]:
    """Rules that send a port of these addresses elsewhere, Docker's own excepted."""
    nat = tables(text).get("nat", {})
    for chain, rule in _met(nat, ["PREROUTING"], port, own):
        if re.search(r"-j (DNAT|REDIRECT)\b", rule):
            yield f"iptables -t nat -A {chain} {rule}"


def nft_dnat(text: str, port: int, own: Collection[str] = ()) -> Iterator[str]:
    """As `iptables_dnat`, of the tables that are neither iptables' nor Docker's."""
    every = [chain for chain in chains(text) if chain.foreign]
    for family, table in dict.fromkeys((chain.family, chain.table) for chain in every):
        theirs = [each for each in every if (each.family, each.table) == (family, table)]
        first = [each.name for each in theirs if each.hook == "prerouting"]
        for chain, rule in _met({each.name: each.rules for each in theirs}, first, port, own):
            if re.search(r"\b(?:dnat|redirect)\b(?! *accept)", rule) and "ct status" not in rule:
                yield f"nft {family} {table} {chain}: {rule}"


def _met(
    known: Mapping[str, Sequence[str]], first: Sequence[str], port: int, own: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The rules that a connection from elsewhere to this port may meet, each with its chain."""
    waiting, seen = list(first), {_DOCKERS, *first}
    while waiting:
        chain = waiting.pop(0)
        for rule in known.get(chain, ()):
            if not (_tcp(rule) and names_port(rule, port)) or _passes_by(rule, own):
                continue
            yield chain, rule
            led = [each for each in _JUMP.findall(rule) if each in known and each not in seen]
            waiting += led
            seen.update(led)


def _tcp(rule: str) -> bool:
    return not re.search(r"-p (?!tcp|all)|\budp\b", rule)


def _passes_by(rule: str, own: Collection[str]) -> bool:
    """Whether a rule is about packets alone that go to others than these addresses."""
    if _TO_OTHERS.search(rule):
        return True
    told = [ipaddress.ip_address(each) for each in own]
    addresses = [each for each in told if not each.is_loopback]  # nobody comes there from elsewhere
    for match in _TO.finditer(rule):
        networks = _networks(match[2] or match[4])
        alike = [x for x in addresses if x.version in {network.version for network in networks}]
        held = [any(address in network for network in networks) for address in alike]
        negated = bool(match[1] or match[3])
        if addresses and networks and (held and all(held) if negated else not any(held)):
            return True
    return False


def _networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks of a rule's destination; none where it names a set, a range or a host."""
    found = []
    for word in text.strip("{} ").split(","):
        try:
            found.append(ipaddress.ip_network(word.strip(), strict=False))
        except ValueError:
            return []
    return found
