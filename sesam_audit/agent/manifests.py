"""What a copy was proved to hold, kept until `finish`: nothing else is ever removed."""

import json
import zlib
from typing import Any, Dict, List, Optional

from .copier import FOLDER, Entry, entries
from .paths import DIRECTORY, Place


def packed(manifest: List[Entry]) -> bytes:
    """A manifest as a file of the run."""
    return zlib.compress(json.dumps(manifest).encode("ascii"))


def unpacked(content: Optional[bytes]) -> List[Entry]:
    """A kept manifest; nothing when none was kept."""
    return list(json.loads(zlib.decompress(content).decode())) if content else []


def same(entry: Entry, listed: Dict[str, Any]) -> bool:
    """Say whether an entry is in a manifest and unchanged since."""
    known = listed.get(entry["path"])
    if not known:
        return False
    keys = ("inode", "kind") if known["kind"] == FOLDER else ("inode", "kind", "size", "mtime")
    return all(entry[key] == known[key] for key in keys)


def changes(target: Place, manifest: List[Entry]) -> List[str]:
    """What is not in the copy as it was when it was proved."""
    with target.opened(DIRECTORY) as copy:
        now = {each["path"]: [each["inode"], each["mtime"]] for each in entries(copy)}
    then = {each["path"]: each["copy"] for each in manifest if "copy" in each}
    return sorted(path for path in set(now) | set(then) if now.get(path) != then.get(path))
