"""The packed agent as a real program, spoken to as the auditor does."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from sesam_audit import bootstrap
from sesam_audit.agent.journal import plan_id
from sesam_audit.agent.state import boot, machine
from sesam_audit.plan import Action, Plan
from sesam_audit.shipping import program

Answer = dict[str, Any]


class Agent:
    """One conversation with the agent, whose root is a directory."""

    def __init__(
        self,
        root: str = "/",
        python: str = sys.executable,
        before: Sequence[str] = (),
        text: bytes | None = None,
    ) -> None:
        self.root = root
        self.beats = 0
        self.marker = f"m{secrets.token_hex(8)}"
        self.process = subprocess.Popen(
            (*before, python, "-I", "-S", "-c", bootstrap._BOOT, self.marker),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            cwd="/",
        )
        assert self.process.stdin
        packed = text or program("agent", root)
        self.process.stdin.write(bootstrap.program(self.marker, packed, None))
        self.process.stdin.flush()

    def _send(self, content: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"%s %d\n" % (self.marker.encode(), len(content)) + content)
        self.process.stdin.flush()

    def ask(self, verb: str, **more: Any) -> Answer:
        """Send a request; its first answer that is no heartbeat."""
        self._send(json.dumps({"verb": verb, **more}).encode())
        while "heartbeat" in (said := self.answer()):
            self.beats += 1
        return said

    def answer(self) -> Answer:
        """The next frame."""
        assert self.process.stdout
        for line in self.process.stdout:
            words = line.split()
            if words[:1] == [self.marker.encode()]:
                content = self.process.stdout.read(int(words[1]))
                answer: Answer = json.loads(content)
                return answer
        raise EOFError(f"the agent ended with {self.process.wait()}")

    def follow(self, run: str, after: int = 0) -> list[Answer]:
        """All events until the attempt's end."""
        told = [self.ask("follow", **{"run": run, "from": after})]
        while told[-1]["event"] not in ("result", "gone"):
            told.append(self.answer())
        return told

    def plan(self, *actions: Action, run: str = "20261122-abcd", **more: Any) -> Answer:
        """A plan as the auditor makes it: looked at by the agent, what holds left out."""
        bare = Plan(
            tool="test",
            run=run,
            machine=machine(self.root),
            boot=boot(),
            profile=more.pop("profile", {}),
            actions=actions,
        )
        found = self.ask("look", plan=bare.document(), **more)["actions"]
        return bound(bare, found)

    def plan_on(self, seen: Answer, *wanted: tuple[str, Answer], run: str = "lab-run") -> Answer:
        """A plan for another machine than this one, which has told who it is."""
        actions = tuple(
            Action(id=f"{number:02}-{kind}", kind=kind, title=kind, after=after)
            for number, (kind, after) in enumerate(wanted, 1)
        )
        bare = Plan(
            tool="test", run=run, machine=seen["machine"], boot=seen["boot"], actions=actions
        )
        return bound(bare, self.ask("look", plan=bare.document())["actions"])

    def carry_out(self, plan: Answer, **more: Any) -> Answer:
        """Start a plan and follow it; the result."""
        started = self.ask("start", plan=plan, **more)
        return started if "stop" in started else self._ended(started)

    def undo(self, run: str | None = None) -> Answer:
        """Take a run back and follow; the result."""
        started = self.ask("undo", run=run)
        return started if "stop" in started else self._ended(started)

    def _ended(self, started: Answer) -> Answer:
        return self.follow(started["run"], started["from"])[-1]

    def close(self) -> None:
        """Close its input and wait."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)


def bound(plan: Plan, found: list[Answer]) -> Answer:
    """The plan with what the agent saw, without what holds already."""
    document = plan.document()
    kept = []
    for action, seen in zip(document["actions"], found, strict=True):
        assert "stop" not in seen, seen
        if not seen["holds"]:
            kept.append({**action, "before": seen["before"]})
    document["actions"] = kept
    return {**document, "id": plan_id(document)}


@contextlib.contextmanager
def agent(root: str, python: str = sys.executable, **more: Any) -> Iterator[Agent]:
    """A conversation that is closed at its end."""
    started = Agent(root, python, **more)
    try:
        yield started
    finally:
        started.close()
