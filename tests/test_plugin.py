"""The checks in somebody's own pytest: real pytest processes, as people start them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from .conftest import plain_environment

NOBODY = "ssh://127.0.0.1:1"
NO_GATE = "no gate: what could not be told is skipped"


def run(
    cwd: Path, *words: str, path: str = "", typed: str = "", python_path: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = plain_environment()
    if path:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    if python_path:
        environment["PYTHONPATH"] = python_path
    command = (sys.executable, "-m", "pytest", "-p", "sesam_audit.plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        (*command, *words),
        cwd=cwd,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_finding_is_an_item_in_pytests_words(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ("--passive", "--skip", "outbound")
    audit = ("run", "local://", *options, "--report", f"json={report}", "-q")
    subprocess.run((sys.executable, "-m", "sesam_audit", *audit), cwd=tmp_path, check=False)
    (host,) = json.loads(report.read_text())["hosts"]
    expected = Counter(
        {"passed": "passed", "failed": "failed" if each["level"] == "must" else "xfailed"}.get(
            each["outcome"], "skipped"
        )
        for each in host["findings"]
    )

    done = run(tmp_path, "--sesam-host", "local://", f"--sesam-args={' '.join(options)}")

    said = done.stdout.rstrip().rpartition("\n")[2]
    counted = {word: int(number) for number, word in re.findall(r"(\d+) (\w+ed)", said)}
    assert counted == dict(expected)
    assert done.returncode == (1 if expected["failed"] else 0)
    assert done.stdout.count(NO_GATE) == 2


def test_pytests_own_options_choose_among_them(tmp_path: Path) -> None:
    words = ("--sesam-host", "local://", "--sesam-args=--passive", "-v", "-k", "hardware.memory")
    done = run(tmp_path, *words)

    listed = re.findall(r"(?m)^local::(\S+) [A-Z]", done.stdout)
    assert listed == ["hardware.memory"]


def test_items_are_chosen_by_the_ids_that_pytest_prints(tmp_path: Path) -> None:
    words = ("local::hardware.memory", "local::os.release", "local::hardware.memory")
    done = run(tmp_path, "--sesam-host", "local://", "--sesam-args=--passive", "-v", *words)

    assert re.findall(r"(?m)^local::(\S+) [A-Z]", done.stdout) == ["hardware.memory", "os.release"]


@pytest.mark.parametrize("chosen", [(), ("-k", "license"), ("ssh:127.0.0.1:1::os.release",)])
def test_a_host_that_cannot_be_asked_is_not_green(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    done = run(tmp_path, "--sesam-host", NOBODY, "--sesam-args=--timeout=5", *chosen)

    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert f"{NOBODY}: it refuses connections" in done.stdout


def test_a_password_is_read_from_standard_input(tmp_path: Path) -> None:
    words = ("--sesam-host", NOBODY, "--sesam-args=--ask-sudo-password")
    done, without = run(tmp_path, *words, typed="open sesame\n"), run(tmp_path, *words)

    assert "it refuses connections" in done.stdout
    assert (without.returncode, "No password" in without.stderr) == (4, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sesam-host=ftp://x",), "hosts of kind 'ftp' are not known"),
        (("--sesam-host=x", "--sesam-args=--bogus"), "No such option"),
        (("--sesam-host=x", "--sesam-args=--set nope=1"), "there is no key 'nope'"),
        (("--sesam-host=x", "--sesam-args=--only nope"), "'nope'"),
        (("--sesam-host=x", "--sesam-args=another"), "unexpected extra argument (another)"),
        (("--sesam-host=x", "tests"), "no item is called 'tests'"),
        (("--sesam-host=x", "--sesam-args='"), "--sesam-args: No closing quotation"),
    ],
)
def test_what_is_misspelled_is_said_before_a_host_is_touched(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, *words, path=str(reaching(tmp_path)))

    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "reached").exists()


def test_no_order_of_a_host_reaches_the_log(tmp_path: Path) -> None:
    (tmp_path / "order.py").write_text(
        "from sesam_audit import plugin\n"
        "from msgspec.structs import replace\n"
        "of = plugin.FindingItem.of\n"
        "def ordering(session, host, finding):\n"
        "    return of(session, host, replace(finding, message='a\\n::error::b\\n##vso[c]d'))\n"
        "plugin.FindingItem.of = ordering\n"
    )
    words = ("-p", "order", "--sesam-host=local://", "--sesam-args=--passive --only os", "-rs")
    done = run(tmp_path, *words, python_path=str(tmp_path))

    assert "vso[c]d" in done.stdout
    assert not re.search(r"(?m)^\s*::error|##vso", done.stdout)


def test_a_list_of_the_items_reaches_nobody(tmp_path: Path) -> None:
    done = run(tmp_path, "--sesam-host=x", "--co", "-q", path=str(reaching(tmp_path)))

    assert done.returncode == 0
    assert "ssh:x::hardware.memory\n" in done.stdout
    assert "::host\n" not in done.stdout
    assert not (tmp_path / "reached").exists()


def reaching(folder: Path) -> Path:
    """A folder whose `ssh` leaves a mark."""
    (folder / "ssh").write_text(f"#!/bin/sh\ntouch {folder}/reached\n")
    (folder / "ssh").chmod(0o755)
    return folder


def test_without_a_host_pytest_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")

    done = run(tmp_path)

    assert "1 passed" in done.stdout
    assert "sesam-audit" not in done.stdout
