"""What version of Docker's API each service speaks."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Compose, ComposeAnswer
from sesam_audit.facts.docker_clients import Client, DockerClients
from sesam_audit.facts.stack import ENVIRONMENT
from sesam_audit.wanted import POINT

from .bare import find, unknown


def client(image: str, **service: Any) -> Client:
    document = {"services": {"it": {"image": image, **service}}}
    stack = {Compose(POINT, ENVIRONMENT): ComposeAnswer(code=0, document=document)}
    return find(DockerClients, stack).clients[0]


@pytest.mark.parametrize(
    "image",
    ["containrrr/watchtower", "docker.io/containrrr/watchtower:1.7.1"],
)
def test_watchtower_speaks_its_default(image: str) -> None:
    assert client(image).version == "1.25"


def test_watchtower_is_told_by_its_environment() -> None:
    told = client("containrrr/watchtower", environment={"DOCKER_API_VERSION": "1.44"})

    assert told.version == "1.44"


@pytest.mark.parametrize(
    "words", [["--api-version", "1.44"], ["-a", "1.44"], ["--api-version=1.44"]]
)
def test_watchtower_is_told_by_its_command(words: list[str]) -> None:
    assert client("containrrr/watchtower", command=["--cleanup", *words]).version == "1.44"


def test_a_maintained_fork_negotiates() -> None:
    assert client("nickfedor/watchtower").version == ""


@pytest.mark.parametrize(
    "tag", ["v3.6.0", "3.1", "v2.10", "v2.11.30", "v3.0.0-alpine", "v1.7", "v3.5"]
)
def test_traefik_of_old_speaks_1_24(tag: str) -> None:
    assert client(f"traefik:{tag}") == Client("it", f"traefik:{tag}", "1.24")


@pytest.mark.parametrize(
    "tag", ["latest", "v3", "v3.6", "v3.6.1", "v3.7.0", "v2.11.31", "v2.11", "v2", "4.0"]
)
def test_traefik_of_today_negotiates(tag: str) -> None:
    assert client(f"traefik:{tag}").version == ""


def test_traefik_without_a_tag() -> None:
    assert client("traefik").version == ""


@pytest.mark.parametrize("image", ["traefik:saintnectaire", "traefik@sha256:1234"])
def test_traefik_of_unknown_age(image: str) -> None:
    assert client(image).doubt == "its tag does not tell its version"


def test_the_stack_does_not_render() -> None:
    assert "cannot read the stack" in unknown(DockerClients)
