"""The probe's room on a real Docker daemon: what it makes, what goes through it, what is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sesam_audit.asks import (
    Ask,
    Dial,
    DialAnswer,
    DockerApi,
    DockerApiAnswer,
    Listen,
    ListenAnswer,
    Listeners,
    ListenersAnswer,
    Run,
    RunAnswer,
)
from sesam_audit.bootstrap import Privilege, command, program
from sesam_audit.channel import _descendants
from tests.test_probe import MARKER, TEXT, Conversation

from .host import LabHost, Wanted
from .lab import Lab

DEFAULT, SESAM = "container default", "container sesam"
PORTAL = Dial("portal.sesam.io", context=DEFAULT)
RESTART = "systemctl reset-failed; systemctl restart docker"
LABEL = "label=sesam-audit.room"
THINGS = f"docker ps -aq; docker images -aq; docker network ls -q --filter {LABEL}"
PROBES = "pgrep -x python3 || true"  # the probe and its janitor


class Inside(Conversation):
    """A conversation with a probe inside a lab host."""

    def __init__(self, host: LabHost, user: str = "root") -> None:
        enter = ("nsenter", f"--target={host.pid}", "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
        line = "exec " + command(MARKER, Privilege.PLAIN)
        self.process = subprocess.Popen(
            (*enter, "runuser", "-u", user, "--", "sh", "-c", line),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        self.send(program(MARKER, TEXT, None))


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("roomy", Wanted(data_disk=False))
    yield host
    lab.stop_host(host)


@pytest.fixture
def asked(host: LabHost) -> Iterator[Conversation]:
    with Inside(host) as conversation:
        yield conversation
    assert left(host) == ""


def left(host: LabHost, seconds: float = 10) -> str:
    """What is still there after some seconds: ids of things, pids of programs."""
    until = time.monotonic() + seconds
    while (things := host.run(f"{THINGS}; {PROBES}").stdout) and time.monotonic() < until:
        time.sleep(0.1)
    return things


def kept(host: LabHost) -> str:
    return host.run("iptables-save | grep -v '^[#:]'; ip -br -4 address; docker network ls").stdout


def seen_from(lab: Lab, host: LabHost, port: int, address: str = "") -> str:
    """The token that the auditor's machine is answered with."""
    curl = ("curl", "-si", "-m", "3", f"http://{address or host.address}:{port}/")
    out = subprocess.run(lab.as_auditor(*curl), capture_output=True, text=True, check=False).stdout
    return out.partition("X-Sesam-Audit: ")[2].split("\n")[0].strip()


@pytest.mark.parametrize("context", [DEFAULT, SESAM])
def test_a_container_dials_with_its_own_resolver_and_route(
    asked: Conversation, context: str
) -> None:
    answer: DialAnswer = asked(Dial("portal.sesam.io", context=context))

    assert (answer.error, answer.layer, answer.status) == (None, "done", 200)
    assert answer.context == context
    assert answer.attempts[0].source.startswith("192.0.2." if context == DEFAULT else "172.")
    assert (answer.trusted, answer.store, answer.whole_chain) == (None, "", True)


@pytest.mark.parametrize("instead", ["true", "docker network create --internal sesam"])
def test_without_a_network_sesam_that_leads_out_the_other_stands_in(
    asked: Conversation, host: LabHost, instead: str
) -> None:
    host.run(f"docker network rm sesam; {instead}")
    try:
        answer = asked(Dial("portal.sesam.io", context=SESAM))
    finally:
        host.run("docker network rm sesam", check=False)
        host.run("docker network create sesam")

    assert (answer.error, answer.context) == (None, DEFAULT)


def test_names_that_only_the_hosts_file_knows_are_unknown_inside(
    asked: Conversation, host: LabHost
) -> None:
    name = "pinned.sesam.io"
    before = host.read("/etc/hosts")
    host.write("/etc/hosts", f"{before}192.88.99.19 {name}\n")
    try:
        outside, inside = asked.all(Dial(name, path=""), Dial(name, path="", context=DEFAULT))
    finally:
        host.write("/etc/hosts", before)

    assert outside.addresses == ("192.88.99.19",)
    assert (inside.error, inside.detail) == ("NXDOMAIN", "asked 127.0.0.11")


