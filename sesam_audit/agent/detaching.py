"""Lets the work go on without the connection that ordered it."""

import os
import signal
from typing import Callable

from . import children
from .state import content_of


def detach(work: Callable[[], None]) -> None:
    """Do the work in a process of its own: new session, no terminal, nothing of ours but the lock.

    Returns in the calling process once the worker is on its way.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.chdir("/")
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        leave_session()
        work()
    finally:
        os._exit(0)


def leave_session() -> None:
    """Where logind may kill all that a login left behind, move into a scope of the system's own."""
    if (content_of("/proc/1/comm") or b"").strip() != b"systemd":
        return
    pid = str(os.getpid())
    children.run(
        [
            "busctl", "--quiet", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))",
            "sesam-audit-%s.scope" % pid, "fail", "2",
            "PIDs", "au", "1", pid, "Description", "s", "sesam-audit apply", "0",
        ],
        seconds=10,
    )  # fmt: skip
