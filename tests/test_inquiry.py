"""Facts found in step, from answers that a test gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, File, FileAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Evidence
from sesam_audit.facts import attempt, every, gather
from sesam_audit.inquiry import Inquiry, recall
from sesam_audit.profile import Profile


def fact(steps: Callable[[], Steps[Any]], name: str = "Made") -> type:
    """A fact type that asks in this way."""
    return type(name, (), {"ask": classmethod(lambda _cls, _profile: steps())})


def text(path: str) -> Steps[str]:
    return (yield from File(path)).text


@dataclass(frozen=True)
class Text:
    """A step that reads one file."""

    path: str

    def __iter__(self) -> Steps[str]:
        return text(self.path)


def files(**texts: str) -> Evidence:
    answers: dict[Ask[Any], Answer | Unknown] = {
        File(path): FileAnswer(text=text) for path, text in texts.items()
    }
    return Evidence("x", answers=answers)


def found(steps: Callable[[], Steps[Any]], evidence: Evidence) -> Any:
    kind = fact(steps)
    return recall([kind], Profile(), evidence)[kind]


def test_a_fact_is_what_its_generator_returns() -> None:
    assert found(lambda: text("a"), files(a="hello")) == "hello"


def test_a_dependent_question_is_the_next_ask() -> None:
    def steps() -> Steps[str]:
        name = yield from text("a")
        return (yield from text(name))

    assert found(steps, files(a="b", b="there")) == "there"


def test_independent_questions_share_a_round() -> None:
    kinds = [fact(lambda: text("a"), "A"), fact(lambda: text("b"), "B")]
    inquiry = Inquiry(kinds, Profile())
    assert inquiry.pending == (File("a"), File("b"))


def test_a_question_of_two_facts_is_asked_once() -> None:
    kinds = [fact(lambda: text("a"), "A"), fact(lambda: text("a"), "B")]
    assert Inquiry(kinds, Profile()).pending == (File("a"),)


def test_what_is_known_is_not_asked_again() -> None:
    def steps() -> Steps[tuple[str, str]]:
        yield from text("a")
        return (yield from gather(Text("a"), Text("b")))

    inquiry = Inquiry([fact(steps)], Profile())
    inquiry.feed(files(a="1").answers)

    assert inquiry.pending == (File("b"),)


def test_a_fact_goes_on_as_far_as_known_answers_lead() -> None:
    def steps() -> Steps[str]:
        name = yield from text("a")
        yield from text("b")
        return (yield from text(name))

    kind = fact(steps)
    inquiry = Inquiry([kind, fact(lambda: text("b"), "Other")], Profile())
    inquiry.feed(files(a="b", b="there").answers)

    assert inquiry.pending == ()
    assert inquiry.finish(files(), "never")[kind] == "there"


def test_gathered_steps_share_a_round_and_keep_their_order() -> None:
    def steps() -> Steps[tuple[str, str]]:
        return (yield from gather(Text("a"), Text("b")))

    assert found(steps, files(a="1", b="2")) == ("1", "2")
    assert Inquiry([fact(steps)], Profile()).pending == (File("a"), File("b"))


def test_steps_of_different_length_are_gathered() -> None:
    @dataclass(frozen=True)
    class Chain:
        def __iter__(self) -> Steps[str]:
            name = yield from text("a")
            return (yield from text(name))

    def steps() -> Steps[tuple[str, str]]:
        return (yield from gather(Chain(), Text("c")))

    assert found(steps, files(a="b", b="end", c="short")) == ("end", "short")


def test_nothing_to_gather_asks_nothing() -> None:
    def steps() -> Steps[tuple[Any, ...]]:
        return (yield from every([]))

    assert found(steps, files()) == ()


def test_an_attempt_goes_on_without() -> None:
    def steps() -> Steps[tuple[Any, str]]:
        return (yield from gather(_Attempt(), Text("b")))

    unknown, other = found(steps, files(b="2"))
    assert (unknown.reason, other) == ("not collected", "2")


@dataclass(frozen=True)
class _Attempt:
    def __iter__(self) -> Steps[Any]:
        return attempt(Text("missing"))


def test_what_was_not_collected_is_unknown() -> None:
    assert found(lambda: text("a"), files()).reason == "not collected"


def test_an_answer_that_came_too_late_is_unknown() -> None:
    late = Evidence("x", answers={File("a"): FileAnswer(error="TIMEOUT")})
    assert found(lambda: text("a"), late).reason == "no answer in time: file a"


@pytest.mark.parametrize("raised", [ValueError("x"), RecursionError(), MemoryError(), KeyError(1)])
def test_a_parsers_fault_spoils_its_own_fact_only(raised: Exception) -> None:
    def broken() -> Steps[str]:
        yield from text("a")
        raise raised

    kinds = [fact(broken, "Broken"), fact(lambda: text("a"), "Fine")]
    known = recall(kinds, Profile(), files(a="hello"))
    assert known[kinds[1]] == "hello"
    assert known[kinds[0]].reason.startswith("Broken not understood")


def test_a_fact_that_fails_before_its_first_question_spoils_itself_only() -> None:
    def broken(_cls: type, _profile: Profile) -> Steps[str]:
        raise ValueError("no generator")

    kinds = [type("Broken", (), {"ask": classmethod(broken)}), fact(lambda: text("a"))]
    known = recall(kinds, Profile(), files(a="hello"))
    assert known[kinds[1]] == "hello"
    assert "no generator" in known[kinds[0]].reason


def test_a_fact_that_never_stops_asking_is_ended() -> None:
    def endless() -> Steps[str]:
        number = 0
        while True:
            number += 1
            yield (File(str(number)),)

    assert isinstance(found(endless, files()), Unknown)


def test_a_fact_that_asks_for_ever_what_is_known_is_ended() -> None:
    def endless() -> Steps[str]:
        while True:
            yield from text("a")

    assert isinstance(found(endless, files(a="1")), Unknown)


def test_a_fact_knows_its_questions_and_the_slowest_answer() -> None:
    kind = fact(lambda: text("a"))
    evidence = Evidence("x", answers={File("a"): FileAnswer(text="1", seconds=0.5)})
    known = recall([kind], Profile(), evidence)
    assert list(known.references((kind,))) == ["file a"]
    assert known.seconds[kind] == 0.5


def test_what_still_waits_at_the_end_gets_the_reason() -> None:
    kind = fact(lambda: text("a"))
    inquiry = Inquiry([kind], Profile())
    assert inquiry.finish(files(), "the host is gone")[kind].reason == "the host is gone"
