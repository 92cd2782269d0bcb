"""How binding a requirement is, when it is judged, and what it came to: a word for each."""

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


class Outcome(str, Enum):
    """What one finding says."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not-applicable"
