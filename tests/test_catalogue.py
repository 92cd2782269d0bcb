"""The catalogue as text, JSON and Markdown."""

from __future__ import annotations

import json

import pytest

from sesam_audit.catalogue import as_json, as_markdown, as_text, explanation
from sesam_audit.errors import UsageError
from sesam_audit.requirement import CATEGORIES, catalogue

from .conftest import REPOSITORY


def test_text_has_one_line_for_each_check() -> None:
    lines = as_text().splitlines()
    assert len(lines) == len(catalogue())
    assert [line.split()[:2] for line in lines] == [
        [item.id, item.level.value] for item in catalogue().values()
    ]


def test_json_tells_what_a_program_needs() -> None:
    document = json.loads(as_json())
    first = document["checks"][0]
    assert set(first) >= {"id", "title", "level", "stages", "source", "remedy", "owner", "needs"}
    assert document["requirements"]


def test_markdown_has_a_heading_for_each_category_and_check() -> None:
    lines = as_markdown().splitlines()
    for category in CATEGORIES:
        assert f"## {category}" in lines
    for name in catalogue():
        assert lines.count(f"### {name}") == 1


def test_the_generated_document_is_up_to_date() -> None:
    path = REPOSITORY / "docs" / "requirements.md"
    assert path.read_text("utf-8") == as_markdown(), (
        "sesam-audit list --format md > docs/requirements.md"
    )


@pytest.mark.parametrize("name", catalogue())
def test_every_check_is_explained(name: str) -> None:
    text = explanation(name)
    item = catalogue()[name]
    assert text.startswith(f"{name}\n{item.title}\n")
    assert item.source in text
    assert item.remedy in text


def test_what_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'hardware\.memory'"):
        explanation("hardware.memroy")
