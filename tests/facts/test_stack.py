"""The rendered stack, from what compose printed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sesam_audit.asks import ComposeAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.stack import BindMount, Rendering, Service, Stack

from .machine import find
from .sesam_host import COMPOSE, document, rendered


def stack(value: dict[str, Any] | None = None) -> Stack:
    return find(Stack, rendered(value))


def only(**service: Any) -> Service:
    return stack({"services": {"x": service}}).services["x"]


def test_services_by_role() -> None:
    roles = {role: stack().role(role) for role in ("node", "traefik", "logs", "updater")}

    assert {role: found.name for role, found in roles.items() if found} == {
        "node": "sesam-node",
        "traefik": "traefik",
        "logs": "fluentbit",
        "updater": "watchtower",
    }


def test_a_role_by_image_whatever_the_name() -> None:
    value = {"services": {"a": {"image": "mirror.local:5000/sesam/sesam-node:weekly"}}}
    found = stack(value).role("node")

    assert found
    assert (found.name, found.tag) == ("a", "weekly")


def test_a_role_by_name_whatever_the_image() -> None:
    found = stack({"services": {"traefik": {"image": "our/proxy:1"}}}).role("traefik")

    assert found
    assert found.image == "our/proxy:1"


def test_no_such_role() -> None:
    assert stack({"services": {}}).role("node") is None


def test_ports_and_networks_and_labels() -> None:
    traefik, node = stack().services["traefik"], stack().services["sesam-node"]

    assert traefik.ports == (80, 443)
    assert node.networks == ("microservices", "sesam")
    assert node.labels["traefik.http.services.sesam-node.loadbalancer.server.port"] == "9042"


def test_networks_by_their_real_names() -> None:
    assert stack().networks["default"] == "data_default"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/sesam/data", "/srv/data/sesam/node-00/data"),
        ("/sesam/data/license.key", "/srv/data/sesam/node-00/data/license.key"),
        ("/sesam/logs", "/sesam/node-00/logs"),
        ("/sesam", "/sesam/node-00"),
        ("/sesamx", None),
        ("/tmp/x", None),  # a volume, not a place on the host
    ],
)
def test_where_a_path_of_the_container_lies(path: str, place: str | None) -> None:
    assert stack().services["sesam-node"].on_host(path) == place


def test_a_volume_below_a_mount_of_the_host_is_no_place_on_it() -> None:
    whole = {"type": "bind", "source": "/sesam/node-00", "target": "/sesam"}
    data = {"type": "volume", "source": "data", "target": "/sesam/data"}
    found = only(volumes=[whole, data])

    assert (found.on_host("/sesam/logs"), found.on_host("/sesam/data")) == (
        "/sesam/node-00/logs",
        None,
    )


@pytest.mark.parametrize(
    ("image", "repository", "tag", "digest"),
    [
        ("sesam/sesam-node:weekly-prod", "sesam/sesam-node", "weekly-prod", ""),
        ("sesam/sesam-node:", "sesam/sesam-node", "", ""),
        ("containrrr/watchtower", "containrrr/watchtower", "", ""),
        ("registry:5000/sesam/sesam-node", "registry:5000/sesam/sesam-node", "", ""),
        ("a/b:1@sha256:00", "a/b", "1", "sha256:00"),
        ("", "", "", ""),
    ],
)
def test_images(image: str, repository: str, tag: str, digest: str) -> None:
    service = Service("x", image=image)

    assert (service.repository, service.tag, service.digest) == (repository, tag, digest)


def test_doubled_dollars_are_one() -> None:
    assert only(command=["a$$b"], labels={"k": "$$HOME"}).labels == {"k": "$HOME"}


def test_lists_of_pairs() -> None:
    found = only(environment=["A=1", "B"], labels=["k=v=w"])

    assert (found.environment, found.labels) == ({"A": "1", "B": None}, {"k": "v=w"})


def test_a_command_as_one_text() -> None:
    assert only(command="a  b").command == ("a", "b")


def test_a_source_that_docker_must_not_make() -> None:
    mount = {"type": "bind", "source": "/a", "target": "/b", "bind": {"create_host_path": False}}

    assert only(volumes=[mount]).mounts == (BindMount("/a", "/b", creates=False),)


@pytest.mark.parametrize(
    "value",
    [
        {"services": []},
        {"services": {"x": None}},
        {"services": {"x": {"volumes": [1, {"target": 5}], "ports": {"a": 1}, "labels": 7}}},
        {"services": {"x": {"image": ["a"], "command": {"a": 1}, "networks": "sesam"}}},
        {"networks": [1]},
    ],
)
def test_hostile_shapes_are_no_services(value: dict[str, Any]) -> None:
    assert stack(value).role("node") is None


def test_warnings_are_kept() -> None:
    assert find(Stack, rendered(warnings=("w",))).warnings == ("w",)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ComposeAnswer(error="ENOENT", message="there is no docker"), "docker is not installed"),
        (ComposeAnswer(code=1, message="open /srv/data/.env: permission denied"), "needs root"),
        (ComposeAnswer(code=125, message="unknown flag: --format"), "no compose plugin"),
        (ComposeAnswer(code=1, message="docker: 'compose' is not a docker command."), "no compose"),
        (ComposeAnswer(error="TOOBIG"), "TOOBIG"),
        (ComposeAnswer(code=137), "not rendered"),
    ],
)
def test_a_host_that_cannot_render_proves_nothing(answer: ComposeAnswer, reason: str) -> None:
    with pytest.raises(Unknown, match=reason):
        find(Rendering, {COMPOSE: answer})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            ComposeAnswer(code=15, message="yaml: line 2: did not find expected ',' or ']'"),
            "yaml: line 2: did not find expected ',' or ']'",
        ),
        (ComposeAnswer(error="ENOENT"), "/srv/data does not exist"),
    ],
)
def test_a_stack_that_does_not_render(answer: ComposeAnswer, message: str) -> None:
    assert find(Rendering, {COMPOSE: answer}) == Rendering(None, message)


def test_a_stack_that_does_not_render_is_unknown_to_others() -> None:
    words = re.escape("docker compose cannot read the stack: yaml: line 2")
    with pytest.raises(Unknown, match=words):
        find(Stack, {COMPOSE: ComposeAnswer(code=15, message="yaml: line 2")})


def test_the_captures_are_of_one_stack() -> None:
    names = ("letsencrypt", "no-env", "provided")

    assert len({tuple(document(name)["services"]) for name in names}) == 1
