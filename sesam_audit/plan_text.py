"""A plan as a person reads it: what there is, what will be, why, and what stands in the way."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import click

from sesam_audit.agent.names import KEPT
from sesam_audit.cleaning import clean, without_orders
from sesam_audit.model import Finding
from sesam_audit.plan import Action, Plan
from sesam_audit.site import Draft, Stop

Facts = dict[str, Any]
_ABSENT = "not there"
_HANG = " " * 5


def plan_text(host: str, plan: Plan, *, width: int, verbose: bool = False, of: str = "") -> str:
    """Every action with before, after, reason and what it mends; `of` is the whole plan's id."""
    count = len(plan.actions)
    head = f"{clean(host)}: {count} action{'s' if count != 1 else ''}"
    lines = [_bold(head), _dim(f"plan {(of or plan.document()['id'])[:16]}, run {plan.run}")]
    number = 1
    for group in _groups(plan.actions):
        lines += ["", *_group(number, group, width, verbose=verbose)]
        number += len(group)
    return without_orders("\n".join(lines) + "\n")


def _groups(actions: Iterable[Action]) -> list[list[Action]]:
    """Directories that come one after the other for one reason are shown as one."""
    found: list[list[Action]] = []
    for each in actions:
        last = found[-1][-1] if found else None
        if last and each.kind == last.kind == "directory" and each.reason == last.reason:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def draft_text(made: Draft, left: Iterable[Finding], *, width: int, already: int = 0) -> str:
    """What stands beside the actions: stops, missing input, what apply never mends, decisions."""
    parts = [
        _part("In the way: nothing is changed before this is settled", made.stops, _stop, width),
        _part("Still to be given", made.missing, str, width),
        _part("Not mended by apply, and needed", left, _finding, width),
        _part("Good to know", made.notes, str, width),
    ]
    if already:
        parts.append(_dim(f"{already} more are as they should be already."))
    return without_orders("\n".join(part for part in parts if part))


def _group(number: int, group: list[Action], width: int, *, verbose: bool) -> Iterator[str]:
    first = group[0]
    if len(group) == 1:
        yield _bold(_wrapped(first.title, width, f"{number:3}. ", _HANG))
        lines = [_wrapped(line, width, _HANG, f"{_HANG}  ") for line in changes(first)]
    else:
        title = f"to {number + len(group) - 1}. {len(group)} directories"
        yield _bold(_wrapped(title, width, f"{number:3} ", _HANG))
        lines = [f"{_HANG}{line}" for line in _table(group)]
    yield from lines
    yield _dim(_wrapped(f"why: {first.reason}", width, _HANG, f"{_HANG}  "))
    mends = dict.fromkeys(identifier for each in group for identifier in each.mends)
    if mends:
        text = _wrapped(f"mends: {', '.join(mends)}", width, _HANG, f"{_HANG}  ")
        yield click.style(text, fg="green")
    content = first.after.get("content")
    if verbose and isinstance(content, str):
        yield from (f"{_HANG}  | {clean(line)}" for line in content.splitlines())


def _table(group: list[Action]) -> Iterator[str]:
    widest = max(len(each.after["path"]) for each in group)
    for each in group:
        (words,) = changes(each)
        yield clean(f"{each.after['path']:{widest}}  {words.replace('-> directory,', '->')}")


def changes(action: Action) -> tuple[str, ...]:
    """Before and after, in words, one line for each thing that changes."""
    if action.kind not in _KINDS:
        return ()
    return tuple(_KINDS[action.kind](Change(action.before or {}, action.after)))


class Change(NamedTuple):
    """What an action's kind saw, and what it wants."""

    before: Facts
    after: Facts


def _directory(change: Change) -> Iterator[str]:
    yield f"{_owned(change.before)} -> directory, {_owner(change.after)}"


def _file(change: Change) -> Iterator[str]:
    content = change.after.get("content")
    size = f"{len(content.encode())} bytes, " if isinstance(content, str) else ""
    yield f"{_owned(change.before)} -> {size}{_owner(change.after)}"
    if change.before.get("type") == "file":
        yield "the old one is kept beside it, and undo brings it back"


def _environment(change: Change) -> Iterator[str]:
    yield f"{_owned(change.before)} -> {_owner(change.after)}"
    there = change.before.get("values") or {}
    for key, value in change.after["values"].items():
        if there.get(key) != value:
            yield f"{key}: {there.get(key) or 'not set'} -> {value}"
    for key in change.after.get("names", ()):
        yield f"{key}: as in the file that was given (not shown)"
    others = [
        name for name in change.before.get("names", ()) if name not in change.after.get("names", ())
    ]
    if others:
        yield f"lines that stay as they are: {', '.join(others)}"


