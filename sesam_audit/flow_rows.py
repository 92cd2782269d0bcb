"""One row of the firewall evidence, filled from a dial, and whatever keeps it from that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sesam_audit.asks import DialAnswer
from sesam_audit.destinations import Destination, destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts.clock import by_services
from sesam_audit.facts.layers import blamed, got_to, met, on_public_roots, source
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.scene import Dialled, Scene
from sesam_audit.facts.trust import utc
from sesam_audit.judge import Case
from sesam_audit.level import Outcome
from sesam_audit.model import Finding, Flow
from sesam_audit.profile import Profile
from sesam_audit.rules import RULES

Judged = Mapping[tuple[str, str | None], Finding]
"""Findings by (rule, subject), or (id, None) where there are no subjects."""

_EXTRA = "Not in the guide: the profile adds it (extra_destinations)."


def row(given: dict[str, Any], finding: Finding | None, look: Callable[[], dict[str, Any]]) -> Flow:
    """One row; whatever keeps it from being filled is said in it, and then it proves nothing."""
    if finding is not None:
        given["outcome"], given["finding"] = finding.outcome.value, finding.id
        given["subject"] = finding.subject or ""
    try:
        return Flow(**{**given, **look()})
    except Unknown as unknown:
        off = finding is not None and finding.outcome is Outcome.NOT_APPLICABLE
        reason = finding.reason if finding is not None and off else None
        return Flow(**_untold(given), said=reason or unknown.reason)
    except Exception as error:  # noqa: BLE001 - one row's fault must not cost the report
        return Flow(**_untold(given), result="unknown", said=f"not understood: {error!r}")


def _untold(given: dict[str, Any]) -> dict[str, Any]:
    """The row of what nobody tried: what its finding came to, others have shown."""
    settled = given.get("outcome") in (Outcome.PASSED.value, Outcome.FAILED.value)
    return {**given, "outcome": Outcome.UNKNOWN.value} if settled else given


def documented(rule: str, asked: str, profile: Profile) -> dict[str, str]:
    """The rule as the guide has it; `asked` in its place where there is none."""
    found = RULES.get(rule)
    if found is None:
        return {"rule": rule, "asked": asked, "sentence": _EXTRA}
    where = found.destinations
    if rule == "OUT-SESAM" and profile.sesam_destinations == "ips":  # what that firewall can hold
        where = tuple(each.name for each in destinations(profile) if each.rule == rule)
    asked = f"{found.port} from {found.source} to {', '.join(where)}"
    said = {"sentence": found.sentence, "if_closed": found.consequence}
    return {"rule": rule, "asked": asked, **said}


def outward(destination: Destination, case: Case) -> dict[str, Any]:
    """What is known of a connection before it is dialled."""
    needed, asked = destination.needed, f"{destination.port}/TCP to {destination.key}"
    return {
        **documented(destination.rule, asked, case.profile),
        "purpose": f"{destination.service.value} for {destination.by}",
        "need": "needed" if needed else "indicator",
        "vantage": "host",
        "context": "the host's network path",
        "consumer": destination.consumer.value,
        "name": destination.name,
        "port": destination.port,
        "at": case.at,
    }


def shown(scene: Scene, result: str, said: str) -> dict[str, Any]:
    """What one connection showed, layer by layer."""
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


def moment(answer: DialAnswer, case: Case | None = None) -> dict[str, str]:
    """When it was dialled, nothing where no time came; `case` where the target's clock told it.

    A firewall's log is searched by it, so a clock that services contradict is put right.
    """
    if not answer.time:
        return {}
    reach = case.known[Reach] if case else None
    clock = by_services(reach.offsets()) if isinstance(reach, Reach) else None
    return {"at": f"{utc(answer.time - (clock.ahead if clock else 0.0)):%Y-%m-%dT%H:%M:%SZ}"}


def heard(answer: DialAnswer | Unknown) -> DialAnswer:
    """The answer. Raises Unknown where the target could not dial at all."""
    if isinstance(answer, Unknown):
        raise answer
    if answer.error == "UNSUPPORTED":
        raise Unknown("there is no Python 3.6 or later, which dialling needs")
    if (answer.error or "").startswith("CRASH"):
        raise Unknown(f"dialling went wrong: {answer.error}")
    return answer


def verdict(judge: Callable[[], Dialled]) -> tuple[str, str]:
    """The word and the sentence of a verdict."""
    try:
        found = judge()
    except Unknown as unknown:
        return "unknown", unknown.reason
    return found.word, found.text
