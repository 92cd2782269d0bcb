"""Caa: whose records count, and whom they allow."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, Lookup, LookupAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.caa import Caa
from sesam_audit.profile import Profile

from .machine import find

PROFILE = Profile(node_domain="node.sesam.example.org")
LE = "letsencrypt.org"


def caa(**records: LookupAnswer | Unknown) -> Caa:
    """Records by the first label of the name that holds them."""
    answers: dict[Ask[Any], Answer | Unknown] = {}
    for name in ("node.sesam.example.org", "sesam.example.org", "example.org", "org"):
        answers[Lookup(name, "CAA", "auditor")] = records.get(name.split(".")[0], LookupAnswer())
    return find(Caa, answers, PROFILE)


def held(*records: str) -> LookupAnswer:
    return LookupAnswer(records=records)


def test_no_records_allow_everybody() -> None:
    found = caa()

    assert found.holder == ""
    assert found.allows(LE)


def test_names_that_do_not_exist_hold_no_records() -> None:
    assert caa(node=LookupAnswer(error="NXDOMAIN")).allows(LE)


def test_nearest_name_counts() -> None:
    found = caa(sesam=held('0 issue "letsencrypt.org"'), example=held('0 issue "digicert.com"'))

    assert found.holder == "sesam.example.org"
    assert found.allows(LE)


@pytest.mark.parametrize(
    ("records", "allowed"),
    [
        (('0 issue "letsencrypt.org"',), True),
        (("0 issue letsencrypt.org",), True),
        (('0 issue "LetsEncrypt.org"',), True),
        (('0 issue "digicert.com"', '0 issue "letsencrypt.org"'), True),
        (('0 issue "letsencrypt.org; validationmethods=http-01,dns-01"',), True),
        (('0 issue "letsencrypt.org;validationmethods=dns-01"',), False),
        (('0 issue "letsencrypt.org; validationmethods = dns-01"',), False),
        (('0 issue "letsencrypt.org; validationmethods = http-01"',), True),
        (('0 issue "letsencrypt.org; validationmethods=tls-alpn-01,http-01"',), True),
        (('0 issue "letsencrypt.org; validationmethods=http_01"',), False),
        (('0 issue "letsencrypt.org; validationmethods="',), False),
        (
            ('0 issue "letsencrypt.org; accounturi=https://acme/1; validationmethods=dns-01"',),
            False,
        ),
        (('0 issue "letsencrypt.org; accounturi=https://acme/1"',), True),
        (('0 issue "letsencrypt.org;"',), True),
        (('0 issue " letsencrypt.org "',), True),
        (('0 issue "letsencrypt.org; no parameter"',), False),
        (('0 issue "letsencrypt.org http-01"',), False),
        (('0 issue "%%%%%"',), False),
        (('0 issue "digicert.com"',), False),
        (('0 issue ";"', '0 issue "letsencrypt.org"'), True),
        (('0 ISSUE "digicert.com"',), False),
        (('128 issue "letsencrypt.org"',), True),
        (('128 issuewild ";"', '128 iodef "mailto:x@example.org"', '128 issuemail ";"'), True),
        (('0 issue "letsencrypt.org"', '128 future "x"'), False),
        (('0 issue "letsencrypt.org"', '1 future "x"'), False),  # as Boulder reads it
        (('128 contactemail "x@example.org"',), False),  # which Boulder does not know
        (('0 contactemail "x@example.org"',), True),
        (('0 issue ";"',), False),
        (('0 issue ""',), False),
        (('0 issuewild "digicert.com"',), True),
        (('0 iodef "mailto:x@example.org"',), True),
        (('128 future "x"',), False),
        (('0 future "x"',), True),
        (("nonsense",), True),
    ],
)
def test_who_may_issue(records: tuple[str, ...], allowed: bool) -> None:
    assert caa(sesam=held(*records)).allows(LE) is allowed


@pytest.mark.parametrize("error", ["SERVFAIL", "TIMEOUT", "REFUSED", "NOSERVER"])
def test_unanswered_is_unknown(error: str) -> None:
    with pytest.raises(Unknown):
        caa(sesam=LookupAnswer(error=error))


def test_unanswered_above_the_holder_does_not_matter() -> None:
    found = caa(sesam=held('0 issue "letsencrypt.org"'), org=LookupAnswer(error="SERVFAIL"))

    assert found.allows(LE)
