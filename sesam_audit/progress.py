"""What is going on, on standard error, for the person who waits."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from sesam_audit.cleaning import clean

if TYPE_CHECKING:
    from sesam_audit.host import Target

_CLEAR = "\r\x1b[2K"


def columns(unknown: int) -> int:
    """How wide the terminal of standard error is; `unknown` where it is none, or does not tell."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or unknown
    except (OSError, ValueError):
        return unknown


def commanded(stream: Any) -> bool:
    """Whether a stream is a terminal that takes commands, for colours and a line rewritten."""
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"


class StatusLine:
    """One line on a terminal that is rewritten; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self.live = commanded(sys.stderr) and not quiet

    def show(self, text: str) -> None:
        """Write it over the last one, cut to one line: a second could not be taken back."""
        if self.live:
            line = clean(text.replace("\n", " ").replace("\t", " "))
            sys.stderr.write(f"{_CLEAR}{_cut(line, columns(80) - 1)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Make room for what stays."""
        if self.live:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()


def _cut(line: str, width: int) -> str:
    """As much as fits, for certain: a letter that is not ASCII may be two columns wide."""
    if len(line) + sum(not each.isascii() for each in line) <= width:
        return line
    left = width - len("...")
    for place, letter in enumerate(line):
        left -= 1 if letter.isascii() else 2
        if left < 0:
            return f"{line[:place]}..."
    return line


class Progress:
    """How far the audit of each host is."""

    def __init__(self, *, quiet: bool, total: int) -> None:
        self._line = StatusLine(quiet=quiet)
        self._total = total
        self._states: dict[str, str] = {}
        self._begun = time.monotonic()
        self._done = False
        self._lock = threading.Lock()

    def __call__(self, target: Target, state: str) -> None:
        with self._lock:
            if self._done:
                return
            self._states[target.spec] = state
            answered = sum(state != "connecting" for state in self._states.values())
            many = "" if self._total == 1 else f"{answered} of {self._total} hosts answered; "
            seconds = time.monotonic() - self._begun
            self._line.show(f"{seconds:5.1f} s  {many}{target.spec}: {state}")

    def done(self) -> None:
        """Clear the line."""
        with self._lock:
            self._done = True
            self._line.clear()
