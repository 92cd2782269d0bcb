"""Removes single entries of a directory, each looked at; what is not meant stays and is named."""

import os
import stat
from typing import Callable, List

from . import copier
from .paths import DIRECTORY, Place


def remove(place: Place, name: str, meant: Callable[[copier.Entry], bool]) -> List[str]:
    """Unlink what is meant, then rmdir upwards what became empty; return what stays.

    Temporary files of our own copying are always meant. A second call goes on after an
    interruption: what is gone is gone.
    """
    if not place.status(name):
        return []
    left = []
    with place.opened(DIRECTORY, name) as root:
        for entry in reversed(list(copier.entries(root))):
            ours = os.fsencode(os.path.basename(entry["path"])).startswith(copier.TEMPORARY)
            if not (ours or meant(entry)):
                left.append(entry["path"])
                continue
            with copier.opened(root, entry["path"]) as (folder, last):
                try:
                    if stat.S_ISDIR(entry["kind"]):
                        os.rmdir(last, dir_fd=folder)
                    else:
                        os.unlink(last, dir_fd=folder)
                except OSError:
                    left.append(entry["path"])
        os.fsync(root)
    if not left:
        os.rmdir(name, dir_fd=place.directory)
        place.sync()
    return sorted(left)
