"""What containers see of the host, compared with what lies there now."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Resolved, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounted import StackMounts

from .live_stack import answers
from .machine import find

CONFIG = "/home/sesam/.docker/config.json"
MOUNTS = [{"Type": "bind", "Source": CONFIG, "Destination": "/config.json"}]
INSIDE = Stat("/proc/4000/root/config.json")


def thing(inode: int = 7, kind: str = "file", device: int = 8, **more: Any) -> StatAnswer:
    return StatAnswer(kind=kind, device=device, inode=inode, **more)


def compared(inside: StatAnswer | Unknown, outside: StatAnswer | Unknown) -> Inspection:
    told = answers(watchtower={"Mounts": MOUNTS})
    return find(StackMounts, {**told, INSIDE: inside, Stat(CONFIG): outside}).inspect()


def test_the_same_file_on_both_ends() -> None:
    found = compared(thing(), thing())

    assert (found.problems, found.doubts) == ([], [])


def test_a_link_on_the_host_leads_to_the_same_file() -> None:
    end = Resolved(path="/x", kind="file", device=8, inode=7)

    assert not compared(thing(), StatAnswer(kind="link", device=9, inode=1, resolved=end)).problems


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        (thing(7), thing(8), f"{CONFIG} was replaced: watchtower still sees an older one"),
        (thing(7), thing(7, device=9), "an older one"),
        (thing(7, "directory"), thing(8), "watchtower still sees a directory"),
        (thing(7), StatAnswer(error="ENOENT"), f"{CONFIG} is gone, and watchtower still works"),
        (
            thing(7),
            StatAnswer(kind="link", resolved=Resolved(path="/gone", error="ENOENT")),
            "is gone",
        ),
    ],
)
def test_what_was_replaced(inside: StatAnswer, outside: StatAnswer, words: str) -> None:
    (problem,) = compared(inside, outside).problems

    assert words in problem


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        (StatAnswer(error="EACCES"), thing(), "needs root"),
        (thing(), StatAnswer(error="EACCES"), "needs root"),
        (StatAnswer(error="EIO"), thing(), "EIO"),
        (StatAnswer(error="ENOENT"), thing(), "no container stayed up"),
        (Unknown("no answer in time: stat"), thing(), "no answer in time"),
    ],
)
def test_what_cannot_be_compared(
    inside: StatAnswer | Unknown, outside: StatAnswer, words: str
) -> None:
    found = compared(inside, outside)

    assert found.problems == []
    assert found.unknown is not None
    assert words in found.unknown.reason


def test_a_container_that_falls_meanwhile_spoils_nothing() -> None:
    other = [{"Type": "bind", "Source": "/srv/x", "Destination": "/x"}]
    told = answers(watchtower={"Mounts": MOUNTS}, traefik={"Mounts": other})
    told |= {INSIDE: StatAnswer(error="ENOENT"), Stat(CONFIG): thing()}
    told |= {Stat("/proc/4001/root/x"): thing(9), Stat("/srv/x"): thing(9)}

    found = find(StackMounts, told).inspect()

    assert (found.problems, found.doubts) == ([], [])


def test_containers_that_do_not_run_are_left_to_stack_services() -> None:
    with pytest.raises(Unknown, match=r"stack\.services"):
        find(StackMounts, answers(watchtower={"Mounts": MOUNTS, "State.Status": "restarting"}))
