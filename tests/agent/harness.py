"""Kills the agent, or lets a system call fail, at any of its system calls; and what comes after.

The agent's own code runs in a child of this process under strace, reruns in this process itself.
`strace -e inject=CALL:signal=SIGKILL:when=N` kills before the N-th such call. Left out is only what
asks others and writes nothing: the daemon's test of a login, and /proc about who has a store open
(as many opens as there are processes, so that no call would have the same number twice).
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from sesam_audit.agent import kernel, main, store, working
from sesam_audit.agent.events import read
from sesam_audit.agent.login import Login
from sesam_audit.agent.state import State, boot, machine
from sesam_audit.agent.story import Story
from sesam_audit.plan import Plan

from .talking import bound
from .trees import tree
from .wanting import (
    directory,
    environment,
    file,
    license_file,
    link,
    login,
    moved_store,
    ownership,
    stray_link,
)

WRITING = (
    *("openat", "write", "fsync", "syncfs", "mkdir", "mkdirat", "fchown", "fchmod", "fchownat"),
    *("linkat", "symlinkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir"),
    *("ftruncate", "fallocate", "fsetxattr", "setxattr", "chmod", "flock"),
    *("utimensat", "mknodat", "mknod"),
)
MARK = "getpgid"  # called once, before the agent's first step
KILLED = "+++ killed by SIGKILL +++"
RUN = "20261122-abcd"
SEEDED = 1_000_000_000  # seconds: what was there before has this time
SECRETS = {
    "license": "canary-license\n",
    "registry": "canary-password",
    "environment": "CANARY=canary-line\n",
}
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
    environment("/srv/data/.env", 12),
    environment("/srv/there/.env", 13, names=["CANARY"]),
    login("/srv/there/config.json", 14),
    moved_store("/srv/old/near", "/srv/data/near", "rename", 15),
    moved_store("/srv/old/far", "/srv/there/far", "copy", 16),
)

EVERYTHING = bool(os.environ.get("SESAM_AUDIT_KILL_ALL"))

Request = dict[str, Any]
Some = TypeVar("Some")
Point = tuple[str, int]


def seed(root: Path) -> None:
    """What is there before: something in every place where the plan acts."""
    names = ("var/lib", "srv/there", "srv/swapped", "srv/store", "srv/tree/deep", "etc")
    for name in (*names, "srv/old/near", "srv/old/far/deep", "srv/there/far"):
        (root / name).mkdir(parents=True, mode=0o755)
    (root / "srv/store/store").symlink_to(root / "srv/store")
    texts = {
        "srv/there/replaced": "old content",
        "srv/there/owned": "the same content",
        "srv/store/license.key": "old license",
        "srv/tree/one": "1",
        "srv/tree/deep/two": "2",
        "srv/outside": "not ours",
        "srv/there/.env": "TOKEN=theirs\nNODE_DOMAIN=old\nLAST=7",
        "srv/there/config.json": '{"proxies": {}}',
        "srv/old/near/data": "a store",
        "srv/old/far/data": "another store",
        "srv/old/far/deep/more": "of it",
    }
    for name, text in texts.items():
        (root / name).write_text(text)
        os.utime(root / name, (SEEDED, SEEDED))
    (root / "srv/tree/deep/two").chmod(0o4755)
    os.link(root / "srv/outside", root / "srv/tree/foreign")
    os.link(root / "srv/old/far/data", root / "srv/old/far/deep/same")
    (root / "srv/old/far/soft").symlink_to("data")
    os.setxattr(root / "srv/old/far/deep/more", "user.colour", b"blue")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """The agent without its detaching, and without what it asks others."""
    old = os.umask(0o077)
    with (
        mock.patch.object(working, "detach", lambda work: work()),
        mock.patch.object(Login, "_test", return_value=None),
        mock.patch.object(store, "holders", return_value=[]),
    ):
        try:
            yield
        finally:
            os.umask(old)


def here(request: Request, root: Path) -> list[Request]:
    """Answer a request in this process; for what changes something, its events follow."""
    answers: list[Request] = []
    with alone():
        main.answer(copy.deepcopy(request), State(str(root)), answers.append)
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


def traced(
    request: Request, root: Path, *inject: str, off: Sequence[AbstractContextManager[Any]] = ()
) -> str:
    """Answer a request in a process under strace, safeguards switched off; strace's words."""
    log = root.with_name(f"{root.name}.strace")
    start, go = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a runner of tests may have threads
        child = os.fork()
    if not child:
        os.close(go)
        _answer_alone(request, root, start, off)
    os.close(start)
    command = [
        "strace",
        "-p",
        str(child),
        "-o",
        str(log),
        "-e",
        f"trace={MARK},{','.join(WRITING)}",
    ]
    for each in inject:
        command += ["-e", f"inject={each}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr
        said = strace.stderr.readline()
        os.write(go, b"\n")
        os.close(go)
        said += strace.stderr.read()
    os.waitpid(child, 0)
    text = log.read_text() if log.exists() else ""
    log.unlink(missing_ok=True)
    if MARK not in text:
        raise AssertionError(f"strace cannot trace here: {said}")
    return text


def _answer_alone(
    request: Request, root: Path, start: int, off: Sequence[AbstractContextManager[Any]]
) -> None:
    """In the child: wait until strace looks, then answer; nobody hears what."""
    try:
        os.read(start, 1)
        with contextlib.ExitStack() as stack:
            for each in (alone(), *off):
                stack.enter_context(each)
            kernel.forbid_looking()
            os.getpgid(0)  # from here on, system calls count
            main.answer(request, State(str(root)), lambda _: None)
    finally:
        os._exit(0)


def points(log: str, calls: Sequence[str] = WRITING) -> list[Point]:
    """The places for an injection: the calls of a whole run after its start-up, with numbers.

    Before an open for reading the disk is as before the next writing call, so only a run of
    everything takes those too.
    """
    counted: Counter[str] = Counter()
    found: list[Point] = []
    started = MARK not in log
    for line in log.splitlines():
        name = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if name is None:
            continue
        counted[name[1]] += 1
        started = started or name[1] == MARK
        reading = name[1] == "openat" and not re.search("O_CREAT|O_TMPFILE", line)
        if started and name[1] in calls and (EVERYTHING or not reading):
            found.append((name[1], counted[name[1]]))
    return found


def sampled(found: Sequence[Some], number: int) -> list[Some]:
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
