"""The node's image: by its digest, beside the one that the registry names now."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Answer, Ask, DockerApi, DockerApiAnswer, Pull, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.node_image import DIGEST, NodeImage, overdue
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NO_FILE, NamedFile
from sesam_audit.testing import NOW
from sesam_audit.wanted import LOGIN_FILE

from .bare import docker
from .live_stack import answers
from .machine import find
from .pulls import manifest

REPOSITORY, TAG = "sesam/sesam-node", "weekly-prod"
KEEP = ("Id", "RepoDigests")
MINE = DockerApi("/images/sha256:image-of-sesam-node/json", KEEP)
NAMED = DockerApi(f"/images/{REPOSITORY}:{TAG}/json", KEEP)
STORED = Stat("/var/lib/docker/image/overlay2/imagedb/content/sha256/c0ffee")
OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
PULLED = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)


def image(*digests: str, repository: str = REPOSITORY) -> DockerApiAnswer:
    found = [f"{repository}@{digest}" for digest in digests]
    return DockerApiAnswer(status=200, value={"RepoDigests": found, "Id": "sha256:c0ffee"})


def told(digest: str = NEW) -> dict[Ask[Any], Answer | Unknown]:
    answer = manifest()
    assert answer.last is not None
    last = replace(answer.last, headers={DIGEST: digest} if digest else {})
    return {
        Pull(REPOSITORY, TAG, login_file=LOGIN_FILE, context="daemon"): replace(answer, last=last)
    }


def report(digest: str = NEW, **changes: Any) -> NamedFile:
    """A JSON report of the day before, as far as it is read."""
    finding = {"id": "stack.image-current", "required": {"value": digest, "unit": ""}}
    document = {
        "started": "2026-11-19T06:00:00Z",
        "hosts": [{"findings": [{"id": "os.clock", "required": None}, finding]}],
    }
    return NamedFile("last.json", json.dumps({**document, **changes}))


def found(
    mine: Answer,
    named: Answer | None = None,
    digest: str = NEW,
    stored: StatAnswer | None = None,
    listing: list[Any] | None = None,
    earlier: NamedFile = NO_FILE,
) -> NodeImage:
    absent = DockerApiAnswer(status=404, value={"message": "No such image"})
    given: dict[Ask[Any], Answer | Unknown] = {
        **answers(),
        **docker(),
        **told(digest),
        MINE: mine,
        NAMED: named or absent,
        STORED: stored or StatAnswer(kind="file", modified=PULLED.timestamp()),
    }
    if listing is not None:
        given[ASK] = DockerApiAnswer(status=200, value=listing)
    return find(NodeImage, given, Profile(earlier=earlier))


def test_the_channels_image() -> None:
    node = found(image(NEW), image(NEW))

    assert node.asked == node.wanted == f"{REPOSITORY}:{TAG}"
    assert (node.digests, node.channel) == ((NEW,), NEW)


@pytest.mark.parametrize("repository", ["docker.io/sesam/sesam-node", REPOSITORY])
def test_docker_hub_by_its_names(repository: str) -> None:
    assert found(image(NEW, repository=repository)).digests == (NEW,)


@pytest.mark.parametrize("mine", [image(), image(NEW, repository="registry.example.org/other")])
def test_an_image_that_was_not_pulled_has_no_digest(mine: Answer) -> None:
    with pytest.raises(Unknown, match="was not pulled from a registry"):
        _ = found(mine).digests


def test_an_older_image_and_the_new_one_beside_it() -> None:
    assert found(image(OLD), image(NEW)).known_since() == PULLED


@pytest.mark.parametrize("error", ["ENOENT", "EACCES"])
def test_a_store_that_does_not_tell_when_it_was_pulled(error: str) -> None:
    node = found(image(OLD), image(NEW), stored=StatAnswer(error=error))

    assert node.known_since() is None


@pytest.mark.parametrize("named", [image(OLD), None, DockerApiAnswer(status=500)])
def test_a_new_image_that_is_not_here_yet(named: Answer | None) -> None:
    assert found(image(OLD), named).known_since() is None


def test_an_earlier_report_knew_the_channels_image() -> None:
    then = datetime(2026, 11, 19, 6, tzinfo=timezone.utc)

    assert found(image(OLD), earlier=report()).known_since() == then
    assert found(image(OLD), image(NEW), earlier=report()).known_since() == then


def test_an_earlier_report_knew_another_image() -> None:
    assert found(image(OLD), earlier=report(OLD)).known_since() is None


@pytest.mark.parametrize(
    "changes",
    [{"hosts": 3}, {"hosts": []}, {"hosts": [{}]}, {"started": "yesterday"}, {"started": None}],
)
def test_an_earlier_report_that_is_none_decides_nothing(changes: dict[str, Any]) -> None:
    node = found(image(OLD), earlier=report(**changes))

    with pytest.raises(Unknown, match=r"earlier: last\.json"):
        node.known_since()


@pytest.mark.parametrize(("hours", "late"), [(26, False), (26.01, True)])
def test_the_updater_has_26_hours(hours: float, late: bool) -> None:
    assert overdue(NOW, NOW + timedelta(hours=hours)) is late


def test_a_registry_that_does_not_tell_the_digest() -> None:
    with pytest.raises(Unknown, match=r"docker\.registry-access"):
        _ = found(image(NEW), digest="").channel


def test_a_refused_login_tells_no_digest() -> None:
    node = found(image(NEW))
    with pytest.raises(Unknown, match="needs root"):
        _ = replace(node, rehearsal=Unknown("needs root: x")).channel


def test_an_image_that_may_not_be_looked_at() -> None:
    with pytest.raises(Unknown, match="needs root"):
        _ = found(DockerApiAnswer(error="EACCES")).digests


def test_no_container_of_the_node() -> None:
    with pytest.raises(Unknown, match=r"stack\.services"):
        found(image(NEW), listing=[])
