"""The command line: arguments to audit, audit to text and exit code; the one place that exits."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sesam_audit import REQUIREMENTS_VERSION, __version__
from sesam_audit.apply_command import apply, finish, undo
from sesam_audit.errors import AuditError, FaultError, refuse_optimised
from sesam_audit.options import (
    DEPLOYMENT,
    JUDGING,
    PROBING,
    QUIET,
    REACHING,
    SAVING,
    SELECTING,
    UNJUDGED,
)
from sesam_audit.streams import prepare
from sesam_audit.words import Commands, Run

if TYPE_CHECKING:
    from sesam_audit.audit import Audit
    from sesam_audit.collect import Arrival
    from sesam_audit.delivery import Delivery
    from sesam_audit.model import Report


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(
    __version__, message=f"sesam-audit %(version)s, requirements {REQUIREMENTS_VERSION}"
)
@click.pass_context
def cli(context: click.Context) -> Any:
    """Find and prove what keeps a self-hosted Sesam machine from going live.

    Without a command it audits this machine: `sesam-audit run local://`, with run's options.

    Exit codes: 0 every must proved, 1 a must failed, 2 usage, 3 incomplete, 130 interrupted.
    """
    refuse_optimised()
    return context.invoke(run) if context.invoked_subcommand is None else None


@cli.command(cls=Run)
@click.argument("hosts", nargs=-1, metavar="[HOST ...]")
@SAVING
@click.option(
    "--wait",
    type=click.FloatRange(0, 86_400),
    metavar="[SECONDS]",
    help="Audit again until everything is ready, for at most this long (900 s).",
)
@JUDGING
@PROBING
@REACHING
def run(hosts: tuple[str, ...], saved: Path | None, **options: Any) -> int:
    """Audit hosts: ssh://USER@HOST, a bare NAME for ssh, local://, docker://, podman://."""
    from sesam_audit.delivery import Delivery
    from sesam_audit.starting import Errand
    from sesam_audit.waiting import until_ready

    delivery = Delivery.of(options, extra=[saved] if saved else [])
    errand = Errand.of(hosts or ("local://",), options)

    def once() -> tuple[Audit, Report]:
        audit, collection, progress = errand.start()
        audit.load()
        delivery.load()
        report = audit.finish(collection)
        progress.done()
        return audit, report

    wait = options["wait"]
    audit, report = once() if wait is None else until_ready(once, wait, quiet=options["quiet"])
    return _deliver(delivery, audit, report, saved)


def _deliver(delivery: Delivery, audit: Audit, report: Report, saved: Path | None) -> int:
    if saved is None:
        delivery.write(report)
    else:
        from sesam_audit.saving import save

        delivery.write(report, partial(save, audit.arrivals, saved))
    return report.exit_code


@cli.command()
@click.argument("hosts", nargs=-1, required=True, metavar="HOST ...")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR")
@SELECTING
@DEPLOYMENT
@PROBING
@REACHING
@QUIET
def collect(hosts: tuple[str, ...], output: Path, **options: Any) -> int:
    """Collect evidence only, one file per host, to be judged later by `judge`."""
    from sesam_audit.delivery import make_directory
    from sesam_audit.starting import start

    make_directory(output)
    _, collection, progress = start(hosts, {**UNJUDGED, **options})
    codes = [_keep(collection.arrivals.get(), output) for _ in collection.targets]
    collection.stop()
    progress.done()
    return max(codes)


def _keep(arrival: Arrival, output: Path) -> int:
    """Save what a host told, also where it broke off; 3 when something is missing."""
    from sesam_audit.saving import save, save_path

    told = bool(arrival.evidence.answers)
    code = 0
    if arrival.trouble:
        kept = "; what it told until then is saved" if told else ""
        code = _say(f"{arrival.trouble}{kept}. {arrival.remedy}".strip(), 3)
    if told:
        path = save_path(output, arrival.target.spec)
        try:
            save([arrival], path)
        except AuditError as error:
            return _say(str(error), 3)
        click.echo(str(path))
    return code


@cli.command()
@click.argument("evidence", nargs=-1, required=True, type=click.Path(path_type=Path))
@SAVING
@JUDGING
@PROBING
@REACHING
def judge(evidence: tuple[Path, ...], saved: Path | None, **options: Any) -> int:
    """Judge saved evidence, without a host; dates as of the evidence's own time.

    It takes the options of `run`. What says how hosts are reached means nothing here;
    --from, --passive and the like have to be as they were when the evidence was collected.
    """
    from sesam_audit.asking import profile_of, request_of
    from sesam_audit.audit import Audit
    from sesam_audit.delivery import Delivery
    from sesam_audit.host import Way
    from sesam_audit.saving import load_all

    audit = Audit(request_of(options, profile_of(options), Way()))
    delivery = Delivery.of(options, extra=[saved] if saved else [])
    arrivals = load_all(evidence, audit.kinds, audit.profile)
    for arrival in arrivals:
        audit.judge(arrival)
    report = audit.report([arrival.target.spec for arrival in arrivals])
    delivery.load()
    return _deliver(delivery, audit, report, saved)


