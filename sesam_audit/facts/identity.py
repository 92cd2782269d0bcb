"""Whether the server's certificate proves its name to the consumer of a destination. Pure."""

from __future__ import annotations

import re

from sesam_audit.destinations import Consumer
from sesam_audit.errors import Unknown
from sesam_audit.facts.leaf import Leaf
from sesam_audit.facts.scene import Dialled, Scene, by_hand, listed, private
from sesam_audit.facts.trust import Trust, utc

_UNFIT = ("tls-name-mismatch", "tls-intercepted")  # a name or a chain that does not fit
_DATE_WORDS = re.compile(r"not yet valid|has expired", re.IGNORECASE)


def identity(scene: Scene) -> Dialled | None:
    """Why the server is not who it should be; None when it is, or speaks without TLS."""
    if not scene.destination.tls:
        return None
    found = _for_consumer(scene)
    if found is None or found.word not in _UNFIT or not _suspicious(scene):
        return found
    where = listed(scene.answer.addresses)
    return Dialled("dns-sinkhole", f"{scene.destination.name} leads to {where}, where {found.text}")


def _for_consumer(scene: Scene) -> Dialled | None:
    answer, trust = scene.answer, scene.public_trust()
    found = scene.leaf
    if found is None:
        return Dialled("tls-fails", "the server's certificate cannot be read")
    if scene.destination.consumer is Consumer.CONTAINER or answer.trusted is None:
        _undecided(scene, trust)
        return _refused(scene, trust, found)
    if answer.trusted:
        mismatch = bool(scene.wanted) and not found.covers(scene.wanted)
        return _refused(scene, Trust("name-mismatch", found.issuer), found) if mismatch else None
    if not trust.trusted:
        return _refused(scene, trust, found)
    if _DATE_WORDS.search(answer.trust_error):
        return _skewed(scene, answer.trust_error)
    store = answer.store or "its store"
    return Dialled(
        "tls-fails",
        f"public roots vouch for the certificate, but the host's own store ({store}) does not:"
        f" {answer.trust_error or 'no words'}",
    )


def _undecided(scene: Scene, trust: Trust) -> None:
    """A Python that hides the chain and was given no roots proves nothing."""
    if scene.hidden and trust.word in ("unknown-issuer", "incomplete"):
        raise Unknown(
            "the target's Python shows only the server's own certificate, and no public roots"
            " were tried on the spot",
            by_hand(scene.destination),
        )


def vouched(scene: Scene) -> bool:
    """Whether public roots prove the name, so that the answer is the service's own.

    Raises:
        Unknown: the target's Python hides what would tell.
    """
    if not scene.destination.tls:
        return False
    trust = scene.public_trust()
    _undecided(scene, trust)
    return trust.trusted


def _refused(scene: Scene, trust: Trust, found: Leaf) -> Dialled | None:
    """Why this chain does not serve, or None when it does."""
    name, there = scene.destination.name, utc(scene.answer.time)
    if trust.word == "trusted":
        at_target = scene.public_trust(there) if scene.answer.time else trust
        dated = at_target.word in ("expired", "not-yet-valid")
        return _skewed(scene, f"there it is {at_target.word}") if dated else None
    shown = listed(found.names) or found.subject
    if trust.word == "name-mismatch":
        text = f"the certificate is for {shown}, not for {name} (issued by {found.issuer})"
        return Dialled("tls-name-mismatch", text)
    if trust.word == "unknown-issuer" and scene.wanted and not found.covers(scene.wanted):
        text = f"the certificate is for {shown}, not for {name}"
        return Dialled(
            "tls-name-mismatch", f"{text} (signed by {trust.issuer!r}, no public authority)"
        )
    if trust.word == "unknown-issuer" and scene.inspector == "":
        return _dated(scene, found)
    if trust.word == "unknown-issuer":
        text = f"the certificate for {shown} is signed by {trust.issuer!r}, no public authority"
        return Dialled("tls-intercepted", f"{text}: something on the way opens TLS")
    words = {
        "incomplete": f"the certificate of the authority {trust.issuer!r} did not come along",
        "expired": f"the certificate ended on {found.not_after:%Y-%m-%d}",
        "not-yet-valid": f"the certificate begins on {found.not_before:%Y-%m-%d}",
    }
    return Dialled("tls-fails", words.get(trust.word, "the certificate cannot be read"))


def _dated(scene: Scene, found: Leaf) -> Dialled | None:
    """Why a certificate by an authority of the server's own does not serve: its dates, or nothing.

    An address may show whatever it shows to those who name nobody.
    """
    if scene.wanted and scene.now > found.not_after:
        return Dialled("tls-fails", f"the certificate ended on {found.not_after:%Y-%m-%d}")
    if scene.wanted and scene.now < found.not_before:
        return Dialled("tls-fails", f"the certificate begins on {found.not_before:%Y-%m-%d}")
    return None


def _skewed(scene: Scene, why: str) -> Dialled:
    clock = f" ({utc(scene.answer.time):%Y-%m-%d %H:%M} UTC)" if scene.answer.time else ""
    return Dialled(
        "clock-skew",
        f"the certificate of {scene.destination.name} is good, but not by the host's clock{clock}:"
        f" {why}",
    )


def _suspicious(scene: Scene) -> bool:
    """Whether the address itself speaks against the name: private, or shared across rules."""
    if scene.proxy or scene.destination.tolerant:
        return False
    return any(private(each) or each in scene.shared for each in scene.answer.addresses)
