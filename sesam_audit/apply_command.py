"""`apply`, `undo` and `finish` on the command line: their words read into a session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sesam_audit.options import DELIVERING, DEPLOYMENT, PROBING, QUIET, REACHING, F, several

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("host")
@click.option(
    "--plan", is_flag=True, help="Show what would be done, and stop: 0 nothing, 10 something."
)
@click.option("--yes", is_flag=True, help="Carry the plan out without asking.")
@click.option(
    "--license",
    "license_file",
    type=_FILE,
    metavar="FILE",
    help="The license to install; it is judged before the host is touched.",
)
@click.option(
    "--env",
    "env_file",
    type=_FILE,
    metavar="FILE",
    help="Values for .env; those of undocumented keys are never shown.",
)
@click.option(
    "--certificate",
    "certificate_file",
    type=_FILE,
    metavar="FILE",
    help="Your certificate, followed by those that signed it.",
)
@click.option("--certificate-key", "key_file", type=_FILE, metavar="FILE", help="Its private key.")
@click.option(
    "--login",
    metavar="USER",
    help="Log sesam in to Docker Hub; the password is asked, or a line of standard input.",
)
@click.option("--no-start", is_flag=True, help="Lay everything out, but do not start the stack.")
@click.option(
    "--start-anyway",
    is_flag=True,
    help="Start although Let's Encrypt would fail, which it counts.",
)
@click.option(
    "--start-deadline",
    type=click.IntRange(30, 86_400),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="How long the started stack may take to be well.",
)
@click.option(
    "--replace-stack",
    is_flag=True,
    help="Write our compose file although the one there does its part.",
)
@click.option(
    "--backup-made",
    is_flag=True,
    help="Answers the question for a backup before an installation is moved.",
)
@click.option(
    "--stop",
    multiple=True,
    metavar="NAME",
    help="Put this container aside, though only its name is Sesam's; repeatable.",
)
@DEPLOYMENT
@DELIVERING
@PROBING
@REACHING
def apply(host: str, **options: Any) -> int:
    """Make HOST fit, start the stack, audit again.

    It shows the plan first and asks. Nothing there is overwritten without a copy beside it,
    and `undo` takes a run back. Exit codes: as `run`, of the audit in the end; 1 something is in
    the way, or a step failed; 2 the request is wrong, or something is missing; 3 the host changed
    since the plan, or could not be reached; 10 with --plan, changes pending; 130 interrupted.
    """
    from sesam_audit.apply_inputs import session_of

    return session_of(host, options).run()


def _of_run(done: str, do: str) -> Callable[[F], F]:
    return several(
        click.argument("host"),
        click.argument("run", required=False),
        click.option("--plan", is_flag=True, help=f"Show what would be {done}, and stop."),
        click.option("--yes", is_flag=True, help=f"{do} without asking."),
        QUIET,
        REACHING,
    )


@click.command()
@_of_run("taken back", "Take it back")
def undo(host: str, **options: Any) -> int:
    """Take back what an apply changed on HOST: the last one, or RUN.

    Exit codes: 0 all was taken back that can be; 1 something was left, because it was changed
    since or is in use, or a step failed; 2 the request is wrong; 3 the host could not be asked, or
    refused; 10 with --plan, there is something to take back; 130 interrupted.
    """
    from sesam_audit.apply_inputs import take_back

    return take_back(host, options, "undo")


@click.command()
@_of_run("removed", "Remove it")
def finish(host: str, **options: Any) -> int:
    """Remove for good what a run kept on HOST: old containers, an old store, old files.

    Afterwards `undo` cannot bring them back. Exit codes: 0 all was removed that can be; 1 something
    was left, or a step failed; 2 the request is wrong; 3 the host could not be asked, or refused;
    10 with --plan, there is something to remove; 130 interrupted.
    """
    from sesam_audit.apply_inputs import take_back

    return take_back(host, options, "finish")
