"""The daemon behind the socket, and what is there instead of one."""

from __future__ import annotations

import pytest

from sesam_audit.asks import (
    DockerApiAnswer,
    Names,
    NamesAnswer,
    Resolved,
    Run,
    RunAnswer,
    Self,
    SelfAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts import engine
from sesam_audit.facts.engine import BUILT_IN_POOLS, Engine

from .bare import Given, docker, find, said, unknown

DAEMON = {Stat("/usr/bin/dockerd"): StatAnswer(kind="file")}
BOOTED = {Stat("/proc/version"): StatAnswer(kind="file")}


def silent(error: str) -> Given:
    return {ask: DockerApiAnswer(error=error) for ask in (engine._INFO, engine._VERSION)}


def test_an_old_engine() -> None:
    found = find(Engine, docker("20.10"))

    assert found == Engine(
        kind="docker",
        version="20.10.24+dfsg1",
        api="1.41",
        min_api="1.12",
        cpus=2,
        memory=25276510208,
        root="/var/lib/docker",
        security=("seccomp",),
    )


def test_engine_29_tells_its_minimum() -> None:
    assert find(Engine, docker("29")).min_api == "1.44"


def test_podman_answers_as_docker() -> None:
    assert find(Engine, docker("podman")).kind == "podman"


def test_the_socket_is_podmans() -> None:
    link = StatAnswer(kind="link", resolved=Resolved("/run/podman/podman.sock", "socket"))

    assert find(Engine, silent("EACCES"), {Stat(engine.SOCKET): link}).kind == "podman"


def test_the_docker_command_is_podmans() -> None:
    shim = {Run(("docker", "--version")): RunAnswer(code=0, out="podman version 4.9.3\n")}

    assert find(Engine, shim, BOOTED).kind == "podman"


def test_nothing_is_there() -> None:
    assert find(Engine, BOOTED).kind == "absent"


@pytest.mark.parametrize("error", ["ENOENT", "ECONNREFUSED"])
@pytest.mark.parametrize("place", engine.DAEMONS)
def test_a_daemon_that_does_not_run(error: str, place: str) -> None:
    program = {Stat(place): StatAnswer(kind="file")}

    assert find(Engine, silent(error), program, BOOTED).kind == "stopped"


def test_a_daemon_in_an_image() -> None:
    assert find(Engine, DAEMON).kind == "installed"


def test_only_a_rootless_daemon() -> None:
    rooms = {
        Names("/run/user"): NamesAnswer(names=("1000",)),
        Stat("/run/user/1000/docker.sock"): StatAnswer(kind="socket"),
    }

    assert find(Engine, DAEMON, BOOTED, rooms).kind == "rootless"


def test_no_permission_is_no_absence() -> None:
    assert unknown(Engine, silent("EACCES"), BOOTED).startswith("needs root: /var/run/docker.sock")


def test_an_error_of_the_daemon() -> None:
    assert "HTTP 500" in unknown(Engine, docker(), said("/info", {"message": "no"}, 500))


def test_no_answer_in_time() -> None:
    assert "no answer in time" in unknown(Engine, silent("TIMEOUT"), DAEMON)


def test_foreign_shapes_do_not_crash() -> None:
    odd = docker(NCPU="many", SecurityOptions={"a": 1}, DefaultAddressPools=[7], DriverStatus=[1])

    found = find(Engine, odd, said("/version", {"Components": "none", "MinAPIVersion": 1.44}))

    assert (found.cpus, found.security, found.min_api) == (None, (), "")
    assert found.pools == BUILT_IN_POOLS


def test_security_options_by_name() -> None:
    options = ["name=seccomp,profile=builtin", "name=selinux", "name=userns", "name=rootless"]

    found = find(Engine, docker(SecurityOptions=options))

    assert found.security == ("seccomp", "selinux", "userns", "rootless")


def test_a_proxys_password_is_not_shown() -> None:
    found = find(Engine, docker(HttpsProxy="http://xxxxx:xxxxx@proxy.example:3128"))

    assert found.https_proxy == "http://proxy.example:3128"


def test_pools_of_its_own() -> None:
    found = find(Engine, docker(DefaultAddressPools=[{"Base": "10.201.0.0/16", "Size": 24}]))

    assert found.pools == (("10.201.0.0/16", 24),)


def test_images_in_containerd() -> None:
    found = find(Engine, docker(DriverStatus=[["driver-type", "io.containerd.snapshotter.v1"]]))

    assert found.containerd_images


def test_the_snap_is_told_by_its_root() -> None:
    assert find(Engine, docker(DockerRootDir="/var/snap/docker/common/var-lib-docker")).snap


def test_who_was_let_in_without_root() -> None:
    someone = {Self(): SelfAnswer(uid=1000, user="operator")}

    assert find(Engine, docker(), someone).user == "operator"


def test_facts_that_need_an_answer_get_none() -> None:
    with pytest.raises(Unknown, match="no Docker daemon answers"):
        Engine(kind="stopped").answering()
