"""What the audit itself did, for the reviewer: connections, DNS, and what stood for seconds."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.asks import (
    Answer,
    Dial,
    DialAnswer,
    Fsync,
    FsyncAnswer,
    Listen,
    ListenAnswer,
    Lookup,
    Pull,
    PullAnswer,
)
from sesam_audit.destinations import SESAM
from sesam_audit.errors import Lack, Unknown
from sesam_audit.evidence import Evidence
from sesam_audit.facts.pull import AUTH


def sent(evidence: Evidence) -> Iterator[str]:
    """One line for each connection and DNS question of the audit, and for what it created."""
    for ask, answer in evidence.answers.items():
        if _never(answer):
            continue
        if isinstance(ask, Dial):
            what = f"GET {ask.path}" if ask.path else "TLS handshake" if ask.tls else "TCP connect"
            proxy = answer.proxy if isinstance(answer, DialAnswer) and answer.proxy else ask.proxy
            through = f" through {proxy}" if proxy else ""
            to = f" at {ask.address}" if ask.address else ""
            yield f"{ask.context or ask.vantage} -> {ask.name}:{ask.port}{to}{through}: {what}"
        elif isinstance(ask, Listen) and isinstance(answer, ListenAnswer):
            ports = [port for port, fault in (answer.ports or {}).items() if not fault]
            if ports:
                where = "a container published" if answer.published else "host: listened on"
                yield f"{where} {' and '.join(ports)} until the audit's end"
        elif isinstance(ask, Pull) and isinstance(answer, PullAnswer):
            proxy = (answer.last.proxy if answer.last else "") or ask.proxy
            through = f" through {proxy}" if proxy else ""
            for step in answer.steps:
                shown = ask.login_file and step.host == AUTH and step.error != "TLS"
                login = " with the login" if shown else ""
                yield f"{ask.vantage} -> {step.host}{through}: pull, {step.path}{login}"
        elif isinstance(ask, Lookup):
            yield f"{ask.vantage} -> its resolver: DNS {ask.type} {ask.name}"
        elif isinstance(ask, Fsync) and isinstance(answer, FsyncAnswer) and answer.writes:
            yield f"host: wrote {answer.writes} times 4 KiB to a file in {ask.path}, and removed it"
    yield from _room(evidence)


def _never(answer: Answer | Unknown) -> bool:
    """Whether what was asked for was not even tried."""
    if isinstance(answer, Unknown):  # of all that is told here only a vantage lacks one
        return answer.lacks is Lack.VANTAGE
    return answer.error in ("NOROOM", "UNSUPPORTED")


_ATTEMPTED = (
    "Docker: ",
    "a container could not be made",
    "the addresses for its network",
    "no container stood in time",
    "this machine's kernel does not let it in",
    "no thread could be started",
)
"""Why there was no container to dial from, where Docker had been asked for one (probe/room.py)."""


def _room(evidence: Evidence) -> Iterator[str]:
    """What Docker on the target was asked to create and to remove."""
    stood, failed = set(), ""
    for ask, answer in evidence.answers.items():
        if isinstance(answer, ListenAnswer) and answer.published:
            stood.add("")
        elif isinstance(ask, Dial) and isinstance(answer, DialAnswer):
            if answer.error == "NOROOM":
                failed = answer.detail if answer.detail.startswith(_ATTEMPTED) else failed
            elif answer.context.startswith("container"):
                stood.add(answer.context)
    made = "an image without content was imported, a network made and a container on it"
    if SESAM in stood:
        made += ", and one on the network sesam"
    limit = "" if stood else f", as far as it could ({failed})"
    if stood or failed:
        yield f"the target's Docker: {made}{limit}; all labelled, to be removed at the audit's end"
