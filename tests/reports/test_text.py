from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from sesam_audit.level import Outcome
from sesam_audit.model import Report, Waiver
from tests.reports import samples
from tests.reports.formats import text

RED = re.compile(r"\x1b\[(?:\d+;)*31m")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("ready", "Ready"),
        ("not-ready", "Not ready: 4 blockers, 2 warnings, 3 not proven"),
        ("incomplete", "Nothing wrong found, 8 not proven"),
        ("partial", "Partial: no blockers among the selected checks, 25 not selected"),
        ("waived", "Ready, 2 waived"),
        ("several", "Not ready · 4 hosts: 1 not ready, 2 incomplete, 1 ready"),
    ],
)
def test_the_verdict_comes_first(name: str, first: str) -> None:
    assert text.render(samples.SAMPLES[name]()).splitlines()[0] == first


@pytest.mark.parametrize("name", [*samples.SAMPLES])
def test_prose_keeps_within_eighty_columns(name: str) -> None:
    commands = ("sesam-audit ", "curl ", "sudo ", "echo ")
    for line in text.render(samples.SAMPLES[name](), width=80).splitlines():
        assert cell_len(line) <= 80 or line.strip().startswith(commands)


def test_a_command_is_never_broken() -> None:
    shown = text.render(samples.not_ready(), width=40)

    assert "sudo mkfs.ext4 -L sesam-data /dev/nvme1n1\n" in shown
    assert "| sudo tee -a /etc/fstab\n" in shown


def test_a_blocker_says_found_required_and_what_to_type() -> None:
    shown = text.render(samples.not_ready())

    assert "✗ hardware.memory  At least 16 GB of memory\n" in shown
    assert "    8.3 GB found, 16 GB required\n    Add memory to the machine" in shown


def test_unproven_findings_are_grouped_with_the_command_that_proves_them() -> None:
    shown = text.render(samples.incomplete())

    assert "? needs root (6)\n" in shown
    assert "sesam-audit run local:// --ask-sudo-password\n" in shown
    assert "sesam-audit run ssh://THIS-HOST\n" in shown
    assert "? needs a vantage (2)\n" in shown


def test_next_steps_are_grouped_by_who_must_act() -> None:
    steps = text.render(samples.not_ready()).partition("Next steps\n")[2]

    assert re.findall(r"^  (You|DNS team|Network team)$", steps, re.MULTILINE) == [
        "You",
        "DNS team",
        "Network team",
    ]
    assert "layout.data-mount* (2 checks wait)" in steps


def test_what_is_needed_comes_first_in_the_next_steps() -> None:
    failing = {"outcome": Outcome.FAILED, "remedy": "Do it."}
    late = samples.finding("a.late", "late", needs=("b.early",), **failing)
    early = samples.finding("b.early", "early", **failing)
    shown = text.render(samples.report(samples.host(findings=(late, early))))

    assert "  1. b.early  early" in shown
    assert "  2. a.late  late" in shown


@pytest.mark.parametrize("name", ["incomplete", "partial", "ready"])
def test_nothing_looks_red_where_nothing_is_wrong(name: str) -> None:
    assert not RED.search(text.render(samples.SAMPLES[name](), color=True))


def test_a_blocker_looks_red() -> None:
    assert RED.search(text.render(samples.not_ready(), color=True))


@pytest.mark.parametrize("name", [*samples.SAMPLES])
def test_without_colour_there_is_no_escape(name: str) -> None:
    assert "\x1b" not in text.render(samples.SAMPLES[name](), color=False)


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "NO_COLOR", "TERM", "COLUMNS"])
def test_the_environment_changes_nothing(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [text.render(samples.not_ready(), color) for color in (True, False)]
    monkeypatch.setenv(variable, "1" if variable != "TERM" else "dumb")

    assert [text.render(samples.not_ready(), color) for color in (True, False)] == expected


def test_every_finding_is_listed_when_verbose() -> None:
    report = samples.not_ready()
    shown = text.render(report, verbose=True)

    assert all(finding.id in shown for finding in report.hosts[0].findings)
    assert "Not verified\n" in shown
    assert "Sent by the audit\n" in shown


def test_a_host_that_broke_off_says_so_beside_its_blockers() -> None:
    host = replace(samples.not_ready().hosts[0], trouble="The connection was lost")
    shown = text.render(samples.report(host))

    assert shown.startswith("Not ready: ")
    assert "Broken off: The connection was lost\n" in shown


def test_lowered_sizes_stand_beside_the_verdict() -> None:
    head = text.render(samples.waived()).partition("Waived\n")[0]

    assert "Sizes lowered by the profile: cpus 2 instead of 4" in head


@pytest.mark.parametrize("verbose", [True, False])
def test_hostile_text_is_shown_and_obeyed_by_nobody(verbose: bool) -> None:
    shown = text.render(samples.hostile(), verbose=verbose)

    assert "[bold red]Ready[/bold red][/nope]" in shown
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown
    )
    assert not re.search(r"^\s*::", shown, re.MULTILINE)
    assert "##vso[" not in shown
    shown.encode("utf-8")


@pytest.mark.parametrize("verbose", [True, False])
def test_no_foreign_line_break_can_fake_a_verdict(verbose: bool) -> None:
    lines = text.render(samples.hostile(), verbose=verbose).splitlines()

    assert not [line for line in lines if line.startswith("Ready")]


def host_named(name: str) -> Report:
    return samples.report(samples.host(name, findings=samples.unproven()))


def test_a_command_is_safe_to_paste_whatever_the_host_is_called() -> None:
    shown = text.render(host_named("ssh://a;reboot $(id)"))

    assert "sesam-audit run 'ssh://a;reboot $(id)' --ask-sudo-password" in shown


def test_what_waits_for_a_waived_finding_is_told_with_the_waivers() -> None:
    first, second, *rest = samples.findings()
    waiver = Waiver("we know", "2027-01-01", "ops")
    root = replace(first, outcome=Outcome.UNKNOWN, waiver=waiver)
    waiting = replace(
        second, outcome=Outcome.BLOCKED, needs=(first.id,), blocked_by=first.id, reason="waits"
    )
    shown = text.render(samples.report(samples.host(findings=(root, waiting, *rest))))

    assert shown.startswith("Ready, 1 waived")
    assert f"accepted with these, because they wait for them: {second.id}" in shown
    assert "Not proven" not in shown
