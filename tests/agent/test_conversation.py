"""The agent as a program: lock, detached worker, followers, stops, refusals, secrets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesam_audit.agent.journal import plan_id
from sesam_audit.agent.state import State, boot

from .overlay import overlay
from .talking import Agent, Answer, agent
from .trees import tree
from .wanting import directory, file, license_file, ownership

RUN = "20261122-abcd"
WANTED = (directory("/srv/one", 1), directory("/srv/two", 2), file("/srv/three", "3", 3))
SLOW = (
    *("strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=mkdirat"),
    *("-e", "inject=mkdirat:delay_enter=1500000"),
)


@pytest.fixture
def slow(root: Path) -> Iterator[Agent]:
    """An agent that needs one and a half seconds for each directory."""
    with agent(str(root), before=SLOW) as started:
        yield started


def until(what: str, events: list[Answer]) -> Answer:
    return next(each for each in events if each["event"] == what)


def holder(root: Path) -> Answer:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        found = State(str(root)).holder()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("nobody took the lock")


def test_the_work_goes_on_without_the_connection(root: Path, slow: Agent) -> None:
    started = slow.ask("start", plan=slow.plan(*WANTED), operator="alice")
    assert started == {"run": RUN, "from": 0}
    (worker,) = [holder(root)["pid"]]
    pid = slow.process.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if int(child) != worker:
            os.kill(int(child), signal.SIGKILL)

    with agent(str(root)) as later:
        events = later.follow(RUN)

    assert events[0]["operator"] == "alice"
    assert events[-1]["outcome"] == "done"
    assert (root / "srv/three").read_text() == "3"


def test_a_second_one_is_kept_out_and_told_by_whom(root: Path, slow: Agent) -> None:
    plan = slow.plan(*WANTED)
    slow.ask("start", plan=plan, operator="alice")
    holder(root)
    with agent(str(root)) as second:
        other = second.ask("start", plan=second.plan(directory("/srv/x"), run="other"))
        attached = second.ask("start", plan=plan)
        events = second.follow(RUN, attached["from"])

    assert other["stop"].startswith(f"run {RUN} of alice (process ")
    assert other["stop"].endswith(") is at work on this machine")
    assert attached == {"run": RUN, "attached": True, "from": 0}
    assert events[-1]["outcome"] == "done"


def test_another_verb_or_plan_never_attaches(root: Path, slow: Agent) -> None:
    """It would be told of the end of a work that it did not ask for."""
    plan = slow.plan(*(directory(f"/srv/{number}", number) for number in range(5)))
    started = slow.ask("start", plan=plan, operator="alice")
    holder(root)
    with agent(str(root)) as second:
        same_run = second.ask("start", plan=second.plan(directory("/srv/x")))
        answers = [second.ask(verb, run=RUN) for verb in ("undo", "finish")]
        work = second.ask("status")["work"]

    for answer in (same_run, *answers):
        assert answer["stop"].startswith(f"run {RUN} of alice (process ")
        assert answer["stop"].endswith(") is at work on this machine")
    assert work["id"] == plan["id"]
    assert slow.follow(RUN, started["from"])[-1]["outcome"] == "done"


def test_a_stop_takes_effect_between_actions_and_the_same_plan_goes_on(
    root: Path, slow: Agent
) -> None:
    plan = slow.plan(*WANTED)
    started = slow.ask("start", plan=plan)
    holder(root)
    with agent(str(root)) as second:
        assert second.ask("stop", run=RUN) == {"stopping": RUN}
    events = slow.follow(RUN, started["from"])

    assert events[-1]["outcome"] == "stopped"
    assert (root / "srv/one").is_dir()
    assert not (root / "srv/two").exists()

    with agent(str(root)) as third:
        (run,) = third.ask("status")["runs"]
        assert (run["state"], run["done"]) == ("unfinished", ["01-directory"])
        assert json.dumps(run["plan"], sort_keys=True) == json.dumps(plan, sort_keys=True)
        assert third.carry_out(run["plan"])["outcome"] == "done"
        assert third.ask("status")["runs"][0]["state"] == "done"


def test_a_killed_worker_is_told_and_its_run_goes_on(root: Path, slow: Agent) -> None:
    plan = slow.plan(*WANTED)
    started = slow.ask("start", plan=plan)
    os.kill(holder(root)["pid"], signal.SIGKILL)

    last = slow.follow(RUN, started["from"])[-1]

    assert (last["event"], last["result"]) == ("gone", None)
    with agent(str(root)) as second:
        assert second.ask("status")["held"] is False
        assert second.carry_out(plan)["outcome"] == "done"


def test_silence_is_filled_with_heartbeats(root: Path) -> None:
    very_slow = [each.replace("1500000", "6000000") for each in SLOW]
    with agent(str(root), before=very_slow) as talk:
        started = talk.ask("start", plan=talk.plan(directory("/srv/one")))
        events = talk.follow(RUN, started["from"])

    assert until("heartbeat", events)["alive"] is True
    assert events[-1]["outcome"] == "done"


def test_events_are_followed_from_where_one_was(talk: Agent) -> None:
    talk.carry_out(talk.plan(*WANTED))
    events = talk.follow(RUN)

    assert [each["seq"] for each in events] == list(range(1, len(events) + 1))
    assert talk.follow(RUN, 4) == events[4:]
    assert talk.follow(RUN, len(events))[0]["event"] == "gone"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"actions": []}, "the plan is not the one that was approved: its id does not fit"),
        ({"machine": "another", "id": None}, "the plan was made for another machine"),
        ({"boot": "another", "id": None}, "the machine was started anew since the plan was"),
    ],
)
def test_another_plan_machine_or_boot_is_refused(
    root: Path, talk: Agent, change: Answer, words: str
) -> None:
    plan = {**talk.plan(*WANTED), **change}
    plan["id"] = plan["id"] or plan_id(plan)
    before = tree(root)

    answer = talk.ask("start", plan=plan)

    assert answer["stop"].startswith(words)
    assert answer["kind"] == "changed"
    assert tree(root) == before


def test_after_a_reboot_an_approval_given_anew_goes_on(talk: Agent) -> None:
    plan = {**talk.plan(*WANTED), "boot": "the boot before"}
    for action in plan["actions"]:  # a reboot deals these numbers anew
        action["before"]["mount"].update(id=1, device="9:9")
    plan["id"] = plan_id(plan)

    assert talk.carry_out(plan, boot=boot())["outcome"] == "done"


def test_another_plan_settles_what_was_interrupted(root: Path, slow: Agent) -> None:
    plan = slow.plan(*WANTED)
    started = slow.ask("start", plan=plan)
    pid = holder(root)["pid"]
    time.sleep(0.3)  # within the first directory, begun and not made
    os.kill(pid, signal.SIGKILL)
    slow.follow(RUN, started["from"])

    with agent(str(root)) as second:
        result = second.carry_out(second.plan(directory("/srv/other"), run="other"))
        runs = {each["run"]: each["state"] for each in second.ask("status")["runs"]}

    assert result["outcome"] == "done"
    assert runs == {RUN: "superseded", "other": "done"}
    assert (root / "srv/one").is_dir()
    assert not (root / "srv/two").exists()


def test_a_torn_end_of_the_journal_is_cut_off(root: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(*WANTED))
    journal = root / f"var/lib/sesam-audit/runs/{RUN}/journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-2]) + lines[-2][:20])  # within the last "done"

    assert talk.ask("status")["runs"][0]["interrupted"] == "03-file"
    plan = talk.ask("status")["runs"][0]["plan"]
    assert talk.carry_out(plan)["outcome"] == "done"
    assert len(journal.read_bytes().splitlines()) == len(lines)


def test_a_run_with_a_later_one_on_top_is_not_taken_back(talk: Agent) -> None:
    talk.carry_out(talk.plan(directory("/srv/one")))
    talk.carry_out(talk.plan(directory("/srv/one/two"), run="later"))

    assert talk.undo(RUN)["stop"] == "run later came after it and is not taken back"
    assert len(talk.undo()["undone"]) == 1
    assert len(talk.undo()["undone"]) == 1
    assert talk.undo()["stop"] == "nothing was ever changed"


def test_a_state_directory_of_somebody_else_is_refused(root: Path, talk: Agent) -> None:
    plan = talk.plan(*WANTED)
    (root / "var/lib/sesam-audit").mkdir(mode=0o755)

    assert "is not root's own with mode 0700" in talk.ask("start", plan=plan)["stop"]


def test_a_child_keeps_the_lock_when_the_worker_is_killed(tmp_path: Path) -> None:
    with overlay(tmp_path) as root:
        (root / "usr/bin/getent").unlink()
        (root / "usr/bin/getent").write_text("#!/bin/sh\nexec sleep 6\n")
        (root / "usr/bin/getent").chmod(0o755)
        group = {"name": "sesam", "gid": 60123}
        with agent("/", "/usr/bin/python3", before=("chroot", str(root))) as talk:
            plan = dict(talk.plan(directory("/srv/x")))
            plan["actions"] = [
                {"id": "1", "kind": "group", "title": "g", "after": group, "before": {}}
            ]
            plan["id"] = plan_id(plan)
            talk.ask("start", plan=plan)
            time.sleep(0.5)
            held = json.loads((root / "var/lib/sesam-audit/holder.json").read_text())
            os.kill(held["pid"], signal.SIGKILL)
            time.sleep(0.1)
            answer = talk.ask("start", plan=plan)
            assert "was killed, and a program that it started still runs" in answer["stop"]
            time.sleep(6)
            assert "stop" not in talk.ask("start", plan=plan)
            talk.follow(RUN)


def test_a_long_look_has_a_heartbeat(root: Path) -> None:
    """Else nobody could tell a walk of millions from a connection that is dead."""
    for number in range(6):
        (root / f"srv/tree/{number}").mkdir(parents=True)
    long = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=getdents64")
    with agent(str(root), before=(*long, "-e", "inject=getdents64:delay_enter=500000")) as talk:
        plan = talk.plan(ownership("/srv/tree"))

    assert talk.beats >= 1
    assert plan["actions"][0]["before"]["count"] == 7


def test_secrets_are_nowhere_but_in_their_file(root: Path) -> None:
    """Searched for in all command lines and environments during, in all files after the run."""
    canary = "canary-0b8f7a"
    secrets = {"license": f"{canary}\n", "registry": canary}
    seen: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    with contextlib.suppress(OSError):
                        if canary.encode() in path.read_bytes():
                            seen.append(str(path))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with agent(str(root), before=SLOW) as talk:
            wanted = (*WANTED, license_file("/srv/license.key", 4))
            plan = talk.plan(*wanted, secrets=secrets)
            assert talk.carry_out(plan, secrets=secrets)["outcome"] == "done"
    finally:
        over.set()
        watcher.join()

    holding = [
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and canary.encode() in path.read_bytes()
    ]
    assert seen == []
    assert holding == ["srv/license.key"]


def test_nobody_else_may_look_into_the_worker(root: Path, slow: Agent) -> None:
    slow.ask("start", plan=slow.plan(*WANTED))
    pid = holder(root)["pid"]
    limits = Path(f"/proc/{pid}/limits").read_text()
    as_user = ("setpriv", "--reuid=65534", "--clear-groups", "cat", f"/proc/{pid}/environ")
    denied = subprocess.run(as_user, capture_output=True, check=False)

    assert any(line.split()[4:6] == ["0", "0"] for line in limits.splitlines() if "core" in line)
    assert denied.returncode != 0
    slow.follow(RUN)
