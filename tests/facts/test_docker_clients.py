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
    [
        "containrrr/watchtower",
        "docker.io/containrrr/watchtower:1.7.1",
        "index.docker.io/containrrr/watchtower",
        "ghcr.io/containrrr/watchtower",
        "localhost:5000/mirror/containrrr/watchtower",
    ],
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


def test_the_forerunner_of_watchtower() -> None:
    assert client("v2tec/watchtower") == Client("it", "v2tec/watchtower", "1.24")


@pytest.mark.parametrize("image", ["nickfedor/watchtower", "ghcr.io/nicholas-fedor/watchtower"])
def test_a_maintained_fork_negotiates(image: str) -> None:
    assert client(image).version == ""


@pytest.mark.parametrize(
    "image", ["acme/watchtower", "mirror.local/watchtower:1", "a/my-watchtower"]
)
def test_a_watchtower_that_nobody_knows_is_doubted(image: str) -> None:
    assert client(image).doubt == "which version this watchtower speaks is not known"
    assert client(image, environment={"DOCKER_API_VERSION": "1.44"}).doubt == ""


@pytest.mark.parametrize(
    "image",
    [
        "docker.io/traefik:v2.10",
        "index.docker.io/library/traefik:v2.10",
        "mirror.local/library/traefik:v2.10",
        "mirror.local:5000/traefik:v2.10",
        "ghcr.io/traefik/traefik:v2.10",
    ],
)
def test_traefik_of_old_from_another_registry(image: str) -> None:
    assert client(image) == Client("it", image, "1.24")


@pytest.mark.parametrize("image", ["acme/traefik:v3.7", "rancher/mirrored-library-traefik"])
def test_a_traefik_of_somebody_else_is_doubted(image: str) -> None:
    assert client(image).doubt == "not Traefik's own image"


@pytest.mark.parametrize("image", ["traefik/whoami:v1", "thomseddon/traefik-forward-auth:2"])
def test_what_only_sounds_like_traefik(image: str) -> None:
    assert client(image) == Client("it", image)


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
