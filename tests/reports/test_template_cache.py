"""The compiled template is kept where its user alone can write, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import plain_environment

PROGRAM = "from sesam_audit.reports import html; html.template()"


def compiled(caches: Path) -> list[str]:
    environment = {
        **plain_environment(),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(caches),
    }
    subprocess.run((sys.executable, "-c", PROGRAM), cwd="/", env=environment, check=True)
    return [path.name for path in caches.glob("sesam-audit/*")]


def test_it_is_kept_for_its_user_where_python_keeps_no_bytecode(tmp_path: Path) -> None:
    kept = compiled(tmp_path)

    assert len(kept) == 1
    assert (tmp_path / "sesam-audit").stat().st_mode & 0o777 == 0o700
    assert compiled(tmp_path) == kept


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_place_where_others_may_write_is_not_trusted(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "sesam-audit"
    place.mkdir()
    place.chmod(mode)

    assert compiled(tmp_path) == []


def test_a_cache_that_cannot_be_made_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "sesam-audit").write_text("a file in the way")

    assert compiled(tmp_path) == []
