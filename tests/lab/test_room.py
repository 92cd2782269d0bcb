"""Whole audits whose containers fare otherwise than the host, and what is left of them."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator

import pytest

from .auditing import Audited, Auditor
from .host import LabHost
from .lab import Lab

UPDATES = tuple(
    f"outbound.docker-updates [{name}:443 by the updater]"
    for name in ("registry-1.docker.io", "auth.docker.io")
)
INSIDE = (
    *UPDATES,
    "outbound.letsencrypt [acme-v02.api.letsencrypt.org:443]",
    "outbound.sesam [portal.sesam.io:443]",
    "outbound.sesam [log shipping]",
)
OUTBOUND = ("--only", "outbound")
DROP = "iptables -{} DOCKER-USER {} -j DROP"
NEW = "-m conntrack --ctstate NEW"
LOOK = "docker ps -aq; docker images -aq; docker network ls | grep audit; pgrep -x python3"


@pytest.fixture
def auditor(lab: Lab) -> Auditor:
    return Auditor(lab)


@contextlib.contextmanager
def dropped(host: LabHost, rule: str) -> Iterator[None]:
    host.run(DROP.format("I", rule))
    try:
        yield
    finally:
        host.run(DROP.format("D", rule))


def outcomes(audited: Audited, names: tuple[str, ...] = INSIDE) -> set[str]:
    return {audited.outcomes[name] for name in names}


def left(host: LabHost, seconds: float = 10) -> str:
    until = time.monotonic() + seconds
    while (things := host.run(LOOK, check=False).stdout) and time.monotonic() < until:
        time.sleep(0.1)
    return things


def test_containers_reach_what_they_need(auditor: Auditor, perfect: LabHost) -> None:
    audited = auditor.audit(perfect, words=OUTBOUND)

    assert outcomes(audited) == {"passed"}
    for name in INSIDE:
        finding = audited.findings[name]
        assert finding["vantage"] == "container"
        assert any("dialled from a container on " in note for note in finding["notes"])
        assert any("dialled from the host itself: ok" in note for note in finding["notes"])
    sesam = audited.findings["outbound.sesam [portal.sesam.io:443]"]
    assert "a container on Docker's network sesam" in " ".join(sesam["notes"])


def test_names_that_only_the_host_resolves(auditor: Auditor, perfect: LabHost) -> None:
    with dropped(perfect, "-p udp --dport 53"), dropped(perfect, "-p tcp --dport 53"):
        audited = auditor.audit(perfect, "deadline=6", words=OUTBOUND)

    assert set(audited.of("failed")) == set(INSIDE)
    for name in INSIDE:
        message = audited.findings[name]["message"]
        assert message.startswith("dns-fails: the container's resolver ")
        assert "the host itself reaches it" in message


def test_packets_that_the_host_does_not_forward(auditor: Auditor, perfect: LabHost) -> None:
    with dropped(perfect, f"-p tcp --dport 443 {NEW}"):
        audited = auditor.audit(perfect, "deadline=8", words=OUTBOUND)

    assert set(audited.of("failed")) == set(INSIDE)
    for name in INSIDE:
        message = audited.findings[name]["message"]
        assert message.startswith("tcp-timeout: ")
        assert "so it is from a container, while the host itself reaches it" in message


def test_everything_black_holed_costs_one_deadline(
    lab: Lab, auditor: Auditor, perfect: LabHost
) -> None:
    lab.internet.deaf()
    began = time.monotonic()
    try:
        audited = auditor.audit(perfect, "deadline=8", words=OUTBOUND)
    finally:
        lab.internet.reset()
        lab.internet.publish(perfect.node_domain, perfect.public_address)

    assert audited.host()["seconds"] < 8
    assert time.monotonic() - began < 9
    assert outcomes(audited, INSIDE[2:]) == {"failed"}


def test_an_ordinary_user_proves_it_for_the_host_alone(auditor: Auditor, perfect: LabHost) -> None:
    audited = auditor.audit(perfect, user="plain", words=OUTBOUND)

    assert outcomes(audited) == {"unknown"}
    for name in INSIDE:
        assert (
            "the host itself reaches it, but its containers may not"
            in (audited.findings[name]["reason"])
        )
        assert "needs root" in audited.findings[name]["reason"]
    assert "only from the host itself: needs root" in " ".join(audited.host()["not_verified"])


def test_passive_makes_nothing_on_the_host(auditor: Auditor, perfect: LabHost) -> None:
    def events(since: str) -> list[str]:
        said = perfect.run(
            f"docker events --since {since} --until $(date +%s.%N) --format '{{{{json .}}}}'"
        ).stdout
        return [json.loads(line)["Type"] for line in said.splitlines()]

    now = perfect.run("sleep 1; date +%s.%N").stdout.strip()
    audited = auditor.audit(perfect, words=("--passive",))
    assert events(now) == []
    assert outcomes(audited) == {"unknown"}
    assert "--passive makes no container" in audited.findings[INSIDE[3]]["reason"]

    auditor.audit(perfect, words=OUTBOUND)
    assert {"container", "network", "image"} <= set(events(now))
    assert left(perfect) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("seconds", [1.0, 1.6, 2.2])
def test_an_auditor_that_goes_away_in_the_middle_leaves_nothing(
    lab: Lab, auditor: Auditor, perfect: LabHost, number: signal.Signals, seconds: float
) -> None:
    lab.internet.blackhole("portal.sesam.io")
    try:
        with auditor.start(perfect.spec(), "-q") as process:
            time.sleep(seconds)
            process.send_signal(number)
            process.communicate(timeout=10)
    finally:
        lab.internet.reset()
        lab.internet.publish(perfect.node_domain, perfect.public_address)

    assert left(perfect) == ""


def test_the_report_lists_what_containers_did(auditor: Auditor, perfect: LabHost) -> None:
    audited = auditor.audit(perfect)

    sent = audited.host()["sent"]
    assert "container sesam -> portal.sesam.io:443: GET /" in sent
    assert "a container published 80 and 443 until the audit's end" in sent
    assert sent[-1].startswith("the target's Docker: an image without content was imported")
    assert ", and one on the network sesam; all labelled" in sent[-1]
    rows = [flow for flow in audited.host()["flows"] if flow["name"] == "portal.sesam.io"]
    assert [(row["context"], row["result"], row["outcome"]) for row in rows] == [
        ("a container on Docker's network sesam", "ok", "passed"),
        ("the host's network path", "ok", ""),
    ]