def _link(change: Change) -> Iterator[str]:
    yield f"{_owned(change.before)} -> link to {change.after['text']}"


def _stray(change: Change) -> Iterator[str]:
    yield f"link to {change.before.get('text', '?')} -> {_ABSENT}"


def _account(change: Change) -> Iterator[str]:
    numbers = ", ".join(
        f"{key} {change.after[key]}" for key in ("uid", "gid", "home") if key in change.after
    )
    yield f"{_ABSENT} -> {numbers}"


def _network(change: Change) -> Iterator[str]:
    subnet = change.after.get("subnet")
    yield f"{_ABSENT} -> bridge{', ' + subnet if subnet else ''}"


def _ownership(change: Change) -> Iterator[str]:
    count = change.before.get("count")
    found = f"{count} entries of others" if isinstance(count, int) else "entries of others"
    yield f"{found} -> {change.after['uid']}:{change.after['gid']}, modes as they are"
    yield f"passed over: {', '.join((*change.after['passed_over'], *change.after['names']))}"


def _login(change: Change) -> Iterator[str]:
    owner = _owner({**change.after, "mode": "0600"})
    yield f"-> login of {change.after['user']} for {change.after['registry']}, {owner}"


def _pull(change: Change) -> Iterator[str]:
    absent = [name for name, there in (change.before.get("images") or {}).items() if not there]
    if absent:
        yield f"not there: {', '.join(absent)} -> there"
    known = [name for name in change.after.get("refresh", ()) if name not in absent]
    if known:
        yield f"there, but not proved to be the newest: {', '.join(known)} -> the registry's"


def _up(change: Change) -> Iterator[str]:
    found = change.before.get("containers") or []
    running = sum(bool(each.get("running")) for each in found)
    yield f"{running} of {len(change.after['services'])} running -> all running"


def _recreate(change: Change) -> Iterator[str]:
    yield f"the container of {change.after['service']} -> a new one, where its files changed"


def _restart(change: Change) -> Iterator[str]:
    yield f"{change.after['container']} restarts, where it still has an old file"


def _keep(change: Change) -> Iterator[str]:
    policy = (change.before.get("policy") or {}).get("Name") or "no"
    state = "running" if change.before.get("running") else "stopped"
    kept = f"{KEPT}{change.after['name']}"
    yield f"{state}, restart policy {policy} -> stopped, no restarts, kept as {kept}"


def _move(change: Change) -> Iterator[str]:
    way = "renamed" if change.after["way"] == "rename" else "copied, read again and compared"
    if change.before.get("bytes"):
        way += f"; {-(-change.before['bytes'] // 10**6)} MB, for which there is room"
    yield f"{change.after['source']} -> {change.after['target']} ({way})"


_KINDS: dict[str, Callable[[Change], Iterator[str]]] = {
    "directory": _directory,
    "file": _file,
    "environment": _environment,
    "link": _link,
    "stray-link": _stray,
    "group": _account,
    "user": _account,
    "network": _network,
    "ownership": _ownership,
    "login": _login,
    "pull": _pull,
    "up": _up,
    "recreate": _recreate,
    "restart": _restart,
    "keep-container": _keep,
    "move-store": _move,
}


def _owned(before: Facts) -> str:
    kind = before.get("type", "absent")
    if kind == "absent":
        return _ABSENT
    size = f" of {before['size']} bytes" if kind == "file" and "size" in before else ""
    return f"{kind}{size}, {_owner(before)}"


def _owner(facts: Facts) -> str:
    return f"{facts.get('uid', '?')}:{facts.get('gid', '?')} {facts.get('mode', '')}".strip()


def _part(title: str, items: Iterable[Any], words: Callable[[Any], str], width: int) -> str:
    lines = [line for item in items for line in _item(words(item), width)]
    return "\n".join([_bold(title), *lines, ""]) if lines else ""


def _item(text: str, width: int) -> Iterator[str]:
    """Prose is wrapped; a line indented by four blanks is a command, and stays whole."""
    lead = "  - "
    for line in text.splitlines():
        if line.startswith("    "):
            yield "    " + click.style(clean(line), bold=True)
        elif line:
            yield _wrapped(line, width, lead, "    ")
        lead = "    "


def _stop(stop: Stop) -> str:
    return f"{stop.words}.\n{stop.remedy}" if stop.remedy else stop.words


def _finding(finding: Finding) -> str:
    return f"{finding.id}: {finding.message}"


def _wrapped(text: str, width: int, first: str, rest: str) -> str:
    return textwrap.fill(
        clean(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _bold(text: str) -> str:
    return click.style(text, bold=True)


def _dim(text: str) -> str:
    return click.style(text, dim=True)
