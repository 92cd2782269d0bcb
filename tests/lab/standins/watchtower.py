#!/usr/bin/python3
"""The updater, as far as starting goes: its API version and its login must be right."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
version = os.environ.get("DOCKER_API_VERSION", "1.25")
with socket.socket(socket.AF_UNIX) as daemon:
    daemon.connect("/var/run/docker.sock")
    daemon.sendall(f"GET /v{version}/info HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
    status = daemon.makefile().readline().split()[1]
if status != "200":
    sys.exit(f'level=fatal msg="client version {version} is too old or too new"')
config = Path("/config.json")
if not config.is_file():
    sys.exit('level=fatal msg="Unable to load docker credentials: /config.json is a directory"')
json.loads(config.read_text())
sys.stderr.write('time="now" level=info msg="Watchtower of the lab"\n')
while os.environ.get("LAB_BEHAVIOUR") != "crashes":
    signal.pause()
sys.exit('level=fatal msg="lost"')