@cli.command()
@click.option("--format", "shape", type=click.Choice(["md", "csv", "json", "nft"]), default="md")
@DEPLOYMENT
def firewall(shape: str, profile_file: Path | None, settings: tuple[str, ...]) -> int:
    """The rules to ask a firewall team for, before a machine exists."""
    from datetime import datetime, timezone

    from sesam_audit.firewall import sheet
    from sesam_audit.firewall_formats import as_csv, as_json, as_markdown
    from sesam_audit.firewall_nft import resolve_and_render
    from sesam_audit.profile import load

    render = {"md": as_markdown, "csv": as_csv, "json": as_json, "nft": resolve_and_render}[shape]
    wanted = sheet(load(profile_file, settings))
    click.echo(render(wanted, datetime.now(timezone.utc)), nl=False)
    return 0


@cli.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text")
def compare(old: Path, new: Path, shape: str) -> int:
    """What changed between two JSON reports; 1 when something got worse."""
    from sesam_audit.compare import compared, load
    from sesam_audit.compare_formats import as_json, as_text

    comparison = compared(load(old), load(new))
    click.echo({"text": as_text, "json": as_json}[shape](comparison), nl=False)
    return 1 if comparison.worse else 0


@cli.command(name="list")
@click.option("--format", "shape", type=click.Choice(["text", "json", "md"]), default="text")
def list_(shape: str) -> int:
    """Every check, with its level and stages."""
    from sesam_audit.catalogue import as_json, as_markdown, as_text

    click.echo({"text": as_text, "json": as_json, "md": as_markdown}[shape](), nl=False)
    return 0


@cli.command()
@click.argument("requirement", metavar="ID")
def explain(requirement: str) -> int:
    """One check: what holds, where the guide says so, what to do."""
    from sesam_audit.catalogue import explanation

    click.echo(explanation(requirement), nl=False)
    return 0


@cli.command()
@click.option("--agent", is_flag=True, help="The one that carries out an apply, instead.")
def probe(agent: bool) -> int:
    """Print the program that runs on a target, to read or to ship by other means."""
    from sesam_audit.shipping import program

    click.echo(program("agent" if agent else "probe").decode(), nl=False)
    return 0


for _command in (apply, undo, finish):
    cli.add_command(_command)

for _command in cli.commands.values():  # `main` looks for it: whatever fails can be shown
    _command.params.append(
        click.Option(["--debug"], is_flag=True, expose_value=False,
                     help="Show a traceback when sesam-audit itself fails."),
    )  # fmt: skip


def main() -> NoReturn:
    """The console script: every way out of the program is here."""
    gc.set_threshold(200_000, 20, 20)  # a short life with many imports: collecting costs 10 %
    prepare()
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        code = error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        code = _say("Interrupted", 130)
    except FaultError as fault:
        code = _failed(fault, f"sesam-audit: {fault}")
    except AuditError as error:
        code = _say(f"sesam-audit: {error}", error.exit_code)
    except SystemExit:  # click's own way out when the reader of a pipe has left
        code = 3
    except Exception as error:  # noqa: BLE001 - said in one sentence, and no verdict
        told = FaultError(f"{type(error).__name__}: {error}")
        code = _failed(error, f"sesam-audit failed: {told.what}\n{told.remedy}")
    _leave(code if isinstance(code, int) else 3)  # a command that says nothing has proved nothing


def _leave(code: int) -> NoReturn:
    """End without taking the interpreter apart, which costs as much as rendering a report."""
    channel = sys.modules.get("sesam_audit.channel")
    if channel:
        channel.end_all()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AuditError):  # its reader has left, or it is closed or full
            code = code or 3
    os._exit(code)


def _say(text: str, code: int) -> int:
    from sesam_audit.cleaning import for_a_log

    with contextlib.suppress(OSError):
        click.echo(for_a_log(text), err=True)
    return code


def _failed(fault: Exception, text: str) -> int:
    if "--debug" in sys.argv:
        import traceback

        _say("".join(traceback.format_exception(fault)), 3)
    return _say(text, 3)
