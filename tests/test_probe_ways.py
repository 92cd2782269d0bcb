"""The probe's second tries, and the way that dockerd takes."""

from __future__ import annotations

import json
import socket
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.asks import Dial
from sesam_audit.probe import proxy_settings
from sesam_audit.probe.dial import dial as dial_parts
from sesam_audit.probe.no_proxy import sparing

from .test_probe import (
    PAGE,
    Conversation,
    Serve,
    Start,
    answering,
    asked,
    dial,
    on_every_python,
    proxied,
    request_on,
    serving,
)

__all__ = ("asked", "serving")  # fixtures

BUSY = b"HTTP/1.1 %s\r\nContent-Length: 0\r\n%s\r\n"
URL = "http://proxy.example:3128"


def in_turn(*serves: Serve) -> Serve:
    """Each connection is served in the next way; those that come after, in the last."""
    waiting = list(serves)

    def serve(link: socket.socket) -> None:
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(link)

    return serve


def resetting(link: socket.socket) -> None:
    request_on(link)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


def answers(status: bytes, more: bytes = b"") -> Serve:
    return answering(BUSY % (status, more))


@on_every_python
@pytest.mark.parametrize(
    ("first", "word"),
    [
        (resetting, "ECONNRESET at http"),
        (answers(b"503 Busy"), "HTTP 503 at done"),
        (answers(b"429 Slow Down", b"Retry-After: 1\r\n"), "HTTP 429 at done"),
    ],
)
def test_what_passes_by_itself_is_tried_twice(
    python: str, serving: Start, first: Serve, word: str
) -> None:
    with Conversation(python) as conversation:
        answer = conversation(dial(serving(in_turn(first, answering())), tls=False))
    assert (answer.error, answer.layer, answer.status, answer.body) == (None, "done", 200, "page")
    assert (answer.tries, answer.first) == (2, word)


def test_what_does_not_pass_is_tried_twice_and_no_more(asked: Conversation, serving: Start) -> None:
    seen: list[int] = []

    def serve(link: socket.socket) -> None:
        seen.append(1)
        resetting(link)

    answer = asked(dial(serving(serve), tls=False))
    assert (answer.error, answer.layer, answer.tries) == ("ECONNRESET", "http", 2)
    assert len(seen) == 2


@pytest.mark.parametrize("status", [b"403 No", b"404 Not Found", b"200 OK"])
def test_an_answer_is_not_asked_for_again(
    asked: Conversation, serving: Start, status: bytes
) -> None:
    answer = asked(dial(serving(in_turn(answers(status), answering())), tls=False))
    assert (answer.status, answer.tries) == (int(status[:3]), 1)


