"""The standard streams: one that is closed or full costs a sentence, never a report or its code."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

from sesam_audit.errors import AuditError


class _Output(io.FileIO):
    """Standard output; that its reader has left stays what it is, for it is no fault of a place."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"Standard output was not written: {error.strerror}"
            raise AuditError(what, "Make room there, or send it elsewhere") from error


def prepare() -> None:
    """Make them fit for whatever is said: LC_ALL=C must not cost a report either."""
    out: Any = sys.stdout
    if out is not None:
        out.flush()
        raw = io.BufferedWriter(_Output(out.fileno(), "wb", closefd=False))
        how = {"line_buffering": out.line_buffering, "write_through": out.write_through}
        sys.stdout = io.TextIOWrapper(raw, out.encoding, "backslashreplace", **how)
    if sys.stderr is not None:
        sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed; the next file would get its number
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
