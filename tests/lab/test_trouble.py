"""Hosts that cannot be reached: one sentence each, exit 3, and the others unaffected."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import World

from .host import LabHost
from .lab import Lab


@pytest.fixture
def config(lab: Lab, perfect: LabHost, tmp_path: Path) -> Path:
    """The lab's ssh configuration with hosts that are in trouble."""
    empty, changed = tmp_path / "empty", tmp_path / "changed"
    empty.touch()
    key = lab.identity.with_name("identity.pub").read_text()
    changed.write_text(f"{perfect.address} {key}")
    other = tmp_path / "other"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)), check=True)
    path = tmp_path / "ssh_config"
    address = f" HostName {perfect.address}\n"
    path.write_text(
        f"Host refused\n HostName {perfect.address}\n Port 1\n"
        f"Host unknown-key\n{address} UserKnownHostsFile {empty}\n"
        f"Host changed-key\n{address} UserKnownHostsFile {changed}\n"
        f"Host refused-key\n{address} IdentityFile {other}\n"
        "Host unresolvable\n HostName no-such-name.invalid\n" + lab.ssh_config.read_text()
    )
    return path


def troubled(world: World, config: Path, spec: str, *options: str) -> dict[str, Any]:
    """The host in trouble, of a run beside this machine, which is ready as ever."""
    words = ("run", spec, "local://", "--ssh-config", str(config), "--format", "json", *options)
    done = world(*words)
    assert "Traceback" not in done.stderr
    assert "fault of sesam-audit" not in done.stderr
    report = json.loads(done.stdout)
    gone, here = report["hosts"]
    assert done.returncode == 3, done.stderr
    assert here["verdict"] == "ready"
    assert gone["verdict"] == "incomplete"
    assert {finding["outcome"] for finding in gone["findings"]} <= {
        "unknown",
        "blocked",
        "not-applicable",
    }
    assert gone["trouble"].startswith(f"{spec.partition('?')[0]}: ")
    assert "\n" not in gone["trouble"]
    assert gone["trouble"][:60] in done.stderr
    found: dict[str, Any] = gone
    return found


@pytest.mark.parametrize(
    ("name", "sentence", "remedy"),
    [
        ("refused", "it refuses connections", "sshd"),
        ("unknown-key", "its host key is not known", "compare the fingerprint"),
        ("changed-key", "its host key has changed", "Find out why"),
        ("unresolvable", "its name does not resolve", "Check the name"),
    ],
)
def test_a_host_that_cannot_be_reached_is_one_sentence(
    world: World, config: Path, name: str, sentence: str, remedy: str
) -> None:
    gone = troubled(world, config, f"ssh://auditor@{name}")
    assert gone["trouble"] == f"ssh://auditor@{name}: {sentence}"
    assert remedy in gone["remedy"]


def test_a_refused_key_is_one_sentence(world: World, lab: Lab, config: Path) -> None:
    text = config.read_text().replace(f"    IdentityFile {lab.identity}\n", "")
    config.write_text(text)
    gone = troubled(world, config, "ssh://auditor@refused-key")
    assert gone["trouble"] == "ssh://auditor@refused-key: the key or user was refused"


def test_an_unknown_user_is_a_refused_key(world: World, lab: Lab) -> None:
    gone = troubled(world, lab.ssh_config, "ssh://nobody-here@perfect")
    assert gone["trouble"].endswith("the key or user was refused")


@contextmanager
def listening(serve: Any) -> Iterator[int]:
    """A server on loopback whose connections a test treats as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    kept.append(connection)
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in kept:
            connection.close()


def loopback(config: Path, perfect: LabHost, port: int) -> None:
    """A host of that port, with the real host's key."""
    text = config.read_text()
    block = f"Host loopback\n HostName 127.0.0.1\n Port {port}\n HostKeyAlias {perfect.address}\n"
    config.write_text(block + text)


def test_a_silent_server_is_given_up(world: World, config: Path, perfect: LabHost) -> None:
    with listening(lambda connection: connection.recv(1000)) as port:
        loopback(config, perfect, port)
        gone = troubled(world, config, "ssh://auditor@loopback", "--timeout", "2")
    assert gone["trouble"] == "ssh://auditor@loopback: it did not answer in time"
    assert gone["seconds"] < 8


def test_a_server_that_is_no_ssh_is_quoted(world: World, config: Path, perfect: LabHost) -> None:
    def web(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\x1b[31m\r\n\r\n")
        connection.close()

    with listening(web) as port:
        loopback(config, perfect, port)
        gone = troubled(world, config, "ssh://auditor@loopback")
    assert "\x1b" not in gone["trouble"]
    assert gone["remedy"].startswith("Try it by hand: `ssh ssh://auditor@loopback")


@pytest.mark.parametrize("enough", [2_000, 15_000], ids=["in the handshake", "in the program"])
def test_a_connection_that_drops_midway_is_one_sentence(
    world: World, config: Path, perfect: LabHost, enough: int
) -> None:
    def relay(client: socket.socket) -> None:
        with socket.create_connection((perfect.address, 22)) as server:
            back = threading.Thread(target=_copy, args=(server, client, 10**9), daemon=True)
            back.start()
            _copy(client, server, enough)
            for each in (client, server):
                each.shutdown(socket.SHUT_RDWR)  # at once, though the thread still reads

    with listening(relay) as port:
        loopback(config, perfect, port)
        gone = troubled(world, config, "ssh://auditor@loopback")
    assert "ended without an answer" in gone["trouble"]
    assert not perfect.run("sleep 1; pgrep -x python3", check=False).stdout


def _copy(source: socket.socket, target: socket.socket, most: int) -> None:
    with suppress(OSError):
        while most > 0 and (data := source.recv(min(most, 65536))):
            target.sendall(data)
            most -= len(data)


@pytest.fixture
def shell_of_plain(perfect: LabHost) -> Iterator[Any]:
    """Gives the user `plain` another login shell for one test."""

    def give(text: str) -> None:
        perfect.write("/usr/local/bin/odd-shell", f"#!/bin/sh\n{text}\n", mode=0o755)
        perfect.run("usermod --shell /usr/local/bin/odd-shell plain")

    yield give
    perfect.run("usermod --shell /bin/bash plain; rm -f /usr/local/bin/odd-shell")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit 255", "ended without an answer"),
        ("echo This account is currently not available. >&2; exit 1", "login shell lets nobody in"),
        ("exec /usr/sbin/nologin", "login shell lets nobody in"),
        ("exec sleep 43", "no answer in time"),
        ("exec yes", "sent too much"),
        ("exec yes >&2", "sent too much"),
        ("printf '\\033[2Jgone\\n' >&2; exit 3", "ended without an answer: \\x1b[2Jgone"),
    ],
)
def test_a_login_shell_that_is_none_is_one_sentence(
    world: World, lab: Lab, shell_of_plain: Any, text: str, said: str
) -> None:
    shell_of_plain(text)
    gone = troubled(world, lab.ssh_config, "ssh://plain@perfect", "--timeout", "5")
    assert said in gone["trouble"]


def test_sudo_without_a_password_is_one_sentence(world: World, lab: Lab) -> None:
    gone = troubled(world, lab.ssh_config, "ssh://plain@perfect?sudo=true")
    assert gone["trouble"] == "ssh://plain@perfect: sudo needs a password"
