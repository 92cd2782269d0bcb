"""What /etc/docker/daemon.json says, as the daemon reads it when it starts."""

from __future__ import annotations

import json
from typing import Any

DAEMON_JSON = "/etc/docker/daemon.json"


def setting(text: str | None, key: str) -> str:
    """A setting that is text; "" where it is not set, or the file is no JSON."""
    try:
        settings: Any = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return ""
    value = settings.get(key) if isinstance(settings, dict) else None
    return value if isinstance(value, str) else ""
