"""The auditor's side: the real `sesam-audit` command against lab hosts, and what it reported."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.conftest import plain_environment

from .host import LabHost
from .lab import Lab

PROGRAM = Path(sys.executable).with_name("sesam-audit")
PATIENCE = 90.0

Outcomes = dict[str, str]  # by "id", or "id [subject]" where an id has several


@dataclass(frozen=True)
class Audited:
    """How one run of the command ended, and its JSON report."""

    code: int
    out: str
    errors: str

    @cached_property
    def report(self) -> dict[str, Any]:
        assert self.out, f"no report, exit code {self.code}: {self.errors}"
        report: dict[str, Any] = json.loads(self.out)
        return report

    def host(self, number: int = 0) -> dict[str, Any]:
        """The part of one host, in the order of the report."""
        host: dict[str, Any] = self.report["hosts"][number]
        return host

    @property
    def findings(self) -> dict[str, dict[str, Any]]:
        """The first host's findings by their names."""
        return by_name(self.host())

    @property
    def outcomes(self) -> Outcomes:
        return {name: finding["outcome"] for name, finding in self.findings.items()}

    def of(self, outcome: str) -> dict[str, str]:
        """The messages of all findings with this outcome."""
        found = self.findings.items()
        return {name: each["message"] for name, each in found if each["outcome"] == outcome}


@dataclass(frozen=True)
class Auditor:
    """Runs the installed console script where an auditor would: elsewhere, over ssh."""

    lab: Lab
    settings: tuple[str, ...] = ()

    def command(self, action: str, *words: str, settings: Iterable[str] = ()) -> tuple[str, ...]:
        """The whole command line; reaching and judging options come from the lab."""
        known = {"resolver": self.lab.internet.resolver, "lab": self.lab.directory}
        chosen = (each.format(**known) for each in (*self._settings(), *settings))
        options = [word for each in chosen for word in ("--set", each)]
        if action != "judge":
            options += ["--ssh-config", str(self.lab.ssh_config)]
        return self.lab.as_auditor(str(PROGRAM), action, *options, *words)

    def start(
        self, *words: str, settings: Iterable[str] = (), action: str = "run"
    ) -> subprocess.Popen[str]:
        """The command, running; Ctrl-C reaches it even where a background job runs the tests."""
        heeding = ("env", "--default-signal=INT")
        return subprocess.Popen(
            (*heeding, *self.command(action, *words, settings=settings)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain_environment(),
        )

    def __call__(
        self, *words: str, settings: Iterable[str] = (), action: str = "run", text: str = ""
    ) -> Audited:
        """Run the command to its end."""
        with self.start(*words, settings=settings, action=action) as process:
            try:
                out, errors = process.communicate(text, timeout=PATIENCE)
            except BaseException:
                process.kill()
                raise
        return Audited(process.returncode, out, errors)

    def audit(
        self, host: LabHost, *settings: str, user: str = "auditor", words: Iterable[str] = ()
    ) -> Audited:
        """Audit one host and read the JSON on standard output."""
        return self(host.spec(user), "--format", "json", "-q", *words, settings=settings)

    def _settings(self) -> tuple[str, ...]:
        roots = f"public_roots={self.lab.roots}"
        return (roots, "hardware.cpus=1", "hardware.memory=1 GB", *self.settings)


def by_name(host: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The findings of one host's report by "id" or "id [subject]"."""
    return {name(each["id"], each["subject"]): each for each in host["findings"]}


def name(identifier: str, subject: str | None) -> str:
    return f"{identifier} [{subject}]" if subject else identifier
