"""Machines that look from outside, by this one: who asks gets the answers to his own questions."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sesam_audit import host, vantages
from sesam_audit.asks import Ask, Dial, DialAnswer
from sesam_audit.channel import _descendants
from sesam_audit.decoding import request
from sesam_audit.errors import Lack, Unknown
from sesam_audit.host import Script, Way
from sesam_audit.vantages import Vantages

HERE = "local://"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Who: %d\r\n\r\n"


class Server:
    """Answers everybody once as many as awaited are there, and says by which port."""

    def __init__(self, together: int = 1) -> None:
        self._together = threading.Barrier(together)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def join(self) -> None:
        """Be the one who is missing."""
        with socket.create_connection(("127.0.0.1", self.port)) as link:
            link.recv(1)

    def _serve(self) -> None:
        while True:
            link, _ = self._socket.accept()
            threading.Thread(target=self._answer, args=(link,), daemon=True).start()

    def _answer(self, link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            self._together.wait(10)
            link.sendall(HELLO % self.port)
            link.recv(1000)


def dial(port: int) -> Dial:
    return Dial("127.0.0.1", port, "/", tls=False, vantage=HERE)


def spelt(asks: Sequence[Ask[Any]]) -> tuple[bytes, Script, float]:
    return request(asks, 3, {}, 3), lambda _: "", 3


def ask(here: Vantages, port: int) -> str:
    """Who answered there, or the reason why that is not known."""
    (answer,) = here.ask(HERE, [dial(port)], spelt).values()
    if isinstance(answer, Unknown):
        return answer.reason
    assert isinstance(answer, DialAnswer)
    return (answer.headers or {}).get("x-who", answer.error or "")


@pytest.fixture
def here() -> Iterator[Vantages]:
    here = Vantages([HERE], Way())
    yield here
    here.close()


def test_hosts_are_looked_at_side_by_side(here: Vantages) -> None:
    server, found = Server(together=3), list[str]()
    asking = [
        threading.Thread(target=lambda: found.append(ask(here, server.port))) for _ in range(3)
    ]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert found == [str(server.port)] * 3


def test_a_late_answer_is_not_taken_for_that_to_the_next_question(
    here: Vantages, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Server(), Server()
    assert ask(here, one.port) == str(one.port)
    (resting,) = here._lines[HERE]._idle
    monkeypatch.setattr(host, "_GRACE", -2.5)
    for pid in _descendants(resting._channel._process.pid):
        os.kill(pid, signal.SIGSTOP)
    assert "no answer in time" in ask(here, one.port)
    monkeypatch.undo()
    assert ask(here, other.port) == str(other.port)


def test_a_long_conversation_is_given_the_time_of_each_round(here: Vantages) -> None:
    quick, slow = Server(), Server(together=2)
    ask(here, quick.port)
    (resting,) = here._lines[HERE]._idle
    resting._begun -= 10_000
    threading.Timer(0.5, slow.join).start()
    assert ask(here, slow.port) == str(slow.port)


def test_who_waits_too_long_for_a_turn_is_told(
    here: Vantages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vantages, "WIDTH", 1)
    monkeypatch.setattr(vantages, "PATIENCE", 0.2)
    here = Vantages([HERE], Way())
    slow, quick = Server(together=2), Server()
    first = threading.Thread(target=ask, args=(here, slow.port))
    first.start()
    while here._lines[HERE]._turns._value:
        pass
    assert "was busy with other hosts" in ask(here, quick.port)
    slow.join()
    first.join()
    assert ask(here, quick.port) == str(quick.port)
    here.close()


def test_a_vantage_that_was_never_reached_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = tmp_path / "tries"
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho >>{tries}\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    away = Vantages(["ssh://away"], Way())
    for _ in range(3):
        (answer,) = away.ask("ssh://away", [dial(1)], spelt).values()
        assert isinstance(answer, Unknown)
        assert answer.lacks is None  # what ssh said tells nothing, so that it may have dialled
    assert tries.read_text() == "\n"


def test_a_vantage_that_was_not_reached_is_said_to_lack_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "ssh: Could not resolve hostname away: Name or service not known"
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    away = Vantages(["ssh://away"], Way())
    for _ in range(2):
        (answer,) = away.ask("ssh://away", [dial(1)], spelt).values()
        assert isinstance(answer, Unknown)
        assert answer.lacks is Lack.VANTAGE
        assert answer.command == "ssh ssh://away true"
        assert answer.reason == (
            "needs a vantage: ssh://away was not reached: its name does not resolve"
        )


def test_a_vantage_that_ends_after_its_first_answer_may_have_dialled(here: Vantages) -> None:
    one = Server()
    assert ask(here, one.port) == str(one.port)
    (resting,) = here._lines[HERE]._idle
    resting._channel.kill()
    (answer,) = here.ask(HERE, [dial(one.port)], spelt).values()
    assert isinstance(answer, Unknown)
    assert answer.lacks is None


def test_after_its_end_nobody_is_asked(here: Vantages) -> None:
    here.close()
    assert "the audit has ended" in ask(here, Server().port)
