"""`--wait`: audits again until everything is ready or the time is up; the last report counts."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sesam_audit.level import Outcome
from sesam_audit.model import Finding, Report
from sesam_audit.waiting import open_words, spelt, until_ready
from tests.reports import samples

READY = samples.report(samples.host())


def failing(*ids: str, message: str = "it fell") -> Report:
    found = (finding(each, Outcome.FAILED, message) for each in ids)
    return samples.report(samples.host(findings=tuple(found)))


def finding(identifier: str, outcome: Outcome, message: str) -> Finding:
    return samples.finding(identifier, identifier, outcome=outcome, message=message)


def audits(*reports: Report) -> tuple[Callable[[], tuple[int, Report]], list[int]]:
    """An audit that says one thing after the other, the last one for ever."""
    made: list[int] = []

    def once() -> tuple[int, Report]:
        made.append(len(made))
        return len(made), reports[min(len(made), len(reports)) - 1]

    return once, made


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sesam_audit.waiting._PAUSES", (0.01,))


def test_it_ends_when_everything_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    once, made = audits(failing("stack.api"), failing("stack.api"), READY)

    assert until_ready(once, 60, quiet=False) == (3, READY)
    assert made == [0, 1, 2]
    assert capsys.readouterr().err.startswith("Waiting for stack.api: it fell; again in 0 s, for ")


def test_at_once_where_nothing_has_to_be_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    once, made = audits(READY)

    assert until_ready(once, 60, quiet=False) == (1, READY)
    assert (made, capsys.readouterr().err) == ([0], "")


@pytest.mark.parametrize("seconds", [0.0, 0.15, float("nan")])
def test_the_last_report_counts_when_the_time_is_up(seconds: float) -> None:
    once, made = audits(failing("stack.api"))
    began = time.monotonic()

    _, report = until_ready(once, seconds, quiet=True)

    assert report.exit_code == 1
    assert made
    assert time.monotonic() - began < 2


def test_what_was_interrupted_is_not_waited_for() -> None:
    stopped = samples.report(samples.host(), interrupted=True)

    assert until_ready(audits(stopped)[0], 60, quiet=True)[1].exit_code == 130


def test_ctrl_c_while_waiting_keeps_the_last_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pressed)

    _, report = until_ready(audits(failing("stack.api"))[0], 60, quiet=True)

    assert report.exit_code == 130
    assert [each.id for each in report.hosts[0].blockers] == ["stack.api"]


def test_a_partial_audit_has_nothing_to_wait_for() -> None:
    partial = samples.report(samples.host(not_selected=("os.clock",)), require_complete=True)

    assert until_ready(audits(partial)[0], 60, quiet=True)[1].exit_code == 3


def test_the_same_reason_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = [failing("stack.api", message=f"for {n} s") for n in (1, 2, 11)]
    once, _ = audits(*seconds, *[failing("stack.tls")] * 2, READY)

    until_ready(once, 60, quiet=False)

    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == [
        "Waiting for stack.api",
        "Waiting for stack.tls",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    until_ready(audits(failing("stack.api"), READY)[0], 60, quiet=True)

    assert capsys.readouterr().err == ""


def test_what_failed_is_named_first_and_of_that_the_stack() -> None:
    found = (
        finding("os.clock", Outcome.UNKNOWN, "no answer"),
        finding("docker.engine", Outcome.FAILED, "silent"),
        finding("stack.api", Outcome.FAILED, "503"),
        finding("stack.tls", Outcome.BLOCKED, "blocked"),
        finding("hardware.cpu", Outcome.UNKNOWN, "hidden"),
        finding("os.release", Outcome.PASSED, "fine"),
    )

    words = open_words(samples.report(samples.host(findings=found)))

    assert words == (
        "Waiting for stack.api: 503; docker.engine: silent; os.clock: no answer and 2 more"
    )


def test_a_host_that_is_not_reached_is_waited_for() -> None:
    away = samples.host("ssh://a", trouble="ssh://a: connection refused", findings=())

    assert open_words(samples.report(away)) == "Waiting for ssh://a: connection refused"


def test_of_several_hosts_each_is_named() -> None:
    both = samples.report(
        samples.host("ssh://a", findings=(finding("stack.api", Outcome.FAILED, "503"),)),
        samples.host("ssh://b"),
    )

    assert open_words(both) == "Waiting for ssh://a: stack.api: 503"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", ""),
        ("host", "host"),
        ("--wait", "--wait=900"),
        ("--wait host", "--wait=900 host"),
        ("--wait ssh://host -q", "--wait=900 ssh://host -q"),
        ("host --wait --stage live", "host --wait=900 --stage live"),
        ("--wait 60 host", "--wait 60 host"),
        ("--wait=60 host", "--wait=60 host"),
        ("--wait -- host", "--wait=900 -- host"),
        ("-- --wait host", "-- --wait host"),
    ],
)
def test_the_number_may_be_left_out(words: str, said: str) -> None:
    assert list(spelt(words.split())) == said.split()
