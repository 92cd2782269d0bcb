"""How long silence must last, by whom the host asks and whom its daemon is told to ask."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, DialAnswer, File, FileAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.daemon_settings import DAEMON_JSON
from sesam_audit.facts.name_servers import BEHIND_STUB, SETTINGS, NameServers

from .machine import find

DEAD_FIRST = "nameserver 10.255.255.1\nnameserver 192.0.2.53\n"
STUB = "# by systemd-resolved\nnameserver 127.0.0.53\noptions edns0\n"


def told(own: str | None, behind: str | None = None, daemon: str | None = None) -> NameServers:
    texts = {SETTINGS: own, BEHIND_STUB: behind, DAEMON_JSON: daemon}
    answers: dict[Ask[Any], Answer | Unknown] = {
        File(path): FileAnswer(error="ENOENT") if text is None else FileAnswer(text=text)
        for path, text in texts.items()
    }
    return find(NameServers, answers)


@pytest.mark.parametrize(
    ("servers", "by_host", "by_docker"),
    [
        (told("nameserver 192.0.2.53\n"), 1.5, 1.5),
        (told(DEAD_FIRST), 6.5, 5.0),
        (told(DEAD_FIRST + "nameserver fe80::1%eth0\n"), 11.5, 5.0),
        (told(DEAD_FIRST * 3), 11.5, 5.0),  # a C library takes three
        (told(STUB), 1.5, 5.0),  # Docker then asks two that are public
        (told(STUB, DEAD_FIRST), 6.5, 5.0),
        (told(DEAD_FIRST, daemon='{"dns": ["192.0.2.53"]}'), 6.5, 1.5),
        (told("nameserver 192.0.2.53\n", daemon='{"dns": ["10.255.255.1", "192.0.2.53"]}'), 1.5, 5),
        (told("nameserver 192.0.2.53\n", daemon='{"dns": "192.0.2.53"}'), 1.5, 1.5),
        (told("# nameserver 192.0.2.53\nnameserver nonsense\n"), 1.5, 5.0),
        (told(None), 1.5, 1.5),
    ],
)
def test_each_name_server_that_may_be_silent_costs_its_time(
    servers: NameServers, by_host: float, by_docker: float
) -> None:
    assert (servers.by_host, servers.by_docker(())) == (by_host, by_docker)


QUICK = DialAnswer(layer="done", seconds=0.3)


@pytest.mark.parametrize(
    ("servers", "answer", "seconds"),
    [
        (told(DEAD_FIRST), QUICK, 1.5),
        (told(DEAD_FIRST), DialAnswer(layer="tcp", error="ECONNREFUSED", seconds=0.3), 1.5),
        (told(DEAD_FIRST), DialAnswer(layer="done", seconds=5.2), 5.0),
        (told(DEAD_FIRST), DialAnswer(layer="dns", error="SERVFAIL", seconds=0.3), 5.0),
        (told(DEAD_FIRST), DialAnswer(layer="done", seconds=0.3, proxy="proxy.example:1"), 5.0),
        (told(DEAD_FIRST), Unknown("the host broke off"), 5.0),
        (told(f"{DEAD_FIRST}options timeout:1\n"), QUICK, 5.0),
        (told(f"{DEAD_FIRST}options ndots:1 rotate\n"), QUICK, 5.0),
        (told(STUB, DEAD_FIRST), QUICK, 5.0),  # resolved remembers which is silent
        (told(DEAD_FIRST, daemon='{"dns": ["10.255.255.1", "192.0.2.53"]}'), QUICK, 5.0),
    ],
)
def test_a_first_name_server_that_answers_the_host_need_not_be_waited_for_in_containers(
    servers: NameServers, answer: DialAnswer | Unknown, seconds: float
) -> None:
    assert servers.by_docker([answer]) == seconds


def test_one_question_that_took_longer_tells_of_a_silent_name_server() -> None:
    slow = DialAnswer(layer="done", seconds=5.2)  # the others were lucky, or met a refusal

    assert told(DEAD_FIRST).by_docker([QUICK, slow, QUICK]) == 5.0
