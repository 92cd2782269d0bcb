"""Read what a person names: a whole file or pipe, but no more than such a file can hold."""

from __future__ import annotations

from pathlib import Path

from sesam_audit.errors import UsageError

SMALL = 2**20
"""What no file that a person writes exceeds; bytes."""


def read(path: Path, what: str, most: int = SMALL) -> bytes:
    """The bytes of a file that is called `what` in messages, as "The license".

    Raises:
        UsageError: it cannot be read, or is far too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{what} {str(path)!r} cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise UsageError(f"{what} {str(path)!r} is too large to be one")
    return data
