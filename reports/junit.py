"""The report as JUnit XML in the strict dialect that every CI reader takes.

Jenkins' xUnit schema refuses some of what junit-xml writes, and junit-xml turns a failure without
words into a pass: its elements are repaired, and the document is read again and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from junit_xml import TestCase, TestSuite
from msgspec.structs import asdict

from sesam_audit.errors import AuditError
from sesam_audit.level import Outcome
from sesam_audit.model import Finding, HostReport, Report, Verdict

from . import summary

_NAMES = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def render(report: Report) -> str:
    """Render one suite per host; at least one case is red whenever the exit code is not 0.

    Raises:
        AuditError: the document does not say what the report says.
    """
    suites = [(_suite(host, report), host.seconds) for host in report.hosts]
    if not suites:
        nothing = TestCase("verdict", "sesam-audit")
        nothing.add_error_info("no host was audited", "no host was audited", "incomplete")
        suites = [(TestSuite("sesam-audit", [nothing]), 0.0)]
    root = ET.Element("testsuites", name="sesam-audit")
    root.extend(_repaired(suite.build_xml_doc(), seconds) for suite, seconds in suites)
    _sum_up(root)
    document = ET.tostring(root, encoding="unicode", xml_declaration=False)
    _verify(document, report)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'


def _suite(host: HostReport, report: Report) -> TestSuite:
    name = summary.flat(host.host)
    accepted = {item.key for item in host.accepted}
    cases = [_case(host, item, accepted=item.key in accepted) for item in host.findings]
    cases.extend(_extra(host, report))
    properties = {
        "verdict": host.verdict.value,
        "headline": summary.headline(host),
        "stage": host.stage.value,
        "user": host.user,
        "tool": report.tool,
        "requirements": report.requirements,
        **{name: str(count) for name, count in asdict(host.coverage).items()},
    }
    return TestSuite(
        name,
        cases,
        hostname=host.address or name,
        timestamp=(host.started or report.started).rstrip("Z") or None,
        properties=properties,
    )


def _prefix(host: HostReport) -> str:
    """The host in front of the category: CI drops the second of two cases of one class and name."""
    return summary.flat(host.host).rstrip(":/") or "host"


def _case(host: HostReport, finding: Finding, *, accepted: bool) -> TestCase:
    case = TestCase(
        summary.label(finding),
        f"{_prefix(host)}.{finding.category}",
        finding.seconds,
    )
    state = finding.outcome
    text = _body(finding)
    message = summary.flat(finding.message) or finding.title or finding.id
    if finding.waiver:
        how = "accepted as unproven" if state is Outcome.UNKNOWN else "waived"
        who = f"until {finding.waiver.until} by {finding.waiver.by}"
        case.add_skipped_info(f"{how} {who}: {finding.waiver.reason}", text)
    elif accepted:
        case.add_skipped_info(f"{message}; accepted with what it waits for, which is waived", text)
    elif state is Outcome.NOT_APPLICABLE:
        case.add_skipped_info(finding.reason or message, text)
    elif state is Outcome.PASSED:
        case.stdout = "\n".join([finding.message, *finding.notes])
    elif not summary.binding(host, finding):
        proven = "" if state is Outcome.FAILED else f"{state.value}: "
        case.stdout = f"WARNING {proven}{text}"
    elif state is Outcome.FAILED:
        case.add_failure_info(message, text, finding.level.value)
    else:
        case.add_error_info(message, text, state.value)
    return case


def _extra(host: HostReport, report: Report) -> Iterator[TestCase]:
    """A red case for what no finding says: the host's trouble, nothing proved, a partial gate."""
    problem = ""
    if host.trouble:
        problem = f"{host.trouble}\n{host.remedy}".strip()
    elif report.interrupted:
        problem = "the audit was interrupted"
    elif host.verdict is Verdict.INCOMPLETE and not host.unproven:
        problem = "nothing was proved: no binding check passed"
    elif host.verdict is Verdict.PARTIAL and report.require_complete:
        problem = f"not everything was selected: {', '.join(host.not_selected)}"
    if problem:
        case = TestCase("verdict", f"{_prefix(host)}.verdict")
        case.add_error_info(summary.flat(problem), problem, host.verdict.value)
        yield case


def _body(finding: Finding) -> str:
    parts = {
        "": finding.message,
        "Requirement": finding.title,
        "Found": finding.measured.text if finding.measured else "",
        "Required": finding.required.text if finding.required else "",
        "Who must act": finding.owner.value,
        "What to do": finding.remedy,
        "Source": finding.source,
        "Notes": "\n".join(finding.notes),
        "Seen from": f"{finding.vantage}, as {finding.user}" if finding.user else finding.vantage,
        "At": finding.at,
        "Evidence": ", ".join(finding.evidence),
    }
    return "\n".join(f"{name}: {text}" if name else text for name, text in parts.items() if text)


def _repaired(suite: ET.Element, seconds: float) -> ET.Element:
    """Keep the schema: no `disabled`, at most three decimals. Cases run beside each other."""
    suite.attrib.pop("disabled", None)
    suite.set("time", f"{seconds:.3f}")
    for case in suite.iter("testcase"):
        case.set("time", f"{float(case.get('time', '0')):.3f}")
    return suite


def _sum_up(root: ET.Element) -> None:
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in root):.3f}")


def _verify(document: str, report: Report) -> None:
    """Read the document as CI will and compare it with the report, host by host."""
    suites = list(ET.fromstring(document))  # noqa: S314 - written by us, a moment ago
    expected = [_expected(host, report) for host in report.hosts] or [Counter(tests=1, errors=1)]
    counted = [_counted(suite) for suite in suites]
    declared = [Counter({name: int(suite.get(name, "0")) for name in _NAMES}) for suite in suites]
    if counted != expected or declared != expected:
        raise AuditError(
            "The JUnit document does not say what the report says",
            "This is a fault of sesam-audit: use --report json=PATH instead and report it",
        )


def _counted(suite: ET.Element) -> Counter[str]:
    return Counter({name: len(list(suite.iter(tag))) for name, tag in _NAMES.items()})


def _expected(host: HostReport, report: Report) -> Counter[str]:
    coverage = host.coverage
    extra = len(list(_extra(host, report)))
    return Counter(
        tests=coverage.planned + extra,
        failures=len(host.blockers),
        errors=len(host.unproven) + extra,
        skipped=coverage.not_applicable + coverage.waived + len(host.accepted),
    )
