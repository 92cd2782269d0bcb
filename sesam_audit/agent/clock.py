"""The Engine's times, as seconds before now."""

import calendar
import re
import time

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?")


def moment(text: str) -> float:
    """An Engine's UTC time in seconds since 1970; 0 for one that it does not know."""
    found = _TIME.match(text)
    if not found or text.startswith("0001"):
        return 0.0
    whole = calendar.timegm(time.strptime(found.group(1), "%Y-%m-%dT%H:%M:%S"))
    return whole + float(found.group(2) or 0)


def seconds_since(text: str) -> float:
    """How long ago an Engine's UTC time was, in seconds; 0 for one that it does not know."""
    then = moment(text)
    return max(0.0, time.time() - then) if then else 0.0
