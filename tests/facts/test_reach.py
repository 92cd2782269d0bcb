"""Reach: what is dialled in which round, and what the answers say together."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    Compose,
    Dial,
    DialAnswer,
    EnvFile,
    EnvFileAnswer,
    File,
    FileAnswer,
    Roots,
    RootsAnswer,
)
from sesam_audit.destinations import destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.stack import ENVIRONMENT
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW
from sesam_audit.wanted import ENV_FILE, POINT

from .machine import files, find
from .network import DAY, chain, good, perfect, tls

ENV = EnvFile(ENV_FILE, KEYS)
SHIPPED = "ss-companyhub.sesam.cloud"


def asked(profile: Profile, answers: dict[Ask[Any], Answer | Unknown] | None = None) -> list[Any]:
    """What each round asks."""
    inquiry, rounds = Inquiry((Reach,), profile), []
    for _ in range(4):
        if inquiry.pending:
            rounds.append(inquiry.pending)
            feed = {x: (answers or {}).get(x, x.answer(error="ENOENT")) for x in inquiry.pending}
            inquiry.feed(feed)
    return rounds


def names(asks: tuple[Ask[Any], ...]) -> list[str]:
    return [ask.name for ask in asks if isinstance(ask, Dial)]


def env(**values: str) -> dict[Ask[Any], Answer | Unknown]:
    return {ENV: EnvFileAnswer(values=values)}


def test_everything_is_dialled_in_one_round() -> None:
    (asks,) = asked(Profile(), env(FLUENTBIT_HOST=SHIPPED))

    assert len(names(asks)) == 13
    assert {SHIPPED, "registry-1.docker.io", "pypi.org"} <= set(names(asks))


def test_letsencrypt_is_not_dialled_with_own_certificates() -> None:
    (asks,) = asked(Profile(certificates="provided"))

    assert not any("letsencrypt" in name for name in names(asks))


def test_addresses_replace_the_log_host() -> None:
    profile = Profile(sesam_destinations="ips")
    first, second = asked(profile, env(FLUENTBIT_HOST="logs.example.org"))

    assert {"137.116.234.60", "portal.sesam.io"} <= set(names(first))
    by_address = [x for asks in (first, second) for x in asks if isinstance(x, Dial) and x.address]
    assert [(x.name, x.address) for x in by_address] == [
        (SHIPPED, "52.142.116.113"),
        ("logs.example.org", "52.142.116.113"),
    ]


def test_a_log_host_of_env_is_dialled_in_the_second_round() -> None:
    first, second = asked(Profile(), env(FLUENTBIT_HOST="logs.example.org"))

    assert SHIPPED in names(first)
    assert names(second) == ["logs.example.org"]


def test_the_proxy_is_on_the_way_to_everything() -> None:
    (asks,) = asked(Profile(proxy="http://proxy.example:8080"))

    dials = [x for x in asks if isinstance(x, Dial)]
    by_proxy = {x.name for x in dials if x.proxy == "proxy.example:8080"}
    assert by_proxy == {each.name for each in destinations(Profile())}
    assert {x.context for x in dials if not x.proxy} == {"daemon", "shell"}


@pytest.mark.parametrize("proxied", [False, True])
def test_each_takes_the_way_of_who_will_connect(proxied: bool) -> None:
    (asks,) = asked(Profile(proxy="proxy.example:8080") if proxied else Profile())

    ways = {x.name: x.context for x in asks if isinstance(x, Dial) and (x.context or not proxied)}
    ways.setdefault("portal.sesam.io", "")
    assert (ways["registry-1.docker.io"], ways["pypi.org"]) == ("daemon", "shell")
    assert ways["portal.sesam.io"] == ""


def test_the_daemons_own_proxy_is_the_one_it_is_judged_by() -> None:
    subject = "registry-1.docker.io:443"
    needs = DialAnswer(
        layer="proxy", error="HTTP", proxy_status=407, context="daemon", proxy="10.0.0.1:3128"
    )
    reach = perfect(Profile(proxy="proxy.example:8080"))
    reached = {**reach.reached, subject: Reached(reach.reached[subject].destination, needs)}
    theirs = replace(reach, reached=reached, proxied={subject: reach.reached[subject]})

    assert theirs.dialled(subject, NOW).text == "the proxy 10.0.0.1:3128 demands a login"
    assert theirs.through_proxy(subject, NOW) is None
    assert not theirs.left_to_proxy(subject, NOW)


def test_extra_destinations_are_dialled() -> None:
    own = ("https://registry.example.org:5000", "web.example.org")
    extras = ("db.example.org:8443", *own, "plain.example.org:80")
    profile = Profile(extra_destinations=extras, proxy="proxy.example:8080")
    (asks,) = asked(profile)
    extra = [x for x in asks if isinstance(x, Dial) and x.name.endswith("example.org")]

    assert {x.name: x.proxy for x in extra}["db.example.org"] == ""
    assert [(x.name, x.port, x.tls) for x in extra] == [
        ("db.example.org", 8443, False),
        ("registry.example.org", 5000, True),
        ("web.example.org", 443, True),
        ("plain.example.org", 80, False),
    ]


def test_roots_go_to_a_python_that_hides_the_chain_before_the_dials() -> None:
    first = Dial("portal.sesam.io")
    answer = replace(good("portal.sesam.io"), chain=chain("portal.sesam.io")[:1], whole_chain=False)
    _, second = asked(Profile(), {first: answer, **env(FLUENTBIT_HOST=SHIPPED)})

    assert isinstance(second[0], Roots)
    assert second[1:] == (replace(first, public=True),)


def test_the_second_answer_only_adds_what_public_roots_say() -> None:
    first = Dial("portal.sesam.io")
    answer = replace(good("portal.sesam.io"), chain=chain("portal.sesam.io")[:1], whole_chain=False)
    roots = next(x for x in asked(Profile(), {first: answer})[1] if isinstance(x, Roots))
    answers: dict[Ask[Any], Answer | Unknown] = {
        first: answer,
        roots: RootsAnswer(count=1),
        replace(first, public=True): replace(answer, public=True, status=500),
    }

    reach = find(Reach, answers)

    assert reach.dialled("portal.sesam.io:443", NOW).ok


def test_a_log_host_that_is_no_name_is_not_dialled() -> None:
    reach = find(Reach, env(FLUENTBIT_HOST="x; reboot"))

    with pytest.raises(Unknown, match="no host name"):
        reach.dialled("log shipping", NOW)


def test_unreadable_env_leaves_the_shipped_log_host() -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {
        ENV: EnvFileAnswer(error="EACCES"),
        Compose(POINT, ENVIRONMENT): Unknown("needs root"),
        Dial(SHIPPED): good("log shipping"),
    }

    reach = find(Reach, answers)

    assert isinstance(reach.log_host, Unknown)
    assert reach.reached["log shipping"].destination.name == SHIPPED


def dated(name: str, ahead: float, **changes: Any) -> DialAnswer:
    """An answer whose target's clock is some seconds ahead of the service's Date."""
    answer = good(name, **changes)
    headers = {**(answer.headers or {}), "date": format_datetime(NOW, usegmt=True)}
    return replace(answer, headers=headers, time=NOW.timestamp() + ahead)


def test_offsets_of_authentic_services() -> None:
    reach = perfect(
        changes={
            "pypi.org:443": dated("pypi.org", 90),
            "portal.sesam.io:443": dated("portal.sesam.io", 91, trusted=False),
        }
    )

    assert reach.offsets() == {"portal.sesam.io": 91.0, "pypi.org": 90.0}


@pytest.mark.parametrize(
    "answer",
    [
        dated("pypi.org", 90, chain=chain("pypi.org", "Example Corp Inspection")),
        dated("pypi.org", 90, status=503),
        replace(dated("pypi.org", 90), headers={"date": "yesterday"}),
        dated("pypi.org", 90, layer="tls", chain=()),
        replace(
            dated("pypi.org", 90),
            headers={**(dated("pypi.org", 90).headers or {}), "age": "300"},
        ),
    ],
)
def test_offsets_of_strangers_do_not_count(answer: DialAnswer) -> None:
    assert perfect(changes={"pypi.org:443": answer}).offsets() == {}


def test_a_clock_years_off_is_still_measured() -> None:
    years = 3000 * DAY.total_seconds()
    answer = dated("pypi.org", years, trusted=False, trust_error="certificate has expired")

    assert perfect(changes={"pypi.org:443": answer}).offsets() == {"pypi.org": years}


def test_a_dial_that_had_no_time_left_proves_nothing() -> None:
    rushed = DialAnswer(error="TIMEOUT", layer="tcp", addresses=("198.51.100.7",), seconds=1.0)

    with pytest.raises(Unknown, match=r"only 1\.0 s were left"):
        perfect(changes={"pypi.org:443": rushed}).dialled("pypi.org:443", NOW)


def test_one_address_for_two_rules_is_shared_but_not_within_a_rule() -> None:
    answers = {
        "pypi.org:443": tls("pypi.org", addresses=("198.51.100.9",)),
        "pypi.python.org:443": tls("pypi.python.org", addresses=("198.51.100.9", "198.51.100.8")),
        "portal.sesam.io:443": tls("portal.sesam.io", addresses=("198.51.100.8",)),
    }

    shared = perfect(changes=answers).scene("pypi.org:443", NOW).shared

    assert "198.51.100.8" in shared
    assert "198.51.100.9" not in shared


def test_names_that_the_host_pins() -> None:
    hosts = "127.0.0.1 localhost\n\n192.0.2.9  pypi.org Files.PythonHosted.org # old mirror\n"
    reach = find(
        Reach, files({"/etc/hosts": f"{hosts}192.0.2.10 pypi.org\n# 1.2.3.4 a.b\nalone\n"})
    )

    assert reach.pinned == {
        "localhost": ("127.0.0.1",),
        "pypi.org": ("192.0.2.9", "192.0.2.10"),
        "files.pythonhosted.org": ("192.0.2.9",),
    }


def test_a_hosts_file_that_cannot_be_read_pins_nothing() -> None:
    assert find(Reach, {File("/etc/hosts"): FileAnswer(error="EACCES")}).pinned == {}
