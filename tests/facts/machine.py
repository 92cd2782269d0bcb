"""A made-up machine: it answers what it was told to, and everything else is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sesam_audit.asks import Answer, Ask, File, FileAnswer, Files, FilesAnswer
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Evidence
from sesam_audit.inquiry import MAX_ROUNDS, Inquiry
from sesam_audit.profile import Profile

T = TypeVar("T")


def files(texts: Mapping[str, str]) -> dict[Ask[Any], Answer | Unknown]:
    """Answers to `File` for these paths."""
    return {File(path): FileAnswer(text=text) for path, text in texts.items()}


def matches(texts: Mapping[str, Mapping[str, str]]) -> dict[Ask[Any], Answer | Unknown]:
    """Answers to `Files` for these patterns."""
    return {Files(pattern): FilesAnswer(files=dict(found)) for pattern, found in texts.items()}


def find(
    kind: type[T],
    answers: Mapping[Ask[Any], Answer | Unknown],
    profile: Profile | None = None,
    rounds: int = MAX_ROUNDS,
) -> T:
    """The fact on such a machine, found in the rounds that a collection has.

    Raises:
        Unknown: the fact cannot be told.
    """
    inquiry = Inquiry((kind,), profile or Profile())
    for _ in range(rounds):
        asked = inquiry.pending
        inquiry.feed({ask: answers.get(ask, ask.answer(error="ENOENT")) for ask in asked})
    found = inquiry.finish(Evidence("x"), "too many rounds")[kind]
    if isinstance(found, Unknown):
        raise found
    return found  # type: ignore[no-any-return]
