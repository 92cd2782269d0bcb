"""Docker Engine 26 from Debian's next release, on a lab host: it can be given a minimum API."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from . import root
from .host import LabHost

PROGRAMS = ("usr/sbin/dockerd", "usr/bin/docker")
DROP_IN = "/etc/systemd/system/docker.service.d/lab-minimum.conf"


def install(host: LabHost, minimum: str) -> None:
    """Put daemon and client in the place of the older ones; serve no API below the minimum."""
    host.run("systemctl stop docker.socket docker")
    for program in PROGRAMS:
        shutil.copy2(_unpacked() / program, f"/proc/{host.pid}/root/{program}")
    host.run(f"mkdir -p {Path(DROP_IN).parent}")
    host.write(DROP_IN, f"[Service]\nEnvironment=DOCKER_MIN_API_VERSION={minimum}\n")
    host.run("systemctl daemon-reload; systemctl reset-failed docker; systemctl start docker")


def _unpacked() -> Path:
    """The packages' files, fetched once for a root."""
    at = root.place() / "newer-docker" / root.ready().name
    at.mkdir(parents=True, exist_ok=True)
    with (at / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (at / "done").exists():
            shutil.rmtree(at / "packages", ignore_errors=True)
            (at / "packages").mkdir()
            suite = root.COMPOSE_SUITE
            for package in root.downloaded(suite, at / "packages", "docker.io", "docker-cli"):
                subprocess.run(("dpkg", "-x", str(package), str(at / "files")), check=True)
            (at / "done").touch()
    return at / "files"
