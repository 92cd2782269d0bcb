"""Every format tells the same story: the nine counts, the verdict, the exit code."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest
from msgspec.structs import asdict

from sesam_audit.model import Report
from tests.reports import samples
from tests.reports.formats import html, json, junit, summary, text

SEEDS = range(150)
Counts = list[dict[str, int]]


def expected(report: Report) -> Counts:
    return [asdict(host.coverage) for host in report.hosts]


def in_json(report: Report) -> Counts:
    document = msgspec.json.decode(json.render(report))
    return [host["coverage"] for host in document["hosts"]]


def in_junit(report: Report) -> Counts:
    suites = ET.fromstring(junit.render(report)).findall("testsuite[properties]")
    return [
        {
            item.attrib["name"]: int(item.attrib["value"])
            for item in suite.iter("property")
            if item.attrib["name"] in summary.COUNTS
        }
        for suite in suites
    ]


def in_html(report: Report) -> Counts:
    lists = re.findall(r'<dl class="counts">(.*?)</dl>', html.render(report), re.DOTALL)
    pattern = r"<dt>([a-z ]+)</dt><dd>(\d+)</dd>"
    return [
        {name.replace(" ", "_"): int(number) for name, number in re.findall(pattern, part)}
        for part in lists
    ]


def in_text(report: Report) -> Counts:
    lines = text.render(report, width=400, verbose=True).splitlines()
    totals = [line for line in lines if re.match(r"  \d+ planned = ", line)]
    return [
        {name.replace(" ", "_"): int(n) for n, name in re.findall(r"(\d+) ([a-z][a-z ]*)", line)}
        for line in (re.sub(r" [=+] |[;,] ", "\n", total) for total in totals)
    ]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("read", [in_json, in_junit, in_html, in_text])
def test_every_format_shows_the_counts_of_the_report(read: object, seed: int) -> None:
    report = samples.generated(seed)

    assert callable(read)
    assert read(report) == expected(report)


@pytest.mark.parametrize("seed", SEEDS)
def test_planned_is_the_sum_of_the_outcomes(seed: int) -> None:
    for counts in in_json(samples.generated(seed)):
        parts = summary.COUNTS[1:7]

        assert counts["planned"] == sum(counts[name] for name in parts)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_format_shows_the_same_headline(seed: int) -> None:
    report = samples.generated(seed)
    heads = [summary.headline(host) for host in report.hosts]
    suites = ET.fromstring(junit.render(report))
    page = _Words()
    page.feed(html.render(report))

    for head in heads:
        assert head in text.render(report, width=400, verbose=True)
        assert head in page.words
    assert heads == [
        item.attrib["value"]
        for item in suites.iter("property")
        if item.attrib["name"] == "headline"
    ]
    assert heads == [host["headline"] for host in msgspec.json.decode(json.render(report))["hosts"]]


@pytest.mark.parametrize("seed", SEEDS)
def test_junit_is_red_exactly_when_the_exit_code_is_not_zero(seed: int) -> None:
    report = samples.generated(seed)
    root = ET.fromstring(junit.render(report))
    red = int(root.attrib["failures"]) + int(root.attrib["errors"])

    assert (red > 0) is (report.exit_code != 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_only_a_ready_host_is_called_ready(seed: int) -> None:
    for host in samples.generated(seed).hosts:
        assert summary.headline(host).startswith("Ready") is (host.verdict.value == "ready")


@pytest.mark.parametrize("seed", SEEDS)
def test_text_ends_with_the_exit_code(seed: int) -> None:
    report = samples.generated(seed)
    last = text.render(report).splitlines()[-1]

    assert last.startswith(f"sesam-audit: exit code {report.exit_code}: ")


class _Words(HTMLParser):
    """The words of a page, without its markup."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""

    def handle_data(self, data: str) -> None:
        self.words += data
