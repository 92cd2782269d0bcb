"""The audit's own listener: it proves which machine was reached, and leaves nothing behind."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

import pytest

from sesam_audit.asks import Dial, DialAnswer, Listen, ListenAnswer, Listeners

from .test_probe import Conversation


@pytest.fixture
def asked() -> Iterator[Conversation]:
    with Conversation() as conversation:
        yield conversation


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def dialled(address: str, port: int) -> DialAnswer:
    with Conversation() as somebody:
        return somebody(Dial(address, port, tls=False, seconds_limit=3))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_it_answers_with_its_token_and_the_peer(asked: Conversation, address: str) -> None:
    port = free_port()
    heard: ListenAnswer = asked(Listen((port,)))
    headers = dialled(address, port).headers or {}

    assert heard.ports == {str(port): ""}
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{24}", heard.token)
    assert headers["x-sesam-audit"] == heard.token
    assert headers["x-sesam-peer"].removeprefix("::ffff:") == address


def test_the_token_is_another_one_every_time() -> None:
    tokens = set()
    for _ in range(2):
        with Conversation() as conversation:
            tokens.add(conversation(Listen((free_port(),))).token)

    assert len(tokens) == 2


def test_a_taken_port_is_left_alone(asked: Conversation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        heard: ListenAnswer = asked(Listen((port, free_port())))

    assert heard.ports is not None
    assert sorted(heard.ports.values()) == ["", "EADDRINUSE"]
    assert heard.ports[str(port)] == "EADDRINUSE"


def test_it_does_not_count_among_the_listeners_of_the_host(asked: Conversation) -> None:
    port = free_port()
    asked(Listen((port,)))

    assert asked(Listeners((port,))).listeners == ()


def test_it_ends_with_the_conversation() -> None:
    port = free_port()
    with Conversation() as conversation:
        conversation(Listen((port,)))

    assert dialled("127.0.0.1", port).error == "ECONNREFUSED"


def test_it_ends_by_itself(asked: Conversation) -> None:
    port = free_port()
    asked(Listen((port,), seconds_limit=0.5))
    time.sleep(1.8)

    assert dialled("127.0.0.1", port).error == "ECONNREFUSED"


def test_somebody_who_says_nothing_holds_nobody_up(asked: Conversation) -> None:
    port = free_port()
    heard = asked(Listen((port,)))
    with socket.create_connection(("127.0.0.1", port)):
        headers = dialled("127.0.0.1", port).headers or {}

    assert headers["x-sesam-audit"] == heard.token
