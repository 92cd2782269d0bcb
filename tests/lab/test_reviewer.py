"""A reviewer who has only the table and the page: which rule is missing, and what to ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reports.reviewing import Shown, shown
from tests.reports.reviewing import table as table_of

from .auditing import Auditor
from .faults.fault import RESTART_DOCKER, Fault, seeded
from .host import LabHost, Wanted
from .internet import Internet
from .lab import Lab
from .services import LOG_SHIPPING, NETWORK, R2, SERVICES

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


def table(lab: Lab, host: LabHost, path: Path, *settings: str) -> list[dict[str, str]]:
    """The rows of an audit's table that were dialled, and nothing else of it; its page beside."""
    words = (host.spec(), "-q", "--from", "ssh://outside=internet", "--report", f"csv={path}")
    page = ("--report", f"html={path.with_suffix('.html')}")
    Auditor(lab)(*words, *page, "--format", "json", settings=("deadline=8", *settings))
    return [row for row in table_of(path.read_bytes().decode()) if row["port"]]


def page(path: Path) -> dict[str, Shown]:
    """The rules of the page beside a table."""
    return shown(path.with_suffix(".html").read_text())


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
    shown_ = {name: each for name, each in page(tmp_path / "flows.csv").items() if each.change}
    assert shown_.keys() == {rule}
    named = {name.rpartition(":")[0] for name, _ in shown_[rule].failed}
    assert named == {row["name"] for row in rows if row["ask"]}
    assert f"- Allow TCP 443 from {perfect.address} to {DESTINATIONS[rule]}," in shown_[rule].change


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


# -- what would not be mended by opening the rule --------------------------------------------------

