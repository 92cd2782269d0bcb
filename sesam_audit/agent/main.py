"""The conversation: each request is a frame with one JSON object, and so is each reply."""

import contextlib
import json
import os
import sys
import threading
from typing import Any, Callable, Dict, Iterator

from . import kernel, working
from .events import HEARTBEAT, follow
from .host import Host
from .masking import Mask
from .runner import look
from .state import State, alive, boot, machine
from .stop import Stop
from .story import Story

Request = Dict[str, Any]
Reply = Callable[[Dict[str, Any]], None]


def converse(marker: str, root: str = "/") -> None:
    """Answer requests until standard input ends. What comes outside of frames is thrown away."""
    os.umask(0o077)
    kernel.forbid_looking()
    source, sink = sys.stdin.buffer, sys.stdout.buffer

    alone = threading.Lock()

    def reply(said: Dict[str, Any]) -> None:
        content = json.dumps(said).encode("ascii")
        with alone:
            sink.write(b"\n%s %d\n" % (marker.encode(), len(content)) + content)
            sink.flush()

    for line in source:
        words = line.split()
        if len(words) == 2 and words[0] == marker.encode() and words[1].isdigit():
            request = json.loads(source.read(int(words[1])).decode())
            with beating(reply, request["verb"] in LONG):
                answer(request, State(root), reply)


@contextlib.contextmanager
def beating(reply: Reply, needed: bool) -> Iterator[None]:
    """Heartbeats while a request that changes nothing, and starts nothing, takes its time."""
    if not needed:
        yield
        return
    over = threading.Event()

    def beat() -> None:
        with contextlib.suppress(OSError):  # nobody listens any more: the answer will tell
            while not over.wait(HEARTBEAT):
                reply({"heartbeat": True})

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


def answer(request: Request, state: State, reply: Reply) -> None:
    """One request. A refusal is a reply too: its words, and what to do next."""
    try:
        if os.geteuid():
            raise Stop("only root can do that", "Allow sudo on the target.")
        VERBS[request["verb"]](request, state, reply)
    except Stop as stop:
        reply({"stop": stop.words, "next": stop.step, "kind": stop.kind})
    except BrokenPipeError:
        raise
    except OSError as error:
        reply({"stop": str(error), "next": "", "kind": "failed"})
    finally:
        state.let_go()


def looking(request: Request, state: State, reply: Reply) -> None:
    """Verb `look` {plan, secrets, run}: what is there for each action, on which machine and boot.

    An action that has a `before` is told whether that is still `same`. `strange` are the secrets
    that are not those of the run, where one is named.
    """
    plan, secrets = request["plan"], request.get("secrets") or {}
    rebooted = plan.get("boot", boot()) != boot()
    found = look(Host(state, None, secrets, rebooted=rebooted), plan)
    mask = Mask(secrets.items())
    for each in found:
        each.update((key, mask(each[key])) for key in ("stop", "next") if key in each)
    run = request.get("run")
    strange = state.strange(state.run(run), secrets) if run else []
    reply({"actions": found, "machine": machine(state.root), "boot": boot(), "strange": strange})


def status(_: Request, state: State, reply: Reply) -> None:
    """Verb `status` {}: who is at work on which plan, all runs, the plan of an unfinished one."""
    told: Dict[str, Any] = {"machine": machine(state.root), "boot": boot()}
    holder, runs = state.holder(), []
    told["held"] = state.held()
    told["appliance"] = state.appliance()
    told["holder"] = dict(holder, alive=alive(holder)) if holder else None
    if told["held"] and alive(holder) and holder.get("verb") == "start":
        told["work"] = state.run(holder["run"]).plan()
    for run in state.runs():
        story = Story(run.records())
        if story.state == "new":
            continue
        about: Dict[str, Any] = {"run": run.name, "state": story.state}
        about["interrupted"] = story.interrupted()
        about.update(at=story.opened["at"], operator=story.opened["operator"])
        about["begun"] = list(story.chapters)
        about["done"] = [name for name, each in story.chapters.items() if each.done]
        if story.state == "unfinished":
            about["plan"] = plan = run.plan()
            about["moves"] = story.open_moves(plan or {"actions": []})
        runs.append(about)
    reply(dict(told, runs=runs))


def following(request: Request, state: State, reply: Reply) -> None:
    """Verb `follow` {run, from}: events beyond a number, until `result` or `gone`."""
    follow(state, state.run(request["run"]), request.get("from", 0), reply)


def stopping(request: Request, state: State, reply: Reply) -> None:
    """Verb `stop` {run}: what is at work ends after its present action."""
    state.run(request["run"]).keep("stop", b"")
    reply({"stopping": request["run"]})


LONG = ("look", "status")  # those that fork nothing: a thread would not go along
VERBS = {
    "look": looking,
    "status": status,
    "start": working.start,
    "follow": following,
    "stop": stopping,
    "undo": working.undo,
    "finish": working.finish,
}
