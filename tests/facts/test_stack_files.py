"""The compose file that compose picks, and what it has to hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sesam_audit.asks import ComposeAnswer, Names, NamesAnswer
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.stack_files import StackFiles
from sesam_audit.wanted import STORE

from .machine import find
from .sesam_host import COMPOSE, Answers, document, on_data_disk, rendered

Services = dict[str, Any]


def inspect(changes: Answers | None = None) -> Inspection:
    return find(StackFiles, on_data_disk() | (changes or {}), rounds=1).inspect()


def names(*found: str) -> Answers:
    return {Names("/srv/data"): NamesAnswer(names=found)}


def changed(change: Callable[[Services], object]) -> Inspection:
    value = document()
    change(value["services"])
    return inspect(rendered(value))


def test_the_products_stack() -> None:
    assert inspect() == Inspection()


def test_the_published_stack_with_own_certificates() -> None:
    assert inspect(rendered(document("provided"))) == Inspection()


def test_no_file() -> None:
    assert inspect(names(".env")).problems == ["there is no docker-compose.yml in /srv/data"]


def test_no_directory() -> None:
    missing: Answers = {Names("/srv/data"): NamesAnswer(error="ENOENT")}

    assert inspect(missing).problems == ["there is no docker-compose.yml in /srv/data"]


def test_a_directory_that_may_not_be_listed() -> None:
    found = inspect({Names("/srv/data"): NamesAnswer(error="EACCES")})

    assert not found.problems
    assert "needs root" in str(found.unknown)


def test_the_other_suffix_is_noted() -> None:
    found = inspect(names("docker-compose.yaml"))

    assert not found.problems
    assert found.notes == ["compose picks docker-compose.yaml; the guide names docker-compose.yml"]


@pytest.mark.parametrize(
    ("other", "note"),
    [
        ("compose.yaml", "compose picks compose.yaml, beside it lies docker-compose.yml"),
        ("docker-compose.override.yml", "compose silently adds docker-compose.override.yml"),
    ],
)
def test_files_beside_it_are_named(other: str, note: str) -> None:
    assert note in inspect(names("docker-compose.yml", other)).notes[0]


def test_a_file_that_compose_refuses() -> None:
    message = "yaml: line 2: did not find expected ',' or ']'\n"
    found = inspect({COMPOSE: ComposeAnswer(code=15, message=message)})

    assert found.problems == [f"docker compose refuses it: {message.strip()}"]


def test_without_docker_nothing_is_proved() -> None:
    found = inspect({COMPOSE: ComposeAnswer(error="ENOENT", message="there is no docker")})

    assert not found.problems
    assert "docker is not installed" in str(found.unknown)


def test_unset_variables() -> None:
    warning = 'The "USER_ID" variable is not set. Defaulting to a blank string.'
    found = inspect(rendered(warnings=(warning, warning)))

    assert found.problems == [warning]


def test_other_warnings_are_notes() -> None:
    assert inspect(rendered(warnings=("`version` is obsolete",))).notes == ["`version` is obsolete"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s.pop("sesam-node"), "the stack has no sesam-node"),
        (lambda s: s.pop("traefik"), "the stack has no Traefik"),
        (lambda s: s.pop("fluentbit"), "the stack has no fluentbit to ship the logs"),
        (lambda s: s.pop("watchtower"), "the stack has nothing that updates the images"),
        (lambda s: s["traefik"]["ports"].pop(), "Traefik does not publish 443"),
        (
            lambda s: s["traefik"]["ports"][1].update(host_ip="127.0.0.1"),
            "Traefik publishes 443 on the host's own loopback alone",
        ),
        (
            lambda s: [port.update(host_ip="::1") for port in s["traefik"]["ports"]],
            "Traefik publishes 80 and 443 on the host's own loopback alone",
        ),
        (
            lambda s: s["traefik"]["ports"][1].update(protocol="udp"),
            "Traefik does not publish 443",
        ),
        (
            lambda s: s["sesam-node"].update(volumes=[]),
            "sesam-node has no directory of the host mounted on /sesam/data",
        ),
        (
            lambda s: s["sesam-node"]["labels"].pop("traefik.http.routers.sesam-node.rule"),
            "sesam-node has no Host(`...`) rule for Traefik",
        ),
        (
            lambda s: s["sesam-node"]["labels"].update(
                {"traefik.http.services.sesam-node.loadbalancer.server.port": "80"}
            ),
            "sesam-node's labels do not lead Traefik to port 9042",
        ),
        (
            lambda s: s["sesam-node"]["labels"].update({"traefik.enable": "false"}),
            "sesam-node's label traefik.enable is false: Traefik leads nobody to it",
        ),
        (
            lambda s: s["sesam-node"]["labels"].pop("traefik.enable"),
            "exposedByDefault is false, and sesam-node has no label traefik.enable",
        ),
        (
            lambda s: s["traefik"].update(image="nginx:latest"),
            "the service traefik runs nginx:latest, which is not Traefik",
        ),
        (
            lambda s: s["sesam-node"].update(image="docker.io/library/alpine"),
            "the service sesam-node runs docker.io/library/alpine, which is not sesam-node",
        ),
        (
            lambda s: s["sesam-node"]["volumes"][2].update(read_only=True),
            f"sesam-node may not write to /sesam/data: {STORE} is mounted read-only",
        ),
        (
            lambda s: s["sesam-node"]["volumes"][3].update(read_only=True),
            "sesam-node may not write to /sesam/logs: /sesam/node-00 is mounted read-only",
        ),
        (
            lambda s: s["traefik"].update(networks={"web": None}),
            "sesam-node and Traefik share no network: Traefik cannot reach the node",
        ),
        (
            lambda s: s["watchtower"].update(command=["traefik"]),
            "watchtower watches traefik, but not sesam-node",
        ),
    ],
)
def test_what_a_stack_needs(change: Callable[[Services], object], problem: str) -> None:
    assert problem in changed(change).problems


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda s: s.update(db={"image": "postgres"}), "not in the product's stack: db"),
        (lambda s: s["sesam-node"].pop("restart"), "sesam-node does not start again by itself"),
        (lambda s: s["traefik"].update(networks=None), "is on no network of Docker's"),
        (lambda s: s["traefik"].update(image="mirror/edge:3"), "the image of Traefik is mirror/ed"),
        (
            lambda s: s["watchtower"].update(image="nickfedor/watchtower"),
            "the images are updated by nickfedor/watchtower",
        ),
        (
            lambda s: s["sesam-node"].update(image="mirror/sesam-node:latest"),
            "the image of sesam-node is mirror/sesam-node",
        ),
    ],
)
def test_differences_are_listed_not_failed(change: Callable[[Services], object], note: str) -> None:
    found = changed(change)

    assert not found.problems
    assert any(note in each for each in found.notes)


def test_where_all_are_exposed_no_label_is_needed() -> None:
    def expose(services: Services) -> None:
        services["traefik"]["command"][1] = "--providers.docker.exposedByDefault=true"
        services["sesam-node"]["labels"].pop("traefik.enable")

    assert changed(expose) == Inspection()


def test_with_a_file_that_decides_flags_prove_nothing() -> None:
    value = document("provided")
    value["services"]["sesam-node"]["labels"].pop("traefik.enable")
    found = inspect(rendered(value))

    assert not found.problems
    assert "Traefik's configuration file decides" in found.notes[0]


def test_networks_that_compose_makes_itself() -> None:
    value = document()
    value["networks"]["sesam"] = {"name": "data_sesam", "ipam": {}}
    found = inspect(rendered(value))

    assert not found.problems
    assert "a network data_sesam of its own, and the network sesam of the guide" in found.notes[0]


def test_the_operators_own_updater() -> None:
    socket = {"type": "bind", "source": "/var/run/docker.sock", "target": "/var/run/docker.sock"}

    def swap(services: Services) -> None:
        services.pop("watchtower")
        services["updates"] = {"image": "our/updater:2", "restart": "always", "volumes": [socket]}

    assert not changed(swap).problems


def test_watchtower_without_names_watches_all() -> None:
    assert not changed(lambda s: s["watchtower"].update(command=None)).problems
