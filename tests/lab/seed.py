"""What is laid over the root before a host boots: files, directories and links, as one archive."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .root import USERS


@dataclass(frozen=True)
class File:
    """A regular file with its text."""

    path: str
    text: str
    owner: str = "root"
    mode: int = 0o644


@dataclass(frozen=True)
class Directory:
    """A directory."""

    path: str
    owner: str = "root"
    mode: int = 0o755


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    path: str
    target: str
    owner: str = "root"


Entry = File | Directory | Link


def pack(entries: Iterable[Entry], archive: Path) -> None:
    """Write the entries as a tar archive with numeric owners."""
    with tarfile.open(archive, "w") as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.path.lstrip("/"))
            info.uid = info.gid = USERS[entry.owner]
            info.mtime = int(time.time())
            content = b""
            if isinstance(entry, File):
                content = entry.text.encode()
                info.size, info.mode = len(content), entry.mode
            elif isinstance(entry, Directory):
                info.type, info.mode = tarfile.DIRTYPE, entry.mode
            else:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.target, 0o777
            tar.addfile(info, io.BytesIO(content))
