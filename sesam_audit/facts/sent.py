"""What the audit itself sent over the network, for the reviewer: read off the questions asked."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.asks import Dial, Lookup
from sesam_audit.evidence import Evidence


def sent(evidence: Evidence) -> Iterator[str]:
    """One line for each connection and DNS question that the audit made."""
    for ask in evidence.answers:
        if isinstance(ask, Dial):
            what = f"GET {ask.path}" if ask.path else "TLS handshake" if ask.tls else "TCP connect"
            through = f" through {ask.proxy}" if ask.proxy else ""
            to = f" at {ask.address}" if ask.address else ""
            yield f"{ask.vantage} -> {ask.name}:{ask.port}{to}{through}: {what}"
        elif isinstance(ask, Lookup):
            yield f"{ask.vantage} -> its resolver: DNS {ask.type} {ask.name}"
