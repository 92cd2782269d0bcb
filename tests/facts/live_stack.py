"""A stack that runs, as the daemon tells of it; each test spoils one thing."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sesam_audit.asks import Answer, Ask, DockerApi, DockerApiAnswer, RunAnswer, Self, SelfAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts import running
from sesam_audit.facts.containers import ASK
from sesam_audit.testing import NOW
from tests.facts.sesam_host import rendered

IMAGES = {
    "watchtower": "containrrr/watchtower",
    "traefik": "traefik:latest",
    "sesam-node": "sesam/sesam-node:weekly-prod",
    "fluentbit": "sesam/fluent-bit:latest",
}
Answers = dict[Ask[Any], Answer | Unknown]


def at(seconds: float) -> str:
    """A moment so many seconds ago, as Docker writes it."""
    then = datetime.fromtimestamp(NOW.timestamp() - seconds, timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def listed(service: str, **more: Any) -> dict[str, Any]:
    """A container in the daemon's list."""
    labels = {
        "com.docker.compose.project": "data",
        "com.docker.compose.project.working_dir": "/srv/data",
        "com.docker.compose.service": service,
        "com.docker.compose.oneoff": "False",
    }
    record = {
        "Id": f"id-of-{service}",
        "Names": [f"/{service}"],
        "Image": IMAGES.get(service, "other"),
        "ImageID": f"sha256:image-of-{service}",
        "State": "running",
        "Labels": {**labels, **more.pop("labels", {})},
        "Ports": [],
    }
    return {**record, **more}


def described(service: str, **more: Any) -> dict[str, Any]:
    """The same container looked at, the inner keys under their own names."""
    record = {
        "Id": f"id-of-{service}",
        "Config.Image": IMAGES.get(service, "other"),
        "RestartCount": 0,
        "State.Status": "running",
        "State.ExitCode": 0,
        "State.OOMKilled": False,
        "State.Error": "",
        "State.StartedAt": at(3600),
        "State.Pid": 4000 + list(IMAGES).index(service) if service in IMAGES else 1,
        "Mounts": [],
    }
    return {**record, **more}


def inspect(identifier: str) -> DockerApi:
    return DockerApi(f"/containers/{identifier}/json", running._KEEP)


def answers(
    *also: dict[str, Any], events: str | Unknown = "", **changes: dict[str, Any]
) -> Answers:
    """Four services that run for an hour; `changes` by service, `also` further in the list."""
    told = events if isinstance(events, Unknown) else RunAnswer(code=0, out=events)
    everything = [*map(listed, IMAGES), *also]
    found: Answers = {
        **rendered(),
        Self(): SelfAnswer(uid=0, user="root", time=NOW.timestamp()),
        ASK: DockerApiAnswer(status=200, value=everything),
        running.EVENTS: told,
    }
    for service in IMAGES:
        record = described(service, **changes.get(service.replace("-", "_"), {}))
        found[inspect(f"id-of-{service}")] = DockerApiAnswer(status=200, value=record)
    return found


def event(ago: float, service: str, action: str, code: str = "") -> str:
    """One line of the daemon's memory."""
    return f"{int((NOW.timestamp() - ago) * 1e9)} id-of-{service} {action} {code}\n"
