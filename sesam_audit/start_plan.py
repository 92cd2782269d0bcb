"""The phases that bring the stack up: login, images, start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sesam_audit.facts.containers import Container, Containers
from sesam_audit.facts.deployment import KEYS, Deployment
from sesam_audit.facts.docker_login import HUB, DockerLogin
from sesam_audit.facts.ground import Number
from sesam_audit.facts.image_store import ImageStore
from sesam_audit.facts.inspection import listed
from sesam_audit.facts.stack import Stack
from sesam_audit.files_plan import picked
from sesam_audit.migration_plan import held_ports
from sesam_audit.site import Draft, Phase, Site, Step, Stop
from sesam_audit.stack_file import IN_ORDER, images
from sesam_audit.wanted import (
    CERTIFICATE,
    CERTIFICATE_KEY,
    CERTIFICATES,
    COMPOSE_FILE,
    ENV_FILE,
    LICENSE,
    LOGIN_FILE,
    LOGS_IMAGE,
    NODE_IMAGE,
    POINT,
    PROJECT,
    store,
)


def login(site: Site, draft: Draft) -> Phase:
    """The registry login that the updater mounts."""
    wish, there, number = site.wishes.login, site.need(DockerLogin).updater, site.need(Number)
    mends = site.open("docker.registry-login", "docker.registry-access", "layout.bind-sources")
    if wish is None:
        if there.fault and site.wishes.start:
            draft.missing.append(f"the registry login, as {there.fault} (--login USER)")
        elif there.fault:
            draft.notes.append(f"{there.fault}: --login USER makes it; the start needs it")
        return
    if there.kind not in ("", "file") or there.store or there.hub.helper:
        yield Stop(there.fault, f"Move {LOGIN_FILE} away, and use --login again")
        return
    yield Step(
        kind="login",
        title=f"Log {wish.user} in to Docker Hub, in {LOGIN_FILE}",
        reason="the guide, Docker Setup: the updater's container reads this very file",
        after={
            "path": LOGIN_FILE,
            "uid": number.user,
            "gid": number.group,
            "registry": HUB,
            "user": wish.user,
        },
        mends=mends,
        secret="registry",  # noqa: S106 - its name
    )
    if wish.password:
        draft.secrets["registry"] = wish.password


def start(site: Site, draft: Draft) -> Phase:
    """Pull the images, start the stack, and wait until it is well."""
    if not site.wishes.start:
        return
    yield from _refusals(site, draft)
    services, wanted = _composition(site, draft)
    if not wanted:
        return
    yield Step(
        kind="pull",
        title=f"Pull {len(wanted)} images: {listed(wanted)}",
        reason="before anything is stopped or started, so that the rest takes seconds",
        after={"images": list(wanted), "login": LOGIN_FILE, "refresh": _refresh(site, wanted)},
    )
    files = [step.after["path"] for step in draft.steps if step.after.get("path") == COMPOSE_FILE]
    file = files[0] if files else f"{POINT}/{picked(site)}"
    whole = {"project": PROJECT, "directory": POINT, "files": [file], "env_file": ENV_FILE}
    there = [each for each in site.need(Containers).containers if each.of_stack()]
    for each in there:
        if each.service in services:
            yield Step(
                kind="recreate",
                title=f"Recreate {each.service}, where its files changed",
                reason="a container keeps the settings it was made with",
                after={**whole, "service": each.service, "store": store(site.profile)},
            )
    yield Step(
        kind="up",
        title=f"Start the stack: {listed(services)}",
        reason="the guide, Start Services: docker compose up -d; nothing is recreated or removed",
        after={**whole, "services": list(services)},
        mends=site.open("stack.services"),
    )
    for each in there:
        if each.service in services:
            yield Step(
                kind="restart",
                title=f"Restart {each.service}, where a file it mounts was replaced",
                reason="a mounted file stays the old one until then",
                after={"container": each.name, "files": _read_at_start(site, each)},
            )
    window = {"window": site.profile.settled} if site.profile.settled else {}
    yield Step(
        kind="wait",
        title=f"Wait until the stack is well, {site.wishes.deadline // 60} minutes at the longest",
        reason="a container that runs for a moment proves nothing",
        after={
            "project": PROJECT,
            "services": list(services),
            "deadline": site.wishes.deadline,
            "name": _name(site, draft),
            "private": _private(site),
            **window,
        },
    )


def _refresh(site: Site, wanted: tuple[str, ...]) -> list[str]:
    """What is pulled although it is there: a first start is one of the registry's newest."""
    return (site.maybe(ImageStore) or ImageStore()).doubtful(wanted)


