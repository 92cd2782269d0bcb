"""Scenes a reviewer meets, judged by the real checks: both files say what would mend them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import DialAnswer
from sesam_audit.destinations import log_shipping
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Known
from sesam_audit.facts.control import Control
from sesam_audit.facts.pull import Pulled, Rehearsal
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.rooms import Rooms
from sesam_audit.flows import flows
from sesam_audit.judge import Case, judge, plan, with_needs
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from sesam_audit.testing import NOW
from tests.facts.network import PRIVATE, PUBLIC, perfect, stopped, tls
from tests.facts.pulls import R2, blob, manifest
from tests.facts.pulls import stopped as ended
from tests.reports import samples
from tests.reports.formats import csv, html
from tests.reports.reviewing import Shown, shown, table

PROXY = "proxy.example.com:3128"
OWN = "198.51.100.4"
REGISTRY, PORTAL, ACME = "registry-1.docker.io", "portal.sesam.io", "acme-v02.api.letsencrypt.org"
REFUSED = stopped("tcp", "ECONNREFUSED", "192.0.2.7")
SILENT = stopped("tcp", "TIMEOUT", "192.0.2.7")
NAMELESS = stopped("dns", "NXDOMAIN")
OPENED = tls(PORTAL, PRIVATE.chain(PORTAL), addresses=("8.8.8.8",))
LOG_HOST = "logs.customer.example"


class Scene(Struct, frozen=True, kw_only=True):
    """What was dialled, and what a reviewer is to read of it."""

    name: str
    host: Mapping[str, DialAnswer] = {}  # what the host met, by subject; the rest is well
    inside: Mapping[str, DialAnswer] = {}
    options: Mapping[str, Any] = {}
    pulled: Any = None
    log_host: str = ""
    failed: tuple[tuple[str, str, str], ...]  # rule, name and result
    asked: tuple[str, ...]  # of the table's column, without what it ends with


def _proxied(answer: DialAnswer) -> DialAnswer:
    return replace(answer, context="daemon", proxy=PROXY, proxy_from="HTTPS_PROXY of a file")


def _all(answer: DialAnswer, profile: Profile) -> dict[str, DialAnswer]:
    return dict.fromkeys(perfect(profile).reached, answer)


BEHIND = Profile(proxy=PROXY)
CLOSED_PROXY = replace(SILENT, addresses=())
SCENES = (
    Scene(
        name="a layer host outside the wildcards",
        pulled=ended(R2, "tcp", "ECONNREFUSED"),
        failed=(("OUT-HUB", R2, "tcp-refused"),),
        asked=(
            (
                f"OUT-HUB: allow TCP 443 from {OWN} to {R2} (outside *.docker.com, *.docker.io),"
                " without opening TLS"
            ),
        ),
    ),
    Scene(
        name="an address in place of the Sesam domains",
        options={"sesam_destinations": "ips"},
        host={"52.142.116.113:443": SILENT},
        inside={"52.142.116.113:443": SILENT},
        failed=(("OUT-SESAM", "52.142.116.113", "tcp-timeout"),),
        asked=(
            (
                f"OUT-SESAM: allow TCP 443 from {OWN} to portal.sesam.io, 137.116.234.60,"
                " 52.142.116.113, without opening TLS"
            ),
        ),
    ),
    Scene(
        name="a log host outside the wildcards",
        options={"fluentbit_host": LOG_HOST},
        host={"log shipping": REFUSED},
        inside={"log shipping": REFUSED},
        failed=(("OUT-SESAM", LOG_HOST, "tcp-refused"),),
        asked=(
            (
                f"OUT-SESAM: allow TCP 443 from {OWN} to {LOG_HOST} (outside *.sesam.io,"
                " *.sesam.cloud), without opening TLS"
            ),
        ),
    ),
    Scene(
        name="a log host of .env outside the wildcards, and no such name",
        log_host=LOG_HOST,
        host={"log shipping": NAMELESS},
        inside={"log shipping": NAMELESS},
        failed=(("OUT-SESAM", LOG_HOST, "dns-fails"),),
        asked=(
            (
                f"OUT-SESAM: let the host's resolver answer truthfully for {LOG_HOST} (outside"
                " *.sesam.io, *.sesam.cloud)"
            ),
        ),
    ),
    Scene(
        name="the daemon's own proxy unreachable",
        host={f"{REGISTRY}:443": _proxied(CLOSED_PROXY)},
        failed=(("OUT-HUB", REGISTRY, "tcp-timeout"),),
        asked=(f"OUT-HUB: allow TCP 3128 from {OWN} to the proxy {PROXY}",),
    ),
    Scene(
        name="a daemon's proxy that has no address",
        host={f"{REGISTRY}:443": _proxied(NAMELESS)},
        failed=(("OUT-HUB", REGISTRY, "dns-fails"),),
        asked=("OUT-HUB: let the host's resolver answer for proxy.example.com, the proxy's name",),
    ),
    Scene(
        name="the profile's proxy unreachable",
        options={"proxy": PROXY},
        host=_all(CLOSED_PROXY, BEHIND),
        inside=_all(CLOSED_PROXY, BEHIND),
        pulled=Unknown("not tried"),
        failed=(("OUT-PROXY", "proxy.example.com", "tcp-timeout"),),
        asked=(f"OUT-PROXY: allow TCP 3128 from {OWN} to the proxy {PROXY}",),
    ),
    Scene(
        name="the profile's proxy demands a login",
        options={"proxy": PROXY},
        host=_all(DialAnswer(layer="proxy", error="HTTP", proxy_status=407), BEHIND),
        inside=_all(DialAnswer(layer="proxy", error="HTTP", proxy_status=407), BEHIND),
        pulled=Unknown("not tried"),
        failed=(("OUT-PROXY", "proxy.example.com", "proxy-needs-auth"),),
        asked=(f"OUT-PROXY: give this host a login for the proxy {PROXY}, or let it without",),
    ),
    Scene(
        name="the profile's proxy refuses one name",
        options={"proxy": PROXY},
        host={"pypi.org:443": DialAnswer(layer="proxy", error="HTTP", proxy_status=403)},
        failed=(
            ("OUT-PYPI", "pypi.org", "proxy-refused"),
            ("OUT-PROXY", "proxy.example.com", "proxy-refused"),
        ),
        asked=(
            (
                f"OUT-PYPI: let the proxy {PROXY} CONNECT to port 443 of files.pythonhosted.org,"
                " pypi.org, pypi.python.org"
            ),
            (
                f"OUT-PROXY: let the proxy {PROXY} CONNECT to the destinations of the other"
                " outbound rules"
            ),
        ),
    ),
    Scene(
        name="a name that the proxy does not get through to",
        options={"proxy": PROXY},
        host={"pypi.org:443": stopped("tls", "ECONNRESET")},
        failed=(("OUT-PYPI", "pypi.org", "tls-fails"),),
        asked=(
            (
                f"OUT-PYPI: allow TCP 443 from the proxy {PROXY}, for {OWN}, to"
                " files.pythonhosted.org, pypi.org, pypi.python.org, without opening TLS"
            ),
        ),
    ),
    Scene(
        name="packets of containers that the host does not forward",
        inside={f"{PORTAL}:443": SILENT},
        failed=(("OUT-SESAM", PORTAL, "tcp-timeout"),),
        asked=(
            (
                "OUT-SESAM: no firewall change: the host itself reaches it; let the host forward"
                " what its containers send (DOCKER-USER, nftables)"
            ),
        ),
    ),
    Scene(
        name="names that only the host resolves",
        inside={f"{ACME}:443": NAMELESS, f"{REGISTRY}:443": NAMELESS},
        failed=(("OUT-HUB", REGISTRY, "dns-fails"), ("OUT-LE", ACME, "dns-fails")),
        asked=tuple(
            f"{rule}: no firewall change: the host itself resolves it; let its containers' DNS"
            ' questions through on the host (DOCKER-USER, nftables, "dns" in'
            " /etc/docker/daemon.json)"
            for rule in ("OUT-HUB", "OUT-LE")
        ),
    ),
    Scene(
        name="TLS that is opened, by an authority the host knows",
        host={f"{PORTAL}:443": OPENED},
        inside={f"{PORTAL}:443": replace(OPENED, trusted=None)},
        failed=(("OUT-SESAM", PORTAL, "tls-intercepted"),),
        asked=(
            (
                "OUT-SESAM: leave *.sesam.io, *.sesam.cloud out of TLS inspection, which shows"
                " 'Example Corp Inspection Root'"
            ),
        ),
    ),
)


def _reach(scene: Scene, profile: Profile, met: Mapping[str, DialAnswer]) -> Reach:
    reach = perfect(profile)
    if profile.proxy:
        through = {
            key: replace(each, answer=replace(each.answer, proxy_status=200, addresses=()))
            for key, each in reach.reached.items()
            if isinstance(each.answer, DialAnswer)
        }
        reach = replace(reach, reached=through)
    if scene.log_host:
        named = log_shipping(scene.log_host)
        reach.reached["log shipping"] = Reached(named, tls(scene.log_host))
    for key, answer in met.items():
        reach.reached[key] = replace(reach.reached[key], answer=answer)
    return reach


def read(scene: Scene) -> tuple[list[dict[str, str]], dict[str, Shown]]:
    """Both files of a scene's report."""
    profile = Profile(**scene.options)
    pulled = scene.pulled or blob()
    facts: dict[type, Any] = {
        Reach: _reach(scene, profile, scene.host),
        Rooms: Rooms(_reach(scene, profile, scene.inside)),
        Control: Control(perfect(profile)),
        Rehearsal: Rehearsal(
            pulled if isinstance(pulled, Unknown) else Pulled(pulled, PUBLIC.bundle),
            Pulled(manifest(), PUBLIC.bundle),
        ),
    }
    case = Case(known=Known(facts), profile=profile, now=NOW, at="2026-11-22T12:00:00Z")
    chosen = [each for each in catalogue().values() if each.category == "outbound"]
    judged: dict[tuple[str, str | None], Finding] = {}
    for item, subject in plan(with_needs(chosen, catalogue()), profile):
        finding = judge(item, subject, case, judged)
        judged[finding.key] = finding
    found = tuple(judged.values())
    report = samples.report(samples.host(findings=found, flows=tuple(flows(case, found))))
    return table(csv.render(report)), shown(html.render(report))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_table_says_what_would_mend_it(scene: Scene) -> None:
    rows, _ = read(scene)

    wrong = [row for row in rows if row["outcome"] == "failed" and row["result"] != "ok"]
    assert {(row["rule"], row["name"], row["result"]) for row in wrong} == set(scene.failed)
    endings = {f" ({name}: {result})" for _, name, result in scene.failed}
    asked = [row["ask"] for row in rows if row["ask"]]
    assert all(any(each.endswith(end) for end in endings) for each in asked)
    assert list(dict.fromkeys(each.rpartition(" (")[0] for each in asked)) == list(scene.asked)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_page_says_what_would_mend_it(scene: Scene) -> None:
    _, rules = read(scene)

    wrong = {rule for rule, _, _ in scene.failed}
    assert {name for name, each in rules.items() if each.change} == wrong
    for rule, name, result in scene.failed:
        assert rules[rule].outcome == "failed"
        assert any(each.startswith(f"{name}: {result}") for each in rules[rule].missing)
        assert any(
            each.rpartition(":")[0] == name and said == result for each, said in rules[rule].failed
        )
        assert f" to {name}:" in rules[rule].change
    for asked in scene.asked:
        rule, _, change = asked.partition(": ")
        assert f"- {change[0].upper()}{change[1:]}.\n" in rules[rule].change


