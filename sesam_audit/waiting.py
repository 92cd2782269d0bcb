"""Audit again until everything is ready or the time is up: what `--wait` means."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from sesam_audit.cleaning import for_a_log
from sesam_audit.progress import StatusLine

if TYPE_CHECKING:
    from sesam_audit.model import Finding, HostReport, Report

DEFAULT = 900.0  # seconds; the node takes its store over file by file before it starts
_PAUSES = (3.0, 5.0, 8.0, 12.0, 20.0, 30.0)  # between audits, seconds; the last one repeats
_SETTLED = ("ready", "partial")
_SHOWN = 3
_NUMBERS = re.compile(r"\d+")
_ORDER = ("failed", "unknown", "blocked")

A = TypeVar("A")


def spelt(words: Sequence[str]) -> Iterator[str]:
    """The command line with `--wait` always followed by its number, which may be left out."""
    options = words.index("--") if "--" in words else len(words)
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < options else ""
        bare = word == "--wait" and place < options and not _number(following)
        yield f"--wait={DEFAULT:g}" if bare else word


def _number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def until_ready(
    once: Callable[[], tuple[A, Report]], seconds: float, *, quiet: bool
) -> tuple[A, Report]:
    """Audit until nothing is wrong or unproven, or `seconds` have passed; the last one counts."""
    said = _Words(quiet=quiet)
    end = time.monotonic() + seconds
    pauses = iter(_PAUSES)
    while True:
        audit, report = once()
        left = end - time.monotonic()
        if report.interrupted or report.verdict.value in _SETTLED or not left > 0:
            break
        pause = min(next(pauses, _PAUSES[-1]), left)
        said(f"{open_words(report)}; again in {pause:.0f} s, for {_span(left)} more")
        try:
            time.sleep(pause)
        except KeyboardInterrupt:
            report = interrupted(report)
            break
    said.done()
    return audit, report


def interrupted(report: Report) -> Report:
    """The last audit's report, when whoever waited has had enough."""
    from msgspec.structs import replace

    return replace(report, interrupted=True)


def open_words(report: Report) -> str:
    """What is waited for: the first findings that failed or are not proven, in a line."""
    several = len(report.hosts) > 1
    words = [
        f"{host.host}: {text}" if several else text
        for host in report.hosts
        for text in ([host.trouble] if host.trouble else map(_named, _waited(host)))
    ]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return f"Waiting for {'; '.join(words[:_SHOWN])}{more}"


def _waited(host: HostReport) -> Iterator[Finding]:
    """Failed ones first, and among them those of the running stack; last what only waits itself."""
    binding = (*host.blockers, *host.unproven)
    yield from sorted(binding, key=lambda x: (_ORDER.index(x.outcome.value), x.category != "stack"))


def _named(finding: Finding) -> str:
    said = not finding.subject or finding.subject in finding.message
    return f"{finding.id}{'' if said else f' [{finding.subject}]'}: {finding.message}"


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


class _Words:
    """Standard error: one line rewritten on a terminal, elsewhere a line for each new reason."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._line = StatusLine(quiet=quiet)
        self._last = ""

    def __call__(self, text: str) -> None:
        line = " ".join(text.split())
        kind = _NUMBERS.sub("", line)
        self._line.show(line)
        if self._line.live or self._quiet or kind == self._last:
            return
        self._last = kind
        sys.stderr.write(f"{for_a_log(line)}\n")
        sys.stderr.flush()

    def done(self) -> None:
        """Clear the line."""
        self._line.clear()
