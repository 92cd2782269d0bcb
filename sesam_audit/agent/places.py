"""Where a node keeps its data, by the Engine's words for a container or compose's for a service."""

import os
import re
from posixpath import normpath
from typing import Any, Dict, List

IN_CONTAINER = "/sesam/data"
_DATA = re.compile(r"(?:^|\s)-d[\s=]+([^\s'\"]+)")


def inside_of(record: Dict[str, Any]) -> str:
    """The container's own path of its data."""
    return _said(record.get("Args")) or IN_CONTAINER


def store_of(record: Dict[str, Any]) -> str:
    """The host's directory behind the node's data argument; "" when it is in no mount."""
    mounts = record.get("Mounts")
    pairs = [
        [str(each.get("Destination", "")), str(each.get("Source", ""))]
        for each in (mounts if isinstance(mounts, list) else ())
        if isinstance(each, dict)
    ]
    return _outside(inside_of(record), pairs)


def store_in(service: Dict[str, Any], inside: str) -> str:
    """The same for a rendered service; "" in a volume too, whose directory compose does not know.

    `inside` is where an earlier container had it, for a command that does not say.
    """
    pairs = [
        [str(each.get("target", "")), str(each.get("source", ""))]
        for each in service.get("volumes") or ()
        if each.get("type") == "bind"
    ]
    return _outside(_said(service.get("command")) or inside, pairs)


def _said(words: Any) -> str:
    said = _DATA.search(" ".join(map(str, words))) if isinstance(words, list) else None
    return normpath(said.group(1)) if said else ""


def _outside(inside: str, mounts: List[List[str]]) -> str:
    best = ("", "")
    for target, source in mounts:
        at = normpath(target)
        if (inside == at or inside.startswith(at + "/")) and len(at) > len(best[0]) and source:
            best = (at, source)
    return normpath(best[1] + inside[len(best[0]) :]) if best[0] else ""


def holds_other_data(place: str, wanted: str) -> bool:
    """Say whether a directory holds something and is another one than what is wanted."""
    try:
        names = os.listdir(place)
    except FileNotFoundError:
        return False
    return bool(names) and not (os.path.exists(wanted) and os.path.samefile(place, wanted))
