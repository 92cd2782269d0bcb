"""pytest is the engine: items made from the checks, judged as hosts arrive, nothing else loaded."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from sesam_audit.errors import FaultError
from sesam_audit.judge import Case, judge
from sesam_audit.model import Finding, Key
from sesam_audit.requirement import Requirement

Planned = Sequence[tuple[Requirement, "str | None"]]
Batches = Iterator[tuple[str, Case, Callable[[list[Finding]], None]]]
"""Hosts as they arrive: a name, what to judge from, and where its findings go."""

_SHIELD = (
    "-p", "no:python", "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:junitxml",
    "-p", "no:doctest", "-p", "no:unittest", "-p", "no:tmpdir", "-p", "no:monkeypatch",
    "-p", "no:capture", "-p", "no:logging", "-p", "no:warnings", "-p", "no:faulthandler",
    "-p", "no:stepwise", "-p", "no:pastebin", "-p", "no:nose", "-p", "no:recwarn",
    "-p", "no:threadexception", "-p", "no:unraisableexception", "-p", "no:setuponly",
    "-p", "no:setupplan", "-p", "no:debugging", "-p", "no:legacypath", "-p", "no:skipping",
    "-p", "no:assertion", "-p", "no:subtests", "-p", "no:reports",
    f"--config-file={os.devnull}", "--rootdir=/", "--noconftest", "--disable-plugin-autoload",
)  # fmt: skip


class CheckItem(pytest.Item):
    """One requirement and subject on one host; `earlier` holds what was found there before."""

    def __init__(
        self,
        *,
        case: Case,
        item: Requirement,
        subject: str | None,
        earlier: dict[Key, Finding],
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self._case, self._item, self._subject = case, item, subject
        self._earlier = earlier

    def runtest(self) -> None:
        """Judge."""
        finding = judge(self._item, self._subject, self._case, self._earlier)
        self._earlier[finding.key] = finding


class Engine:
    """The plugin: answers collection itself and feeds the loop from arriving hosts."""

    def __init__(self, planned: Planned, batches: Batches) -> None:
        self._planned, self._batches = planned, batches
        self.fault: Exception | None = None

    def pytest_collection(self, session: pytest.Session) -> bool:
        """No file is collected: neither ini, conftest nor working directory can touch a verdict."""
        session.items = []
        session.testscollected = 1
        return True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            for host, case, keep in self._batches:
                self._judge(session, host, case, keep)
        except Exception as error:  # noqa: BLE001 - pytest would print a traceback
            self.fault = error
        return True

    def pytest_runtest_protocol(self, item: CheckItem) -> bool:
        """An item's outcome is its finding: pytest's own reports, three of each, read nobody."""
        item.runtest()
        return True

    def _judge(
        self, session: pytest.Session, host: str, case: Case, keep: Callable[[list[Finding]], None]
    ) -> None:
        """One host's items; what is finished is kept, also after Ctrl-C."""
        earlier: dict[Key, Finding] = {}
        items = [
            CheckItem.from_parent(
                session,
                name=f"{host}:{item.id}" + (f"[{subject}]" if subject else ""),
                case=case,
                item=item,
                subject=subject,
                earlier=earlier,
            )
            for item, subject in self._planned
        ]
        try:
            for item, following in zip(items, [*items[1:], None], strict=True):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        finally:
            keep(list(earlier.values()))


@contextlib.contextmanager
def _without_pytest_variables() -> Iterator[None]:
    """PYTEST_ADDOPTS and friends belong to the user's own tests, not to an audit."""
    taken = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("PYTEST_")}
    try:
        yield
    finally:
        os.environ.update(taken)


def run(planned: Planned, batches: Batches) -> bool:
    """Judge every arriving host in one pytest session; True when it was interrupted.

    Raises:
        FaultError: the loop itself failed.
    """
    engine = Engine(planned, batches)
    with _without_pytest_variables():
        code = pytest.main([*_SHIELD], plugins=[engine])
    if engine.fault or code > pytest.ExitCode.INTERRUPTED:
        raise FaultError(f"Judging ended early: {engine.fault or code!r}") from engine.fault
    return code == pytest.ExitCode.INTERRUPTED
