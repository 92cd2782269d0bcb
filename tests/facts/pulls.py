"""Rehearsed pulls as the probe tells them: the true ones, and those that end on the way."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sesam_audit.asks import Attempt, DialAnswer, Hop, PullAnswer
from tests.facts.network import tls

REGISTRY, AUTH = "registry-1.docker.io", "auth.docker.io"
CDN = "production.cloudfront.docker.com"
R2 = "docker-images-prod.6aa30f8b08e16409.r2.cloudflarestorage.com"

_TOKEN = (Hop(REGISTRY, "/v2/x/y", 401, "192.0.2.7"), Hop(AUTH, "/token", 200, "192.0.2.8"))


def blob(host: str = CDN) -> PullAnswer:
    """A layer's first bytes, from some host."""
    led = Hop(REGISTRY, "/v2/x/y", 307, "192.0.2.7")
    return PullAnswer(
        steps=(*_TOKEN, led, Hop(host, "/data", 206, "192.0.2.9")),
        last=tls(host, status=206),
        received=1024,
        sample="1f8b0800",
    )


def blob_refused(status: int, kind: str = "application/xml") -> PullAnswer:
    """The layer host answers, but not with a layer."""
    led = Hop(REGISTRY, "/v2/x/y", 307, "192.0.2.7")
    return PullAnswer(
        steps=(*_TOKEN, led, Hop(CDN, "/data", status, "192.0.2.9")),
        last=tls(CDN, status=status, headers={"content-type": kind}),
    )


def spent(*hops: tuple[str, str, int]) -> PullAnswer:
    """A pull of the private image, request by request: host, path, status."""
    steps = tuple(Hop(host, f"/v2/sesam/sesam-node/{path}", status) for host, path, status in hops)
    host, _, status = hops[-1]
    answer = PullAnswer(steps=(*_TOKEN, *steps), last=tls(host, status=status))
    return replace(answer, received=1024, sample="1f8b0800") if status == 206 else answer


def gone() -> PullAnswer:
    """The registry has no such blob."""
    steps = (*_TOKEN, Hop(REGISTRY, "/v2/x/y", 404, "192.0.2.7"))
    return PullAnswer(steps=steps, last=tls(REGISTRY, status=404), code="BLOB_UNKNOWN")


def manifest(status: int = 200) -> PullAnswer:
    """What the registry says of a manifest to who has a token."""
    steps = (*_TOKEN, Hop(REGISTRY, "/v2/x/y", status, "192.0.2.7"))
    return PullAnswer(steps=steps, last=tls(REGISTRY, status=status))


def login(status: int) -> PullAnswer:
    """What the login's host says of a login."""
    steps = (_TOKEN[0], Hop(AUTH, "/token", status, "192.0.2.8"))
    return PullAnswer(steps=steps, last=tls(AUTH, status=status))


def stopped(host: str, layer: str, error: str, **changes: Any) -> PullAnswer:
    """A pull that ended on the way to a host."""
    result = error if layer == "tcp" else "open"
    given: dict[str, Any] = {
        "layer": layer,
        "error": error,
        "addresses": () if layer in ("dns", "proxy") else ("192.0.2.9",),
        "attempts": () if layer == "dns" else (Attempt("192.0.2.9", result),),
    }
    last = DialAnswer(**{**given, **changes})
    steps = (*_TOKEN, Hop(host, "/data", error=error))
    return PullAnswer(error=error, detail=last.detail, steps=steps, last=last, seconds=9.0)
