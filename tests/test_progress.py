"""The line that is rewritten: it fits the terminal it is on, or could not be rewritten."""

from __future__ import annotations

import contextlib
import io
import os
import unicodedata
from collections.abc import Iterator

import pytest

from sesam_audit.host import parse
from sesam_audit.progress import Progress, StatusLine

CLEAR = "\r\x1b[2K"


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2


@pytest.fixture(params=[20, 60, 200])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    columns: int = request.param
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    return columns


@contextlib.contextmanager
def terminal() -> Iterator[Terminal]:
    with contextlib.redirect_stderr(Terminal()) as made:
        yield made


def taken(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


@pytest.mark.parametrize(
    "text", ["short", "long " * 50, "漢字" * 80, "ø" * 80, "two\nlines", "a\tb" * 20, "\x1b[2J" * 9]
)
def test_a_line_never_wraps(width: int, text: str) -> None:
    with terminal() as told:
        StatusLine(quiet=False).show(text)

    shown = told.getvalue().removeprefix(CLEAR)
    assert shown
    assert taken(shown) < width
    assert not set(shown) & set("\n\t\x1b")


def test_what_fits_is_shown_whole(width: int) -> None:
    with terminal() as told:
        StatusLine(quiet=False).show("a" * (width - 1))

    assert told.getvalue() == f"{CLEAR}{'a' * (width - 1)}"


def test_the_progress_of_an_audit_fits(width: int) -> None:
    with terminal() as told:
        progress = Progress(quiet=False, total=2)
        progress(parse(f"ssh://me@{'a' * 200}"), "connecting")
        shown = told.getvalue()
        progress.done()
        progress(parse("ssh://late"), "round 1 answered")

    assert 0 < taken(shown.removeprefix(CLEAR)) < width
    assert told.getvalue() == shown + CLEAR


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["quiet", "no terminal"])
def test_nothing_is_shown_where_nobody_looks(stream: io.StringIO) -> None:
    with contextlib.redirect_stderr(stream):
        line = StatusLine(quiet=stream.isatty())
        line.show("a")
        line.clear()

    assert stream.getvalue() == ""


def test_a_terminal_that_takes_no_commands_is_given_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal() as shown:
        StatusLine(quiet=False).show("on its way")
    assert shown.getvalue() == ""
