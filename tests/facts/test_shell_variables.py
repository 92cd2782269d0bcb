"""Variables that shells export, and compose prefers."""

from __future__ import annotations

from sesam_audit.asks import EnvFile, EnvFileAnswer, Names, NamesAnswer
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.shell_variables import _COMPOSE, ShellVariables

from .machine import find
from .sesam_host import VALUES, Answers

OWN = "/etc/profile.d/own.sh"
LISTED: Answers = {Names("/etc/profile.d"): NamesAnswer(names=("README", "own.sh"))}


def told(path: str, answer: EnvFileAnswer) -> Answers:
    return {EnvFile(path, (*KEYS, *_COMPOSE)): answer}


def overriding(*answers: Answers) -> list[str]:
    everything = {ask: answer for each in answers for ask, answer in each.items()}
    return list(find(ShellVariables, everything, rounds=2).overriding(VALUES))


def test_a_host_that_exports_nothing() -> None:
    assert overriding() == []
    assert overriding(LISTED, told(OWN, EnvFileAnswer(values={}))) == []


def test_another_value_is_named_by_file_and_variable_alone() -> None:
    values = {"NODE_DOMAIN": "wrong.example.org", "USER_ID": "1", "DNS_ADMIN": VALUES["DNS_ADMIN"]}
    (note,) = overriding(told("/etc/environment", EnvFileAnswer(values=values)))

    assert note.startswith("/etc/environment sets NODE_DOMAIN, USER_ID for shells")
    assert "wrong" not in note


def test_the_files_of_profile_d() -> None:
    answer = EnvFileAnswer(values={"COMPOSE_FILE": "/x.yml"}, doubtful=("NODE_DOMAIN",))
    (note,) = overriding(LISTED, told(OWN, answer))

    assert note.startswith(f"{OWN} sets COMPOSE_FILE, NODE_DOMAIN for shells")


def test_what_may_not_be_read_is_passed_over() -> None:
    assert overriding(told("/root/.bashrc", EnvFileAnswer(error="EACCES"))) == []