def test_what_a_published_port_answers_comes_through_docker(
    lab: Lab, asked: Conversation, host: LabHost
) -> None:
    heard: ListenAnswer = asked(Listen((80, 443), published=True))

    assert (heard.ports, heard.published, heard.detail) == ({"80": "", "443": ""}, True, "")
    assert {seen_from(lab, host, port) for port in (80, 443)} == {heard.token}
    assert "192.0.2.2:443" in host.run("iptables-save -t nat").stdout


def test_a_port_that_is_taken_is_left_alone(lab: Lab, asked: Conversation, host: LabHost) -> None:
    listen = 'import socket; s = socket.create_server(("127.0.0.1", 80)); s.accept()'
    host.run(f"systemd-run --quiet --unit=squatter python3 -c '{listen}'")
    host.run("until ss -ltn | grep -q 127.0.0.1:80; do sleep 0.05; done")
    try:
        heard = asked(Listen((80, 443), published=True))
        answered = seen_from(lab, host, 443)
    finally:
        host.run("systemctl stop squatter")

    assert (heard.ports, heard.published) == ({"80": "EADDRINUSE", "443": ""}, True)
    assert answered == heard.token


def test_a_port_that_another_container_has_without_a_process(lab: Lab, host: LabHost) -> None:
    host.write("/etc/docker/daemon.json", '{"userland-proxy": false}')
    host.run(RESTART)
    mounts = " ".join(f"-v {each}:{each}:ro" for each in ("/usr", "/lib", "/lib64", "/bin"))
    host.run(
        "tar -c --files-from /dev/null | docker import - tiny >/dev/null;"
        f" docker run -d --rm --name other -p 443:443 {mounts} tiny /usr/bin/sleep 60"
    )
    try:
        with Inside(host) as asked:
            heard = asked(Listen((80, 443), published=True))
            answered = seen_from(lab, host, 80)
    finally:
        host.run("docker kill other; rm /etc/docker/daemon.json; sleep 0.5; docker rmi tiny")
        host.run(RESTART)

    assert (heard.ports, heard.published) == ({"80": "", "443": "EADDRINUSE"}, True)
    assert answered == heard.token
    assert left(host) == ""


def test_the_audit_does_not_see_its_own_room(asked: Conversation) -> None:
    looks: tuple[Ask[Any], ...] = (
        Listeners((80, 443)),
        Run(("iptables-save",)),
        *(DockerApi(path, ()) for path in ("/containers/json?all=1", "/networks", "/images/json")),
    )
    listeners, rules, *_ = asked.all(*looks, PORTAL, Listen((80, 443), published=True))
    later: Sequence[Any] = asked.all(*looks[2:])

    assert isinstance(listeners, ListenersAnswer)
    assert listeners.listeners == ()
    assert isinstance(rules, RunAnswer)
    assert "192.0.2." not in rules.out
    for answer in later:
        assert isinstance(answer, DockerApiAnswer)
        assert "sesam-audit" not in json.dumps(answer.value)


def test_everything_is_as_before(host: LabHost) -> None:
    before = kept(host)
    with Inside(host) as asked:
        asked.all(PORTAL, Dial("pypi.org", context=SESAM), Listen((80, 443), published=True))
        assert kept(host) != before

    assert left(host) == ""
    assert kept(host) == before


def test_nothing_is_pulled(lab: Lab, host: LabHost) -> None:
    assert host.run("docker images -aq").stdout == ""
    before = len(lab.internet.requests())
    with Inside(host) as asked:
        answer = asked(Dial("pypi.org", path="", context=DEFAULT))

    assert answer.layer == "done"
    asked_of = [line.split()[0] for line in lab.internet.requests()[before:]]
    assert not [name for name in asked_of if "docker" in name]
    assert left(host) == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_probe_that_is_killed_leaves_nothing(host: LabHost, number: signal.Signals) -> None:
    with Inside(host) as asked:
        asked.all(PORTAL, Listen((80, 443), published=True))
        (pid, *_) = host.run(PROBES).stdout.split()
        host.run(f"kill -{number.value} {pid}")

        assert left(host) == ""


