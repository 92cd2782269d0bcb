"""What the stack mounts: there, and of the right type."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Stat, StatAnswer
from sesam_audit.facts.bind_sources import BindSources
from sesam_audit.facts.inspection import Inspection

from .machine import find
from .sesam_host import link, rendered, there

MISSING = StatAnswer(error="ENOENT")


def inspect(target: str, place: StatAnswer, **mount: Any) -> Inspection:
    volume = {"type": "bind", "source": "/host/x", "target": target, **mount}
    value = {"services": {"a": {"volumes": [volume]}}}
    return find(BindSources, rendered(value) | {Stat("/host/x"): place}, rounds=2).inspect()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/config.json", "file"),
        ("/etc/traefik/traefik.yml", "file"),
        ("/var/run/docker.sock", "socket"),
        ("/sesam/data", "directory"),
        ("/letsencrypt", "directory"),
        ("/etc/localtime", "file"),
        ("/etc/localtime", "directory"),
    ],
)
def test_the_right_type(target: str, kind: str) -> None:
    assert inspect(target, there(kind)) == Inspection()


@pytest.mark.parametrize(
    ("target", "place", "words"),
    [
        ("/config.json", MISSING, "is missing: Docker would make a directory of it"),
        ("/config.json", there("directory"), "is a directory, but a needs a file"),
        ("/var/run/docker.sock", there("directory"), "is a directory, but a needs a socket"),
        ("/sesam/data", there("file"), "is a file, but a needs a directory"),
        ("/etc/traefik/traefik.yml", link("/gone", error="ENOENT"), "leads nowhere"),
        ("/sesam", link("/gone", error="ELOOP"), "leads nowhere"),
    ],
)
def test_the_wrong_type(target: str, place: StatAnswer, words: str) -> None:
    (problem,) = inspect(target, place).problems

    assert words in problem


def test_a_link_counts_as_what_it_leads_to() -> None:
    assert inspect("/config.json", link("/real", inode=4, kind="file")) == Inspection()


def test_a_missing_directory_is_noted() -> None:
    found = inspect("/data", MISSING)

    assert not found.problems
    assert found.notes == ["/host/x is missing: Docker will make it, owned by root"]


def test_a_missing_directory_that_docker_must_not_make() -> None:
    found = inspect("/data", MISSING, bind={"create_host_path": False})

    assert "forbids" in found.problems[0]


@pytest.mark.parametrize("source", ["/var/run/docker.sock", "/run/docker.sock"])
def test_a_missing_socket_of_the_daemon_is_the_engines_matter(source: str) -> None:
    found = inspect("/var/run/docker.sock", MISSING, source=source)

    assert not found.problems
    assert found.notes == [f"there is no {source}: docker.engine tells why"]


@pytest.mark.parametrize("source", ["/run/user/1000/docker.sock", "/var/run/dokcer.sock"])
def test_a_missing_socket_that_is_nobody_s(source: str) -> None:
    (problem,) = inspect("/var/run/docker.sock", MISSING, source=source).problems

    assert problem == f"{source} is missing: Docker would make a directory of it for a"


def test_what_may_not_be_seen_proves_nothing() -> None:
    assert "needs root" in str(inspect("/config.json", StatAnswer(error="EACCES")).unknown)


def test_volumes_are_docker_s_own() -> None:
    assert inspect("/tmp", MISSING, type="volume", source="named") == Inspection()


def test_the_products_stack_on_a_bare_host() -> None:
    found = find(BindSources, rendered()).inspect()

    (problem,) = found.problems
    assert problem.startswith("/home/sesam/.docker/config.json is missing")
    assert problem.endswith("for watchtower")
