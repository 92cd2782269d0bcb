"""Which images need no pull before a first start: those whose digest the registry names now."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import DialAnswer, DockerApi, DockerApiAnswer, Pull, PullAnswer
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.image_store import ImageStore
from sesam_audit.wanted import LOGIN_FILE

from .bare import Given
from .machine import find

NODE, TRAEFIK = "sesam/sesam-node:weekly-prod", "traefik:latest"
NODE_HEAD = Pull("sesam/sesam-node", "weekly-prod", login_file=LOGIN_FILE, context="daemon")
TRAEFIK_HEAD = Pull("library/traefik", "latest", context="daemon")
NEW, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
WANTED = (NODE, TRAEFIK, "other/image@sha256:x")


def told(digest: str, status: int = 200) -> PullAnswer:
    headers = {"docker-content-digest": digest}
    return PullAnswer(last=DialAnswer(layer="done", status=status, headers=headers))


def has(image: str, *digests: str) -> Given:
    names = [f"{image.partition(':')[0]}@{digest}" for digest in digests]
    ask = DockerApi(f"/images/{image}/json", ("RepoDigests",))
    return {ask: DockerApiAnswer(status=200, value={"RepoDigests": names})}


def store(*answers: Given, containers: tuple[dict[str, Any], ...] = ()) -> ImageStore:
    listed = DockerApiAnswer(status=200, value=list(containers))
    given = {ask: answer for each in answers for ask, answer in each.items()}
    return find(ImageStore, {ASK: listed, **given})


def test_the_registrys_own_needs_no_pull() -> None:
    found = store(has(NODE, OLD, NEW), {NODE_HEAD: told(NEW)})

    assert found.current == {NODE}
    assert found.doubtful(WANTED) == [TRAEFIK]


@pytest.mark.parametrize(
    "answers",
    [
        {**has(TRAEFIK, OLD), TRAEFIK_HEAD: told(NEW)},
        {**has(TRAEFIK, OLD), TRAEFIK_HEAD: told(OLD, 429)},
        {**has(TRAEFIK, OLD), TRAEFIK_HEAD: PullAnswer(error="ENOKEY")},
        {**has(TRAEFIK), TRAEFIK_HEAD: told(NEW)},
        {TRAEFIK_HEAD: told(NEW)},
    ],
)
def test_any_other_is_pulled(answers: Given) -> None:
    assert store(answers).doubtful((TRAEFIK,)) == [TRAEFIK]


def test_a_stack_that_was_started_updates_itself() -> None:
    labels = {"com.docker.compose.project": "data"}
    node = {"Names": ["/sesam-node"], "Image": NODE, "State": "exited", "Labels": labels}
    found = store(has(NODE, OLD), {NODE_HEAD: told(NEW)}, containers=(node,))

    assert (found.started, found.doubtful(WANTED)) == (True, [])
