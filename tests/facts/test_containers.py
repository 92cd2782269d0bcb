"""Docker's containers and who made them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sesam_audit.asks import DockerApiAnswer, Resolved, Stat, StatAnswer
from sesam_audit.facts.containers import ASK, Container, Containers

from .bare import Given, find, read, unknown


def listed(value: Any) -> Given:
    return {ASK: DockerApiAnswer(status=200, value=value)}


def test_containers_of_a_real_daemon() -> None:
    found = find(Containers, listed(json.loads(read("docker/containers.json"))))

    assert [each.name for each in found.containers] == ["ms", "web1", "traefik", "sesam"]
    assert [each.name for each in found.named(("traefik", "watchtower"))] == ["traefik"]
    assert [each.name for each in found.older] == ["sesam"]
    assert [each.name for each in found.made_by_v1] == ["ms", "web1"]
    assert [each.name for each in found.left_by_v1] == ["ms"]


def test_no_container() -> None:
    assert find(Containers, listed([])) == Containers()


def test_links_of_others_are_no_names() -> None:
    record = {"Names": ["/web/database", "/database"], "Image": "postgres:17"}

    assert find(Containers, listed([record])).containers[0].name == "database"


def test_published_ports_are_tcp_ports_of_the_host() -> None:
    ports = [
        {"IP": "0.0.0.0", "PrivatePort": 443, "PublicPort": 443, "Type": "tcp"},
        {"PrivatePort": 80, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 53, "PublicPort": 53, "Type": "udp"},
    ]

    assert find(Containers, listed([{"Ports": ports}])).containers[0].published == {443}


@pytest.mark.parametrize(
    "value", [[3], [{"Names": 1, "Labels": [], "Ports": {}}], [{"Ports": [1]}]]
)
def test_odd_shapes_name_nobody(value: Any) -> None:
    assert all(each.name == "" for each in find(Containers, listed(value)).containers)


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("sesam/sesam-node:weekly-prod", "sesam/sesam-node"),
        ("docker.io/sesam/sesam-node@sha256:12", "sesam/sesam-node"),
        ("docker.io/library/traefik:v3", "traefik"),
        ("registry.example:5000/traefik", "registry.example:5000/traefik"),
    ],
)
def test_image_names(image: str, repository: str) -> None:
    assert Container("x", image).repository == repository


@pytest.mark.parametrize(
    "container",
    [Container("x", project="data"), Container("x", project="s", directory="/srv/data")],
)
def test_the_stacks_own_containers(container: Container) -> None:
    assert container.of_stack()


def test_a_project_of_the_same_name_elsewhere_is_another_stack() -> None:
    theirs = Container("x", project="data", directory="/opt/data", service="traefik")

    assert not theirs.of_stack()
    assert Containers((theirs,)).taken_over == (theirs,)


@pytest.mark.parametrize("directory", ["/srv/data", "/srv/data/", "/mnt/disk"])
def test_the_stacks_directory_by_another_name(directory: str) -> None:
    labels = {"com.docker.compose.project": "x"}
    labels["com.docker.compose.project.working_dir"] = directory
    leads = StatAnswer(kind="link", resolved=Resolved(path="/mnt/disk", kind="directory"))

    (found,) = find(Containers, listed([{"Labels": labels}]), {Stat("/srv/data"): leads}).containers

    assert found.of_stack()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (DockerApiAnswer(error="EACCES"), "needs root"),
        (DockerApiAnswer(error="ECONNREFUSED"), "no Docker daemon answers"),
        (DockerApiAnswer(error="TOOBIG"), "TOOBIG"),
        (DockerApiAnswer(status=500), "HTTP 500"),
    ],
)
def test_containers_that_were_not_listed(answer: DockerApiAnswer, reason: str) -> None:
    assert reason in unknown(Containers, {ASK: answer})
