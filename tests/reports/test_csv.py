from __future__ import annotations

import csv
import io

import pytest

from sesam_audit.model import Report
from tests.reports import samples
from tests.reports.formats import csv as table


def rows(report: Report) -> list[dict[str, str]]:
    """The rows of what was dialled."""
    return [row for row in every(report) if row["need"] not in ("not verified", "sent")]


def every(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.render(report), newline="")))


def test_a_row_for_each_flow_of_each_host() -> None:
    report = samples.several()

    shown = [(row["host"], row["name"]) for row in rows(report)]
    assert shown == [(host.host, flow.name) for host in report.hosts for flow in host.flows]


def test_a_row_tells_which_rule_is_missing() -> None:
    (closed,) = (row for row in rows(samples.not_ready()) if row["outcome"] == "failed")

    assert (closed["rule"], closed["name"]) == ("OUT-HUB", "production.cloudfront.docker.com")
    assert (closed["dns"], closed["tcp"], closed["tls"]) == ("ok", "timeout", "not reached")


def test_a_row_stands_alone() -> None:
    row = rows(samples.ready())[1]

    assert (row["tool"], row["requirements"]) == ("sesam-audit 0.1.0", "2026-11-22")
    assert row["user"] == "root (sudo from ops)"
    assert row["addresses_v4"] == "192.0.2.7 192.0.2.8"


def test_what_is_not_known_is_empty() -> None:
    row = rows(samples.not_ready())[3]

    assert (row["http_status"], row["issuer"], row["proxy_status"]) == ("", "", "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    flow = samples.flow("OUT-HUB", text)
    (row,) = rows(samples.report(samples.host(flows=(flow,))))

    assert row["name"] == f"'{text}"


@pytest.mark.parametrize("text", ['a "b", c', "one\ntwo", "1,2;3"])
def test_text_comes_back_as_it_was(text: str) -> None:
    (row,) = rows(samples.report(samples.host(flows=(samples.flow("OUT-HUB", "x", said=text),))))

    assert row["said"] == text


def test_hostile_text_keeps_its_cell() -> None:
    assert all(None not in row and None not in row.values() for row in every(samples.hostile()))


def test_lines_end_as_the_standard_says() -> None:
    assert table.render(samples.ready()).count("\r\n") == 1 + len(every(samples.ready()))


def test_what_was_not_verified_comes_first_and_what_was_sent_last() -> None:
    host = samples.host(not_verified=("OUT-HUB: a wildcard cannot be proved", "NAT: unknown"))
    told = every(samples.report(host))

    first, last = told[:2], told[-len(host.sent) :]
    assert [(row["need"], row["rule"], row["said"]) for row in first] == [
        ("not verified", "OUT-HUB", "OUT-HUB: a wildcard cannot be proved"),
        ("not verified", "", "NAT: unknown"),
    ]
    assert [(row["need"], row["said"]) for row in last] == [("sent", x) for x in host.sent]
    assert {row["host"] for row in told} == {host.host}
    assert not any(row["outcome"] or row["name"] or row["ask"] for row in (*first, *last))
    assert len(told) == 2 + len(host.flows) + len(host.sent)


def test_a_report_without_flows_is_a_header() -> None:
    assert table.render(samples.report(samples.host(flows=()))).startswith("host,rule,asked,")
