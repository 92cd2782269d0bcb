"""Inbound, looked at from other machines, while the host itself listens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from .auditing import Audited, Auditor
from .host import LabHost, Wanted
from .lab import Lab

WAYS = ("host's address", "NODE_DOMAIN")
HTTP = tuple(f"inbound.http [{way}]" for way in WAYS)
HTTPS = tuple(f"inbound.https [{way}]" for way in WAYS)
BY_NAME = {HTTP[1], HTTPS[1]}
INTERNET = ("--from", "ssh://outside=internet", "--only", "inbound")
PROVED = {  # by address nobody comes from the internet, for it is a private one
    HTTP[0]: "not-applicable",
    **dict.fromkeys((HTTP[1], *HTTPS), "passed"),
}


@pytest.fixture(scope="module")
def outside(lab: Lab) -> Iterator[LabHost]:
    """A machine of its own on the lab's internet."""
    host = lab.host("outside", Wanted(bare=True, data_disk=False, docker=False))
    yield host
    lab.stop_host(host)


@pytest.fixture
def auditor(lab: Lab) -> Auditor:
    return Auditor(lab)


@contextlib.contextmanager
def seeded(host: LabHost, do: str, undo: str) -> Iterator[None]:
    host.run(do)
    try:
        yield
    finally:
        host.run(undo)


def proved(audited: Audited) -> dict[str, str]:
    return {name: audited.outcomes[name] for name in PROVED}


def notes(audited: Audited, name: str) -> str:
    return "\n".join(audited.findings[name]["notes"])


def test_a_machine_on_the_internet_proves_both_ports(
    auditor: Auditor, perfect: LabHost, outside: LabHost
) -> None:
    audited = auditor.audit(perfect, words=INTERNET)

    assert proved(audited) == PROVED
    assert "others come by NODE_DOMAIN" in audited.findings[HTTP[0]]["message"]
    for name in BY_NAME:
        finding = audited.findings[name]
        assert (finding["outcome"], finding["vantage"]) == ("passed", "ssh://outside")
        assert (
            f"({outside.public_address})" in finding["message"]
            or outside.address in (finding["message"])
        )
        assert "proved by a container that published the port" in notes(audited, name)


