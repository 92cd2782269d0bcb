"""The event log: what people are told, numbered, so that a follower can go on where it was."""

import json
import os
import time
from typing import Any, Callable, Dict, List

from .journal import canonical, utc
from .masking import Mask
from .state import Run, State, alive

Event = Dict[str, Any]
HEARTBEAT = 5.0  # seconds of silence
_TURN = 0.1
_SHORT = ("seq", "at", "event", "action", "outcome")  # what is left of a longer one
_LONGEST = 1 << 20  # bytes of one event


class Events:
    """The log of one run, to be written."""

    def __init__(self, run: Run, secrets: Dict[str, str]) -> None:
        self._mask = Mask(secrets.items())
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(run.inside("events"), flags, 0o600)
        known = read(run, 0)
        self._number = known[-1]["seq"] if known else 0
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # torn by a crash
            os.write(self._file, b"\n")

    def __call__(self, event: str, **more: Any) -> None:
        """Add an event. A full disk costs the event, never the work."""
        self._number += 1
        told = dict(self._mask.all_of(more), seq=self._number, at=utc(), event=event)
        line = canonical(told)
        if len(line) > _LONGEST:
            kept = {key: told[key] for key in _SHORT if key in told}
            line = canonical(kept)
        try:
            os.write(self._file, line + b"\n")
        except OSError:
            self._number -= 1

    def close(self) -> None:
        """End writing."""
        os.close(self._file)

    def spelt(self, value: Any) -> bytes:
        """A result as JSON, without secrets."""
        return canonical(self._mask.all_of(value))


def read(run: Run, after: int) -> List[Event]:
    """The events beyond a number; what a crash has torn is left out."""
    return [event for event in _Tail(run).more() if event["seq"] > after]


class _Tail:
    """The end of a log that grows."""

    def __init__(self, run: Run) -> None:
        self._path = run.inside("events")
        self._at = 0

    def more(self) -> List[Event]:
        """The whole lines since the last question."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._at)
                lines = file.read().splitlines(True)
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._at += len(line)
            try:
                event = json.loads(line.decode("ascii"))
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("seq"), int):
                found.append(event)
        return found


def follow(state: State, run: Run, after: int, tell: Callable[[Event], None]) -> None:
    """Tell events as they come, until the attempt ends or its worker is gone.

    `after` is the number of the last event that is known. Silence is filled with heartbeats, so
    that a dead connection shows.
    """
    told, tail = time.monotonic(), _Tail(run)
    while True:
        held = state.held()
        # after the question, so that the last words are not missed
        events = [event for event in tail.more() if event["seq"] > after]
        for event in events:
            tell(event)
            after, told = event["seq"], time.monotonic()
        if events and events[-1]["event"] == "result":
            return
        if not held and not events:
            result = run.kept("result.json")
            tell({"event": "gone", "seq": after, "result": result and json.loads(result.decode())})
            return
        if time.monotonic() - told > HEARTBEAT:
            tell({"event": "heartbeat", "seq": after, "alive": alive(state.holder())})
            told = time.monotonic()
        time.sleep(_TURN)
