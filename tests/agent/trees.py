"""What a tree of files is, entry by entry: two of them can be compared."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

OWN = "var/lib/sesam-audit"


def tree(root: Path, *, times: bool = False) -> dict[str, Any]:
    """Every entry below a root, the agent's own state left out.

    Type, mode, owner, number of names, link text, extended attributes, content; modification times
    of files when asked.
    """
    found: dict[str, Any] = {}
    for directory, names, files in os.walk(root):
        for name in [*names, *files]:
            path = Path(directory, name)
            inside = str(path.relative_to(root))
            if inside == OWN or inside.startswith(f"{OWN}/"):
                continue
            found[inside] = entry(path, times=times)
    return found


def entry(path: Path, *, times: bool) -> tuple[Any, ...]:
    """One entry, as far as it is promised to come back."""
    status = path.lstat()
    facts: list[Any] = [stat.filemode(status.st_mode), status.st_uid, status.st_gid]
    if path.is_symlink():
        return (*facts, path.readlink())
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    facts.append(tuple(sorted(attributes.items())))
    if path.is_file():
        facts += [status.st_nlink, hashlib.sha256(path.read_bytes()).hexdigest()]
        facts += [status.st_mtime_ns] if times else []
    return tuple(facts)
