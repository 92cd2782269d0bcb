"""Formats and places: the table here and the renderers there are the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.delivery import FORMATS, Delivery
from sesam_audit.errors import AuditError, FaultError, UsageError
from sesam_audit.model import Report

from .test_model import SAMPLES, host, report

PLAIN: dict[str, Any] = {
    "stdout_format": None,
    "reports": (),
    "report_dir": None,
    "quiet": True,
    "verbose": False,
    "no_color": False,
}
SAMPLE = report(*SAMPLES.values(), started="2026-11-22T12:00:00Z")


def delivery(**options: Any) -> Delivery:
    return Delivery.of({**PLAIN, **options})


def test_every_format_has_a_renderer_and_a_suffix() -> None:
    assert set(FORMATS) == set(import_module("sesam_audit.reports").FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_every_verdict(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = delivery(stdout_format=name)
    made.load()
    made.write(SAMPLE)
    assert capsys.readouterr().out


def test_standard_output_is_json_where_there_is_no_terminal() -> None:
    assert delivery().stdout == "json"


def test_a_report_to_a_dash_is_what_standard_output_gets() -> None:
    assert delivery(reports=("html=-",)).stdout == "html"


def test_a_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    assert delivery(reports=(f"json={tmp_path}/a=b",)).files == (("json", tmp_path / "a=b"),)


@pytest.mark.parametrize("value", ["1", "anything"])
def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    assert not delivery().color


def test_an_empty_no_color_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert delivery().color


def names(folder: Path, made: Report) -> list[str]:
    delivery(report_dir=folder).write(made)
    return sorted(path.name for path in folder.iterdir())


def test_a_directorys_files_are_named_by_host_and_time(tmp_path: Path) -> None:
    one = report(host(name="ssh://me@[::1]:22"), started="2026-11-22T12:00:00Z")
    assert names(tmp_path, one)[0] == "ssh-me-1-22-2026-11-22T12-00-00Z.csv"


def test_several_hosts_are_counted_in_the_name(tmp_path: Path) -> None:
    assert names(tmp_path, SAMPLE)[0] == "4-hosts-2026-11-22T12-00-00Z.csv"


def test_a_hosts_name_leads_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    evil = report(host(name="ssh://../../../evil"), started="2026-11-22T12:00:00Z")
    made = names(folder, evil)
    assert len(made) == len(FORMATS)
    assert not [name for name in made if name.startswith(".")]
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]


def test_a_hosts_name_may_be_long(tmp_path: Path) -> None:
    assert names(tmp_path, report(host(name="ssh://" + "a" * 500), started="2026"))


def test_one_report_that_cannot_be_written_costs_the_others_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    made = delivery(reports=(f"json={gone}/a", f"html={tmp_path}/b"))
    gone.rmdir()
    with pytest.raises(AuditError, match=r"The audit is done \(not-ready\)"):
        made.write(SAMPLE)
    assert (tmp_path / "b").exists()
    assert capsys.readouterr().out


Broken = Callable[[str, BaseException], None]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Lets the renderer of a format fall."""
    renderers = import_module("sesam_audit.reports").FORMATS

    def fall(name: str, raised: BaseException) -> None:
        def render(*_: object, **__: object) -> str:
            raise raised

        monkeypatch.setitem(renderers, name, render)

    return fall


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyError("x"), r"/b: KeyError: 'x'. This is a fault of sesam-audit: report it"),
        (AuditError("It is not so", "Use another"), r": It is not so. Use another$"),
    ],
)
def test_one_format_that_cannot_be_rendered_costs_the_others_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    broken: Broken,
    raised: Exception,
    said: str,
) -> None:
    broken("html", raised)
    saved: list[bool] = []
    wishes = (f"json={tmp_path}/a", f"html={tmp_path}/b", f"junit={tmp_path}/c")
    made = delivery(reports=wishes, quiet=False)

    with pytest.raises(AuditError, match=said) as error:
        made.write(SAMPLE, lambda: saved.append(True))

    assert str(error.value).startswith("The audit is done (not-ready), but not everything")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]
    assert saved
    out, err = capsys.readouterr()
    assert '"verdict": "not-ready"' in out
    assert "Not ready" in err


def test_where_a_format_fell_can_be_shown(tmp_path: Path, broken: Broken) -> None:
    fallen = KeyError("x")
    broken("html", fallen)
    with pytest.raises(FaultError) as error:
        delivery(reports=(f"html={tmp_path}/b",)).write(SAMPLE)
    assert error.value.__cause__
    assert error.value.__cause__.__cause__ is fallen


def test_what_standard_output_cannot_show_costs_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: Broken
) -> None:
    broken("csv", KeyError("x"))
    made = delivery(reports=(f"json={tmp_path}/a",), stdout_format="csv", quiet=False)

    with pytest.raises(AuditError, match="written: standard output: KeyError: 'x'"):
        made.write(SAMPLE)

    assert (tmp_path / "a").exists()
    assert "Not ready" in capsys.readouterr().err


def test_a_file_under_way_is_finished_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Broken
) -> None:
    def slow(path: Path, text: str) -> None:
        time.sleep(0.2)
        path.write_text(text)

    monkeypatch.setattr("sesam_audit.delivery.write", slow)
    broken("html", KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        delivery(reports=(f"json={tmp_path}/a", f"html={tmp_path}/b")).write(SAMPLE)

    assert (tmp_path / "a").exists()


@pytest.mark.parametrize("gone", [False, True])
def test_a_reader_that_leaves_hides_no_other_trouble(
    tmp_path: Path, broken: Broken, gone: bool
) -> None:
    path = tmp_path / "gone" / "a"
    path.parent.mkdir()
    made = delivery(reports=(f"json={path}",), stdout_format="csv")
    broken("csv", BrokenPipeError())  # as if it came from the pipe
    if gone:
        path.parent.rmdir()

    with pytest.raises(AuditError, match="not written to" if gone else "who read it has left"):
        made.write(SAMPLE)


def test_an_interrupted_report_is_written_as_well(tmp_path: Path) -> None:
    delivery(reports=(f"json={tmp_path}/a",)).write(replace(SAMPLE, interrupted=True))
    assert (tmp_path / "a").exists()


@pytest.mark.parametrize("wish", ["", "=x", "json", "json=", "xml=x", "JSON=x"])
def test_a_wish_without_format_or_path_is_refused(wish: str) -> None:
    with pytest.raises(UsageError):
        delivery(reports=(wish,))
