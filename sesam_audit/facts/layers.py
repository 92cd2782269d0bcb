"""How far one dial got, layer by layer, and whom it met: cells for a reviewer's table. Pure."""

from __future__ import annotations

from typing import Any

from sesam_audit.asks import DialAnswer
from sesam_audit.facts.leaf import leaf
from sesam_audit.facts.markers import location
from sesam_audit.facts.trust import Trust

LAYERS = ("dns", "tcp", "tls", "http")
_ORDER = ("dns", "tcp", "proxy", "tls", "http", "done")
_ERRORS = {
    "TIMEOUT": "timeout",
    "ECONNREFUSED": "refused",
    "ECONNRESET": "reset",
    "EHOSTUNREACH": "unreachable",
    "ENETUNREACH": "no route",
    "TLS": "fails",
    "HTTP": "fails",
}


def got_to(answer: DialAnswer, *, tls: bool, http: bool, proxy: str, named: bool) -> dict[str, str]:
    """Each layer's word: ok, why it ended there, "not reached" or "not tried"."""
    ended = _ORDER.index(answer.layer) if answer.layer in _ORDER else 0
    fault = _ERRORS.get(answer.error or "", answer.error or "no answer")
    words = {}
    for layer in LAYERS:
        place = _ORDER.index(layer)
        words[layer] = "ok" if place < ended else "not reached" if place > ended else fault
    if proxy:  # the proxy resolves the name; what is known is the way to the proxy
        words |= {"dns": "by the proxy", "tcp": "ok" if ended > 1 else f"to the proxy: {fault}"}
    tried = {"dns": named, "tls": tls, "http": http}
    return words | {layer: "not tried" for layer, did in tried.items() if not did}


def blamed(words: dict[str, str], verdict: str) -> dict[str, str]:
    """The words, with the verdict's at its own layer; what lies above only answered."""
    layer, _, said = verdict.partition("-")
    if verdict == "clock-skew":
        layer, said = "tls", verdict
    elif verdict in ("block-page", "wrong-service", "service-trouble"):
        layer, said = "http", verdict
    if layer not in LAYERS or words[layer] != "ok":
        return words
    above = LAYERS[LAYERS.index(layer) + 1 :]
    answered = {each: "answered" for each in above if words[each] == "ok"}
    return words | {layer: said} | answered


def met(answer: DialAnswer) -> dict[str, Any]:
    """Addresses, times, and what the far end showed of itself."""
    opened = next((each for each in answer.attempts if each.result == "open"), None)
    found = leaf(answer.chain[0]) if answer.chain else None
    shown: dict[str, Any] = {
        "addresses_v4": tuple(each for each in answer.addresses if ":" not in each),
        "addresses_v6": tuple(each for each in answer.addresses if ":" in each),
        "http_status": answer.status,
        "redirect": _redirect(answer),
        "proxy_status": answer.proxy_status,
        "tls_version": answer.tls_version,
        "host_store": _host_store(answer),
        "tcp_seconds": opened.seconds if opened else 0.0,
        **by_family(answer),
        "seconds": answer.seconds,
        "tries": answer.tries,
    }
    if found is not None:
        shown["leaf_subject"] = ", ".join(found.names[:3]) or found.subject
        shown["issuer"], shown["sha256"] = found.issuer, found.sha256
        shown["not_after"] = f"{found.not_after:%Y-%m-%d}"
    return shown


def by_family(answer: DialAnswer) -> dict[str, str]:
    """What TCP came to by IPv4 and by IPv6: ok, why not, "not tried", "" without an address.

    A host without an IPv6 route tries IPv4 first, and IPv6 not at all where that answers.
    """
    words = {}
    for family, version_6 in (("tcp_v4", False), ("tcp_v6", True)):
        tried = [x.result for x in answer.attempts if (":" in x.address) is version_6]
        there = any((":" in each) is version_6 for each in answer.addresses)
        failed = [_ERRORS.get(each, each) for each in tried if each != "open"]
        word = "ok" if "open" in tried else ", ".join(dict.fromkeys(failed))
        words[family] = word or ("not tried" if there else "")
    return words


def source(answer: DialAnswer) -> str:
    """The socket's own address on the dialling side."""
    return next((each.source for each in answer.attempts if each.source), "")


def on_public_roots(answer: DialAnswer, trust: Trust) -> str:
    """What public roots say of a chain, or that this cannot be told."""
    if not answer.chain:
        return ""
    hidden = not answer.whole_chain and answer.public is None
    return "not known: the chain was not shown" if hidden and not trust.trusted else trust.word


def _host_store(answer: DialAnswer) -> str:
    if not answer.chain or answer.trusted is None:
        return ""
    return "trusted" if answer.trusted else f"refused: {answer.trust_error or 'no words'}"


def _redirect(answer: DialAnswer) -> str:
    target = location(answer)
    return f"{target.hostname or ''}{target.path}" if 300 <= answer.status < 400 else ""
