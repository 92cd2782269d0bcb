"""What changes the machine: start, undo and finish, each under the lock, in a detached worker."""

import contextlib
import os
import traceback
from typing import Any, Callable, Dict, List, Optional

from . import undoing
from .detaching import detach
from .events import Events, read
from .finishing import finish as finish_run
from .finishing import outlook as finish_outlook
from .host import Host
from .journal import Journal, Record, plan_id
from .kinds import made
from .runner import Result, attempt, carry_out, check_binding, in_words, noting, proved
from .state import Run, State, alive, boot, machine
from .stop import Stop
from .story import CLOSED, Story

Request = Dict[str, Any]
Reply = Callable[[Dict[str, Any]], None]
Work = Callable[[Host, Journal, Callable[[], bool]], Result]


def start(request: Request, state: State, reply: Reply) -> None:
    """Verb `start` {plan, secrets, operator, boot}: begin a plan, or go on with it.

    `boot` is the one that the approval was given in: the plan's own, or for a plan that an earlier
    boot interrupted, the present one. Replies {run, from}, then the work goes on by itself.
    """
    plan = request["plan"]
    check_plan(plan, request.get("boot", plan["boot"]), state)
    state.make()
    if not locked(state, plan["run"], request, reply):
        return
    run = state.run(plan["run"])
    story = Story(run.records())
    if story.state in CLOSED or story.state == "undoing":
        raise Stop("run %s is %s; its plan is not used again" % (run.name, story.state))
    stored = run.plan()
    if stored and stored["id"] != plan["id"]:
        raise Stop("run %s has another plan" % run.name)
    others = [each for each in unfinished(state) if each.name != run.name]
    for other in others:
        check_moves(other, plan)
    state.check_space()
    state.make_key()
    state.begin(run.name, plan, request.get("secrets") or {})

    def work(host: Host, journal: Journal, stopped: Callable[[], bool]) -> Result:
        for other in others:
            trouble = settle(host, other)
            if trouble:
                return trouble
        check_binding(host, plan, story)
        if story.state == "new":
            number = 1 + max(each.number() for each in state.runs())
            journal.write(
                "open", number=number, plan=plan["id"], boot=boot(),
                operator=str(request.get("operator", "")),
            )  # fmt: skip
        return carry_out(host, plan, journal, stopped)

    worker(state, run, request, plan["boot"] != boot(), work, reply)


def check_plan(plan: Record, approved: str, state: State) -> None:
    """A plan is carried out on the machine, in the boot and in the words that were approved."""
    if plan_id(plan) != plan["id"]:
        raise Stop("the plan is not the one that was approved: its id does not fit", "", "changed")
    if plan["machine"] != machine(state.root):
        raise Stop("the plan was made for another machine", "", "changed")
    if approved != boot():
        raise Stop(
            "the machine was started anew since the plan was approved",
            "Run the same command again.",
            "changed",
        )


def locked(state: State, run: str, request: Request, reply: Reply) -> bool:
    """Take the lock; False, and said, when this very request is at work already."""
    try:
        state.take()
    except Stop:
        holder = state.holder()
        same = [holder.get(key) for key in ("run", "verb", "plan")]
        if alive(holder) and same == [run, request["verb"], _plan_of(request)]:
            reply({"run": run, "attached": True, "from": 0})
            return False
        raise
    return True


def _plan_of(request: Request) -> str:
    """The id of the plan that a request brings; "" for an undo or a finish."""
    return str((request.get("plan") or {}).get("id", ""))


def unfinished(state: State) -> List[Run]:
    """Runs that were interrupted; an interrupted undo must be ended first."""
    found = []
    for run in state.runs():
        story = Story(run.records())
        if story.state == "undoing":
            raise Stop(
                "taking back run %s was interrupted" % run.name,
                "End that first: sesam-audit undo HOST %s" % run.name,
            )
        if story.state == "unfinished":
            found.append(run)
    return found


def check_moves(other: Run, plan: Record) -> None:
    """Refuse to close a run that has yet to move a store, unless the new plan moves it."""
    here = [_move(each) for each in plan["actions"] if each["kind"] == "move-store"]
    for each in Story(other.records()).open_moves(other.plan() or {"actions": []}):
        if _move(each) not in here:
            raise Stop(
                "run %s put the old installation to rest, and its store %s has not moved yet"
                % (other.name, each["after"]["source"]),
                "Run the command of then again, or take it back: sesam-audit undo HOST %s"
                % other.name,
            )


