"""The one deadline of all dials, parted among the rounds."""

from __future__ import annotations

from sesam_audit.facts.scene import SHORT
from sesam_audit.inquiry import ROUND_ENDS
from sesam_audit.profile import Profile


def test_the_last_round_ends_with_the_deadline() -> None:
    assert sorted(ROUND_ENDS) == list(ROUND_ENDS)
    assert ROUND_ENDS[-1] == 1.0


def test_the_ways_in_have_time_to_prove_silence_after_a_black_hole() -> None:
    deadline = Profile().deadline

    assert (ROUND_ENDS[1] - ROUND_ENDS[0]) * deadline > SHORT
