"""Kills the agent, or lets a system call fail, at any of its system calls; and what comes after.

The agent's own code runs unchanged in `driver.py` under strace; reruns take the same request in
this process. `strace -e inject=CALL:signal=SIGKILL:when=N` kills before the N-th such call.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from sesam_audit.agent import main, working
from sesam_audit.agent.events import read
from sesam_audit.agent.state import State, boot, machine
from sesam_audit.agent.story import Story
from sesam_audit.plan import Plan

from ..conftest import REPOSITORY
from .talking import bound
from .trees import tree
from .wanting import directory, file, license_file, link, ownership, stray_link

WRITING = (
    *("openat", "write", "fsync", "syncfs", "mkdir", "mkdirat", "fchown", "fchmod", "fchownat"),
    *("linkat", "symlinkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir"),
    *("ftruncate", "fallocate", "fsetxattr", "setxattr", "chmod", "flock"),
)
KILLED = "+++ killed by SIGKILL +++"
RUN = "20261122-abcd"
SEEDED = 1_000_000_000  # seconds: what was there before has this time
SECRETS = {"license": "canary-license\n"}
PLAN = (
    directory("/srv/data", 1, mode="0755"),
    directory("/srv/data/sesam", 2),
    directory("/srv/there", 3),
    link("/srv/link", "/srv/data/sesam", 4, uid=1001, gid=1001),
    link("/srv/swapped", "/srv/data/sesam", 5, empty_directory="replace"),
    stray_link("/srv/store/store", 6),
    file("/srv/data/sesam/new", "new content", 7),
    file("/srv/there/replaced", "wanted content", 8),
    file("/srv/there/owned", "the same content", 9),
    license_file("/srv/store/license.key", 10, kept_in="/srv"),
    ownership("/srv/tree", number=11),
)

EVERYTHING = bool(os.environ.get("SESAM_AUDIT_KILL_ALL"))

Request = dict[str, Any]
Point = tuple[str, int]


def seed(root: Path) -> None:
    """What is there before: something in every place where the plan acts."""
    for name in ("var/lib", "srv/there", "srv/swapped", "srv/store", "srv/tree/deep", "etc"):
        (root / name).mkdir(parents=True, mode=0o755)
    (root / "srv/store/store").symlink_to(root / "srv/store")
    texts = {
        "srv/there/replaced": "old content",
        "srv/there/owned": "the same content",
        "srv/store/license.key": "old license",
        "srv/tree/one": "1",
        "srv/tree/deep/two": "2",
        "srv/outside": "not ours",
    }
    for name, text in texts.items():
        (root / name).write_text(text)
        os.utime(root / name, (SEEDED, SEEDED))
    (root / "srv/tree/deep/two").chmod(0o4755)
    os.link(root / "srv/outside", root / "srv/tree/foreign")


def here(request: Request, root: Path) -> list[Request]:
    """Answer a request in this process; for what changes something, its events follow."""
    answers: list[Request] = []
    old = os.umask(0o077)
    try:
        with mock.patch.object(working, "detach", lambda work: work()):
            main.answer(copy.deepcopy(request), State(str(root)), answers.append)
    finally:
        os.umask(old)
    run = State(str(root)).run(answers[0].get("run", RUN))
    if "from" in answers[0]:
        answers += read(run, answers[0]["from"])
    return answers


def planned(root: Path, actions: Sequence[Any] = PLAN, run: str = RUN) -> Request:
    """The request that starts the plan."""
    plan = Plan(tool="t", run=run, machine=machine(str(root)), boot=boot(), actions=tuple(actions))
    (answer,) = here({"verb": "look", "plan": plan.document(), "secrets": SECRETS}, root)
    return {"verb": "start", "plan": bound(plan, answer["actions"]), "secrets": SECRETS}


def planned_if_possible(root: Path, actions: Sequence[Any], run: str) -> Request | None:
    """The request that starts a plan; None where the look finds what it does not follow."""
    try:
        return planned(root, actions, run)
    except AssertionError:
        return None


def finished(request: Request, root: Path) -> Request:
    """Answer a request in this process; its result."""
    return here(request, root)[-1]


def traced(request: Request, root: Path, *inject: str, off: Sequence[str] = ()) -> str:
    """Answer a request in a process under strace; what strace wrote down."""
    trace = ",".join((*WRITING, "getpgid"))
    log = root.with_name(f"{root.name}.strace")
    command = ["strace", "-o", str(log), "-e", f"trace={trace}"]
    if not inject:
        command += ["-f"]
    for each in inject:
        command += ["-e", f"inject={each}"]
    driver = [sys.executable, "-I", "-S", str(Path(__file__).with_name("driver.py"))]
    done = subprocess.run(
        [*command, *driver, str(REPOSITORY), str(root), *off],
        input=json.dumps(request).encode(),
        capture_output=True,
        timeout=60,
        check=False,
        cwd="/",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    text = log.read_text() if log.exists() else ""
    log.unlink(missing_ok=True)
    if b"ptrace" in done.stderr or ("getpgid" not in text and not inject):
        raise AssertionError(f"strace cannot trace here: {done.stderr.decode()}")
    return text


def points(log: str, calls: Sequence[str] = WRITING) -> list[Point]:
    """The places for an injection: the calls of a whole run after its start-up, with numbers.

    Before an open for reading the disk is as before the next writing call, so only a run of
    everything takes those too.
    """
    counted: Counter[str] = Counter()
    found: list[Point] = []
    started = False
    for line in log.splitlines():
        name = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if name is None:
            continue
        counted[name[1]] += 1
        started = started or name[1] == "getpgid"
        reading = name[1] == "openat" and not re.search("O_CREAT|O_TMPFILE", line)
        if started and name[1] in calls and (EVERYTHING or not reading):
            found.append((name[1], counted[name[1]]))
    return found


def sampled(found: Sequence[Point], number: int) -> list[Point]:
    """Evenly spread points; all of them where SESAM_AUDIT_KILL_ALL is set."""
    if EVERYTHING or len(found) <= number:
        return list(found)
    return [found[index * len(found) // number] for index in range(number)]


def fresh(places: Iterator[Path]) -> tuple[Path, Request]:
    """A seeded root with the request that starts the plan there."""
    root = next(places)
    seed(root)
    return root, planned(root)


def looks(root: Path) -> dict[str, Any]:
    """The tree, as far as it is promised; the state directory left out."""
    found = tree(root, times=True)
    return {name: tuple(map(_plain, facts)) for name, facts in found.items()}


def _plain(fact: Any) -> Any:
    """Of times only whether it is the seeded one: the others are now."""
    if isinstance(fact, int) and fact > SEEDED:
        return fact == SEEDED * 10**9
    return fact


def stored(root: Path) -> Any:
    """The plan of the run, when it came as far as that."""
    return State(str(root)).run(RUN).plan()


def resume(root: Path, request: Request) -> Request:
    """The same command again: the plan that was begun, else the one that was approved."""
    run = State(str(root)).run(RUN)
    again = dict(request, plan=stored(root) or request["plan"], boot=boot())
    if Story(run.records()).state == "done":  # killed after the last record
        return {"outcome": "done"}
    return finished(again, root)


def take_back(root: Path) -> Request:
    """Undo whatever there is; nothing may be there when it was killed early."""
    answer = finished({"verb": "undo"}, root)
    if answer.get("stop") == "nothing was ever changed":
        return {"outcome": "done", "left": [], "cannot": []}
    return answer
