"""What a person sees while work goes on: on standard error, one line for each action."""

from __future__ import annotations

from typing import Any

import click

from sesam_audit.agent_link import Document
from sesam_audit.cleaning import for_a_log
from sesam_audit.progress import StatusLine

_LISTS = {
    "left": "Left, because it was changed since or is in use",
    "cannot": "Cannot be taken back",
}


class Teller:
    """Tells events; what a host says in them may stand in a terminal and in the log of a CI."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._line = StatusLine(quiet=quiet)
        self._numbers: dict[str, str] = {}

    def of(self, plan: Document) -> Teller:
        """Count by the actions of this plan."""
        total = len(plan["actions"])
        self._numbers = {
            each["id"]: f"[{number}/{total}] " for number, each in enumerate(plan["actions"], 1)
        }
        return self

    def say(self, words: str) -> None:
        """A sentence of ours."""
        self._line.clear()
        click.echo(for_a_log(words), err=True)

    def event(self, event: Document) -> None:
        """Something the worker told."""
        kind = event["event"]
        if self._quiet:
            return
        if kind == "begin":
            number = self._numbers.get(event.get("action", ""), "")
            self.say(f"{number}{event.get('title', '')}")
        elif kind == "progress":
            self._progress(event)
        elif kind in ("left", "cannot"):
            self.say(f"    {event.get('words', '')}")

    def _progress(self, event: Document) -> None:
        done, total = event.get("done"), event.get("total")
        counted = f"  {_amount(done)} of {_amount(total)}" if total else ""
        self._line.show(f"    {event.get('text', '')}{counted}")

    def trouble(self, result: Document) -> None:
        """Why the work ended early: the action, what was said, what to do."""
        self._line.clear()
        number = self._numbers.get(result.get("action", ""), "")
        word = "Stopped" if result.get("outcome") == "stopped" else "Failed"
        words = for_a_log(f"{word}: {number}{result.get('words', '')}")
        click.secho(words, err=True, bold=True)
        if result.get("next"):
            click.echo(for_a_log(str(result["next"])), err=True)

    def outlook(self, verb: str, dry: Document) -> None:
        """What an undo or a finish would look at."""
        what = {"undo": "take back, the last first", "finish": "remove for good"}[verb]
        if not dry["actions"]:
            click.echo(for_a_log(f"Run {dry['run']}: nothing to {what.partition(',')[0]}"))
            return
        click.secho(for_a_log(f"Run {dry['run']}: {verb} would {what}:"), bold=True)
        for each in dry["actions"]:
            click.echo(_item(each))

    def question(self, verb: str) -> str:
        """What is asked before it is done."""
        return {"undo": "Take this back?", "finish": "Remove this for good?"}[verb]

    def lists(self, result: Document) -> None:
        """How much was taken back, and in full what was not."""
        self._line.clear()
        undone = len(result.get("undone") or [])
        if undone:
            click.secho(f"Taken back: {undone} action{'s' if undone > 1 else ''}", bold=True)
        for key, title in _LISTS.items():
            items: list[Any] = result.get(key) or []
            if items:
                click.secho(f"{title}:", bold=True)
            for each in items:
                click.echo(_item(each))


def _item(each: Document) -> str:
    words = f": {each['words']}" if each.get("words") else ""
    return for_a_log(f"  - {each['title']}{words}")


def _amount(value: object) -> str:
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value / 1e6:.1f} MB" if value >= 100_000 else f"{value:g}"
