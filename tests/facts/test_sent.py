"""What the audit itself did, as the reviewer is told."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import (
    Dial,
    DialAnswer,
    Fsync,
    FsyncAnswer,
    Listen,
    ListenAnswer,
)
from sesam_audit.errors import Unknown, needs_vantage
from sesam_audit.evidence import Evidence
from sesam_audit.facts.sent import sent

DEFAULT, SESAM = (
    Dial("auth.docker.io", context="container default"),
    Dial("portal.sesam.io", context="container sesam"),
)
LISTEN = Listen((80, 443), published=True)


def told(answers: dict[Any, Any]) -> list[str]:
    lines = sent(Evidence("x", answers=answers))
    return [line for line in lines if line.startswith("the target's Docker: ")]


def none(reason: str) -> DialAnswer:
    return DialAnswer(error="NOROOM", detail=reason)


def test_what_stood_in_docker_is_listed_once() -> None:
    answers = {
        DEFAULT: DialAnswer(context="container default"),
        SESAM: DialAnswer(context="container sesam", error="TIMEOUT"),
        LISTEN: ListenAnswer(ports={"80": ""}, published=True),
    }

    (line,) = told(answers)
    assert line == (
        "the target's Docker: an image without content was imported, a network made and a container"
        " on it, and one on the network sesam; all labelled, to be removed at the audit's end"
    )


@pytest.mark.parametrize(
    "answers",
    [
        {LISTEN: ListenAnswer(ports={"80": ""}, published=True)},
        {SESAM: DialAnswer(context="container default")},  # there is no such network
    ],
)
def test_a_container_on_the_network_sesam_is_not_listed_where_none_stood(
    answers: dict[Any, Any],
) -> None:
    (line,) = told(answers)

    assert "sesam" not in line


@pytest.mark.parametrize(
    "reason",
    [
        "Docker: no space left on device",
        "a container could not be made: OSError",
        "no container stood in time",
        "this machine's kernel does not let it in",
    ],
)
def test_what_did_not_come_to_stand_was_asked_for_all_the_same(reason: str) -> None:
    (line,) = told({DEFAULT: none(reason)})

    assert f"as far as it could ({reason})" in line


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {DEFAULT: none("needs root: entering a container's network")},
        {DEFAULT: none("no Docker daemon answers (ENOENT)")},
        {DEFAULT: Unknown("the probe fell")},
        {LISTEN: ListenAnswer(ports={"80": ""}, detail="needs root")},
        {Dial("pypi.org"): DialAnswer(), Dial("x", context="daemon"): DialAnswer(context="daemon")},
    ],
)
def test_where_docker_was_asked_for_nothing_nothing_is_listed(answers: dict[Any, Any]) -> None:
    assert not told(answers)


def test_a_file_that_was_written_is_listed() -> None:
    answers: dict[Any, Any] = {
        Fsync("/srv/data"): FsyncAnswer(writes=300),
        Fsync("/x"): FsyncAnswer(error="EROFS"),
    }

    assert list(sent(Evidence("x", answers=answers))) == [
        "host: wrote 300 times 4 KiB to a file in /srv/data, and removed it"
    ]


DIALLED = Dial("node.example.org", vantage="ssh://badhost")


@pytest.mark.parametrize(
    "answer",
    [
        needs_vantage("ssh://badhost was not reached: its name does not resolve"),
        DialAnswer(error="UNSUPPORTED"),
        none("needs root"),
    ],
)
def test_what_was_never_made_is_not_listed(answer: DialAnswer | Unknown) -> None:
    assert not list(sent(Evidence("x", answers={DIALLED: answer})))


@pytest.mark.parametrize(
    "answer",
    [
        Unknown("ssh://badhost: no answer in time; what it dialled is not known"),
        DialAnswer(error="TIMEOUT"),
        DialAnswer(layer="tcp", error="ECONNREFUSED"),
    ],
)
def test_what_may_have_been_made_is_listed(answer: DialAnswer | Unknown) -> None:
    (line,) = sent(Evidence("x", answers={DIALLED: answer}))

    assert line == "ssh://badhost -> node.example.org:443: GET /"
