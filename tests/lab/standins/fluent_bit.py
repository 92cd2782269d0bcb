#!/usr/bin/python3
"""The log shipper: wants its identity and a place for its state, then waits."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for name in ("APPLIANCE_ID", "SUBSCRIPTION_ID"):
    if not os.environ.get(name):
        sys.exit(f"[error] {name} is not set")
if not Path("/logs/node/logs").is_dir():
    sys.exit("[error] /logs/node/logs is no directory")
Path("/data/position").write_text("0\n")
while os.environ.get("LAB_BEHAVIOUR") != "crashes":
    signal.pause()
sys.exit("[error] cannot open the output")
