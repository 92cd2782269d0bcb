"""The firewall evidence: one row for each documented rule and name, tried or not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from sesam_audit.asks import AUDITOR
from sesam_audit.destinations import BY_UPDATER, Consumer, destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts.control import Control
from sesam_audit.facts.inbound import ADDRESS, NAME_6, WAYS, Inbound
from sesam_audit.facts.layers import got_to, met, on_public_roots, source
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import PLACES, Rooms, where
from sesam_audit.facts.scene import Scene
from sesam_audit.facts.seen import Told
from sesam_audit.facts.trust import judge_chain
from sesam_audit.flow_proxy import proxy
from sesam_audit.flow_pulls import REGISTRY_ACCESS, pulls
from sesam_audit.flow_rows import Judged, documented, heard, moment, outward, row, shown, verdict
from sesam_audit.judge import Case
from sesam_audit.level import Outcome
from sesam_audit.model import Finding, Flow
from sesam_audit.rules import PROXY_RULE, RULES

_IN = {
    "IN-80": (80, "Let's Encrypt issues and renews the certificate", "Let's Encrypt"),
    "IN-443": (443, "clients use the node's API", "the node's clients"),
}
_SEEN = {
    "token": "ok",
    "stranger": "wrong-host",
    "refused": "tcp-refused",
    "silent": "tcp-timeout",
    "unresolved": "dns-fails",
}


def flows(case: Case, findings: Iterable[Finding]) -> Iterator[Flow]:
    """The rows of one host in the order of the guide's tables, then what the profile adds."""
    judged: Judged = {
        (item.id if item.subject is None else item.rule or "", item.subject): item
        for item in findings
        if item.category in ("inbound", "outbound") or item.id == REGISTRY_ACCESS
    }
    yield from _inbound(case, judged)
    yield from _outbound(case, judged)


# -- outbound --------------------------------------------------------------------------------------


def _outbound(case: Case, judged: Judged) -> Iterator[Flow]:
    reach = case.known[Reach]
    whole = replace(case.profile, certificates="letsencrypt")  # what is switched off is shown too
    named = {each.key: each for each in destinations(whole)}
    if isinstance(reach, Reach):
        named |= {key: each.destination for key, each in reach.reached.items()}
    control, rooms = case.known[Control], case.known[Rooms]
    found = []
    for key, each in named.items():
        given = {**outward(each, case), "control": _control(control, key, case)}
        finding, look = judged.get((each.rule, key)), partial(_reached, reach, key, case)
        if not each.context:
            found.append(row(given, finding, look))
            continue
        theirs = each.consumer is Consumer.CONTAINER
        updates = judged.get((each.rule, f"{key}{BY_UPDATER}"))
        there = {
            "vantage": "container",
            "context": PLACES[each.context],
            "consumer": Consumer.CONTAINER.value,
        }
        inside = partial(_inside, rooms, key, case)
        if theirs:
            found.append(row({**given, **there}, finding, inside))
            failed = finding is not None and finding.outcome is Outcome.FAILED
            by_host = finding if failed and found[-1].result == "not tried" else None
            found.append(row({**given, "need": "beside"}, by_host, look))
        else:
            found.append(row(given, finding, look))
            found.append(row({**given, **there}, updates, inside))
    found += [*pulls(case, judged), *proxy(case, judged)]
    order = [*RULES, PROXY_RULE, ""]
    yield from sorted(found, key=lambda flow: order.index(flow.rule))


def _inside(rooms: Rooms | Unknown, key: str, case: Case) -> dict[str, Any]:
    """What dialling it from a container brought. Raises Unknown when there was none."""
    if isinstance(rooms, Unknown):
        raise rooms
    if rooms.absent:
        raise Unknown(f"not tried from a container: {rooms.absent}")
    return _reached(rooms.reach, key, case)


