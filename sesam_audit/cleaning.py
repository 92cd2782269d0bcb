"""Foreign text made harmless: nothing a machine says may reorder, hide or break a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msgspec import Struct

# Outside XML 1.0; C0 and C1 controls; marks that reorder, join, hide or fake text; surrogates.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
# What CI reads as an order in a log: `::error::` at a line's start, `##vso[` anywhere.
_ORDER = re.compile(r"(^(?:[^\S\n]|\x1b\[[\d;]*m)*:)(?=:)|#(?=#\w*\[)", re.MULTILINE)


def clean(text: str) -> str:
    """Foreign text with every control, invisible mark and lone surrogate as a visible escape."""
    return _UNSAFE.sub(lambda match: _escape(ord(match[0])), text)


def without_orders(text: str) -> str:
    """A text, styled or not, in which CI finds no order to obey: a blank parts what begins one."""
    return _ORDER.sub(r"\g<0> ", text)


def without_orders_in_json(document: str) -> str:
    """The same for JSON, which says the same afterwards."""
    return document.replace("##", r"#\u0023")


def for_a_log(text: str) -> str:
    """Foreign text of several lines, as it may stand on a terminal and in the log of a CI."""
    return without_orders("\n".join(map(clean, text.splitlines())))


def _escape(point: int) -> str:
    if point > 0xFFFF:
        return f"\\U{point:08x}"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"


def clean_fields(record: Struct) -> None:
    """Clean every text of a frozen record as it comes into being."""
    from msgspec.structs import force_setattr  # not needed by what reaches for hosts

    for name in record.__struct_fields__:
        force_setattr(record, name, _cleaned(getattr(record, name)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Enum):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(part) for part in value)
    if isinstance(value, Mapping):
        return {clean(key): clean(text) for key, text in value.items()}
    return value
