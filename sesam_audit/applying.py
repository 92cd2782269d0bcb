"""Carry out a plan: the agent looks, the plan is bound to what it saw, started, and followed."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from sesam_audit import __version__
from sesam_audit.agent_link import AgentLink, Document
from sesam_audit.errors import AuditError
from sesam_audit.plan import Action, Plan
from sesam_audit.site import Step, Stop

FOLLOWERS = {  # what is only needed when something before it is done
    "recreate": frozenset({"file", "environment", "login"}),
    "restart": frozenset({"file", "login"}),
    "wait": frozenset({"up", "recreate", "restart", "pull"}),
}


@dataclass(frozen=True)
class Looked:
    """What the agent's look left of the steps."""

    actions: tuple[Action, ...]
    already: int
    stopped: tuple[tuple[Action, Stop], ...]
    machine: str
    boot: str


class Telling(Protocol):
    """Where a person sees what is going on."""

    def event(self, event: Document) -> None:
        """Something the worker told."""

    def say(self, words: str) -> None:
        """A sentence of ours."""


class Detached(Exception):  # noqa: N818 - a person's choice, not a fault
    """The person left; what is said of the work on the host."""

    def __init__(self, what: str = "The work goes on there") -> None:
        super().__init__(what)


def actions_of(steps: Iterable[Step]) -> tuple[Action, ...]:
    """The steps under the names that journal and reports know them by."""
    return tuple(
        Action(
            id=f"{number:02}-{step.kind}",
            kind=step.kind,
            title=step.title,
            reason=step.reason,
            mends=step.mends,
            after=dict(step.after),
            secret=step.secret,  # type: ignore[arg-type]
        )
        for number, step in enumerate(steps, 1)
    )


def look(link: AgentLink, steps: Sequence[Step], secrets: Mapping[str, str]) -> Looked:
    """Let the agent look at each step; what is as wanted already drops out.

    Raises:
        RefusedError: the agent would not look.
        HostError: the host did not answer.
    """
    actions = actions_of(steps)
    reply = link.ask("look", plan={"actions": [_spelt(each) for each in actions]}, secrets=secrets)
    found = {each["id"]: each for each in reply["actions"]}
    stopped = [
        (each, Stop(f"{each.title}: {seen['stop']}", seen.get("next", "")))
        for each in actions
        if "stop" in (seen := found[each.id])
    ]
    needed = _needed(actions, found)
    kept = tuple(
        msgspec.structs.replace(each, before=found[each.id].get("before")) for each in needed
    )
    return Looked(kept, len(actions) - len(kept), tuple(stopped), reply["machine"], reply["boot"])


def _spelt(action: Action) -> Document:
    return {"id": action.id, "kind": action.kind, "title": action.title, "after": action.after,
            "secret": action.secret}  # fmt: skip


def _needed(actions: Sequence[Action], found: Mapping[str, Document]) -> tuple[Action, ...]:
    """What is not as wanted, and what follows it: a look cannot know that it will be stale."""
    kept: list[Action] = []
    for each in actions:
        leaders = FOLLOWERS.get(each.kind, frozenset())
        if not found[each.id].get("holds") or leaders & {action.kind for action in kept}:
            kept.append(each)
    return tuple(kept)


def bound(looked: Looked, profile: Mapping[str, str], run: str, wishes: Mapping[str, Any]) -> Plan:
    """The plan for this machine, in this boot, on what was seen there."""
    return Plan(
        tool=f"sesam-audit {__version__}",
        run=run,
        machine=looked.machine,
        boot=looked.boot,
        profile=dict(profile),
        wishes=dict(wishes),
        actions=looked.actions,
    )


def new_run() -> str:
    """A name for a run, in the order of time."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + f"-{os.urandom(2).hex()}"


def operator() -> str:
    """Who approved the plan, for the journal."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such user, in a container
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


def unfinished(status: Document) -> Document | None:
    """The run that was interrupted last, with its plan, if nobody is at work on it."""
    runs = [each for each in status["runs"] if each.get("state") == "unfinished" and "plan" in each]
    return runs[-1] if runs and not status["held"] else None


def appliance_of(status: Document) -> str:
    """The APPLIANCE_ID that an earlier plan made: a second one would be a second appliance."""
    known = str(status.get("appliance") or "")
    for run in status["runs"]:
        for action in (run.get("plan") or {}).get("actions", ()):
            if action["kind"] == "environment":
                known = action["after"]["values"].get("APPLIANCE_ID", known)
    return known


