from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from sesam_audit.errors import AuditError
from sesam_audit.level import Level, Outcome
from sesam_audit.model import Finding, Report, Waiver
from tests.reports import samples
from tests.reports.formats import junit

XSD = Path(__file__).parents[3] / "shared/reference/junit-10.xsd"

ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname"),
    },
    "properties": set[str](),
    "property": {"name", "value"},
    "testcase": {"name", "time", "classname"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set[str](),
}


def parsed(report: Report) -> ET.Element:
    return ET.fromstring(junit.render(report))


def one(finding: Finding, **host: Any) -> ET.Element:
    """The test case of one finding, beside a passed one."""
    proved = samples.finding("os.release", "proved")
    root = parsed(samples.report(samples.host(findings=(proved, finding), **host)))
    case = root.findall(".//testcase")[1]
    assert case is not None
    return case


def failed(**more: Any) -> Finding:
    given: dict[str, Any] = {"outcome": Outcome.FAILED, "remedy": "Add memory."}
    return samples.finding("hardware.memory", "Memory", "8 GB found", **{**given, **more})


def kinds(case: ET.Element) -> list[str]:
    return [child.tag for child in case]


def every_report() -> Iterator[Any]:
    for name, make in samples.SAMPLES.items():
        yield pytest.param(make(), id=name)
    yield pytest.param(samples.hostile(), id="hostile")
    yield pytest.param(replace(samples.ready(), hosts=()), id="no-host")
    for seed in range(40):
        yield pytest.param(samples.generated(seed), id=f"generated-{seed}")


@pytest.mark.parametrize("report", [*every_report()])
def test_only_what_strict_readers_take(report: Report) -> None:
    for element in parsed(report).iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        if "time" in element.attrib:
            assert re.fullmatch(r"\d+\.\d{3}", element.attrib["time"])


@pytest.fixture(scope="module")
def strict() -> Any:
    """Jenkins' schema, which lies beside the clone and not in it."""
    if not XSD.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{XSD} is missing: CI must check against it")
        pytest.skip(f"{XSD} is not here; the structural test above still runs")
    xmlschema = pytest.importorskip("xmlschema")
    return xmlschema.XMLSchema(str(XSD))


@pytest.mark.parametrize("report", [*every_report()])
def test_valid_against_the_jenkins_schema(strict: Any, report: Report) -> None:
    strict.validate(junit.render(report))


def test_a_failed_must_is_a_failure_with_all_a_person_needs() -> None:
    case = one(failed(source="Guide", user="ops"))
    element = case.find("failure")

    assert kinds(case) == ["failure"]
    assert element is not None
    assert element.attrib == {"message": "8 GB found", "type": "must"}
    for words in ("8 GB found", "Add memory.", "Source: Guide", "Who must act: you", "as ops"):
        assert words in str(element.text)


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.BLOCKED])
def test_an_unproven_must_is_an_error(outcome: Outcome) -> None:
    case = one(failed(outcome=outcome, reason="needs root"))

    assert kinds(case) == ["error"]
    assert case[0].attrib["type"] == outcome.value


def test_not_applicable_is_skipped_with_the_reason() -> None:
    case = one(failed(outcome=Outcome.NOT_APPLICABLE, reason="no proxy in the profile"))

    assert kinds(case) == ["skipped"]
    assert case[0].attrib["message"] == "no proxy in the profile"
    assert case[0].text


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.FAILED, "waived until 2027-01-31 by Kari: OPS-1"),
        (Outcome.UNKNOWN, "accepted as unproven until 2027-01-31 by Kari: OPS-1"),
    ],
)
def test_waived_is_skipped_with_who_and_why(outcome: Outcome, words: str) -> None:
    case = one(failed(outcome=outcome, waiver=Waiver("OPS-1", "2027-01-31", "Kari")))

    assert kinds(case) == ["skipped"]
    assert case[0].attrib["message"] == words


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(Outcome.FAILED, "WARNING 8 GB"), (Outcome.UNKNOWN, "WARNING unknown: 8 GB")],
)
def test_a_should_passes_with_a_warning(outcome: Outcome, words: str) -> None:
    case = one(failed(level=Level.SHOULD, outcome=outcome))

    assert kinds(case) == ["system-out"]
    assert str(case[0].text).startswith(words)


@pytest.mark.parametrize(
    ("outcome", "kind"), [(Outcome.FAILED, "failure"), (Outcome.UNKNOWN, "error")]
)
def test_a_should_counts_when_the_gate_says_so(outcome: Outcome, kind: str) -> None:
    case = one(failed(level=Level.SHOULD, outcome=outcome), fail_on=Level.SHOULD)

    assert kinds(case) == [kind]


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_a_failure_without_words_stays_a_failure(empty: str) -> None:
    finding = replace(failed(), title=empty, message=empty, remedy=empty, source=empty)

    assert kinds(one(finding)) == ["failure"]


def test_names_are_unique_over_all_hosts() -> None:
    cases = parsed(samples.several()).findall(".//testcase")
    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]

    assert len(set(names)) == len(names)


def test_names_tell_host_category_id_and_subject() -> None:
    case = one(failed(subject="registry-1.docker.io:443 via daemon"))

    assert case.attrib["classname"] == "ssh://node-1.example.com.hardware"
    assert case.attrib["name"] == "hardware.memory [registry-1.docker.io:443 via daemon]"


def test_an_unreachable_host_is_a_suite_with_a_red_verdict() -> None:
    suite = parsed(samples.several())[2]
    verdict = suite.findall("testcase")[-1]

    assert verdict.attrib["name"] == "verdict"
    assert kinds(verdict) == ["error"]
    assert "Connection refused" in verdict[0].attrib["message"]


def test_a_partial_gate_that_must_be_complete_is_red() -> None:
    assert parsed(samples.partial()).attrib["errors"] == "0"
    assert parsed(replace(samples.partial(), require_complete=True)).attrib["errors"] == "1"


def test_a_document_that_disagrees_with_the_report_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("junit_xml.TestCase.add_failure_info", lambda *_, **__: None)

    with pytest.raises(AuditError, match="does not say what the report says"):
        junit.render(samples.not_ready())
