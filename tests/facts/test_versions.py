"""Versions as Docker's programs print them."""

from __future__ import annotations

import pytest

from sesam_audit.facts.versions import major, version


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.44", (1, 44)),
        ("v2.26.1-4", (2, 26, 1)),
        ("2.40.3+ds1-0ubuntu1", (2, 40, 3)),
        ("1.29.2", (1, 29, 2)),
        ("", None),
        ("1.", None),
        ("latest", None),
        ("1.44 or so", None),
    ],
)
def test_versions(text: str, numbers: tuple[int, ...] | None) -> None:
    assert version(text) == numbers
    assert major(text) == (numbers[0] if numbers else 0)
