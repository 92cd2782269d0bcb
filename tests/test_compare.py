"""Two reports side by side: what counts as worse, what is said of it, and what is refused."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.compare import Change, Comparison, compared, load
from sesam_audit.compare_formats import as_json, as_text
from sesam_audit.errors import UsageError
from sesam_audit.level import Level, Outcome, Stage
from sesam_audit.model import Finding, Flow, HostReport, Owner, Quantity, Report, Waiver

from .conftest import World, sesam_audit
from .reports import formats, samples

ORDER = {
    Outcome.PASSED: 0,
    Outcome.NOT_APPLICABLE: 0,
    Outcome.UNKNOWN: 1,
    Outcome.BLOCKED: 1,
    Outcome.FAILED: 2,
}


def finding(name: str = "os.clock", **more: Any) -> Finding:
    """A passed must, changed by `more`."""
    given: dict[str, Any] = {
        "id": name,
        "subject": None,
        "title": "It holds",
        "level": Level.MUST,
        "outcome": Outcome.PASSED,
        "message": "as it should be",
        "source": "Guide",
        "remedy": "Mend it.",
        "owner": Owner.YOU,
    }
    return Finding(**{**given, **more})


def host(*findings: Finding, name: str = "ssh://a") -> HostReport:
    return HostReport(host=name, stage=Stage.PREFLIGHT, findings=findings)


def report(*hosts: HostReport, **more: Any) -> Report:
    given: dict[str, Any] = {
        "tool": "sesam-audit 0.1.0",
        "requirements": "2026-11-22",
        "started": "2026-11-22T21:58:04Z",
        "finished": "2026-11-22T21:58:05Z",
    }
    return Report(hosts=hosts, **{**given, **more})


@pytest.fixture
def compare(tmp_path: Path) -> Any:
    """A comparison of reports that went through their files."""

    def through_files(old: Report, new: Report) -> Comparison:
        sides = []
        for name, side in (("old", old), ("new", new)):
            path = tmp_path / f"{name}.json"
            path.write_text(formats.json.render(side), "utf-8")
            sides.append(load(path))
        return compared(*sides)

    return through_files


def moves(comparison: Comparison) -> list[tuple[Change, str]]:
    return [
        (each.change, each.known.label) for pair in comparison.pairs for each in pair.differences
    ]


# -- what counts as what ---------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [*product(Outcome, Outcome)])
def test_the_order_of_outcomes(compare: Any, before: Outcome, after: Outcome) -> None:
    done = compare(
        report(host(finding(outcome=before), finding("os.release"))),
        report(host(finding(outcome=after), finding("os.release"))),
    )
    moved = ORDER[after] - ORDER[before]
    word = Change.WORSE if moved > 0 else Change.BETTER if moved < 0 else Change.CHANGED

    assert moves(done) == ([(word, "os.clock")] if before != after else [])
    assert done.worse is (moved > 0)


def test_the_same_report_twice(compare: Any) -> None:
    same = report(host(finding(measured=Quantity(1, "s", "1 s"))))
    done = compare(same, same)

    assert not done.worse
    assert as_text(done).startswith("Nothing changed\n")


def test_a_vanished_finding_is_worse(compare: Any) -> None:
    done = compare(report(host(finding(), finding("os.release"))), report(host(finding())))

    assert moves(done) == [(Change.GONE, "os.release")]
    assert done.worse


def test_a_new_finding_is_not_worse(compare: Any) -> None:
    more = {"outcome": Outcome.FAILED, "level": Level.SHOULD}
    late = finding("os.release", message="too old", **more)
    done = compare(report(host(finding())), report(host(finding(), late)))

    assert moves(done) == [(Change.NEW, "os.release")]
    assert not done.worse
    assert "os.release  failed\n      too old\n" in as_text(done)


def test_findings_of_one_id_are_told_apart_by_subject(compare: Any) -> None:
    def two(outcome: Outcome) -> Report:
        return report(host(finding(subject="a"), finding(subject="b", outcome=outcome)))

    done = compare(two(Outcome.PASSED), two(Outcome.FAILED))

    assert moves(done) == [(Change.WORSE, "os.clock [b]")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"message": "otherwise"}, "now: otherwise\n      was: as it should be"),
        ({"measured": Quantity(8, "GB", "8 GB")}, "measured 8 GB, was nothing"),
        ({"level": Level.SHOULD}, "should, was must"),
        ({"waiver": Waiver("test", "2027-01-31", "Kari")}, "waived until 2027-01-31 by Kari"),
    ],
    ids=["message", "measured", "level", "waiver"],
)
def test_what_changes_while_the_outcome_stays(compare: Any, more: Any, said: str) -> None:
    failed = finding(outcome=Outcome.FAILED)
    done = compare(report(host(failed)), report(host(replace(failed, **more))))

    assert moves(done) == [(Change.CHANGED, "os.clock")]
    assert not done.worse
    assert said in as_text(done)


def test_an_ended_waiver_is_said(compare: Any) -> None:
    failed = finding(outcome=Outcome.FAILED)
    waived = replace(failed, waiver=Waiver("test", "2027-01-31", "Kari"))
    other = finding("os.release")
    done = compare(report(host(waived, other)), report(host(failed, other)))

    assert "no longer waived" in as_text(done)
    assert "ssh://a: not-ready, was ready" in as_text(done)
    assert as_text(done).startswith("Worse: 1 changed, 1 host less ready\n")
    assert done.worse


@pytest.mark.parametrize("stage", [Stage.PREFLIGHT, Stage.LIVE])
def test_a_verdict_that_got_worse_is_worse_at_the_same_stage(compare: Any, stage: Stage) -> None:
    late = finding("os.release", outcome=Outcome.UNKNOWN)
    before, after = host(finding()), replace(host(finding(), late), stage=stage)
    done = compare(report(before), report(after))

    assert done.worse is (stage is before.stage)
    assert not compare(report(after), report(replace(before, stage=stage))).less_ready


def test_a_host_that_could_not_be_asked_is_worse_though_nothing_else_changed(compare: Any) -> None:
    done = compare(report(host(finding())), report(replace(host(finding()), trouble="away")))

    assert as_text(done).startswith("Worse: 1 host less ready\n")


def test_remedies_and_times_are_no_change(compare: Any) -> None:
    later = finding(remedy="Mend it better.", at="2026-11-23T00:00:00Z", seconds=3)
    done = compare(report(host(finding())), report(host(later)))

    assert not moves(done)


# -- hosts -----------------------------------------------------------------------------------------


def test_hosts_are_compared_by_name(compare: Any) -> None:
    a, b = host(finding(), name="ssh://a"), host(finding(outcome=Outcome.FAILED), name="ssh://b")
    done = compare(report(a, b), report(b, a))

    assert not done.worse
    assert not moves(done)


def test_a_vanished_host_is_worse(compare: Any) -> None:
    a, b = host(finding(), name="ssh://a"), host(finding(), name="ssh://b")
    done = compare(report(a, b), report(a))

    assert done.worse
    assert as_text(done).startswith("Worse: 1 host gone\n")
    assert "ssh://b: gone, was ready" in as_text(done)


def test_a_new_host_is_not_worse(compare: Any) -> None:
    a, b = host(finding(), name="ssh://a"), host(finding(), name="ssh://b")
    done = compare(report(a), report(a, b))

    assert not done.worse
    assert as_text(done).startswith("Not worse: 1 host new\n")


def test_one_host_each_is_compared_under_other_names(compare: Any) -> None:
    done = compare(
        report(host(finding(), name="ssh://old")),
        report(host(finding(outcome=Outcome.FAILED), name="ssh://new")),
    )

    assert moves(done) == [(Change.WORSE, "os.clock")]
    assert "although the names differ: ssh://old and ssh://new" in as_text(done)


def test_several_hosts_are_not_guessed_at(compare: Any) -> None:
    a, b, c = (host(finding(), name=f"ssh://{name}") for name in "abc")
    done = compare(report(a, b), report(c))

    assert (len(done.gone), len(done.added), len(done.pairs)) == (2, 1, 0)


# -- the text --------------------------------------------------------------------------------------


def test_the_whole_text(compare: Any) -> None:
    old = report(
        host(
            finding("hardware.memory", measured=Quantity(16, "GB", "16 GB")),
            finding("os.release", outcome=Outcome.FAILED, message="Debian"),
            finding("os.clock"),
        ),
        requirements="2026-10-01",
        started="2026-10-02T08:00:00Z",
    )
    new = report(
        host(
            finding(
                "hardware.memory",
                outcome=Outcome.FAILED,
                message="8 GB found, 16 GB required",
                measured=Quantity(8, "GB", "8 GB"),
            ),
            finding("os.release"),
            finding("license.file"),
        ),
        profile={"data": "rootdisk"},
    )

    assert as_text(compare(old, new)) == (
        "Worse: 1 worse, 1 gone, 1 better, 1 new\n"
        "  from 2026-10-02T08:00:00Z to 2026-11-22T21:58:04Z\n"
        "  requirements 2026-11-22, was 2026-10-01\n"
        "  data = rootdisk, was as shipped\n"
        "\n"
        "ssh://a: not-ready\n"
        "  Worse\n"
        "    hardware.memory  failed, was passed\n"
        "      measured 8 GB, was 16 GB\n"
        "      8 GB found, 16 GB required\n"
        "  Gone\n"
        "    os.clock  was passed\n"
        "  Better\n"
        "    os.release  passed, was failed\n"
        "  New\n"
        "    license.file  passed\n"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tool": "sesam-audit 0.2.0"}, "sesam-audit 0.2.0, was 0.1.0"),
        ({"only": ("os",)}, "selected: only os; was: everything"),
        ({"skip": ("os.rebuild",)}, "selected: without os.rebuild; was: everything"),
        ({"started": "2026-11-01T00:00:00Z"}, "The first report is the younger one"),
    ],
    ids=["tool", "only", "skip", "swapped"],
)
def test_what_must_be_known_first(compare: Any, more: Any, said: str) -> None:
    same = host(finding())

    assert said in as_text(compare(report(same), report(same, **more)))


def test_a_change_for_the_better_is_called_so(compare: Any) -> None:
    failed = finding(outcome=Outcome.FAILED)
    done = compare(report(host(failed)), report(host(finding())))

    assert as_text(done).startswith("Better: 1 better\n")
    assert "ssh://a: ready, was not-ready" in as_text(done)


def test_hostile_texts_stay_texts(compare: Any) -> None:
    failed = {
        "outcome": Outcome.FAILED,
        "message": "\n::error::x\n##vso[a]##[b]\x1b[2J" + "x" * 9**5,
    }
    done = compare(
        report(host(finding(), name="ssh://a\n::error::")),
        report(host(finding(**failed), name="ssh://a\n::error::")),
    )
    text, document = as_text(done), as_json(done)

    assert "\x1b" not in text + document
    assert "##" not in document
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert "##vso[" not in text
    assert "##[" not in text
    assert len(text) < 2000


def test_the_json_holds_both_sides(compare: Any) -> None:
    done = compare(
        report(host(finding())),
        report(host(finding(outcome=Outcome.UNKNOWN, measured=Quantity(1, "s", "1 s")))),
    )
    document = json.loads(as_json(done))
    (difference,) = document["hosts"][0]["differences"]

    assert document["schema"] == "sesam-audit/comparison/1"
    assert document["worse"] is True
    assert document["counts"]["worse"] == 1
    assert difference["change"] == "worse"
    assert difference["old"]["outcome"] == "passed"
    assert difference["new"]["measured"] == {"value": 1, "unit": "s", "text": "1 s"}


# -- files that are refused ------------------------------------------------------------------------


def document(**more: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.json.render(report(host(finding()))))
    return {**made, **more}


def refused(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "report.json"
    path.write_bytes(data)
    with pytest.raises(UsageError) as error:
        load(path)
    return str(error.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"nonsense", b"[" * 200_000, b'{"schema":' * 200_000, b"\xff\xfe", b"null",
     b'{"schema": "sesam-audit/report/1"}', b'{"schema": "sesam-audit/report/1", "hosts": 1}'],
    ids=lambda data: repr(data[:40]),
)  # fmt: skip
def test_what_is_no_report(tmp_path: Path, data: bytes) -> None:
    assert "is not a JSON report" in refused(tmp_path, data)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("sesam-audit/report/2", "only sesam-audit/report/1 can be compared"),
        ("sesam-audit/evidence/1", "is not a report but 'sesam-audit/evidence/1'"),
        ("sesam-audit/report/" + "9" * 10**5, "is not a report"),
    ],
    ids=["newer", "evidence", "endless"],
)
def test_another_schema(tmp_path: Path, schema: str, said: str) -> None:
    message = refused(tmp_path, json.dumps({"schema": schema}).encode())

    assert said in message
    assert len(message) < 400


def test_a_host_that_is_there_twice(tmp_path: Path) -> None:
    hosts = document()["hosts"]

    message = refused(tmp_path, json.dumps(document(hosts=hosts * 2)).encode())

    assert "it has several hosts 'ssh://a'" in message


def test_a_finding_that_is_there_twice(tmp_path: Path) -> None:
    whole = document()
    whole["hosts"][0]["findings"] *= 2

    assert "several findings 'os.clock'" in refused(tmp_path, json.dumps(whole).encode())


def test_keys_of_later_releases_are_left_unread(tmp_path: Path) -> None:
    whole = document(later=[{"a": 1}])
    whole["hosts"][0]["findings"][0]["later"] = {"deep": [[]]}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(whole))

    assert load(path).hosts[0].host == "ssh://a"


def test_no_more_than_a_report_is_read() -> None:
    with pytest.raises(UsageError, match="too large to be one"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize("path", ["/no/such/report.json", "/"])
def test_what_cannot_be_read(path: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(Path(path))


# -- the command -----------------------------------------------------------------------------------


def test_the_command_over_real_reports(world: World) -> None:
    (world.root / "old.json").write_text(world("run", "local://", "--format", "json").stdout)
    world.says(first="bad")
    (world.root / "new.json").write_text(world("run", "local://", "--format", "json").stdout)

    worse, better = (
        world("compare", "old.json", "new.json"),
        world("compare", "new.json", "old.json"),
    )

    assert (worse.returncode, better.returncode) == (1, 0)
    assert worse.stdout.startswith("Worse: ")
    assert better.stdout.startswith("Better: ")
    assert not worse.stderr


def test_the_command_as_json(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document()))
    done = sesam_audit("compare", str(path), str(path), "--format", "json")

    assert done.returncode == 0
    assert json.loads(done.stdout)["worse"] is False


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("[" * 100_000)
    done = sesam_audit("compare", str(path), str(path))

    assert done.returncode == 2
    assert not done.stdout
    assert done.stderr.count("\n") == 1


# -- connections -----------------------------------------------------------------------------------

HUB = samples.flow("OUT-HUB", "auth.docker.io", "outbound.docker", "auth.docker.io:443")
PORTAL = samples.flow("OUT-SESAM", "portal.sesam.io", "outbound.sesam", "portal.sesam.io:443")
INDICATOR = samples.flow("OUT-HUB", "hub.docker.com", need="indicator")


def connected(*flows: Flow) -> Report:
    return report(replace(host(finding()), flows=flows))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"addresses_v4": ("198.51.100.9",)}, "IPv4 198.51.100.9, was "),
        ({"addresses_v6": ("2001:db8::9",)}, "IPv6 2001:db8::9, was "),
        ({"sha256": "cd" * 32}, f"sha256 {'cd' * 32}, was {'ab' * 32}"),
        ({"issuer": "Example Corp CA"}, "issuer Example Corp CA, was "),
        ({"proxy": "proxy:3128"}, "proxy proxy:3128, was none"),
        ({"tls_version": "TLSv1.2"}, "TLS TLSv1.2, was "),
        ({"result": "tls-intercepted"}, "result tls-intercepted, was ok"),
    ],
)
@pytest.mark.parametrize("before", [HUB, INDICATOR], ids=["needed", "indicator"])
def test_a_connection_that_is_not_as_it_was_is_shown_and_not_worse(
    compare: Any, before: Flow, more: dict[str, Any], said: str
) -> None:
    after = replace(before, **more)
    done = compare(connected(before, PORTAL), connected(PORTAL, after))
    told = json.loads(as_json(done))["hosts"][0]["flows"]

    assert said in re.sub(r"\s+", " ", as_text(done))
    assert as_text(done).startswith("Not worse: 1 connection changed\n")
    assert not done.worse
    assert moves(done) == []
    ((field, sides),) = told[0]["fields"].items()
    assert (field, told[0]["change"], len(told)) == (*more, "changed", 1)
    assert sides["new"] != sides["old"]


def test_a_needed_connection_may_have_another_name(compare: Any) -> None:
    logs = replace(HUB, subject="log shipping")
    done = compare(connected(logs), connected(replace(logs, name="logs.example.org")))

    assert "name logs.example.org, was auth.docker.io" in as_text(done)


def test_times_latencies_and_the_order_of_addresses_are_no_change(compare: Any) -> None:
    before = replace(HUB, addresses_v4=("192.0.2.1", "192.0.2.2"))
    after = replace(
        before,
        addresses_v4=("192.0.2.2", "192.0.2.1"),
        at="2027-01-01T00:00:00Z",
        seconds=9.0,
        tcp_seconds=8.0,
        control="ok at 23:59:59Z",
        tries=2,
    )

    assert as_text(compare(connected(before), connected(after))).startswith("Nothing changed\n")


def test_a_connection_may_be_new_or_gone(compare: Any) -> None:
    shown = as_text(compare(connected(HUB), connected(PORTAL)))

    assert shown.startswith("Not worse: 2 connections changed\n")
    assert re.search(r"OUT-HUB auth.docker.io:443 .*  gone: ok", shown)
    assert re.search(r"OUT-SESAM portal.sesam.io:443 .*  new: ok", shown)


def test_rows_that_nothing_tells_apart_are_compared_one_by_one(compare: Any) -> None:
    other = replace(INDICATOR, result="tcp-refused")
    done = compare(connected(INDICATOR, other), connected(INDICATOR, INDICATOR))

    assert len(done.pairs[0].flows) == 1


def test_a_report_without_connections_can_be_compared(tmp_path: Path) -> None:
    document = json.loads(formats.json.render(connected(HUB)))
    for each in document["hosts"]:
        del each["flows"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(document), "utf-8")

    assert not compared(load(path), load(path)).pairs[0].flows


def test_notes_are_not_compared(compare: Any) -> None:
    def noted(time: str) -> Report:
        return report(host(finding(notes=(f"dialled by the auditor: ok at {time}",))))

    assert not moves(compare(noted("12:00:00Z"), noted("13:00:00Z")))
