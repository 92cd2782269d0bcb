"""What a remedy says: sentences to read, and lines to type exactly as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from msgspec import Struct

_INDENTED = re.compile(r"Run: |\$ |\t| {2,4}")
_COMMAND = re.compile(
    r"(?:sudo|docker|cd|echo|export|curl|apt|dnf|systemctl|sesam-audit) "
    r"(?!.*(?:\. |\.$| \(|:(?: |$)))"  # a sentence that begins with a command is not one
)
_LABEL = re.compile(r"[-*] |\d+[.)] |[A-Z\"][\w\" -]*: ")
_FULL = 86  # a line this long was broken by the margin, a shorter one by its author


class Block(Struct, frozen=True):
    """A paragraph, or lines to type."""

    text: str
    code: bool = False


def blocks(text: str) -> Iterator[Block]:
    """The paragraphs and commands of a remedy.

    A command is indented, follows `Run:`, or is a line of its own. A line that had room for the
    next word ends its paragraph.
    """
    for code, found in groupby(_lines(text), key=lambda block: block.code):
        if code:
            yield Block("\n".join(block.text for block in found), code=True)
        else:
            yield from found


def _lines(text: str) -> Iterator[Block]:
    prose: list[str] = []
    last = ""
    for line in [*text.splitlines(), ""]:
        typed = _INDENTED.match(line) or _COMMAND.match(line)
        if prose and (typed or not _goes_on(last, line)):
            yield Block(" ".join(prose))
            prose = []
        if typed:
            yield Block(_INDENTED.sub("", line, count=1).rstrip(), code=True)
        elif line.strip():
            prose.append(line.strip())
        last = line


def _goes_on(last: str, line: str) -> bool:
    """Whether a line is the rest of the one before, which had no room for its first word."""
    if not line.strip() or _LABEL.match(line) or last.endswith((".", ":", " then")):
        return False
    return len(last) + 1 + len(line.split(maxsplit=1)[0]) > _FULL
