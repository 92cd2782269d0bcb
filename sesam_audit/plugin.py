"""The checks as items of somebody's pytest: `pytest -p sesam_audit.plugin --sesam-host HOST`.

It is for exploring with pytest's own options (-k, -v, --co, --lf, --junitxml). It is no gate: what
could not be told shows as skipped, and pytest calls a run of skipped items a success.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest

from sesam_audit.audit import Audit
from sesam_audit.cleaning import for_a_log
from sesam_audit.errors import AuditError, UsageError
from sesam_audit.level import Outcome
from sesam_audit.model import Finding, HostReport
from sesam_audit.options import DEPLOYMENT, PROBING, REACHING, SELECTING, UNJUDGED
from sesam_audit.starting import Errand

NO_GATE = (
    "for exploring, no gate: what could not be told is skipped; `sesam-audit run` has the verdict"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sesam-audit")
    group.addoption(
        "--sesam-host",
        action="append",
        default=[],
        metavar="HOST",
        help="audit this host, named as for `sesam-audit run`, and collect no files; repeatable",
    )
    group.addoption(
        "--sesam-args",
        default="",
        metavar="OPTIONS",
        help="options of `sesam-audit collect`, as in --sesam-args='--passive --set data=rootdisk'",
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"sesam-audit: {NO_GATE}" if config.getoption("sesam_host") else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> bool | None:
    """One item for each finding of each host; a host that gave trouble has an item that fails.

    With --collect-only no host is reached.

    Raises:
        pytest.UsageError: a host or an option is wrong; nothing was touched.
    """
    config = session.config
    hosts = config.getoption("sesam_host")
    if not hosts:
        return None
    try:
        session.items = list(_items(session, hosts, config.getoption("sesam_args")))
    except UsageError as error:
        raise pytest.UsageError(f"sesam-audit: {error}") from error
    except AuditError as error:
        pytest.exit(f"sesam-audit: {error}", error.exit_code)
    listed = pytest.CollectReport(
        nodeid="", outcome="passed", longrepr=None, result=list(session.items)
    )
    config.hook.pytest_collectreport(report=listed)
    config.hook.pytest_collection_modifyitems(session=session, config=config, items=session.items)
    config.hook.pytest_collection_finish(session=session)
    session.testscollected = len(session.items)
    return True


@click.command(add_help_option=False)
@SELECTING
@DEPLOYMENT
@PROBING
@REACHING
def _options(**options: Any) -> dict[str, Any]:
    return {**UNJUDGED, **options, "quiet": True}


def _items(session: pytest.Session, hosts: list[str], words: str) -> Iterator[pytest.Item]:
    try:
        options = _options.main(shlex.split(words), standalone_mode=False)
    except (ValueError, click.ClickException) as error:
        raise UsageError(f"--sesam-args: {error}") from error
    with _standard_input(session.config):
        errand = Errand.of(hosts, options)
    audit = Audit(errand.request)
    if not session.config.option.collectonly:
        audit, collection, _ = errand.start()
        try:
            for _ in collection.targets:
                audit.judge(collection.arrivals.get())
        finally:
            collection.stop()
    for host in audit.report([target.spec for target in errand.targets]).hosts:
        if host.trouble and audit.arrivals:
            yield TroubleItem.of(session, host)
        yield from (FindingItem.of(session, host.host, each) for each in host.findings)


@contextlib.contextmanager
def _standard_input(config: pytest.Config) -> Iterator[None]:
    """Standard input without pytest's capture: a password may have to be read from it."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        capture.resume_global_capture()
        capture.suspend_global_capture()  # output is not captured while items are collected


def _id(host: str, name: str) -> str:
    return f"{host.replace('://', ':').rstrip(':')}::{name}"  # pytest reads it as a path


class FindingItem(pytest.Item):
    """A finding, in pytest's words: a must that failed fails, a should that failed is xfailed."""

    finding: Finding

    @classmethod
    def of(cls, session: pytest.Session, host: str, finding: Finding) -> FindingItem:
        """Make the item of one finding."""
        name = finding.id + (f"[{finding.subject}]" if finding.subject else "")
        item: FindingItem = cls.from_parent(session, name=name, nodeid=_id(host, name))
        item.finding = finding
        item.extra_keyword_matches |= {host, finding.id, finding.category, finding.level.value}
        return item

    def runtest(self) -> None:
        """Say what was found."""
        found = self.finding
        if found.waiver or found.outcome not in (Outcome.PASSED, Outcome.FAILED):
            pytest.skip(for_a_log(f"{found.outcome.value}: {found.message}"))
        if found.warning:
            pytest.xfail(for_a_log(f"warning: {found.message}"))
        if found.outcome is Outcome.FAILED:
            words = f"{found.message}\n\n{found.remedy}".strip()
            pytest.fail(for_a_log(words), pytrace=False)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return (self.nodeid, None, f"{self.name}: {self.finding.title}")


class TroubleItem(pytest.Item):
    """A host that could not be asked, or not to the end."""

    host: HostReport

    @classmethod
    def of(cls, session: pytest.Session, host: HostReport) -> TroubleItem:
        """Make the item of one host."""
        item: TroubleItem = cls.from_parent(session, name="host", nodeid=_id(host.host, "host"))
        item.host = host
        return item

    def runtest(self) -> None:
        """Fail with what happened."""
        words = f"{self.host.trouble}. {self.host.remedy}".strip()
        pytest.fail(for_a_log(words), pytrace=False)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return (self.nodeid, None, "the host can be asked")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.getoption("sesam_host"):
        terminalreporter.section("sesam-audit")
        terminalreporter.write_line(NO_GATE)
