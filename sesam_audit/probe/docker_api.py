"""What the Docker daemon tells, reduced to what was asked for."""

import json
import time

from .daemon import MOST, daemon
from .labelled import owner_of
from .reducing import reduced


def docker_api(ask):
    response, data = daemon("GET", ask["path"], min(ask["end"], time.monotonic() + 8))
    if len(data) > MOST:
        return {"error": "TOOBIG", "status": response.status}
    try:
        value = reduced(json.loads(str(data, "utf-8")), ("DOCKER_API_VERSION", "NODE_DOMAIN"))
    except ValueError:
        value = None
    if isinstance(value, list):
        others = [each for each in value if not isinstance(each, dict) or not owner_of(each)]
        return {"status": response.status, "value": [picked(each, ask) for each in others]}
    ask = ask if response.status == 200 else {"keep": ["message"], "labels": []}
    return {"status": response.status, "value": picked(value, ask)}


def picked(value, ask):
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("Labels"), dict):  # other people's labels may hold their secrets
        ours = {key: value["Labels"][key] for key in ask["labels"] if key in value["Labels"]}
        value = dict(value, Labels=ours)
    if not ask["keep"]:
        return value
    found = {key: within(value, key) for key in ask["keep"]}
    return {key: each for key, each in found.items() if each is not MISSING}


MISSING = object()


def within(value, key):
    """A key of an object, `State.Status` being one further down."""
    for part in key.split("."):
        value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
    return value
