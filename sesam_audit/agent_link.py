"""Speak with the agent on a host: requests and replies, and events across lost connections."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from sesam_audit.errors import AuditError, HostError
from sesam_audit.host import Conversation, Target, Way
from sesam_audit.shipping import program

Document = dict[str, Any]
_REPLY_SECONDS = 120.0  # of silence; a look that walks trees has a heartbeat every 5
_SILENCE_SECONDS = 20.0  # the agent's heart beats every 5
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)


class RefusedError(AuditError):
    """The agent would not: its words, and what a person does next."""

    def __init__(self, what: str, remedy: str, kind: str) -> None:
        super().__init__(what, remedy)
        self.kind = kind


class AgentLink:
    """One connection to the agent, made again when it was lost."""

    def __init__(self, target: Target, way: Way) -> None:
        self._target, self._way = target, way
        self._open: Conversation | None = None

    def ask(self, verb: str, **more: Any) -> Document:
        """One request with one reply.

        Raises:
            RefusedError: the agent answered that it will not.
            HostError: it could not be reached, or sent what is no answer.
        """
        self._send(verb, more)
        while "heartbeat" in (said := self._reply(_REPLY_SECONDS)):
            pass
        return said

    def follow(self, run: str, after: int, lost: Callable[[str], None]) -> Iterator[Document]:
        """The events of a run beyond a number, to its result, whatever connections do.

        `lost` is told why a connection ended, each time. The work goes on without one.

        Raises:
            HostError: the host could not be reached again for some minutes.
            RefusedError: the host knows no such run.
        """
        pauses = iter(_PAUSES)
        while True:
            try:
                self._send("follow", {"run": run, "from": after})
                while True:
                    event = self._reply(_SILENCE_SECONDS)
                    pauses = iter(_PAUSES)
                    after = event.get("seq", after)
                    yield event
                    if event["event"] in ("result", "gone"):
                        return
            except HostError as error:
                self.close()
                pause = next(pauses, None)
                if pause is None:
                    raise
                lost(error.what)
                time.sleep(pause)

    def close(self) -> None:
        """End the connection; work that was started goes on."""
        if self._open:
            self._open.close()
            self._open = None

    def _send(self, verb: str, more: Document) -> None:
        if self._open is None:
            self._open = Conversation(self._target, self._way, program("agent"))
        self._open.send(json.dumps({"verb": verb, **more}).encode())

    def _reply(self, seconds: float) -> Document:
        assert self._open  # noqa: S101 - for the type checker
        try:
            said = json.loads(self._open.receive(seconds))
        except ValueError as error:
            raise HostError(f"{self._target.spec}: the agent sent no JSON") from error
        if not isinstance(said, dict):
            raise HostError(f"{self._target.spec}: the agent sent no answer")
        if "stop" in said:
            words = f"{self._target.spec}: {said['stop']}"
            raise RefusedError(words, str(said.get("next", "")), str(said.get("kind", "")))
        return said