def test_a_perfect_host_is_ready_once_the_internet_has_looked(
    auditor: Auditor, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    audited = auditor.audit(perfect, words=("--from", "ssh://outside=internet"))

    assert (audited.code, audited.report["verdict"]) == (0, "ready")
    assert not audited.of("unknown")


def test_the_auditor_alone_proves_443_but_not_any(auditor: Auditor, perfect: LabHost) -> None:
    outcomes = auditor.audit(perfect, words=("--only", "inbound")).outcomes

    assert {outcomes[name] for name in HTTPS} == {"passed"}
    assert {outcomes[name] for name in HTTP} == {"unknown"}


@contextlib.contextmanager
def with_a_global_source(lab: Lab, host: LabHost) -> Iterator[None]:
    """The host goes out with its public address."""
    way = f"ip route replace default via {lab.internet.resolver}"
    with seeded(host, f"{way} src {host.public_address}", way):
        yield


@pytest.mark.parametrize(
    ("role", "outcome"), [("", "passed"), ("=none", "unknown"), ("=clients", "unknown")]
)
def test_who_comes_with_a_global_address_stands_for_the_internet_unless_told_otherwise(
    lab: Lab, auditor: Auditor, perfect: LabHost, outside: LabHost, role: str, outcome: str
) -> None:
    words = ("--from", f"ssh://outside{role}", "--only", "inbound")
    with with_a_global_source(lab, outside):
        audited = auditor.audit(perfect, words=words)

    assert audited.outcomes[HTTP[1]] == outcome
    assert f"ssh://outside ({outside.public_address})" in notes(audited, HTTP[1])


@pytest.fixture(scope="module")
def office(lab: Lab) -> Iterator[LabHost]:
    """A machine of the node's clients."""
    host = lab.host("office", Wanted(bare=True, data_disk=False, docker=False))
    yield host
    lab.stop_host(host)


@pytest.mark.parametrize("verdict", ["drop", "reject with tcp reset"])
def test_443_for_clients_alone_and_80_for_anybody_is_the_ideal(
    lab: Lab, auditor: Auditor, perfect: LabHost, outside: LabHost, office: LabHost, verdict: str
) -> None:
    sources = f"{{ {lab.auditor_address}, {outside.address}, {outside.public_address} }}"
    to = f"ip saddr {sources} ip daddr {perfect.public_address} tcp dport 443"
    words = ("--from", "ssh://outside=internet", "--from", "ssh://office=clients")
    with lab.internet.filtered(f"{to} {verdict}"):
        audited = auditor.audit(perfect, words=words)

    assert proved(audited) == PROVED
    assert audited.findings[HTTPS[1]]["vantage"] == f"ssh://{office.name}"
    assert (audited.code, audited.report["verdict"]) == (0, "ready")


def test_443_that_its_clients_do_not_reach_is_a_fault_whoever_else_does(
    lab: Lab, auditor: Auditor, perfect: LabHost, office: LabHost
) -> None:
    to = f"ip saddr {office.address} ip daddr {perfect.public_address} tcp dport 443"
    with lab.internet.filtered(f"{to} drop"):
        audited = auditor.audit(
            perfect, words=("--from", "ssh://office=clients", "--only", "inbound")
        )

    assert audited.outcomes[HTTPS[1]] == "failed"
    assert "from ssh://office: port 443 is filtered" in audited.findings[HTTPS[1]]["message"]


def test_a_vantage_that_refuses_the_login_proves_nothing(
    auditor: Auditor, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    audited = auditor.audit(
        perfect, words=("--from", "ssh://nobody@outside=internet", "--only", "inbound.http")
    )

    assert {audited.outcomes[name] for name in HTTP} == {"unknown"}


@pytest.mark.parametrize("ports", ["80", "443", "{ 80, 443 }"])
def test_a_rule_in_front_of_the_host_is_a_fault(
    lab: Lab, auditor: Auditor, perfect: LabHost, outside: LabHost, ports: str
) -> None:
    assert outside.name == "outside"
    to = perfect.public_address
    with lab.internet.filtered(f"ip daddr {to} tcp dport {ports} drop"):
        audited = auditor.audit(perfect, "deadline=8", words=INTERNET)

    failed = {name for name in (*HTTP, *HTTPS) if audited.outcomes[name] == "failed"}
    wanted = {
        name
        for port, names in (("80", HTTP), ("443", HTTPS))
        for name in names
        if port in ports and "NODE_DOMAIN" in name
    }
    assert failed == wanted
    assert all("filtered" in audited.findings[name]["message"] for name in failed)


CLOSED = (
    "nft add table inet closed; nft 'add chain inet closed i { type filter hook input"
    " priority 0; }'; nft add rule inet closed i tcp dport '{ 80, 443 }' drop"
)


def test_the_hosts_own_input_filter_does_not_stop_what_docker_publishes(
    auditor: Auditor, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    with seeded(perfect, CLOSED, "nft delete table inet closed"):
        audited = auditor.audit(perfect, "deadline=8", words=INTERNET)

    assert proved(audited) == PROVED


def test_without_a_daemon_the_hosts_own_input_filter_proves_nothing(
    auditor: Auditor, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    stop = "systemctl stop docker.socket docker.service"
    start = "systemctl reset-failed; systemctl start docker.socket docker.service"
    with seeded(perfect, f"{CLOSED}; {stop}", f"nft delete table inet closed; {start}"):
        audited = auditor.audit(perfect, "deadline=8", words=INTERNET)

    for name in (*HTTP, *HTTPS):
        assert audited.outcomes[name] == "unknown"
        assert "Docker's ports do not pass" in audited.findings[name]["message"]
        assert (
            "(no container published it: no Docker daemon answers"
            in (audited.findings[name]["message"])
        )


@pytest.mark.parametrize("port", [80, 443])
def test_a_rule_of_the_host_that_stops_forwarding_is_a_fault_and_named(
    auditor: Auditor, perfect: LabHost, outside: LabHost, port: int
) -> None:
    assert outside.name == "outside"
    rule = f"DOCKER-USER -p tcp --dport {port} -m conntrack --ctstate NEW -j DROP"
    with seeded(perfect, f"iptables -I {rule}", f"iptables -D {rule}"):
        audited = auditor.audit(perfect, "deadline=8", words=INTERNET)

    failed = {name for name in (*HTTP, *HTTPS) if audited.outcomes[name] == "failed"}
    assert failed == {HTTP[1] if port == 80 else HTTPS[1]}
    for name in failed:
        message = audited.findings[name]["message"]
        assert f"port {port} is filtered: no answer at " in message
        assert "while a container published it; on the host: " in message
        assert "DOCKER-USER" in message


def test_nothing_listens_afterwards(auditor: Auditor, perfect: LabHost) -> None:
    auditor.audit(perfect, words=("--only", "inbound"))
    until = time.monotonic() + 3
    look = "ss -Hltn | grep :443; docker ps -aq; docker images -aq; docker network ls | grep audit"
    while (left := perfect.run(look, check=False).stdout) and time.monotonic() < until:
        time.sleep(0.1)

    assert left == ""


def test_passive_listens_nowhere(auditor: Auditor, perfect: LabHost, outside: LabHost) -> None:
    assert outside.name == "outside"
    audited = auditor.audit(perfect, words=(*INTERNET, "--passive"))

    assert {audited.outcomes[name] for name in (*HTTP, *HTTPS)} == {"unknown"}
    assert "nothing listens yet" in audited.findings[HTTPS[0]]["message"]


def test_a_vantage_that_is_not_there_costs_the_others_nothing(
    auditor: Auditor, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    audited = auditor.audit(
        perfect, words=("--from", "ssh://no-such-host.invalid=clients", *INTERNET)
    )

    assert proved(audited) == PROVED
    says_who_was_not_reached(audited, "ssh://no-such-host.invalid")


def says_who_was_not_reached(audited: Audited, vantage: str) -> None:
    """At the findings, and in what was not verified; nothing is said to be sent from there."""
    absence = f"{vantage} was not reached: its name does not resolve"
    host = audited.host()
    assert host["unreached"] == [absence]
    assert f"{absence}. Nothing was dialled from there." in host["not_verified"]
    assert absence in notes(audited, HTTP[1])
    assert not [line for line in host["sent"] if vantage in line]
    theirs = [each for each in host["flows"] if each["vantage"] == vantage]
    assert theirs
    assert {each["outcome"] for each in theirs} <= {"unknown", "not-applicable"}


def test_a_vantage_that_is_not_there_is_the_reason_why_any_is_not_proven(
    auditor: Auditor, perfect: LabHost
) -> None:
    words = ("--from", "ssh://no-such-host.invalid=internet", "--only", "inbound")
    audited = auditor.audit(perfect, words=words)

    says_who_was_not_reached(audited, "ssh://no-such-host.invalid")
    finding = audited.findings[HTTP[1]]
    assert finding["outcome"] == "unknown"
    assert "no-such-host.invalid was not reached: its name does not" in finding["message"]
    assert finding["remedy"] == "Run: ssh ssh://no-such-host.invalid true"


def test_a_vantage_with_a_password_is_refused(auditor: Auditor, perfect: LabHost) -> None:
    audited = auditor(perfect.spec(), "--from", "ssh://user:secret@outside=internet")

    assert audited.code == 2
    assert "secret" not in audited.errors
