"""How an answer proves that it is the service's own and not a block page's. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from sesam_audit.asks import DialAnswer
from sesam_audit.destinations import Destination, Service

_REALM = re.compile(r'realm="https://auth\.docker\.io/token"')
_TOKEN = re.compile(r'\s*\{\s*"(?:access_)?token"\s*:\s*"')  # the answer is longer than we keep


def location(answer: DialAnswer) -> SplitResult:
    """Where an answer leads; empty where it leads nowhere or to nonsense."""
    return url((answer.headers or {}).get("location", ""))


def url(text: str) -> SplitResult:
    """A URL in its parts, all of them empty when it is none."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def authentic(answer: DialAnswer, destination: Destination, *, vouched: bool) -> bool:
    """Whether only this service answers so; `vouched`: public roots prove its name."""
    if destination.service is Service.IDENTITY:
        return _identity(answer, destination, vouched=vouched)
    return _MARKERS[destination.service](answer)


def _identity(answer: DialAnswer, destination: Destination, *, vouched: bool) -> bool:
    """No public mark of the body is known: TLS proves the name, unless a private CA vouches for it.

    Behind such a CA an answer counts only with a header of the service's own; where none is known,
    a web page or a redirect does not.
    """
    headers = answer.headers or {}
    if not 200 <= answer.status < 500 or answer.status in (407, 429):
        return False
    target = location(answer)
    if (
        300 <= answer.status < 400
        and target.scheme == "http"
        and target.hostname != destination.name
    ):
        return False
    if vouched or signed(answer, destination):
        return True
    if destination.signs:
        return False
    return "html" not in headers.get("content-type", "").lower() and answer.status not in (302, 307)


def signed(answer: DialAnswer, destination: Destination) -> bool:
    """Whether it bears a header that only this service sends."""
    return any(sign in (answer.headers or {}) for sign in destination.signs)


def _registry(answer: DialAnswer) -> bool:
    challenge = (answer.headers or {}).get("www-authenticate", "")
    return answer.status == 401 and bool(_REALM.search(challenge))


def _token(answer: DialAnswer) -> bool:
    return answer.status == 200 and bool(_TOKEN.match(answer.body))


def _acme(answer: DialAnswer) -> bool:
    if answer.status != 200:
        return False
    try:
        directory = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(directory, dict):
        return False
    home = url(str(directory.get("newNonce", ""))).hostname or ""
    return home.endswith(".letsencrypt.org") and isinstance(directory.get("meta"), dict)


def _simple_index(answer: DialAnswer) -> bool:
    kind = (answer.headers or {}).get("content-type", "").lower()
    if answer.status != 200:
        return False
    if kind.startswith("application/vnd.pypi.simple."):
        return True
    return kind.startswith("text/html") and "files.pythonhosted.org" in answer.body


def _to_pypi(answer: DialAnswer) -> bool:
    target = location(answer)
    away = answer.status in (301, 302, 307, 308)
    return away and target.scheme == "https" and target.hostname == "pypi.org"


def _any(answer: DialAnswer) -> bool:
    return answer.status > 0


_MARKERS: dict[Service, Callable[[DialAnswer], bool]] = {
    Service.REGISTRY: _registry,
    Service.TOKEN: _token,
    Service.ACME: _acme,
    Service.SIMPLE_INDEX: _simple_index,
    Service.TO_PYPI: _to_pypi,
    **dict.fromkeys((Service.ANY_TLS, Service.OWN_TLS, Service.HTTP, Service.TCP), _any),
}
