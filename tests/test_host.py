"""Host names at the door, the command lines that reach them, and a conversation on this machine."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sesam_audit import host
from sesam_audit.asks import Ask, File, FileAnswer, Self, SelfAnswer
from sesam_audit.bootstrap import Privilege
from sesam_audit.channel import Channel
from sesam_audit.decoding import answers, request
from sesam_audit.errors import HostError, UnreachedError, UsageError
from sesam_audit.host import Conversation, Target, Way, parse
from sesam_audit.starting import approach
from sesam_audit.vantages import Vantages


def no_shell(_marker: str) -> str:
    raise AssertionError("there is a Python here")


REMOTE = "/bin/sh -c 'echo \"$1\"' x 'a b'"


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "target"),
    [
        ("local://", Target("local://", "local", "local")),
        ("ssh://a.example.org", Target("ssh://a.example.org", "ssh", "a.example.org")),
        ("a", Target("ssh://a", "ssh", "a")),
        ("me@a", Target("ssh://me@a", "ssh", "a", "me")),
        ("ssh://me@a:2222", Target("ssh://me@a:2222", "ssh", "a:2222", "me")),
        ("me@192.0.2.1", Target("ssh://me@192.0.2.1", "ssh", "192.0.2.1", "me")),
        (
            "ssh://me@[2001:db8::1]:22",
            Target("ssh://me@[2001:db8::1]:22", "ssh", "[2001:db8::1]:22", "me"),
        ),
        ("[::1]", Target("ssh://[::1]", "ssh", "[::1]")),
        ("docker://web_1", Target("docker://web_1", "docker", "web_1")),
        ("podman://me@web", Target("podman://me@web", "podman", "web", "me")),
        ("ssh://a?sudo=true", Target("ssh://a", "ssh", "a", "", True)),
        ("ssh://a?sudo=False", Target("ssh://a", "ssh", "a", "", False)),
        ("local://?sudo=false", Target("local://", "local", "local", "", False)),
    ],
)
def test_a_host_is_read_as_written(spec: str, target: Target) -> None:
    assert parse(spec) == target


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "ssh://",
        "ssh://-oProxyCommand=x",
        "-oProxyCommand=x",
        "ssh://-oProxyCommand=x@a",
        "ssh://me@-oProxyCommand=x",
        "ssh://%2doProxyCommand=x",
        "ssh://me@%2DoProxyCommand=x",
        "ssh://%2dl@a",
        "ssh://[-oProxyCommand=x]",
        "ssh://[-F]:22",
        "ssh://a b",
        "ssh://a%20b",
        "ssh://a%0ab",
        "ssh://a\nb",
        "ssh://a\tb",
        "ssh://a\r",
        "\x1b[31mssh://a",
        "ssh://a\x00b",
        "ssh://a\x9b",
        "ssh://a\u202eb",
        "ssh://a$(id)",
        "ssh://a`id`",
        "ssh://a;id",
        "ssh://a|id",
        "ssh://a&id",
        "ssh://a>x",
        "ssh://a'b",
        'ssh://a"b',
        "ssh://a\\b",
        "ssh://me me@a",
        "ssh://@a",
        "ssh://a@b@c",
        "ssh://a/path",
        "ssh://a#fragment",
        "ssh://[::1",
        "ssh://::1",
        "::1",
        "ssh://[::1]x",
        "ssh://[::1]]",
        "ssh://[nonsense]",
        "ssh://a:",
        "ssh://a:ssh",
        "ssh://a:0",
        "ssh://a:65536",
        "ssh://a:22:22",
        "ssh://a:-1",
        "docker://-it",
        "docker://a:22",
        "podman://--privileged",
        "ssh://a?sudo=maybe",
        "ssh://a?ssh_config=/tmp/evil",
        "ssh://a?sudo=true&sudo_user=x",
        "local://a?timeout=5",
        "local://other",
    ],
)
def test_what_is_no_host_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse(spec)
    assert refusal.value.exit_code == 2
    assert not set("\x1b\n\r\t\x00\x9b\u202e") & set(str(refusal.value))


@pytest.mark.parametrize(
    "spec", ["paramiko://a", "ansible://all", "kubectl://a", "chroot:///", "http://a", "://a"]
)
def test_other_ways_are_not_known(spec: str) -> None:
    with pytest.raises(UsageError, match="ssh://, local://, docker://, podman://"):
        parse(spec)


@pytest.mark.parametrize("spec", ["ssh://me:secret@a", "me:secret@a", "ssh://:secret@a"])
def test_a_password_is_refused_and_not_repeated(spec: str) -> None:
    with pytest.raises(UsageError, match="password") as refusal:
        parse(spec)
    assert "secret" not in str(refusal.value)


# -- command lines ---------------------------------------------------------------------------------


def words(spec: str, **way: object) -> list[str]:
    return shlex.split(host._line(parse(spec), Way(**way), REMOTE))  # type: ignore[arg-type]


def option(line: list[str], name: str) -> bool:
    return any(pair == ("-o", name) for pair in pairwise(line))


def test_ssh_is_strict_about_host_keys_and_asks_nobody() -> None:
    line = words("ssh://a")
    assert line[0] == "ssh"
    assert option(line, "StrictHostKeyChecking=yes")
    assert option(line, "BatchMode=yes")


def test_a_person_at_a_terminal_may_be_asked() -> None:
    line = words("ssh://a", interactive=True)
    assert not option(line, "BatchMode=yes")
    assert option(line, "StrictHostKeyChecking=yes")


def test_the_users_configuration_decides_about_sharing() -> None:
    assert not any("Control" in word for word in words("ssh://a"))


def test_ssh_gets_configuration_and_identity(tmp_path: Path) -> None:
    config, key = tmp_path / "a config", tmp_path / "a $(key)"
    line = words("ssh://a", ssh_config=str(config), identity=str(key))
    assert line[line.index("-F") + 1] == str(config)
    assert line[line.index("-i") + 1] == str(key)


def test_user_port_and_address_are_said_as_options() -> None:
    line = words("ssh://me@[2001:db8::1]:2222")
    assert option(line, "User=me")
    assert option(line, "Port=2222")
    assert line[-2:] == ["2001:db8::1", REMOTE]


@pytest.mark.parametrize(("timeout", "seconds"), [(0.1, 1), (5.0, 4), (600.0, 15)])
def test_a_silent_server_is_given_up_by_ssh_itself(timeout: float, seconds: int) -> None:
    assert option(words("ssh://a", timeout=timeout), f"ConnectTimeout={seconds}")


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_containers_are_entered_with_their_standard_input(engine: str) -> None:
    line = words(f"{engine}://web")
    assert line[:4] == [engine, "exec", "-i", "web"]
    assert REMOTE in line[-1]


def test_containers_may_be_entered_as_a_user() -> None:
    line = words("docker://me@web")
    assert line[:3] == ["docker", "exec", "-i"]
    assert line[line.index("-u") + 1] == "me"


def test_this_machine_needs_no_other_program() -> None:
    assert host._line(parse("local://"), Way(), REMOTE) == REMOTE


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("ssh://a", {"hostname": "a", "port": "22"}),
        ("ssh://me@a:2222", {"hostname": "a", "port": "2222", "user": "me"}),
        ("ssh://me@[2001:db8::1]:2222", {"hostname": "2001:db8::1", "port": "2222"}),
    ],
)
def test_real_ssh_takes_the_line(spec: str, expected: dict[str, str]) -> None:
    if not shutil.which("ssh"):
        pytest.skip("ssh is not installed")
    line = words(spec, ssh_config="/dev/null")
    done = subprocess.run(
        [line[0], "-G", *line[1:]], capture_output=True, text=True, check=True, timeout=10
    )
    seen = dict(row.partition(" ")[::2] for row in done.stdout.splitlines())
    rules = {
        "stricthostkeychecking": "true",
        "batchmode": "yes",
        "clearallforwardings": "yes",
        "requesttty": "false",
        "connecttimeout": "15",
        "controlmaster": "false",
    }
    assert {key: seen.get(key) for key in (rules | expected)} == rules | expected


def test_a_configuration_that_weakens_host_keys_is_overruled(tmp_path: Path) -> None:
    if not shutil.which("ssh"):
        pytest.skip("ssh is not installed")
    config = tmp_path / "config"
    config.write_text(
        "Host *\n StrictHostKeyChecking no\n RemoteCommand evil\n LocalForward 1 b:1\n"
    )
    line = words("ssh://a", ssh_config=str(config))
    done = subprocess.run(
        [line[0], "-G", *line[1:]], capture_output=True, text=True, check=True, timeout=10
    )
    assert "stricthostkeychecking true" in done.stdout
    assert "evil" not in done.stdout


# -- the address that an auditor dials -------------------------------------------------------------


def address(spec: str, config: Path) -> tuple[str, int]:
    return host.address(parse(spec), Way(ssh_config=str(config)))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(
        "Host named\n HostName 192.0.2.7\n"
        "Host behind\n HostName 192.0.2.8\n Port 4022\n ProxyJump named\n"
        "Host piped\n HostName 192.0.2.9\n ProxyCommand nc %h %p\n"
        "Match host picky user root\n HostName 192.0.2.10\n"
    )
    return path


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("ssh://named", "192.0.2.7"),
        ("ssh://me@named:2222", "192.0.2.7"),
        ("ssh://192.0.2.1", "192.0.2.1"),
        ("ssh://[2001:db8::1]:22", "2001:db8::1"),
        ("ssh://[2001:db8::1]", "2001:db8::1"),
        ("ssh://root@picky", "192.0.2.10"),
        ("ssh://behind", ""),
        ("ssh://piped", ""),
        ("ssh://no-such-name.invalid", ""),
        ("local://", ""),
        ("docker://web", ""),
    ],
)
def test_the_address_is_what_ssh_would_dial_itself(config: Path, spec: str, found: str) -> None:
    if not shutil.which("ssh"):
        pytest.skip("ssh is not installed")
    assert address(spec, config)[0] == found


@pytest.mark.parametrize(
    ("spec", "port"),
    [
        ("ssh://named", 22),
        ("ssh://me@named:2222", 2222),
        ("ssh://behind", 4022),
        ("ssh://no-such-name.invalid", 22),
        ("local://", 0),
    ],
)
def test_the_port_is_told_behind_a_jump_too(config: Path, spec: str, port: int) -> None:
    if not shutil.which("ssh"):
        pytest.skip("ssh is not installed")
    assert address(spec, config)[1] == port


def test_the_addresses_of_vantages(config: Path) -> None:
    if not shutil.which("ssh"):
        pytest.skip("ssh is not installed")
    specs = ("ssh://named", "ssh://behind", "docker://web")
    vantages = Vantages(specs, Way(ssh_config=str(config)))
    assert vantages.addresses == {"ssh://named": "192.0.2.7"}


# -- a conversation --------------------------------------------------------------------------------


@pytest.fixture
def here() -> Iterator[Conversation]:
    conversation = Conversation(parse("local://"), Way(privilege=Privilege.PLAIN))
    yield conversation
    conversation.close()


def test_this_machine_answers_round_after_round(here: Conversation) -> None:
    asks: list[Ask[Any]] = [Self(), File("/etc/hostname")]
    for _ in range(3):
        got = answers(asks, here.exchange(request(asks, 5.0, {}, 5.0), no_shell, 5.0))
        me, name = got[asks[0]], got[asks[1]]
        assert isinstance(me, SelfAnswer)
        assert me.uid == os.getuid()
        assert isinstance(name, FileAnswer)
        assert name.text == Path("/etc/hostname").read_text()


def test_an_engine_that_is_not_there_is_one_sentence() -> None:
    conversation = Conversation(parse("podman://none"), Way(privilege=Privilege.PLAIN))
    try:
        with pytest.raises(HostError, match=r"^podman://none: ") as trouble:
            conversation.exchange(b"", no_shell, 5.0)
        assert "\n" not in str(trouble.value)
    finally:
        conversation.close()


@pytest.mark.parametrize("engine", ["ssh", "docker", "podman"])
def test_a_program_that_the_auditor_lacks_is_named(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    conversation = Conversation(parse(f"{engine}://none"), Way(privilege=Privilege.PLAIN))
    try:
        with pytest.raises(HostError) as trouble:
            conversation.exchange(b"", no_shell, 5.0)
    finally:
        conversation.close()
    assert str(trouble.value) == (
        f"{engine}://none: there is no command `{engine}` on this machine."
        " Install it here, on the machine that audits"
    )


@pytest.mark.parametrize("to", ["1", "2"])
def test_a_login_shell_that_lets_nobody_in_is_named(
    to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh").write_text(
        f"#!/bin/sh\necho This account is currently not available. >&{to}\nexit 1\n"
    )
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    conversation = Conversation(parse("ssh://closed"), Way(privilege=Privilege.PLAIN))
    try:
        with pytest.raises(UnreachedError) as trouble:
            conversation.exchange(b"", no_shell, 5.0)
    finally:
        conversation.close()
    assert trouble.value.what == "ssh://closed: the user's login shell lets nobody in"
    assert "Name another user (USER@HOST)" in trouble.value.remedy


def test_a_host_answers_within_the_time_it_has() -> None:
    conversation = Conversation(parse("local://"), Way(privilege=Privilege.PLAIN, timeout=0.2))
    try:
        with pytest.raises(HostError, match="no answer in time"):
            conversation.exchange(b"", no_shell, 5.0)
    finally:
        conversation.close()


# -- what this machine cannot start ----------------------------------------------------------------


def full(*_: object) -> Channel:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_a_start_that_fails_is_told_as_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "Channel", full)
    with pytest.raises(HostError) as error:
        Conversation(parse("local://"), Way())
    assert error.value.what == (
        "local://: this machine could not start what reaches it: Too many open files"
    )
    assert "--jobs" in error.value.remedy


def test_one_failing_start_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def second_is_full(line: str, marker: str) -> Channel:
        started.append(line)
        return full() if len(started) == 2 else Channel(line, marker)

    monkeypatch.setattr(host, "Channel", second_is_full)
    targets = [Target(f"local://{name}", "local", "local") for name in "abc"]
    opened = approach(targets, Way(), 3)
    for each in opened.values():
        each.close()

    assert list(opened) == ["local://a", "local://c"]