DROP_IN = "/etc/systemd/system/docker.service.d/reviewer.conf"
CLOSED = 3999  # nobody's port


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A fault whose change is not the guide's own wording; `{own}`, `{proxy}` are the lab's."""

    fault: Fault
    failed: frozenset[tuple[str, str, str]]  # rule, name, result
    asked: str  # the one change, for the first rule


def _proxy_for_docker(lab: Lab, host: LabHost) -> None:
    host.run(f"mkdir -p {DROP_IN.rpartition('/')[0]}")
    url = f"http://{lab.internet.resolver}:{CLOSED}"
    host.write(DROP_IN, f"[Service]\nEnvironment=HTTPS_PROXY={url}\n")
    host.run(RESTART_DOCKER)


def _dropped(name: str, rule: str) -> Fault:
    return Fault(
        name=name,
        seed=f"iptables -I DOCKER-USER {rule} -j DROP",
        mend=f"iptables -D DOCKER-USER {rule} -j DROP",
    )


def _layers_refused(internet: Internet) -> None:
    internet.layers_elsewhere()
    internet.refuse(R2)


INSIDE = (
    ("OUT-SESAM", "portal.sesam.io"),
    ("OUT-SESAM", "ss-companyhub.sesam.cloud"),
    ("OUT-LE", "acme-v02.api.letsencrypt.org"),
    ("OUT-HUB", "registry-1.docker.io"),
    ("OUT-HUB", "auth.docker.io"),
)
HUB = ("registry-1.docker.io", "auth.docker.io", "production.cloudfront.docker.com")
ON_HOST = "no firewall change: the host itself "


SCENES = (
    Scene(
        fault=Fault(name="a layer host outside the wildcards, refused", network=_layers_refused),
        failed=frozenset({("OUT-HUB", R2, "tcp-refused")}),
        asked=f"allow TCP 443 from {{own}} to {R2} (outside *.docker.com, *.docker.io), without"
        " opening TLS",
    ),
    Scene(
        fault=Fault(
            name="an address in place of the Sesam domains, closed",
            network=lambda internet: internet.blackhole("ss-companyhub.sesam.cloud"),
            settings=("sesam_destinations=ips",),
        ),
        failed=frozenset({("OUT-SESAM", LOG_SHIPPING, "tcp-timeout")}),
        asked=f"allow TCP 443 from {{own}} to portal.sesam.io, 137.116.234.60, {LOG_SHIPPING},"
        " without opening TLS",
    ),
    Scene(
        fault=Fault(
            name="a log host of .env outside the wildcards, refused",
            keep=("/srv/data/.env",),
            seed="sed -i 's/^FLUENTBIT_HOST=.*/FLUENTBIT_HOST=hub.docker.com/' /srv/data/.env",
            network=lambda internet: internet.refuse("hub.docker.com"),
        ),
        failed=frozenset({("OUT-SESAM", "hub.docker.com", "tcp-refused")}),
        asked="allow TCP 443 from {own} to hub.docker.com (outside *.sesam.io, *.sesam.cloud),"
        " without opening TLS",
    ),
    Scene(
        fault=Fault(
            name="the daemon's own proxy, where nobody listens",
            outside=_proxy_for_docker,
            mend=f"rm {DROP_IN}; {RESTART_DOCKER}",
        ),
        failed=frozenset(("OUT-HUB", name, "tcp-refused") for name in HUB),
        asked=f"allow TCP {CLOSED} from {{own}} to the proxy {{proxy}}",
    ),
    Scene(
        fault=Fault(
            name="the profile's proxy, where nobody listens",
            settings=(f"proxy={{resolver}}:{CLOSED}",),
        ),
        failed=frozenset({("OUT-PROXY", "{resolver}", "tcp-refused")}),
        asked=f"allow TCP {CLOSED} from {{own}} to the proxy {{proxy}}",
    ),
    Scene(
        fault=_dropped("packets of containers dropped", "-p tcp --dport 443"),
        failed=frozenset((*each, "tcp-timeout") for each in INSIDE),
        asked=f"{ON_HOST}reaches it; let the host forward what its containers send (DOCKER-USER,"
        " nftables)",
    ),
    Scene(
        fault=_dropped("questions of containers dropped", "-p udp --dport 53"),
        failed=frozenset((*each, "dns-fails") for each in INSIDE),
        asked=f"{ON_HOST}resolves it; let its containers' DNS questions through on the host"
        ' (DOCKER-USER, nftables, "dns" in /etc/docker/daemon.json)',
    ),
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.fault.name)
def test_both_files_ask_for_what_would_mend_it(
    lab: Lab, perfect: LabHost, outside: LabHost, tmp_path: Path, scene: Scene
) -> None:
    assert outside.name == "outside"
    with seeded(scene.fault, lab, perfect):
        rows = table(lab, perfect, tmp_path / "flows.csv", *scene.fault.settings)

    known = {"own": perfect.address, "proxy": f"{lab.internet.resolver}:{CLOSED}"}
    asked = scene.asked.format(**known)
    wanted = {
        (rule, name.format(resolver=lab.internet.resolver), x) for rule, name, x in scene.failed
    }
    out = [row for row in rows if row["rule"].startswith("OUT-")]
    wrong = [row for row in out if row["outcome"] == "failed" and row["result"] != "ok"]
    assert {(row["rule"], row["name"], row["result"]) for row in wrong} == wanted
    assert {row["ask"] for row in out if row["ask"]} == {
        f"{rule}: {asked} ({name}: {result})" for rule, name, result in wanted
    }
    rules = {name: rule for name, rule in page(tmp_path / "flows.csv").items() if "OUT-" in name}
    assert {name for name, rule in rules.items() if rule.change} == {rule for rule, _, _ in wanted}
    for rule, name, result in wanted:
        assert rules[rule].outcome == "failed"
        assert any(each.startswith(f"{name}: {result}") for each in rules[rule].missing)
        assert (f"{name}:443", result) in rules[rule].failed or rule == "OUT-PROXY"
        assert f"- {asked[0].upper()}{asked[1:]}.\n" in rules[rule].change
