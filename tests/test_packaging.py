"""What is built holds what it needs, and leaks nothing beside it."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import REPOSITORY, plain_environment

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HOMES = {"sesam_audit.checks": "checks", "sesam_audit.reports": "reports"}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
SOURCES = [
    path
    for top in ("sesam_audit", "checks", "reports")
    for path in (REPOSITORY / top).rglob("*.py")
]


def folders() -> set[str]:
    """Every folder with an __init__.py, as the package it is to be."""
    found = set()
    for top in ("sesam_audit", "checks", "reports"):
        for init in (REPOSITORY / top).rglob("__init__.py"):
            name = ".".join(init.parent.relative_to(REPOSITORY).parts)
            found.add(name if top == "sesam_audit" else f"sesam_audit.{name}")
    return found


def test_the_list_of_packages_is_the_folders() -> None:
    assert set(SETUPTOOLS["packages"]) == folders()


def test_every_folder_with_code_is_a_package() -> None:
    for top in ("sesam_audit", "checks", "reports"):
        for module in (REPOSITORY / top).rglob("*.py"):
            assert (module.parent / "__init__.py").exists(), module


def test_checks_and_reports_are_installed_below_the_engine() -> None:
    assert SETUPTOOLS["package-dir"] == HOMES


def test_the_lowest_python_is_the_one_that_is_checked_against() -> None:
    assert PROJECT["project"]["requires-python"] == ">=3.10"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py310"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy so that nothing is left beside the sources."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("sesam_audit", "checks", "reports"):
        shutil.copytree(
            REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, copy)
    out = tmp_path_factory.mktemp("wheel")
    command = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(copy))
    done = subprocess.run(
        (sys.executable, "-W", "ignore", *command),
        check=False,
        capture_output=True,
        text=True,
        env=plain_environment(PIP_DISABLE_PIP_VERSION_CHECK="1"),
    )
    if done.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no wheel: {done.stderr}")
    (built,) = out.iterdir()
    return zipfile.ZipFile(built)


@pytest.mark.parametrize(
    "name",
    [
        "sesam_audit/probe/main.py",
        "sesam_audit/probe_sh.py",
        "sesam_audit/agent/main.py",
        "sesam_audit/py.typed",
        "sesam_audit/facts/__init__.py",
        "sesam_audit/checks/hardware.py",
        "sesam_audit/reports/html.jinja",
        "sesam_audit/reports/html.css",
        "sesam_audit/reports/report.schema.json",
    ],
)
def test_the_wheel_holds_what_runs(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_every_file_of_the_packages_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    for top, home in (
        ("sesam_audit", "sesam_audit"),
        ("checks", "sesam_audit/checks"),
        ("reports", "sesam_audit/reports"),
    ):
        for path in (REPOSITORY / top).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = f"{home}/{path.relative_to(REPOSITORY / top)}"
                assert inside in held, inside


def test_nothing_leaks_at_the_top_level(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert len(tops) == 2
    assert "sesam_audit" in tops
    assert any(top.endswith(".dist-info") for top in tops)


def test_the_wheel_brings_the_command(wheel: zipfile.ZipFile) -> None:
    (entry,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "sesam-audit = sesam_audit.cli:main" in wheel.read(entry).decode()


def test_the_wheel_runs_away_from_the_sources(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    done = subprocess.run(
        (sys.executable, "-c", "import sesam_audit.cli as c; print(c.__file__); c.main()", "list"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=plain_environment(PYTHONPATH=str(tmp_path)),
    )
    first, *rest = done.stdout.splitlines()
    assert first == str(tmp_path / "sesam_audit" / "cli.py")
    assert len(rest) > 10


NAMES = {"yaml": "pyyaml", "testinfra": "pytest-testinfra", "junit_xml": "junit-xml"}


@pytest.mark.parametrize("path", sorted(SOURCES), ids=lambda path: path.name)
def test_what_is_imported_is_declared(path: Path) -> None:
    """A clean virtual environment holds nothing that only a test or a linter brought along."""
    declared = {re.split(r"[><=; ]", each)[0] for each in PROJECT["project"]["dependencies"]}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in (each.partition(".")[0] for each in names):
            if name not in sys.stdlib_module_names | {"sesam_audit", "tomllib", "tomli"}:
                assert NAMES.get(name, name) in declared | {"pluggy", "markupsafe"}, name
