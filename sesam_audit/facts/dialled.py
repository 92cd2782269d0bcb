"""What one connection came to: one word for how far it got, and who answered. Pure."""

from __future__ import annotations

import re

from msgspec.structs import replace

from sesam_audit.asks import DialAnswer
from sesam_audit.destinations import Destination, Service
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts.identity import identity, vouched
from sesam_audit.facts.markers import authentic, location, signed
from sesam_audit.facts.scene import (
    HUB_ROOTS,
    MORE_TIME,
    SHORT,
    Dialled,
    Scene,
    by_hand,
    listed,
    nowhere,
)

_PORTAL = 511  # Network Authentication Required (RFC 6585)
_BLOCKING = (403, 451, _PORTAL)
_ASKED_INSIDE = 2  # times; each question has its share of the time, as a program's own has
_TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,120}?)\s*</title", re.IGNORECASE)


def classify(scene: Scene) -> Dialled:
    """Judge a connection layer by layer for its consumer; a TCP connection alone never counts.

    Raises:
        Unknown: the target could not dial, or could not show whom it reached.
    """
    answer = scene.answer
    if answer.error == "UNSUPPORTED":
        raise Unknown(
            "the target has no Python 3.6 or later, which dialling needs",
            by_hand(scene.destination),
        )
    if (answer.error or "").startswith("CRASH"):
        raise Unknown(f"dialling went wrong: {answer.error}", by_hand(scene.destination))
    if answer.layer == "tls" and answer.error == "EACCES":
        raise needs_root(answer.detail, HUB_ROOTS)
    _resolved_in_time(scene)
    for layer in (_proxy, _dns, _tcp, _tls, _identity, _service):
        found = layer(scene)
        if found is not None:
            return _tried(found, answer)
    return _tried(Dialled("ok", _success(scene)), answer)


def _tried(found: Dialled, answer: DialAnswer) -> Dialled:
    """The verdict, which says so when it is that of a second try."""
    if answer.tries < 2:
        return found
    return replace(found, text=f"{found.text} (second try of 2; the first: {answer.first})")


def _proxy(scene: Scene) -> Dialled | None:
    answer, proxy = scene.answer, scene.proxy
    if answer.proxy_status == 407:
        wants = f" ({answer.proxy_authenticate})" if answer.proxy_authenticate else ""
        return Dialled("proxy-needs-auth", f"the proxy {proxy} demands a login{wants}", True)
    if answer.layer == "proxy":
        said = f"HTTP {answer.proxy_status}" if answer.proxy_status else _why(answer)
        return Dialled(
            "proxy-refused",
            f"the proxy {proxy} did not open the way to {scene.destination.key}: {said}",
            not answer.proxy_status,
            answer.proxy_status,
        )
    if not proxy or answer.layer not in ("dns", "tcp"):
        return None
    word = {"dns": "dns-fails"}.get(answer.layer, _tcp_word(answer))
    return Dialled(word, f"the proxy {proxy} itself is not reached: {_why(answer)}", True)


def _resolved_in_time(scene: Scene) -> None:
    """Silence proves nothing before all name servers behind the resolver had their turn."""
    answer, name = scene.answer, scene.proxy or scene.destination.name
    had = answer.seconds / (_ASKED_INSIDE if _inside(answer) else 1)
    if answer.layer == "dns" and answer.error == "TIMEOUT" and 0 < had < scene.resolving:
        raise Unknown(
            f"{_resolver(answer)} did not answer for {name} in {had:.1f} s, but may need"
            f" {scene.resolving:.1f} s where a name server is silent: the deadline is too short",
            MORE_TIME,
        )


def _inside(answer: DialAnswer) -> bool:
    return answer.context.startswith("container")  # a daemon's and a shell's way is the host's


def _resolver(answer: DialAnswer) -> str:
    return "the container's resolver" if _inside(answer) else "the host's resolver"


def _dns(scene: Scene) -> Dialled | None:
    answer, name = scene.answer, scene.destination.name
    whose = _resolver(answer)
    if answer.layer == "dns":
        words = {
            "NXDOMAIN": f"{whose} says that {name} does not exist",
            "TIMEOUT": f"{whose} did not answer for {name} in time",
            "SERVFAIL": f"{whose} could not answer for {name}",
        }
        return Dialled("dns-fails", words.get(answer.error or "", f"{name}: {_why(answer)}"))
    if answer.addresses and all(map(nowhere, answer.addresses)) and not scene.proxy:
        return Dialled("dns-sinkhole", f"{name} leads to {listed(answer.addresses)}: to nowhere")
    return None


