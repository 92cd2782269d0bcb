"""Clock: how far ahead, of whom, and how surely."""

from __future__ import annotations

import pytest

from sesam_audit.asks import Contact, ContactAnswer, Self, SelfAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.clock import Clock, by_services

from .machine import find

NOON = 1_795_000_000.0


def by_auditor(ahead: float, trip: float = 0.2, scheme: str = "ssh") -> Clock:
    contact = ContactAnswer(scheme=scheme, asked=NOON, answered=NOON + trip)
    return find(Clock, {Self(): SelfAnswer(time=NOON + trip / 2 + ahead), Contact(): contact})


@pytest.mark.parametrize("ahead", [0.0, 59.0, -3600.0])
def test_against_the_auditor_when_no_service_is_authentic(ahead: float) -> None:
    found = by_auditor(ahead)

    assert found.of == "the auditor's clock"
    assert found.ahead == pytest.approx(ahead)


def test_half_the_first_exchange_is_doubt() -> None:
    assert by_auditor(0, trip=8).doubt == pytest.approx(4)


def test_a_machine_is_no_judge_of_its_own_clock() -> None:
    with pytest.raises(Unknown, match="nothing to compare"):
        by_auditor(0, scheme="local")


@pytest.mark.parametrize(
    ("told", "contact"),
    [
        (SelfAnswer(), ContactAnswer(scheme="ssh", asked=NOON, answered=NOON)),
        (SelfAnswer(time=NOON), ContactAnswer(scheme="ssh")),
    ],
)
def test_a_clock_that_is_not_told_is_unknown(told: SelfAnswer, contact: ContactAnswer) -> None:
    with pytest.raises(Unknown, match="did not tell its clock"):
        find(Clock, {Self(): told, Contact(): contact})


@pytest.mark.parametrize(
    ("offsets", "ahead"),
    [
        ({"a": 10.5, "b": 12.5}, 11.0),
        ({"a": 0.5, "b": 0.5, "c": 7200.5}, 0.0),  # one liar
        ({"a": 0.5, "b": 60.5}, 30.0),
    ],
)
def test_the_median_of_authentic_services(offsets: dict[str, float], ahead: float) -> None:
    found = by_services(offsets)

    assert found
    assert found.ahead == pytest.approx(ahead)
    assert found.of == f"{len(offsets)} authentic services"


@pytest.mark.parametrize("offsets", [{}, {"a": 0.5}, {"a": 0.5, "b": 61.0}])
def test_services_that_cannot_outvote_each_other(offsets: dict[str, float]) -> None:
    assert by_services(offsets) is None


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (
            Clock(12.04, "3 authentic services", 0.5),
            "12.0 s ahead of 3 authentic services (± 0.5 s)",
        ),
        (Clock(-90, "the auditor's clock", 0.01), "90.0 s behind the auditor's clock"),
    ],
)
def test_words(clock: Clock, words: str) -> None:
    assert clock.words == words
