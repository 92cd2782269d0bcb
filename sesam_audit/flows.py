"""The firewall evidence: one row for each documented rule and name, tried or not. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

from sesam_audit.asks import AUDITOR, DialAnswer
from sesam_audit.destinations import (
    BY_UPDATER,
    Consumer,
    Destination,
    destinations,
    layer_host,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.control import Control
from sesam_audit.facts.inbound import ADDRESS, NAME_6, WAYS, Inbound
from sesam_audit.facts.layers import blamed, got_to, met, on_public_roots, source
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.pull import Pulled, Rehearsal, known
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import PLACES, Rooms, where
from sesam_audit.facts.scene import Dialled, Scene
from sesam_audit.facts.seen import Told
from sesam_audit.facts.trust import judge_chain
from sesam_audit.judge import Case
from sesam_audit.model import Finding, Flow, Outcome
from sesam_audit.rules import RULES

_EXTRA = "Not in the guide: the profile adds it (extra_destinations)."
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

Judged = Mapping[tuple[str, str | None], Finding]


def flows(case: Case, findings: Iterable[Finding]) -> Iterator[Flow]:
    """The rows of one host in the order of the guide's tables, then what the profile adds."""
    network = [item for item in findings if item.category in ("inbound", "outbound")]
    judged: Judged = {
        (item.id if item.subject is None else item.rule or "", item.subject): item
        for item in network
    }
    yield from _inbound(case, judged)
    yield from _outbound(case, judged)


def _row(
    given: dict[str, Any], finding: Finding | None, look: Callable[[], dict[str, Any]]
) -> Flow:
    """One row; whatever keeps it from being filled is said in it."""
    if finding is not None:
        given["outcome"], given["finding"] = finding.outcome.value, finding.id
        given["subject"] = finding.subject or ""
    try:
        return Flow(**{**given, **look()})
    except Unknown as unknown:
        off = finding is not None and finding.outcome is Outcome.NOT_APPLICABLE
        reason = finding.reason if finding is not None and off else None
        return Flow(**given, said=reason or unknown.reason)
    except Exception as error:  # noqa: BLE001 - one row's fault must not cost the report
        return Flow(**given, result="unknown", said=f"not understood: {error!r}")


def _documented(rule: str, asked: str) -> dict[str, str]:
    found = RULES.get(rule)
    if found is None:
        return {"rule": rule, "asked": asked, "sentence": _EXTRA}
    asked = f"{found.port} from {found.source} to {', '.join(found.destinations)}"
    said = {"sentence": found.sentence, "if_closed": found.consequence}
    return {"rule": rule, "asked": asked, **said}


# -- outbound --------------------------------------------------------------------------------------


def _outbound(case: Case, judged: Judged) -> Iterator[Flow]:
    reach = case.known[Reach]
    whole = replace(case.profile, certificates="letsencrypt")  # what is switched off is shown too
    shown = {each.key: each for each in destinations(whole)}
    if isinstance(reach, Reach):
        shown |= {key: each.destination for key, each in reach.reached.items()}
    control, rooms = case.known[Control], case.known[Rooms]
    found = []
    for key, each in shown.items():
        given = {**_outward(each, case), "control": _control(control, key, case)}
        finding, look = judged.get((each.rule, key)), partial(_reached, reach, key, case)
        if not each.context:
            found.append(_row(given, finding, look))
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
            found.append(_row({**given, **there}, finding, inside))
            found.append(_row({**given, "need": "beside"}, None, look))
        else:
            found.append(_row(given, finding, look))
            found.append(_row({**given, **there}, updates, inside))
    found.append(_layers(case, judged))
    order = [*RULES, ""]
    yield from sorted(found, key=lambda flow: order.index(flow.rule))


def _layers(case: Case, judged: Judged) -> Flow:
    """Where the rehearsal of a pull ended: the host that keeps the layers, whatever its name."""
    rehearsal = case.known[Rehearsal]
    pulled = rehearsal.public if isinstance(rehearsal, Rehearsal) else None
    host = pulled.host if isinstance(pulled, Pulled) else ""
    given = _outward(layer_host(host or "layers of a public image"), case)
    given["purpose"] = "the first bytes of an image's layer, as a pull is led to them"
    return _row(
        given, judged.get(("outbound.docker-layers", None)), partial(_rehearsed, rehearsal, case)
    )


def _outward(destination: Destination, case: Case) -> dict[str, Any]:
    needed = destination.needed
    return {
        **_documented(destination.rule, f"{destination.port}/TCP to {destination.key}"),
        "purpose": f"{destination.service.value} for {destination.by}",
        "need": "needed" if needed else "indicator",
        "vantage": "host",
        "context": "the host's network path",
        "consumer": destination.consumer.value,
        "name": destination.name,
        "port": destination.port,
        "at": case.at,
    }


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
    return control.word(key, case.now)


