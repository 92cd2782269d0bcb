"""One check, one finding, whatever the check does."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from sesam_audit.errors import Lack, NotApplicable, Unknown, needs_root
from sesam_audit.evidence import Known
from sesam_audit.judge import Case, Now, Then, judge, plan, with_needs
from sesam_audit.level import Outcome, Stage
from sesam_audit.model import Finding, Key
from sesam_audit.profile import Profile
from sesam_audit.requirement import (
    LIVE,
    MUST,
    SHOULD,
    Found,
    Requirement,
    Subject,
    requirement,
)

from .asserting import (
    Memory,
    check_memory,
    check_with_a_helper,
    check_with_a_library,
    check_words,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def marked(check: Callable[..., None], **options: object) -> Requirement:
    made = requirement(source="Guide", level=MUST, **options)(check)  # type: ignore[arg-type]
    item = vars(made)["requirement"]
    assert isinstance(item, Requirement)
    return item


def case(**facts: object) -> Case:
    known = Known({type(fact): fact for fact in facts.values()})
    return Case(known=known, profile=Profile(), now=NOON, at="now", user="auditor")


def ruled(check: Callable[..., None], **facts: object) -> Finding:
    return judge(marked(check), None, case(**facts), {})


def raising(raised: BaseException) -> Callable[..., None]:
    def check_it() -> None:
        """It holds."""
        raise raised

    return check_it


def test_a_check_that_returns_has_passed_and_says_what_was_found() -> None:
    finding = ruled(check_memory, memory=Memory(32))
    assert finding.outcome is Outcome.PASSED
    assert finding.message == "32 GB found, 16 GB required"
    assert (finding.measured and finding.measured.value) == 32
    assert finding.reason is None


def test_a_failed_assertion_is_a_failure_with_the_remedy() -> None:
    finding = ruled(check_memory, memory=Memory(8))
    assert finding.outcome is Outcome.FAILED
    assert finding.message == "8 GB found, 16 GB required"
    assert finding.remedy == "Add memory."


def test_the_assertions_own_words_come_first() -> None:
    assert ruled(check_words).message == "one is not two"


def test_an_assertion_without_words_names_the_title() -> None:
    assert ruled(raising(AssertionError())).message == "does not hold: It holds"


def test_a_pass_without_a_measure_names_the_title() -> None:
    def check_it() -> None:
        """It holds."""

    assert ruled(check_it).message == "It holds"


def test_unknown_says_why_and_which_command_tells() -> None:
    finding = ruled(raising(needs_root("/x", "sudo cat /x")))
    assert finding.outcome is Outcome.UNKNOWN
    assert (finding.reason, finding.remedy) == ("needs root: /x", "Run: sudo cat /x")
    assert finding.lacks is Lack.ROOT


def test_not_applicable_says_why() -> None:
    finding = ruled(raising(NotApplicable("there is no disk")))
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert finding.reason == "there is no disk"


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("x"),
        KeyError("x"),
        SystemExit(0),
        GeneratorExit(),
        MemoryError(),
        RecursionError(),
        StopIteration(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        pytest.skip.Exception("skipped"),
        pytest.fail.Exception("failed"),
        pytest.exit.Exception("gone"),
        BaseException("bare"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_every_other_exception_is_unknown(raised: BaseException) -> None:
    finding = ruled(raising(raised))
    assert finding.outcome is Outcome.UNKNOWN
    assert type(raised).__name__ in finding.message


def test_a_real_recursion_without_end_is_unknown() -> None:
    def check_it() -> None:
        """It holds."""
        check_it()

    assert ruled(check_it).outcome is Outcome.UNKNOWN


def test_ctrl_c_ends_the_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        ruled(raising(KeyboardInterrupt()))


def test_an_exception_that_cannot_be_shown_is_unknown() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    assert ruled(raising(MuteError())).outcome is Outcome.UNKNOWN


def test_an_assertion_of_called_library_code_is_unknown() -> None:
    assert ruled(check_with_a_library).outcome is Outcome.UNKNOWN


def test_an_assertion_in_a_helper_of_the_checks_module_is_a_failure() -> None:
    assert ruled(check_with_a_helper).outcome is Outcome.FAILED


def test_a_missing_fact_is_unknown_and_the_check_is_not_called() -> None:
    finding = ruled(check_memory)
    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, "not collected")


def test_an_unknown_fact_gives_its_reason() -> None:
    known = Known({Memory: Unknown("needs root: /proc", "sudo x")})
    finding = judge(marked(check_memory), None, replace(case(), known=known), {})
    assert (finding.reason, finding.remedy) == ("needs root: /proc", "Run: sudo x")


def test_a_check_gets_the_subject_the_moment_and_the_profile() -> None:
    got: list[object] = []

    def check_it(subject: Subject, now: Now, then: Then, profile: Profile) -> None:
        """It holds."""
        got.extend((subject, now, then, profile))

    judge(marked(check_it), "a.example.org", case(), {})
    assert got == ["a.example.org", NOON, NOON, Profile()]


def test_another_date_leaves_the_moment_when_the_host_was_asked() -> None:
    got: list[object] = []

    def check_it(now: Now, then: Then) -> None:
        """It holds."""
        got.extend((now, then))

    later = NOON + timedelta(days=90)
    judge(marked(check_it), None, replace(case(), now=later, asked=NOON), {})
    assert got == [later, NOON]


def test_the_finding_carries_notes_vantage_user_and_time() -> None:
    def check_it(found: Found) -> None:
        """It holds."""
        found.note("look here")
        found.vantage = "daemon"

    finding = ruled(check_it)
    assert finding.notes == ("look here",)
    assert (finding.vantage, finding.user, finding.at) == ("daemon", "auditor", "now")


def test_print_in_a_check_does_not_reach_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def check_it() -> None:
        """It holds."""
        sys.stdout.write("hello")

    ruled(check_it)
    assert capsys.readouterr() == ("", "hello")


# -- options, stages, dependencies -----------------------------------------------------------------


def test_an_option_that_switches_it_off_gives_the_reason() -> None:
    item = marked(raising(AssertionError()), when=lambda _: "not with this option")
    finding = judge(item, None, case(), {})
    assert (finding.outcome, finding.reason) == (Outcome.NOT_APPLICABLE, "not with this option")


def test_a_requirement_of_another_stage_is_not_applicable() -> None:
    finding = judge(marked(check_memory, stages=[LIVE]), None, case(memory=Memory(32)), {})
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert judge(
        marked(check_memory, stages=[LIVE]),
        None,
        replace(case(memory=Memory(32)), stage=Stage.LIVE),
        {},
    ).outcome is (Outcome.PASSED)


def needed(outcome: Outcome, subject: str | None = None) -> dict[Key, Finding]:
    base = ruled(check_memory, memory=Memory(8))
    return {("a.need", subject): replace(base, id="a.need", outcome=outcome, remedy="mend it")}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.FAILED, "failed"),
        (Outcome.UNKNOWN, "is not proven"),
        (Outcome.BLOCKED, "is blocked itself"),
    ],
)
def test_it_is_blocked_by_a_need_that_does_not_hold(outcome: Outcome, words: str) -> None:
    item = marked(raising(AssertionError("must not be called")), needs=["a.need"])
    finding = judge(item, None, case(), needed(outcome))
    assert finding.outcome is Outcome.BLOCKED
    assert finding.reason == f"blocked by a.need, which {words}"
    assert finding.remedy == "mend it"


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.NOT_APPLICABLE])
def test_it_is_judged_when_its_need_holds_or_does_not_apply(outcome: Outcome) -> None:
    item = marked(check_memory, needs=["a.need"])
    assert judge(item, None, case(memory=Memory(8)), needed(outcome)).outcome is Outcome.FAILED


def test_a_need_with_several_subjects_holds_when_all_hold() -> None:
    earlier = {**needed(Outcome.PASSED, "one"), **needed(Outcome.FAILED, "two")}
    assert judge(marked(check_memory, needs=["a.need"]), None, case(), earlier).outcome is (
        Outcome.BLOCKED
    )


@pytest.mark.parametrize(
    ("spoiled", "outcome"), [("one", Outcome.BLOCKED), ("two", Outcome.FAILED)]
)
def test_a_need_may_be_one_subject_alone(spoiled: str, outcome: Outcome) -> None:
    item = marked(check_memory, needs=["a.need [one]"])
    earlier = {**needed(Outcome.PASSED, "one"), **needed(Outcome.PASSED, "two")}
    for key, finding in needed(Outcome.FAILED, spoiled).items():
        earlier[key] = replace(finding, subject=spoiled)
    assert judge(item, None, case(memory=Memory(8)), earlier).outcome is outcome


def test_what_does_not_apply_is_not_blocked() -> None:
    item = marked(check_memory, needs=["a.need"], when=lambda _: "off")
    assert judge(item, None, case(), needed(Outcome.FAILED)).outcome is Outcome.NOT_APPLICABLE


def test_needs_come_first_and_are_judged_even_when_nobody_chose_them() -> None:
    first = replace(marked(check_memory), id="a.first", needs=("b.second",))
    second = replace(marked(check_memory), id="b.second", needs=("c.third [one]",))
    third = replace(marked(check_memory), id="c.third")
    known = {item.id: item for item in (first, second, third)}
    assert [item.id for item in with_needs([first], known)] == ["c.third", "b.second", "a.first"]


def test_the_plan_names_every_subject_before_a_host_is_reached() -> None:
    item = marked(check_memory, each=lambda profile: profile.public_addresses)
    profile = dataclasses.replace(Profile(), public_addresses=("192.0.2.1", "192.0.2.2"))
    assert [subject for _, subject in plan([item], profile)] == ["192.0.2.1", "192.0.2.2"]


def test_a_should_stays_a_should() -> None:
    item = replace(marked(check_memory), level=SHOULD)
    assert judge(item, None, case(memory=Memory(8)), {}).warning
