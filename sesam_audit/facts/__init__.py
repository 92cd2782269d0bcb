"""Facts: what the answers of a host mean, one module per subject; pure, and found in step.

A fact is a frozen record (msgspec.Struct) with a class method `ask(profile)`, a generator that
yields questions and returns the fact. It raises `Unknown` when it cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar, overload

from sesam_audit.asks import Answer, Ask, Steps
from sesam_audit.errors import Unknown
from sesam_audit.profile import Profile

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")
T_co = TypeVar("T_co", covariant=True)
F = TypeVar("F", bound="Fact")


class Fact(Protocol):
    """What a check may ask for by annotation."""

    @classmethod
    def ask(cls: type[F], profile: Profile) -> Steps[F]:
        """Find this fact."""


class Step(Protocol[T_co]):
    """A question, or a fact being found: whatever `yield from` can wait for."""

    def __iter__(self) -> Steps[T_co]: ...


@overload
def gather(a: Step[T1], b: Step[T2], /) -> Steps[tuple[T1, T2]]: ...
@overload
def gather(a: Step[T1], b: Step[T2], c: Step[T3], /) -> Steps[tuple[T1, T2, T3]]: ...
@overload
def gather(
    a: Step[T1], b: Step[T2], c: Step[T3], d: Step[T4], /
) -> Steps[tuple[T1, T2, T3, T4]]: ...
@overload
def gather(
    a: Step[T1], b: Step[T2], c: Step[T3], d: Step[T4], e: Step[T5], /
) -> Steps[tuple[T1, T2, T3, T4, T5]]: ...
@overload
def gather(
    a: Step[T1], b: Step[T2], c: Step[T3], d: Step[T4], e: Step[T5], f: Step[T6], /
) -> Steps[tuple[T1, T2, T3, T4, T5, T6]]: ...
def gather(*steps: Step[Any]) -> Steps[tuple[Any, ...]]:
    """Take independent steps together, so that their questions share a round.

    Raises:
        Unknown: of the first step that cannot tell; use `attempt` to go on without it.
    """
    return (yield from every(steps))


def every(steps: Iterable[Step[T]]) -> Steps[tuple[T, ...]]:
    """`gather` for any number of steps of one type."""
    running = [iter(step) for step in steps]
    results: list[Any] = [None] * len(running)
    waiting: dict[int, tuple[Ask[Any], ...]] = {}

    def advance(index: int, answers: tuple[Answer | Unknown, ...] | None) -> None:
        try:
            waiting[index] = running[index].send(answers)  # type: ignore[arg-type]
        except StopIteration as stop:
            waiting.pop(index, None)
            results[index] = stop.value

    for index in range(len(running)):
        advance(index, None)
    while waiting:
        asked = sorted(waiting.items())
        answers = yield tuple(ask for _, asks in asked for ask in asks)
        start = 0
        for index, asks in asked:
            advance(index, answers[start : start + len(asks)])
            start += len(asks)
    return tuple(results)


def attempt(step: Step[T]) -> Steps[T | Unknown]:
    """Take a step and return its Unknown instead of raising it."""
    try:
        return (yield from step)
    except Unknown as unknown:
        return unknown
