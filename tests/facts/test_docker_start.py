"""What the daemon will meet at its next start, while the one of now may run on."""

from __future__ import annotations

import pytest

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer, Resolved, Stat, StatAnswer
from sesam_audit.facts.daemon_settings import DAEMON_JSON
from sesam_audit.facts.docker_start import DockerStart
from sesam_audit.facts.inspection import Inspection

from .bare import Given, docker, find

ETC, USR = "/etc/systemd/system", "/usr/lib/systemd/system"
UNIT = """\
[Unit]
Description=Docker
[Service]
Type=notify
ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock
[Install]
WantedBy=multi-user.target
"""
MAIN: Given = {Files(f"{USR}/docker.service"): FilesAnswer(files={f"{USR}/docker.service": UNIT})}
PROGRAM = StatAnswer(kind="file", mode=0o755)
THERE: Given = {Stat("/usr/bin/dockerd"): PROGRAM}


def judged(*answers: Given) -> Inspection:
    return find(DockerStart, MAIN, THERE, *answers).inspect()


def drop_in(text: str, path: str = f"{ETC}/docker.service.d/own.conf", place: str = ETC) -> Given:
    pattern = f"{place}/docker.service.d/*.conf"
    return {Files(pattern): FilesAnswer(files={path: f"[Service]\n{text}\n"})}


def settings(text: str = "", path: str = DAEMON_JSON, error: str | None = None) -> Given:
    return {File(path): FileAnswer(text=text, error=error)}


def test_an_ordinary_unit_without_settings() -> None:
    assert judged() == Inspection()
    assert find(DockerStart).inspect() == Inspection()


@pytest.mark.parametrize(
    "text", ["", " \n", "\ufeff{}", '{"log-driver": "json-file"}', '{"userns-remap": ""}']
)
def test_settings_that_the_daemon_takes(text: str) -> None:
    assert judged(settings(text)) == Inspection()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n "log-driver":\n}', "is no JSON (line 3): the daemon refuses it"),
        ('{"log-driver": "json-file",}', "is no JSON (line 1): the daemon refuses it"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "holds no JSON object"),
        (
            '{"hosts": ["unix:///x"]}',
            "sets hosts, and /usr/lib/systemd/system/docker.service gives",
        ),
        ('{"userns-remap": "default"}', "from its next start on the daemon knows none of the"),
    ],
)
def test_settings_that_wait_for_the_next_start(text: str, words: str) -> None:
    (problem,) = judged(settings(text)).problems

    assert problem.startswith(DAEMON_JSON)
    assert words in problem


def test_users_that_are_remapped_already_are_the_engine_s_matter() -> None:
    daemon = docker(SecurityOptions=["name=userns"])

    assert judged(settings('{"userns-remap": "default"}'), daemon) == Inspection()
    assert judged(settings('{"userns-remap": "default"}'), docker()).problems


def test_settings_that_may_not_be_read() -> None:
    found = judged(settings(error="EACCES"))

    assert not found.problems
    assert "needs root: /etc/docker/daemon.json" in str(found.unknown)
    assert judged(settings(error="EISDIR")).problems == [f"{DAEMON_JSON} is a directory"]


def test_settings_that_the_unit_takes_from_elsewhere() -> None:
    elsewhere = drop_in("ExecStart=\nExecStart=/usr/bin/dockerd --config-file=/opt/d.json")

    assert judged(elsewhere, settings("{")) == Inspection()
    assert "/opt/d.json is no JSON" in judged(elsewhere, settings("{", "/opt/d.json")).problems[0]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (StatAnswer(error="ENOENT"), "starts /opt/dockerd, which is not there"),
        (StatAnswer(kind="link", resolved=Resolved(error="ENOENT")), "which is not there"),
        (StatAnswer(kind="directory", mode=0o755), "starts /opt/dockerd, which is no program"),
        (StatAnswer(kind="file", mode=0o644), "which is no program"),
    ],
)
def test_a_program_that_does_not_start(program: StatAnswer, words: str) -> None:
    moved = drop_in("ExecStart=\nExecStart=-/opt/dockerd \\\n  -H fd://")
    (problem,) = judged(moved, {Stat("/opt/dockerd"): program}).problems

    assert problem.startswith(f"{ETC}/docker.service.d/own.conf")
    assert words in problem


def test_a_program_that_may_not_be_looked_at() -> None:
    assert judged({Stat("/usr/bin/dockerd"): StatAnswer(error="EACCES")}).doubts


def test_a_second_command_that_does_not_replace_the_first() -> None:
    second = "ExecStart=/usr/bin/dockerd --debug"

    assert "adds a second ExecStart" in judged(drop_in(second)).problems[0]
    assert not judged(drop_in(f"Type=oneshot\n{second}")).problems
    assert not judged(drop_in(f"ExecStart=\n{second}")).problems


def test_of_two_files_of_one_name_the_first_place_counts() -> None:
    mine = drop_in("Environment=A=1")
    theirs = drop_in("ExecStart=/gone", f"{USR}/docker.service.d/own.conf", USR)

    assert judged(mine, theirs) == Inspection()
    assert judged(theirs).problems


def test_a_drop_in_that_may_not_be_read() -> None:
    pattern = f"{ETC}/docker.service.d/*.conf"
    path = f"{ETC}/docker.service.d/proxy.conf"
    found = judged({Files(pattern): FilesAnswer(files={}, errors={path: "EACCES"})})

    assert not found.problems
    assert f"needs root: {path}" in str(found.unknown)
