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
_INSTEAD = {
    "stopped": (
        "Docker is installed, but its daemon does not answer",
        "Start it, and see why it had stopped:\n\n    sudo systemctl enable --now docker",
    ),
    "podman": (
        "podman answers in Docker's place, and the stack needs Docker Engine",
        "Remove podman-docker, then install Docker Engine:\n\n",
    ),
    "rootless": (
        "Docker runs rootless only, and the stack needs /var/run/docker.sock",
        "Install Docker Engine for the whole machine:\n\n",
    ),
    "absent": ("Docker is not installed", "Installing it is yours; Docker's own steps:\n\n"),
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
    if engine.kind != "docker":
        words, remedy = _INSTEAD.get(engine.kind, _INSTEAD["absent"])
        steps = installing(release) if remedy.endswith("\n\n") else ""
        yield Stop(words, remedy + steps)
        return
    if engine.snap:
        yield Stop(
            "Docker is the snap, which may not read what lies outside its own places",
            "Remove it, with what it holds, then install Docker's own packages:\n\n"
            f"    sudo snap remove docker\n{installing(release)}",
        )
    if any(each in engine.security for each in ("rootless", "userns")):
        yield Stop(
            "the Docker daemon gives containers other user numbers (rootless or userns-remap)",
            "Take userns-remap out of /etc/docker/daemon.json; sesam's files need its own number",
        )
    if not _plugin(site):
        yield Stop(
            "docker compose, the plugin, is not there",
            f"Docker's own packages bring it:\n\n{installing(release)}",
        )


def _plugin(site: Site) -> bool:
    plugins = site.need(ComposePlugin).plugins
    return any(each.version and not each.version.startswith(("1.", "v1.")) for each in plugins)


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
