"""Checks on three words: `good` passes, another word fails, no file is unknown.

`the end` makes the probe fall in the second round.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from sesam_audit.asks import File, Run, Steps
from sesam_audit.errors import Unknown
from sesam_audit.profile import Profile
from sesam_audit.requirement import MUST, SHOULD, Found, requirement

ROOT = Path(os.environ["SMALL_WORLD"])
W = TypeVar("W", bound="Word")


@dataclass(frozen=True)
class Word:
    """What one file says, as the probe read it."""

    name: ClassVar[str]
    text: str

    @classmethod
    def ask(cls: type[W], _profile: Profile) -> Steps[W]:
        path = str(ROOT / cls.name)
        text = (yield from File(path)).read(path)
        if text is None:
            raise Unknown(f"there is no {cls.name}", f"ls {path}")
        if text == "the end":
            yield from Run(("sh", "-c", "kill -9 $PPID"))
        return cls(text.strip())


class First(Word):
    name = "first"


class Second(Word):
    name = "second"


class Advice(Word):
    name = "advice"


@requirement(source="Small world", level=MUST)
def check_first(word: First, found: Found) -> None:
    """The first word is good.

    Write good into it.
    """
    assert found(word.text, required="good") == "good"


@requirement(source="Small world", level=MUST)
def check_second(word: Second) -> None:
    """The second word is good."""
    sys.stdout.write("printed by a check\n")
    (ROOT / "judged").touch()
    assert word.text == "good", f"it says {word.text}"


@requirement(source="Small world", level=SHOULD)
def check_advice(word: Advice) -> None:
    """The advice is good."""
    assert word.text == "good"
