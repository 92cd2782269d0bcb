"""Docker Engine 26 from Debian's next release, on a lab host: it can be given a minimum API."""

from __future__ import annotations

import shutil
from pathlib import Path

from . import root
from .host import LabHost

PROGRAMS = ("usr/sbin/dockerd", "usr/bin/docker")
DROP_IN = "/etc/systemd/system/docker.service.d/lab-minimum.conf"


def install(host: LabHost, minimum: str) -> None:
    """Put daemon and client in the place of the older ones; serve no API below the minimum."""
    host.run("systemctl stop docker.socket docker")
    files = root.unpacked("newer-docker", root.COMPOSE_SUITE, "docker.io", "docker-cli")
    for program in PROGRAMS:
        shutil.copy2(files / program, f"/proc/{host.pid}/root/{program}")
    host.run(f"mkdir -p {Path(DROP_IN).parent}")
    host.write(DROP_IN, f"[Service]\nEnvironment=DOCKER_MIN_API_VERSION={minimum}\n")
    host.run("systemctl daemon-reload; systemctl reset-failed docker; systemctl start docker")
