"""Asks the shell twin and the probe the same questions."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    ComposeAnswer,
    RunAnswer,
    SelfAnswer,
    SpaceAnswer,
    StatAnswer,
    WalkAnswer,
)
from sesam_audit.probe_sh import script
from sesam_audit.shipping import program

MARKER = "0123456789abcdef"
NOBODY = 65534
SHELLS = [
    shell
    for shell in (("dash",), ("bash",), ("bash", "--posix"), ("busybox", "sh"))
    if shutil.which(shell[0])
]
PYTHON = (
    program("probe")
    + b"""
import json
from sesam_audit_probe.rounds import respond

sys.stdout.buffer.write(respond(json.loads(sys.argv[1])))
"""
)


def spoken(output: bytes, rounds: Sequence[Sequence[Ask[Any]]]) -> list[list[Any]]:
    """The frames of a conversation, each with its length in bytes, decoded as the engine does."""
    answers = []
    for asks in rounds:
        head, output = output.removeprefix(b"\n").split(b"\n", 1)
        marker, length = head.split()
        assert marker == MARKER.encode()
        frame, output = output[: int(length)], output[int(length) :]
        assert frame.isascii()
        raw = msgspec.json.decode(frame, type=list[msgspec.Raw])
        answers.append(
            [
                msgspec.json.decode(one, type=type(ask).answer)
                for ask, one in zip(asks, raw, strict=True)
            ]
        )
    assert output == b""
    return answers


def told(
    shell: Sequence[str],
    *asks: Ask[Any],
    deadline: float = 20,
    user: int | None = None,
    mounts: Mapping[str, Path] | None = None,
    without: Sequence[str] = (),
) -> list[Any]:
    """What a shell answers, maybe with directories mounted for it alone, and without secrets."""
    done = subprocess.run(
        [*_among(mounts or {}), *shell, "-s"],
        input=script(MARKER, asks, deadline=deadline).encode(),
        stdout=subprocess.PIPE,
        check=False,
        timeout=60,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    assert done.returncode == 0
    for secret in without:
        assert secret.encode() not in done.stdout
    return spoken(done.stdout, [asks])[0]


def _among(mounts: Mapping[str, Path]) -> Sequence[str]:
    line = "".join(f"mount --bind {shlex.quote(str(mounts[at]))} {at} && " for at in mounts)
    return ("unshare", "-m", "sh", "-c", f'{line}exec "$@"', "sh") if mounts else ()


def told_by_python(
    *asks: Ask[Any], user: int | None = None, mounts: Mapping[str, Path] | None = None
) -> list[Any]:
    """What the probe answers."""
    spelt = [{"ask": type(ask).__name__, **msgspec.to_builtins(ask)} for ask in asks]
    done = subprocess.run(
        [
            *_among(mounts or {}),
            sys.executable if user is None else "/usr/bin/python3",
            *("-I", "-S", "-"),
            json.dumps({"asks": spelt, "deadline": 20}),
        ],
        input=PYTHON,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    answers = msgspec.json.decode(done.stdout, type=list[msgspec.Raw])
    return [
        msgspec.json.decode(one, type=type(ask).answer)
        for ask, one in zip(asks, answers, strict=True)
    ]


def alike(answer: Answer) -> Answer:
    """An answer without what the two may tell differently."""
    answer = replace(answer, seconds=0.0, error="ENOENT" if answer.missing else answer.error)
    if isinstance(answer, SelfAnswer):
        return replace(answer, python=(), time=0.0)
    if isinstance(answer, StatAnswer):
        return replace(answer, modified=float(int(answer.modified)))
    if isinstance(answer, SpaceAnswer):
        return replace(answer, available=0, inodes_available=0)
    if isinstance(answer, (RunAnswer, ComposeAnswer)) and answer.code < 0:
        return replace(answer, code=128 - answer.code)
    if isinstance(answer, WalkAnswer):
        return replace(
            answer,
            samples=tuple(sorted(answer.samples)),
            passed_over=tuple(sorted(answer.passed_over)),
            unreadable=tuple(sorted(answer.unreadable)),
        )
    return answer


def assert_alike(
    shell: Sequence[str],
    *asks: Ask[Any],
    user: int | None = None,
    mounts: Mapping[str, Path] | None = None,
    without: Sequence[str] = (),
) -> None:
    """The shell answers as the probe does; the probe's own answers are tested elsewhere.

    What differs is asked of both again, twice: the machine may have changed in between.
    """
    for patience in (2, 1, 0):
        answers = map(alike, told(shell, *asks, user=user, mounts=mounts, without=without))
        expected = map(alike, told_by_python(*asks, user=user, mounts=mounts))
        rows = list(zip(asks, answers, expected, strict=True))
        asks = tuple(ask for ask, one, other in rows if one != other)
        if not asks:
            break
        for ask, one, other in rows:
            assert patience or (str(ask), one) == (str(ask), other)