def _move(action: Record) -> List[str]:
    return [action["after"]["source"], action["after"]["target"]]


def settle(host: Host, run: Run) -> Result:
    """Complete or put back the one action that an earlier run left half done; close that run."""
    journal = run.journal()
    try:
        story = Story(journal.records)
        name = story.interrupted()
        if name:
            trouble = attempt(host, journal, name, lambda: _settled(host, run, journal, name or ""))
            if trouble:
                return trouble
        journal.write("close", how="superseded")
        return {}
    finally:
        journal.close()


def _settled(host: Host, run: Run, journal: Journal, name: str) -> None:
    chapter = Story(journal.records).chapters[name]
    strange = host.state.strange(run, host.secrets)
    secrets = {each: text for each, text in host.secrets.items() if each not in strange}
    then = Host(host.state, run, secrets, host.say, chapter.begin["boot"] != boot())
    actions = {each["id"]: each for each in (run.plan() or {"actions": []})["actions"]}
    action = made(actions.get(name) or undoing.spec_of(chapter), then)
    host.say("begin", action=name, title="finish what was interrupted: " + action.spec["title"])
    try:
        action.resume(chapter.begin["before"], dict(chapter.notes), noting(journal, name))
        proved(action, journal, name)
    except Stop:
        begun = {"before": chapter.begin["before"], "notes": dict(chapter.notes)}
        how, words = action.undo(begun, None, noting(journal, name))
        if how != "undone":
            raise
        journal.write(how, action=name, words=words)
    host.say("done", action=name)


def undo(request: Request, state: State, reply: Reply) -> None:
    """Verb `undo` {run, dry}: take a run back, or the last; dry only says what."""
    run = chosen(state, request.get("run"))
    if request.get("dry"):
        reply({"run": run.name, "actions": undoing.outlook(run)})
        return
    if not locked(state, run.name, request, reply):
        return
    undoing.check_last(state, run)
    worker(state, run, request, True, undoing.undo, reply)


def finish(request: Request, state: State, reply: Reply) -> None:
    """Verb `finish` {run, dry}: remove what a run kept; dry only says what."""
    run = chosen(state, request.get("run"))
    if request.get("dry"):
        reply({"run": run.name, "actions": finish_outlook(Host(state, run), run)})
    elif locked(state, run.name, request, reply):
        worker(state, run, request, True, finish_run, reply)


def chosen(state: State, name: Optional[str]) -> Run:
    """The run that is meant: the named one, or the last that changed something."""
    for run in reversed(state.runs()):
        if run.name == name or (not name and Story(run.records()).changed_something()):
            return run
    raise Stop("there is no run %s on this machine" % name if name else "nothing was ever changed")


def worker(
    state: State, run: Run, request: Request, rebooted: bool, work: Work, reply: Reply
) -> None:
    """Detach, do the work, leave its result; the caller is told where the events begin."""
    known = read(run, 0)
    for name in ("stop", "result.json"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(run.inside(name))
    secrets = request.get("secrets") or {}
    operator = str(request.get("operator", ""))

    def detached() -> None:
        events = Events(run, secrets)
        state.hold(run.name, operator, request["verb"], _plan_of(request))
        events("attempt", verb=request["verb"], operator=operator)
        host = Host(state, run, secrets, events, rebooted)
        result = guarded(host, run, work)
        with contextlib.suppress(OSError):
            run.keep("result.json", events.spelt(result))
        events("result", **result)
        events.close()

    detach(detached)
    reply({"run": run.name, "from": known[-1]["seq"] if known else 0})


def guarded(host: Host, run: Run, work: Work) -> Result:
    """The work's result, whatever happens in it."""
    try:
        journal = run.journal()
        try:
            return work(host, journal, lambda: os.path.exists(run.inside("stop")))
        finally:
            journal.close()
    except Stop as stop:
        return {"outcome": stop.kind, "words": stop.words, "next": stop.step}
    except OSError as error:
        return {"outcome": "failed", "words": in_words(error), "next": ""}
    except Exception as error:  # noqa: BLE001 - told, with its place, for a bug report
        place = traceback.extract_tb(error.__traceback__)[-1]
        words = "a fault of sesam-audit: %r in %s:%s" % (error, place[0], place[1])
        return {"outcome": "failed", "words": words, "next": "Report it, with this line."}
