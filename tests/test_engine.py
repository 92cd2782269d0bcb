"""pytest as the engine, with everything around it switched off."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sesam_audit import engine
from sesam_audit.errors import AuditError
from sesam_audit.judge import Case
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.requirement import Requirement

from .asserting import Memory, check_memory
from .conftest import World, interrupt
from .test_judge import case, marked, raising

Kept = list[list[Finding]]


def run(items: list[Requirement], *cases: Case) -> tuple[bool, Kept]:
    kept: Kept = []
    planned = [(item, None) for item in items]
    batches = ((f"host{n}", each, kept.append) for n, each in enumerate(cases))
    return engine.run(planned, batches), kept


def named(item: Requirement, name: str) -> Requirement:
    return replace(item, id=name)


# -- the loop --------------------------------------------------------------------------------------


def test_each_item_of_each_host_comes_to_a_finding() -> None:
    items = [named(marked(check_memory), "a.one"), named(marked(check_memory), "a.two")]
    interrupted, kept = run(items, case(memory=Memory(32)), case(memory=Memory(8)))
    assert not interrupted
    assert [[f.outcome for f in findings] for findings in kept] == [
        [Outcome.PASSED, Outcome.PASSED],
        [Outcome.FAILED, Outcome.FAILED],
    ]


def test_one_hosts_findings_block_nothing_on_another() -> None:
    items = [
        named(marked(check_memory), "a.one"),
        named(marked(lambda: None, needs=["a.one"]), "a.two"),
    ]
    _, kept = run(items, case(memory=Memory(8)), case(memory=Memory(32)))
    assert [f[1].outcome for f in kept] == [Outcome.BLOCKED, Outcome.PASSED]


@pytest.mark.parametrize(
    "raised",
    [
        SystemExit(0),
        GeneratorExit(),
        MemoryError(),
        RecursionError(),
        pytest.skip.Exception("x"),
        pytest.fail.Exception("x"),
        pytest.exit.Exception("x", returncode=0),
        ValueError("x"),
    ],
    ids=lambda raised: type(raised).__name__,
)
def test_what_a_check_raises_does_not_end_the_run(raised: BaseException) -> None:
    items = [named(marked(raising(raised)), "a.bad"), named(marked(check_memory), "a.good")]
    interrupted, kept = run(items, case(memory=Memory(32)))
    assert not interrupted
    assert [f.outcome for f in kept[0]] == [Outcome.UNKNOWN, Outcome.PASSED]


def test_ctrl_c_keeps_what_is_finished() -> None:
    items = [
        named(marked(check_memory), "a.first"),
        named(marked(raising(KeyboardInterrupt())), "a.second"),
        named(marked(check_memory), "a.third"),
    ]
    interrupted, kept = run(items, case(memory=Memory(32)))
    assert interrupted
    assert [f.id for f in kept[0]] == ["a.first"]


def test_a_fault_of_the_engine_is_said_and_not_called_an_interruption() -> None:
    def broken() -> Iterator[tuple[str, Case, object]]:
        raise RuntimeError("the queue broke")
        yield

    with pytest.raises(AuditError, match="the queue broke"):
        engine.run([], broken())  # type: ignore[arg-type]


def test_the_users_pytest_variables_are_there_again_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    _, kept = run([named(marked(check_memory), "a.one")], case(memory=Memory(32)))
    assert kept
    assert os.environ["PYTEST_ADDOPTS"] == "--no-such-option"


def test_a_thousand_items_are_judged_in_a_moment() -> None:
    items = [named(marked(check_memory), f"a.n{n}") for n in range(1000)]
    begun = time.monotonic()
    _, kept = run(items, case(memory=Memory(32)))
    assert len(kept[0]) == 1000
    assert time.monotonic() - begun < 5


# -- the shield ------------------------------------------------------------------------------------

SPY = "import pathlib; pathlib.Path({mark!r}).write_text('executed')\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working directory whose files would turn every check green, or leave a mark."""
    below = tmp_path / "above" / "cwd"
    below.mkdir(parents=True)
    for folder in (below, below.parent):
        spy = SPY.format(mark=str(tmp_path / "mark"))
        green = (
            "import pytest\n"
            "def pytest_runtest_call(item): item.finding = None\n"
            "@pytest.hookimpl(tryfirst=True)\n"
            "def pytest_runtest_protocol(item, nextitem): return True\n"
        )
        (folder / "conftest.py").write_text(spy + green)
        (folder / "hostile.py").write_text(spy + green)
        (folder / "test_hostile.py").write_text(spy)
        (folder / "checks.py").write_text(spy)
        (folder / "sesam_audit.py").write_text(spy)
        (folder / "pytest.ini").write_text("[pytest]\naddopts = -p hostile --collect-only\n")
        (folder / "tox.ini").write_text("[pytest]\naddopts = -k nothing\n")
        (folder / "setup.cfg").write_text("[tool:pytest]\naddopts = --maxfail=1\n")
        (folder / "pyproject.toml").write_text(
            '[tool.pytest.ini_options]\naddopts = "--strict-config -x --deselect=a"\n'
        )
    return below


def untouched(world: World, cwd: Path) -> None:
    """The verdict is the one that the words give, and nothing of the directory was run."""
    world.says(first="bad")
    expected = {
        "hardware.first": "failed",
        "hardware.second": "passed",
        "hardware.advice": "passed",
        "layout.dependent": "blocked",
        "layout.off": "not-applicable",
    }
    report = world.report(cwd=cwd)
    found = {f["id"]: f["outcome"] for f in report["hosts"][0]["findings"]}
    assert (found, report["exit code"]) == (expected, 1)
    assert not (cwd.parent.parent / "mark").exists()


def test_files_in_and_above_the_working_directory_change_nothing(
    world: World, hostile: Path
) -> None:
    untouched(world, hostile)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PYTEST_ADDOPTS", "--collect-only"),
        ("PYTEST_ADDOPTS", "--no-such-option"),
        ("PYTEST_ADDOPTS", "-x --maxfail=1"),
        ("PYTEST_PLUGINS", "hostile"),
        ("PYTEST_PLUGINS", "no_such_plugin"),
        ("PYTEST_DEBUG", "1"),
    ],
)
def test_pytests_variables_change_nothing(
    world: World, hostile: Path, variable: str, value: str
) -> None:
    world.environment.update({variable: value})
    untouched(world, hostile)


# -- Ctrl-C, for real ------------------------------------------------------------------------------


def test_ctrl_c_while_a_host_hangs_reports_the_other_and_ends_with_130(
    world: World, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("Host slow\n ProxyCommand sleep 47\n")
    words = ("run", "local://", "slow", "--ssh-config", str(config), "--format", "json")
    with world.start(*words) as process:
        until = time.monotonic() + 20
        while not (world.root / "judged").exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.2)
        begun = time.monotonic()
        interrupt(process)
        out, errors = process.communicate(timeout=30)
    assert time.monotonic() - begun < 5
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert '"hardware.second"' in out
    assert "interrupted before it was judged" in out
    assert not _running("sleep 47")


def _running(words: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except (OSError, UnicodeDecodeError):
                continue
            if line == words:
                found.append(int(entry.name))
    return found
