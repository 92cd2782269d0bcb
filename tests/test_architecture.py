"""The rooms of the house and the doors between them, read from the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from .conftest import REPOSITORY, plain_environment

ENGINE = sorted((REPOSITORY / "sesam_audit").glob("*.py"))
FACTS = sorted((REPOSITORY / "sesam_audit" / "facts").glob("*.py"))
CHECKS = sorted((REPOSITORY / "checks").glob("*.py"))
REPORTS = sorted((REPOSITORY / "reports").glob("*.py"))
AGENT = sorted((REPOSITORY / "sesam_audit" / "agent").glob("*.py"))
PROBE = sorted((REPOSITORY / "sesam_audit" / "probe").glob("*.py"))
EVERYTHING = [*ENGINE, *AGENT, *PROBE, *FACTS, *CHECKS, *REPORTS]
ALONE = {"probe_sh", "probe_sh_awk"}  # sent to targets, read by security teams


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def imports(path: Path, *, inside_functions: bool, for_types: bool = False) -> Iterator[str]:
    """What a module imports, as full names; `for_types`: what type checkers alone need as well."""

    def skipped(node: ast.AST) -> bool:
        if isinstance(node, ast.If):
            return "TYPE_CHECKING" in ast.unparse(node.test) and not for_types
        return isinstance(node, (ast.FunctionDef, ast.Lambda)) and not inside_functions

    def visit(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    base = f"{package}.{base}".rstrip(".")
                yield base
                yield from (f"{base}.{alias.name}" for alias in child.names)
            elif not skipped(child):
                yield from visit(child)

    package = ".".join(path.relative_to(REPOSITORY).parent.parts)
    package = f"sesam_audit.{package}" if path in {*CHECKS, *REPORTS} else package
    yield from visit(ast.parse(path.read_text("utf-8")))


def tops(path: Path, *, inside_functions: bool = False) -> set[str]:
    return {name.partition(".")[0] for name in imports(path, inside_functions=inside_functions)}


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_only_one_module_reaches_hosts(path: Path) -> None:
    names = tops(path, inside_functions=True)
    assert ("testinfra" in names) is (path in ENGINE and path.name == "host.py")


@pytest.mark.parametrize("path", [*ENGINE, *FACTS], ids=name_of)
def test_the_engine_names_no_check_and_no_format(path: Path) -> None:
    for name in imports(path, inside_functions=True):
        assert not name.startswith(("sesam_audit.checks", "sesam_audit.reports"))
        assert name.partition(".")[0] not in {"checks", "reports"}


@pytest.mark.parametrize("path", [*CHECKS, *FACTS], ids=name_of)
def test_checks_and_facts_are_pure(path: Path) -> None:
    effects = {"subprocess", "socket", "os", "shutil", "urllib3", "asyncio", "threading"}
    if path.name != "os_release.py":  # distro reads a directory, which is made for it
        effects |= {"pathlib", "tempfile"}
    assert not tops(path, inside_functions=True) & (effects | {"pytest", "requests", "rich"})


@pytest.mark.parametrize("path", [*CHECKS, *FACTS], ids=name_of)
def test_checks_and_facts_import_heavy_things_only_where_they_are_used(path: Path) -> None:
    assert not tops(path) & {"cryptography", "distro", "jinja2"}


@pytest.mark.parametrize("path", CHECKS, ids=name_of)
def test_checks_know_facts_and_the_words_of_a_requirement_only(path: Path) -> None:
    allowed = {
        "asks",
        "checks",
        "destinations",
        "errors",
        "facts",
        "judge",
        "level",
        "model",
        "profile",
        "quantity",
        "requirement",
        "rules",
        "wanted",
    }
    for name in imports(path, inside_functions=True):
        if name.startswith("sesam_audit."):
            assert name.split(".")[1] in allowed, name


@pytest.mark.parametrize("path", [*AGENT, *PROBE], ids=name_of)
def test_what_is_sent_needs_nothing_but_python(path: Path) -> None:
    """It runs where nothing else of this project is; its own modules it names relatively."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1
        elif isinstance(node, ast.ImportFrom):
            assert str(node.module).partition(".")[0] in sys.stdlib_module_names - {"__future__"}
        elif isinstance(node, ast.Import):
            names = {each.name.partition(".")[0] for each in node.names}
            assert names <= {*sys.stdlib_module_names}


