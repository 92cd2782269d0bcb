"""System calls that Python has no words for, each on a descriptor."""

import ctypes
import errno
import os
from typing import Optional

_LIBC = ctypes.CDLL(None, use_errno=True)
_RENAMEAT2 = {"x86_64": 316, "aarch64": 276, "ppc64le": 357, "s390x": 347, "riscv64": 276}
NOREPLACE, EXCHANGE = 1, 2
_EMPTY_PATH = 0x1000
_KEEP_SIZE = 1
_PR_SET_DUMPABLE = 4


def _checked(result: int, name: Optional[str] = None) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


def rename(source: str, target: str, flags: int, directory: int, to: Optional[int] = None) -> None:
    """renameat2: EXCHANGE swaps two names atomically, NOREPLACE never takes a name away."""
    names = (directory, os.fsencode(source), directory if to is None else to, os.fsencode(target))
    if hasattr(_LIBC, "renameat2"):
        result = _LIBC.renameat2(*names, ctypes.c_uint(flags))
    else:  # a C library older than 2.28
        number = _RENAMEAT2.get(os.uname().machine)
        if number is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), target)
        result = _LIBC.syscall(ctypes.c_long(number), *names, ctypes.c_uint(flags))
    _checked(result, target)


def own(descriptor: int, uid: int, gid: int) -> None:
    """Give the very object of a descriptor (O_PATH too, a link itself) to somebody."""
    _checked(_LIBC.fchownat(descriptor, b"", uid, gid, _EMPTY_PATH))


def reserve(descriptor: int, size: int) -> None:
    """Hold space beyond the end of a file, so that it can grow on a disk that became full."""
    space = ctypes.c_int64(size)
    if _LIBC.fallocate(descriptor, _KEEP_SIZE, ctypes.c_int64(0), space) < 0:
        code = ctypes.get_errno()
        if code not in (errno.EOPNOTSUPP, errno.ENOSYS):
            raise OSError(code, os.strerror(code))


def sync_all(descriptor: int) -> None:
    """Bring all of an open object's file system to the disk."""
    _checked(_LIBC.syncfs(descriptor))


def forbid_looking() -> None:
    """No core dump, and no other process of the same user may look into this one's memory."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _checked(_LIBC.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