def same_request(plan: Document, new: Plan) -> bool:
    """Whether a plan was made for what is asked for now."""
    return (plan.get("wishes"), plan.get("profile")) == (new.wishes, new.profile)


def remaining(link: AgentLink, run: Document, new: Plan, secrets: Mapping[str, str]) -> Plan | None:
    """What is left of an interrupted run, where that is what would be planned now; else None.

    Where a store has yet to move, the same request goes on whatever else would be planned now.
    What was not begun must be as that plan saw it, or the agent would refuse it ever again.
    """
    if not same_request(run["plan"], new):
        return None
    old = msgspec.convert({k: v for k, v in run["plan"].items() if k != "id"}, Plan)
    left = [each for each in old.actions if each.id not in run["done"]]
    spelt = [{**_spelt(each), "before": each.before} for each in left]
    plan = {"actions": spelt, "boot": old.boot}
    reply = link.ask("look", plan=plan, secrets=secrets, run=run["run"])
    if reply["strange"]:
        return None
    found = {each["id"]: each for each in reply["actions"]}
    for each in left:
        seen = found[each.id]
        if not (each.id in run["begun"] or seen.get("holds") or seen.get("same", not each.before)):
            return None
    then, now = [(x.kind, x.after) for x in left], [(x.kind, x.after) for x in new.actions]
    if not run["moves"] and [each for each in then if each in now] != now:
        return None
    needed = _needed(left, found)
    shown = tuple(each for each in left if each in needed or each.id in run["begun"])
    return msgspec.structs.replace(old, actions=shown)


def in_the_way(looked: Looked, run: Document | None) -> list[Stop]:
    """What the look found wrong; what was interrupted there puts right, where the run goes on."""
    own = [(x["kind"], x["after"]) for x in run["plan"]["actions"]
           if x["id"] == run["interrupted"]] if run else []  # fmt: skip
    return [stop for action, stop in looked.stopped if (action.kind, action.after) not in own]


def stranded(run: Document | None, new: Plan) -> Stop | None:
    """A store that an interrupted run has yet to move, and that the new plan would leave behind."""
    here = [_move(each.after) for each in new.actions if each.kind == "move-store"]
    for each in run["moves"] if run else ():
        if run and _move(each["after"]) not in here:
            return Stop(
                f"run {run['run']} put the old installation to rest, and its store"
                f" {each['after']['source']} has not moved yet",
                "Give the command of then again, with the same options, or take it back:\n\n"
                f"    sesam-audit undo HOST {run['run']}",
            )
    return None


def _move(after: Mapping[str, Any]) -> tuple[Any, Any]:
    return after["source"], after["target"]


def carry_out(
    link: AgentLink, request: Document, telling: Telling, verb: str = "start"
) -> Document:
    """Start the work and follow it to its end; Ctrl-C once stops it, twice leaves it.

    Raises:
        RefusedError: the agent would not start: another is at work, or the host changed.
        HostError: the host could not be reached again.
        Detached: the person left.
    """
    try:
        started = link.ask(verb, **request)
    except KeyboardInterrupt:
        raise Detached("The work may have begun there, and then goes on") from None
    return follow(link, started["run"], started.get("from", 0), telling)


def follow(link: AgentLink, run: str, after: int, telling: Telling) -> Document:
    """Follow a run to its result."""
    stopping = False
    while True:
        try:
            for event in link.follow(run, after, _lost(telling)):
                after = event.get("seq", after)
                telling.event(event)
                if event["event"] == "result":
                    return event
                if event["event"] == "gone":
                    return event.get("result") or {
                        "outcome": "gone",
                        "words": "the work on the host ended without a word: it was killed, or the"
                        " host went down",
                        "next": "Run the same command again: it goes on where it was",
                    }
        except KeyboardInterrupt:
            if stopping:
                raise Detached from None
            stopping = True
            _stop(link, run, telling)


def _stop(link: AgentLink, run: str, telling: Telling) -> None:
    try:
        link.close()
        link.ask("stop", run=run)
    except KeyboardInterrupt:
        raise Detached from None
    except AuditError as error:
        telling.say(f"It could not be told to stop: {error.what}")
        raise Detached from None
    telling.say("Stopping after the present action; Ctrl-C again leaves it to itself")


def _lost(telling: Telling) -> Callable[[str], None]:
    def lost(why: str) -> None:
        telling.say(f"{why}. The work goes on there; trying to reach it again")

    return lost
