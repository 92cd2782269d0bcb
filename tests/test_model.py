"""Outcomes to verdicts to exit codes, exhaustively; and the cleaning of foreign text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement, product

import pytest
from msgspec.structs import replace

from sesam_audit.cleaning import clean
from sesam_audit.level import Level, Outcome, Stage
from sesam_audit.model import (
    Coverage,
    Finding,
    HostReport,
    Owner,
    Quantity,
    Report,
    Verdict,
    Waiver,
)

ACCEPTED = Waiver("we know", "2027-01-01", "me")
OPEN = (Outcome.UNKNOWN, Outcome.BLOCKED)
WAIVABLE = (Outcome.FAILED, Outcome.UNKNOWN)


def finding(
    outcome: Outcome = Outcome.PASSED, level: Level = Level.MUST, waiver: Waiver | None = None
) -> Finding:
    return Finding(
        id="hardware.memory",
        subject=None,
        title="Memory",
        level=level,
        outcome=outcome,
        message="m",
        source="s",
        remedy="r",
        owner=Owner.YOU,
        waiver=waiver,
    )


def host(*findings: Finding, name: str = "local://", **more: object) -> HostReport:
    plain = HostReport(host=name, stage=Stage.PREFLIGHT, findings=findings)
    return replace(plain, **more)


def report(*hosts: HostReport, **more: object) -> Report:
    plain = Report(tool="t", requirements="r", started="", finished="", hosts=hosts)
    return replace(plain, **more)


def every_finding() -> list[Finding]:
    """One of each kind: level, outcome, and waived where that may be."""
    return [
        finding(outcome, level, waiver)
        for level, outcome in product(Level, Outcome)
        for waiver in ((None, ACCEPTED) if outcome in WAIVABLE else (None,))
    ]


def rule(findings: tuple[Finding, ...], fail_on: Level, *, whole: bool, trouble: bool) -> int:
    """The rule of the exit code as numbers, written a second time."""
    binding = [f for f in findings if f.level is Level.MUST or fail_on is Level.SHOULD]
    if any(f.outcome is Outcome.FAILED and not f.waiver for f in binding):
        return 1
    if trouble or any(f.outcome in OPEN and not f.waiver for f in binding):
        return 3
    if not any(f.level is Level.MUST and f.outcome is Outcome.PASSED for f in findings):
        return 3
    return 0 if whole else 30


def blocked(id_: str, *needs: str, by: str = "", level: Level = Level.MUST) -> Finding:
    waiting = replace(finding(Outcome.BLOCKED, level), id=id_, needs=needs)
    return replace(waiting, blocked_by=by or needs[0].partition(" ")[0])


def named(id_: str, outcome: Outcome, subject: str | None = None, **more: object) -> Finding:
    return replace(finding(outcome), id=id_, subject=subject, **more)


PROVED = finding()
FAILED, UNKNOWN = Outcome.FAILED, Outcome.UNKNOWN


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("outcome", [FAILED, UNKNOWN])
def test_what_waits_for_a_waived_finding_is_accepted_with_it(
    outcome: Outcome, level: Level
) -> None:
    root = named("a.root", outcome, level=level, waiver=ACCEPTED)
    chain = (blocked("b.next", "a.root"), blocked("c.last", "b.next"))
    ready = host(PROVED, root, *chain)
    assert (ready.verdict, ready.unproven, ready.accepted) == (Verdict.READY, (), chain)
    assert (ready.coverage.blocked, ready.coverage.waived) == (2, 1)


@pytest.mark.parametrize(
    ("root", "verdict"),
    [
        (named("a.root", FAILED), Verdict.NOT_READY),
        (named("a.root", UNKNOWN), Verdict.INCOMPLETE),
        (named("a.root", FAILED, level=Level.SHOULD), Verdict.INCOMPLETE),  # nothing was proved
        (named("a.root", UNKNOWN, level=Level.SHOULD), Verdict.INCOMPLETE),
    ],
)
def test_what_waits_for_an_open_finding_is_not_accepted(root: Finding, verdict: Verdict) -> None:
    judged = host(PROVED, root, blocked("b.next", "a.root"))
    assert (judged.verdict, judged.accepted) == (verdict, ())


def test_every_need_must_be_waived_not_only_the_first() -> None:
    needs = (named("a.root", FAILED, waiver=ACCEPTED), named("b.root", UNKNOWN, level=Level.SHOULD))
    judged = host(PROVED, *needs, blocked("c.last", "a.root", "b.root"))
    assert judged.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(("need", "ready"), [("a.root", False), ("a.root [one]", True)])
def test_a_need_may_be_one_subject(need: str, *, ready: bool) -> None:
    subjects = (
        named("a.root", FAILED, "one", waiver=ACCEPTED),
        named("a.root", UNKNOWN, "two", level=Level.SHOULD),
    )
    judged = host(PROVED, *subjects, blocked("b.next", need))
    assert (judged.verdict is Verdict.READY) is ready


def test_what_waits_for_something_unchosen_or_itself_is_not_accepted() -> None:
    assert not host(PROVED, blocked("b.next", "a.root")).accepted
    assert not host(PROVED, blocked("a.one", "b.two"), blocked("b.two", "a.one")).accepted


CODES = {1: Verdict.NOT_READY, 3: Verdict.INCOMPLETE, 30: Verdict.PARTIAL, 0: Verdict.READY}


def cases() -> Iterator[tuple[tuple[Finding, ...], Level, bool, bool]]:
    for count in range(4):
        for findings in combinations_with_replacement(every_finding(), count):
            for fail_on, whole, trouble in product(Level, (True, False), (False, True)):
                yield findings, fail_on, whole, trouble


def test_a_hosts_verdict_follows_the_rule_in_every_small_case() -> None:
    for findings, fail_on, whole, trouble in cases():
        left_out = () if whole else ("os.release",)
        words = "gone" if trouble else ""
        judged = host(*findings, fail_on=fail_on, not_selected=left_out, trouble=words)
        code = rule(findings, fail_on, whole=whole, trouble=trouble)
        seen = [(f.level.value, f.outcome.value, bool(f.waiver)) for f in findings]
        assert judged.verdict is CODES[code], (seen, fail_on, whole, trouble)


SAMPLES = {
    Verdict.READY: host(finding()),
    Verdict.PARTIAL: host(finding(), not_selected=("os.release",)),
    Verdict.INCOMPLETE: host(finding(Outcome.UNKNOWN)),
    Verdict.NOT_READY: host(finding(Outcome.FAILED)),
}


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("verdicts", [c for n in (1, 2, 3) for c in product(Verdict, repeat=n)])
def test_several_hosts_end_with_1_before_3_before_0(
    verdicts: tuple[Verdict, ...], complete: bool
) -> None:
    codes = {
        Verdict.NOT_READY: 1,
        Verdict.INCOMPLETE: 3,
        Verdict.PARTIAL: 3 if complete else 0,
        Verdict.READY: 0,
    }
    met = [codes[verdict] for verdict in verdicts]
    expected = 1 if 1 in met else 3 if 3 in met else 0
    made = report(*(SAMPLES[verdict] for verdict in verdicts), require_complete=complete)
    assert made.exit_code == expected


def test_an_interrupted_run_ends_with_130_whatever_was_found() -> None:
    for sample in SAMPLES.values():
        assert report(sample, interrupted=True).exit_code == 130


def test_a_report_without_hosts_proves_nothing() -> None:
    assert report().exit_code == 3


def test_one_unreachable_host_makes_the_whole_incomplete() -> None:
    dead = host(finding(Outcome.UNKNOWN), trouble="ssh://b: no answer")
    assert report(SAMPLES[Verdict.READY], dead).exit_code == 3


def test_planned_is_the_sum_of_the_six_and_waived_lies_over_them() -> None:
    coverage = Coverage.of(every_finding(), 2)
    six = (coverage.passed, coverage.failed, coverage.warnings)
    rest = (coverage.unknown, coverage.blocked, coverage.not_applicable)
    assert coverage.planned == len(every_finding()) == sum(six) + sum(rest)
    assert (coverage.waived, coverage.not_selected) == (4, 2)


def test_a_failed_should_is_a_warning_and_not_a_failure() -> None:
    coverage = Coverage.of([finding(Outcome.FAILED, Level.SHOULD)], 0)
    assert (coverage.failed, coverage.warnings) == (0, 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 🙂", "plain é 漢 🙂"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb", "a\\x0db"),
        ("\x00\x07\x7f", "\\x00\\x07\\x7f"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("\ufffe\uffff\ufeff", "\\ufffe\\uffff\\ufeff"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_controls_and_marks_become_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


BAD = "\x1b[2J\u202e\ud800"


def bad_records() -> list[object]:
    return [
        replace(finding(), message=BAD, subject=BAD, notes=(BAD,), evidence=(BAD,), reason=BAD),
        Quantity(BAD, BAD, BAD),
        Waiver(BAD, BAD, BAD),
        host(name=BAD, trouble=BAD, remedy=BAD, sent=(BAD,), not_verified=(BAD,), user=BAD),
        report(profile={BAD: BAD}, header=(BAD,), only=(BAD,), skip=(BAD,)),
    ]


@pytest.mark.parametrize("record", bad_records(), ids=lambda record: type(record).__name__)
def test_no_record_holds_an_escape_a_mark_or_a_surrogate(record: object) -> None:
    text = repr(record).replace("\\\\", "\\")
    assert "\\x1b[2J" in text
    assert not set("\x1b\u202e\ud800") & set(_texts(record))


def _texts(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "".join(_texts(part) for pair in value.items() for part in pair)
    if isinstance(value, tuple):
        return "".join(map(_texts, value))
    return "".join(map(_texts, vars(value).values())) if hasattr(value, "__dict__") else ""
