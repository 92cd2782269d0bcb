"""The Debian root every lab host starts from: built once, kept by the hash of its recipe."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from . import sources

SUITE = "bookworm"
COMPOSE_SUITE = "trixie"  # bookworm has compose v1 only
PLUGINS = "usr/libexec/docker/cli-plugins"
PACKAGES = (
    "ca-certificates",
    "curl",
    "dbus",
    "docker.io",
    "e2fsprogs",
    "iproute2",
    "iptables",
    "libfaketime",
    "nftables",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
    "systemd-timesyncd",
)

USERS = {"root": 0, "auditor": 1000, "plain": 1001, "asker": 1002, "sesam": 1500}
ASKER_PASSWORD = "open sesame, said the lab"

SETUP = f"""
set -eu
for user in auditor:1000 plain:1001 asker:1002 sesam:1500; do
    useradd --create-home --shell /bin/bash --uid "${{user#*:}}" --user-group "${{user%:*}}"
    chmod 0750 "/home/${{user%:*}}"
done
echo 'asker:{ASKER_PASSWORD}' | chpasswd
printf '%s\\n' 'auditor ALL=(ALL:ALL) NOPASSWD: ALL' 'asker ALL=(ALL:ALL) ALL' >/etc/sudoers.d/lab
chmod 0440 /etc/sudoers.d/lab

# What would reach through to the machine underneath, or only cost time at boot.
systemctl mask systemd-sysctl systemd-modules-load systemd-random-seed systemd-remount-fs \\
    getty.target console-getty apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer \\
    e2scrub_reap sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \\
    dev-hugepages.mount
# A host of its own has a time service; this one may run it but not touch the machine's clock.
mkdir -p /etc/systemd/system/systemd-timesyncd.service.d
printf '%s\\n' '[Unit]' 'ConditionVirtualization=' 'ConditionCapability=' \\
    '[Service]' 'AmbientCapabilities=' 'CapabilityBoundingSet=' \\
    >/etc/systemd/system/systemd-timesyncd.service.d/lab.conf
systemctl enable systemd-timesyncd docker containerd ssh
rm -f /etc/ssh/ssh_host_* /etc/ssl/certs/* /usr/share/ca-certificates/mozilla/*
: >/etc/machine-id
"""


def place() -> Path:
    """Where the lab keeps its roots and instances."""
    return Path(os.environ.get("SESAM_AUDIT_LAB", "/var/cache/sesam-audit-lab"))


def ready() -> Path:
    """The root, built first when it is not there yet."""
    recipe = "\n".join((SUITE, COMPOSE_SUITE, PLUGINS, *PACKAGES, SETUP))
    roots = place() / "roots"
    root = roots / hashlib.sha256(recipe.encode()).hexdigest()[:16]
    roots.mkdir(parents=True, exist_ok=True)
    with (roots / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            unfinished = roots / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            _build(unfinished)
            (unfinished / "root").rename(root)
            shutil.rmtree(unfinished)
    return root


def _build(directory: Path) -> None:
    root = directory / "root"
    mirrors = sources.write(SUITE, directory / "mirrors")
    _run(
        *("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *("--aptopt=Acquire::Languages none", "--dpkgopt=force-unsafe-io"),
        *(f"--dpkgopt=path-exclude=/usr/share/{x}/*" for x in ("man", "doc", "locale", "info")),
        *(SUITE, str(root), *map(str, mirrors)),
    )
    _compose_plugin(directory, root / PLUGINS)
    _run("chroot", str(root), "/bin/sh", text=SETUP)


def _compose_plugin(directory: Path, plugins: Path) -> None:
    """Debian's own compose v2, from a newer suite, as Docker's command line plugin."""
    (package,) = downloaded(COMPOSE_SUITE, directory, "docker-compose")
    _run("dpkg", "-x", str(package), str(directory / "compose"))
    plugins.mkdir(parents=True, exist_ok=True)
    shutil.copy2(directory / "compose" / PLUGINS / "docker-compose", plugins)


def downloaded(suite: str, directory: Path, *packages: str) -> list[Path]:
    """Packages of a suite as files, which nobody installs here."""
    sources.write(suite, directory / "other")
    (directory / "lists/partial").mkdir(parents=True)
    apt = (
        "apt-get",
        *("-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={directory}/other"),
        *("-o", f"Dir::State::Lists={directory}/lists", "-o", "Acquire::Languages=none"),
        *("-o", f"Dir::Cache={directory}/cache", "-o", "APT::Sandbox::User=root"),
    )
    _run(*apt, "-q", "update")
    _run(*apt, "-q", "download", *packages, cwd=directory)
    return sorted(directory.glob("*.deb"))


def unpacked(name: str, suite: str, *packages: str) -> Path:
    """The files of packages that only some hosts get, fetched once for a root."""
    at = place() / name / ready().name
    at.mkdir(parents=True, exist_ok=True)
    with (at / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (at / "done").exists():
            for folder in ("files", "packages"):
                shutil.rmtree(at / folder, ignore_errors=True)
            (at / "packages").mkdir()
            for package in downloaded(suite, at / "packages", *packages):
                _run("dpkg", "-x", str(package), str(at / "files"))
            (at / "done").touch()
    return at / "files"


def _run(*command: str, text: str = "", cwd: Path | None = None) -> None:
    done = subprocess.run(
        command,
        input=text,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=dict(os.environ, LC_ALL="C", DEBIAN_FRONTEND="noninteractive"),
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-3000:]}")
