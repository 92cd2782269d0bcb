"""What people read and type: documents whose links lead somewhere, commands that exist."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
import pytest

from sesam_audit.cli import cli
from sesam_audit.requirement import Requirement, catalogue

from .conftest import REPOSITORY
from .reports.formats import remedy

DOCUMENTS = sorted((*REPOSITORY.glob("*.md"), *REPOSITORY.glob("*/*.md")))
SOURCES = sorted(chain(*(REPOSITORY.glob(f"{x}/*.py") for x in ("checks", "sesam_audit/facts"))))
ROOMS = ("benchmarks", "checks", "docs", "reports", "sesam_audit", "tests")
TEXTS = sorted((*REPOSITORY.glob("*.md"), *chain(*(REPOSITORY.glob(f"{x}/**/*") for x in ROOMS))))
CHECKS = catalogue().values()

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ELSEWHERE = re.compile(r"\bNOTES-|\bDESIGN\b|\bREQUIREMENTS\b|\bCLI\.md|\bH\d+\b")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(
    r"(?:^(?: {4}|\t).*?|`|&& |^)((?<![\w-])sesam-audit(?: [^`'#|>&]*)?)(?=$|[`'#|>&])"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = _HEADING.findall(_FENCED.sub("", path.read_text("utf-8")))
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def links(path: Path) -> Iterator[str]:
    """The links of a document that stay in the repository."""
    for link in _LINK.findall(_FENCED.sub("", path.read_text("utf-8"))):
        if "://" not in link and not link.startswith("mailto:"):
            yield link


def commands(text: str) -> Iterator[str]:
    """The `sesam-audit ...` commands that a document shows, in its code."""
    for line in text.splitlines():
        for match in _TYPED.finditer(line):
            yield match[1].strip()


def _recipes(text: str) -> dict[str, list[str]]:
    """The lines of the files that a document shows as diffs; the first category has grown since."""
    shown: dict[str, list[str]] = {}
    name = ""
    for line in chain(*(each.splitlines() for each in _FENCED.findall(text))):
        if line.startswith("+++ b/"):
            name = line.removeprefix("+++ b/")
        elif line.startswith(("+", " ")):
            shown.setdefault(name, []).append(line[1:])
    return {name: lines for name, lines in shown.items() if not name.endswith("stack.py")}


def parse(command: str) -> None:
    """Read a command line as click does, without running anything or opening files.

    Raises:
        click.UsageError: there is no such option or command.
    """
    words = shlex.split(command)[1:]
    name = next((word for word in words if not word.startswith("-")), "")
    if name and name not in cli.commands:
        raise click.UsageError(f"there is no command {name}")
    target = cli.commands[name] if name else cli
    rest = words[words.index(name) + 1 :] if name else words
    target.make_parser(click.Context(target)).parse_args(rest)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    lost = []
    for link in links(path):
        file, _, anchor = link.partition("#")
        goal = path.parent / file if file else path
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            lost.append(link)
    assert not lost


RECIPES = _recipes((REPOSITORY / "CONTRIBUTING.md").read_text("utf-8"))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_shows_what_stands_in_its_file(name: str) -> None:
    standing = (REPOSITORY / name).read_text("utf-8").splitlines()
    assert not set(RECIPES[name]).difference(standing)


def test_nothing_refers_to_papers_that_are_not_here() -> None:
    """Whoever reads the repository has nothing else: a reason stands where it is needed."""
    lost = [
        f"{name_of(path)}:{number} {line.strip()}"
        for path in TEXTS
        if path.suffix in {".md", ".py", ".toml", ".sh"}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if _ELSEWHERE.search(line)
    ]
    assert not lost


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_of_a_document_exists(path: Path) -> None:
    for command in commands(path.read_text("utf-8")):
        parse(command)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_command_that_is_said_exists(path: Path) -> None:
    """In a remedy or beside an Unknown; holes of an f-string stand for words."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [x.value if isinstance(x, ast.Constant) else "X" for x in node.values]
            text = "".join(map(str, parts))
        else:
            text = str(node.value) if isinstance(node, ast.Constant) else ""
        for command in commands(text):
            parse(command)


def test_a_wrong_option_would_be_noticed() -> None:
    (command,) = commands("    sesam-audit run host --frm x  # so it is")

    with pytest.raises(click.NoSuchOption):
        parse(command)


def test_the_documents_show_commands() -> None:
    shown = {each for path in DOCUMENTS for each in commands(path.read_text("utf-8"))}
    assert {"sesam-audit", "sesam-audit list", "sesam-audit probe"} <= shown


@pytest.mark.parametrize("item", CHECKS, ids=lambda item: item.id)
def test_a_title_fits_on_a_line(item: Requirement) -> None:
    assert len(item.title) <= 80


@pytest.mark.parametrize("item", CHECKS, ids=lambda item: item.id)
def test_a_remedy_is_prose_then_lines_to_copy(item: Requirement) -> None:
    """Every indented line, and no other, is shown as something to type."""
    indented = [line[4:] for line in item.remedy.splitlines() if line.startswith("    ")]
    blocks = list(remedy.blocks(item.remedy))

    assert not blocks[0].code
    assert [line for each in blocks if each.code for line in each.text.splitlines()] == indented


@pytest.mark.parametrize("item", CHECKS, ids=lambda item: item.id)
def test_a_command_of_a_remedy_stands_on_its_own_line(item: Requirement) -> None:
    prose = " ".join(each.text for each in remedy.blocks(item.remedy) if not each.code)
    assert not re.search(r"\bsudo \w|\bdocker (compose|network|rm|stop) \w|systemctl \w", prose)