def test_what_is_to_be_mended_on_the_machine_is_not_called_a_firewall_change() -> None:
    for scene in SCENES:
        _, rules = read(scene)
        for rule, _, change in (each.partition(": ") for each in scene.asked):
            here = change.startswith("no firewall change")
            head = "To mend on the Sesam machine" if here else f"Firewall change {rule}, for"
            assert rules[rule].change.startswith(head)
            assert ("from containers alone" in " ".join(rules[rule].missing)) is here


def test_a_name_outside_the_wildcards_stands_for_none() -> None:
    rows, _ = read(SCENES[0])
    (row,) = (row for row in rows if row["name"] == R2)

    assert row["stands_for"] == ""


def test_a_proxy_without_fault_has_a_row_and_no_ask() -> None:
    scene = Scene(name="all is well", options={"proxy": PROXY}, failed=(), asked=())
    rows, rules = read(scene)
    (row,) = (row for row in rows if row["rule"] == "OUT-PROXY")

    assert (row["result"], row["outcome"], row["ask"]) == ("ok", "passed", "")
    assert (row["name"], row["port"]) == ("proxy.example.com", "3128")
    assert (row["tcp"], row["tls"], row["http"], row["proxy_status"]) == (
        *("ok", "not tried", "ok"),
        "200",
    )
    assert rules["OUT-PROXY"].outcome == "passed"


def test_without_a_proxy_there_is_no_such_rule() -> None:
    rows, rules = read(Scene(name="all is well", failed=(), asked=()))

    assert "OUT-PROXY" not in rules
    assert "OUT-PROXY" not in {row["rule"] for row in rows}
