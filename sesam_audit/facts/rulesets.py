"""What rule sets of iptables and nftables say about new connections to a port. Pure text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

_PORTS = re.compile(
    r"(?:--dports?|--ctorigdstport) ([\d:,]+)"
    r"|\b(?:dport|proto-dst) (?:v?map )?(!= )?(\{[^}]*\}|\S+)"
)
_NAMED = {"http": 80, "https": 443, "ssh": 22}
_DEPTH = 8
_ENDS = ("DROP", "REJECT")
# A rule with one of these is about some packets or some senders, never about all newcomers.
_SOME = re.compile(
    r"(?<!! )-s |(?<!! )--src-range|(?<!! )--match-set \S+ src|--(?:ct)?state (?!\S*NEW)"
    r"|-m (?:limit|hashlimit|recent|connlimit)|-i (?:docker|br-|lo\b)|-p (?!tcp|all)"
)
_SOME_NFT = re.compile(
    r"\bip6? saddr (?!!=)|\bct state (?!.*\bnew\b)|\blimit rate|\biifname \"?(?:docker|br-|lo\b)"
    r"|\b(?:udp|icmp|icmpv6|sctp)\b|\bct state vmap\b"
)
_STOPS = re.compile(r"\b(?:drop|reject)\b")
_NARROW_NFT = re.compile(r"\b(?:ip6?|iif|iifname|oif|oifname|meta|ct(?! original)|mark|ether)\b")


def names_port(rule: str, port: int) -> bool:
    """Whether a rule of either syntax is about this port, or about all ports."""
    found = list(_PORTS.finditer(rule))
    if not found:
        return True
    return any(_holds(match[1] or match[3], port) != bool(match[2]) for match in found)


def _holds(text: str, port: int) -> bool:
    for part in re.split(r"[,\s{}]+", text):
        first, _, last = part.replace(":", "-").partition("-")
        low = _NAMED.get(first, int(first) if first.isdecimal() else -1)
        high = int(last) if last.isdecimal() else low
        if low <= port <= high:
            return True
    return False


# -- iptables-save ---------------------------------------------------------------------------------


def tables(text: str) -> dict[str, dict[str, list[str]]]:
    """Table -> chain -> its rules in order, of `iptables-save`."""
    found: dict[str, dict[str, list[str]]] = {}
    chains: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            chains = found.setdefault(line[1:].strip(), {})
        elif line.startswith(":"):
            chains.setdefault(line[1:].partition(" ")[0], [])
        elif line.startswith("-A "):
            chain, _, rule = line[3:].partition(" ")
            chains.setdefault(chain, []).append(rule)
    return found


def iptables_drop(text: str, port: int) -> str:
    """The rule that stops a published port before Docker's own rules let it in; "" for none."""
    chains = tables(text).get("filter", {})
    for rule in chains.get("FORWARD", []):
        target = _target(rule)
        if target.startswith("DOCKER") and target != "DOCKER-USER":
            break  # Docker's own rules come first, whatever follows
        end = _walk(chains, "FORWARD", [rule], port)
        if end:
            return end if any(name.startswith("DOCKER") for name in chains) else ""
    return ""


def _walk(
    chains: dict[str, list[str]], chain: str, rules: Iterable[str], port: int, depth: int = 0
) -> str:
    for rule in rules:
        if not names_port(rule, port) or _SOME.search(rule):
            continue
        target = _target(rule)
        if target in _ENDS:
            return f"iptables -A {chain} {rule}"
        if target in ("ACCEPT", "RETURN") and _everyone(rule):
            return ""
        if target in chains and depth < _DEPTH:
            end = _walk(chains, target, chains[target], port, depth + 1)
            if end:
                return end
    return ""


def _target(rule: str) -> str:
    found = re.search(r"(?:-j|-g) (\S+)", rule)
    return found[1] if found else ""


def _everyone(rule: str) -> bool:
    """Whether a rule has no condition besides protocol, port and comment."""
    rest = re.sub(r'--comment (?:"[^"]*"|\S+)', "", rule)
    rest = re.sub(r"-m (?:comment|tcp|multiport|conntrack)|-p \S+|(?:-j|-g) \S+", "", rest)
    rest = re.sub(r"--(?:dports?|ctorigdstport|ctdir) \S+", "", rest)
    return not rest.strip()


