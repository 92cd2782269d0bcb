#!/usr/bin/python3
"""The node: logs, keeps a little in its store, and tells its health on 9042."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HEALTH = Path("/sesam/lab-health")  # /sesam/node-00/lab-health of the host: 200, 401, 503

TOLD = Path("/sesam/lab-told")  # what a node that tells too much writes beside its license


class Api(BaseHTTPRequestHandler):
    """The one path of the API that audits ask for."""

    def do_GET(self) -> None:
        status = health() if self.path == "/api/health" else 404
        body = json.dumps({"status": status}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: people's logs are not the lab's."""


def option(name: str) -> Path:
    return Path(sys.argv[sys.argv.index(name) + 1])


def health() -> int:
    if os.environ.get("LAB_BEHAVIOUR") == "unwell" or not licensed():
        return 503
    return int(HEALTH.read_text()) if HEALTH.exists() else 200


def licensed() -> bool:
    path = option("-d") / "license.key"
    return path.is_file() and "BEGIN SESAM LICENSE" in path.read_text()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    behaviour = os.environ.get("LAB_BEHAVIOUR", "")
    with (
        (option("-d") / "lab-started").open("a") as kept,
        (option("-l") / "node.log").open("a") as log,
    ):
        log.write(f"started, licensed: {licensed()}\n")
        kept.write(f"{time.time()}\n")
    sys.stderr.write("lake: opening the store\n")
    if behaviour == "crashes":
        sys.stderr.write("\x1b[31mlake: FATAL: cannot allocate the index\x1b[0m\n")
        sys.exit(3)
    if behaviour == "tells":
        sys.stderr.write((option("-d") / "license.key").read_text())
        sys.stderr.write(TOLD.read_text())
        sys.exit(5)
    server = ThreadingHTTPServer(("", 9042), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if behaviour == "dies":
        time.sleep(15)
        sys.stderr.write("lake: FATAL: the index is torn\n")
        sys.exit(4)
    while True:
        signal.pause()


main()
