"""The control sample: who dials what in which round, and by whose roots it is judged."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Answer, Ask, Contact, ContactAnswer, Dial, EnvFile, EnvFileAnswer
from sesam_audit.destinations import destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts.control import HERE, SECONDS, Control
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.reach import Reach
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile
from sesam_audit.testing import NOW
from sesam_audit.wanted import ENV_FILE

from .machine import find
from .network import PUBLIC, good

SSH, LOCAL = ContactAnswer(scheme="ssh"), ContactAnswer(scheme="local")
ELSEWHERE = {EnvFile(ENV_FILE, KEYS): EnvFileAnswer(values={"FLUENTBIT_HOST": "logs.example.org"})}


def dials(
    contact: ContactAnswer, answers: dict[Any, Any] | None = None, **options: Any
) -> list[list[Dial]]:
    """What each round dials, Contact being answered without one."""
    known: dict[Ask[Any], Answer | Unknown] = {Contact(): contact, **(answers or {})}
    inquiry, rounds = Inquiry((Reach, Control), Profile(**options)), []
    for _ in range(3):
        inquiry.feed({Contact(): contact})
        asks = inquiry.pending
        rounds.append([ask for ask in asks if isinstance(ask, Dial)])
        inquiry.feed({ask: known.get(ask, ask.answer(error="ENOENT")) for ask in asks})
    assert not inquiry.pending
    return rounds


def test_the_auditor_dials_all_that_the_host_dials_and_at_the_same_time() -> None:
    first, *later = dials(SSH)

    host = [ask for ask in first if ask.vantage == "host"]
    auditor = [ask for ask in first if ask.vantage == "auditor"]
    given = {"vantage": "auditor", "context": "", "seconds_limit": SECONDS}
    assert auditor == [replace(ask, **given) for ask in host]
    assert len(auditor) == len(destinations(Profile()))
    assert later == [[], []]


def test_a_log_host_that_env_names_is_dialled_by_both_in_the_second_round() -> None:
    _, second, third = dials(SSH, ELSEWHERE)

    assert [(ask.name, ask.vantage) for ask in second] == [
        ("logs.example.org", "host"),
        ("logs.example.org", "auditor"),
    ]
    assert third == []


def test_the_auditor_takes_no_proxy() -> None:
    first, *_ = dials(SSH, proxy="proxy.example:3128")

    assert {ask.proxy for ask in first if ask.vantage == "auditor"} == {""}


def test_an_auditor_that_is_the_host_dials_nothing_twice() -> None:
    first, *_ = dials(LOCAL)

    assert {ask.vantage for ask in first} == {"host"}
    assert find(Control, {Contact(): LOCAL}).absent == HERE


@pytest.mark.parametrize("trusted", [True, False])
def test_the_auditors_own_store_has_no_say(trusted: bool) -> None:
    profile = Profile(public_roots=NamedFile("public.pem", PUBLIC.root.pem))
    answers: dict[Ask[Any], Answer | Unknown] = {Contact(): SSH}
    for each in destinations(profile):
        ask = Dial(each.name, each.port, path=each.path, accept=each.accept, vantage="auditor")
        answer = replace(good(each.name), trusted=trusted, trust_error="no words")
        answers[replace(ask, seconds_limit=SECONDS)] = answer

    assert find(Control, answers, profile).word("pypi.org:443", NOW) == "ok at 12:00:00Z"
