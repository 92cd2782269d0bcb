"""Checks for the tests of `judge`, in a module whose assertions pytest does not rewrite."""

from __future__ import annotations

from dataclasses import dataclass

from sesam_audit.asks import Steps
from sesam_audit.profile import Profile
from sesam_audit.requirement import Found

from . import library


@dataclass(frozen=True)
class Memory:
    """A fact that a test makes up."""

    total: int

    @classmethod
    def ask(cls, _profile: Profile) -> Steps[Memory]:
        yield ()
        return cls(0)


def check_memory(memory: Memory, found: Found) -> None:
    """At least 16 of memory.

    Add memory.
    """
    assert found(memory.total, required=16, unit="GB") >= 16


def check_words(found: Found) -> None:
    """It holds."""
    assert found(1, required=2) == 2, "one is not two"


def check_with_a_helper() -> None:
    """It holds."""
    _helper()


def _helper() -> None:
    assert False, "of its own"  # noqa: B011, PT015 - the shortest failure


def check_with_a_library() -> None:
    """It holds."""
    library.insist()
