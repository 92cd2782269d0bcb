"""Hostile answers: each spoils itself only."""

from __future__ import annotations

import json
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from sesam_audit.asks import (
    VOCABULARY,
    Ask,
    Dial,
    DockerApi,
    File,
    FileAnswer,
    Run,
    Self,
    Stat,
    StatAnswer,
)
from sesam_audit.channel import FRAME_LIMIT
from sesam_audit.decoding import answers, ask_from, request
from sesam_audit.errors import HostError, Unknown

ASKS: list[Ask[Any]] = [File("before"), Stat("/x"), File("after")]
GOOD = b'{"text": "fine"}'
BRACKETS = b"[" * 100_000 + b"]" * 100_000

HOSTILE = {
    "a text for a number": b'{"uid": "0"}',
    "a number for a text": b'{"kind": 5}',
    "a truth for a number": b'{"mode": true}',
    "a fraction for a whole number": b'{"size": 1.5}',
    "null for a number": b'{"uid": null}',
    "a list for an object": b"[]",
    "a text for an object": b'"abc"',
    "a number for an object": b"1",
    "null for an object": b"null",
    "a list for an inner object": b'{"resolved": []}',
    "a text for an inner object": b'{"resolved": "abc"}',
    "not a number": b'{"modified": NaN}',
    "infinity": b'{"modified": 1e999}',
    "a huge number": b'{"uid": ' + b"9" * 5000 + b"}",
    "brackets under an unknown key": b'{"other": ' + BRACKETS + b"}",
    "brackets alone": BRACKETS,
    "invalid UTF-8": b'{"user": "\xff\xfe"}',
    "a lone surrogate": b'{"user": "\\ud800"}',
    "a control character": b'{"user": "\x01"}',
    "nothing": b"",
    "two values": b'{"uid": 1} {"uid": 2}',
    "more than any answer": b'{"user": "' + b"x" * (3 * 2**20) + b'"}',
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_answer_spoils_itself_only(answer: bytes) -> None:
    frame = b"[" + GOOD + b"," + answer + b"," + GOOD + b"]"
    got = answers(ASKS, frame)
    assert isinstance(got[ASKS[1]], Unknown)
    assert got[ASKS[0]] == got[ASKS[2]] == FileAnswer(text="fine")


def test_brackets_and_quotes_inside_a_text_are_text() -> None:
    frame = rb'[{"text": "a]},[\"\\"},{"mode": NaN},{"text": "fine"}]'
    got = answers(ASKS, frame)
    assert got[ASKS[0]] == FileAnswer(text='a]},["\\')
    assert got[ASKS[2]] == FileAnswer(text="fine")


def test_missing_and_unknown_keys_leave_the_defaults() -> None:
    (got,) = answers(ASKS[1:2], b'[{"news": {"a": [1]}}]').values()
    assert got == StatAnswer()


def test_of_duplicate_keys_the_last_counts() -> None:
    (got,) = answers(ASKS[1:2], b'[{"uid": 1, "uid": 2}]').values()
    assert got == StatAnswer(uid=2)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"nonsense",
        b"{}",
        b"null",
        b'"text"',
        b"[",
        b"[]",
        b"[{}]",
        b"[{},{},{},{}]",
        b"[{},{},{}] tail",
        b'[{},{"user": "open},{}]',
        b"\xff\xfe",
        b"[" + b"{}," * 3_000_000 + b"{}]",
    ],
    ids=lambda frame: frame[:12].decode("latin-1"),
)
def test_a_frame_that_does_not_match_the_questions_is_the_hosts_fault(frame: bytes) -> None:
    with pytest.raises(HostError, match=r"not understood|answers came to 3 questions"):
        answers(ASKS, frame)


def test_a_packed_frame_is_unpacked() -> None:
    frame = b"[" + b",".join([GOOD] * len(ASKS)) + b"]"
    assert answers(ASKS, zlib.compress(frame, 1)) == answers(ASKS, frame)


@pytest.mark.parametrize(
    "frame",
    [
        zlib.compress(b"[" + b" " * FRAME_LIMIT + b"]"),
        zlib.compress(b"[{},{},{}]")[:-1],
        b"x[{},{},{}]",
    ],
    ids=["a bomb", "cut", "not packed"],
)
def test_a_packed_frame_that_is_not_whole_is_the_hosts_fault(frame: bytes) -> None:
    with pytest.raises(HostError, match="not understood"):
        answers(ASKS, frame)


def test_millions_of_empty_objects_do_not_fill_the_memory() -> None:
    frame = b'[{"value": [' + b"{}," * 3_000_000 + b"{}]}]"
    tracemalloc.start()
    try:
        (got,) = answers([DockerApi("/info", ())], frame).values()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(got, Unknown)
    assert peak < 3 * len(frame)


@pytest.mark.parametrize(
    "answer", [b'"' + b"\\" * 4_000_001, b'{"a":' * 300_000, b'"x",' * 1_000_000]
)
def test_a_hostile_frame_is_given_up_quickly(answer: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises(HostError):
        answers(ASKS, b"[" + GOOD + b"," + answer + b"]")
    assert time.monotonic() - begun < 5


def test_a_request_is_one_line_whatever_it_asks() -> None:
    line = request([File("/two\nlines"), Self()], 10.0, {"proxy": "user:a\nb"}, 5.0)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_a_request_names_questions_deadline_and_secrets() -> None:
    spelt = json.loads(request([File("/x")], 10.0, {"proxy": "u:p"}, 5.0))
    assert spelt == {
        "asks": [{"ask": "File", "path": "/x", "limit": 65536}],
        "deadline": 10.0,
        "secrets": {"proxy": "u:p"},
    }


def test_a_dial_without_a_limit_of_its_own_gets_the_rounds() -> None:
    spelt = json.loads(request([Dial("a"), Run(("true",))], 10.0, {}, 4.5))
    assert [ask["seconds_limit"] for ask in spelt["asks"]] == [4.5, 8.0]


@pytest.mark.parametrize("kind", VOCABULARY.values(), ids=VOCABULARY)
def test_every_question_survives_being_written_and_read(kind: type) -> None:
    made = {"path": "/x", "name": "x", "pattern": "/x", "directory": "/x", "pem": "x", "type": "A"}
    more = {"argv": ("a",), "roots": ("/x",), "keep": ("a",), "keys": ("a",), "ports": (80,)}
    image = {"repository": "a/b", "reference": "c"}
    values = {**made, **more, **image, "uid": 1, "gid": 1}
    ask = kind(**{key: value for key, value in values.items() if key in kind.__annotations__})
    spelt = json.loads(request([ask], 1.0, {}, getattr(ask, "seconds_limit", 0.0)))["asks"][0]
    assert ask_from(spelt) == ask


@pytest.mark.parametrize(
    "fields", [{}, {"ask": "Nothing"}, {"ask": None}, {"ask": "File"}, {"ask": "File", "path": 5}]
)
def test_a_saved_question_that_is_none_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown question|Object missing|Expected"):
        ask_from(fields)
