"""Rule sets as text: what sends a port elsewhere, and what stops it before Docker's rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesam_audit.facts.rulesets import (
    chains,
    iptables_drop,
    names_port,
    nft_forward,
    tables,
)

DATA = Path(__file__).parent / "data" / "firewall"
DOCKER_FORWARD = "-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-FORWARD\n"


def data(name: str) -> str:
    return (DATA / name).read_text()


def user(*rules: str, more: str = "") -> str:
    """A filter table whose DOCKER-USER has these rules."""
    lines = "".join(f"-A DOCKER-USER {rule}\n" for rule in rules)
    return (
        f"*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n{more}{DOCKER_FORWARD}{lines}COMMIT\n"
    )


def forward(*rules: str, policy: str = "accept", table: str = "inet mine") -> str:
    """A ruleset with one forward chain."""
    head = f"type filter hook forward priority filter; policy {policy};"
    body = "\n".join(f"\t\t{line}" for line in (head, *rules))
    return f"table {table} {{\n\tchain forward {{\n{body}\n\t}}\n}}\n"


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("-p tcp -m tcp --dport 80 -j DROP", True),
        ("-p tcp -m tcp --dport 8080 -j DROP", False),
        ("-p tcp -m tcp --dport 1:1024 -j DROP", True),
        ("-p tcp -m multiport --dports 443,80 -j DROP", True),
        ("-p tcp -m multiport --dports 443,8080 -j DROP", False),
        ("-j DROP", True),
        ("tcp dport 80 drop", True),
        ("tcp dport { 22, 80-90 } drop", True),
        ("tcp dport { 22, 443 } drop", False),
        ("tcp dport != 80 drop", False),
        ("tcp dport != 22 drop", True),
        ("tcp dport http drop", True),
        ("tcp dport vmap { 80 : drop }", True),
        ("-p tcp -m conntrack --ctorigdstport 443 -j DROP", False),
        ("ct original proto-dst 443 drop", False),
        ("ct original proto-dst 80 drop", True),
    ],
)
def test_whether_a_rule_is_about_port_80(rule: str, named: bool) -> None:
    assert names_port(rule, 80) is named


def test_dockers_own_rules_stop_nothing() -> None:
    text, rules = data("docker.iptables-save"), data("docker.nft")

    assert not iptables_drop(text, 443)
    assert not nft_forward(rules, 443).stops


@pytest.mark.parametrize("port", [80, 443])
def test_drop_in_docker_user_is_quoted(port: int) -> None:
    expected = "iptables -A DOCKER-USER ! -s 10.0.0.0/8 -i eth0 -j DROP"

    assert iptables_drop(data("dropping.iptables-save"), port) == expected


@pytest.mark.parametrize(
    "rules",
    [
        ("-j DROP",),
        ("-i eth0 -j REJECT --reject-with icmp-port-unreachable",),
        ("-p tcp -m tcp --dport 443 -j DROP",),
        ("! -s 192.0.2.0/24 -j DROP",),
        ("-m set ! --match-set allowed src -j DROP",),
        ("-s 192.0.2.0/24 -j RETURN", "-j DROP"),
        ("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-j DROP"),
        ("-p udp -m udp --dport 443 -j ACCEPT", "-j DROP"),
    ],
)
def test_what_stops_443(rules: tuple[str, ...]) -> None:
    assert "DOCKER-USER" in iptables_drop(user(*rules), 443)


@pytest.mark.parametrize(
    "rules",
    [
        ("-j RETURN",),
        ("-p tcp -m tcp --dport 80 -j DROP",),
        ("-p udp -j DROP",),
        ("-s 203.0.113.66/32 -j DROP",),
        ("-m set --match-set banned src -j DROP",),
        ("-m conntrack --ctstate INVALID -j DROP",),
        ("-i docker0 -j DROP",),
        ("-p tcp -m multiport --dports 80,443 -j RETURN", "-j DROP"),
        ('-p tcp -m tcp --dport 443 -m comment --comment "a b" -j ACCEPT', "-j DROP"),
        ("-j RETURN", "-j DROP"),
        ("-p tcp -m conntrack --ctorigdstport 80 -j DROP",),
        ("-p tcp -m conntrack --ctorigdstport 443 --ctdir ORIGINAL -j ACCEPT", "-j DROP"),
    ],
)
def test_what_lets_443_pass(rules: tuple[str, ...]) -> None:
    assert not iptables_drop(user(*rules), 443)


def test_chains_of_others_are_followed() -> None:
    more = "-A ufw-docker -p tcp -j DROP\n"

    assert "ufw-docker" in iptables_drop(user("-j ufw-docker", more=more), 443)


def test_circles_end() -> None:
    more = "-A one -j two\n-A two -j one\n"

    assert not iptables_drop(user("-j one", more=more), 443)


def test_reject_before_dockers_chains_stops() -> None:
    text = "*filter\n:DOCKER-USER - [0:0]\n-A FORWARD -j REJECT\n" + DOCKER_FORWARD + "COMMIT\n"

    assert "FORWARD -j REJECT" in iptables_drop(text, 443)


def test_without_docker_its_rules_will_come_first() -> None:
    assert not iptables_drop("*filter\n-A FORWARD -j REJECT\nCOMMIT\n", 443)


def test_garbage_stops_nothing() -> None:
    assert tables("\x00\n*\n-A\n-A x\n:\n") == {"": {"x": [""], "": []}}


def test_verdict_map_of_ports_is_not_clear() -> None:
    assert "vmap" in nft_forward(forward("tcp dport vmap { 443 : drop }"), 443).unclear


def test_forward_chain_with_policy_drop_stops() -> None:
    assert nft_forward(forward(policy="drop"), 443).stops == "nft inet mine forward: policy drop"


def test_narrow_accept_is_not_clear() -> None:
    found = nft_forward(data("forward-drop.nft"), 443)

    assert not found.stops
    assert 'iifname "eth0" tcp dport 443 accept' in found.unclear


def test_port_nobody_accepts_is_stopped() -> None:
    assert nft_forward(data("forward-drop.nft"), 80).stops.endswith("policy drop")


@pytest.mark.parametrize(
    "rules",
    [
        ("ct status dnat accept",),
        ("tcp dport { 80, 443 } accept",),
        ("accept",),
        ("ct state established,related accept", "tcp dport 443 counter accept"),
    ],
)
def test_forward_chain_that_lets_443_pass(rules: tuple[str, ...]) -> None:
    found = nft_forward(forward(*rules, policy="drop"), 443)

    assert (found.stops, found.unclear) == ("", "")


@pytest.mark.parametrize(
    "rule", ["drop", "tcp dport 443 drop", "reject with icmpx admin-prohibited"]
)
def test_forward_chain_that_stops_443(rule: str) -> None:
    assert nft_forward(forward(rule), 443).stops.endswith(rule)


@pytest.mark.parametrize(
    "rule", ["ip saddr 203.0.113.66 drop", "ct state invalid drop", "udp dport 443 drop"]
)
def test_forward_chain_that_stops_others(rule: str) -> None:
    assert not nft_forward(forward(rule), 443).stops


@pytest.mark.parametrize(
    "table", ["inet firewalld", "ip docker-bridges", "bridge mine", "inet other"]
)
def test_tables_of_others_are_judged_by_other_evidence(table: str) -> None:
    stops = nft_forward(forward(policy="drop", table=table), 443).stops

    assert bool(stops) is (table == "inet other")


def test_every_chain_is_read() -> None:
    found = {(x.table, x.name): x for x in chains(data("forward-drop.nft"))}

    assert found["filter", "input"].rules[-1] == "tcp dport { 22, 80, 443 } accept"
    assert found["mynat", "pre"].hook == "prerouting"


@pytest.mark.parametrize(("verdict", "doubt"), [("drop", True), ("accept", False)])
def test_jump_to_a_chain_that_may_stop_is_not_clear(verdict: str, doubt: bool) -> None:
    other = f"table inet mine {{\n\tchain guests {{\n\t\tip daddr 10.0.0.1 {verdict}\n\t}}\n}}\n"

    found = nft_forward(forward("jump guests") + other, 443)

    assert not found.stops
    assert bool(found.unclear) is doubt
