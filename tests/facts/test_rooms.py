"""The containers' dials: who is dialled from which network, in which round, and why not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    Dial,
    DialAnswer,
    DockerConfig,
    DockerConfigAnswer,
    EnvFile,
    EnvFileAnswer,
    File,
    FileAnswer,
    Roots,
    RootsAnswer,
    Self,
    SelfAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.errors import Lack, Unknown
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.docker_login import ROOT_CONFIG
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import Rooms, where
from sesam_audit.facts.scene import Dialled
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW
from sesam_audit.wanted import ENV_FILE

from .machine import find
from .network import chain, good, stopped

PORTAL = Dial("portal.sesam.io", context="container sesam")
SUBJECT = "portal.sesam.io:443"
ELSEWHERE = {EnvFile(ENV_FILE, KEYS): EnvFileAnswer(values={"FLUENTBIT_HOST": "logs.example.org"})}


def asked(answers: dict[Any, Any] | None = None, **options: Any) -> list[list[Any]]:
    """What each round dials from containers, beside the host's own dials."""
    inquiry, rounds = Inquiry((Reach, Rooms), Profile(**options)), []
    for _ in range(3):
        asks = inquiry.pending
        rounds.append([ask for ask in asks if isinstance(ask, (Dial, Roots))])
        inquiry.feed({x: (answers or {}).get(x, x.answer(error="ENOENT")) for x in asks})
    assert not inquiry.pending
    return rounds


def contexts(asks: list[Any]) -> dict[str, str]:
    inside = (ask for ask in asks if isinstance(ask, Dial) and "container" in ask.context)
    return {ask.name: ask.context for ask in inside}


def told(answer: DialAnswer | Unknown) -> Rooms:
    answers: dict[Ask[Any], Answer | Unknown] = {PORTAL: answer}
    return find(Rooms, answers)


def test_each_name_is_dialled_from_where_its_program_will_be_in_the_hosts_round() -> None:
    first, *later = asked()

    assert contexts(first) == {
        "registry-1.docker.io": "container default",
        "auth.docker.io": "container default",
        "acme-v02.api.letsencrypt.org": "container sesam",
        "acme-staging-v02.api.letsencrypt.org": "container sesam",
        "portal.sesam.io": "container sesam",
        "ss-companyhub.sesam.cloud": "container default",
    }
    assert later == [[], []]
    inside = {replace(ask, context="") for ask in first if "container" in ask.context}
    assert inside <= {replace(ask, context="") for ask in first if "container" not in ask.context}


def test_what_the_profile_adds_is_dialled_by_microservices() -> None:
    first, *_ = asked(extra_destinations=("db.example.org:8443",))

    assert contexts(first)["db.example.org"] == "container sesam"


def test_the_proxy_is_on_the_way() -> None:
    first, *_ = asked(proxy="proxy.example:3128")

    inside = {ask.proxy for ask in first if "container" in ask.context}
    assert inside == {"proxy.example:3128"}


PROXIED = Profile(proxy="proxy.example:3128")
CONFIG = "/home/sesam/.docker/config.json"


def client(**proxies: str) -> dict[Any, Any]:
    """Answers of a host whose updater's client hands these proxies to containers."""
    plain = StatAnswer(kind="file", mode=0o600)
    absent = {DockerConfig(ROOT_CONFIG): DockerConfigAnswer(error="ENOENT")}
    return {
        **absent,
        Stat(ROOT_CONFIG): StatAnswer(error="ENOENT"),
        DockerConfig(CONFIG): DockerConfigAnswer(proxies=proxies),
        Stat(CONFIG): plain,
    }


def dialled_again(profile: Profile, answers: dict[Any, Any]) -> list[Dial]:
    """What containers dial after the first round."""
    inquiry, rounds = Inquiry((Rooms,), profile), []
    for _ in range(4):
        asks = inquiry.pending
        rounds.append([x for x in asks if isinstance(x, Dial)])
        inquiry.feed({x: answers.get(x, x.answer(error="ENOENT")) for x in asks})
    return [x for later in rounds[1:] for x in later]


def test_containers_that_are_given_no_proxy_go_straight() -> None:
    answers = client()
    again = dialled_again(PROXIED, answers)

    assert {x.proxy for x in again} == {""}
    assert {x.name for x in again} >= {"registry-1.docker.io", "portal.sesam.io"}
    answers |= {x: stopped("tcp", "TIMEOUT", "192.0.2.7") for x in again}
    scene = find(Rooms, answers, PROXIED).reach.scene(SUBJECT, NOW)
    assert (scene.proxy, scene.answer.proxy_from) == (
        "",
        "neither the stack nor a client's file sets one",
    )


def test_containers_that_are_given_the_profiles_proxy_are_dialled_once() -> None:
    answers = client(httpsProxy="http://proxy.example:3128", noProxy="localhost")

    assert dialled_again(PROXIED, answers) == []
    answers[replace(PORTAL, proxy="proxy.example:3128")] = good("portal.sesam.io")
    scene = find(Rooms, answers, PROXIED).reach.scene(SUBJECT, NOW)
    assert (scene.proxy, scene.answer.proxy_from) == ("proxy.example:3128", f"proxies of {CONFIG}")


def test_containers_that_are_given_another_proxy_go_by_it_without_the_profiles_login() -> None:
    answers = client(httpsProxy="http://other.example:8080", noProxy=".docker.io")

    again = {x.name: x for x in dialled_again(PROXIED, answers)}

    assert again["portal.sesam.io"] == replace(PORTAL, proxy="other.example:8080", anonymous=True)
    assert again["registry-1.docker.io"].proxy == ""


