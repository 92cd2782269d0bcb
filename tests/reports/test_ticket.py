"""The text of a change ticket, from the rows of one rule."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.model import Flow
from tests.reports import samples
from tests.reports.formats import ticket

HUB = "registry-1.docker.io"
WILD = "443/HTTPS from Sesam IP to *.docker.com, *.docker.io"


def closed(result: str = "tcp-timeout", name: str = HUB, **more: Any) -> Flow:
    rule = more.pop("rule", "OUT-HUB")
    given = {"outcome": "failed", "result": result, "said": "no words", **more}
    return samples.flow(rule, name, "outbound.docker", f"{name}:443", **given)


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        (
            "tcp-refused",
            "allow TCP 443 from 10.0.0.5 to *.docker.com, *.docker.io, without opening",
        ),
        ("tcp-timeout", "allow TCP 443 from 10.0.0.5 to *.docker.com"),
        ("tls-fails", "allow TCP 443"),
        ("wrong-service", "allow TCP 443"),
        ("dns-fails", "let the host's resolver answer truthfully for *.docker.com"),
        ("dns-sinkhole", "let the host's resolver answer truthfully"),
        ("tls-intercepted", "leave *.docker.com, *.docker.io out of TLS inspection, which shows"),
        ("block-page", "let *.docker.com, *.docker.io pass the web filter or captive portal"),
        ("proxy-refused", "let the proxy proxy:3128 CONNECT to port 443 of *.docker.com"),
        ("proxy-needs-auth", "give this host a login for the proxy proxy:3128"),
        ("clock-skew", "set the host's clock"),
    ],
)
def test_what_to_ask_follows_from_how_it_ended(result: str, wanted: str) -> None:
    proxy = "proxy:3128" if result.startswith("proxy-") else ""
    flow = closed(result, source="10.0.0.5", proxy=proxy, interception="Example Corp CA")

    said = ticket.ask(flow, samples.host(flows=(flow,)))
    assert said.startswith(f"OUT-HUB: {wanted}" if result != "clock-skew" else "OUT-HUB: ")
    assert wanted in said
    assert said.endswith(f"({HUB}: {result})")


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        ("tcp-refused", "allow TCP 3128 from 10.0.0.5 to the proxy [fd00::1]:3128"),
        ("tcp-timeout", "allow TCP 3128 from 10.0.0.5 to the proxy [fd00::1]:3128"),
        ("dns-fails", "let the host's resolver answer for [fd00::1], the proxy's name"),
        ("tls-fails", "allow TCP 443 from the proxy [fd00::1]:3128, for 10.0.0.5, to *.docker.com"),
    ],
)
def test_through_a_proxy_it_is_the_proxy_that_is_asked_for(result: str, wanted: str) -> None:
    flow = closed(result, source="10.0.0.5", proxy="[fd00::1]:3128")

    assert ticket.ask(flow, samples.host(flows=(flow,))).startswith(f"OUT-HUB: {wanted}")


@pytest.mark.parametrize(
    ("result", "wanted"),
    [
        (
            "tcp-timeout",
            "IN-80: allow TCP 80 from ANY (Public) to node.example (192.0.2.4, 2001:db8::7)",
        ),
        ("answered", "IN-80: lead TCP 80 of node.example (192.0.2.4, 2001:db8::7) to this host"),
        ("wrong-host", "IN-80: lead TCP 80 of node.example (192.0.2.4, 2001:db8::7) to this host"),
        ("dns-fails", "IN-80: give node.example an address record"),
    ],
)
def test_what_to_ask_for_the_way_in(result: str, wanted: str) -> None:
    flow = closed(
        result,
        "node.example",
        asked="80/HTTP from ANY (Public) to Sesam IP",
        rule="IN-80",
        port=80,
        addresses_v4=("192.0.2.4",),
        vantage="auditor",
    )

    assert ticket.ask(flow, samples.host(flows=(flow,))).startswith(wanted)


@pytest.mark.parametrize("more", [{"outcome": "passed"}, {"outcome": "unknown"}, {"result": "ok"}])
def test_nothing_is_asked_for_what_did_not_fail(more: dict[str, str]) -> None:
    assert not ticket.ask(closed(**{"result": "tcp-timeout", **more}), samples.host())


def test_a_container_asks_for_the_host_whose_address_firewalls_see() -> None:
    inside = closed(source="172.18.0.2", context="a container on Docker's network sesam")
    host = samples.host(flows=(inside, closed(source="10.0.0.5")))

    assert "allow TCP 443 from 10.0.0.5 to " in ticket.ask(inside, host)
    assert "from host 172.18.0.2, a container on Docker's network sesam, to " in ticket.ticket(
        "OUT-HUB", host.flows, samples.not_ready(), host
    )


def test_a_ticket_stands_alone() -> None:
    flows = [closed(), closed("tls-intercepted", "auth.docker.io", interception="Corp CA")]
    report = samples.not_ready()
    text = ticket.ticket("OUT-HUB", flows, report, report.hosts[0])

    assert text.startswith("Firewall change OUT-HUB, for the Sesam machine ")
    assert text.count("\n- Allow TCP 443") == 1
    assert (
        "\n- Leave *.docker.com, *.docker.io out of TLS inspection, which shows 'Corp CA'." in text
    )
    assert "\nWhy: The sesam-node needs access to docker HUB" in text
    assert "\nUntil then: the service will not be able to self-update." in text
    assert f" to {HUB}:443" in text
    assert report.tool in text
    assert "after NAT was not measured" in text


def test_no_ticket_where_nothing_failed() -> None:
    report = samples.ready()

    assert not ticket.ticket("OUT-HUB", report.hosts[0].flows, report, report.hosts[0])


@pytest.mark.parametrize(
    ("asked", "name", "stands"),
    [
        (WILD, HUB, "*.docker.io (a wildcard cannot be proved)"),
        (WILD, "x.r2.example", ""),
        (WILD, "docker.io", ""),
        ("443/HTTPS from Sesam IP to files.pythonhosted.org, pypi.org", "pypi.org", ""),
        ("443/HTTPS from Clients to Sesam IP", "node.example", ""),
        ("443/TCP to db.example", "db.example", ""),
    ],
)
def test_a_name_stands_for_its_wildcard(asked: str, name: str, stands: str) -> None:
    assert ticket.stands_for(samples.flow("OUT-HUB", name, asked=asked)) == stands
