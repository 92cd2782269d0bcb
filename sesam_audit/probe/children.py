"""The programs that were started and still run; they end with this one."""

import contextlib
import os
import signal
import threading

SPAWNING = threading.Lock()  # guards CHILDREN
CHILDREN = set()  # process groups of running programs


def kill(group):
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
