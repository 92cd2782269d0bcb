from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.errors import Lack
from sesam_audit.level import Outcome, Stage
from sesam_audit.model import Finding, HostReport, Owner
from tests.reports import samples
from tests.reports.formats import steps


def failed(id_: str, **more: Any) -> Finding:
    return samples.finding(id_, id_, **{"outcome": Outcome.FAILED, "remedy": f"Mend {id_}", **more})


def blocked(id_: str, by: str) -> Finding:
    return samples.finding(id_, id_, outcome=Outcome.BLOCKED, blocked_by=by, reason="blocked")


def on_host(*findings: Finding, name: str = "ssh://node") -> HostReport:
    return samples.host(name, findings=findings)


def ordered(host: HostReport) -> list[str]:
    return [step.first.id for group in steps.steps(host).values() for step in group]


def test_what_is_needed_comes_first() -> None:
    host = on_host(failed("os.late", needs=("os.early",)), failed("os.early"))

    assert ordered(host) == ["os.early", "os.late"]


def test_what_is_needed_comes_first_past_what_is_blocked() -> None:
    between = replace(blocked("layout.between", "docker.early"), needs=("docker.early",))
    host = on_host(failed("os.late", needs=("layout.between",)), between, failed("docker.early"))

    assert ordered(host) == ["docker.early", "os.late"]


def test_one_subject_that_is_needed_comes_first() -> None:
    late = failed("os.late", needs=("os.early [one]",))

    assert ordered(on_host(late, failed("os.early", subject="one"))) == ["os.early", "os.late"]


def test_needs_in_a_circle_end() -> None:
    host = on_host(failed("os.a", needs=("os.b",)), failed("os.b", needs=("os.a",)))

    assert sorted(ordered(host)) == ["os.a", "os.b"]


def test_else_the_order_is_that_of_the_guide() -> None:
    ids = ["new.kind", "license.file", "docker.engine", "layout.user", "os.release"]

    assert ordered(on_host(*map(failed, ids))) == ids[::-1]


def test_each_owner_has_a_list_and_the_numbers_go_through() -> None:
    found = steps.steps(
        on_host(
            failed("os.a"),
            failed("inbound.dns", owner=Owner.DNS),
            failed("license.file"),
        )
    )

    assert {owner: [step.number for step in todo] for owner, todo in found.items()} == {
        Owner.YOU: [1, 2],
        Owner.DNS: [3],
    }


def test_subjects_that_one_remedy_mends_are_one_step() -> None:
    host = on_host(failed("outbound.docker", subject="a"), failed("outbound.docker", subject="b"))
    found = steps.steps(host)[Owner.YOU]

    assert [len(step.findings) for step in found] == [2]


def test_recommended_steps_come_after_what_blocks() -> None:
    todo = steps.steps(samples.not_ready().hosts[0])[Owner.YOU]

    assert [step.blocks for step in todo] == [True, True, False, False]


def test_a_step_counts_what_waits_for_it_in_the_end() -> None:
    host = on_host(failed("os.a"), blocked("os.b", "os.a"), blocked("os.c", "os.b"))

    assert steps.steps(host)[Owner.YOU][0].waiting == 2
    assert [doubt.reason for doubt in steps.doubts(host)] == ["waits for os.a"]


def test_waiting_in_a_circle_ends() -> None:
    host = on_host(blocked("os.a", "os.b"), blocked("os.b", "os.a"))

    assert sum(len(doubt.findings) for doubt in steps.doubts(host)) == 2


@pytest.mark.parametrize(
    ("name", "words", "command"),
    [
        (
            "local://",
            "Audit again from another machine, so that 8 more can be proved:",
            "sesam-audit run ssh://THIS-HOST --ask-sudo-password",
        ),
        (
            "ssh://node",
            "Audit again, so that 6 more can be proved:",
            "sesam-audit run ssh://node --ask-sudo-password",
        ),
    ],
)
def test_one_command_proves_all_that_a_command_can(name: str, words: str, command: str) -> None:
    host = on_host(*samples.unproven(), name=name)

    assert steps.last_step(host) == (words, command)


def test_what_is_lacking_counts_and_not_the_words() -> None:
    unknown = {"outcome": Outcome.UNKNOWN, "lacks": Lack.ROOT}
    told = failed("os.a", reason="sysfs: only root may look", **unknown)
    bare = failed("os.b", reason="needs root: so it seems", outcome=Outcome.UNKNOWN)
    host = on_host(told, bare, name="ssh://node")

    assert [(each.reason, each.command) for each in steps.doubts(host)] == [
        ("needs root", "sesam-audit run ssh://node --ask-sudo-password"),
        ("needs root: so it seems", ""),
    ]


def test_a_persons_steps_are_shown_as_they_are_numbered() -> None:
    portal = replace(
        failed("stack.portal"), outcome=Outcome.NOT_APPLICABLE, notes=("1. Log in.", "2. Upload.")
    )
    other = replace(failed("os.a"), outcome=Outcome.NOT_APPLICABLE, notes=("it has no SELinux",))

    assert steps.left(on_host(portal, other)) == ["1. Log in.", "2. Upload."]


def test_nothing_is_left_to_do_on_a_ready_host() -> None:
    assert steps.last_step(samples.host()) == ("", "")


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        (Stage.PREFLIGHT, "sesam-audit run ssh://node"),
        (Stage.LIVE, "sesam-audit run ssh://node --stage live"),
    ],
)
def test_auditing_again_keeps_the_stage(stage: Stage, command: str) -> None:
    host = replace(on_host(failed("os.a")), stage=stage)

    assert steps.last_step(host)[1] == command


def test_printed_commands_ask_for_the_same_deployment() -> None:
    asked = replace(on_host(failed("os.a", apply_mends=True)), again="--set data=rootdisk")

    assert steps.last_step(asked)[1] == "sesam-audit run ssh://node --set data=rootdisk"
    assert steps.applying(asked) == "sesam-audit apply ssh://node --set data=rootdisk --plan"


def test_a_waived_finding_is_no_doubt() -> None:
    assert steps.doubts(samples.waived().hosts[0]) == []


def test_apply_is_named_only_when_it_mends_something() -> None:
    assert steps.applying(on_host(failed("os.a"))) == ""
    assert (
        steps.applying(on_host(failed("os.a", apply_mends=True)))
        == "sesam-audit apply ssh://node --plan"
    )
