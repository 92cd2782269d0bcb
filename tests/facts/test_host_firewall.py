"""HostFirewall: what could be read of the rules, and what that proves."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, File, FileAnswer, Run, RunAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.host_firewall import HostFirewall

from .machine import find
from .test_rulesets import data, forward, user

IPTABLES, NFT = Run(("iptables-save",)), Run(("nft", "list", "ruleset"))
FIREWALLD = Run(("systemctl", "is-active", "firewalld.service"))
CONFIG, DAEMON = File("/etc/firewalld/firewalld.conf"), File("/etc/docker/daemon.json")
REFUSED = RunAnswer(
    code=4,
    err="iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: "
    "Permission denied (you must be root)\n",
)


def firewall(**changes: Answer) -> HostFirewall:
    asks: dict[str, Ask[Any]] = {
        "iptables": IPTABLES,
        "nft": NFT,
        "active": FIREWALLD,
        "config": CONFIG,
    }
    asks |= {"daemon": DAEMON, "ufw": File("/etc/ufw/ufw.conf")}
    answers: dict[Ask[Any], Answer | Unknown] = {
        IPTABLES: RunAnswer(code=0, out=data("docker.iptables-save")),
        NFT: RunAnswer(code=0, out=data("docker.nft")),
        FIREWALLD: RunAnswer(code=3, out="inactive\n"),
    }
    return find(HostFirewall, {**answers, **{asks[key]: value for key, value in changes.items()}})


def test_docker_alone_stops_nothing() -> None:
    found = firewall()

    assert not found.forwarding(443).stops
    assert found.dnat(443) == ()


def test_drop_of_docker_user() -> None:
    found = firewall(iptables=RunAnswer(code=0, out=user("-j DROP")))

    assert found.forwarding(443).stops == "iptables -A DOCKER-USER -j DROP"


def test_drop_of_nftables() -> None:
    found = firewall(nft=RunAnswer(code=0, out=forward(policy="drop")))

    assert "policy drop" in found.forwarding(443).stops


def test_strict_forward_ports_of_a_running_firewalld() -> None:
    found = firewall(
        active=RunAnswer(code=0, out="active\n"),
        config=FileAnswer(text="DefaultZone=public\nStrictForwardPorts=yes\n"),
    )

    assert "StrictForwardPorts=yes" in found.forwarding(443).stops


@pytest.mark.parametrize(
    ("active", "text"),
    [("inactive", "StrictForwardPorts=yes"), ("active", "#StrictForwardPorts=yes"), ("active", "")],
)
def test_firewalld_that_lets_published_ports_pass(active: str, text: str) -> None:
    found = firewall(active=RunAnswer(out=f"{active}\n"), config=FileAnswer(text=text))

    assert not found.forwarding(443).stops


@pytest.mark.parametrize(
    ("text", "stops"),
    [('{"iptables": false}', True), ('{"iptables": true}', False), ("", False), ("[]", False)],
)
def test_iptables_of_daemon_json(text: str, stops: bool) -> None:
    assert bool(firewall(daemon=FileAnswer(text=text)).forwarding(443).stops) is stops


def test_daemon_json_that_does_not_parse_is_unknown() -> None:
    found = firewall(daemon=FileAnswer(text="{"))

    with pytest.raises(Unknown, match="no JSON"):
        found.forwarding(443)


@pytest.mark.parametrize("asks", [{"iptables": REFUSED}, {"nft": REFUSED}])
def test_without_root_nothing_is_proved_to_pass(asks: dict[str, Answer]) -> None:
    found = firewall(**asks)

    with pytest.raises(Unknown, match=r"^needs root: "):
        found.forwarding(443)
    with pytest.raises(Unknown, match=r"^needs root: "):
        found.dnat(443)


def test_without_root_what_can_be_read_may_still_fail() -> None:
    found = firewall(iptables=REFUSED, nft=REFUSED, daemon=FileAnswer(text='{"iptables": false}'))

    assert found.forwarding(443).stops


def test_one_of_the_two_programs_is_enough() -> None:
    missing = RunAnswer(error="ENOENT")

    assert not firewall(nft=missing).forwarding(443).stops
    assert not firewall(iptables=missing).forwarding(443).stops


def test_without_both_programs_nothing_can_be_told() -> None:
    missing = RunAnswer(error="ENOENT")

    with pytest.raises(Unknown, match="neither"):
        firewall(iptables=missing, nft=missing).forwarding(443)


def test_ufw_is_seen() -> None:
    assert firewall(ufw=FileAnswer(text="ENABLED=yes\n")).ufw
    assert not firewall(ufw=FileAnswer(text="ENABLED=no\n")).ufw


def test_rules_cut_short_prove_nothing() -> None:
    with pytest.raises(Unknown, match="too much"):
        firewall(nft=RunAnswer(code=0, out="", cut=True)).forwarding(443)
