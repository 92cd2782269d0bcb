"""What Docker holds of a room, by its label, and whose it is."""

import contextlib
import json
import re

from .daemon import docker
from .faults import Stopped

ROOM_LABEL = "sesam-audit.room"
ROOM_LISTS = {
    "containers": "containers/json?all=1&",
    "networks": "networks?",
    "images": "images/json?",
}


def owner(pid):
    """A process as its label names it: a number alone is given again."""
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid, "rb") as stat:
        return "%d-%d" % (pid, int(stat.read().rpartition(b")")[2].split()[19]))
    return ""


def lives(name):
    return name == owner(int("0" + re.sub(r"\D.*", "", name)))


def owner_of(thing):
    labels = thing.get("Labels")
    return str(labels.get(ROOM_LABEL) or "") if isinstance(labels, dict) else ""


def clear(gone):
    """Remove what belongs to owners that are gone; how much there was."""
    count = 0
    for kind in ROOM_LISTS:
        for each in things(kind):
            if gone(owner_of(each)):
                count += 1
                with contextlib.suppress(Stopped):  # it is going already, or still in use
                    docker("DELETE", "/%s/%s?force=1" % (kind, each["Id"]))
    return count


def things(kind, seconds=15):
    from urllib.parse import quote

    label = quote(json.dumps({"label": [ROOM_LABEL]}))
    path = "/%sfilters=%s" % (ROOM_LISTS[kind], label)
    return docker("GET", path, seconds=seconds)
