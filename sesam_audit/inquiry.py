"""All facts of one host found in step: their questions of one round go out together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sesam_audit.asks import Ask
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Answers, Evidence, Known
from sesam_audit.profile import Profile

ROUND_ENDS = (0.75, 0.95, 1.0)  # by when each round's dials end, as parts of the deadline
MAX_ROUNDS = len(ROUND_ENDS)
_STEPS = 32  # a fact that asks for ever what is known ends here


class Inquiry:
    """The facts being found; `pending` are the questions of the next round."""

    def __init__(self, kinds: Iterable[type], profile: Profile) -> None:
        self._running: dict[type, Any] = {}
        self._waiting: dict[type, tuple[Ask[Any], ...]] = {}
        self._asked: dict[type, list[Ask[Any]]] = {}
        self._facts: dict[type, Any] = {}
        self._known: Answers = {}
        for kind in kinds:
            self._asked[kind] = []
            try:
                self._running[kind] = kind.ask(profile)  # type: ignore[attr-defined]
            except Exception as error:  # noqa: BLE001 - spoils its own fact only
                self._facts[kind] = Unknown(f"{kind.__name__} not understood: {error!r}")
            else:
                self._advance(kind, None)

    @property
    def pending(self) -> tuple[Ask[Any], ...]:
        """Each waiting question once, in order; none that has its answer."""
        asked = (ask for asks in self._waiting.values() for ask in asks)
        return tuple(dict.fromkeys(ask for ask in asked if ask not in self._known))

    def feed(self, answers: Answers) -> None:
        """Go on with every fact whose questions are all answered, as far as answers lead."""
        self._known.update(answers)
        for _ in range(_STEPS):
            ready = [
                (kind, asks)
                for kind, asks in self._waiting.items()
                if all(ask in self._known for ask in asks)
            ]
            for kind, asks in ready:
                self._advance(kind, tuple(self._known[ask] for ask in asks))
            if not ready:
                break

    def _advance(self, kind: type, answers: Any) -> None:
        self._waiting.pop(kind, None)
        try:
            asks = self._running[kind].send(answers)
        except StopIteration as stop:
            self._facts[kind] = stop.value
        except Unknown as unknown:
            self._facts[kind] = unknown
        except Exception as error:  # noqa: BLE001 - a parser's fault spoils its own fact only
            self._facts[kind] = Unknown(f"{kind.__name__} not understood: {error!r}")
        else:
            self._waiting[kind] = asks
            self._asked[kind].extend(asks)

    def finish(self, evidence: Evidence, reason: str) -> Known:
        """What is known now; a fact still waiting is Unknown for this reason."""
        for kind in list(self._waiting):
            self._facts[kind] = Unknown(reason)
        seconds = {
            kind: max((getattr(evidence[ask], "seconds", 0.0) for ask in asks), default=0.0)
            for kind, asks in self._asked.items()
        }
        asked = {kind: tuple(asks) for kind, asks in self._asked.items()}
        return Known(self._facts, asked, seconds)


def recall(kinds: Iterable[type], profile: Profile, evidence: Evidence) -> Known:
    """Find facts again from what was collected, without a host."""
    inquiry = Inquiry(kinds, profile)
    for _ in range(MAX_ROUNDS + 1):  # one more than over a wire, where Contact costs none
        inquiry.feed({ask: evidence[ask] for ask in inquiry.pending})
    return inquiry.finish(evidence, "not collected")
