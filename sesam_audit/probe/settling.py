"""The room of an audit that has just ended gets a moment to go."""

import contextlib
import threading
import time

from .vocabulary import LOOKS

CALM = threading.Event()


def settle(asks):
    """Give the room of an audit that has just ended a moment to go, before anybody looks."""
    if CALM.is_set() or not LOOKS.intersection(each["ask"] for each in asks):
        return
    end = time.monotonic() + 3
    with contextlib.suppress(Exception):
        from .labelled import lives, owner_of, things

        while any(not lives(owner_of(each)) for each in things("containers", 1)):
            if time.monotonic() > end:
                break
            time.sleep(0.05)
    CALM.set()