def _control(control: Control | Unknown, key: str, case: Case) -> str:
    if isinstance(control, Unknown):
        return f"not known: {control.reason}"
    try:
        return control.word(key, case.then)
    except Exception as error:  # noqa: BLE001 - as of a row: its fault must not cost the report
        return f"not understood: {error!r}"


def _reached(reach: Reach | Unknown, key: str, case: Case) -> dict[str, Any]:
    """What one destination's dial brought. Raises Unknown when there was none."""
    if isinstance(reach, Unknown):
        raise reach
    if key not in reach.reached:
        raise Unknown("not dialled: the profile switches this rule off")
    destination = reach.reached[key].destination
    answer = heard(reach.reached[key].answer)
    result = verdict(partial(reach.dialled, key, case.then))
    proxy, inspectors = reach.way(reach.reached[key]), reach.inspectors(case.then)
    scene = Scene(answer, destination, case.then, reach.roots, proxy, inspectors)
    return {**shown(scene, *result), **moment(answer, case), "context": where(answer)}


# -- inbound ---------------------------------------------------------------------------------------


def _inbound(case: Case, judged: Judged) -> Iterator[Flow]:
    outside = case.known[Outside]
    views = outside.views if isinstance(outside, Outside) else (outside,)
    for rule, way in product(_IN, WAYS):
        finding = judged.get((rule, way))
        if way != NAME_6 or (finding and finding.outcome is not Outcome.NOT_APPLICABLE):
            for view in views:
                given = _inward(rule, view, way, case)
                yield row(given, finding, partial(_arrived, rule, view, way, case))
                if isinstance(view, Inbound):
                    for told in view.beside.get(way, {}).get(_IN[rule][0], ()):
                        there = partial(_at, rule, view, way, told, case)
                        yield row(given, finding, there)


def _inward(rule: str, view: Inbound | Unknown, way: str, case: Case) -> dict[str, Any]:
    port, purpose, consumer = _IN[rule]
    vantage, stands, name, address = AUDITOR, "none", case.profile.node_domain, ""
    if isinstance(view, Inbound):
        vantage, stands, address = view.vantage, view.stands, view.contact.address
        name = view.name if isinstance(view.name, str) else ""
        stands = "none" if stands == "unset" else stands
    return {
        **documented(rule, "", case.profile),
        "purpose": purpose,
        "need": "needed",
        "vantage": vantage,
        "context": f"{vantage}'s network, standing for {stands}",
        "consumer": consumer,
        "name": (address if way == ADDRESS else name) or way,
        "port": port,
        "at": case.at,
    }


def _arrived(rule: str, view: Inbound | Unknown, way: str, case: Case) -> dict[str, Any]:
    """What dialling one way in from one vantage brought. Raises Unknown when nobody could."""
    if isinstance(view, Unknown):
        raise view
    return _at(rule, view, way, view.answer(_IN[rule][0], way), case)


def _at(rule: str, view: Inbound, way: str, told: Told, case: Case) -> dict[str, Any]:
    """What one dial of a way brought; an address that it tried in vain is what counts."""
    port = _IN[rule][0]
    seen, *in_vain = view.met(told)
    seen = in_vain[0] if in_vain else seen
    answer = heard(told)
    tls = port == 443 and port not in view.listening
    words = got_to(answer, tls=tls, http=True, proxy="", named=way != ADDRESS)
    given: dict[str, Any] = {
        **words,
        **met(answer),
        **moment(answer),
        "source": source(answer),
        "result": _SEEN.get(seen.kind, seen.kind),
        "said": seen.text,
    }
    if seen.kind == "token":
        given["source_after_nat"] = seen.source
    if answer.addresses and (way == ADDRESS or told is not view.ways[way].get(port)):
        given["name"] = answer.addresses[0]
    name = view.name if isinstance(view.name, str) else ""
    trust = judge_chain(answer.chain, name, case.then, view.roots)
    return {**given, "public_roots": on_public_roots(answer, trust)}