def _reached(reach: Reach | Unknown, key: str, case: Case) -> dict[str, Any]:
    """What one destination's dial brought. Raises Unknown when there was none."""
    if isinstance(reach, Unknown):
        raise reach
    if key not in reach.reached:
        raise Unknown("not dialled: the profile switches this rule off")
    destination = reach.reached[key].destination
    answer = _heard(reach.reached[key].answer)
    result = _verdict(partial(reach.dialled, key, case.now))
    proxy, inspectors = reach.way(reach.reached[key]), reach.inspectors(case.now)
    scene = Scene(answer, destination, case.now, reach.roots, proxy, inspectors)
    shown = _shown(scene, *result)
    return {**shown, "context": where(answer)}


def _rehearsed(rehearsal: Rehearsal | Unknown, case: Case) -> dict[str, Any]:
    """What the last connection of a rehearsed pull brought. Raises Unknown when there was none."""
    if isinstance(rehearsal, Unknown):
        raise rehearsal
    pulled = known(rehearsal.public)
    pulled.tried()
    answer = _heard(pulled.answer.last or Unknown("the rehearsal showed no connection"))
    scene = Scene(answer, layer_host(pulled.host), case.now, pulled.roots, pulled.proxy)
    return _shown(scene, *_verdict(partial(rehearsal.layers, case.now)))


def _shown(scene: Scene, result: str, said: str) -> dict[str, Any]:
    answer, destination = scene.answer, scene.destination
    words = got_to(
        answer, tls=destination.tls, http=bool(destination.path), proxy=scene.proxy, named=True
    )
    trust = scene.public_trust()
    roots = on_public_roots(answer, trust)
    return {
        **blamed(words, result),
        **met(answer),
        "source": source(answer),
        "public_roots": roots,
        "interception": scene.inspector or "",
        "proxy": scene.proxy,
        "proxy_from": answer.proxy_from or ("the profile" if scene.proxy else ""),
        "result": result,
        "said": said,
    }


def _heard(answer: DialAnswer | Unknown) -> DialAnswer:
    if isinstance(answer, Unknown):
        raise answer
    if answer.error == "UNSUPPORTED":
        raise Unknown("there is no Python 3.6 or later, which dialling needs")
    if (answer.error or "").startswith("CRASH"):
        raise Unknown(f"dialling went wrong: {answer.error}")
    return answer


def _verdict(judge: Callable[[], Dialled]) -> tuple[str, str]:
    try:
        verdict = judge()
    except Unknown as unknown:
        return "unknown", unknown.reason
    return verdict.word, verdict.text


# -- inbound ---------------------------------------------------------------------------------------


def _inbound(case: Case, judged: Judged) -> Iterator[Flow]:
    outside = case.known[Outside]
    views = outside.views if isinstance(outside, Outside) else (outside,)
    for rule, way in product(_IN, WAYS):
        finding = judged.get((rule, way))
        if way != NAME_6 or (finding and finding.outcome is not Outcome.NOT_APPLICABLE):
            for view in views:
                given = _inward(rule, view, way, case)
                yield _row(given, finding, partial(_arrived, rule, view, way, case))
                if isinstance(view, Inbound):
                    for told in view.beside.get(way, {}).get(_IN[rule][0], ()):
                        there = partial(_at, rule, view, way, told, case)
                        yield _row(given, finding, there)


def _inward(rule: str, view: Inbound | Unknown, way: str, case: Case) -> dict[str, Any]:
    port, purpose, consumer = _IN[rule]
    vantage, stands, name, address = AUDITOR, "none", case.profile.node_domain, ""
    if isinstance(view, Inbound):
        vantage, stands, address = view.vantage, view.stands, view.contact.address
        name = view.name if isinstance(view.name, str) else ""
        stands = "none" if stands == "unset" else stands
    return {
        **_documented(rule, ""),
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
    answer = _heard(told)
    tls = port == 443 and port not in view.listening
    words = got_to(answer, tls=tls, http=True, proxy="", named=way != ADDRESS)
    given: dict[str, Any] = {
        **words,
        **met(answer),
        "source": source(answer),
        "result": _SEEN.get(seen.kind, seen.kind),
        "said": seen.text,
    }
    if seen.kind == "token":
        given["source_after_nat"] = seen.source
    if answer.addresses and (way == ADDRESS or told is not view.ways[way].get(port)):
        given["name"] = answer.addresses[0]
    name = view.name if isinstance(view.name, str) else ""
    trust = judge_chain(answer.chain, name, case.now, view.roots)
    return {**given, "public_roots": on_public_roots(answer, trust)}
