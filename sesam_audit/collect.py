"""Many hosts at once, each asked in at most three rounds: questions in, evidence and facts out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import HOST, Ask, Contact, ContactAnswer, Self
from sesam_audit.decoding import answers, request
from sesam_audit.errors import OURS, AuditError
from sesam_audit.evidence import Answers, Evidence, Known
from sesam_audit.host import Conversation, Script, Target, Way, address
from sesam_audit.inquiry import MAX_ROUNDS, ROUND_ENDS, Inquiry
from sesam_audit.probe_sh import script
from sesam_audit.profile import Profile
from sesam_audit.vantages import Vantages

_COMMANDS_SECONDS = 10.0  # what a round leaves for commands when its dials are done sooner
_LAST_DIALS = 0.3  # seconds that dials get at the least, when all else took longer


class Order(Struct, frozen=True, kw_only=True):
    """What to collect from every host, and how."""

    kinds: tuple[type, ...]
    profile: Profile
    way: Way
    secrets: dict[str, str] = {}
    jobs: int = 16


class Arrival(Struct, frozen=True, kw_only=True):
    """One host's evidence and facts, or the trouble it made."""

    target: Target
    evidence: Evidence
    known: Known
    trouble: str = ""
    remedy: str = ""
    seconds: float = 0.0


Progress = Callable[[Target, str], None]


class Collection:
    """Hosts being collected; `arrivals` holds each as soon as it is complete."""

    def __init__(
        self,
        targets: Sequence[Target],
        order: Order,
        progress: Progress,
        opened: Mapping[str, Conversation],
    ) -> None:
        self.targets = targets
        self.arrivals: SimpleQueue[Arrival] = SimpleQueue()
        self._stop = threading.Event()
        self._opened = dict(opened)
        self._vantages = Vantages((spec for spec, _ in order.profile.outside), order.way)
        self._order, self._progress = order, progress
        self._waiting: SimpleQueue[Target] = SimpleQueue()
        for target in targets:
            self._waiting.put(target)
        # Daemons: after Ctrl-C nobody waits for a slow host; its probe ends with our pipes.
        for _ in range(min(order.jobs, len(targets))):
            threading.Thread(target=self._work, daemon=True).start()

    def stop(self) -> None:
        """Start no further host; what is still being asked ends after its round."""
        self._stop.set()
        self._vantages.close()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                target = self._waiting.get_nowait()
            except Empty:
                return
            self._collect(target)

    def _collect(self, target: Target) -> None:
        started = time.time()
        evidence = Evidence(target.spec, started)
        inquiry = Inquiry(self._order.kinds, self._order.profile)
        trouble = remedy = ""
        host: Conversation | None = None
        try:
            self._progress(target, "connecting")
            host = self._opened.pop(target.spec, None) or Conversation(target, self._order.way)
            _Rounds(
                target, host, self._order, inquiry, evidence, self._progress, self._vantages
            ).run(self._stop)
        except AuditError as error:
            named = error.what.startswith(target.spec)
            trouble = error.what if named else f"{target.spec}: {error.what}"
            remedy = error.remedy
        except Exception as error:  # noqa: BLE001 - one host's fault never ends the others
            trouble = f"{target.spec}: {type(error).__name__}: {error}"
            remedy = OURS
        reason = trouble or f"it would take more than {MAX_ROUNDS} rounds"
        self.arrivals.put(
            Arrival(
                target=target,
                evidence=evidence,
                known=inquiry.finish(evidence, reason),
                trouble=trouble,
                remedy=remedy,
                seconds=time.time() - started,
            )
        )
        if host:  # it is judged while its program ends
            host.close()


class _Rounds:
    """The conversation with one host, and with the vantages that look at it."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parties of one conversation
        self,
        target: Target,
        host: Conversation,
        order: Order,
        inquiry: Inquiry,
        evidence: Evidence,
        progress: Progress,
        vantages: Vantages,
    ) -> None:
        self._vantages = vantages
        self._target, self._host, self._order = target, host, order
        self._inquiry, self._evidence, self._progress = inquiry, evidence, progress
        self._dialled = 0.0  # seconds that rounds with dials have taken
        self._dialling = 0.0  # seconds that the dials of this round have
        there, port = address(target, self._order.way)
        self._contact = ContactAnswer(
            scheme=target.scheme, address=there, port=port, vantages=vantages.addresses
        )

    def run(self, stop: threading.Event) -> None:
        """Ask until all facts are found, the rounds are used up, or the host fails."""
        for number in range(MAX_ROUNDS):
            self._inquiry.feed({Contact(): self._contact})
            asks = self._inquiry.pending
            if stop.is_set() or not (asks or number == 0):
                break
            if number == 0:  # whoever is selected, the report says who looked
                asks = tuple(dict.fromkeys((Self(), *asks)))
            end = self._order.profile.deadline * ROUND_ENDS[number]
            self._dialling = max(_LAST_DIALS, end - self._dialled)
            self._evidence.answers.update(self._round(asks))
            self._inquiry.feed(self._evidence.answers)
            self._progress(self._target, f"round {number + 1} answered")

    def _round(self, asks: Sequence[Ask[Any]]) -> Answers:
        places: dict[str, list[Ask[Any]]] = {HOST: []}
        for ask in asks:
            if not isinstance(ask, Contact):
                places.setdefault(getattr(ask, "vantage", HOST), []).append(ask)
        here = places.pop(HOST)
        asked, begun = time.time(), time.monotonic()
        theirs: Answers = {}
        helpers = [
            threading.Thread(target=self._from_vantage, args=(place, away, theirs))
            for place, away in places.items()
        ]
        for helper in helpers:
            helper.start()
        try:
            mine = self._from_host(here) if here else {}
        finally:
            for helper in helpers:
                helper.join()
        self._dialled += time.monotonic() - begun
        if here and not self._contact.answered:
            self._contact = replace(self._contact, asked=asked, answered=time.time())
        return {Contact(): self._contact, **theirs, **mine}

    def _from_host(self, asks: Sequence[Ask[Any]]) -> Answers:
        seconds = max(self._dialling + 0.5, _COMMANDS_SECONDS)
        line = request(asks, seconds, self._order.secrets, self._dialling)
        return answers(asks, self._host.exchange(line, _script(asks, seconds), seconds))

    def _from_vantage(self, vantage: str, asks: Sequence[Ask[Any]], into: Answers) -> None:
        def line(asks: Sequence[Ask[Any]]) -> tuple[bytes, Script, float]:
            seconds = self._dialling + 0.5
            spelt = request(asks, seconds, {}, self._dialling)
            return spelt, _script(asks, seconds), seconds

        into.update(self._vantages.ask(vantage, asks, line))


def _script(asks: Sequence[Ask[Any]], seconds: float) -> Script:
    return lambda marker: script(marker, asks, deadline=seconds)


def fact_kinds(wanted: Iterable[Iterable[type]]) -> tuple[type, ...]:
    """Each fact type once, in order."""
    return tuple(dict.fromkeys(kind for kinds in wanted for kind in kinds))
