"""Real ssh to a real host, as every kind of user: who answers, as whom, and what stays behind."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, File, FileAnswer, Run, Self, SelfAnswer
from sesam_audit.bootstrap import Privilege
from sesam_audit.decoding import answers, request
from sesam_audit.errors import HostError
from sesam_audit.host import Conversation, Way, address, parse
from sesam_audit.probe_sh import script

from .host import LabHost, Wanted
from .lab import Lab
from .root import ASKER_PASSWORD

Talk = Callable[..., Conversation]


@pytest.fixture
def talk(lab: Lab) -> Iterator[Talk]:
    """Conversations with lab hosts; all are closed in the end."""
    conversations: list[Conversation] = []

    def start(spec: str, **options: Any) -> Conversation:
        way = replace(Way(ssh_config=str(lab.ssh_config), timeout=30), **options)
        conversations.append(Conversation(parse(spec), way))
        return conversations[-1]

    yield start
    for conversation in conversations:
        conversation.close()


def ask(conversation: Conversation, *asks: Ask[Any], seconds: float = 10.0) -> list[Answer]:
    def shell(marker: str) -> str:
        return script(marker, asks, deadline=seconds)

    frame = conversation.exchange(request(asks, seconds, {}, seconds), shell, seconds)
    got = answers(asks, frame)
    found: list[Any] = [got[each] for each in asks]
    return found


def who(conversation: Conversation) -> SelfAnswer:
    (me,) = ask(conversation, Self())
    assert isinstance(me, SelfAnswer)
    return me


@pytest.fixture
def sudoers(perfect: LabHost) -> Iterator[Callable[[str], None]]:
    """Adds lines to the host's sudo configuration for one test; no credential is kept."""

    def add(text: str) -> None:
        perfect.write("/etc/sudoers.d/zz-test", f"{text}\n", mode=0o440)
        perfect.run("visudo -c -q")

    perfect.run("rm -rf /run/sudo/ts/*")
    yield add
    perfect.run("rm -rf /etc/sudoers.d/zz-test /run/sudo/ts/*")


# -- who answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "privilege", "uid", "login"),
    [
        ("root", Privilege.TRY, 0, ""),
        ("auditor", Privilege.TRY, 0, "auditor"),
        ("auditor", Privilege.MUST, 0, "auditor"),
        ("auditor", Privilege.PLAIN, None, ""),
        ("plain", Privilege.TRY, None, ""),
        ("asker", Privilege.TRY, None, ""),
        ("sesam", Privilege.PLAIN, None, ""),
    ],
)
def test_every_user_answers_with_the_rights_it_has(
    talk: Talk, perfect: LabHost, user: str, privilege: Privilege, uid: int | None, login: str
) -> None:
    me = who(talk(perfect.spec(user), privilege=privilege))
    assert (me.uid == 0) is (uid == 0)
    assert me.user == ("root" if uid == 0 else user)
    assert me.login == login
    assert me.hostname == perfect.name


def test_a_spec_may_insist_on_sudo_or_forbid_it(talk: Talk, perfect: LabHost) -> None:
    assert who(talk(f"{perfect.spec()}?sudo=false")).user == "auditor"
    with pytest.raises(HostError, match="sudo needs a password"):
        who(talk(f"{perfect.spec('plain')}?sudo=true"))


def test_one_connection_answers_round_after_round(talk: Talk, perfect: LabHost) -> None:
    conversation = talk(perfect.spec())
    for _ in range(3):
        (name,) = ask(conversation, File("/etc/hostname"))
        assert isinstance(name, FileAnswer)
        assert name.text == f"{perfect.name}\n"


def test_the_auditor_dials_the_address_that_ssh_dials(lab: Lab, perfect: LabHost) -> None:
    way = Way(ssh_config=str(lab.ssh_config))
    assert address(parse(perfect.spec()), way) == (perfect.address, 22)


# -- sudo ------------------------------------------------------------------------------------------


def test_sudo_that_must_be_and_is_refused_is_one_sentence(talk: Talk, perfect: LabHost) -> None:
    with pytest.raises(HostError, match=r"^ssh://plain@perfect: sudo needs a password") as trouble:
        who(talk(perfect.spec("plain"), privilege=Privilege.MUST))
    assert "--ask-sudo-password" in trouble.value.remedy


def asking(password: str = ASKER_PASSWORD) -> dict[str, Any]:
    return {"privilege": Privilege.ASK, "password": password}


@pytest.mark.usefixtures("sudoers")
def test_the_right_password_opens(talk: Talk, perfect: LabHost) -> None:
    assert who(talk(perfect.spec("asker"), **asking())).uid == 0


def attempts(perfect: LabHost, since: str) -> list[str]:
    """What pam and sudo wrote about refused passwords."""
    log = perfect.run(f"journalctl --no-pager --output=cat --since='{since}'").stdout
    return re.findall(r"(\d+) incorrect password attempt", log)


