"""The checks as items of somebody's pytest: `pytest -p sesam_audit.plugin --sesam-host HOST`.

It is for exploring with pytest's own options (-k, -v, --co, --lf, --junitxml). It is no gate: what
could not be told shows as skipped, and pytest calls a run of skipped items a success.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
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
        errand = _errand(config, hosts)
        reports = _planned(errand)
        wanted = _wanted(
            config, [_id(each, _name(item)) for each in reports for item in each.findings]
        )
        if not config.option.collectonly:
            reports = _audited(errand)
    except UsageError as error:
        raise pytest.UsageError(f"sesam-audit: {error}") from error
    except AuditError as error:
        pytest.exit(f"sesam-audit: {error}", error.exit_code)
    items = [FindingItem.of(session, each, item) for each in reports for item in each.findings]
    items = [each for each in items if wanted is None or each.nodeid in wanted]
    troubled = [] if config.option.collectonly else [each for each in reports if each.trouble]
    troubles = [TroubleItem.of(session, each) for each in troubled]
    listed = pytest.CollectReport(
        nodeid="", outcome="passed", longrepr=None, result=[*troubles, *items]
    )
    config.hook.pytest_collectreport(report=listed)
    config.hook.pytest_collection_modifyitems(session=session, config=config, items=items)
    session.items = [*troubles, *items]  # no option leaves out that a host was not asked
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


def _errand(config: pytest.Config, hosts: list[str]) -> Errand:
    try:
        options = _options.main(shlex.split(config.getoption("sesam_args")), standalone_mode=False)
    except (ValueError, click.ClickException) as error:
        raise UsageError(f"--sesam-args: {error}") from error
    with _standard_input(config):
        return Errand.of(hosts, options)


def _planned(errand: Errand) -> tuple[HostReport, ...]:
    """What would be judged; no host is reached."""
    return Audit(errand.request).report([target.spec for target in errand.targets]).hosts


def _audited(errand: Errand) -> tuple[HostReport, ...]:
    audit, collection, _ = errand.start()
    try:
        for _ in collection.targets:
            audit.judge(collection.arrivals.get())
    finally:
        collection.stop()
    return audit.report([target.spec for target in errand.targets]).hosts


def _wanted(config: pytest.Config, ids: Sequence[str]) -> set[str] | None:
    """The ids of items that stand on the command line, as pytest prints them; None for all."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return None
    wanted: set[str] = set()
    for word in config.args:
        found = {each for each in ids if each == word or each.startswith((f"{word}::", f"{word}["))}
        if not found:
            raise UsageError(
                f"no item is called {word!r}", "Files are not collected with --sesam-host; see --co"
            )
        wanted |= found
    return wanted


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


def _id(host: HostReport, name: str) -> str:
    """How pytest calls an item; it reads what stands before :: as a path."""
    return f"{host.host.replace('://', ':').rstrip(':')}::{name}"


def _name(finding: Finding) -> str:
    return finding.id + (f"[{finding.subject}]" if finding.subject else "")


class FindingItem(pytest.Item):
    """A finding, in pytest's words: a must that failed fails, a should that failed is xfailed."""

    finding: Finding

    @classmethod
    def of(cls, session: pytest.Session, host: HostReport, finding: Finding) -> FindingItem:
        """Make the item of one finding."""
        name = _name(finding)
        item: FindingItem = cls.from_parent(session, name=name, nodeid=_id(host, name))
        item.finding = finding
        item.extra_keyword_matches |= {host.host, finding.id, finding.category, finding.level.value}
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
        item: TroubleItem = cls.from_parent(session, name="host", nodeid=_id(host, "host"))
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