def _tcp(scene: Scene) -> Dialled | None:
    answer = scene.answer
    if answer.layer != "tcp":
        return None
    where = f"{listed(answer.addresses)} port {scene.destination.port}"
    if answer.error == "TIMEOUT":
        tried = sum(each.seconds for each in answer.attempts if each.result == "TIMEOUT")
        if 0 < tried < SHORT:
            raise Unknown(
                f"only {tried:.1f} s were left of the deadline to reach {where}",
                by_hand(scene.destination),
            )
        return Dialled("tcp-timeout", f"{where} did not answer: packets vanish on the way")
    return Dialled("tcp-refused", f"{where} refused the connection ({_why(answer)})")


def _tcp_word(answer: DialAnswer) -> str:
    return "tcp-timeout" if answer.error == "TIMEOUT" else "tcp-refused"


def _tls(scene: Scene) -> Dialled | None:
    answer = scene.answer
    if not scene.destination.tls or (answer.layer != "tls" and answer.chain):
        return None
    cut = answer.error in ("TIMEOUT", "ECONNRESET", "EPIPE") or "EOF" in answer.detail
    hint = ", as firewalls that filter by name do" if cut else ""
    address = next((x.address for x in answer.attempts if x.result == "open"), "the server")
    return Dialled(
        "tls-fails", f"{address} took the connection, then TLS ended{hint}: {_why(answer)}"
    )


def _identity(scene: Scene) -> Dialled | None:
    """Why the server is not who it should be, with the page it shows in the service's place.

    A captive portal cannot have the service's certificate: its own, with a way to its login, is
    how it looks on port 443.
    """
    found = identity(scene)
    page = _page(scene.answer, scene.destination) if scene.answer.status else ""
    if found is None or not page or found.word == "clock-skew":
        return found
    text = f"{found.text}; it shows HTTP {scene.answer.status} {page}"
    portal = _foreign(scene.answer, scene.destination) or scene.answer.status in _BLOCKING
    word = "block-page" if portal and found.word == "tls-name-mismatch" else found.word
    return Dialled(word, text)


def _service(scene: Scene) -> Dialled | None:
    answer, destination = scene.answer, scene.destination
    if not destination.path:
        return None
    plain = not destination.tls and _foreign(answer, destination)  # nothing else tells a portal
    if not plain and (
        authentic(answer, destination, vouched=False)
        or (authentic(answer, destination, vouched=True) and vouched(scene))
    ):
        return None
    if not answer.status:
        return Dialled("wrong-service", f"no HTTP answer came ({_why(answer)})")
    troubled = answer.status == 429 or (answer.status >= 500 and answer.status != _PORTAL)
    if troubled and (signed(answer, destination) or vouched(scene)):
        return Dialled("service-trouble", f"HTTP {answer.status}: the service, not a firewall")
    whose = _whose(scene)
    page = _page(answer, destination)
    if page:
        return Dialled("block-page", f"HTTP {answer.status} {page}{whose}")
    said = f"HTTP {answer.status}, which is not {destination.service.value}{whose}"
    return Dialled("wrong-service", said)


def _page(answer: DialAnswer, destination: Destination) -> str:
    """What a block page or captive portal shows of itself; "" when this is none."""
    away = _foreign(answer, destination)
    if away:
        return f"leads to {away}"
    if "html" not in (answer.headers or {}).get("content-type", "").lower():
        return "of a captive portal" if answer.status == _PORTAL else ""
    title = _TITLE.search(answer.body)
    return "with a web page" + (f" called {title[1]!r}" if title else "")


def _whose(scene: Scene) -> str:
    """The private authority in whose name this is said; "" where there is none."""
    trust = scene.public_trust() if scene.destination.tls else None
    if trust is None or trust.word != "unknown-issuer":
        return ""
    return f", by whoever opens TLS with certificates of {trust.issuer!r}"


def _foreign(answer: DialAnswer, destination: Destination) -> str:
    """Where a redirect leads when that is another site, without its query."""
    target = location(answer)
    host = target.hostname or ""
    site = destination.name.split(".")[-2:]
    if not 300 <= answer.status < 400 or not host or host.split(".")[-2:] == site:
        return ""
    return f"{target.scheme}://{host}{target.path}"


def _success(scene: Scene) -> str:
    answer, found = scene.answer, scene.leaf
    if scene.destination.service is Service.TCP:
        return "the connection stands"
    tls = f"{answer.tls_version or 'TLS'} issued by {found.issuer}" if found else "without TLS"
    if not scene.destination.path:
        return tls
    return f"{scene.destination.service.value} (HTTP {answer.status}), {tls}"


def _why(answer: DialAnswer) -> str:
    words = {
        "ECONNREFUSED": "reset",
        "EHOSTUNREACH": "rejected: host unreachable",
        "ENETUNREACH": "no route",
        "TIMEOUT": "no answer in time",
        "ECONNRESET": "the connection was reset",
    }
    said = words.get(answer.error or "", answer.error or "no words")
    return f"{said}, {answer.detail}" if answer.detail else said
