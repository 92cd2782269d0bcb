"""Debian's own docker-compose 1.29, for a host on which somebody ran an installation with it."""

from __future__ import annotations

import shutil

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
    files = root.unpacked("compose-v1", root.SUITE, *PACKAGES)
    for part in ("usr/bin", "usr/lib"):
        place = f"/proc/{host.pid}/root/{part}"
        shutil.copytree(files / part, place, dirs_exist_ok=True, symlinks=True)
