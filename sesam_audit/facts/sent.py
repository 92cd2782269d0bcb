"""What the audit itself sent over the network, for the reviewer: read off the questions asked."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.asks import Dial, DialAnswer, Listen, ListenAnswer, Lookup, Pull, PullAnswer
from sesam_audit.evidence import Evidence
from sesam_audit.facts.pull import AUTH


def sent(evidence: Evidence) -> Iterator[str]:
    """One line for each connection and DNS question that the audit made."""
    for ask, answer in evidence.answers.items():
        if isinstance(ask, Dial) and isinstance(answer, DialAnswer) and answer.error == "NOROOM":
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
