"""What several tests share: the command as a program, over the shipped or a small catalogue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.twins")

REPOSITORY = Path(__file__).parent.parent
SMALL = Path(__file__).with_name("small")


@dataclass
class World:
    """The small catalogue's words on this machine, and the command that audits them."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    python: tuple[str, ...] = (sys.executable,)

    def says(self, **words: str | None) -> None:
        """Write words to their files; None takes a file away."""
        for name, word in words.items():
            if word is None:
                (self.root / name).unlink(missing_ok=True)
            else:
                (self.root / name).write_text(word)

    def start(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """The command, running; a test run in the background hands on an ignored Ctrl-C."""
        return subprocess.Popen(
            ("env", "--default-signal=INT", *self.python, str(SMALL), *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd or self.root,
            env=plain_environment(SMALL_WORLD=str(self.root), **self.environment),
        )

    def __call__(
        self, *words: str, cwd: Path | None = None, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        with self.start(*words, cwd=cwd) as process:
            out, errors = process.communicate(text, timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, errors)

    def report(self, *words: str, cwd: Path | None = None) -> dict[str, Any]:
        """The JSON report of a run on this machine."""
        done = self("run", *(words or ("local://",)), "--format", "json", "-q", cwd=cwd)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        report["exit code"] = done.returncode
        return report

    def outcomes(self, *words: str, cwd: Path | None = None) -> dict[str, str]:
        """What each check of the first host came to."""
        findings = self.report(*words, cwd=cwd)["hosts"][0]["findings"]
        return {finding["id"]: finding["outcome"] for finding in findings}


def plain_environment(**more: str) -> dict[str, str]:
    """The environment without what would change a program under test."""
    dropped = ("PYTHON", "PYTEST", "COVERAGE", "NO_COLOR", "COLUMNS", "SMALL_WORLD")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, **more}


def sesam_audit(
    *words: str, text: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The command as shipped; from elsewhere, for the checkout would hide what is built."""
    return subprocess.run(
        (sys.executable, "-m", "sesam_audit", *words),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd or "/",
        env=plain_environment(**(env or {})),
    )


def interrupt(process: subprocess.Popen[str]) -> None:
    """What Ctrl-C sends to the program itself."""
    process.send_signal(signal.SIGINT)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A small world in which everything is good."""
    root = tmp_path / "world"
    root.mkdir()
    made = World(root)
    made.says(first="good", second="good", advice="good")
    return made
