"""Docker Hub: its hosts, this machine's login for it, and which image is for this machine."""

import errno
import json
import os

from .docker_config import login_of
from .reading import raw, read

REGISTRY, AUTH, HUB = "registry-1.docker.io", "auth.docker.io", "https://index.docker.io/v1/"


def hub_login(path):
    """The user:password for Docker Hub in a docker config; it is for Rehearsal alone."""
    if not path:
        return b""
    try:
        found = json.loads(str(read(raw(path), 1 << 20)[0], "utf-8-sig"))
        login = login_of(found["auths"][HUB])
    except (ValueError, LookupError, TypeError, RecursionError):
        login = b""
    if not login:
        raise OSError(errno.ENOKEY, "no login for Docker Hub in it")
    return login


def fits(platform):
    """Whether an index's entry is for this machine."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    return isinstance(platform, dict) and platform.get("architecture") == machine
