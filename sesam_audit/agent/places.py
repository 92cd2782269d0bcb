"""Where a node's container keeps its data, as the Engine's description of it tells."""

import re
from posixpath import normpath
from typing import Any, Dict

IN_CONTAINER = "/sesam/data"
_DATA = re.compile(r"(?:^|\s)-d[\s=]+([^\s'\"]+)")


def store_of(record: Dict[str, Any]) -> str:
    """The host's directory behind the node's data argument; "" when it is in no mount."""
    words = record.get("Args")
    said = _DATA.search(" ".join(map(str, words)) if isinstance(words, list) else "")
    inside, best = normpath(said.group(1) if said else IN_CONTAINER), ("", "")
    mounts = record.get("Mounts")
    for each in mounts if isinstance(mounts, list) else ():
        if not isinstance(each, dict):
            continue
        at, source = normpath(str(each.get("Destination", ""))), str(each.get("Source", ""))
        if (inside == at or inside.startswith(at + "/")) and len(at) > len(best[0]) and source:
            best = (at, source)
    return normpath(best[1] + inside[len(best[0]) :]) if best[0] else ""
