"""The printed rules under a real nft: they load, change nothing, and let through what they name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from typing import Any

import pytest

from sesam_audit.firewall import sheet
from sesam_audit.firewall_nft import as_nft
from sesam_audit.profile import Profile

MADE = datetime(2026, 11, 22, 21, 58, 4, tzinfo=timezone.utc)
ADDRESSES = {
    "pypi.org": ("192.0.2.9", "192.0.2.10", "2001:db8::9"),
    "files.pythonhosted.org": ("192.0.2.9", "192.0.2.11"),  # one CDN, the same address
    "registry-1.docker.io": ("198.51.100.1",),
    "proxy.example.org": ("192.0.2.200",),
}
PROFILES = {
    "default": Profile(),
    "provided": Profile(certificates="provided"),
    "ips": Profile(sesam_destinations="ips"),
    "proxy": Profile(proxy="proxy.example.org:3128", extra_destinations=("db.example.org:8443",)),
    "clients": Profile(client_networks=("10.0.0.0/8", "10.20.0.0/16", "2001:db8::/32")),
    "extras": Profile(extra_destinations=("203.0.113.5:8443", "[2001:db8::5]:8443", "a.example")),
}
TRY = """
import socket, sys
for address, port in (("203.0.113.5", 8443), ("203.0.113.5", 8444), ("203.0.113.6", 8443)):
    with socket.create_server((address, port)):
        try:
            socket.create_connection((address, port), timeout=0.3).close()
        except OSError:
            print("closed")
        else:
            print("open")
"""


@pytest.fixture(autouse=True)
def _nft() -> None:
    if os.geteuid() or not shutil.which("nft"):
        reason = "needs root and nft: see tests/lab/packages.txt"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def apart(script: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the shell in a network namespace of its own."""
    return subprocess.run(
        ("unshare", "--net", "sh", "-euc", script),
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def loaded(text: str) -> list[dict[str, Any]]:
    """The rule set after loading, as nft itself tells it."""
    done = apart("nft -f - && nft -j list ruleset", text)
    assert done.returncode == 0, done.stderr
    parts: list[dict[str, Any]] = json.loads(done.stdout)["nftables"]
    return parts


@pytest.mark.parametrize("addresses", [{}, ADDRESSES], ids=["unresolved", "resolved"])
@pytest.mark.parametrize("name", PROFILES)
def test_nft_finds_no_fault(name: str, addresses: dict[str, tuple[str, ...]]) -> None:
    done = apart("nft -c -f -", as_nft(sheet(PROFILES[name]), MADE, addresses))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", PROFILES)
def test_loading_hooks_nothing_and_drops_nothing(name: str) -> None:
    parts = loaded(as_nft(sheet(PROFILES[name]), MADE, ADDRESSES))
    chains = [each["chain"] for each in parts if "chain" in each]
    rules = [each["rule"] for each in parts if "rule" in each]

    assert [each["name"] for each in chains] == ["inbound", "outbound"]
    assert not [each for each in chains if "hook" in each or "policy" in each]
    assert {tuple(each["expr"][-1]) for each in rules} == {("accept",)}
    assert all(each["comment"] for each in rules)


def test_sets_hold_the_addresses() -> None:
    parts = loaded(as_nft(sheet(Profile()), MADE, ADDRESSES))
    sets = {each["set"]["name"]: each["set"].get("elem", []) for each in parts if "set" in each}

    assert sets["out_hub_v4"] == ["198.51.100.1"]
    assert sets["out_pypi_v6"] == ["2001:db8::9"]
    assert sets["out_le_v4"] == []


def test_the_rules_let_through_what_they_name_under_a_firewall_that_drops() -> None:
    own = """
        add chain inet sesam own { type filter hook output priority 0; policy drop; }
        add rule inet sesam own ct state established accept
        add rule inet sesam own jump outbound
    """
    script = (
        "ip link set lo up; ip address add 203.0.113.5/32 dev lo;"
        " ip address add 203.0.113.6/32 dev lo; nft -f -;"
        f" exec {sys.executable} -c '{TRY}'"
    )
    done = apart(script, as_nft(sheet(PROFILES["extras"]), MADE, {}) + own)

    assert done.stdout.split() == ["open", "closed", "closed"], done.stderr