# -- nft list ruleset ------------------------------------------------------------------------------


class Chain(Struct, frozen=True):
    """One chain of nftables."""

    family: str
    table: str
    name: str
    hook: str
    policy: str
    rules: tuple[str, ...]

    @property
    def foreign(self) -> bool:
        """Judged here: iptables', firewalld's and Docker's chains are judged by other evidence."""
        theirs = self.table in ("firewalld", "docker-bridges") or self.family == "bridge"
        compat = self.family in ("ip", "ip6") and self.table in ("filter", "nat", "mangle", "raw")
        return not (theirs or (compat and self.name.isupper()))


def chains(text: str) -> Iterator[Chain]:
    """Every chain of `nft list ruleset`."""
    family = table = name = hook = policy = ""
    rules: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if match := re.match(r"table (\S+) (\S+) \{", line):
            family, table = match.groups()
        elif match := re.match(r"chain (\S+) \{", line):
            name, hook, policy, rules = match[1].strip('"'), "", "", []
        elif line == "}" and name:
            yield Chain(family, table, name, hook, policy, tuple(rules))
            name = ""
        elif match := re.match(r"type \S+ hook (\S+)", line):
            hook = match[1]
            policy = "drop" if "policy drop" in line else "accept"
        elif name and line:
            rules.append(re.sub(r'\bcounter packets \d+ bytes \d+ ?|\s*comment "[^"]*"', "", line))


class Forwarding(Struct, frozen=True):
    """What a forward chain does with a published port: `stops` it, or `unclear` in these words."""

    stops: str = ""
    unclear: str = ""


def nft_input(text: str) -> bool:
    """Whether an input chain may stop connections to the host itself."""
    stopping = re.compile(r"\b(?:drop|reject|jump|goto)\b")
    return any(
        chain.policy == "drop" or any(map(stopping.search, chain.rules))
        for chain in chains(text)
        if chain.hook == "input"
    )


def nft_forward(text: str, port: int) -> Forwarding:
    """Whether a forward chain stops a published port; in nftables every chain must agree."""
    every = list(chains(text))
    stopping = {
        (each.family, each.table, each.name)
        for each in every
        if any(_STOPS.search(rule) for rule in each.rules)
    }
    doubts = []
    for chain in every:
        if chain.hook == "forward" and chain.foreign:
            found = _forward(chain, port, stopping)
            if found.stops:
                return found
            doubts += [found.unclear] if found.unclear else []
    return Forwarding(unclear="; ".join(doubts))


def _forward(chain: Chain, port: int, stopping: set[tuple[str, str, str]]) -> Forwarding:
    where = f"nft {chain.family} {chain.table} {chain.name}"
    perhaps_in = perhaps_out = ""  # rules that let some newcomers in, or stop some
    for rule in chain.rules:
        if "ct status dnat accept" in rule:
            return Forwarding(unclear=perhaps_out)
        if not names_port(rule, port) or _SOME_NFT.search(rule):
            continue
        if jump := re.search(r"\b(?:jump|goto) (\S+)", rule):
            perhaps_in = f"{where}: {rule}"
            away = (chain.family, chain.table, jump[1]) in stopping
            perhaps_out = f"{where}: {rule}" if away else perhaps_out
        elif "vmap" in rule:
            perhaps_in = perhaps_out = f"{where}: {rule}"
        elif re.search(r"\baccept\b", rule):
            if not _NARROW_NFT.search(rule):
                return Forwarding(unclear=perhaps_out)
            perhaps_in = f"{where}: {rule}"
        elif _STOPS.search(rule):
            stops = Forwarding(f"{where}: {rule}")
            return Forwarding(unclear=perhaps_in) if perhaps_in else stops
    if chain.policy != "drop":
        return Forwarding(unclear=perhaps_out)
    return Forwarding(unclear=perhaps_in) if perhaps_in else Forwarding(f"{where}: policy drop")
