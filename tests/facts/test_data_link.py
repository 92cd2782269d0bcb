"""Links and agreement of the data directory, in the words of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Stat, StatAnswer
from sesam_audit.facts.data_directory import DataDirectory
from sesam_audit.facts.data_link import (
    StrayLink,
    inspect_agreement,
    inspect_link,
    inspect_no_link,
)
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile
from sesam_audit.wanted import NODE, STORE

from .machine import find
from .sesam_host import Answers, document, link, on_data_disk, on_root_disk, rendered, there

ROOT_DISK = Profile(data="rootdisk")
MISSING = StatAnswer(error="ENOENT")
DENIED = StatAnswer(error="EACCES")


def linked(node: StatAnswer, store: StatAnswer | None = None) -> Inspection:
    answers = on_data_disk() | {Stat(NODE): node, Stat(STORE): store or there(inode=20)}
    return inspect_link(find(DataDirectory, answers))


@pytest.mark.parametrize("target", [STORE, "../../srv/data/sesam/node-00/data"])
def test_a_link_to_the_store(target: str) -> None:
    assert linked(link(target, inode=20)) == Inspection()


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (MISSING, "there is no /sesam/node-00/data"),
        (link(NODE, error="ELOOP"), "is a link that leads back to itself"),
        (link(STORE, error="ENOENT"), f"dangling link: there is no {STORE}"),
        (link("/srv/old", inode=7), f"leads to /srv/old, not to {STORE}"),
        (link("/etc/passwd", inode=7, kind="file"), "leads to /etc/passwd, which is a file"),
        (there(inode=7), "is a directory of its own"),
        (there("file", inode=7), "is a file, where a link"),
    ],
)
def test_what_is_no_link_to_the_store(node: StatAnswer, words: str) -> None:
    (problem,) = linked(node).problems

    assert words in problem


def test_a_bind_mount_in_place_of_the_link() -> None:
    found = linked(there(inode=20))

    assert not found.problems
    assert "same directory" in found.notes[0]


def test_a_link_that_may_not_be_read() -> None:
    assert "needs root" in str(linked(DENIED).unknown)


def test_a_link_above_that_leads_back_to_itself_is_a_doubt() -> None:
    above = StatAnswer(error="ELOOP")
    data = find(DataDirectory, on_root_disk() | {Stat(NODE): above}, ROOT_DISK)

    for found in (linked(above), inspect_no_link(data)):
        assert not found.problems
        assert "a link above it leads back to itself" in str(found.unknown)


def test_a_store_that_may_not_be_read_proves_nothing() -> None:
    found = linked(link(STORE, inode=20), DENIED)

    assert not found.problems
    assert found.unknown


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (MISSING, "there is no"),
        (link(STORE, inode=20), f"is a link to {STORE}"),
        (there("file"), "is a file"),
    ],
)
def test_on_the_root_disk_only_a_directory(node: StatAnswer, words: str) -> None:
    data = find(DataDirectory, on_root_disk() | {Stat(NODE): node}, ROOT_DISK)

    assert words in inspect_no_link(data).problems[0]


def test_a_directory_on_the_root_disk() -> None:
    assert inspect_no_link(find(DataDirectory, on_root_disk(), ROOT_DISK)) == Inspection()


def agreement(answers: Answers, profile: Profile | None = None) -> Inspection:
    return inspect_agreement(find(DataDirectory, answers, profile))


def without_mounts() -> dict[str, Any]:
    value = document()
    value["services"]["sesam-node"]["volumes"] = []
    return value


def test_all_agree() -> None:
    assert agreement(on_data_disk()) == Inspection()
    assert agreement(on_root_disk(), ROOT_DISK) == Inspection()


def test_the_guides_commands_on_the_root_disk_leave_them_apart() -> None:
    found = agreement(on_root_disk() | rendered(document()), ROOT_DISK)

    assert found.problems == [
        (
            f"the stack mounts {STORE} on /sesam/data, which does not exist:"
            " Docker would make it, and the node would start empty"
        )
    ]


def test_a_license_where_the_node_does_not_see_it() -> None:
    other = {Stat(NODE): there(inode=7), Stat(f"{STORE}/license.key"): MISSING}
    found = agreement(on_data_disk() | other)

    assert found.problems == [
        f"the stack mounts {STORE} on /sesam/data, but {NODE} is {NODE}",
        f"license.key lies in {NODE}, but the stack's node reads {STORE}",
    ]


def test_a_second_license_elsewhere_is_noted() -> None:
    found = agreement(on_data_disk() | {Stat(NODE): there(inode=7)})

    assert f"a second license.key, which the node does not see, lies in {NODE}" in found.notes


def test_no_license_is_not_judged_here() -> None:
    absent: Answers = {Stat(f"{p}/license.key"): MISSING for p in (STORE, NODE)}

    assert agreement(on_data_disk() | absent) == Inspection()


def test_a_stack_that_mounts_nothing() -> None:
    found = agreement(on_data_disk() | rendered(without_mounts()))

    assert found.problems == ["the stack mounts nothing on /sesam/data: the node would start empty"]


def test_a_stack_that_is_not_known() -> None:
    answers = on_data_disk() | rendered()
    answers = {ask: answer for ask, answer in answers.items() if type(ask).__name__ != "Compose"}

    assert agreement(answers).unknown


def test_places_that_may_not_be_read() -> None:
    found = agreement(on_data_disk() | {Stat(NODE): DENIED})

    assert not found.problems
    assert found.unknown


@pytest.mark.parametrize(
    ("inside", "stray"),
    [
        (link(STORE, inode=20), True),
        (link("/elsewhere", inode=30), False),
        (there(inode=40), False),
        (MISSING, False),
    ],
)
def test_a_stray_link(inside: StatAnswer, stray: bool) -> None:
    answers = on_data_disk() | {Stat(f"{STORE}/data"): inside}

    assert find(StrayLink, answers).to_itself is stray
