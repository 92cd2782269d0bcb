"""Untrusted answers into their types: counted first, one at a time, each spoils only itself."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sesam_audit.asks import VOCABULARY, Answer, Ask
from sesam_audit.channel import FRAME_LIMIT
from sesam_audit.errors import HostError, Unknown
from sesam_audit.evidence import Answers

_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
_ANSWER_LIMIT = 2 * 2**20  # the probe's own cap is half of it
_MARKS = re.compile(rb'\\.|["\[\]{},]', re.DOTALL)


def request(
    asks: Sequence[Ask[Any]], deadline: float, secrets: Mapping[str, str], dial_seconds: float
) -> bytes:
    """One round's questions as the line the probe reads; `dial_seconds` bounds its dials."""
    spelt = []
    for ask in asks:
        fields = {"ask": type(ask).__name__, **msgspec.to_builtins(ask)}
        if "vantage" in fields:  # whatever uses the network is bounded by the run's deadline
            fields["seconds_limit"] = min(fields["seconds_limit"] or dial_seconds, dial_seconds)
        spelt.append(fields)
    round_ = {"asks": spelt, "deadline": deadline, "secrets": dict(secrets)}
    return msgspec.json.encode(round_) + b"\n"


_DECODERS = {kind.answer: msgspec.json.Decoder(kind.answer) for kind in VOCABULARY.values()}


def answers(asks: Sequence[Ask[Any]], frame: bytes) -> Answers:
    """Each question with its answer; one that is not understood is Unknown.

    Raises:
        HostError: the frame is not a list with one element for each question.
    """
    frame = _unpacked(frame)
    try:
        raw: Sequence[bytes | msgspec.Raw] = msgspec.json.decode(frame, type=list[msgspec.Raw])
    except _FAULTS as error:
        raw = _elements(frame, len(asks))
        if not raw:
            raise HostError(f"its answer is not understood: {error}") from error
    if len(raw) != len(asks):
        raise HostError(f"{len(raw)} answers came to {len(asks)} questions")
    return {ask: _one(ask, text) for ask, text in zip(asks, raw, strict=True)}


def _unpacked(frame: bytes) -> bytes:
    """The probe packs its answers; its shell twin cannot."""
    if not frame.startswith(b"x"):
        return frame
    packed = zlib.decompressobj()
    try:
        text = packed.decompress(frame, FRAME_LIMIT)
    except zlib.error as error:
        raise HostError(f"its answer is not understood: {error}") from error
    if not packed.eof:
        raise HostError("its answer is not understood: it is too long, or not whole")
    return text


def _elements(frame: bytes, most: int) -> list[bytes]:
    """The elements of a JSON list, by their ends alone; none when the list itself is broken."""
    parts: list[bytes] = []
    depth, start, quoted = 0, 1, False
    for mark in _MARKS.finditer(frame if frame.startswith(b"[") else b""):
        if mark[0] == b'"':
            quoted = not quoted
        if quoted or len(mark[0]) > 1:
            continue
        depth += (mark[0] in b"[{") - (mark[0] in b"]}")
        if depth == 0 or (depth == 1 and mark[0] == b","):
            parts.append(frame[start : mark.start()])
            start = mark.end()
        if depth == 0 or len(parts) > most:
            break
    return [] if depth or frame[start:].strip() else parts


def _one(ask: Ask[Any], text: bytes | msgspec.Raw) -> Answer | Unknown:
    if len(text) > _ANSWER_LIMIT:
        return Unknown(f"the answer to '{ask}' is too long")
    try:
        answer: Answer = _DECODERS[type(ask).answer].decode(text)
    except _FAULTS as error:
        return Unknown(f"the answer to '{ask}' is not understood: {error}")
    return answer


def ask_from(fields: Mapping[str, Any]) -> Ask[Any]:
    """A question from its saved form.

    Raises:
        ValueError: no such question.
    """
    kind = VOCABULARY.get(str(fields.get("ask")))
    if kind is None:
        raise ValueError(f"unknown question {fields.get('ask')!r}")
    rest = {key: value for key, value in fields.items() if key != "ask"}
    ask: Ask[Any] = msgspec.convert(rest, kind)
    return ask
