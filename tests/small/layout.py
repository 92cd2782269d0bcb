"""Checks on what rests on something else, and on what an option switches off."""

from __future__ import annotations

from sesam_audit.profile import Profile
from sesam_audit.requirement import MUST, requirement


def _off(profile: Profile) -> str | None:
    return None if profile.data == "rootdisk" else "only on a root disk"


@requirement(source="Small world", level=MUST, needs=["hardware.first"])
def check_dependent() -> None:
    """What rests on the first word."""


@requirement(source="Small world", level=MUST, when=_off)
def check_off() -> None:
    """What holds on a root disk only."""
