"""How binding a requirement is, and when it is judged: the two words each one carries."""

from __future__ import annotations

from enum import Enum


class Level(str, Enum):
    """How binding a requirement is: `must` blocks go-live, `should` is shown as a warning."""

    MUST = "must"
    SHOULD = "should"


class Stage(str, Enum):
    """When a requirement is judged: on an image's files, before start, or on the running stack."""

    IMAGE = "image"
    PREFLIGHT = "preflight"
    LIVE = "live"
