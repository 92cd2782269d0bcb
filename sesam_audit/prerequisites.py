"""What has to be there before anything is changed, and what a person does where it is not."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.facts.compose_plugin import ComposePlugin
from sesam_audit.facts.data_mount import DataMount
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.ground import Caller
from sesam_audit.facts.os_release import OsRelease
from sesam_audit.site import Draft, Phase, Site, Stop

_PACKAGES = "docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin"
_KEY = "/etc/apt/keyrings/docker.asc"
_UBUNTU = (
    "sudo apt-get update",
    "sudo apt-get install ca-certificates curl",
    "sudo install -m 0755 -d /etc/apt/keyrings",
    f"sudo curl -fsSL https://download.docker.com/linux/ubuntu/gpg -o {_KEY}",
    f"sudo chmod a+r {_KEY}",
    (
        f'echo "deb [arch=$(dpkg --print-architecture) signed-by={_KEY}]'
        " https://download.docker.com/linux/ubuntu"
        ' $(. /etc/os-release && echo "${UBUNTU_CODENAME:-$VERSION_CODENAME}") stable"'
        " | sudo tee /etc/apt/sources.list.d/docker.list"
    ),
    "sudo apt-get update",
    f"sudo apt-get install {_PACKAGES}",
)
_DNF = (
    "sudo dnf -y install dnf-plugins-core",
    "sudo dnf config-manager --add-repo https://download.docker.com/linux/{}/docker-ce.repo",
    f"sudo dnf install {_PACKAGES}",
    "sudo systemctl enable --now docker",
)
_MANUAL = "https://docs.docker.com/engine/install/"
_INSTALL, _PLUGIN = "Installing it is yours; Docker's own steps:", "Docker's own packages bring it:"
_REMEDIES = {  # by Engine.shortcomings; what ends with a colon is followed by the steps
    "absent": _INSTALL,
    "stopped": "Start it, and see why it had stopped:\n\n    sudo systemctl enable --now docker",
    "podman": "Remove podman-docker, then install Docker Engine:",
    "rootless": "End it, then install Docker Engine for the whole machine:",
    "snap": (
        "Remove it, with what it holds (sudo snap remove docker), then install Docker's own"
        " packages:"
    ),
    "userns": "Take userns-remap out of /etc/docker/daemon.json, then restart Docker",
}


def prerequisites(site: Site, _: Draft) -> Phase:
    """Root, Docker, its compose plugin, and the data disk."""
    caller = site.need(Caller)
    if caller.uid:
        yield Stop(
            f"apply needs root on the host, and reached it as {caller.user}",
            "Use --ask-sudo-password, or log in as somebody whom sudo asks no password",
        )
        return
    yield from _docker(site)
    yield from _disk(site)


def _docker(site: Site) -> Iterator[Stop]:
    engine, release = site.need(Engine), site.maybe(OsRelease)
    for kind, words in engine.shortcomings.items():
        yield _stop(words, _REMEDIES[kind], release)
    if engine.kind == "docker" and (lack := site.need(ComposePlugin).shortcoming):
        yield _stop(f"docker compose: {lack}", _PLUGIN, release)


def _stop(words: str, remedy: str, release: OsRelease | None) -> Stop:
    steps = f"\n\n{installing(release)}" if remedy.endswith(":") else ""
    return Stop(words, remedy + steps)


def installing(release: OsRelease | None) -> str:
    """Docker's documented steps for this distribution, as lines to paste."""
    kind = release.id if release else ""
    lines: tuple[str, ...] = (_MANUAL,)
    if kind == "ubuntu":
        lines = _UBUNTU
    elif kind == "rhel" or (release and "rhel" in release.like):
        lines = tuple(line.format("rhel" if kind == "rhel" else "centos") for line in _DNF)
    return "\n".join(f"    {line}" for line in lines)


def _disk(site: Site) -> Iterator[Stop]:
    if site.profile.data != "datadisk":
        return
    found = site.need(DataMount).inspect()
    for problem in found.problems:
        yield Stop(
            problem,
            "See `sesam-audit explain layout.data-mount`; where the data is meant to lie on the"
            " root disk: --set data=rootdisk",
        )
    if found.unknown:
        raise found.unknown
