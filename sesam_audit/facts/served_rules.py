"""What is wrong with what the stack serves: its certificate, its redirection, its API. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from sesam_audit.asks import DialAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.inspection import Inspection, listed
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.markers import location
from sesam_audit.facts.served import HEALTH, Served
from sesam_audit.profile import Profile

DEFAULT = "TRAEFIK DEFAULT CERT"
_NO_SERVER = re.compile(r"\s*no available server\s*", re.IGNORECASE)
_NO_PAGE = re.compile(r"\s*404 page not found\s*")


def inspect_certificate(served: Served, now: datetime, profile: Profile) -> Inspection:
    """Judge the certificate that 443 shows, as the deployment's option demands.

    Raises:
        Unknown: it was not asked, or not in time.
    """
    found, answer, own = Inspection(), served.tls(), served.leaf
    if not answer.attempts or all(each.result != "open" for each in answer.attempts):
        found.problem(f"nothing answers on port 443 ({answer.error})")
    elif own is None:
        found.problem(f"port 443 does not speak TLS: {answer.detail or answer.error}")
    elif DEFAULT in own.subject:
        found.problem(f"Traefik serves its own {DEFAULT}, not one for {served.name}")
    elif not own.covers(served.name):
        names = listed(own.names) or own.subject
        found.problem(f"the certificate is for {names}, not for {served.name}")
    else:
        _judge_dates(found, own, now)
        _judge_file(found, own, served)
        if not found.problems and profile.certificates != "self-signed":
            _judge_chain(found, served, now, profile)
    return found


def _judge_dates(found: Inspection, own: Leaf, now: datetime) -> None:
    if now > own.not_after:
        found.problem(f"the certificate expired on {own.not_after:%Y-%m-%d %H:%M} UTC")
    if now < own.not_before:
        found.problem(f"the certificate is not valid before {own.not_before:%Y-%m-%d %H:%M} UTC")


def _judge_file(found: Inspection, own: Leaf, served: Served) -> None:
    """Compare with the file: Traefik reads it at its start, and serves the old one until then."""
    if isinstance(served.files, Unknown):
        found.note(f"whether it is the one on the disk cannot be told: {served.files.reason}")
    elif served.files:
        pairs = [(x, x.leaf) for x in served.files.covering(served.name) if x.leaf]
        if pairs and all(leaf.sha256 != own.sha256 for _, leaf in pairs):
            path, there = pairs[0][0].path, pairs[0][1]
            found.problem(
                f"443 serves another certificate ({_named(own)}) than {path} holds"
                f" ({_named(there)}): Traefik has to be started anew"
            )


def _named(own: Leaf) -> str:
    return f"SHA-256 {own.sha256[:16]}..., until {own.not_after:%Y-%m-%d}"


def _judge_chain(found: Inspection, served: Served, now: datetime, profile: Profile) -> None:
    trust, answer = served.trust(now), served.tls()
    shown = [each for each in map(leaf, answer.chain) if each]
    rooted = any(each.subject == each.issuer == trust.issuer for each in shown)
    ours = profile.certificates == "provided"
    match trust.word:
        case "trusted":
            found.note(f"its chain leads to public roots ({served.roots.name})")
        case "incomplete":
            found.problem(f"the certificate of {trust.issuer}, who signed it, is not sent along")
        case "expired" | "not-yet-valid":
            found.problem("a certificate above the first is outside its dates")
        case "unknown-issuer" if ours and rooted and len(shown) > 1:
            found.note(f"signed by {trust.issuer}, no public root: every client has to trust it")
        case "unknown-issuer" if ours and not rooted:
            reason = f"whether the chain is complete cannot be told: {trust.issuer} is no public"
            found.doubt(Unknown(f"{reason} root; name your own with public_roots"))
        case "unknown-issuer" if rooted and len(shown) == 1:
            found.problem(
                f"the certificate is self-signed, but the profile says {profile.certificates}"
            )
        case "unknown-issuer":
            found.problem(f"it is signed by {trust.issuer}, for whom no public root vouches")
        case _:
            found.problem(f"the chain does not serve {served.name}: {trust.word}")


def redirection_fault(served: Served) -> str:
    """Why 80 does not lead to https of the same name; "" when it does.

    Raises:
        Unknown: it was not asked, or not in time.
    """
    answer = served.http()
    if served.redirects:
        return ""
    if not answer.status:
        return f"port 80 does not answer ({answer.error})"
    target = location(answer)
    if 300 <= answer.status < 400:
        led = f"{target.scheme}://{target.netloc}" if target.netloc else "nowhere"
        return f"port 80 leads to {led}, not to https://{served.name}"
    return f"port 80 answers HTTP {answer.status} in place of leading to https://{served.name}"


def api_fault(served: Served) -> str:
    """Why the node's API is not there behind 443; "" when it is.

    Raises:
        Unknown: it was not asked, or the answer decides nothing.
    """
    answer = served.tls()
    if not answer.status:
        return f"no HTTP answer comes through port 443: {answer.detail or answer.error}"
    if answer.status == 200 or (answer.status in (401, 403) and _json(answer)):
        return ""
    if answer.status == 429:
        raise Unknown(f"{HEALTH} answers HTTP 429, too many requests")
    return _traefiks_own(answer, served.name) or (
        f"the node says that it is not well (HTTP 503{_said(answer)})"
        if answer.status == 503
        else f"{HEALTH} answers HTTP {answer.status}, as the node's health does not{_said(answer)}"
    )


def _traefiks_own(answer: DialAnswer, name: str) -> str:
    """What it means when Traefik answers in the node's place; "" when it was not Traefik."""
    if answer.status == 404 and _NO_PAGE.fullmatch(answer.body):
        return f"Traefik knows no way to {name} (HTTP 404): no running container has that name"
    if answer.status == 503 and _NO_SERVER.fullmatch(answer.body):
        return "Traefik finds no node to pass it on to (HTTP 503)"
    if answer.status in (502, 504):
        return f"Traefik does not get an answer from the node (HTTP {answer.status})"
    return ""


def _json(answer: DialAnswer) -> bool:
    kind = (answer.headers or {}).get("content-type", "")
    return "json" in kind.lower()


def _said(answer: DialAnswer) -> str:
    """The first words of an answer that is not a web page."""
    kind = (answer.headers or {}).get("content-type", "").lower()
    words = " ".join(answer.body.split())[:120]
    return f": {words}" if words and "html" not in kind else ""