@pytest.mark.usefixtures("sudoers")
def test_a_wrong_password_is_tried_exactly_once(talk: Talk, perfect: LabHost) -> None:
    since = perfect.run("sleep 1.1; date '+%Y-%m-%d %H:%M:%S'").stdout.strip()
    with pytest.raises(HostError, match="sudo did not accept the password"):
        who(talk(perfect.spec("asker"), **asking("wrong, said the lab")))
    perfect.run("journalctl --sync")
    assert attempts(perfect, since) == ["1"]


@pytest.mark.usefixtures("sudoers")
def test_where_no_password_is_needed_it_is_not_taken_for_the_program(
    talk: Talk, perfect: LabHost
) -> None:
    assert who(talk(perfect.spec("auditor"), **asking())).uid == 0


@pytest.mark.usefixtures("sudoers")
def test_root_is_given_a_password_and_does_without(talk: Talk, perfect: LabHost) -> None:
    assert who(talk(perfect.spec("root"), **asking())).uid == 0


@pytest.mark.parametrize(
    "defaults",
    [
        "Defaults:asker timestamp_timeout=0",
        "Defaults use_pty",
        "Defaults !use_pty",
        "Defaults log_input, log_output",
        "Defaults timestamp_type=ppid",
        "Defaults timestamp_type=kernel",
        "Defaults:asker timestamp_timeout=0, use_pty",
    ],
)
def test_the_password_opens_whatever_sudo_keeps(
    talk: Talk, perfect: LabHost, sudoers: Callable[[str], None], defaults: str
) -> None:
    sudoers(defaults)
    conversation = talk(perfect.spec("asker"), **asking())
    assert [who(conversation).uid for _ in range(3)] == [0, 0, 0]


def test_a_wrong_password_is_tried_once_where_sudo_keeps_nothing(
    talk: Talk, perfect: LabHost, sudoers: Callable[[str], None]
) -> None:
    sudoers("Defaults:asker timestamp_timeout=0")
    since = perfect.run("sleep 1.1; date '+%Y-%m-%d %H:%M:%S'").stdout.strip()
    with pytest.raises(HostError, match="sudo did not accept the password"):
        who(talk(perfect.spec("asker"), **asking("wrong, said the lab")))
    perfect.run("journalctl --sync")
    assert attempts(perfect, since) == ["1"]


def test_sudo_for_python_alone_is_enough(
    talk: Talk, perfect: LabHost, sudoers: Callable[[str], None]
) -> None:
    sudoers("plain ALL=(root) NOPASSWD: /usr/bin/python3")
    assert who(talk(perfect.spec("plain"))).uid == 0


SPY = r"""
import glob, sys, time
seen, end = 0, time.time() + 4
while time.time() < end:
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        seen += b"sesam-audit" in text
        if SECRET in text:
            sys.exit("seen in " + path)
print(seen)
"""


@pytest.mark.parametrize("timeout", ["", "Defaults:asker timestamp_timeout=0"])
def test_the_password_is_in_no_argument_and_no_environment(
    lab: Lab, talk: Talk, perfect: LabHost, sudoers: Callable[[str], None], timeout: str
) -> None:
    sudoers(timeout)
    perfect.write("/root/spy.py", SPY.replace("SECRET in", f"{ASKER_PASSWORD.encode()!r} in"))
    perfect.run("python3 /root/spy.py >/root/spy.out 2>&1 & echo $! >/root/spy.pid; sleep 0.3")
    conversation = talk(perfect.spec("asker"), **asking())
    assert who(conversation).uid == 0
    here = "".join(
        path.read_bytes().decode("utf-8", "replace")
        for path in _readable(Path("/proc").glob("[0-9]*/cmdline"))
    )
    assert lab.ssh_config.name in here
    assert ASKER_PASSWORD not in here
    time.sleep(0.5)
    assert who(conversation).uid == 0
    said = perfect.run(
        "while kill -0 $(cat /root/spy.pid) 2>/dev/null; do sleep 0.1; done; cat /root/spy.out"
    )
    assert said.stdout.strip().isdigit(), said.stdout
    assert int(said.stdout) > 0, "the spy saw nothing of the conversation"


def _readable(paths: Iterator[Path]) -> Iterator[Path]:
    for path in paths:
        try:
            path.read_bytes()
        except OSError:
            continue
        yield path


# -- what the target's shells print ----------------------------------------------------------------


def test_a_talkative_login_does_no_harm(talk: Talk, perfect: LabHost) -> None:
    noise = "echo Welcome; printf 'no newline'; echo careful >&2\n"
    old = perfect.run("cat /home/plain/.bashrc 2>/dev/null", check=False).stdout
    perfect.write("/home/plain/.bashrc", noise, owner="plain")
    try:
        assert who(talk(perfect.spec("plain"))).user == "plain"
    finally:
        perfect.write("/home/plain/.bashrc", old, owner="plain")