def test_a_refusal_is_not_tried_again(asked: Conversation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert asked(dial(port)).tries == 1


@pytest.mark.parametrize("after", [b"60", b"900"])
def test_no_second_try_lasts_longer_than_the_deadline(
    asked: Conversation, serving: Start, after: bytes
) -> None:
    begun = time.monotonic()
    serve = in_turn(answers(b"429 Slow Down", b"Retry-After: %s\r\n" % after), answering())
    answer = asked(dial(serving(serve), tls=False), deadline=3.0)
    assert (answer.status, answer.tries) == (429, 1)
    assert time.monotonic() - begun < 3


# -- the way that dockerd takes --------------------------------------------------------------------


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a running dockerd, whose files say what it would take."""
    files = ("drop-in.conf", "default")
    monkeypatch.setattr(
        proxy_settings, "DAEMON_SETTINGS", tuple(str(tmp_path / name) for name in files)
    )
    monkeypatch.setattr(proxy_settings, "DAEMON_JSON", str(tmp_path / "daemon.json"))
    monkeypatch.setattr(proxy_settings, "running_daemon", lambda: ({}, None))
    monkeypatch.setattr(proxy_settings, "SHELL_SETTINGS", (str(tmp_path / "environment"),))
    monkeypatch.setattr(proxy_settings, "SETTINGS", {})
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def way(
    name: str = "registry-1.docker.io", context: str = "daemon"
) -> tuple[dict[str, Any], dict[str, Any]]:
    given = {"name": name, "port": 443, "proxy": "x:1", "login": "y:z", "context": context}
    ask, told = proxy_settings.by_settings(given)
    return ask, told


def test_without_a_setting_dockerd_goes_straight(host: Path) -> None:
    assert host.is_dir()
    ask, told = way()
    assert (ask["proxy"], ask["login"], told["proxy"]) == ("", "", "")
    assert told["proxy_from"] == "dockerd has no proxy, as far as its files tell"


@pytest.mark.parametrize(
    "line",
    [
        'Environment="HTTPS_PROXY=http://me:p%%40ss@proxy.example:3128" "NO_PROXY=a"',
        "Environment=https_proxy=http://me:p%%40ss@proxy.example:3128",
    ],
)
def test_a_drop_in_is_named_and_its_password_stays(host: Path, line: str) -> None:
    (host / "drop-in.conf").write_text(f"[Service]\n# HTTPS_PROXY=http://old:1\n{line}\n")
    ask, told = way()
    assert told["proxy"] == "proxy.example:3128"
    assert told["proxy_from"] == f"HTTPS_PROXY of {host}/drop-in.conf"
    assert ask["login"] == "me:p@ss"
    assert "p@ss" not in str(told)


def test_daemon_json_comes_before_the_environment(host: Path) -> None:
    (host / "default").write_text("HTTPS_PROXY=http://other.example:1\n")
    (host / "daemon.json").write_text(json.dumps({"proxies": {"https-proxy": URL}}))
    _, told = way()
    assert told["proxy"] == "proxy.example:3128"
    assert told["proxy_from"] == f"https-proxy of {host}/daemon.json"


@pytest.mark.parametrize("broken", ["{", "[]", '{"proxies": 1}', '{"proxies": {"https-proxy": 1}}'])
def test_a_daemon_json_of_another_form_sets_nothing(host: Path, broken: str) -> None:
    (host / "daemon.json").write_text(broken)
    assert way()[1]["proxy"] == ""


def test_what_is_spared_goes_straight_and_says_why(host: Path) -> None:
    (host / "default").write_text(f"HTTPS_PROXY={URL}\nNO_PROXY=localhost,.docker.io\n")
    _, told = way()
    assert told["proxy"] == ""
    assert told["proxy_from"] == f"NO_PROXY of {host}/default (.docker.io)"
    assert way("pypi.org")[1]["proxy"] == "proxy.example:3128"


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example:443",
        "socks5://proxy.example:1080",
        "http://me:hunter2/x@proxy.example:3128",
        "http://me:hunter2@[proxy.example:3128",
    ],
)
def test_a_proxy_that_cannot_be_spoken_with_is_not_passed_by(host: Path, url: str) -> None:
    (host / "default").write_text(f"HTTPS_PROXY={url}\n")
    with pytest.raises(OSError, match=r"^the proxy .* which is not tried$"):
        way()


@pytest.mark.parametrize("line", [f"https_proxy={URL}", f"export HTTPS_PROXY='{URL}'"])
def test_a_shell_has_settings_of_its_own(host: Path, line: str) -> None:
    (host / "environment").write_text(f"{line}\nno_proxy=pypi.org\n")
    assert way(context="shell")[1] == {
        "context": "shell",
        "proxy": "proxy.example:3128",
        "proxy_from": f"HTTPS_PROXY of {host}/environment",
    }
    assert way("pypi.org", "shell")[1]["proxy_from"] == f"NO_PROXY of {host}/environment (pypi.org)"
    assert way()[1]["proxy"] == ""


def test_without_a_setting_a_shell_goes_straight(host: Path) -> None:
    (host / "environment").write_text("https_proxy=$OTHER\n")
    assert way(context="shell")[1]["proxy_from"] == "no proxy in the environment"


@pytest.mark.parametrize(
    ("rules", "name", "spared"),
    [
        ("docker.io", "docker.io", True),
        ("docker.io", "registry-1.docker.io", True),
        (".docker.io", "registry-1.docker.io", True),
        (".docker.io", "docker.io", False),
        ("*.docker.io", "registry-1.docker.io", True),
        ("docker.io", "notdocker.io", False),
        ("docker.io:443", "auth.docker.io", True),
        ("docker.io:5000", "auth.docker.io", False),
        ("*", "pypi.org", True),
        ("10.0.0.0/8, 192.0.2.1", "10.9.8.7", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("fd00::/8", "fd00::1", True),
        ("", "localhost", True),
        ("", "127.0.0.1", True),
        (" , ,", "pypi.org", False),
    ],
)
def test_no_proxy_is_read_as_go_reads_it(rules: str, name: str, spared: bool) -> None:
    assert bool(sparing(rules, name, 443)) is spared


def test_a_dial_by_the_daemons_way(host: Path, serving: Start) -> None:
    """In this process: the machine's own dockerd must not be asked."""
    seen: list[bytes] = []
    proxy = serving(proxied(serving(answering(PAGE)), seen, "me:hunter2"))
    (host / "default").write_text(f"HTTPS_PROXY=http://me:hunter2@127.0.0.1:{proxy}\n")
    ask = {
        **{name: getattr(Dial("sesam.test"), name) for name in Dial.__struct_fields__},
        "tls": False,
        "context": "daemon",
        "login": "",
        "end": time.monotonic() + 5,
    }
    known: dict[str, Any] = {}
    for part in dial_parts(ask):
        known.update(part)
    assert (known["layer"], known["status"], known["context"]) == ("done", 200, "daemon")
    assert known["proxy"] == f"127.0.0.1:{proxy}"
    assert "hunter2" not in str(known)
    assert b"Proxy-Authorization: Basic" in seen[0]
