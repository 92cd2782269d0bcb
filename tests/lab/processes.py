"""Start the lab's processes, remember them by pid and start time, and end exactly those."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class Processes:
    """The processes of one instance, written down so that a later run can end them too."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, command: Sequence[str], log: Path, **environment: str) -> int:
        """Start a command in a session of its own; its output goes to `log`."""
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": os.environ["PATH"], **environment},
                start_new_session=True,
            )
        self._children[child.pid] = child
        self.remember(child.pid)
        return child.pid

    def remember(self, pid: int) -> None:
        """Write a process down as the lab's own."""
        with self._record.open("a") as record:
            record.write(f"{pid} {_started(pid)}\n")

    def end(self, *pids: int) -> None:
        """End these processes: politely, after two seconds by force."""
        for number, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
            for pid in filter(_alive, pids):
                _signal(pid, number)
            if self._gone(pids, patience):
                return
        raise RuntimeError(f"still running after SIGKILL: {[p for p in pids if _alive(p)]}")

    def kill(self, *pids: int) -> None:
        """End these processes by force."""
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        self._gone(pids, 5.0)

    def end_recorded(self) -> None:
        """End whatever is written down and still is the process that was written down."""
        if not self._record.exists():
            return
        rows = [line.split() for line in self._record.read_text().splitlines()]
        self.kill(*(int(pid) for pid, started in rows if _started(int(pid)) == started))
        self._record.unlink()

    def _gone(self, pids: Sequence[int], patience: float) -> bool:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            for pid in pids:
                if pid in self._children and self._children[pid].poll() is not None:
                    del self._children[pid]
            # A zombie of our own has to be reaped too, or its Popen complains at the very end.
            if not any(_alive(pid) or pid in self._children for pid in pids):
                return True
            time.sleep(0.01)
        return False


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state first."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _alive(pid: int) -> bool:
    return _stat(pid)[:1] not in ([], ["Z"], ["X"])


def _started(pid: int) -> str:
    return "".join(_stat(pid)[19:20])