def test_a_probe_that_is_killed_with_its_children_leaves_nothing(host: LabHost) -> None:
    """As Ctrl-C does to a probe on this machine."""
    with Inside(host) as asked:
        asked.all(PORTAL, Listen((80, 443), published=True))
        for pid in (*_descendants(asked.process.pid), asked.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

        assert left(host) == ""


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.5, 0.7])
def test_a_connection_that_ends_while_the_room_is_made(host: LabHost, seconds: float) -> None:
    with Inside(host) as asked:
        asked.request((PORTAL, Listen((80, 443), published=True)), 8)
        time.sleep(seconds)

    assert left(host) == ""


def test_leftovers_of_a_run_that_had_no_janitor_are_cleaned(host: LabHost) -> None:
    with Inside(host) as asked:
        asked(PORTAL)
        pids = " ".join(host.run(PROBES).stdout.split())
        host.run(f"kill -9 {pids}")
    assert left(host, 0.5) != ""

    with Inside(host) as asked:
        answer = asked(PORTAL)
    assert answer.layer == "done"
    assert left(host) == ""


def test_two_audits_at_once_leave_each_other_alone(lab: Lab, host: LabHost) -> None:
    with Inside(host) as first:
        heard = first(Listen((443,), published=True))
        with Inside(host) as second:
            other, answer = second.all(Listen((443,), published=True), PORTAL)
        time.sleep(1)

        assert (other.ports, answer.layer) == ({"443": "EADDRINUSE"}, "done")
        assert seen_from(lab, host, 443) == heard.token
    assert left(host) == ""


def test_an_ordinary_user_has_no_room(host: LabHost) -> None:
    with Inside(host, user="auditor") as asked:
        answer, heard = asked.all(PORTAL, Listen((8081,), published=True))

    assert (answer.error, answer.layer, answer.context) == ("NOROOM", "dns", "")
    assert answer.detail.startswith("needs root")
    assert (heard.ports, heard.published) == ({"8081": ""}, False)
    assert heard.detail == answer.detail


def test_a_daemon_that_is_stopped_makes_no_room(lab: Lab, host: LabHost) -> None:
    host.run("systemctl stop docker.socket docker.service")
    try:
        with Inside(host) as asked:
            answer, heard = asked.all(PORTAL, Listen((443,), published=True))
            answered = seen_from(lab, host, 443)
    finally:
        host.run("systemctl reset-failed; systemctl start docker.socket docker.service")

    assert answer.error == "NOROOM"
    assert "no Docker daemon answers" in answer.detail
    assert (heard.ports, heard.published) == ({"443": ""}, False)
    assert answered == heard.token


def test_a_daemon_with_userns_remap_makes_no_room(host: LabHost) -> None:
    host.write("/etc/docker/daemon.json", '{"userns-remap": "sesam"}')
    host.run("echo sesam:100000:65536 | tee /etc/subuid >/etc/subgid")
    host.run(RESTART)
    try:
        with Inside(host) as asked:
            answer = asked(PORTAL)
    finally:
        host.run(f"rm /etc/docker/daemon.json; {RESTART}")

    assert (answer.error, answer.detail) == (
        "NOROOM",
        "Docker runs with userns-remap (docker.engine)",
    )


def test_all_of_it_stands_within_the_deadline(asked: Conversation) -> None:
    began = time.monotonic()
    answer = asked(PORTAL, deadline=4)

    assert answer.layer == "done"
    assert answer.seconds < 1  # the wait for the room is no part of the dial
    assert time.monotonic() - began < 3


def test_two_audits_that_begin_together_both_have_a_room(host: LabHost) -> None:
    """Both find the ports free; the container of one does not start with them."""
    for _ in range(3):
        with Inside(host) as first, Inside(host) as second:
            for each in (first, second):
                each.request((PORTAL, Listen((80, 443), published=True)), 20)
            told = [json.loads(each.frame()) for each in (first, second)]
        assert left(host) == ""
        assert [dialled["layer"] for dialled, _ in told] == ["done", "done"]
        ports = [heard["ports"] for _, heard in told]
        for port in ("80", "443"):
            assert sorted(each[port] for each in ports) == ["", "EADDRINUSE"]
        marks = {heard["token"].partition("-")[0] for _, heard in told}
        assert len(marks) == 1
