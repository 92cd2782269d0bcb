"""Why a check is there and what switches it off, read off its own declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile
from sesam_audit.requirement import Requirement, catalogue, need_id
from sesam_audit.rules import PROXY_CONSEQUENCE, PROXY_RULE, RULES

_REASON = re.compile(r"(?:Engineering|documentation|Traefik's source): ([^;]+)")


def why(item: Requirement) -> str:
    """What happens while it does not hold, in the guide's or the source's words, or ""."""
    if item.rule == PROXY_RULE:
        return PROXY_CONSEQUENCE
    if item.rule:
        return f"{RULES[item.rule].consequence} (guide, if it is closed)"
    found = _REASON.search(item.source)
    return found[1] if found else ""


def off_when(item: Requirement) -> str:
    """The options of a deployment under which it is not applicable; "" when there are none."""
    return "; ".join(_switches(item))


def _switches(item: Requirement) -> Iterator[str]:
    kinds, shipped = get_type_hints(Profile), Profile()
    for key in (each.name for each in fields(Profile) if item.when):
        default = getattr(shipped, key)
        reasons = {
            value: item.when(replace(shipped, **{key: value})) if item.when else None
            for value in _values(kinds[key], default)
        }
        off = {value: reason for value, reason in reasons.items() if reason}
        if off and len(off) < len(reasons):
            because = next(iter(off.values())).partition(": ")[2]
            note = " (as shipped)" if default in off else ""
            yield f"{key} {_said(off)}{note}{f': {because}' if because else ''}"


def _values(kind: Any, default: Any) -> tuple[Any, ...]:
    """Values that may make a difference: all of few, or none and some."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    if kind is bool:
        return (True, False)
    if kind in (str, NamedFile):
        return ("", "some")
    return ((), ("some",)) if get_origin(kind) is tuple else (default,)


def _said(off: dict[Any, str]) -> str:
    if any(value in ("", ()) for value in off):
        return "is not set"
    words = [str(value).lower() if isinstance(value, bool) else str(value) for value in off]
    return f"= {' or '.join(words)}"


def dependents(item: Requirement) -> tuple[str, ...]:
    """The checks that are judged only when this one holds."""
    return tuple(other.id for other in catalogue().values() if item.id in map(need_id, other.needs))
