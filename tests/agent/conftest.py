"""A root for the agent, on a real file system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .talking import Agent, agent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bare machine's root, as far as the agent needs one."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the agent's tests need root")
    made = tmp_path / "root"
    for name in ("var/lib", "srv", "etc"):
        (made / name).mkdir(parents=True, mode=0o755)
    return made


@pytest.fixture
def talk(root: Path) -> Iterator[Agent]:
    """A conversation with an agent on that root."""
    with agent(str(root)) as started:
        yield started
