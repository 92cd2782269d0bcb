"""Accepted risks: what a waiver file may say, and what it covers."""

from __future__ import annotations

from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from sesam_audit.errors import UsageError
from sesam_audit.level import Outcome
from sesam_audit.waivers import WaiverRule, apply, idle, load

from .test_model import finding

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
RULE = WaiverRule("hardware.memory", "we know", date(2026, 12, 31), "me")
WHOLE = """
[[waiver]]
id = "hardware.memory"
reason = "replaced in May"
until = 2027-05-31
by = "Kim"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.toml"
    path.write_text(text)
    return path


def waived(rule: WaiverRule, outcome: Outcome = Outcome.FAILED, host: str = "ssh://a") -> bool:
    return apply((rule,), host, finding(outcome), NOON).waiver is not None


def test_a_file_becomes_rules(tmp_path: Path) -> None:
    (rule,) = load(written(tmp_path, WHOLE))
    assert rule == WaiverRule("hardware.memory", "replaced in May", date(2027, 5, 31), "Kim")


def test_a_waiver_keeps_the_outcome_and_says_who_and_why() -> None:
    made = apply((RULE,), "ssh://a", finding(Outcome.FAILED), NOON)
    assert made.outcome is Outcome.FAILED
    assert made.waiver is not None
    assert (made.waiver.reason, made.waiver.until, made.waiver.by) == (
        "we know",
        "2026-12-31",
        "me",
    )


@pytest.mark.parametrize("outcome", Outcome)
def test_only_failed_and_unknown_can_be_waived(outcome: Outcome) -> None:
    assert waived(RULE, outcome) is (outcome in (Outcome.FAILED, Outcome.UNKNOWN))


@pytest.mark.parametrize(
    ("until", "valid"),
    [
        (date(2026, 11, 21), False),
        (date(2026, 11, 22), True),
        (date(2026, 11, 23), True),
    ],
)
def test_an_expired_waiver_covers_nothing_and_the_last_day_counts(until: date, valid: bool) -> None:
    assert waived(replace(RULE, until=until)) is valid


def test_another_id_is_not_covered() -> None:
    assert not waived(replace(RULE, id="hardware.cpu"))


@pytest.mark.parametrize(
    ("pattern", "covered"), [("*", True), ("ssh://a", True), ("ssh://*", True), ("ssh://b", False)]
)
def test_a_waiver_may_name_its_hosts(pattern: str, covered: bool) -> None:
    assert waived(replace(RULE, host=pattern)) is covered


def test_a_waiver_may_name_one_subject() -> None:
    one = replace(finding(Outcome.FAILED), subject="one")
    assert apply((replace(RULE, subject="one"),), "x", one, NOON).waiver
    assert not apply((replace(RULE, subject="two"),), "x", one, NOON).waiver
    assert apply((RULE,), "x", one, NOON).waiver


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("hardware.memory", "hardware.memroy"), "Did you mean 'hardware.memory'"),
        (('id = "hardware.memory"\n', ""), "has no 'id'"),
        (('reason = "replaced in May"\n', ""), "has no 'reason'"),
        (('"replaced in May"', '"  "'), "has no 'reason'"),
        (('by = "Kim"\n', ""), "has no 'by'"),
        (("until = 2027-05-31\n", ""), "has no 'until' day"),
        (("2027-05-31", '"2027-05-31"'), "has no 'until' day"),
        (("2027-05-31", "2027-05-31T10:00:00"), "has no 'until' day"),
        (("2027-05-31", "2027-02-31"), "is not valid TOML"),
        (('by = "Kim"', 'by = "Kim"\nticket = 5'), "known keys are by, host, id"),
        (('by = "Kim"', 'by = "Kim"\nhost = 5'), "'host' is not a text"),
        (('by = "Kim"', 'by = "Kim"\nsubject = []'), "'subject' is not a text"),
        (("[[waiver]]", "[waiver]"), "only \\[\\[waiver\\]\\]"),
        (("[[waiver]]", "[[waivers]]"), "only \\[\\[waiver\\]\\]"),
        (("[[waiver]]", "= 1"), "is not valid TOML"),
        (("[[waiver]]", "a = " + "[" * 100_000), "is not valid TOML"),
    ],
)
def test_a_file_with_a_fault_is_refused(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        load(written(tmp_path, WHOLE.replace(*change)))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_bytes(WHOLE.replace("Kim", "Åse").encode("latin-1"))
    with pytest.raises(UsageError, match="is not valid TOML"):
        load(path)


def test_what_never_ends_is_not_read() -> None:
    with pytest.raises(UsageError, match="too large to be one"):
        load(Path("/dev/zero"))


def test_an_empty_file_has_no_rules(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == ()


@pytest.mark.parametrize(
    ("rule", "outcome", "said"),
    [
        (RULE, Outcome.FAILED, []),
        (replace(RULE, until=date(2026, 11, 21)), Outcome.PASSED, []),
        (
            replace(RULE, until=date(2026, 11, 21)),
            Outcome.UNKNOWN,
            ["The waiver of hardware.memory by me ended on 2026-11-21: it counts no more"],
        ),
        (
            replace(RULE, host="ssh://b"),
            Outcome.FAILED,
            ["The waiver of hardware.memory by me names no finding on a host called ssh://b"],
        ),
        (
            replace(RULE, subject="one"),
            Outcome.FAILED,
            ["The waiver of hardware.memory [one] by me names no finding"],
        ),
        (replace(RULE, id="not.selected"), Outcome.FAILED, []),
    ],
)
def test_a_waiver_that_waives_nothing_is_told(
    rule: WaiverRule, outcome: Outcome, said: list[str]
) -> None:
    assert list(idle((rule,), [("ssh://a", [finding(outcome)])], NOON)) == said
