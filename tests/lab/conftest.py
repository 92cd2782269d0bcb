"""The lab and its perfect host as fixtures; without root or packages the tests are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import LabHost
from .lab import Lab, hindrance
from .staging import Scenes

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("lab")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if reason := hindrance():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    lab = Lab()
    lab.start()
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def perfect(lab: Lab) -> LabHost:
    return lab.host("perfect")


@pytest.fixture(scope="module")
def scenes(lab: Lab, perfect: LabHost) -> Iterator[Scenes]:
    scenes = Scenes(lab, perfect)
    yield scenes
    scenes.close()
