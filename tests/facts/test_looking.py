"""Looking: what one vantage dials, and then each address of the name that is left."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import (
    Ask,
    Attempt,
    Contact,
    ContactAnswer,
    Dial,
    DialAnswer,
    Listen,
    ListenAnswer,
)
from sesam_audit.evidence import Answers, Evidence
from sesam_audit.facts.inbound import NAME, Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.seen import Seen
from sesam_audit.inquiry import MAX_ROUNDS, Inquiry
from sesam_audit.profile import Profile

NODE, TOKEN = "sesam.example.org", "5e5a"
FIRST, SECOND, THIRD = "192.0.2.1", "192.0.2.2", "192.0.2.3"
SSH = ContactAnswer(scheme="ssh", address=FIRST)


def answered(*attempts: tuple[str, str, float], known: tuple[str, ...] = ()) -> DialAnswer:
    """A dial that tried these addresses; `known` are all that the name has."""
    tried = tuple(Attempt(place, result, "198.51.100.9", took) for place, result, took in attempts)
    reached = attempts[-1][1] == "open"
    return DialAnswer(
        layer="done" if reached else "tcp",
        error=None if reached else tried[-1].result,
        addresses=known or tuple(each.address for each in tried),
        attempts=tried,
        status=200 if reached else 0,
        headers={"x-sesam-audit": TOKEN, "x-sesam-peer": "198.51.100.9"} if reached else {},
    )


def looked(named: DialAnswer, **more: DialAnswer) -> tuple[list[Dial], Outside]:
    """Everything dialled while the name answers so over IPv4, and its addresses by themselves."""
    inquiry = Inquiry((Outside,), Profile(node_domain=NODE))
    inquiry.feed({Contact(): SSH})
    found: list[Dial] = []
    for _ in range(MAX_ROUNDS):
        answers: Answers = {ask: _answer(ask, named, more) for ask in inquiry.pending}
        found += [ask for ask in answers if isinstance(ask, Dial)]
        inquiry.feed(answers)
    assert not inquiry.pending
    outside = inquiry.finish(Evidence("ssh://host", 0.0), "")[Outside]
    assert isinstance(outside, Outside)
    return found, outside


def _answer(ask: Ask[Any], named: DialAnswer, more: dict[str, DialAnswer]) -> Any:
    if isinstance(ask, Listen):
        return ListenAnswer(ports={"80": "", "443": ""}, token=TOKEN)
    if isinstance(ask, Dial) and ask.vantage == "auditor":
        if ask.address:
            return more.get(f"at_{ask.address.replace('.', '_')}", DialAnswer(error="ENOENT"))
        if ask.family == 4:
            return named
    return ask.answer(error="ENOENT")


def left(dials: list[Dial]) -> set[tuple[str, int]]:
    """What was dialled by itself, of the name's further addresses."""
    return {(x.address, x.port) for x in dials if x.address not in ("", FIRST, "127.0.0.1")}


def each(outside: Outside, port: int = 80) -> list[tuple[str, str]]:
    view: Inbound = outside.views[0]
    told = view.each(port, NAME)
    return [(x.address, x.kind) if isinstance(x, Seen) else ("", x.reason) for x in told]


def test_every_other_address_of_the_name_is_dialled_by_itself() -> None:
    named = answered((FIRST, "open", 0.01), known=(FIRST, SECOND, THIRD))
    dials, outside = looked(
        named,
        at_192_0_2_2=answered((SECOND, "open", 0.01)),
        at_192_0_2_3=answered((THIRD, "TIMEOUT", 4.0)),
    )

    assert left(dials) == {(SECOND, 80), (SECOND, 443), (THIRD, 80), (THIRD, 443)}
    assert all(dial.name == NODE for dial in dials if dial.address in (SECOND, THIRD))
    assert each(outside) == [(FIRST, "token"), (SECOND, "token"), (THIRD, "silent")]


@pytest.mark.parametrize(
    ("result", "kind"),
    [("TIMEOUT", "silent"), ("ECONNREFUSED", "refused"), ("EHOSTUNREACH", "no-route")],
)
def test_what_was_tried_in_vain_before_counts(result: str, kind: str) -> None:
    dials, outside = looked(answered((FIRST, result, 2.0), (SECOND, "open", 0.01)))

    assert left(dials) == set()
    assert each(outside) == [(SECOND, "token"), (FIRST, kind)]


def test_what_was_tried_too_short_is_tried_again() -> None:
    named = answered((SECOND, "TIMEOUT", 0.4), (FIRST, "open", 0.01))
    dials, outside = looked(named, at_192_0_2_2=answered((SECOND, "open", 0.9)))

    assert left(dials) == {(SECOND, 80), (SECOND, 443)}
    assert each(outside) == [(FIRST, "token"), (SECOND, "token")]


def test_a_name_with_one_address_costs_no_round_more() -> None:
    dials, _ = looked(answered((FIRST, "open", 0.01)))

    assert left(dials) == set()


def test_of_too_many_addresses_the_rest_is_said() -> None:
    known = tuple(f"192.0.2.{number}" for number in range(1, 15))
    dials, outside = looked(answered((FIRST, "open", 0.01), known=known))

    assert len({address for address, _ in left(dials)}) == 8
    assert each(outside)[-1][1].startswith(f"{NODE} has more addresses than are dialled")


def test_the_host_dials_its_own_name_while_it_listens() -> None:
    dials, outside = looked(answered((FIRST, "open", 0.01)))

    (back,) = [x for x in dials if x.vantage == "host"]
    assert (back.name, back.port, back.address, back.tls) == (NODE, 443, "", False)
    assert outside.hairpin is not None