@pytest.mark.parametrize("path", REPORTS, ids=name_of)
def test_reports_know_the_model_only(path: Path) -> None:
    allowed = {"cleaning", "errors", "level", "model", "reports", "writing", "__version__"}
    for name in imports(path, inside_functions=True):
        if name.startswith("sesam_audit."):
            assert name.split(".")[1] in allowed, name


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path
        for path in [*ENGINE, *AGENT, *PROBE, *FACTS]
    }
    graph = {
        name: known.keys() & {*imports(path, inside_functions=True, for_types=True)}
        for name, path in known.items()
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_every_module_says_in_its_first_line_why_it_exists(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert said
    assert len(said.splitlines()[0]) > 20


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_modules_stay_readable(path: Path) -> None:
    text = path.read_text("utf-8")
    # A category is one file, and its remedies are long: prose does not count against it.
    prose = sum(map(_prose, ast.walk(ast.parse(text)))) if path.parent.name == "checks" else 0
    lines = len(text.splitlines()) - prose
    limit = 650 if path.name == "asks.py" else 320
    assert path.stem in ALONE or lines <= limit


def _prose(node: ast.AST) -> int:
    said = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
    return len(said.splitlines()) if said else 0


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_no_room_is_a_lumber_room(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "common", "base", "manager", "misc"}


@pytest.mark.parametrize("path", [*ENGINE, *FACTS, *CHECKS], ids=name_of)
def test_one_module_says_what_is_lacking(path: Path) -> None:
    """So that each of these reasons carries its kind, and no program reads it out of the words."""
    if path.stem in {"errors", *ALONE}:
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.startswith(("needs root", "needs a vantage")), node.lineno


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_nothing_prints(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "eval", "breakpoint", "input"}, node.lineno


_PROGRAMS = (
    *("sudo", "ls", "cat", "df", "dig", "curl", "getent", "findmnt", "lsblk", "namei", "docker"),
    *("systemctl", "openssl", "ip", "ss", "stat", "grep", "id"),
)
_SAFE = ("port", "there", "client.tells")  # a number, quoted above, a constant
_TO_PASTE = re.compile(rf"(?:{'|'.join(_PROGRAMS)}) (?:[-./\w]+ )*[^ ]*$")


@pytest.mark.parametrize("path", [*FACTS, *CHECKS, REPOSITORY / "sesam_audit/asks.py"], ids=name_of)
def test_what_a_command_to_paste_takes_from_a_host_is_quoted(path: Path) -> None:
    """Constants and numbers aside, whatever stands in an f-string that begins with a program."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.JoinedStr) or not isinstance(node.values[0], ast.Constant):
            continue
        if not _TO_PASTE.match(str(node.values[0].value)):
            continue
        taken = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        bare = [
            said
            for said in map(ast.unparse, taken)
            if not said.startswith("quote(") and not said.isupper() and said not in _SAFE
        ]
        assert not bare, (node.lineno, bare)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("sesam_audit.cli", {"pytest", "testinfra", "msgspec", "rich", "jinja2", "requests"}),
        ("sesam_audit.starting", {"pytest", "testinfra", "msgspec", "rich", "jinja2"}),
        ("sesam_audit.requirement", {"pytest", "testinfra", "rich", "click"}),
        ("sesam_audit.testing", {"pytest", "testinfra", "rich", "click"}),
    ],
)
def test_what_comes_first_imports_nothing_heavy(module: str, heavy: set[str]) -> None:
    text = f"import sys, {module}\nprint(sorted(set({sorted(heavy)!r}) & set(sys.modules)))"
    done = subprocess.run(
        (sys.executable, "-c", text),
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        env=plain_environment(),
    )
    assert done.stdout == "[]\n"


def test_the_catalogue_of_checks_imports_nothing_heavy() -> None:
    text = (
        "import sys\nfrom sesam_audit.requirement import catalogue\ncatalogue()\n"
        "heavy = {'pytest', 'testinfra', 'rich', 'cryptography', 'distro', 'requests'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        (sys.executable, "-c", text),
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        env=plain_environment(),
    )
    assert done.stdout == "[]\n"
