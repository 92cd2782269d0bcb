"""The one data directory, as host, stack and license see it."""

from __future__ import annotations

from sesam_audit.asks import Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.data_directory import DataDirectory, Place
from sesam_audit.profile import Profile
from sesam_audit.wanted import NODE, STORE

from .machine import find
from .sesam_host import document, link, on_data_disk, on_root_disk, rendered, there

ROOT_DISK = Profile(data="rootdisk")


def test_on_the_data_disk() -> None:
    found = find(DataDirectory, on_data_disk())

    assert found.path == STORE
    assert found.license == f"{STORE}/license.key"
    assert isinstance(found.bound, Place)
    assert found.bound.same(found.node)


def test_on_the_root_disk() -> None:
    found = find(DataDirectory, on_root_disk(), ROOT_DISK)

    assert (found.path, found.licenses) == (NODE, (NODE,))


def test_nothing_there() -> None:
    found = find(DataDirectory, {})

    assert found.path == STORE
    assert found.node.missing
    assert isinstance(found.bound, Unknown)


def test_when_they_disagree_the_variant_decides() -> None:
    answers = on_root_disk() | rendered(document())

    assert find(DataDirectory, answers, ROOT_DISK).path == NODE


def test_a_place_of_its_own_where_host_and_stack_agree() -> None:
    value = document()
    value["services"]["sesam-node"]["volumes"][2]["source"] = "/big/store"
    answers = on_data_disk() | rendered(value)
    answers |= {Stat("/big/store"): there(inode=70), Stat(NODE): link("/big/store", inode=70)}
    answers |= {Stat("/big/store/license.key"): there("file")}
    found = find(DataDirectory, answers, rounds=2)

    assert found.path == NODE
    assert "/big/store" in found.licenses


def test_the_store_within_another_mount() -> None:
    """Root disk, without a mount of its own for the data: /sesam brings it along."""
    value = document()
    del value["services"]["sesam-node"]["volumes"][2]
    found = find(DataDirectory, on_root_disk() | rendered(value), ROOT_DISK)

    assert isinstance(found.bound, Place)
    assert found.bound.path == NODE


def test_a_link_within_another_mount_leads_nowhere_in_the_container() -> None:
    value = document()
    del value["services"]["sesam-node"]["volumes"][2]

    assert find(DataDirectory, on_data_disk() | rendered(value)).bound is None


def test_a_stack_without_a_node_binds_nothing() -> None:
    assert find(DataDirectory, on_data_disk() | rendered({"services": {}})).bound is None


def test_an_unreadable_place_is_a_doubt() -> None:
    place = Place.of(NODE, StatAnswer(error="EACCES"))

    assert place.doubt
    assert not place.missing


def test_a_dangling_link_is_there() -> None:
    place = Place.of(NODE, link(STORE, error="ENOENT"))

    assert (place.missing, place.directory, place.leads_to) == (False, False, STORE)


def test_two_missing_places_are_not_the_same() -> None:
    missing = Place.of(NODE, StatAnswer(error="ENOENT"))

    assert not missing.same(missing)


def test_the_license_could_not_be_looked_for() -> None:
    answers = on_data_disk() | {Stat(f"{STORE}/license.key"): StatAnswer(error="EACCES")}

    assert find(DataDirectory, answers).licenses_doubt
