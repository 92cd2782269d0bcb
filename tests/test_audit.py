"""The whole over a small catalogue: outcomes, exit codes, waivers, several hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from sesam_audit.audit import Audit
from sesam_audit.collect import Arrival
from sesam_audit.evidence import Evidence, Known
from sesam_audit.host import parse
from sesam_audit.level import Outcome
from sesam_audit.model import Verdict
from sesam_audit.profile import Profile
from sesam_audit.request import Request

from .conftest import World

WAIVER = """
[[waiver]]
id = "{id}"
reason = "we know"
until = {until}
by = "Kim"
"""


def test_everything_good_is_ready(world: World) -> None:
    report = world.report()
    assert (report["verdict"], report["exit code"]) == ("ready", 0)


@pytest.mark.parametrize(
    ("words", "options", "code"),
    [
        ({}, (), 0),
        ({"first": "bad"}, (), 1),
        ({"first": None}, (), 3),
        ({"advice": "bad"}, (), 0),
        ({"advice": None}, (), 0),
        ({"advice": "bad"}, ("--fail-on", "should"), 1),
        ({"advice": None}, ("--fail-on", "should"), 3),
        ({}, ("--only", "hardware"), 0),
        ({}, ("--only", "hardware", "--require-complete"), 3),
        ({}, ("--require-complete",), 0),
        ({}, ("--only", "layout.off"), 3),
        ({}, ("--only", "hardware.advice"), 3),
        ({"second": "bad"}, ("--only", "hardware.first"), 0),
        ({"first": "bad"}, ("--only", "layout.dependent"), 3),
    ],
)
def test_the_exit_code_follows_the_findings(
    world: World, words: dict[str, str | None], options: tuple[str, ...], code: int
) -> None:
    world.says(**words)
    assert world.report("local://", *options)["exit code"] == code


def test_a_partial_selection_is_never_ready(world: World) -> None:
    report = world.report("local://", "--only", "hardware")
    assert report["verdict"] == report["hosts"][0]["verdict"] == "partial"
    assert report["selection"]["only"] == ["hardware"]


def test_what_nobody_chose_is_judged_to_block_but_not_reported(world: World) -> None:
    world.says(first="bad")
    assert world.outcomes("local://", "--only", "layout.dependent") == {
        "layout.dependent": "blocked"
    }


def test_an_option_switches_a_check_off_and_on(world: World) -> None:
    assert world.outcomes()["layout.off"] == "not-applicable"
    assert world.outcomes("local://", "--set", "data=rootdisk")["layout.off"] == "passed"


def test_an_unreadable_fact_is_unknown_with_the_command(world: World) -> None:
    world.says(first=None)
    first = world.report()["hosts"][0]["findings"][0]
    assert (first["outcome"], first["reason"]) == ("unknown", "there is no first")
    assert first["remedy"] == f"Run: ls {world.root}/first"


def test_the_report_says_who_looked(world: World) -> None:
    assert world.report("local://", "--only", "hardware.first")["hosts"][0]["user"]


# -- waivers ---------------------------------------------------------------------------------------


def waive(world: World, name: str, until: str) -> str:
    path = world.root / "waivers.toml"
    path.write_text(WAIVER.format(id=name, until=until))
    return str(path)


@pytest.mark.parametrize(("word", "outcome"), [("bad", "failed"), (None, "unknown")])
def test_a_waived_finding_keeps_its_outcome_and_does_not_count(
    world: World, word: str | None, outcome: str
) -> None:
    world.says(second=word)
    report = world.report("local://", "--waivers", waive(world, "hardware.second", "2999-01-01"))
    second = report["hosts"][0]["findings"][1]
    assert (second["outcome"], second["waiver"]["by"]) == (outcome, "Kim")
    assert report["exit code"] == 0
    assert report["hosts"][0]["coverage"]["waived"] == 1


def test_an_expired_waiver_does_not_count(world: World) -> None:
    world.says(second="bad")
    waivers = waive(world, "hardware.second", "2020-01-01")
    assert world.report("local://", "--waivers", waivers)["exit code"] == 1


def test_a_waiver_that_expired_then_counts_as_of_then(world: World) -> None:
    world.says(second="bad")
    waivers = waive(world, "hardware.second", "2020-01-01")
    assert world.report("local://", "--waivers", waivers, "--as-of", "2019-12-31")["exit code"] == 0


def test_an_unused_waiver_changes_nothing(world: World) -> None:
    waivers = waive(world, "hardware.second", "2999-01-01")
    report = world.report("local://", "--waivers", waivers)
    assert (report["exit code"], report["hosts"][0]["coverage"]["waived"]) == (0, 0)


def test_a_waiver_of_an_unknown_id_is_a_usage_error(world: World) -> None:
    done = world("run", "--waivers", waive(world, "hardware.secnod", "2999-01-01"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'hardware.second'?" in done.stderr


@pytest.mark.parametrize("word", ["bad", None])
def test_what_a_waived_finding_blocks_is_accepted_with_it(world: World, word: str | None) -> None:
    world.says(first=word)
    assert world.report()["exit code"] == (1 if word else 3)
    waivers = waive(world, "hardware.first", "2999-01-01")
    report = world.report("local://", "--waivers", waivers)
    coverage = report["hosts"][0]["coverage"]
    assert (report["exit code"], report["verdict"]) == (0, "ready")
    assert (coverage["blocked"], coverage["waived"]) == (1, 1)


def test_what_an_expired_waiver_blocks_is_not_accepted(world: World) -> None:
    world.says(first=None)
    waivers = waive(world, "hardware.first", "2020-01-01")
    assert world.report("local://", "--waivers", waivers)["exit code"] == 3


def test_what_waits_for_something_unchosen_is_unproven_whatever_is_waived(world: World) -> None:
    world.says(first="bad")
    waivers = waive(world, "hardware.first", "2999-01-01")
    chosen = ("--only", "layout.dependent", "--only", "hardware.second")
    assert world.report("local://", *chosen, "--waivers", waivers)["exit code"] == 3


# -- several hosts ---------------------------------------------------------------------------------


@pytest.fixture
def dead(tmp_path: Path) -> tuple[str, ...]:
    """A host whose ssh ends at once, and the options that make it so."""
    config = tmp_path / "config"
    config.write_text("Host dead\n ProxyCommand false\n")
    return ("ssh://dead", "--ssh-config", str(config))


def test_a_dead_host_costs_the_others_nothing(world: World, dead: tuple[str, ...]) -> None:
    report = world.report(*dead, "local://")
    gone, here = report["hosts"]
    assert (gone["host"], gone["verdict"]) == ("ssh://dead", "incomplete")
    assert gone["trouble"].startswith("ssh://dead: ")
    assert "Error" not in gone["trouble"]
    assert (here["host"], here["verdict"]) == ("local://", "ready")
    assert report["exit code"] == 3


def test_a_dead_host_has_the_same_plan(world: World, dead: tuple[str, ...]) -> None:
    gone, here = world.report(*dead, "local://")["hosts"]
    assert [f["id"] for f in gone["findings"]] == [f["id"] for f in here["findings"]]
    outcomes = {f["id"]: f["outcome"] for f in gone["findings"]}
    assert outcomes["hardware.first"] == "unknown"
    assert outcomes["layout.dependent"] == "blocked"
    assert outcomes["layout.off"] == "not-applicable"


def test_a_failure_somewhere_weighs_more_than_a_dead_host(
    world: World, dead: tuple[str, ...]
) -> None:
    world.says(first="bad")
    assert world.report(*dead, "local://")["exit code"] == 1


def test_a_host_named_twice_is_asked_once(world: World) -> None:
    assert len(world.report("local://", "local://")["hosts"]) == 1


# -- planned is reported ---------------------------------------------------------------------------


def arrival() -> Arrival:
    return Arrival(target=parse("local://"), evidence=Evidence("local://", 1.7e9), known=Known({}))


def test_a_planned_finding_that_is_missing_did_not_run() -> None:
    audit = Audit(Request(profile=Profile(), only=("hardware.cpu", "hardware.memory")))
    _, case, keep = audit._batch(arrival())
    from sesam_audit.judge import judge

    items = {item.id: item for item, _ in audit._planned}
    keep([judge(items["hardware.cpu"], None, case, {})])
    (host,) = audit.report(["local://"]).hosts
    missing = {finding.id: finding for finding in host.findings}["hardware.memory"]
    assert (missing.outcome, missing.reason) == (Outcome.UNKNOWN, "did not run")
    assert host.verdict is Verdict.INCOMPLETE


def test_a_host_that_never_came_is_reported_as_interrupted() -> None:
    audit = Audit(Request(profile=Profile(), only=("hardware.cpu",)))
    report = audit.report(["ssh://a"], interrupted=True)
    assert report.exit_code == 130
    assert report.hosts[0].trouble == "ssh://a: interrupted before it was judged"


@pytest.mark.parametrize("name", ["flows", "sent", "not_verified"])
def test_a_fault_beside_the_findings_of_one_host_ends_nobodys_report(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fall(*_: object) -> Iterator[str]:
        yield from ()
        raise KeyError("x")

    monkeypatch.setattr(f"sesam_audit.audit.{name}", fall)
    audit = Audit(Request(profile=Profile(), only=("hardware.cpu", "outbound")))
    audit.judge(arrival())
    (host,) = audit.report(["local://"]).hosts

    assert len(host.findings) > 1
    assert "a fault of sesam-audit: KeyError: 'x'" in host.not_verified[0]


def test_dates_are_judged_at_the_evidences_own_time() -> None:
    audit = Audit(Request(profile=Profile(), only=("hardware.cpu",)))
    assert audit._now(arrival()) == datetime.fromtimestamp(1.7e9, timezone.utc)
    day = datetime(2030, 1, 1, tzinfo=timezone.utc)
    later = Audit(Request(profile=Profile(), only=("hardware.cpu",), as_of=day))
    assert later._now(arrival()) == day


def test_lowered_sizes_stand_in_the_header(world: World) -> None:
    report = world.report("local://", "--set", "hardware.cpus=1")
    assert report["header"] == ["Sizes lowered by the profile: cpus 1 instead of 4"]


# -- collect, then judge ---------------------------------------------------------------------------


def same(findings: list[dict[str, object]]) -> list[dict[str, object]]:
    moments = ("at", "seconds")
    return [{k: v for k, v in finding.items() if k not in moments} for finding in findings]


def test_judging_what_was_collected_gives_the_same_findings(world: World) -> None:
    world.says(first="bad", advice=None)
    run = world.report()
    collected = world("collect", "local://", "-o", str(world.root / "evidence"))
    assert collected.returncode == 0
    (path,) = collected.stdout.splitlines()
    world.says(first="good", second="bad", advice="good")
    judged = world("judge", path, "--format", "json", "-q")
    assert judged.returncode == 1
    (host,) = json.loads(judged.stdout)["hosts"]
    assert same(host["findings"]) == same(run["hosts"][0]["findings"])


def test_a_run_can_save_what_it_saw(world: World) -> None:
    path = world.root / "evidence.json"
    run = world.report("local://", "--evidence", str(path))
    judged = world("judge", str(path), "--format", "json", "-q")
    assert same(json.loads(judged.stdout)["hosts"][0]["findings"]) == same(
        run["hosts"][0]["findings"]
    )
    assert path.stat().st_mode & 0o777 == 0o600


def test_collecting_from_a_dead_host_ends_with_3_and_keeps_the_others(
    world: World, dead: tuple[str, ...]
) -> None:
    out = world.root / "evidence"
    done = world("collect", *dead, "local://", "-o", str(out))
    assert done.returncode == 3
    assert "ssh://dead: " in done.stderr
    assert len(done.stdout.splitlines()) == len(list(out.iterdir())) == 1


def test_what_a_host_told_before_it_broke_off_is_saved(world: World) -> None:
    world.says(second="the end")
    out = world.root / "evidence"
    done = world("collect", "local://", "-o", str(out))
    assert done.returncode == 3
    assert "what it told until then is saved" in done.stderr
    (path,) = done.stdout.splitlines()

    judged = world("judge", path, "--format", "json", "-q")

    (host,) = json.loads(judged.stdout)["hosts"]
    outcomes = {finding["id"]: finding["outcome"] for finding in host["findings"]}
    assert (judged.returncode, host["verdict"]) == (3, "incomplete")
    assert host["trouble"].startswith("local://: ")
    assert outcomes["hardware.first"] == "passed"
    assert outcomes["hardware.second"] == "unknown"


def test_evidence_of_one_host_that_cannot_be_written_costs_the_others_nothing(
    world: World, dead: tuple[str, ...]
) -> None:
    out = world.root / "evidence"
    (out / "local.evidence.json").mkdir(parents=True)
    done = world("collect", "local://", *dead, "-o", str(out))
    assert done.returncode == 3
    assert "was not written to" in done.stderr
    assert "ssh://dead: " in done.stderr


def test_judging_can_save_the_evidence_of_several_files_as_one(world: World) -> None:
    out, whole = world.root / "evidence", world.root / "whole.json"
    (path,) = world("collect", "local://", "-o", str(out)).stdout.splitlines()
    judged = world("judge", path, "--evidence", str(whole), "--no-sudo", "--jobs", "2", "-q")
    again = world("judge", str(whole), "-q")
    assert (judged.returncode, again.returncode) == (0, 0)
    assert json.loads(again.stdout)["hosts"] == json.loads(judged.stdout)["hosts"]
