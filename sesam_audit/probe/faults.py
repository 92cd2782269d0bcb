"""What went wrong, by name and in words."""

import errno
import re
import socket

from .vocabulary import SECRET


class Stopped(Exception):
    """A dial that ends for a reason that is no exception; `known` goes into its answer."""

    def __init__(self, **known):
        super().__init__()
        self.known = dict({"detail": ""}, **known)


def fault(error, ask):
    told = {"error": named(error)}
    if ask in SECRET and told["error"].startswith("CRASH"):
        told["error"] = "CRASH: " + type(error).__name__
    elif ask == "Dial":
        told["detail"] = words(error)
        told.update(getattr(error, "known", {}))
    return told


def named(error):
    """An error by name. Its errno is told of real ones only: an ssl error's 1 would read EPERM."""
    if isinstance(error, socket.gaierror):
        kinds = ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")  # not everywhere all of them
        unknown = [getattr(socket, each, None) for each in kinds]
        return "NXDOMAIN" if error.errno in unknown else "SERVFAIL"
    if isinstance(error, socket.timeout) or getattr(error, "errno", 0) == errno.ETIMEDOUT:
        return "TIMEOUT"
    if type(error).__module__ in ("ssl", "http.client"):
        return "TLS" if type(error).__module__ == "ssl" else "HTTP"
    if isinstance(error, UnicodeError) and "label" in str(error):
        return "NXDOMAIN"  # a name that DNS cannot carry
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        return errno.errorcode[error.errno]
    return "CRASH: " + words(error)


def words(error):
    said = getattr(error, "verify_message", "") or str(error)
    said = re.sub(r"^\[[^]]*\] |\s*\(_?\w+\.c:\d+\)$", "", said)[:300]
    return said if isinstance(error, OSError) else type(error).__name__ + ": " + said
