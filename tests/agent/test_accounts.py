"""Group and user, made by the distribution's own tools in a copy of this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesam_audit.plan import Action
from sesam_audit.shipping import program

from . import harness
from .overlay import overlay
from .talking import Agent, Answer, agent

NUMBER = 60123
PYTHON = "/usr/bin/python3"
GROUP = Action(id="01-group", kind="group", title="Group", after={"name": "sesam", "gid": NUMBER})
USER = Action(
    id="02-user",
    kind="user",
    title="User",
    after={
        "name": "sesam",
        "uid": NUMBER,
        "gid": "sesam",
        "home": "/home/sesam",
        "shell": "/usr/sbin/nologin",
    },
)
WANTED = (GROUP, USER)
FILES = ("passwd", "shadow", "group", "gshadow")
FIRST = "/usr/local/sbin"  # on the path before the real tools
WRITING = "openat,write,fsync,rename,link,linkat,unlink,ftruncate,fchmod,fchown,chmod,chown"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A copy of this machine without a user sesam."""
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the agent's tests need root")
    with overlay(tmp_path) as root:
        yield root


@pytest.fixture
def talk(machine: Path) -> Iterator[Agent]:
    """A conversation with an agent in the copy."""
    with agent("/", PYTHON, before=("chroot", str(machine))) as started:
        yield started


def files(machine: Path) -> dict[str, str]:
    return {name: (machine / "etc" / name).read_text() for name in FILES}


def lines(machine: Path) -> list[str]:
    """What the four files say about sesam; of the shadow line not the day."""
    return [
        re.sub(r":\d{5}:0:", ":DAY:0:", line)
        for text in files(machine).values()
        for line in text.splitlines()
        if line.startswith("sesam:")
    ]


MADE = [
    f"sesam:x:{NUMBER}:{NUMBER}::/home/sesam:/usr/sbin/nologin",
    "sesam:!:DAY:0:99999:7:::",
    f"sesam:x:{NUMBER}:",
    "sesam:!::",
]


def test_made_and_taken_back(machine: Path, talk: Agent) -> None:
    before = files(machine)

    assert talk.carry_out(talk.plan(*WANTED))["outcome"] == "done"

    assert lines(machine) == MADE
    assert not (machine / "home/sesam").exists()
    assert talk.plan(*WANTED, run="second")["actions"] == []
    undone = talk.undo()
    assert [each["id"] for each in undone["undone"]] == ["02-user", "01-group"]
    assert files(machine) == before


def test_a_group_that_was_there_is_there_after_undo(machine: Path, talk: Agent) -> None:
    with (machine / "etc/group").open("a") as file:
        file.write(f"sesam:x:{NUMBER}:\n")
    with (machine / "etc/gshadow").open("a") as file:
        file.write("sesam:!::\n")
    before = files(machine)

    plan = talk.plan(*WANTED)
    assert [each["kind"] for each in plan["actions"]] == ["user"]
    assert talk.carry_out(plan)["outcome"] == "done"
    assert len(talk.undo()["undone"]) == 1

    assert files(machine) == before


def test_a_lost_shadow_line_is_made(machine: Path, talk: Agent) -> None:
    with (machine / "etc/group").open("a") as file:
        file.write(f"sesam:x:{NUMBER}:\n")
    with (machine / "etc/passwd").open("a") as file:
        file.write(MADE[0] + "\n")

    assert talk.carry_out(talk.plan(*WANTED))["outcome"] == "done"
    assert [line.split(":")[0] for line in lines(machine)] == ["sesam"] * 4


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("group", "sesam:x:7777:", f"group sesam has the number 7777, not {NUMBER}"),
        ("group", f"other:x:{NUMBER}:", f"the number {NUMBER} belongs to another group"),
        (
            "passwd",
            "sesam:x:7777:7777::/srv:/bin/sh",
            "user sesam is there with uid 7777, gid 7777 and home /srv, and is not changed",
        ),
        ("passwd", f"o:x:{NUMBER}:1::/:", f"the number {NUMBER} belongs to another user"),
    ],
)
def test_other_accounts_are_never_changed(
    machine: Path, talk: Agent, name: str, line: str, words: str
) -> None:
    with (machine / "etc" / name).open("a") as file:
        file.write(line + "\n")
    before = (machine / "etc" / name).read_text()

    result = talk.carry_out(talk.plan(*WANTED))

    assert (result["outcome"], result["words"]) == ("failed", words)
    assert (machine / "etc" / name).read_text() == before


