"""The conversation: a request is a line, its reply is a frame, and it ends with standard input."""

import json
import os
import queue
import signal
import sys
import threading
import zlib

from .children import CHILDREN, SPAWNING, kill
from .rounds import respond

LIFETIME = 900


def converse(marker):
    """Answer one request after the other until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not break a frame
    for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    signal.alarm(LIFETIME)
    requests = queue.Queue()
    threading.Thread(target=listen, args=(requests,), daemon=True).start()
    try:
        while True:
            reply = zlib.compress(respond(json.loads(requests.get())), 1)
            out.write(b"\n%s %d\n%s" % (marker.encode(), len(reply), reply))
            out.flush()
    except Exception as error:
        sys.stderr.write("sesam-audit's probe: %s\n" % type(error).__name__)
    finally:
        end()


def listen(requests):
    for line in sys.stdin.buffer:
        requests.put(line)
    end()


def end(*_):
    """Kill what was started and leave, whatever the other threads are waiting for."""
    SPAWNING.acquire(timeout=2)  # and never released: nothing starts any more
    for group in list(CHILDREN):
        kill(group)
    os._exit(0)
