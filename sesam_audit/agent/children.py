"""Programs that are started: argument lists, a clean environment, a deadline, capped output."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import Callable, Dict, Optional, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CAP = 1 << 16  # bytes of each stream that are kept: the last ones


class Done:
    """How a program ended. `code` is None when it was killed at its deadline."""

    def __init__(self, code: Optional[int], out: bytes, errors: bytes) -> None:
        self.code = code
        self.out = out
        self.errors = errors

    def words(self) -> str:
        """Its last words, for a message."""
        said = (self.errors or self.out).decode("utf-8", "replace").strip()
        how = "took too long" if self.code is None else "ended with %d" % self.code
        return "%s: %s" % (how, said[-500:]) if said else how


def run(
    command: Sequence[str],
    data: bytes = b"",
    seconds: float = 60,
    lock: Optional[int] = None,
    environment: Optional[Dict[str, str]] = None,
    cwd: str = "/",
    hear: Optional[Callable[[bytes], None]] = None,
    cap: int = CAP,
) -> Done:
    """Run a program and wait for it; `environment` adds to the clean one, nothing secret.

    `hear` gets what it says on both streams while it runs. It leads a process group of its own,
    all of which is killed at the deadline, and it inherits the lock: while it lives, no other
    apply begins, even when this program is killed.
    """
    variables = {"PATH": PATH, "HOME": "/root", "LANG": "C", "LC_ALL": "C"}
    variables.update(environment or {})
    try:
        process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=variables, cwd=cwd, close_fds=True, start_new_session=True, bufsize=0,
            pass_fds=() if lock is None else (lock,),
        )  # fmt: skip
    except OSError as error:
        return Done(127, b"", str(error).encode())
    talk = _Talk(process, data, hear, cap)
    try:
        late = not talk.ended(time.monotonic() + seconds)
        if late:
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        return Done(None if late else code, bytes(talk.out), bytes(talk.errors))
    finally:
        talk.close()


class _Talk:
    """A child's three pipes, served until it ends."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        data: bytes,
        hear: Optional[Callable[[bytes], None]],
        cap: int,
    ) -> None:
        assert process.stdin  # noqa: S101 - for the type checker, as below
        assert process.stdout  # noqa: S101
        assert process.stderr  # noqa: S101
        self.process, self.unsent, self.hear, self.cap = process, data, hear, cap
        self.out, self.errors = bytearray(), bytearray()
        self.selector = selectors.DefaultSelector()
        self.pipes = (process.stdin, process.stdout, process.stderr)
        for pipe in self.pipes:
            os.set_blocking(pipe.fileno(), False)
        self.selector.register(process.stdout, selectors.EVENT_READ, self.out)
        self.selector.register(process.stderr, selectors.EVENT_READ, self.errors)
        if data:
            self.selector.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()

    def ended(self, until: float) -> bool:
        """Serve it; False when it did not end in time."""
        silence: Optional[float] = None
        while self.selector.get_map():
            now = time.monotonic()
            if now >= until:
                return False
            if self.process.poll() is not None:  # what it left behind may hold the pipes open
                silence = silence or now + 1
                if now >= silence:
                    break
            for key, events in self.selector.select(min(0.2, until - now)):
                if events & selectors.EVENT_WRITE:
                    self._write()
                else:
                    self._read(key)
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _write(self) -> None:
        assert self.process.stdin  # noqa: S101
        try:
            self.unsent = self.unsent[os.write(self.process.stdin.fileno(), self.unsent[:CAP]) :]
        except OSError:  # it does not want to hear more; its code tells why
            self.unsent = b""
        if not self.unsent:
            self.selector.unregister(self.process.stdin)
            self.process.stdin.close()

    def _read(self, key: selectors.SelectorKey) -> None:
        part = os.read(key.fd, CAP)
        if not part:
            self.selector.unregister(key.fileobj)
            return
        kept = key.data
        kept += part
        del kept[: -self.cap]
        if self.hear:
            self.hear(part)

    def close(self) -> None:
        """Give the pipes back."""
        self.selector.close()
        for pipe in self.pipes:
            with contextlib.suppress(OSError):
                pipe.close()
