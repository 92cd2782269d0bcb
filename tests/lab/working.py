"""The agent as root on a lab host, with a real Docker daemon; plans are made of plain words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sesam_audit.agent.journal import plan_id
from tests.agent.talking import Agent, Answer

from .host import LabHost

Step = tuple[str, dict[str, Any]]
USER, PASSWORD = "sesamcustomer", "dckr_pat_of_the_lab"
PROJECT = {
    "project": "data",
    "directory": "/srv/data",
    "files": ["/srv/data/docker-compose.yml"],
    "env_file": "/srv/data/.env",
}
SERVICES = ["sesam-node", "fluentbit", "traefik", "watchtower"]
IMAGES = [
    "containrrr/watchtower:latest",
    "traefik:latest",
    "sesam/sesam-node:weekly-prod",
    "sesam/fluent-bit:latest",
]


class Work:
    """One conversation with the agent on a lab host."""

    def __init__(self, host: LabHost, agent: Agent) -> None:
        self.host = host
        self.agent = agent
        self.secrets = {"registry": PASSWORD}
        self._number = 0

    def look(self, kind: str, after: dict[str, Any]) -> Answer:
        """What the agent sees before a plan is made: what it holds, or why nothing may be done."""
        spec = {"id": "01", "kind": kind, "title": kind, "after": after, "secret": None}
        (seen,) = self.agent.ask("look", plan={"actions": [spec]})["actions"]
        return dict(seen)

    def plan(self, *actions: Step) -> Answer:
        """A plan of kinds with their `after`, bound to what is there; what holds is left out."""
        self._number += 1
        specs: list[dict[str, Any]] = []
        for number, (kind, after) in enumerate(actions, 1):
            secret = "registry" if kind in ("login", "pull") and "user" in after else None
            name = f"{number:02}-{kind}"
            specs.append(
                {"id": name, "kind": kind, "title": name, "reason": "a test", "mends": [],
                 "before": {}, "after": after, "secret": secret}
            )  # fmt: skip
        run = self.host.run("date +%Y%m%d-%H%M%S-").stdout.strip() + str(self._number)
        plan: dict[str, Any] = {
            "schema": "sesam-audit/plan/1",
            "tool": "test",
            "run": run,
            "profile": {},
        }
        found = self.agent.ask("look", plan={**plan, "actions": specs}, secrets=self.secrets)
        assert "stop" not in found, found
        kept = []
        for spec, seen in zip(specs, found["actions"], strict=True):
            assert "stop" not in seen, seen
            if not seen["holds"]:
                kept.append({**spec, "before": seen["before"]})
        plan |= {"machine": found["machine"], "boot": found["boot"], "actions": kept}
        return {**plan, "id": plan_id(plan)}

    def carry_out(self, plan: Answer) -> Answer:
        """Start a plan and follow it to its result; all events stay in `told`."""
        started = self.agent.ask("start", plan=plan, secrets=self.secrets)
        assert "stop" not in started, started
        self.told = self.agent.follow(started["run"], started["from"])
        return self.told[-1]

    def do(self, *actions: Step) -> Answer:
        """Plan and carry out."""
        return self.carry_out(self.plan(*actions))

    def ended(self, verb: str) -> Answer:
        """Undo or finish the last run; the result."""
        started = self.agent.ask(verb)
        assert "stop" not in started, started
        return self.agent.follow(started["run"], started["from"])[-1]


@contextlib.contextmanager
def working_on(host: LabHost, text: bytes | None = None) -> Iterator[Work]:
    """A conversation with the agent, or what was made of its text, as root on the host."""
    enter = ("nsenter", f"--target={host.pid}", "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
    agent = Agent(python="/usr/bin/python3", before=enter, text=text)
    try:
        yield Work(host, agent)
    finally:
        agent.close()
