"""The authorities that dockerd trusts for Docker Hub beside the machine's own."""

import json
import os
import time

from .daemon import daemon
from .faults import Stopped
from .reading import expand, raw

REGISTRY_ROOTS = "/etc/docker/certs.d/docker.io/*.crt"


def registry_roots():
    """The authorities that dockerd adds for Docker Hub, and whether that cannot be told.

    It does where containerd keeps its images; else it takes none from /etc/docker for the Hub.
    """
    errors = {}
    paths = expand(raw(REGISTRY_ROOTS), errors)
    if not paths:
        return [], bool(errors)
    try:
        status = json.loads(str(daemon("GET", "/info", time.monotonic() + 3)[1], "utf-8"))
        containerd = "io.containerd.snapshotter.v1" in str(status["DriverStatus"])
    except (OSError, ValueError, LookupError, TypeError):
        return [], True
    return (paths, not all(os.access(x, os.R_OK) for x in paths)) if containerd else ([], False)


def doubted():
    """End a dial that was refused where dockerd may know more authorities."""
    if registry_roots()[1]:
        raise Stopped(error="EACCES", detail="whether dockerd trusts %s" % REGISTRY_ROOTS)
