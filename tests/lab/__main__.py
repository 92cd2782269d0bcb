"""Keep a lab with one perfect host running: `python -m tests.lab up`, and `down` to end it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from . import root
from .lab import Lab, hindrance

USAGE = "usage: python -m tests.lab up|down"


def up() -> int:
    """Start a keeper in the background, print how to use its lab, and leave it running."""
    if reason := hindrance():
        sys.stderr.write(f"{reason}\n")
        return 1
    if _keeper():
        sys.stdout.write(f"a lab is up already, keeper {_record().read_text()}")
        return 0
    _record().parent.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        _keep(writer)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    sys.stdout.write(text)
    return 0 if _keeper() else 1


def down() -> int:
    """End the keeper and wait until its lab is gone."""
    pid = _keeper()
    if not pid:
        sys.stdout.write("no lab is up\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    while _keeper():
        time.sleep(0.05)
    return 0


def _keep(writer: int) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    lab = Lab()
    lab.start()
    try:
        host = lab.host()
        text = (
            f"ssh -F {lab.ssh_config} {host.name}    (or auditor@, plain@, asker@, sesam@, root@)\n"
            f"inside as root: nsenter --all --target {host.pid} /bin/sh\n"
            f"address {host.address}, public {host.public_address} as {host.node_domain}\n"
            f"public_roots = {lab.roots}\n"
            f"asker's password: {root.ASKER_PASSWORD}\n"
        )
        _record().write_text(f"{os.getpid()}\n{text}")
        os.write(writer, text.encode())
        os.close(writer)
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(quiet, stream)
        while True:
            signal.pause()
    finally:
        lab.stop()
        _record().unlink(missing_ok=True)


def _record() -> Path:
    return root.place() / "keeper"


def _keeper() -> int:
    """The pid of the running keeper, or 0."""
    try:
        pid = int(_record().read_text().split("\n")[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pid if b"tests.lab" in command else 0


if __name__ == "__main__":
    actions = {"up": up, "down": down}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit(USAGE)
    sys.exit(actions[sys.argv[1]]())
