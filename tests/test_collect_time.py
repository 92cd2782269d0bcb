"""The one deadline of all dials, parted among the rounds."""

from __future__ import annotations

from sesam_audit import collect
from sesam_audit.facts.scene import SHORT
from sesam_audit.inquiry import MAX_ROUNDS
from sesam_audit.profile import Profile


def test_the_last_round_ends_with_the_deadline() -> None:
    assert len(collect._ENDS) == MAX_ROUNDS
    assert sorted(collect._ENDS) == list(collect._ENDS)
    assert collect._ENDS[-1] == 1.0


def test_the_ways_in_have_time_to_prove_silence_after_a_black_hole() -> None:
    deadline = Profile().deadline

    assert (collect._ENDS[1] - collect._ENDS[0]) * deadline > SHORT
