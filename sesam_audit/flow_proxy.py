"""The row of the profile's proxy: whether the host gets there, and is let through. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from sesam_audit.asks import DialAnswer
from sesam_audit.destinations import destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts.layers import by_family, got_to, source
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.rooms import PLACES
from sesam_audit.facts.scene import Dialled, address_of
from sesam_audit.flow_rows import Judged, heard, moment, row
from sesam_audit.judge import Case
from sesam_audit.model import Flow
from sesam_audit.rules import PROXY_CONSEQUENCE, PROXY_RULE, PROXY_SENTENCE

_CONNECT = ("proxy-refused", "proxy-needs-auth")


def proxy(case: Case, judged: Judged) -> Iterator[Flow]:
    """One row where the profile names a proxy; the destinations behind it have their own."""
    if case.profile.proxy_address is None:
        return
    host, port = case.profile.proxy_address
    given = {
        "rule": PROXY_RULE,
        "asked": f"{port}/HTTP proxy from Sesam IP to {host}",
        "sentence": PROXY_SENTENCE,
        "if_closed": PROXY_CONSEQUENCE,
        "purpose": "the way to the destinations of the other outbound rules",
        "need": "needed",
        "vantage": "host",
        "context": PLACES[""],
        "consumer": "the host, its Docker daemon and its containers",
        "name": host,
        "port": port,
        "at": case.at,
    }
    yield row(given, judged.get(("outbound.proxy", None)), partial(_met, case))


def _met(case: Case) -> dict[str, Any]:
    """What the proxy did: its own fault first, then a refusal. Raises Unknown without either."""
    reach = case.known[Reach]
    if isinstance(reach, Unknown):
        raise reach
    needed = [each.key for each in destinations(case.profile) if each.needed and not each.direct]
    ways = {key: reach.through_proxy(key, case.then) for key in needed}
    refused = {key: way for key, way in ways.items() if isinstance(way, Dialled)}
    faults = [key for key, way in refused.items() if way.proxy_fault]
    passed = [key for key, way in ways.items() if way is None]
    key = next(iter((*faults, *refused, *passed)), "")
    if not key:
        raise next(way for way in ways.values() if isinstance(way, Unknown))
    answer = heard(_dialled(reach, key).answer)
    said = "; ".join(dict.fromkeys(way.text for way in refused.values()))
    result = refused[key].word if key in refused else "ok"
    return {
        **_layers(answer, result, named=address_of(case.profile.proxy_address[0]) is None),  # type: ignore[index]
        **moment(answer, case),
        "result": result,
        "said": said or f"CONNECT answered {answer.proxy_status}",
    }


def _dialled(reach: Reach, key: str) -> Reached:
    return reach.proxied.get(key) or reach.reached[key]


def _layers(answer: DialAnswer, result: str, *, named: bool) -> dict[str, Any]:
    """The way to the proxy and its own answer; what lies behind it is not its row's."""
    words = got_to(answer, tls=False, http=True, proxy="", named=named)
    tried = words["tcp"] == "ok"
    words["http"] = (result if result in _CONNECT else "ok") if tried else "not reached"
    opened = next((each for each in answer.attempts if each.result == "open"), None)
    where = dict.fromkeys(each.address for each in answer.attempts)
    return {
        **words,
        **by_family(answer),
        "addresses_v4": tuple(each for each in where if ":" not in each),
        "addresses_v6": tuple(each for each in where if ":" in each),
        "source": source(answer),
        "http_status": answer.proxy_status,
        "proxy_status": answer.proxy_status,
        "tcp_seconds": opened.seconds if opened else 0.0,
        "seconds": answer.seconds,
        "tries": answer.tries,
    }
