"""Programs are run without a shell, in sessions of their own, within bounds."""

import os
import pwd
import selectors
import subprocess
import time

from .accounts import user_name
from .children import CHILDREN, SPAWNING, kill
from .executables import PATH, home, which
from .reading import raw


def run(ask):
    argv, user, place = list(map(raw, ask["argv"])), ask["user"], home()
    if not which(ask["argv"][0]):
        return {"error": "ENOENT"}
    if user and user != user_name(os.geteuid()):
        if os.geteuid() != 0:
            return {"error": "EPERM", "err": "only root can run it as " + user}
        if not which("runuser"):
            return {"error": "UNSUPPORTED", "err": "there is no runuser"}
        try:
            place = pwd.getpwnam(user).pw_dir
        except KeyError:
            return {"error": "EINVAL", "err": "there is no user " + user}
        argv = ["runuser", "-u", user, "--"] + argv
    return spawn(argv, ask["end"], ask["limit"], {"PATH": PATH, "HOME": place, "LC_ALL": "C"})


def spawn(argv, end, limit, env=None, cwd="/"):
    """Run a program, without a shell, in its own session, until it ends or meets a bound."""
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    env = env or {"PATH": PATH, "HOME": home(), "LC_ALL": "C"}
    with SPAWNING:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, env=env, cwd=cwd, start_new_session=True, **pipes
        )
        CHILDREN.add(child.pid)
    out, err, error, cut = bytearray(), bytearray(), None, False
    with child.stdout, child.stderr, selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, out)
        selector.register(child.stderr, selectors.EVENT_READ, err)
        while not cut:
            # Seen but not reaped, so that the number stays its own until the group is killed.
            over = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            left = end - time.monotonic()
            if left <= 0:
                error = None if over else "TIMEOUT"
                break
            pause = min(left, 0.1 if selector.get_map() else 0.002)
            ready = selector.select(0 if over else pause)
            if over and not ready:
                break  # a daemon that it left behind may still hold the pipes
            for key, _ in ready:
                part = os.read(key.fd, 65536)
                key.data.extend(part)
                cut = cut or len(key.data) > limit
                if not part:
                    selector.unregister(key.fileobj)
    with SPAWNING:
        kill(child.pid)
        CHILDREN.discard(child.pid)
    ended = {"error": error, "code": child.wait(), "cut": cut}
    return dict(ended, out=bytes(out[:limit]), err=bytes(err[:limit]))
