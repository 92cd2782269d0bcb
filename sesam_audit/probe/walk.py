"""Who owns what below some directories."""

import errno
import itertools
import os
import time
from stat import S_ISDIR, S_ISLNK

from .accounts import group_name, user_name
from .reading import raw


def walk(ask):
    """Who owns what below the roots: lstat only, no other file system entered.

    No link is followed below them; a root, and what is skipped, is meant where its links lead.
    """
    leads = {root: os.path.realpath(root) for root in map(os.path.normpath, map(raw, ask["roots"]))}
    roots = set(leads.values())
    skip, skip_names = set(), set(map(raw, ask["skip_names"]))
    for path in map(raw, ask["skip"]):
        above = [root for root in leads if path == root or path.startswith(os.path.join(root, b""))]
        root = max(above, key=len, default=path)
        skip.add(leads.get(root, root) + path[len(root) :])
    seen, missing, offenders, samples, passed, unreadable = 0, 0, 0, [], [], []
    waiting = [(root, None) for root in sorted(roots)]  # each with the device to stay on
    while waiting and seen < ask["entries"] and time.monotonic() < ask["end"]:
        path, device = waiting.pop()
        try:
            found = os.lstat(path)
            if S_ISLNK(found.st_mode) and device is None:  # it leads to itself
                raise OSError(errno.ELOOP, "")
            # On overlay a file's device differs from its directory's: directories alone tell.
            foreign = S_ISDIR(found.st_mode) and device not in (None, found.st_dev)
            if foreign or path in skip or os.path.basename(path) in skip_names:
                passed.append(path)
                continue
            seen += 1
            if (found.st_uid, found.st_gid) != (ask["uid"], ask["gid"]):
                offenders += 1
                user, group = user_name(found.st_uid), group_name(found.st_gid)
                owner = " %s:%s" % (user or found.st_uid, group or found.st_gid)
                samples += [path + raw(owner)] * (len(samples) < 20)
            if S_ISDIR(found.st_mode):
                with os.scandir(path) as entries:
                    inside = [each.path for each in itertools.islice(entries, ask["entries"])]
                waiting += [(each, found.st_dev) for each in inside if each not in roots]
        except FileNotFoundError:
            missing += device is None
        except OSError:
            unreadable.append(path)
    if missing == len(roots):
        return {"error": "ENOENT"}
    return {
        "entries": seen,
        "offenders": offenders,
        "samples": samples,
        "passed_over": passed[:50],
        "unreadable": unreadable[:20],
        "complete": not waiting,
    }
