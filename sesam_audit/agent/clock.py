"""The Engine's times, as seconds before now."""

import calendar
import re
import time

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?")


def seconds_since(text: str) -> float:
    """How long ago an Engine's UTC time was, in seconds; 0 for one that it does not know."""
    found = _TIME.match(text)
    if not found or text.startswith("0001"):
        return 0.0
    whole = calendar.timegm(time.strptime(found.group(1), "%Y-%m-%dT%H:%M:%S"))
    return max(0.0, time.time() - whole - float(found.group(2) or 0))
