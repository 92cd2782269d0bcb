"""The options that commands share, by what they are about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def several(*options: Callable[[F], F]) -> Callable[[F], F]:
    """One decorator for some, in the order in which help shows them."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


QUIET = click.option(
    "-q", "--quiet", is_flag=True, help="No progress, no summary on standard error."
)

DEPLOYMENT = several(
    click.option("--profile", "profile_file", type=click.Path(path_type=Path), metavar="FILE",
                 help="The deployment's options and sizes (TOML)."),
    click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                 help="Change one profile key, e.g. --set certificates=provided."),
)  # fmt: skip

SELECTING = several(
    click.option("--stage", default="preflight", show_default=True, metavar="STAGE",
                 help="preflight, before the stack is started; live, once it runs."),
    click.option("--only", multiple=True, metavar="ID|CATEGORY", help="Judge only these."),
    click.option("--skip", multiple=True, metavar="ID|CATEGORY", help="Leave these out."),
)  # fmt: skip

DELIVERING = several(
    click.option("--waivers", "waiver_file", type=click.Path(path_type=Path), metavar="FILE",
                 help="Accepted risks (TOML)."),
    click.option("--fail-on", type=click.Choice(["must", "should"]), default="must",
                 help="What makes a host not ready. Default: must."),
    click.option("--require-complete", is_flag=True, help="A partial selection ends with 3."),
    click.option("--as-of", metavar="DATE",
                 help="Judge the deployment's own dates as of this day (YYYY-MM-DD)."),
    click.option("--report", "reports", multiple=True, metavar="FORMAT=PATH",
                 help="Write json, junit, html, text or csv; repeatable; - is standard output."),
    click.option("--report-dir", type=click.Path(path_type=Path), metavar="DIR",
                 help="Write every format there, named by host and time."),
    click.option("--format", "stdout_format", metavar="FORMAT",
                 help="What standard output gets. Default: text on a terminal, json otherwise."),
    QUIET,
    click.option("-v", "--verbose", is_flag=True, help="Every finding in the text."),
    click.option("--no-color", is_flag=True, help="No colours (NO_COLOR is respected as well)."),
)  # fmt: skip

JUDGING = several(SELECTING, DEPLOYMENT, DELIVERING)

PROBING = several(
    click.option("--from", "vantages", multiple=True, metavar="HOST[=internet|clients]",
                 help="Another machine to dial from, and whom it stands for; repeatable."),
    click.option("--passive", is_flag=True,
                 help="Nothing on the target changes: no listener, no container, no write."),
    click.option("--measure-storage", is_flag=True, help="Measure fsync latency; writes one file."),
    click.option("--spend-pull", is_flag=True, help="Pull a layer's start of the private image."),
)  # fmt: skip

REACHING = several(
    click.option("--sudo/--no-sudo", default=None,
                 help="Insist on sudo, or never use it. Default: sudo -n when it works."),
    click.option("--ask-sudo-password", is_flag=True,
                 help="Ask for it, or read it as a line of standard input."),
    click.option("--timeout", type=click.FloatRange(1, 3600), default=60.0, show_default=True,
                 metavar="SECONDS", help="For one host as a whole."),
    click.option("--jobs", type=click.IntRange(1, 512), default=16, show_default=True,
                 help="Hosts asked at the same time."),
    click.option("--ssh-config", type=click.Path(path_type=Path), metavar="FILE",
                 help="Passed to ssh as -F."),
    click.option("--identity", type=click.Path(path_type=Path), metavar="FILE",
                 help="Passed to ssh as -i."),
)  # fmt: skip

UNJUDGED = {"fail_on": "must", "require_complete": False, "as_of": None, "waiver_file": None}
"""What stands for DELIVERING where nothing is judged to be delivered."""

SAVING = click.option(
    "--evidence",
    "saved",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Save the evidence.",
)
