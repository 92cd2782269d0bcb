"""The stack's files as we write them, rendered by the real compose and judged by our own checks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from sesam_audit.asks import Account, Answer, Ask, File, FileAnswer, Files, FilesAnswer
from sesam_audit.environment import GivenEnvironment, settle
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Evidence
from sesam_audit.facts.deployment import Deployment
from sesam_audit.inquiry import recall
from sesam_audit.level import Outcome
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from sesam_audit.stack_file import IN_ORDER, compose_text, images, traefik_text
from sesam_audit.testing import evaluate
from sesam_audit.wanted import CERTIFICATES, NODE, SERVICES, STORE, TRAEFIK_FILE
from tests.facts.sesam_host import SUBSCRIPTION, on_data_disk, on_root_disk, rendered

from . import root
from .lab import hindrance

VARIANTS = [
    Profile(
        certificates=certificates,  # type: ignore[arg-type]
        data=data,  # type: ignore[arg-type]
        node_domain="node.example.org",
        dns_admin="it@example.org",
    )
    for certificates, data in product(
        ("letsencrypt", "provided", "self-signed"), ("datadisk", "rootdisk")
    )
]
Render = Callable[..., dict[str, Any]]


def values(profile: Profile) -> dict[str, str]:
    found = settle(
        profile,
        GivenEnvironment(),
        {},
        subscription=SUBSCRIPTION,
        number=1000,
        appliance="0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c12",
    )
    assert not found.missing
    return dict(found.values)


@pytest.fixture(scope="module")
def plugin() -> Path:
    """Compose v2, as lab hosts have it; it answers when it is called by itself."""
    if reason := hindrance():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return root.ready() / root.PLUGINS / "docker-compose"


@pytest.fixture
def render(plugin: Path, tmp_path: Path) -> Render:
    """What compose v2 makes of our file and values; every word on standard error is a fault."""

    def rendering(profile: Profile, api: str = "") -> dict[str, Any]:
        (tmp_path / "docker-compose.yml").write_text(compose_text(profile, api))
        lines = (f"{key}={value}\n" for key, value in values(profile).items())
        (tmp_path / ".env").write_text("".join(lines))
        done = subprocess.run(
            (plugin, "config", "--format", "json"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        )
        assert (done.returncode, done.stderr) == (0, "")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    return rendering


def judged(profile: Profile, document: dict[str, Any]) -> dict[str, Outcome]:
    """What our own checks say of a host that has these files, and the rest of the guide."""
    base = on_data_disk() if profile.data == "datadisk" else on_root_disk()
    base[Account("1000")] = base[Account("sesam")]
    answers: dict[Ask[Any], Answer | Unknown] = {**base, **rendered(document)}
    answers[File(TRAEFIK_FILE)] = FileAnswer(text=traefik_text())
    for end in (".y*ml", ".toml"):
        answers[Files(f"{CERTIFICATES}/*{end}")] = FilesAnswer(files={})
    ids = ("layout.compose-file", "layout.env", "layout.data-path", "layout.traefik-config")
    kinds = {kind for each in ids for kind in catalogue()[each].facts()}
    known = recall(kinds, profile, Evidence("host", answers=answers))
    facts = [known[kind] for kind in kinds if not isinstance(known[kind], Exception)]
    return {each: evaluate(each, *facts, profile=profile).outcome for each in ids}


@pytest.mark.parametrize("profile", VARIANTS, ids=lambda p: f"{p.certificates}-{p.data}")
def test_compose_takes_every_variant_and_our_checks_pass_it(
    profile: Profile, render: Render
) -> None:
    found = judged(profile, render(profile))
    traefik = found.pop("layout.traefik-config")

    assert set(found.values()) == {Outcome.PASSED}, found
    used = profile.certificates != "letsencrypt"
    assert traefik is (Outcome.PASSED if used else Outcome.NOT_APPLICABLE)


@pytest.mark.parametrize("profile", VARIANTS, ids=lambda p: f"{p.certificates}-{p.data}")
def test_no_mount_makes_its_source(profile: Profile) -> None:
    services = yaml.safe_load(compose_text(profile))["services"]
    mounts = [each for service in services.values() for each in service["volumes"]]
    binds = [each for each in mounts if isinstance(each, dict)]

    assert len(binds) == len(mounts) - 1  # but for the volume on /tmp
    assert {each["bind"]["create_host_path"] for each in binds} == {False}


@pytest.mark.parametrize("profile", VARIANTS, ids=lambda p: f"{p.certificates}-{p.data}")
def test_the_node_keeps_its_data_where_the_variant_says(profile: Profile, render: Render) -> None:
    mounts = render(profile)["services"]["sesam-node"]["volumes"]
    (source,) = (each["source"] for each in mounts if each["target"] == "/sesam/data")

    assert source == (STORE if profile.data == "datadisk" else NODE)


def test_the_values_arrive_in_the_stack(render: Render) -> None:
    profile = VARIANTS[0]
    document = render(profile)
    answers = {**on_data_disk(), **rendered(document)}
    found = recall([Deployment], profile, Evidence("host", answers=answers))[Deployment]

    assert document["name"] == "data"
    assert tuple(document["services"]) == tuple(sorted(IN_ORDER)) == tuple(sorted(SERVICES))
    assert {key: found.values.get(key) for key in values(profile)} == values(profile)


def test_the_listed_images_are_those_of_the_stack(render: Render) -> None:
    profile = VARIANTS[0]
    found = {each["image"] for each in render(profile)["services"].values()}

    assert {each.removesuffix(":latest") for each in images(values(profile))} == {
        each.removesuffix(":latest") for each in found
    }


def test_watchtower_is_told_a_version_only_when_it_must_be(render: Render) -> None:
    told = render(VARIANTS[0], "1.44")["services"]["watchtower"]["environment"]
    untold = render(VARIANTS[0])["services"]["watchtower"]["environment"]

    assert told["DOCKER_API_VERSION"] == "1.44"
    assert "DOCKER_API_VERSION" not in untold
