"""Write reports whole or not at all, for their owner's eyes only."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from pathlib import Path

from sesam_audit.errors import AuditError, UsageError


def check_writable(path: str | Path) -> None:
    """Prove that a report can be written here, before anything is audited.

    Raises:
        UsageError: no such folder, a folder itself, no permission, a read-only file system.
    """
    what = f"The file cannot be written to {path}"
    folder = _target(path).parent
    if Path(path).is_dir():
        raise UsageError(f"{what}: it is a folder", "Name a file in it")
    if _special(path):
        if not os.access(path, os.W_OK):
            raise UsageError(f"{what}: permission denied", "Name a path you may write to")
        return
    if not folder.is_dir():
        remedy = f"Create it: mkdir -p {shlex.quote(str(folder))}"
        raise UsageError(f"{what}: there is no folder {folder}", remedy)
    try:
        handle, name = _beside(_target(path))
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise UsageError(f"{what}: {error.strerror}", "Name a path you may write to") from error


def write(path: str | Path, text: str) -> None:
    """Put the text at `path` in one step, readable by its owner only; never half a report.

    Raises:
        AuditError: the disk is full, or the folder is gone since `check_writable`.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if _special(path):
            Path(path).write_bytes(data)
        else:
            _replace(_target(path), data)
    except OSError as error:
        raise AuditError(f"The file was not written to {path}: {error.strerror}") from error


def _replace(target: Path, data: bytes) -> None:
    handle, name = _beside(target)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _target(path: str | Path) -> Path:
    """Where the bytes go: a link's target is replaced, not the link."""
    return Path(os.path.realpath(path))


def _special(path: str | Path) -> bool:
    """A device or a pipe, such as /dev/null or /dev/fd/63, cannot be replaced."""
    try:
        kind = Path(path).stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def _beside(target: Path) -> tuple[int, str]:
    """An empty file of mode 0600 in the same folder, so that renaming it is one step."""
    name = str(target.parent / f".{target.name[:100]}.{os.urandom(8).hex()}.tmp")
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), name
