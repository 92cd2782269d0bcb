"""The secrets that lie on the machine already: a log may show them without any coming along."""

import base64
import json
import os
from typing import Any, Dict, Iterator, List, Tuple

from .environment import ASSIGNMENT
from .host import Host
from .paths import READING

_LARGEST = 1 << 20


def keepsakes(host: Host, private: Dict[str, Any]) -> List[Tuple[str, str]]:
    """Name and text of each. `private`: paths by a secret's name; `public`: open keys of .env."""
    found: List[Tuple[str, str]] = []
    for name, path in sorted(private.get("paths", {}).items()):
        text = _text(host, path)
        if name == "environment":
            found += [(name, line) for line in _closed(text, private.get("public", ()))]
        elif name == "registry":
            found += [(name, each) for each in _logins(text)]
        else:
            found.append((name, text))
    return found


def _text(host: Host, path: str) -> str:
    """Whatever is there, wherever links lead: what is read is only looked for, never told."""
    try:
        with open(os.open(host.real(path), READING), "rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _closed(text: str, public: Any) -> Iterator[str]:
    at = 0
    while at < len(text):
        found = ASSIGNMENT.match(text, at)
        if found and found.group(1) not in public:
            yield found.group(0)
        at = (text.find("\n", found.end() if found else at) + 1) or len(text)


def _logins(text: str) -> Iterator[str]:
    try:
        entries = [each["auth"] for each in json.loads(text)["auths"].values() if "auth" in each]
        for entry in entries:
            yield entry
            yield base64.b64decode(entry).decode().partition(":")[2]
    except (ValueError, LookupError, TypeError, AttributeError):
        return
