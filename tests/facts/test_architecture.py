"""Architecture: told by the program loader, else by the kernel."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, Self, SelfAnswer, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.architecture import Architecture

from .machine import find

INTEL, ARM = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"


@pytest.mark.parametrize(
    ("loaders", "kernel", "machine"),
    [
        ((INTEL,), "x86_64", "x86_64"),
        ((ARM,), "aarch64", "aarch64"),
        ((ARM,), "x86_64", "aarch64"),  # an image, judged on another machine
        ((INTEL,), "arm64", "x86_64"),
        ((INTEL, ARM), "aarch64", "aarch64"),  # libraries of both
        ((), "x86_64", "x86_64"),
    ],
)
def test_the_loader_tells(loaders: tuple[str, ...], kernel: str, machine: str) -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {Self(): SelfAnswer(machine=kernel)}
    answers.update({Stat(path): StatAnswer(kind="link") for path in loaders})

    assert find(Architecture, answers).machine == machine


def test_nothing_told_is_unknown() -> None:
    with pytest.raises(Unknown, match="did not tell"):
        find(Architecture, {Self(): SelfAnswer()})
