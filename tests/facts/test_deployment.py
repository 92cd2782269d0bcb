"""The values that count: the rendered ones, else those of .env."""

from __future__ import annotations

import pytest

from sesam_audit.asks import ComposeAnswer, EnvFileAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import Deployment

from .machine import find
from .sesam_host import COMPOSE, DOMAIN, ENV_FILE, VALUES, Answers, document, env_file, rendered

NO_DOCKER: Answers = {COMPOSE: ComposeAnswer(error="ENOENT", message="there is no docker")}


def test_a_complete_deployment() -> None:
    found = find(Deployment, rendered() | env_file())

    assert found.values == VALUES
    assert (found.origin, found.present) == ("rendered", True)


def test_all_but_the_log_host_are_seen_in_the_rendered_stack() -> None:
    found = find(Deployment, rendered() | env_file())

    assert set(VALUES) - found.rendered == {"FLUENTBIT_HOST"}


def test_the_rendered_value_counts() -> None:
    found = find(Deployment, rendered() | env_file(NODE_DOMAIN="old.example.org"))

    assert found.value("NODE_DOMAIN") == DOMAIN


def test_no_env_file_renders_blanks() -> None:
    found = find(Deployment, rendered(document("no-env")))

    assert not found.present
    assert found.value("SESAM_NODE_IMAGE_TAG") == ""
    assert found.value("NODE_DOMAIN") == ""


def test_without_docker_the_file_counts() -> None:
    found = find(Deployment, NO_DOCKER | env_file())

    assert (found.origin, found.values) == ("file", VALUES)


def test_neither_docker_nor_file() -> None:
    assert not find(Deployment, NO_DOCKER).present


def test_without_docker_an_unreadable_file_proves_nothing() -> None:
    with pytest.raises(Unknown, match="needs root"):
        find(Deployment, NO_DOCKER | {ENV_FILE: EnvFileAnswer(error="EACCES")})


@pytest.mark.parametrize("stack", [NO_DOCKER, rendered(document("no-env"))])
def test_a_directory_in_place_of_the_file(stack: Answers) -> None:
    found = find(Deployment, stack | {ENV_FILE: EnvFileAnswer(error="EISDIR")})

    assert (found.present, found.directory) == (True, True)


def test_a_doubtful_line_is_not_guessed() -> None:
    doubtful: Answers = {ENV_FILE: EnvFileAnswer(values={}, doubtful=("NODE_DOMAIN",))}
    found = find(Deployment, NO_DOCKER | doubtful)

    with pytest.raises(Unknown, match="NODE_DOMAIN") as raised:
        found.value("NODE_DOMAIN")
    assert raised.value.command == "cd /srv/data && sudo docker compose config"


def test_a_doubtful_line_that_was_rendered_is_known() -> None:
    doubtful: Answers = {ENV_FILE: EnvFileAnswer(values={}, doubtful=("NODE_DOMAIN",))}

    assert find(Deployment, rendered() | doubtful).value("NODE_DOMAIN") == DOMAIN


def test_the_log_host_of_older_stacks() -> None:
    value = document()
    value["services"]["fluentbit"]["environment"]["HOST"] = "logs.sesam.cloud"

    assert (
        find(Deployment, rendered(value) | env_file()).value("FLUENTBIT_HOST") == "logs.sesam.cloud"
    )


@pytest.mark.parametrize("rule", ["Host(`a.b`)", 'Host("a.b")', "Host( `a.b` ) || Host(`c.d`)"])
def test_the_domain_from_the_router_rule(rule: str) -> None:
    value = document()
    value["services"]["sesam-node"]["labels"] = {"traefik.http.routers.x.rule": rule}

    assert find(Deployment, rendered(value) | env_file()).value("NODE_DOMAIN") == "a.b"


def test_an_image_pinned_to_a_digest_takes_its_tag_from_the_file() -> None:
    value = document()
    value["services"]["sesam-node"]["image"] = "sesam/sesam-node:weekly-prod@sha256:00"
    found = find(Deployment, rendered(value) | env_file(SESAM_NODE_IMAGE_TAG="nightly"))

    assert found.pinned == {"SESAM_NODE_IMAGE_TAG": "sha256:00"}
    assert found.value("SESAM_NODE_IMAGE_TAG") == "nightly"
