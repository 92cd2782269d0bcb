"""A started program spoken to over its pipes: frames, deadlines and caps, whatever it sends."""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path

NOISE_LIMIT = 8 * 2**20  # bytes outside frames, stdout and stderr each
FRAME_LIMIT = 16 * 2**20
ENDED = "ended without an answer"
_CHUNK = 2**16
_STDERR_KEPT = 2**14
_PATIENCE = 0.5  # seconds for ending by itself


class ChannelError(Exception):
    """The other side ended, hung, or flooded; `stderr` holds its last words.

    Where it said nothing there, as a login shell that lets nobody in, they are what stood outside
    frames.
    """

    def __init__(self, what: str, stderr: str, code: int | None) -> None:
        super().__init__(what)
        self.what = what
        self.stderr = stderr
        self.code = code


class Channel:
    """One program's three pipes. A frame is a line `MARKER LENGTH` (or a word) and LENGTH bytes."""

    def __init__(self, line: str, marker: str) -> None:
        # Before the program is started: this fails where no further file may be open.
        self._selector = selectors.DefaultSelector()
        # `exec`, so that a kill hits ssh itself and not a shell around it.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {line}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        _OPEN.add(self)
        self._closing = False
        self._head = b"\n" + marker.encode() + b" "
        self._out = bytearray()
        self._unsent = bytearray()
        self._noise = 0
        self._stray = b""  # the last of the noise
        self._stderr = bytearray()
        self._stderr_seen = 0
        for pipe, events in (
            (self._process.stdout, selectors.EVENT_READ),
            (self._process.stderr, selectors.EVENT_READ),
        ):
            assert pipe is not None  # noqa: S101 - for the type checker
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, events)
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        os.set_blocking(self._process.stdin.fileno(), False)

    def send(self, data: bytes) -> None:
        """Queue bytes for its stdin; they leave while a frame is awaited."""
        if not self._unsent and self._process.stdin and not self._process.stdin.closed:
            self._selector.register(self._process.stdin, selectors.EVENT_WRITE)
        self._unsent += data
        self._write()

    def frame(self, seconds: float) -> bytes:
        """The next frame's bytes, or its word.

        Raises:
            ChannelError: ended without a frame, too slow, or too much noise.
        """
        until = time.monotonic() + seconds
        while (frame := self._cut()) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise self._error("no answer in time")
            for key, _ in self._selector.select(left):
                if key.fileobj is self._process.stdin:
                    self._write()
                elif not self._read(key.fileobj) and key.fileobj is self._process.stdout:
                    self._hear_out()
                    raise self._error(ENDED)
            if max(self._noise, self._stderr_seen) > NOISE_LIMIT:
                raise self._error("sent too much")
        return frame

    def _cut(self) -> bytes | None:
        start = self._out.find(self._head)
        if start < 0:
            excess = len(self._out) - len(self._head)
            if excess > 0:
                self._noise += excess
                self._stray = (self._stray + self._out[:excess])[-_STDERR_KEPT:]
                del self._out[:excess]
            return None
        line = self._out.find(b"\n", start + 1)
        if line < 0:
            if len(self._out) - start > _CHUNK:
                raise self._error("sent too much")
            return None
        word = bytes(self._out[start + len(self._head) : line])
        if not word.isdigit():
            del self._out[: line + 1]
            return word
        length = int(word) if len(word) < 12 else FRAME_LIMIT + 1
        if length > FRAME_LIMIT:
            raise self._error("sent too much")
        if len(self._out) < line + 1 + length:
            return None
        frame = bytes(self._out[line + 1 : line + 1 + length])
        del self._out[: line + 1 + length]
        return frame

    def _read(self, pipe: object) -> bool:
        try:
            data = os.read(pipe.fileno(), _CHUNK)  # type: ignore[attr-defined]
        except BlockingIOError:
            return True
        if not data:
            self._selector.unregister(pipe)  # type: ignore[arg-type]
        elif pipe is self._process.stdout:
            self._out += data
        else:
            self._stderr_seen += len(data)
            self._stderr = (self._stderr + data)[-_STDERR_KEPT:]
        return bool(data)

    def _write(self) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        try:
            while self._unsent:
                del self._unsent[: os.write(pipe.fileno(), self._unsent[:_CHUNK])]
        except BlockingIOError:
            return
        except OSError:  # it ended; what it said on stderr tells why
            self._unsent.clear()
        if pipe in self._selector.get_map():
            self._selector.unregister(pipe)

    def _hear_out(self) -> None:
        """Wait a moment for what a program that ends still says, and for its code."""
        until = time.monotonic() + 0.5
        pipe = self._process.stderr
        while pipe in self._selector.get_map() and time.monotonic() < until:
            for key, _ in self._selector.select(until - time.monotonic()):
                if key.fileobj is self._process.stdin:
                    self._write()
                else:
                    self._read(key.fileobj)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.01, until - time.monotonic()))

    def _error(self, what: str) -> ChannelError:
        stray = self._stray + (self._out if self._head not in self._out else b"")
        words = self._stderr if self._stderr.strip() else stray
        return ChannelError(what, words.decode("utf-8", "replace"), self._process.poll())

    def close(self) -> None:
        """Close its stdin, which ends the probe; kill what does not end by itself."""
        self._closing = True
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        _OPEN.discard(self)

    @property
    def closing(self) -> bool:
        """Whether a thread is about to close it and has not done so yet."""
        return self._closing and self in _OPEN

    def kill(self) -> None:
        """End the program and its children at once."""
        if self._process.poll() is None:
            for pid in [*_descendants(self._process.pid), self._process.pid]:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)


_OPEN: set[Channel] = set()


@atexit.register
def end_all() -> None:
    """What is being closed is let; after Ctrl-C nobody closes the channels that still hang."""
    for channel in list(_OPEN):
        if not channel.closing:
            channel.kill()
    until = time.monotonic() + 2 * _PATIENCE
    while any(channel.closing for channel in list(_OPEN)) and time.monotonic() < until:
        time.sleep(0.002)


def _descendants(pid: int) -> list[int]:
    """The children of a process and theirs, where Linux shows them."""
    try:
        own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*own, *(each for child in own for each in _descendants(child))]
