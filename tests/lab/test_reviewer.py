"""A reviewer who has only the table: which rule is missing, and what to ask for."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from .auditing import Auditor
from .host import LabHost, Wanted
from .lab import Lab
from .services import NETWORK, SERVICES

BEHIND = {
    "OUT-HUB": ("docker",),
    "OUT-LE": ("letsencrypt",),
    "OUT-SESAM": ("sesam",),
    "OUT-PYPI": ("pypi", "pythonhosted"),
}
DESTINATIONS = {
    "OUT-HUB": "*.docker.com, *.docker.io",
    "OUT-LE": "*.letsencrypt.org",
    "OUT-SESAM": "*.sesam.io, *.sesam.cloud",
    "OUT-PYPI": "files.pythonhosted.org, pypi.org, pypi.python.org",
}


@pytest.fixture(scope="module")
def outside(lab: Lab) -> Iterator[LabHost]:
    """A machine of its own on the lab's internet."""
    host = lab.host("outside", Wanted(bare=True, data_disk=False, docker=False))
    yield host
    lab.stop_host(host)


def table(lab: Lab, host: LabHost, path: Path) -> list[dict[str, str]]:
    """The rows of an audit's table, and nothing else of it."""
    words = (host.spec(), "-q", "--from", "ssh://outside=internet", "--report", f"csv={path}")
    Auditor(lab)(*words, "--format", "json", settings=("deadline=8",))
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def missing(rows: list[dict[str, str]]) -> set[str]:
    """What a reviewer filters for: the rules of the rows that failed."""
    return {row["rule"] for row in rows if row["outcome"] == "failed"}


def names(rule: str) -> tuple[str, ...]:
    return tuple(name for name in SERVICES if any(part in name for part in BEHIND[rule]))


def test_nothing_is_missing_where_all_is_open(
    lab: Lab, perfect: LabHost, outside: LabHost, tmp_path: Path
) -> None:
    assert outside.name == "outside"
    rows = table(lab, perfect, tmp_path / "flows.csv")

    assert missing(rows) == set()
    assert {row["rule"] for row in rows} == {"IN-80", "IN-443", *BEHIND}
    assert not [row["ask"] for row in rows if row["ask"]]


@pytest.mark.parametrize("way", ["refuse", "blackhole"])
@pytest.mark.parametrize("rule", BEHIND)
def test_the_table_names_the_closed_rule_on_the_way_out(
    lab: Lab, perfect: LabHost, outside: LabHost, tmp_path: Path, rule: str, way: str
) -> None:
    assert outside.name == "outside"
    getattr(lab.internet, way)(*names(rule))
    rows = table(lab, perfect, tmp_path / "flows.csv")
    lab.internet.reset()

    assert missing(rows) == {rule}
    asked = {row["ask"].partition(" (")[0] for row in rows if row["ask"]}
    assert asked == {
        f"{rule}: allow TCP 443 from {perfect.address} to {DESTINATIONS[rule]}, without opening TLS"
    }
    assert {row["control"].partition(" ")[0] for row in rows if row["rule"] == rule} <= {"ok", ""}


@pytest.mark.parametrize(("rule", "port"), [("IN-80", 80), ("IN-443", 443)])
def test_the_table_names_the_closed_rule_on_the_way_in(
    lab: Lab, perfect: LabHost, outside: LabHost, tmp_path: Path, rule: str, port: int
) -> None:
    assert outside.name == "outside"
    with lab.internet.filtered(f"ip daddr {perfect.public_address} tcp dport {port} drop"):
        rows = table(lab, perfect, tmp_path / "flows.csv")

    assert missing(rows) == {rule}
    (row, *_) = (each for each in rows if each["ask"])
    assert f"{rule}: allow TCP {port} from " in row["ask"]
    assert perfect.public_address in row["ask"]


def test_the_table_names_every_closed_rule_at_once(
    lab: Lab, perfect: LabHost, outside: LabHost, tmp_path: Path
) -> None:
    assert outside.name == "outside"
    closed = f"ip saddr {perfect.address} ip daddr {NETWORK}.0/24 tcp dport 443 drop"
    with lab.internet.filtered(closed):
        rows = table(lab, perfect, tmp_path / "flows.csv")

    assert missing(rows) == set(BEHIND)
