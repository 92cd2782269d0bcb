"""One round: a request's questions are answered beside each other, in the time they have."""

import collections
import contextlib
import json
import time

from .cleaning import clean
from .question import Question
from .settling import settle
from .threads import CHANGED, start
from .vocabulary import PROGRAMS, ROOM_WAITS, SLOW, answering

ANSWER_CAP, REPLY_CAP = 1 << 20, 8 << 20


def respond(request):
    """One round: each ask is answered by the deadline, or with what is known of it by then."""
    now, seconds = time.monotonic(), request["deadline"]
    start(settle, request["asks"])
    questions = []
    for ask in request["asks"]:
        # The work ends a little before the waiting, so that it can say how far it came.
        own = ask.get("seconds_limit") or seconds
        ask["end"] = now + min(own, seconds - min(0.25, seconds / 10))
        login = "" if ask.get("anonymous") else request.get("secrets", {}).get("proxy", "")
        ask["login"] = login
        questions.append(Question(ask, min(now + seconds, ask["end"] + 0.5)))
        if ask["ask"] == "Roots":
            questions[-1].work()
    prepare(questions)
    quick = collections.deque(each for each in questions if each.ask["ask"] not in SLOW)
    for question in sorted(questions, key=lambda each: each.ask["ask"] not in PROGRAMS):
        answering(question.ask["ask"])  # imported here: threads would wait for each other
        if question.ask["ask"] in SLOW:
            start(question.work)
    for _ in range(min(4, len(quick))):  # four, so that a dead network mount does not stop the rest
        start(drain, quick)
    with CHANGED:
        for question in questions:
            while not question.done and question.last > time.monotonic():
                CHANGED.wait(max(0.0, question.last - time.monotonic()))
        known = [question.snapshot() for question in questions]
    return encode(known)


def prepare(questions):
    """Have a room made if a question of this round is the first that needs one."""
    asks = [each.ask for each in questions]
    dials = any(each.get("context", "").startswith("container") for each in asks)
    ports = sorted({port for each in asks if each.get("published") for port in each["ports"]})
    if not dials and not ports:
        return
    from .room import ROOM

    if not ROOM.asked:
        ROOM.asked = True
        # What tells of this machine is answered first, as it is without the room.
        reads = [each for each in questions if each.ask["ask"] not in ROOM_WAITS]
        start(ROOM.furnish, ports, dials, reads)


def drain(quick):
    with contextlib.suppress(IndexError):
        while True:
            quick.popleft().work()


def encode(answers):
    parts, total = [], 0
    for answer in answers:
        try:
            part = json.dumps(clean(answer), allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:
            part = json.dumps({"error": "CRASH: " + type(error).__name__}).encode()
        if len(part) > ANSWER_CAP or total + len(part) > REPLY_CAP:
            part = b'{"error": "TOOBIG"}'
        total += len(part)
        parts.append(part)
    return b"[" + b",".join(parts) + b"]"
