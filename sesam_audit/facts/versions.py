"""Version numbers as Docker and its programs print them, to be compared."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:[-+~].*)?", re.ASCII)


def version(text: str) -> tuple[int, ...] | None:
    """The numbers of `1.44` or `v2.26.1-4`; None for what is no version, such as nothing."""
    match = _VERSION.fullmatch(text)
    return tuple(map(int, match[1].split("."))) if match else None


def major(text: str) -> int:
    """The first number, 0 for what is no version."""
    return (version(text) or (0,))[0]
