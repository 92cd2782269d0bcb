"""Which rules take a port from this host, and which are about others' packets alone."""

from __future__ import annotations

import pytest

from sesam_audit.facts.redirections import iptables_dnat, nft_dnat

from .test_rulesets import data

OWN = ("127.0.0.1", "192.0.2.4", "10.0.0.4", "::1", "2001:db8::4")


def test_redirections_are_quoted() -> None:
    text = data("dropping.iptables-save")

    assert [rule.rpartition("-j ")[2] for rule in iptables_dnat(text, 443)] == [
        "DNAT --to-destination 10.9.9.9:8443"
    ]
    assert [rule.rpartition("-j ")[2] for rule in iptables_dnat(text, 80)] == [
        "REDIRECT --to-ports 3128"
    ]


def test_nft_redirections_are_quoted() -> None:
    text = data("forward-drop.nft")

    assert list(nft_dnat(text, 80)) == ["nft ip mynat pre: tcp dport 80 redirect to :8080"]
    assert list(nft_dnat(text, 443)) == [
        "nft ip mynat pre: tcp dport { 443, 8443 } dnat to 10.9.9.9"
    ]


def test_dockers_own_rules_take_nothing() -> None:
    assert not list(iptables_dnat(data("docker.iptables-save"), 443, OWN))
    assert not list(nft_dnat(data("docker.nft"), 443, OWN))


def saved(*rules: str) -> str:
    """A nat table with these rules, in the chains they name."""
    names = dict.fromkeys(("PREROUTING", "OUTPUT", *(rule.split()[1] for rule in rules)))
    heads = "".join(f":{name} - [0:0]\n" for name in names)
    return f"*nat\n{heads}" + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


TO = "-p tcp -m tcp --dport 443 -j DNAT --to-destination 10.9.9.9:443"


@pytest.mark.parametrize(
    ("to", "takes"),
    [
        ("", True),
        ("-d 192.0.2.4/32 ", True),
        ("-d 192.0.2.0/24 ", True),
        ("-d 2001:db8::4/128 ", True),
        ("-d 10.99.0.1/32 ", False),
        ("-d 10.99.0.0/16 ", False),
        ("-d 127.0.0.1/32 ", False),  # nobody comes there from elsewhere
        ("! -d 10.99.0.1/32 ", True),
        ("! -d 192.0.2.4/32 ", True),  # it has others
        ("-m addrtype --dst-type LOCAL ", True),
        ("-m addrtype ! --dst-type LOCAL ", False),
        ("-m set --match-set ours dst ", True),
        ("-i wg0 -d 10.99.0.1/32 ", False),
    ],
)
def test_rules_of_iptables_count_that_take_packets_to_the_host(to: str, takes: bool) -> None:
    text = saved(f"-A PREROUTING {to}{TO}")

    assert bool(list(iptables_dnat(text, 443, OWN))) is takes
    assert not list(iptables_dnat(text, 80, OWN))


def test_all_own_addresses_excepted_are_none() -> None:
    text = saved(f"-A PREROUTING ! -d 192.0.2.4/32 {TO}")

    assert not list(iptables_dnat(text, 443, ("127.0.0.1", "192.0.2.4", "2001:db8::4")))
    assert list(iptables_dnat(text, 443, ("192.0.2.4", "192.0.2.5")))


def test_where_the_hosts_addresses_are_not_known_every_rule_counts() -> None:
    assert list(iptables_dnat(saved(f"-A PREROUTING -d 10.99.0.1/32 {TO}"), 443))


@pytest.mark.parametrize(
    ("jump", "takes"),
    [
        ("-A PREROUTING -j mine", True),
        ("-A PREROUTING -g mine", True),
        ("-A PREROUTING -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j mine", False),
        ("-A PREROUTING -p tcp -m tcp --dport 8443 -j mine", False),
        ("-A OUTPUT -j mine", False),
        ("-A PREROUTING -j yours", False),
        ("-A PREROUTING -j DOCKER", False),
    ],
)
def test_chains_count_as_far_as_they_are_led_to(jump: str, takes: bool) -> None:
    text = saved(jump, f"-A mine {TO}", "-A yours -p udp -j mine", f"-A DOCKER {TO}")

    assert bool(list(iptables_dnat(text, 443, OWN))) is takes


def test_chains_that_lead_to_each_other_come_to_an_end() -> None:
    text = saved("-A PREROUTING -j a", "-A a -j b", "-A b -j a", f"-A b {TO}")

    assert list(iptables_dnat(text, 443, OWN)) == [f"iptables -t nat -A b {TO}"]


def ruleset(*rules: str, more: str = "") -> str:
    head = "type nat hook prerouting priority dstnat; policy accept;"
    body = "\n".join(f"\t\t{line}" for line in (head, *rules))
    return f"table inet mine {{\n{more}\tchain pre {{\n{body}\n\t}}\n}}\n"


@pytest.mark.parametrize(
    ("to", "takes"),
    [
        ("", True),
        ("ip daddr 192.0.2.4 ", True),
        ("ip daddr { 10.99.0.1, 192.0.2.0/24 } ", True),
        ("ip6 daddr 2001:db8::4 ", True),
        ("ip daddr 10.99.0.1 ", False),
        ("ip daddr { 10.99.0.1, 10.99.1.0/24 } ", False),
        ("ip daddr 10.99.0.1-10.99.0.9 ", True),  # a range is not looked into
        ("ip daddr @ours ", True),
        ("ip daddr != 10.99.0.1 ", True),
        ("fib daddr type local ", True),
        ("fib daddr type != local ", False),
    ],
)
def test_rules_of_nftables_count_that_take_packets_to_the_host(to: str, takes: bool) -> None:
    text = ruleset(f"{to}tcp dport 443 dnat ip to 10.9.9.9")

    assert bool(list(nft_dnat(text, 443, OWN))) is takes


@pytest.mark.parametrize(
    ("jump", "takes"),
    [
        ("jump web", True),
        ("tcp dport vmap { 80 : jump other, 443 : goto web }", True),
        ("ip daddr 10.99.0.1 jump web", False),
        ("accept", False),
    ],
)
def test_chains_of_nftables_count_as_far_as_they_are_led_to(jump: str, takes: bool) -> None:
    more = "\tchain web {\n\t\ttcp dport 443 redirect to :8443\n\t}\n"

    assert bool(list(nft_dnat(ruleset(jump, more=more), 443, OWN))) is takes
