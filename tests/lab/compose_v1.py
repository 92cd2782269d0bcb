"""Debian's own docker-compose 1.29, for a host on which somebody ran an installation with it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from . import root
from .host import LabHost

PACKAGES = (
    "docker-compose",
    *(
        f"python3-{name}"
        for name in (
            *("attr", "cached-property", "certifi", "chardet", "charset-normalizer", "distro"),
            *("distutils", "docker", "dockerpty", "docopt", "dotenv", "idna", "jsonschema"),
            *("lib2to3", "pkg-resources", "pyrsistent", "requests", "six", "texttable", "urllib3"),
            *("websocket", "yaml"),
        )
    ),
)


def install(host: LabHost) -> None:
    """Put it on a host, as its package manager would."""
    shutil.copytree(_unpacked(), f"/proc/{host.pid}/root", dirs_exist_ok=True, symlinks=True)


def _unpacked() -> Path:
    """The packages' files, fetched once for a root."""
    at = root.place() / "compose-v1" / root.ready().name
    at.mkdir(parents=True, exist_ok=True)
    with (at / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (at / "done").exists():
            shutil.rmtree(at / "files", ignore_errors=True)
            shutil.rmtree(at / "packages", ignore_errors=True)
            (at / "packages").mkdir()
            for package in root.downloaded(root.SUITE, at / "packages", *PACKAGES):
                subprocess.run(("dpkg", "-x", str(package), str(at / "files")), check=True)
            shutil.rmtree(at / "files/usr/share")
            (at / "done").touch()
    return at / "files"
