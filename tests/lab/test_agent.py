"""The agent where systemd is the first process: its worker outlives the login that started it."""

from __future__ import annotations

import json
import time

from tests.agent.talking import agent
from tests.agent.test_accounts import GROUP

from .host import LabHost

SLOW = '#!/bin/sh\nsleep 1.5\nexec /usr/bin/getent "$@"\n'
STATE = "/var/lib/sesam-audit"


def test_the_worker_has_a_scope_of_the_systems_own(perfect: LabHost) -> None:
    perfect.write("/usr/local/sbin/getent", SLOW, mode=0o755)
    enter = ("nsenter", f"--target={perfect.pid}", "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
    other = {**GROUP.after, "name": "sesam-audit-test"}
    try:
        with agent("/", python="/usr/bin/python3", before=enter) as talk:
            seen = talk.ask("look", plan={"actions": []})
            plan = talk.plan_on(seen, ("group", other))
            started = talk.ask("start", plan=plan)
            time.sleep(1)
            holder = json.loads(perfect.read(f"{STATE}/holder.json"))
            group = perfect.read(f"/proc/{holder['pid']}/cgroup")
            result = talk.follow(started["run"], started["from"])[-1]
            undone = talk.undo()
    finally:
        perfect.run(f"rm -rf /usr/local/sbin/getent {STATE}")

    assert f"/system.slice/sesam-audit-{holder['pid']}.scope" in group
    assert result["outcome"] == "done"
    assert len(undone["undone"]) == 1
