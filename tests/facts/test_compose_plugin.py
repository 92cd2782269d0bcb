"""For whom the compose plugin is there."""

from __future__ import annotations

import pytest

from sesam_audit.asks import (
    ComposeVersion,
    DockerConfig,
    DockerConfigAnswer,
    Resolved,
    Run,
    RunAnswer,
    Self,
    SelfAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.facts.compose_plugin import SHARED, ComposePlugin, Plugin

from .bare import Given, find, unknown

ASK = ("docker", "compose", "version", "--short")
OLD_USAGE = "unknown flag: --short\nSee 'docker --help'.\n\nUsage:  docker [OPTIONS] COMMAND\n"


def works(version: str = "2.40.3") -> Given:
    return {ComposeVersion(): RunAnswer(code=0, out=f"{version}\n")}


def refused(words: str) -> Given:
    return {ComposeVersion(): RunAnswer(code=125, err=words)}


@pytest.mark.parametrize("version", ["2.26.1-4", "v2.20.2", "2.40.3+ds1-0ubuntu1", "5.0.0"])
def test_versions_as_packages_write_them(version: str) -> None:
    found = find(ComposePlugin, works(version))

    assert found.plugins[0].version == version.removeprefix("v")


@pytest.mark.parametrize("place", SHARED)
def test_a_plugin_for_everybody(place: str) -> None:
    path = f"{place}/docker-compose"
    file = StatAnswer(kind="file", resolved=Resolved(path, "file", mode=0o755))

    assert find(ComposePlugin, works(), {Stat(path): file}).shared == path


def test_a_plugin_that_others_may_not_run_is_nobodys() -> None:
    path = f"{SHARED[0]}/docker-compose"
    file = StatAnswer(kind="file", resolved=Resolved(path, "file", mode=0o700))

    assert find(ComposePlugin, works(), {Stat(path): file}).shared == ""


@pytest.mark.parametrize("words", [OLD_USAGE, "docker: 'compose' is not a docker command."])
def test_no_plugin(words: str) -> None:
    assert find(ComposePlugin, refused(words)).plugins == (Plugin("root", "", words.strip()),)


def test_podmans_stand_in() -> None:
    found = find(ComposePlugin, refused("Error: unrecognized command `podman compose`\n"))

    assert found.plugins[0].podman


def test_compose_v1_beside_nothing() -> None:
    alone = {Run(("docker-compose", "version", "--short")): RunAnswer(code=0, out="1.29.2\n")}

    assert find(ComposePlugin, refused(OLD_USAGE), alone).standalone == "1.29.2"


def test_no_docker_at_all() -> None:
    found = find(ComposePlugin)

    assert (found.docker, found.installed) == (False, False)


def test_a_daemon_without_a_command() -> None:
    found = find(ComposePlugin, {Stat("/usr/bin/dockerd"): StatAnswer(kind="file")})

    assert (found.docker, found.installed) == (False, True)


def test_the_user_behind_sudo_is_asked_too() -> None:
    answers = {
        Self(): SelfAnswer(uid=0, user="root", login="operator"),
        Run(ASK, user="operator"): RunAnswer(code=125, err="unknown flag: --short"),
    }

    found = find(ComposePlugin, works("2.40.3"), answers)

    assert [(each.user, each.version) for each in found.plugins] == [
        ("root", "2.40.3"),
        ("operator", ""),
    ]


def test_commands_that_go_elsewhere() -> None:
    answer = DockerConfigAnswer(json=True, context="desktop-linux")
    context = {DockerConfig("/root/.docker/config.json"): answer}

    assert find(ComposePlugin, works(), context).context == "desktop-linux"


def test_a_program_that_could_not_be_tried() -> None:
    assert "EACCES" in unknown(ComposePlugin, {ComposeVersion(): RunAnswer(error="EACCES")})
