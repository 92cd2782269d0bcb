"""Where a report goes: standard output, files, a directory; tested before a host is touched."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sesam_audit.errors import AuditError, UsageError
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
        if wanted & {"html"}:
            import_module("sesam_audit.reports.html").template()
        if wanted & {"junit"}:
            import_module("junit_xml")
        import_module("sesam_audit.reports")
        if "text" in wanted or not self.quiet:
            import_module("sesam_audit.reports.text")

    def write(self, report: Report, save: Callable[[], None] | None = None) -> None:
        """Write every wanted format, and `save` the evidence; no fault costs the others anything.

        Raises:
            AuditError: a file could not be written after all; the verdict was still shown.
        """
        renderers: dict[str, Callable[[Report], str]] = import_module("sesam_audit.reports").FORMATS
        files = [*self.files, *self._named(report)]
        writings = [_Writing(path, renderers[name](report)) for name, path in files]
        troubles = [trouble for each in writings if (trouble := each.outcome())]
        if save:
            try:
                save()
            except AuditError as error:
                troubles.append(error.what)
        self._show(report, renderers)
        if troubles:
            raise AuditError(
                f"The audit is done ({report.verdict.value}), but not every file was written: "
                + "; ".join(troubles),
                "Mend the path and run it again",
            )

    def _show(self, report: Report, renderers: Mapping[str, Callable[[Report], str]]) -> None:
        """Standard output comes after the files: whoever reads it may leave early."""
        if self.stdout == "text":
            sys.stdout.write(self._text(report, sys.stdout))
        elif self.stdout:
            sys.stdout.write(renderers[self.stdout](report))
        sys.stdout.flush()
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
        color = self.color and stream.isatty()
        return render(report, color=color, width=self.width(stream), verbose=self.verbose)

    def width(self, stream: Any = sys.stderr) -> int:
        """How many columns a text may have."""
        return min(_columns(), 100) if stream.isatty() else 100


class _Writing(threading.Thread):
    """A file on its way to the disk, while the next format is rendered."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(daemon=True)
        self._path, self._text = path, text
        self._fault: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            write(self._path, self._text)
        except Exception as fault:  # noqa: BLE001 - it is raised where it is waited for
            self._fault = fault

    def outcome(self) -> str:
        """Wait for it; why the file could not be written, if it could not."""
        self.join()
        if isinstance(self._fault, AuditError):
            return self._fault.what
        if self._fault:
            raise self._fault
        return ""


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return 100


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