def test_a_proxy_that_only_containers_have_is_theirs() -> None:
    answers = client(httpsProxy="http://other.example:8080")
    again = replace(PORTAL, proxy="other.example:8080", anonymous=True)
    answers[again] = DialAnswer(
        layer="proxy", error="HTTP", proxy_status=407, context=again.context
    )

    verdict = find(Rooms, answers).dialled(SUBJECT, NOW)

    assert isinstance(verdict, Unknown)
    assert f"whether the URL in proxies of {CONFIG} has one is not shown" in verdict.reason


def test_a_proxy_by_another_scheme_is_not_tried() -> None:
    answers = client(httpsProxy="socks5://other.example:1080")

    verdict = find(Rooms, answers).dialled(SUBJECT, NOW)

    assert isinstance(verdict, Unknown)
    assert "no http:// URL" in verdict.reason


def test_without_roots_rights_the_profiles_proxy_is_taken_for_theirs() -> None:
    answers = client() | {
        each: each.answer(error="EACCES") for each in (DockerConfig(CONFIG), Stat(CONFIG))
    }

    assert dialled_again(PROXIED, answers) == []


def test_passive_dials_from_the_host_alone() -> None:
    assert not contexts(asked(passive=True)[0])
    assert str(find(Rooms, {}, Profile(passive=True)).dialled(SUBJECT, NOW)) == (
        "not tried from a container: --passive makes no container"
    )


def test_a_log_host_of_env_is_dialled_in_the_second_round() -> None:
    answers: dict[Any, Any] = {**ELSEWHERE, PORTAL: good("portal.sesam.io")}

    _, second, _ = asked(answers)

    assert contexts(second) == {"logs.example.org": "container default"}


def test_a_log_host_that_is_no_name_is_unknown() -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {
        EnvFile(ENV_FILE, KEYS): EnvFileAnswer(values={"FLUENTBIT_HOST": "x; reboot"})
    }

    verdict = find(Rooms, answers).dialled("log shipping", NOW)

    assert isinstance(verdict, Unknown)
    assert "no host name" in verdict.reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (DialAnswer(error="NOROOM", detail="needs root: entering it"), "needs root: entering it"),
        (DialAnswer(error="UNSUPPORTED"), "the target has no Python 3.6 or later"),
        (Unknown("the connection broke"), "the connection broke"),
    ],
)
def test_why_there_is_no_container(answer: DialAnswer | Unknown, reason: str) -> None:
    rooms = told(answer)

    assert rooms.absent == reason
    assert str(rooms.dialled(SUBJECT, NOW)) == f"not tried from a container: {reason}"


@pytest.mark.parametrize(("uid", "lacks"), [(1000, Lack.ROOT), (0, None)])
def test_root_would_have_a_container(uid: int, lacks: Lack | None) -> None:
    nobody = DialAnswer(error="NOROOM", detail="no container")
    verdict = find(Rooms, {PORTAL: nobody, Self(): SelfAnswer(uid=uid)}).dialled(SUBJECT, NOW)

    assert isinstance(verdict, Unknown)
    assert verdict.lacks is lacks


def test_one_dial_without_an_answer_spoils_no_other() -> None:
    rooms = told(stopped("tcp", "TIMEOUT", "192.0.2.7"))

    verdict = rooms.dialled(SUBJECT, NOW)
    assert isinstance(verdict, Dialled)
    assert verdict.word == "tcp-timeout"
    assert rooms.absent == ""


def test_what_no_container_will_dial_is_none() -> None:
    assert told(good("portal.sesam.io")).dialled("pypi.org:443", NOW) is None


def test_roots_go_to_a_python_that_hides_the_chain_and_only_add_their_word() -> None:
    leaf = good("portal.sesam.io", chain=chain("portal.sesam.io")[:1], whole_chain=False)
    answers: dict[Any, Any] = {PORTAL: leaf}

    _, second, _ = asked(answers)
    assert [type(ask) for ask in second] == [Roots, Dial]
    assert second[1] == replace(PORTAL, public=True)

    answers |= {second[1]: replace(leaf, public=True, status=500)}
    answers |= {second[0]: RootsAnswer(count=1)}
    verdict = find(Rooms, answers).dialled(SUBJECT, NOW)
    assert isinstance(verdict, Dialled)
    assert verdict.ok


def test_the_containers_resolver_is_named() -> None:
    answer = replace(stopped("dns", "SERVFAIL"), context="container default")

    verdict = told(answer).dialled(SUBJECT, NOW)

    assert str(verdict) == (
        "dns-fails: the container's resolver could not answer for portal.sesam.io"
    )


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("", "the host's network path"),
        ("container sesam", "a container on Docker's network sesam"),
        ("container default", "a container on a network like the project's own"),
    ],
)
def test_the_path_is_told_in_words(context: str, words: str) -> None:
    assert where(good("pypi.org", context=context)) == words


DEAD_FIRST = FileAnswer(text="nameserver 10.255.255.1\nnameserver 192.0.2.53\n")
SILENT = replace(stopped("dns", "TIMEOUT"), context="container sesam", seconds=7.0)


@pytest.mark.parametrize(("seconds", "told"), [(5.2, Unknown), (0.4, Dialled)])
def test_silence_in_containers_alone_is_a_fault_where_the_first_name_server_answers_the_host(
    seconds: float, told: type
) -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {
        File("/etc/resolv.conf"): DEAD_FIRST,
        PORTAL: SILENT,
        replace(PORTAL, context=""): good("portal.sesam.io", seconds=seconds),
    }

    verdict = find(Rooms, answers).dialled(SUBJECT, NOW)
    assert isinstance(verdict, told)
    assert not isinstance(verdict, Dialled) or verdict.word == "dns-fails"
