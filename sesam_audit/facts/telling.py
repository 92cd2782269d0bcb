"""What stands beside the verdict on a destination, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sesam_audit.destinations import LOG_SUBJECT, Consumer, Destination, Service
from sesam_audit.errors import Unknown
from sesam_audit.facts.control import Control
from sesam_audit.facts.layers import by_family
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import where
from sesam_audit.facts.scene import Scene


def notes(scene: Scene, wanted_proxy: str = "") -> Iterator[str]:
    """Whose connection it is, whom it met, and what each store of roots thinks."""
    destination, answer = scene.destination, scene.answer
    store = "public roots" if destination.consumer is Consumer.CONTAINER else "the host's store"
    who = destination.by or destination.consumer.value
    yield f"for {who}, judged by {store}; dialled from {where(answer)}"
    if answer.proxy_from:
        yield f"proxy: {answer.proxy or 'none'} ({answer.proxy_from})"
    if wanted_proxy and scene.proxy != wanted_proxy and not destination.direct:
        instead = f"by {scene.proxy}" if scene.proxy else "without a proxy"
        yield f"the profile's proxy is {wanted_proxy}, and this program goes {instead}"
    if destination.service is Service.TCP:
        yield (
            "the connection alone was tried, which a device on the way can take in the server's"
            " place; https://NAME:PORT in extra_destinations tries TLS"
        )
    if answer.addresses:
        yield f"{destination.name} is {', '.join(answer.addresses)}"
    behind = by_family(answer)
    if behind["tcp_v4"] == "ok" and behind["tcp_v6"] not in ("", "ok", "not tried", "no route"):
        yield (
            f"its IPv6 address does not answer ({behind['tcp_v6']}), IPv4 does: programs that try"
            " IPv6 first are late, or fail; ask for both, or have the host use IPv4 alone"
        )
    leaf = scene.leaf
    if leaf is None:
        return
    trust = scene.public_trust()
    on_host = {True: "trusted", False: f"refused ({answer.trust_error})", None: "not asked"}
    yield (
        f"certificate {', '.join(leaf.names[:3]) or leaf.subject} by {leaf.issuer}, until"
        f" {leaf.not_after:%Y-%m-%d}, sha256 {leaf.sha256}; {scene.roots.name}: {trust.word};"
        f" host's store{answer.store and ' '}{answer.store}: {on_host[answer.trusted]}"
    )
    if trust.word == "unknown-issuer" and destination.tolerant and not scene.inspector:
        yield f"signed by {trust.issuer!r}, no public authority: {_own(destination)}"
    if trust.doubt:
        yield f"the stricter judge of chains objects: {trust.doubt}"


def pinned(reach: Reach, subject: str) -> Iterator[str]:
    """That the host does not ask DNS for this name, if so."""
    reached = reach.reached.get(subject)
    name = reached.destination.name if reached else ""
    addresses = ", ".join(reach.pinned.get(name.lower(), ()))
    if addresses:
        yield f"the host's /etc/hosts pins {name} to {addresses}: containers do not see that file"


def _own(destination: Destination) -> str:
    if destination.service is Service.ANY_TLS:
        return "no name was demanded of an address"
    return "whoever connects must be given that authority"


def indicators(reach: Reach, control: Control, rule: str, now: datetime) -> Iterator[str]:
    """How the names fared that only show whether a rule is narrower than the guide's wildcard."""
    for key, each in reach.reached.items():
        if each.destination.rule != rule or each.destination.needed:
            continue
        try:
            verdict = reach.dialled(key, now)
            beside = "" if verdict.ok else control.beside(key, verdict, now)
        except Unknown as unknown:
            yield f"indicator {key}: unknown, {unknown.reason}"
            continue
        narrow = "" if verdict.ok else "; the rule may be narrower than the guide's wildcard"
        yield f"indicator {key}: {verdict}{beside}{narrow}"


def about_logs(reach: Reach) -> Iterator[str]:
    """Which log host was dialled, who named it, and what was left untried."""
    name = reach.reached[LOG_SUBJECT].destination.name
    if isinstance(reach.log_host, Unknown):
        yield f"{name} of the profile; what .env says is not known: {reach.log_host.reason}"
    elif not reach.log_host:
        yield f"{name} of the profile; .env names no FLUENTBIT_HOST"
    else:
        yield f"{name} is FLUENTBIT_HOST of .env, which the stack passes to no service"
    yield "uploads were not tested; metrics go to a host that nobody documents"
