"""The auditor's connection breaks at every point of a run: nothing is lost or told twice.

CI takes every other point; all of them with SESAM_AUDIT_KILL_ALL=1.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from sesam_audit import agent_link, applying
from sesam_audit.agent_link import AgentLink, Document, RefusedError
from sesam_audit.errors import HostError
from sesam_audit.host import Way, parse
from sesam_audit.shipping import program

from . import harness
from .harness import looks

PLAN = tuple(each for each in harness.PLAN if each.kind != "login")  # which asks a daemon


class Cut:
    """Follows a run as a person's terminal does; ends the connection after one of its events."""

    def __init__(self, link: AgentLink, after: int) -> None:
        self._link, self._after = link, after
        self.events: list[Document] = []
        self.words: list[str] = []

    def event(self, event: Document) -> None:
        if event["event"] != "heartbeat":
            self.events.append(event)
        if len(self.events) == self._after and self._link._open:
            self.cut()

    def say(self, words: str) -> None:
        self.words.append(words)

    def cut(self) -> None:
        assert self._link._open
        process = self._link._open._channel._process
        for each in (*_below(process.pid), process.pid):
            os.kill(each, signal.SIGKILL)
        process.wait()


def _below(pid: int) -> list[int]:
    """The children of a process, and theirs; whoever detached is none of them."""
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, told) for each in (*_below(child), child)]


@contextlib.contextmanager
def linked(root: Path) -> Iterator[AgentLink]:
    """The auditor's end of a connection to the agent on that root."""
    packed = program("agent", str(root))
    with (
        mock.patch.object(agent_link, "program", return_value=packed),
        mock.patch.object(agent_link, "_PAUSES", (0.05,) * 20),
    ):
        link = AgentLink(parse("local://"), Way())
        try:
            yield link
        finally:
            link.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    """How many events a run tells, and the tree after it."""
    root = tmp_path_factory.mktemp("undisturbed")
    harness.seed(root)
    events = harness.here(harness.planned(root, PLAN), root)[1:]
    assert events[-1]["outcome"] == "done"
    return len(events), looks(root)


def test_after_any_event_the_run_is_followed_to_its_end(
    tmp_path_factory: pytest.TempPathFactory, undisturbed: tuple[int, dict[str, Any]]
) -> None:
    number, wanted = undisturbed
    assert number > 30
    for after in harness.sampled(range(1, number), 18):
        root = tmp_path_factory.mktemp("cut")
        harness.seed(root)
        request = harness.planned(root, PLAN)
        with linked(root) as link:
            cut = Cut(link, after)
            result = applying.carry_out(link, _without_verb(request), cut)
        assert result["outcome"] == "done", (after, result)
        assert len(cut.words) == 1, (after, cut.words)
        assert [each["seq"] for each in cut.events] == list(range(1, number + 1)), after
        assert looks(root) == wanted, after


@pytest.mark.parametrize("heard", [False, True])
def test_before_the_answer_the_same_request_comes_to_the_same_end(
    tmp_path: Path, undisturbed: tuple[int, dict[str, Any]], *, heard: bool
) -> None:
    """Whether the agent heard the request or not, which nobody can know."""
    number, wanted = undisturbed
    root = tmp_path / "root"
    harness.seed(root)
    request = _without_verb(harness.planned(root, PLAN))
    with linked(root) as link:
        cut = Cut(link, 0)
        link.ask("status")
        if heard:
            link._send("start", request)
            time.sleep(1)
            cut.cut()
        else:
            cut.cut()
            with pytest.raises(HostError):
                link.ask("start", **request)
        link.close()
        if heard:
            with pytest.raises(RefusedError, match="its plan is not used again"):
                applying.carry_out(link, request, cut)
            result = applying.follow(link, request["plan"]["run"], 0, cut)
        else:
            result = applying.carry_out(link, request, cut)

    assert result["outcome"] == "done"
    assert cut.events[-1]["seq"] == number
    assert looks(root) == wanted


def _without_verb(request: Document) -> Document:
    return {key: each for key, each in request.items() if key != "verb"}
