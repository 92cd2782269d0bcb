"""The machines that look at a host from outside: each is a host itself, asked by the same probe."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from shlex import quote
from typing import Any

from sesam_audit.asks import AUDITOR, Ask
from sesam_audit.bootstrap import Privilege
from sesam_audit.decoding import answers
from sesam_audit.errors import HostError, Unknown, UnreachedError, needs_vantage
from sesam_audit.evidence import Answers
from sesam_audit.host import Conversation, Script, Way, address, ask_here, parse

Request = Callable[[Sequence[Ask[Any]]], tuple[bytes, Script, float]]

WIDTH = 8
"""Conversations with one vantage: sshd begins to refuse at ten (MaxStartups 10:30:100)."""
PATIENCE = 15.0
"""Seconds a host waits for its turn: a listener that is dialled after its end proves nothing."""


class Vantages:
    """Conversations with the `--from` hosts, for all audited hosts."""

    def __init__(self, specs: Iterable[str], way: Way) -> None:
        # A vantage only dials, so it never needs root there. Its conversations outlive a host's.
        self._way = replace(way, privilege=Privilege.PLAIN, password=None, timeout=math.inf)
        self._lines = {spec: _Lines(spec, self._way) for spec in specs}

    def ask(self, vantage: str, asks: Sequence[Ask[Any]], request: Request) -> Answers:
        """Ask one vantage; its trouble is an Unknown answer, never the host's fault."""
        line, script, seconds = request(asks)
        try:
            if vantage == AUDITOR:
                return answers(asks, ask_here(line))
            return answers(asks, self._lines[vantage].exchange(line, script, seconds))
        except UnreachedError as error:
            return dict.fromkeys(asks, _missing(vantage, error))
        except HostError as error:
            return dict.fromkeys(asks, Unknown(f"{error.what}; what it dialled is not known"))
        except Exception as error:  # noqa: BLE001 - a vantage that fails proves nothing
            return dict.fromkeys(asks, Unknown(f"{vantage} failed: {error}"))

    @cached_property
    def addresses(self) -> dict[str, str]:
        """What the auditor dials for each vantage; those without an address are left out."""
        found = {spec: address(parse(spec), self._way)[0] for spec in self._lines}
        return {spec: there for spec, there in found.items() if there}

    def close(self) -> None:
        """End the probes on the vantages."""
        for lines in self._lines.values():
            lines.close()


def _missing(vantage: str, error: UnreachedError) -> Unknown:
    """The answer to what nobody was asked: this alone says that it lacks a vantage."""
    why = error.what.removeprefix(f"{vantage}: ")
    command = f"ssh {quote(vantage)} true" if vantage.startswith("ssh:") else ""
    return needs_vantage(f"{vantage} was not reached: {why}", command)


class _Lines:
    """Some conversations with one vantage, each asked by one host at a time."""

    def __init__(self, spec: str, way: Way) -> None:
        self._spec, self._way = spec, way
        self._turns = threading.BoundedSemaphore(WIDTH)
        self._lock = threading.Lock()  # guards what follows
        self._idle: list[Conversation] = []
        self._closed = False
        self._reached = False
        self._trouble: HostError | None = None  # of a vantage that was never reached

    def exchange(self, line: bytes, script: Script, seconds: float) -> bytes:
        """One round, on a conversation that is at rest or a new one.

        Raises:
            HostError: the vantage did not answer, was busy, or the audit has ended.
        """
        if not self._turns.acquire(timeout=PATIENCE):
            raise UnreachedError(f"{self._spec}: it was busy with other hosts for {PATIENCE:.0f} s")
        try:
            conversation = self._taken()
            try:
                frame = conversation.exchange(line, script, seconds)
            except BaseException as error:
                # What it still says would be taken for the answer to the next question.
                conversation.close()
                self._note(error)
                raise
            self._put(conversation)
            return frame
        finally:
            self._turns.release()

    def _taken(self) -> Conversation:
        with self._lock:
            if self._closed:
                raise UnreachedError(f"{self._spec}: the audit has ended")
            if self._trouble:
                raise self._trouble
            if self._idle:
                return self._idle.pop()
        return Conversation(parse(self._spec), self._way)

    def _note(self, error: BaseException) -> None:
        with self._lock:
            if isinstance(error, HostError) and not self._reached:
                self._trouble = error  # no other host waits for it in vain

    def _put(self, conversation: Conversation) -> None:
        with self._lock:
            self._reached, self._trouble = True, None
            if not self._closed:
                self._idle.append(conversation)
                return
        conversation.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for conversation in idle:
            conversation.close()
