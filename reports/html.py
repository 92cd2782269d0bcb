"""The report as one static page: no script, no outside resource, and nothing foreign is markup."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from sesam_audit.model import HostReport, Report

from . import firewall, steps, summary
from .remedy import blocks

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Template

_SIGNS = {
    "passed": "✓",
    "failed": "✗",
    "warning": "!",
    "unknown": "?",
    "blocked": "?",
    "not-applicable": "-",
    "waived": "~",
}
_CODE = re.compile(r"(`+)([^`]+)\1")


def render(report: Report) -> str:
    """Render the page; its policy allows the one style sheet it carries and nothing else."""
    alone = len(report.hosts) == 1 and not report.interrupted
    return template().render(report=report, hosts=report.hosts, alone=alone)


@cache
def template() -> Template:
    """The page's template; what compiling it costs is paid while the hosts answer."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # 30 ms, for this format only
    from markupsafe import Markup

    folder = Path(__file__).parent
    style = (folder / "html.css").read_text("utf-8")
    environment = Environment(
        loader=FileSystemLoader(folder),
        bytecode_cache=_compiled(folder / "__pycache__"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        style=Markup(style),  # noqa: S704 - our own file
        digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        summary=summary,
        blocks=blocks,
        guide=steps,
        firewall=firewall,
        signs=_SIGNS,
    )
    environment.filters.update(spans=_spans, counts=_counts, moment=_moment, parted=_parted)
    return environment.get_template("html.jinja")


def _compiled(beside: Path) -> BytecodeCache | None:
    """Keep the compiled template beside our compiled modules, else in the user's own cache.

    Compiling costs more than everything else that is rendered together.
    """
    from jinja2 import FileSystemBytecodeCache

    if not sys.dont_write_bytecode and os.access(beside, os.W_OK):
        return FileSystemBytecodeCache(str(beside))
    try:
        own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sesam-audit"
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = own.stat()
    except (OSError, RuntimeError):  # the latter of a user without a home
        return None
    private = said.st_uid == os.getuid() and not said.st_mode & 0o022
    return FileSystemBytecodeCache(str(own)) if private else None


def _spans(text: str) -> Iterator[tuple[bool, str]]:
    """Prose cut at its backticks, each piece with whether it is something to type."""
    place = 0
    for match in _CODE.finditer(text):
        yield False, text[place : match.start()]
        yield True, match[2]
        place = match.end()
    yield False, text[place:]


def _counts(host: HostReport) -> dict[str, int]:
    counts = asdict(host.coverage)
    return {name: counts[name] for name in summary.COUNTS}


def _moment(text: str) -> str:
    """2026-11-22T21:58:05Z as people write it; anything else as it is."""
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(\.\d+)?Z$", r"\1 \2 UTC", text)


def _parted(headline: str) -> list[str]:
    """A headline as its verdict, what stands between, and the rest of the sentence."""
    return [*re.split(r"(: |, | · )", headline, maxsplit=1), "", ""][:3]
