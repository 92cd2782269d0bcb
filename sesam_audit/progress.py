"""What is going on, on standard error, for the person who waits."""

from __future__ import annotations

import sys
import threading
import time

from sesam_audit.cleaning import clean
from sesam_audit.host import Target


class Progress:
    """One line on a terminal, rewritten; nothing elsewhere."""

    def __init__(self, *, quiet: bool, total: int) -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._total = total
        self._states: dict[str, str] = {}
        self._begun = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, target: Target, state: str) -> None:
        if not self._shown:
            return
        with self._lock:
            self._states[target.spec] = state
            answered = sum(state != "connecting" for state in self._states.values())
            words = (
                f"{clean(target.spec)}: {state}"
                if self._total == 1
                else f"{answered} of {self._total} hosts answered; {clean(target.spec)}: {state}"
            )
            line = f"{time.monotonic() - self._begun:5.1f} s  {words}"
            sys.stderr.write(f"\r\x1b[2K{line[:120]}")
            sys.stderr.flush()

    def done(self) -> None:
        """Clear the line."""
        if self._shown:
            with self._lock:
                self._shown = False
                sys.stderr.write("\r\x1b[2K")
                sys.stderr.flush()
