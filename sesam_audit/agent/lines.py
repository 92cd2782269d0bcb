"""The last lines of a container's log, made harmless for a terminal and free of secrets."""

import re
import struct
from typing import Any, Dict

from .engine import Engine, Refused
from .masking import Mask

LINES, BYTES = 20, 8 << 10
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def last_lines(engine: Engine, container: Dict[str, Any], mask: Mask) -> str:
    """At most 20 lines and 8 KiB, with the Engine's times; words where there are none."""
    path = "/containers/%s/logs" % container["Id"]
    query = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(LINES)}
    try:
        raw = engine.raw(path, 1 << 20, **query)
    except Refused:
        return "    (its log cannot be read)"
    content = raw if container["Config"].get("Tty") else _demultiplexed(raw)
    text = mask(cleaned(mask(content.decode("utf-8", "replace"))))[-BYTES:]  # colours may part one
    lines = [line for line in text.splitlines() if line.strip()][-LINES:]
    return "\n".join("    " + line for line in lines) or "    (it logged nothing)"


def cleaned(text: str) -> str:
    """A text without colours, and with every other control character made visible."""
    plain = _ESCAPES.sub("", text.replace("\r\n", "\n"))
    return _CONTROLS.sub(lambda found: "\\x%02x" % ord(found.group(0)), plain.replace("\t", " "))


def _demultiplexed(raw: bytes) -> bytes:
    """The text of both streams: each part has a head of eight bytes with its length."""
    parts, at = [], 0
    while at + 8 <= len(raw):
        length = struct.unpack(">I", raw[at + 4 : at + 8])[0]
        parts.append(raw[at + 8 : at + 8 + length])
        at += 8 + length
    return b"".join(parts)