def _read_at_start(site: Site, container: Container) -> list[str]:
    """Traefik does not watch certificates: a new one is served by a new process only."""
    stack = site.maybe(Stack)
    role = stack.role("traefik") if stack else None
    traefik = container.repository.endswith("traefik")  # an id alone, once its tag has moved
    named = container.service in {"traefik", role.name if role else ""}
    if site.profile.certificates == "letsencrypt" or not (traefik or named):
        return []
    return [f"{CERTIFICATES}/{name}" for name in (CERTIFICATE, CERTIFICATE_KEY)]


def _private(site: Site) -> dict[str, Any]:
    """What a log may show that lies on the host already, and must not be told."""
    paths = {
        "license": f"{store(site.profile)}/{LICENSE}",
        "certificate-key": f"{CERTIFICATES}/{CERTIFICATE_KEY}",
        "environment": ENV_FILE,
        "registry": LOGIN_FILE,
    }
    return {"paths": paths, "public": list(KEYS)}


def _name(site: Site, draft: Draft) -> str | None:
    """The node's name, by which its own Traefik is asked whether it is well."""
    values = [step.after["values"] for step in draft.steps if step.kind == "environment"]
    known = values[0] if values else site.need(Deployment).values
    return known.get("NODE_DOMAIN") or None


def _refusals(site: Site, draft: Draft) -> Iterator[Stop]:
    in_the_way = {
        "inbound.port-owner": held_ports(site, draft) if site.failed("inbound.port-owner") else "",
        "docker.conflicts": _conflicts(site, draft) if site.failed("docker.conflicts") else "",
    }
    for name, words in in_the_way.items():
        if words:
            yield Stop(words, f"See `sesam-audit explain {name}`, or use --no-start")
    if site.failed("docker.selinux"):
        yield Stop(
            site.failed("docker.selinux"),
            'Take "selinux-enabled" out of /etc/docker/daemon.json and --selinux-enabled out of its'
            " unit, relabel nothing, or use --no-start:\n\n    sudo systemctl restart docker",
        )
    if site.profile.certificates != "letsencrypt" or site.wishes.start_anyway:
        return
    for name in ("inbound.http", "inbound.dns"):
        if site.failed(name):
            yield Stop(
                f"Let's Encrypt would fail, and counts failures: {site.failed(name)}",
                "Put it right first, or use --no-start; --start-anyway takes the risk",
            )


def _conflicts(site: Site, draft: Draft) -> str:
    """The containers in the way that are not among those put to rest."""
    kept = {step.after["id"] for step in draft.steps if step.kind == "keep-container"}
    conflicts = site.need(Containers).conflicts
    left = {why: [c for c in found if c.id not in kept] for why, found in conflicts.items()}
    return "; ".join(f"{each} {why}" for why, found in left.items() for each in found)


def _composition(site: Site, draft: Draft) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The services and images that will be: ours when we write the file, else the rendered ones."""
    values = [step.after["values"] for step in draft.steps if step.kind == "environment"]
    if any(step.after.get("path") == COMPOSE_FILE for step in draft.steps):
        return (IN_ORDER, images(values[0])) if values else ((), ())
    stack = site.need(Stack)
    named = {name: service.image for name, service in stack.services.items()}
    if values:
        named = {name: _retagged(image, values[0]) for name, image in named.items()}
    return tuple(named), tuple(dict.fromkeys(each for each in named.values() if each))


def _retagged(image: str, values: dict[str, str]) -> str:
    """An image of a kept file, with the tag that the new .env gives it."""
    keys = {"traefik": "TRAEFIK_DOCKER", NODE_IMAGE: "SESAM_NODE", LOGS_IMAGE: "FLUENTBIT"}
    repository, colon, _ = image.partition(":")
    tag = values.get(f"{keys[repository]}_IMAGE_TAG") if repository in keys and colon else None
    return f"{repository}:{tag}" if tag else image
