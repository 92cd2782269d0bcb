"""Whole documents, kept beside this file; SESAM_AUDIT_REGENERATE=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.reports import samples
from tests.reports.formats import FORMATS

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {"text": "txt", "json": "json", "junit": "xml", "html": "html", "csv": "csv"}


def test_every_format_has_a_golden_document() -> None:
    assert set(FORMATS) == set(SUFFIXES)


@pytest.mark.parametrize("name", SUFFIXES)
def test_the_document_is_the_golden_one(name: str) -> None:
    golden = GOLDEN / f"not-ready.{SUFFIXES[name]}"
    rendered = FORMATS[name](samples.not_ready())
    if os.environ.get("SESAM_AUDIT_REGENERATE"):
        golden.write_bytes(rendered.encode())

    assert rendered == golden.read_bytes().decode()
