"""SesamAddresses: where the portal and the log host lead."""

from __future__ import annotations

from typing import Any

from sesam_audit.asks import Answer, Ask, EnvFile, EnvFileAnswer, Lookup, LookupAnswer
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.sesam_addresses import SesamAddresses
from sesam_audit.wanted import ENV_FILE

from .machine import find

ENV = EnvFile(ENV_FILE, KEYS)
SHIPPED = "ss-companyhub.sesam.cloud"


def addresses(records: dict[str, LookupAnswer], env: EnvFileAnswer | None = None) -> SesamAddresses:
    """The fact where names have these IPv4 answers and no IPv6."""
    answers: dict[Ask[Any], Answer] = {ENV: env or EnvFileAnswer(values={})}
    for name, answer in records.items():
        answers[Lookup(name, "A")] = answer
        answers[Lookup(name, "AAAA")] = LookupAnswer(error=answer.error)
    return find(SesamAddresses, answers)


def test_covered_names() -> None:
    found = addresses(
        {
            "portal.sesam.io": LookupAnswer(records=("137.116.234.60",)),
            SHIPPED: LookupAnswer(records=("52.142.116.113",)),
        }
    )

    assert found.beyond() == {}
    assert found.silent == ()


def test_names_that_lead_elsewhere() -> None:
    found = addresses(
        {
            "portal.sesam.io": LookupAnswer(records=("20.1.2.3",)),
            SHIPPED: LookupAnswer(records=("52.142.116.113", "20.1.2.4")),
        }
    )

    assert found.beyond() == {"portal.sesam.io": ("20.1.2.3",), SHIPPED: ("20.1.2.4",)}


def test_log_host_of_env_is_asked_for() -> None:
    env = EnvFileAnswer(values={"FLUENTBIT_HOST": "logs.sesam.cloud"})
    found = addresses({"logs.sesam.cloud": LookupAnswer(records=("20.1.2.4",))}, env)

    assert "logs.sesam.cloud" in found.beyond()
    assert SHIPPED not in found.addresses


def test_unreadable_env_leaves_the_shipped_name() -> None:
    assert SHIPPED in addresses({}, EnvFileAnswer(error="EACCES")).addresses


def test_names_without_an_answer_are_told_with_the_resolvers_word() -> None:
    found = addresses({"portal.sesam.io": LookupAnswer(error="SERVFAIL")})

    assert found.silent[0] == "portal.sesam.io (SERVFAIL)"
