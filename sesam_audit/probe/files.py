"""Files, names and what file systems tell of them."""

import itertools
import os
import time
from stat import S_IFMT, S_IMODE, S_ISLNK

from .accounts import group_name, user_name
from .faults import named
from .reading import expand, raw, read

KINDS = {
    0o100000: "file", 0o040000: "directory", 0o120000: "link", 0o140000: "socket",
    0o060000: "block", 0o020000: "char", 0o010000: "fifo",
}  # fmt: skip


def file(ask):
    data, cut = read(raw(ask["path"]), ask["limit"])
    return {"text": data, "cut": cut}


def files(ask):
    texts, errors = {}, {}
    paths = expand(raw(ask["pattern"]), errors)
    for path in paths[:500]:
        try:
            texts[path], cut = read(path, ask["limit"])
            if cut:
                errors[path] = "TOOBIG"
        except IsADirectoryError:
            continue
        except OSError as error:
            errors[path] = named(error)
    if len(paths) > 500:
        errors[ask["pattern"]] = "TOOBIG"
    return {"files": texts, "errors": errors}


def names(ask):
    with os.scandir(raw(ask["path"])) as entries:
        return {"names": sorted(each.name for each in itertools.islice(entries, 20000))[:1000]}


def stat(ask):
    path = raw(ask["path"])
    own, real = os.lstat(path), os.path.realpath(path)
    try:
        resolved = dict(looks(os.stat(path)), path=real)
    except OSError as error:
        resolved = {"path": real, "error": named(error)}
    return dict(
        looks(own),
        gid=own.st_gid,
        user=user_name(own.st_uid),
        group=group_name(own.st_gid),
        size=own.st_size,
        modified=own.st_mtime,
        target=os.readlink(path) if S_ISLNK(own.st_mode) else "",
        resolved=resolved,
    )


def looks(found):
    return {
        "kind": KINDS.get(S_IFMT(found.st_mode), ""),
        "device": found.st_dev,
        "inode": found.st_ino,
        "uid": found.st_uid,
        "mode": S_IMODE(found.st_mode),
    }


def space(ask):
    found = os.statvfs(raw(ask["path"]))
    return {
        "total": found.f_blocks * found.f_frsize,
        "available": found.f_bavail * found.f_frsize,
        "inodes": found.f_files,
        "inodes_available": found.f_favail,
    }


def fsync(ask):
    import tempfile

    times = []
    with tempfile.TemporaryFile(dir=raw(ask["path"]), buffering=0) as stream:
        while len(times) < ask["writes"] and time.monotonic() < ask["end"]:
            began = time.monotonic()
            stream.write(b"\0" * 4096)
            os.fsync(stream.fileno())
            times.append(time.monotonic() - began)
    times.sort()
    count = len(times)
    if not count:
        return {"error": "TIMEOUT"}
    return {"writes": count, "p50": times[count // 2], "p99": times[count * 99 // 100]}
