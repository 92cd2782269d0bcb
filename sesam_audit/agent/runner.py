"""Carries out a plan: look, compare with the plan, journal, act, look again; fail at the first."""

from functools import partial
from typing import Any, Callable, Dict, List

from .action import Action, Facts, Note, Spec, Stop
from .host import Host
from .journal import Journal, Record
from .kinds import made
from .state import boot
from .story import Chapter, Story

Result = Dict[str, Any]
Journalled = ("id", "kind", "title", "after", "secret")


def carry_out(host: Host, plan: Record, journal: Journal, stopped: Callable[[], bool]) -> Result:
    """Do what is left of a plan. Whatever ends it early is told in the result."""
    story = Story(journal.records)
    for spec in plan["actions"]:
        if stopped():
            return {"outcome": "stopped", "words": "stopped before: %s" % spec["title"]}
        trouble = attempt(host, journal, spec["id"], partial(step, host, story, journal, spec))
        if trouble:
            return trouble
    journal.write("close", how="done")
    return {"outcome": "done", "words": ""}


def attempt(host: Host, journal: Journal, name: str, act: Callable[[], None]) -> Result:
    """Act; trouble goes into journal and events, and is the result."""
    try:
        act()
    except Stop as stop:
        trouble = {"outcome": stop.kind, "words": stop.words, "next": stop.step}
    except OSError as error:
        trouble = {"outcome": "failed", "words": in_words(error), "next": ""}
    else:
        return {}
    trouble["action"] = name
    try:
        journal.write("failed", action=name, outcome=trouble["outcome"])
    except OSError as error:
        trouble["words"] += "; and the journal: " + in_words(error)
    host.say("failed", **trouble)
    return trouble


def step(host: Host, story: Story, journal: Journal, spec: Spec) -> None:
    """One action of a plan, whatever an earlier attempt did of it."""
    name = spec["id"]
    chapter = story.chapters.get(name)
    if chapter and chapter.done:
        host.say("already", action=name)
        return
    action = made(spec, host)
    now = action.look()
    if not chapter and action.holds(now):
        host.say("already", action=name)
        return
    host.say("begin", action=name, title=spec["title"])
    if chapter:
        resumed(action, chapter, journal)
    else:
        bound(action, spec.get("before") or {}, now)
        told = {key: spec.get(key) for key in Journalled if key != "id"}
        hidden = ("content", "sha256") if spec.get("secret") else ("content",)
        told["after"] = {key: each for key, each in spec["after"].items() if key not in hidden}
        journal.write("begin", action=name, spec=told, before=now, boot=boot())
        action.do(now, noting(journal, name))
    proved(action, journal, name)
    host.say("done", action=name)


def resumed(action: Action, chapter: Chapter, journal: Journal) -> None:
    """Go on with an action that an earlier attempt began."""
    name = chapter.begin["action"]
    action.resume(chapter.begin["before"], dict(chapter.notes), noting(journal, name))


def proved(action: Action, journal: Journal, name: str) -> None:
    """What was done is on the disk, is what was wanted, and is in the journal."""
    action.sync()
    now = action.look()
    if not action.holds(now):
        raise Stop("it was done, and what is there now is not what was wanted: %s" % now)
    journal.write("done", action=name, after=now)


def noting(journal: Journal, name: str) -> Note:
    """What an action calls to journal its progress."""

    def note(**facts: Any) -> None:
        journal.write("note", action=name, facts=facts)

    return note


def bound(action: Action, was: Facts, now: Facts) -> None:
    """Refuse to act on a state that the plan was not made for."""
    if not action.same(was, now):
        raise Stop(
            "%s changed since the plan was made: %s"
            % (action.want.get("path") or action.spec["title"], difference(was, now)),
            "Run the same command again, for a new plan.",
            "changed",
        )


def check_binding(host: Host, plan: Record, story: Story) -> None:
    """Before anything is done, all that was not begun must be as the plan says."""
    for spec in plan["actions"]:
        if spec["id"] not in story.chapters:
            action = made(spec, host)
            now = action.look()
            if not action.holds(now):
                bound(action, spec.get("before") or {}, now)


def difference(was: Facts, now: Facts) -> str:
    """What is different between two looks, in words."""
    missing = "not there"
    pairs = [(key, was.get(key, missing), now.get(key, missing)) for key in sorted({**was, **now})]
    return "; ".join("%s was %s, is %s" % each for each in pairs if each[1] != each[2])


def in_words(error: OSError) -> str:
    """A system error, for people."""
    said = error.strerror or str(error)
    return "%s: %s" % (error.filename, said) if error.filename else said


def look(host: Host, plan: Record) -> List[Dict[str, Any]]:
    """For each action what is there now, and whether that is what is wanted. Changes nothing."""
    found: List[Dict[str, Any]] = []
    for spec in plan["actions"]:
        told: Dict[str, Any] = {"id": spec["id"]}
        try:
            action = made(spec, host)
            told["before"] = action.look()
            told["holds"] = action.holds(told["before"])
            if spec.get("before"):
                told["same"] = action.same(spec["before"], told["before"])
        except Stop as stop:
            told.update(stop=stop.words, next=stop.step)
        except OSError as error:
            told.update(stop=in_words(error), next="")
        found.append(told)
    return found