# -- the user's own ssh ----------------------------------------------------------------------------


def config(lab: Lab, tmp_path: Path, text: str) -> str:
    path = tmp_path / "ssh_config"
    path.write_text(text + lab.ssh_config.read_text())
    return str(path)


def test_a_shared_connection_is_the_users_to_decide(
    lab: Lab, talk: Talk, perfect: LabHost, tmp_path: Path
) -> None:
    path = config(
        lab,
        tmp_path,
        "Host *\n ControlMaster auto\n ControlPath /tmp/lab-%C\n ControlPersist 3\n",
    )
    for _ in range(2):
        conversation = talk(perfect.spec(), ssh_config=path)
        assert who(conversation).uid == 0
        begun = time.monotonic()
        conversation.close()
        assert time.monotonic() - begun < 1.5


def test_a_jump_host_is_the_users_to_decide(
    lab: Lab, talk: Talk, perfect: LabHost, tmp_path: Path
) -> None:
    path = config(
        lab,
        tmp_path,
        f"Host inner\n HostName 127.0.0.1\n HostKeyAlias {perfect.address}\n"
        f" ProxyCommand ssh -F {lab.ssh_config} -W %h:%p {perfect.name}\n",
    )
    assert who(talk("ssh://auditor@inner", ssh_config=path)).hostname == perfect.name
    assert address(parse("ssh://auditor@inner"), Way(ssh_config=path)) == ("", 22)


# -- what stays behind -----------------------------------------------------------------------------


def programs(perfect: LabHost) -> Sequence[str]:
    """The command lines on the host that belong to an audit or were started by one."""
    return [
        line
        for line in perfect.run("ps -eo args").stdout.splitlines()
        if "sesam-audit" in line or line.startswith("sleep 321")
    ]


def nothing_left(perfect: LabHost) -> bool:
    until = time.monotonic() + 5
    while programs(perfect) and time.monotonic() < until:
        time.sleep(0.1)
    return not programs(perfect)


@pytest.mark.parametrize("user", ["root", "auditor", "plain"])
def test_closing_leaves_no_program_on_the_host(talk: Talk, perfect: LabHost, user: str) -> None:
    conversation = talk(perfect.spec(user))
    who(conversation)
    assert programs(perfect)
    conversation.close()
    assert nothing_left(perfect)


@pytest.mark.parametrize("user", ["auditor", "plain"])
def test_giving_up_midway_leaves_no_program_on_the_host(
    talk: Talk, perfect: LabHost, user: str
) -> None:
    conversation = talk(perfect.spec(user))
    who(conversation)
    hang = request([Run(("sleep", "321"), seconds_limit=200.0)], 200.0, {}, 200.0)
    conversation._channel.send(hang)
    until = time.monotonic() + 5
    while not any(line.startswith("sleep 321") for line in programs(perfect)):
        assert time.monotonic() < until
    conversation._channel.kill()
    assert nothing_left(perfect)


# -- a host without Python -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("nopython", Wanted(python=False, bare=True, data_disk=False, docker=False))
    yield host
    lab.stop_host(host)


@pytest.mark.parametrize(
    ("user", "privilege", "uid"),
    [("root", Privilege.TRY, 0), ("auditor", Privilege.TRY, 0), ("plain", Privilege.TRY, None)],
)
def test_without_python_the_shell_answers(
    talk: Talk, bare: LabHost, user: str, privilege: Privilege, uid: int | None
) -> None:
    conversation = talk(bare.spec(user), privilege=privilege)
    me, name = ask(conversation, Self(), File("/etc/hostname"))
    assert isinstance(me, SelfAnswer)
    assert (me.uid == 0) is (uid == 0)
    assert me.python == ()
    assert isinstance(name, FileAnswer)
    assert name.text == f"{bare.name}\n"
    (again,) = ask(conversation, File("/etc/hostname"))
    assert again == name


def test_without_python_sudo_that_must_be_and_is_refused_is_said(talk: Talk, bare: LabHost) -> None:
    with pytest.raises(HostError, match="sudo needs a password"):
        who(talk(bare.spec("plain"), privilege=Privilege.MUST))


@pytest.mark.parametrize("timeout", ["", "Defaults:asker timestamp_timeout=0"])
def test_without_python_the_password_opens_as_well(talk: Talk, bare: LabHost, timeout: str) -> None:
    bare.write("/etc/sudoers.d/zz-test", f"{timeout}\n", mode=0o440)
    bare.run("rm -rf /run/sudo/ts/*")
    assert who(talk(bare.spec("asker"), **asking())).uid == 0
