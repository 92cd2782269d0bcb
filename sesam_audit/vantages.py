"""The machines that look at a host from outside: each is a host itself, asked by the same probe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from sesam_audit.asks import AUDITOR, Ask
from sesam_audit.bootstrap import Privilege
from sesam_audit.decoding import answers
from sesam_audit.errors import HostError, Unknown
from sesam_audit.evidence import Answers
from sesam_audit.host import Conversation, Script, Way, address, ask_here, parse

Request = Callable[[Sequence[Ask[Any]]], tuple[bytes, Script, float]]


class Vantages:
    """One conversation with each `--from` host, shared by all audited hosts, one at a time."""

    def __init__(self, specs: Iterable[str], way: Way) -> None:
        # A vantage only dials, so it never needs root there.
        self._way = replace(way, privilege=Privilege.PLAIN, password=None)
        self._locks = {spec: threading.Lock() for spec in specs}
        self._open: dict[str, Conversation] = {}

    def ask(self, vantage: str, asks: Sequence[Ask[Any]], request: Request) -> Answers:
        """Ask one vantage; its trouble is an Unknown answer, never the host's fault."""
        line, script, seconds = request(asks)
        try:
            if vantage == AUDITOR:
                return answers(asks, ask_here(line))
            with self._locks[vantage]:
                return answers(asks, self._conversation(vantage).exchange(line, script, seconds))
        except HostError as error:
            return dict.fromkeys(asks, Unknown(f"needs a vantage: {error.what}"))
        except Exception as error:  # noqa: BLE001 - a vantage that fails proves nothing
            return dict.fromkeys(asks, Unknown(f"needs a vantage: {vantage} failed: {error}"))

    @cached_property
    def addresses(self) -> dict[str, str]:
        """What the auditor dials for each vantage; those without an address are left out."""
        found = {spec: address(parse(spec), self._way)[0] for spec in self._locks}
        return {spec: there for spec, there in found.items() if there}

    def _conversation(self, vantage: str) -> Conversation:
        if vantage not in self._open:
            self._open[vantage] = Conversation(parse(vantage), self._way)
        return self._open[vantage]

    def close(self) -> None:
        """End the probes on the vantages."""
        for conversation in self._open.values():
            conversation.close()
