"""A check becomes a requirement by its file, its name and its words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sesam_audit import requirement as module
from sesam_audit.errors import UsageError
from sesam_audit.level import Stage
from sesam_audit.profile import Profile
from sesam_audit.requirement import (
    CATEGORIES,
    MUST,
    Found,
    Requirement,
    catalogue,
    in_order,
    near,
    need_id,
    requirement,
    select,
)

from .asserting import Memory, check_memory


def marked(**options: object) -> Requirement:
    made = requirement(source="Guide", level=MUST, **options)(check_memory)  # type: ignore[arg-type]
    item = vars(made)["requirement"]
    assert isinstance(item, Requirement)
    return item


def test_file_and_name_make_the_id() -> None:
    assert marked().id == "asserting.memory"


def test_the_docstring_is_title_and_remedy() -> None:
    item = marked()
    assert (item.title, item.remedy) == ("At least 16 of memory", "Add memory.")


def test_facts_are_the_annotated_types_that_can_be_asked() -> None:
    assert marked().facts() == (Memory,)


def test_without_each_there_is_one_finding() -> None:
    assert marked().subjects(Profile()) == (None,)


def test_found_gives_the_value_back_and_words_the_message() -> None:
    found = Found()
    assert found(3, required=4, unit="CPUs") == 3
    assert found.message == "3 CPUs found, 4 CPUs required"


def test_found_without_a_demand_says_what_was_found() -> None:
    found = Found()
    found(3)
    assert found.message == "3 found"


def test_words_speak_for_themselves() -> None:
    found = Found()
    found("ext4")
    assert found.message == "ext4"


def test_words_and_what_is_required_instead() -> None:
    found = Found()
    found("CentOS 7", required="Ubuntu or RHEL")
    assert found.message == "CentOS 7; required: Ubuntu or RHEL"


@pytest.mark.parametrize("words", ["mode 0600", "mode 0600 or stricter"])
def test_what_was_found_is_not_said_twice(words: str) -> None:
    found = Found()
    found("mode 0600", required=words)
    assert found.message == "mode 0600"


def test_a_check_may_word_what_it_found() -> None:
    found = Found()
    found(80, required=20, unit="GB", words="{} free")
    assert found.message == "80 GB free, 20 GB required"


def test_found_says_nothing_before_something_is_found() -> None:
    assert not Found().message


# -- the shipped catalogue -------------------------------------------------------------------------


@pytest.mark.parametrize("item", catalogue().values(), ids=catalogue())
def test_every_shipped_check_can_be_explained(item: Requirement) -> None:
    assert item.category in CATEGORIES
    assert item.title
    assert not item.title.endswith(".")
    assert item.remedy, "say what to do"
    assert item.source
    assert item.stages


@pytest.mark.parametrize("item", catalogue().values(), ids=catalogue())
def test_every_need_of_a_shipped_check_is_a_shipped_check(item: Requirement) -> None:
    known = catalogue()
    for need in item.needs:
        subject = need.partition(" ")[2]
        assert need_id(need) in known
        assert not subject or subject[1:-1] in known[need_id(need)].subjects(Profile())


@pytest.mark.parametrize("item", catalogue().values(), ids=catalogue())
def test_every_parameter_of_a_shipped_check_can_be_given(item: Requirement) -> None:
    given = {"Found", "Profile", "Subject", "Now", "Then"}
    for name, kind in item.parameters.items():
        assert hasattr(kind, "ask") or kind.__name__ in given, name


def test_no_check_needs_itself_even_over_others() -> None:
    in_order(catalogue().values())


# -- order and choice ------------------------------------------------------------------------------


def test_what_is_needed_comes_first() -> None:
    first = replace(marked(), id="a", needs=("b",))
    second = replace(marked(), id="b")
    assert [item.id for item in in_order([first, second])] == ["b", "a"]


def test_needs_outside_the_list_are_ignored() -> None:
    assert [item.id for item in in_order([replace(marked(), id="a", needs=("z",))])] == ["a"]


def test_only_takes_ids_and_categories() -> None:
    chosen, left = select(Stage.PREFLIGHT, only=["hardware.memory", "os"])
    ids = {item.id for item in chosen}
    assert "hardware.memory" in ids
    assert "os.release" in ids
    assert "hardware.cpu" not in ids
    assert "hardware.cpu" in left


def test_skip_leaves_out() -> None:
    chosen, left = select(Stage.PREFLIGHT, skip=["hardware"])
    assert {item.category for item in chosen}.isdisjoint({"hardware"})
    assert "hardware.memory" in left


def test_chosen_and_left_out_are_the_whole_stage() -> None:
    everything, nothing = select(Stage.PREFLIGHT)
    chosen, left = select(Stage.PREFLIGHT, only=["hardware"], skip=["hardware.cpu"])
    assert not nothing
    assert {item.id for item in everything} == {item.id for item in chosen} | set(left)


@pytest.mark.parametrize(
    ("name", "nearest"), [("hardware.memroy", "hardware.memory"), ("hardwar", "hardware")]
)
def test_an_unknown_name_is_refused_and_the_nearest_named(name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"Did you mean '{nearest}'"):
        select(Stage.PREFLIGHT, only=[name])
    with pytest.raises(UsageError, match=f"Did you mean '{nearest}'"):
        select(Stage.PREFLIGHT, skip=[name])


def test_a_name_near_nothing_points_to_the_list() -> None:
    assert near("zzzz", catalogue()) == "`sesam-audit list` shows them all"


def test_the_module_table_names_categories_only() -> None:
    assert set(module._MODULES) <= set(CATEGORIES)
