"""A report over a fleet is written in seconds."""

from __future__ import annotations

import time

import pytest

from sesam_audit.model import Report
from tests.reports import samples
from tests.reports.formats import FORMATS


@pytest.fixture(scope="module")
def fleet() -> Report:
    return samples.many()


@pytest.mark.parametrize("name", FORMATS)
def test_sixteen_thousand_findings(name: str, fleet: Report) -> None:
    started = time.process_time()
    FORMATS[name](fleet)

    assert time.process_time() - started < 20
