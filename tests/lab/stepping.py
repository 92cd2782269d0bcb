"""An agent that is killed at one of its steps: around a journal record, a request, a start.

The steps are counted in the text that is sent to the host, so that the N-th is the same one each
time, however busy the machine is; the product itself has no such place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from sesam_audit.shipping import program
from tests.agent import harness

from .working import Step, Work, working_on

BEFORE = "\nVERBS = {\n"
KILLING = """
import signal
from . import compose, engine, journal

LEFT = [{number}]


def step():
    LEFT[0] -= 1
    if not LEFT[0]:
        os.kill(os.getpid(), signal.SIGKILL)


def stepping(kind, name):
    act = getattr(kind, name)

    def acted(self, *words, **more):
        if words[:1] == ("GET",):
            return act(self, *words, **more)
        step()
        result = act(self, *words, **more)
        step()
        return result

    setattr(kind, name, acted)


stepping(journal.Journal, "write")
stepping(engine.Engine, "_json")
stepping(compose.Compose, "up")
"""


def killed_at(number: int) -> bytes:
    """The agent's program, which kills itself before its N-th step."""
    text = program("agent").decode()
    assert text.count(BEFORE) == 1
    return text.replace(BEFORE, KILLING.format(number=number) + BEFORE).encode()


def killed_at_each(work: Work, actions: Sequence[Step], stride: int) -> Iterator[int]:
    """Carry actions out with a kill at a step, then by the same request again; at every step.

    Whoever takes the numbers looks at what came of it, and puts everything back. CI takes every
    `stride`-th step, SESAM_AUDIT_KILL_ALL all of them; it ends beyond the last one.
    """
    for number in itertools.count(1, 1 if harness.EVERYTHING else stride):
        plan = work.plan(*actions)
        request: dict[str, Any] = {"plan": plan, "secrets": work.secrets}
        with working_on(work.host, killed_at(number)) as doomed:
            started = doomed.agent.ask("start", **request)
            ended = doomed.agent.follow(started["run"], started["from"])[-1]
        assert ended["event"] == "gone" or ended["outcome"] == "done", (number, ended)
        if ended["event"] == "gone":
            again = work.agent.ask("start", **request)
            if "run" in again:
                result = work.agent.follow(again["run"], again["from"])[-1]
                assert result["outcome"] == "done", (number, result)
            else:  # it was killed after its last record
                assert "its plan is not used again" in again["stop"], (number, again)
        yield number
        if ended["event"] == "result":
            return
