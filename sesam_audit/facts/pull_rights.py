"""What the login may do: the registry's answers to it, told apart. Pure."""

from __future__ import annotations

from datetime import datetime
from shlex import quote

from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts.pull import AUTH, REGISTRY, Pulled, Rehearsal, known
from sesam_audit.wanted import LOGIN_FILE


def allowed(rehearsal: Rehearsal, now: datetime) -> tuple[str, str]:
    """Why the login may not read the private image, "" when it may; and the way it was asked.

    Raises:
        Unknown: nobody who decides it was heard.
    """
    pulled, image = known(rehearsal.private), rehearsal.image
    by_hand = f"sudo docker --config /home/sesam/.docker manifest inspect {quote(image)}"
    if pulled.answer.error and not pulled.answer.steps:
        raise _no_login(pulled.answer.error, by_hand)
    verdict = pulled.ended(now)
    if pulled.status == 429:
        raise Unknown(f"{pulled.host} limits this address or login (HTTP 429): wait", by_hand)
    if not verdict.ok:
        ours = "try again later" if verdict.word == "service-trouble" else "outbound.docker"
        raise Unknown(f"{verdict} ({ours})", by_hand)
    refusal = _refusal(pulled, image)
    if not refusal and (pulled.host, pulled.status) != (REGISTRY, 200):
        raise Unknown(f"{pulled.host} answers HTTP {pulled.status}, which decides nothing", by_hand)
    return refusal, pulled.way


def _refusal(pulled: Pulled, image: str) -> str:
    """A right that is missing reads 401 at the registry, for it is the token that lacks it."""
    refused = {
        (AUTH, 401): "Docker Hub refuses the name or password of the login (HTTP 401)",
        (AUTH, 403): "Docker Hub refuses the name or password of the login (HTTP 403)",
        (REGISTRY, 401): f"Docker Hub knows the login, which may not read {image} (HTTP 401)",
        (REGISTRY, 403): f"Docker Hub knows the login, which may not read {image} (HTTP 403)",
        (REGISTRY, 404): f"the registry shows this login no {image} (HTTP 404): no such tag, or no"
        " right to see it",
    }
    return refused.get((pulled.host, pulled.status), "")


def _no_login(error: str, by_hand: str) -> Unknown:
    if error == "EACCES":
        return needs_root(f"{LOGIN_FILE} is not readable", by_hand)
    words = {
        "ENOKEY": f"{LOGIN_FILE} holds no login for Docker Hub",
        "UNSUPPORTED": "the target has no Python 3.6 or later, which a pull needs",
    }
    return Unknown(words.get(error, f"{LOGIN_FILE}: {error}"), by_hand)
