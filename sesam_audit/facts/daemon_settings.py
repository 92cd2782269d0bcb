"""What the files of dockerd and containerd tell them when they start."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from sesam_audit.asks import File, Steps
from sesam_audit.errors import Unknown
from sesam_audit.profile import Profile

DAEMON_JSON, CONTAINERD_TOML = "/etc/docker/daemon.json", "/etc/containerd/config.toml"
_ROOT = re.compile(r"""^\s*root\s*=\s*["']([^"']+)["']""", re.MULTILINE)


class DaemonSettings(Struct, frozen=True):
    """What daemon.json says; nothing where it is not there."""

    settings: dict[str, Any] = {}

    def text(self, key: str) -> str:
        """A setting that is text, "" where it is not set."""
        value = self.settings.get(key)
        return value if isinstance(value, str) else ""

    @property
    def iptables(self) -> bool:
        """Whether Docker may write rules, as it does by itself."""
        return self.settings.get("iptables") is not False

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DaemonSettings]:
        """Read the file.

        Raises:
            Unknown: it may not be read, or is no JSON.
        """
        text = (yield from File(DAEMON_JSON)).read(DAEMON_JSON) or ""
        try:
            settings = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError):
            command = f"python3 -m json.tool {DAEMON_JSON}"
            raise Unknown(f"{DAEMON_JSON} is no JSON", command) from None
        return cls(settings if isinstance(settings, dict) else {})


class ContainerdSettings(Struct, frozen=True):
    """What config.toml says; `root` is "" where it is not set."""

    root: str = ""

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ContainerdSettings]:
        """Read the file.

        Raises:
            Unknown: it may not be read.
        """
        text = (yield from File(CONTAINERD_TOML)).read(CONTAINERD_TOML) or ""
        match = _ROOT.search(text)
        return cls(match[1] if match else "")
