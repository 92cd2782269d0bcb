"""Tie a check to what the guide demands: `@requirement` and the catalogue of all checks."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from typing import Any

from msgspec import Struct

from sesam_audit.errors import UsageError
from sesam_audit.level import Level, Stage
from sesam_audit.model import Owner, Quantity
from sesam_audit.profile import Profile

MUST, SHOULD = Level.MUST, Level.SHOULD
IMAGE, PREFLIGHT, LIVE = Stage.IMAGE, Stage.PREFLIGHT, Stage.LIVE

CATEGORIES = ("hardware", "os", "docker", "inbound", "outbound", "license", "layout", "stack")
_MODULES = {"os": "operating_system"}  # a module called like a standard one invites accidents

Check = Callable[..., None]


class Subject(str):
    """Which endpoint or path a finding is about, for checks that have several."""

    __slots__ = ()


class Found:
    """Records what was measured and what was required, on a pass too, and words the message."""

    def __init__(self) -> None:
        self.measured: Quantity | None = None
        self.required: Quantity | None = None
        self.notes: list[str] = []
        self.vantage = ""
        self._words = ""

    def __call__(self, value: Any, *, required: Any = None, unit: str = "", words: str = "") -> Any:
        """Record and return `value`, so that it can stand inside the assertion.

        `words` say it in the message: "{} free" where a bare number would not tell what it counts.
        """
        self.measured = Quantity.of(value, unit)
        self.required = None if required is None else Quantity.of(required, unit)
        self._words = words
        return value

    def note(self, text: str) -> None:
        """Add a sentence that stands beside the verdict, whatever it is."""
        self.notes.append(text)

    @property
    def message(self) -> str:
        """What was found and what is required, as a sentence without a full stop."""
        if self.measured is None:
            return ""
        counted = isinstance(self.measured.value, (int, float))
        words = self._words or ("{} found" if counted else "{}")
        found = words.replace("{}", self.measured.text)
        demand = self.required.text if self.required else ""
        if counted:
            return f"{found}, {demand} required" if demand else found
        said = demand in found or self.measured.text in demand
        return found if said else f"{found}; required: {demand}"


class Requirement(Struct, frozen=True, kw_only=True):
    """One documented demand, with the check that judges it."""

    id: str
    title: str
    remedy: str
    source: str
    level: Level
    stages: frozenset[Stage]
    owner: Owner
    check: Check
    needs: tuple[str, ...] = ()
    each: Callable[[Profile], Sequence[str]] | None = None
    when: Callable[[Profile], str | None] | None = None
    vantage: str = "host"
    rule: str | None = None
    apply_mends: bool = False
    parameters: dict[str, Any] = {}

    @property
    def category(self) -> str:
        return self.id.partition(".")[0]

    def subjects(self, profile: Profile) -> tuple[str | None, ...]:
        """The planned subjects, known before any host is reached; one `None` without `each`."""
        return tuple(self.each(profile)) if self.each else (None,)

    def facts(self) -> tuple[type, ...]:
        """The fact types this check asks for, by annotation."""
        return tuple(kind for kind in self.parameters.values() if hasattr(kind, "ask"))


def requirement(  # noqa: PLR0913 - keyword-only, the vocabulary of a check
    *,
    source: str,
    level: Level,
    stages: Iterable[Stage] = (PREFLIGHT, LIVE),
    owner: Owner = Owner.YOU,
    needs: Iterable[str] = (),
    each: Callable[[Profile], Sequence[str]] | None = None,
    when: Callable[[Profile], str | None] | None = None,
    vantage: str = "host",
    rule: str | None = None,
    apply_mends: bool = False,
) -> Callable[[Check], Check]:
    """Mark a check. Its file is the category, its name the id, its docstring title and remedy.

    `when` returns why an option of the deployment switches the check off, or None.
    `each` lists the subjects; it may look at the profile only.
    `needs` are ids whose failure blocks this one, "id [subject]" where one subject alone does.
    `rule` is the reviewer's firewall rule name.
    """

    def mark(check: Check) -> Check:
        text = inspect.getdoc(check) or ""
        title, _, remedy = text.partition("\n")
        category = check.__module__.rpartition(".")[2]
        names = {module: name for name, module in _MODULES.items()}
        name = check.__name__.removeprefix("check_").replace("_", "-")
        check.__dict__["requirement"] = Requirement(
            id=f"{names.get(category, category)}.{name}",
            title=title.strip().rstrip("."),
            remedy=remedy.strip(),
            source=source,
            level=level,
            stages=frozenset(stages),
            owner=owner,
            check=check,
            needs=tuple(needs),
            each=each,
            when=when,
            vantage=vantage,
            rule=rule,
            apply_mends=apply_mends,
            parameters=_parameters(check),
        )
        return check

    return mark


def _parameters(check: Check) -> dict[str, Any]:
    hints = typing.get_type_hints(check)
    hints.pop("return", None)
    return hints


@cache
def catalogue() -> dict[str, Requirement]:
    """Every requirement by id, in the order of the files: what `list` and `explain` show."""
    found: dict[str, Requirement] = {}
    for category in CATEGORIES:
        module = import_module(f"sesam_audit.checks.{_MODULES.get(category, category)}")
        for value in vars(module).values():
            item = getattr(value, "requirement", None)
            if isinstance(item, Requirement) and value.__module__ == module.__name__:
                found[item.id] = item
    return found


def need_id(need: str) -> str:
    """The id of what is needed, without the subject."""
    return need.partition(" ")[0]


def in_order(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Sort so that what is needed comes first; needs outside the list are ignored."""
    known = {item.id: item for item in requirements}
    graph = {
        item.id: [need for need in map(need_id, item.needs) if need in known]
        for item in known.values()
    }
    return [known[key] for key in TopologicalSorter(graph).static_order()]


def select(
    stage: Stage, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> tuple[list[Requirement], list[str]]:
    """The requirements of a stage that were asked for, and the ids that were not.

    Raises:
        UsageError: a name is neither an id nor a category.
    """
    known = catalogue()
    for name in (*only, *skip):
        if name not in known and name not in CATEGORIES:
            raise UsageError(f"No check or category is called {name!r}", near(name, known))
    staged = [item for item in known.values() if stage in item.stages]

    def named(item: Requirement, names: Sequence[str]) -> bool:
        return item.id in names or item.category in names

    chosen = [i for i in staged if (not only or named(i, only)) and not named(i, skip)]
    return chosen, [item.id for item in staged if item not in chosen]


def near(name: str, known: Iterable[str]) -> str:
    """The sentence that names what was probably meant."""
    import difflib

    close = difflib.get_close_matches(name, [*known, *CATEGORIES], n=1, cutoff=0.4)
    return f"Did you mean {close[0]!r}?" if close else "`sesam-audit list` shows them all"