def test_undo_leaves_a_user_who_owns_files(machine: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(*WANTED))
    (machine / "srv/data").mkdir()
    (machine / "srv/data/written").touch()
    os.chown(machine / "srv/data/written", NUMBER, NUMBER)

    undone = talk.undo()

    assert [each["words"] for each in undone["left"]] == [
        "it owns files: /srv/data",
        "it is the group of sesam",
    ]
    assert lines(machine) == MADE


def killing(machine: Path, tool: str, inject: str, log: str = "/dev/null") -> Path:
    """Put a tool before the real one that is killed on its way."""
    wrapper = machine / FIRST.lstrip("/") / tool
    wrapper.write_text(
        f"#!/bin/sh\nexec /usr/bin/strace -o {log} -e trace={WRITING} {inject}"
        f' /usr/sbin/{tool} "$@"\n'
    )
    wrapper.chmod(0o755)
    return wrapper


@pytest.mark.parametrize("tool", ["groupadd", "useradd", "userdel"])
def test_killed_in_the_distributions_tool_the_next_attempt_ends_it(
    tmp_path: Path, tool: str
) -> None:
    """At some of the tool's writing calls, or with SESAM_AUDIT_KILL_ALL at each of them."""
    for name, number in harness.sampled(calls_of(tool, tmp_path), 5):
        with (
            overlay(tmp_path) as root,
            agent("/", PYTHON, before=("chroot", str(root))) as talk,
        ):
            before = files(root)
            wrapper = killing(root, tool, f"-e inject={name}:signal=SIGKILL:when={number}")
            first = talk.carry_out(talk.plan(*WANTED))
            if tool == "userdel":
                first = talk.undo()
            assert first["outcome"] == "failed", first
            assert f"{tool} ended with" in first["words"]
            wrapper.unlink()

            again = talk.undo() if tool == "userdel" else resumed(talk)

            assert again["outcome"] == "done", (name, number, again)
            assert lines(root) == ([] if tool == "userdel" else MADE)
            if tool != "userdel":
                assert len(talk.undo()["undone"]) == 2
            assert files(root) == before


def test_with_a_home_made_by_useradd_a_kill_leaves_half_an_account(tmp_path: Path) -> None:
    """The proof that the split steps are needed: with `useradd -m` reruns end in other states."""
    split, whole = b'"useradd", "-M", "-N"', b'"useradd", "-m", "-N"'
    text = program("agent")
    assert split in text
    text = text.replace(split, whole)
    wanted = after_a_kill(tmp_path, text, "fchmod:signal=SIGKILL:when=999")
    assert wanted[1]  # what is in a home of its making

    ends = [
        after_a_kill(tmp_path, text, f"{name}:signal=SIGKILL:when={number}")
        for name, number in harness.sampled(calls_of("useradd", tmp_path, text), 8)
    ]

    assert [each for each in ends if each != wanted]


def after_a_kill(base: Path, text: bytes, inject: str) -> tuple[list[str], list[str]]:
    """The lines and the home of sesam when a kill of useradd was followed by a rerun."""
    with overlay(base) as root, agent("/", PYTHON, before=("chroot", str(root)), text=text) as talk:
        wrapper = killing(root, "useradd", f"-e inject={inject}")
        if talk.carry_out(talk.plan(*WANTED))["outcome"] != "done":
            wrapper.unlink()
            resumed(talk)
        home = root / "home/sesam"
        return lines(root), sorted(str(each.relative_to(home)) for each in home.rglob("*"))


def calls_of(tool: str, base: Path, text: bytes | None = None) -> list[harness.Point]:
    """The writing calls of a tool at its work."""
    with overlay(base) as root, agent("/", PYTHON, before=("chroot", str(root)), text=text) as talk:
        killing(root, tool, "", "/tmp/calls")
        assert talk.carry_out(talk.plan(*WANTED))["outcome"] == "done"
        assert talk.undo()["outcome"] == "done"
        log = "getpgid()\n" + (root / "tmp/calls").read_text()
    found = harness.points(log, (*WRITING.split(","),))
    assert len(found) > 10
    return found


def resumed(talk: Agent) -> Answer:
    (run,) = talk.ask("status")["runs"]
    return talk.carry_out(run["plan"])
