"""The catalogue as text, JSON and Markdown."""

from __future__ import annotations

import json

import pytest

from sesam_audit.catalogue import as_json, as_markdown, as_text, explanation
from sesam_audit.errors import UsageError
from sesam_audit.reasons import off_when
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


@pytest.mark.parametrize("name", catalogue())
def test_an_option_that_switches_a_check_off_is_named(name: str) -> None:
    assert bool(off_when(catalogue()[name])) is (catalogue()[name].when is not None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("layout.data-mount", "data = rootdisk: there is no data disk"),
        ("layout.certificates", "certificates = letsencrypt (as shipped): Traefik gets them"),
        ("inbound.caa", "certificates = provided or self-signed: Let's Encrypt issues none"),
        ("docker.proxy", "proxy is not set (as shipped)"),
        ("outbound.extra", "extra_destinations is not set (as shipped)"),
        ("outbound.sesam-ips", "sesam_destinations = domains (as shipped)"),
        ("stack.redirect", "redirect = false"),
    ],
)
def test_when_a_check_is_off_is_explained(name: str, said: str) -> None:
    assert f"Off when:  {said}" in explanation(name)
    assert off_when(catalogue()[name]) in as_markdown().replace("\\*", "*")


def test_why_a_check_is_there_is_explained() -> None:
    rule = "clients cannot use the sesam node API (guide, if it is closed)"
    assert f"Why:       {rule}" in explanation("inbound.https")
    assert "Why:       a full disk stops the node" in explanation("hardware.data-free")
    assert "Blocks:    os.rebuild, os.support" in explanation("os.release")
    assert "Who acts:  you; `apply` mends it" in explanation("layout.networks")


def test_what_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'hardware\.memory'"):
        explanation("hardware.memroy")
