"""Why a host did not answer: the words of ssh and docker, and what they mean to people."""

from __future__ import annotations

import shutil

from sesam_audit.channel import ENDED, ChannelError
from sesam_audit.cleaning import clean
from sesam_audit.errors import HostError, UnreachedError

_CONNECT = "Connect once with `ssh {spec}` and compare the fingerprint"
_CHANGED = "Find out why before you connect; then `ssh-keygen -R HOST`"
_TROUBLES = {
    "Permission denied (": ("the key or user was refused", "Try the same with `ssh {spec}` first"),
    "No route to host": ("there is no route to it", "Check its address"),
    "Connection refused": ("it refuses connections", "Is its sshd running, and on this port?"),
    "host key is known for": ("its host key is not known", _CONNECT),
    "HOST IDENTIFICATION HAS CHANGED": ("its host key has changed", _CHANGED),
    "has changed and you have requested strict": ("its host key has changed", _CHANGED),
    "Host key verification failed": ("its host key does not verify", _CONNECT),
    "Could not resolve hostname": (
        "its name does not resolve",
        "Check the name, or your ssh configuration",
    ),
    "timed out": ("it did not answer in time", "Check address, port and firewall"),
    "Network is unreachable": ("the network is unreachable", "Check your own network"),
    "Too many authentication failures": (
        "it refused too many keys",
        "Name the key with --identity",
    ),
    "This account is currently not available": (
        "the user's login shell lets nobody in",
        "Name another user (USER@HOST), or give this one a shell: `sudo usermod -s /bin/bash USER`",
    ),
    "No such container": ("there is no such container", "See `docker ps`"),
    "Cannot connect to the Docker daemon": ("the Docker daemon does not answer", "Is it running?"),
}
"""Words of ssh and docker, which end with the same code for everything, and what they mean."""


def trouble(spec: str, error: ChannelError, *, asked: bool = True) -> HostError:
    """The one sentence for a host that did not answer; `asked`: it had answered before."""
    scheme = spec.partition("://")[0]
    kind = HostError if asked else UnreachedError
    if error.what == ENDED and scheme != "local" and not shutil.which(scheme):
        return kind(
            f"{spec}: there is no command `{scheme}` on this machine",
            "Install it here, on the machine that audits",
        )
    for words, (what, remedy) in _TROUBLES.items():
        if words in error.stderr and error.what == ENDED:
            return kind(f"{spec}: {what}", remedy.format(spec=spec))
    last = clean(error.stderr.strip().rpartition("\n")[2])[:300]
    said = f": {last}" if last else ""
    return HostError(
        f"{spec}: {error.what}{said}",
        f"Try it by hand: `ssh {spec} true`" if scheme == "ssh" else "",
    )
