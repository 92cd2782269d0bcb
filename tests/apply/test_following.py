"""Ctrl-C while a host is at work: it stops there or goes on there, and which is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sesam_audit.agent_link import AgentLink, Document, RefusedError
from sesam_audit.applying import Detached, carry_out, follow
from sesam_audit.errors import HostError

Say = Callable[[], Document]


class Link(AgentLink):
    """A link whose answers are given; `press` stands for Ctrl-C."""

    def __init__(self, *events: Say, **answers: Say) -> None:
        self._events, self._answers = iter(events), answers
        self.closing: Say = dict

    def ask(self, verb: str, **_: Any) -> Document:
        return self._answers[verb]()

    def follow(self, run: str, after: int, lost: Callable[[str], None]) -> Iterator[Document]:  # noqa: ARG002 - as the real one
        for say in self._events:
            yield say()

    def close(self) -> None:
        self.closing()


class Told:
    """What a person is told."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def event(self, event: Document) -> None:
        self.words.append(event["event"])

    def say(self, words: str) -> None:
        self.words.append(words)


def press() -> Document:
    raise KeyboardInterrupt


def away() -> Document:
    raise HostError("ssh://a: it did not answer in time", "Check it")


def refuse() -> Document:
    raise RefusedError("ssh://a: no space left", "", "failed")


def stopped() -> Document:
    return {"event": "result", "outcome": "stopped"}


def test_ctrl_c_once_stops_it() -> None:
    told = Told()

    assert follow(Link(press, stopped, stop=dict), "run", 0, told)["outcome"] == "stopped"
    assert told.words[0].startswith("Stopping after the present action")


@pytest.mark.parametrize("fault", [away, refuse])
def test_what_cannot_be_told_to_stop_goes_on(fault: Say) -> None:
    told = Told()

    with pytest.raises(Detached, match="The work goes on there"):
        follow(Link(press, stop=fault), "run", 0, told)

    assert told.words[0].startswith("It could not be told to stop: ssh://a: ")


@pytest.mark.parametrize("where", ["twice", "as it is told", "as the link is closed"])
def test_ctrl_c_twice_leaves_it(where: str) -> None:
    link = Link(press, press, stop=press if where == "as it is told" else dict)
    if where == "as the link is closed":
        link.closing = press

    with pytest.raises(Detached, match="The work goes on there"):
        follow(link, "run", 0, Told())


def test_ctrl_c_while_it_begins_says_that_it_may_have_begun() -> None:
    with pytest.raises(Detached, match="may have begun there"):
        carry_out(Link(start=press), {}, Told())
