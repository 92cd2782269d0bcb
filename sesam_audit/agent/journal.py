"""The write-ahead journal: what is about to happen is on the disk before it happens.

One JSON line for each record, with the checksum of the record before it and its own. A line that a
crash has torn, and whatever follows it, is cut off when the journal is opened again: nothing was
done yet on its behalf, for the act comes after the sync.
"""

import contextlib
import hashlib
import json
import os
import time
from typing import Any, Dict, List, Tuple

from . import kernel

Record = Dict[str, Any]
_RESERVE = 1 << 20  # bytes: "done" and "undone" can be written on a disk that became full


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that checksums and plan ids are made of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def plan_id(plan: Record) -> str:
    """A plan's identity: SHA-256 over everything in it but the id itself."""
    return hashlib.sha256(
        canonical({key: value for key, value in plan.items() if key != "id"})
    ).hexdigest()


def utc() -> str:
    """Now, as reports spell it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Journal:
    """The records of one run."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.records, self._sum, good = _good(_content(self._file))
        if os.fstat(self._file).st_size > good:
            os.ftruncate(self._file, good)
        self._length = good
        kernel.reserve(self._file, good + _RESERVE)
        os.fsync(self._file)

    def write(self, kind: str, **more: Any) -> None:
        """Add a record and wait until it is on the disk."""
        record = dict(more, kind=kind, at=utc(), previous=self._sum)
        total = hashlib.sha256(canonical(record)).hexdigest()
        line = canonical(dict(record, sum=total)) + b"\n"
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("the journal's disk is full")
            os.fsync(self._file)
        except OSError:
            self._cut()
            raise
        self._length += len(line)
        self._sum = total
        self.records.append(record)

    def _cut(self) -> None:
        """Back to the last good record; cutting frees what was reserved beyond it."""
        if os.fstat(self._file).st_size > self._length:
            os.ftruncate(self._file, self._length)
            with contextlib.suppress(OSError):
                kernel.reserve(self._file, self._length + _RESERVE)

    def close(self) -> None:
        """End writing."""
        os.close(self._file)

    def of(self, action: str) -> List[Record]:
        """What was recorded about one action."""
        return [each for each in self.records if each.get("action") == action]


def read(path: str) -> List[Record]:
    """The good records of a journal, which is left as it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        return _good(_content(descriptor))[0]
    finally:
        os.close(descriptor)


def _content(descriptor: int) -> bytes:
    parts: List[bytes] = []
    at = 0
    while True:
        part = os.pread(descriptor, 1 << 20, at)
        if not part:
            return b"".join(parts)
        parts.append(part)
        at += len(part)


def _good(content: bytes) -> Tuple[List[Record], str, int]:
    """The records up to the first bad line, the last one's checksum, and their length in bytes."""
    records: List[Record] = []
    last, length = "", 0
    for line in content.splitlines(True):
        try:
            record = json.loads(line.decode("ascii"))
            total = record.pop("sum")
            whole = line.endswith(b"\n") and record["previous"] == last
        except (ValueError, LookupError, AttributeError, TypeError):
            break
        if not whole or hashlib.sha256(canonical(record)).hexdigest() != total:
            break
        records.append(record)
        last, length = total, length + len(line)
    return records, last, length
