"""Regular files are read up to a limit, and patterns are matched without silence about errors."""

import errno
import fnmatch
import os
import re
from stat import S_ISDIR, S_ISREG

from .faults import named


def raw(path):
    """Paths are bytes here: names need not be text, and the locale may be C."""
    return path.encode("utf-8", "surrogateescape")


def read(path, limit):
    """A regular file's first bytes, and whether there are more. No FIFO or device is opened."""
    kind = os.stat(path).st_mode
    if not S_ISREG(kind):
        raise OSError(errno.EISDIR if S_ISDIR(kind) else errno.EINVAL, "not a regular file")
    data = b""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with open(opened, "rb", buffering=0) as stream:
        while len(data) <= limit:
            part = stream.read(limit + 1 - len(data))
            if not part:
                break
            data += part
    return data[:limit], len(data) > limit


def expand(pattern, errors):
    """What a pattern matches. Not glob, which is silent about directories that it may not read."""
    paths = [b"/"]
    for part in pattern.strip(b"/").split(b"/"):
        grown = []
        for path in paths:
            try:
                if re.search(rb"[*?[]", part):
                    found = fnmatch.filter(os.listdir(path), part)
                    found = sorted(each for each in found if each[:1] != b"." or part[:1] == b".")
                else:
                    os.lstat(os.path.join(path, part))
                    found = [part]
                grown += [os.path.join(path, each) for each in found]
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                errors[path] = named(error)
        paths = grown[:5000]
    return paths
