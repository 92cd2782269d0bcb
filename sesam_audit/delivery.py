"""Where a report goes: standard output, files, a directory; tested before a host is touched."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sesam_audit.errors import AuditError, FaultError, UsageError
from sesam_audit.progress import columns, commanded
from sesam_audit.writing import check_writable, write

if TYPE_CHECKING:
    from sesam_audit.model import Report

FORMATS = {"text": "txt", "json": "json", "junit": "xml", "html": "html", "csv": "csv"}
"""The names that --report and --format take, each with its file's suffix."""


@dataclass(frozen=True)
class Delivery:
    """The wanted formats and their places; `stdout` is the one format of standard output."""

    files: tuple[tuple[str, Path], ...]
    directory: Path | None
    stdout: str | None
    quiet: bool
    verbose: bool
    color: bool

    @classmethod
    def of(cls, options: Mapping[str, Any], extra: Sequence[Path] = ()) -> Delivery:
        """Read the options.

        Raises:
            UsageError: unknown format, or a path that cannot be written.
        """
        files = []
        stdout = options["stdout_format"]
        _known(stdout)
        for wish in options["reports"]:
            name, equals, path = wish.partition("=")
            _known(name)
            if not equals or not path:
                raise UsageError(f"--report {wish!r} names no file", "Write --report html=PATH")
            if path == "-":
                if stdout not in (None, name):
                    raise UsageError("Standard output can take one format only")
                stdout = name
            else:
                files.append((name, Path(path)))
        for path in [*(path for _, path in files), *extra]:
            check_writable(path)
        directory = options["report_dir"]
        if directory is not None:
            make_directory(directory)
        default = "text" if sys.stdout.isatty() else "json"
        color = not options["no_color"] and not os.environ.get("NO_COLOR")
        return cls(
            files=tuple(files),
            directory=directory,
            stdout=stdout or default,
            quiet=options["quiet"],
            verbose=options["verbose"],
            color=color,
        )

    def load(self) -> None:
        """Import what rendering needs, while the hosts answer."""
        wanted = {name for name, _ in self.files} | {self.stdout}
        if self.directory is not None:
            wanted |= set(FORMATS)
        if "html" in wanted:
            import_module("sesam_audit.reports.html").template()
        if "junit" in wanted:
            import_module("junit_xml")
        import_module("sesam_audit.reports")
        if "text" in wanted or not self.quiet:
            import_module("sesam_audit.reports.text")

    def write(self, report: Report, save: Callable[[], None] | None = None) -> None:
        """Write every wanted format, and `save` the evidence; no fault costs the others anything.

        Raises:
            AuditError: something was not written after all; the rest was, and the verdict shown.
        """
        renderers: dict[str, Callable[[Report], str]] = import_module("sesam_audit.reports").FORMATS
        writings: list[_Writing] = []
        try:
            for name, path in (*self.files, *self._named(report)):
                writings.append(_Writing(path, partial(renderers[name], report)))
        finally:
            faults = [each.outcome() for each in writings]
        # Standard output comes after the files: whoever reads it may leave early.
        faults += [
            save and _fault("the evidence", save),
            _fault("standard output", partial(self._put_out, report, renderers)),
            _fault("standard error", partial(self._sum_up, report)),
        ]
        if told := list(filter(None, faults)):
            _raise(report, told)

    def _put_out(self, report: Report, renderers: Mapping[str, Callable[[Report], str]]) -> None:
        if self.stdout == "text":
            sys.stdout.write(self._text(report, sys.stdout))
        elif self.stdout:
            sys.stdout.write(renderers[self.stdout](report))
        sys.stdout.flush()

    def _sum_up(self, report: Report) -> None:
        """The verdict for whoever started it, where standard output is for programs."""
        if self.stdout != "text" and not self.quiet:
            sys.stderr.write(self._text(report, sys.stderr))

    def _named(self, report: Report) -> list[tuple[str, Path]]:
        if self.directory is None:
            return []
        hosts = report.hosts[0].host if len(report.hosts) == 1 else f"{len(report.hosts)}-hosts"
        stem = re.sub(r"[^A-Za-z0-9.]+", "-", f"{hosts[:150]}-{report.started}").strip("-")
        return [(name, self.directory / f"{stem}.{end}") for name, end in FORMATS.items()]

    def _text(self, report: Report, stream: Any) -> str:
        render: Callable[..., str] = import_module("sesam_audit.reports.text").render
        color = self.color and commanded(stream)
        return render(report, color=color, width=self.width(stream), verbose=self.verbose)

    def width(self, stream: Any = sys.stderr) -> int:
        """How many columns a text may have."""
        return min(columns(100), 100) if stream.isatty() else 100


class _Writing:
    """A file that is rendered at once, and on its way to the disk while the next one is."""

    def __init__(self, path: Path, render: Callable[[], str]) -> None:
        self._path, self._render = path, render
        self._thread: threading.Thread | None = None
        self._unwritten: Exception | None = None
        self._unrendered = _fault(path, self._begin)

    def _begin(self) -> None:
        thread = threading.Thread(target=self._end, args=(self._render(),), daemon=True)
        thread.start()
        self._thread = thread

    def _end(self, text: str) -> None:
        self._unwritten = _fault(self._path, partial(write, self._path, text))

    def outcome(self) -> Exception | None:
        """Wait for it; why the file could not be written, if it could not."""
        if self._thread:
            self._thread.join()
        return self._unrendered or self._unwritten


def _fault(what: object, put: Callable[[], None]) -> Exception | None:
    """What kept something from being written, as it is told."""
    try:
        put()
    except (AuditError, BrokenPipeError) as error:
        return error
    except Exception as error:  # noqa: BLE001 - one format's fault must not cost the others
        fault = FaultError(f"{what}: {type(error).__name__}: {error}")
        fault.__cause__ = error
        return fault
    return None


def _raise(report: Report, faults: Sequence[Exception]) -> NoReturn:
    """All that was not written, in one exception; a reader that has left is the least of it."""
    told = [each for each in faults if isinstance(each, AuditError)]
    if not told:
        raise AuditError(
            f"The audit is done ({report.verdict.value}), but who read it has left before its end"
        ) from faults[0]
    words = "; ".join(each.what for each in told)
    remedies = dict.fromkeys(each.remedy or "Mend the path and run it again" for each in told)
    ours = next((each for each in told if isinstance(each, FaultError)), None)
    raise (FaultError if ours else AuditError)(
        f"The audit is done ({report.verdict.value}), but not everything was written: {words}",
        ". ".join(remedies),
    ) from ours


def _known(name: str | None) -> None:
    if name is not None and name not in FORMATS:
        from difflib import get_close_matches

        close = get_close_matches(name, FORMATS, n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(FORMATS)}"
        raise UsageError(f"There is no report format {name!r}", remedy)


def make_directory(directory: Path) -> None:
    """Make a directory for reports or evidence, and prove that it can be written.

    Raises:
        UsageError: it cannot.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The directory {directory} cannot be made: {error.strerror}") from error
    check_writable(directory / ".sesam-audit")
