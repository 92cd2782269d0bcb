"""What makes a lab host itself: names, release, keys, trust, and the mount of its data disk."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from .certificates import Authority
from .root import USERS
from .seed import Directory, Entry, File, Link

UBUNTU = """\
PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.3 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
"""
LSB = """\
DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=24.04
DISTRIB_CODENAME=noble
DISTRIB_DESCRIPTION="Ubuntu 24.04.3 LTS"
"""
PYTHON = ("usr/bin/python3", "usr/bin/python3.11", "usr/lib/python3", "usr/lib/python3.11")
DOCKER = (
    *("usr/bin/docker", "usr/sbin/dockerd", "usr/sbin/docker-proxy", "usr/libexec/docker"),
    *("usr/bin/docker-init", "usr/bin/containerd", "usr/lib/systemd/system/docker.service"),
    *("usr/lib/systemd/system/docker.socket", "usr/lib/systemd/system/containerd.service"),
    *("etc/systemd/system/multi-user.target.wants/docker.service", "etc/docker"),
    *(
        "etc/systemd/system/multi-user.target.wants/containerd.service",
        "var/lib/dpkg/info/docker.io*",
    ),
    "etc/systemd/system/sockets.target.wants/docker.socket",
)


def new_key(path: Path, comment: str) -> str:
    """Make an SSH key; return its public half."""
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path))
    subprocess.run(command, check=True)
    return path.with_name(f"{path.name}.pub").read_text().strip()


def entries(name: str, os_release: str, resolver: str, host_key: Path, login: str) -> list[Entry]:
    """The files of one host, apart from what it is used for."""
    seed: list[Entry] = [
        File("/etc/hostname", f"{name}\n"),
        File("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost\n"),
        File("/etc/resolv.conf", f"nameserver {resolver}\n"),
        File("/etc/machine-id", f"{uuid.uuid4().hex}\n", mode=0o444),
        File("/usr/lib/os-release", os_release),
        File("/etc/ssh/ssh_host_ed25519_key", host_key.read_text(), mode=0o600),
        File("/etc/ssh/ssh_host_ed25519_key.pub", Path(f"{host_key}.pub").read_text()),
        File("/etc/fstab", "# <file system> <mount point> <type> <options> <dump> <pass>\n"),
    ]
    if "ID=ubuntu\n" in os_release:
        seed += [File("/etc/lsb-release", LSB), File("/etc/debian_version", "trixie/sid\n")]
    for user in USERS:
        home = "/root" if user == "root" else f"/home/{user}"
        seed += [
            Directory(f"{home}/.ssh", user, 0o700),
            File(f"{home}/.ssh/authorized_keys", f"{login}\n", user, 0o600),
        ]
    return seed


def trust(authority: Authority) -> list[Entry]:
    """The lab's root as the distribution's own and only public root."""
    pem = authority.root.read_text()
    name = "mozilla/Lab_Trust_Services_Root.crt"
    return [
        File("/etc/ca-certificates.conf", f"{name}\n"),
        File(f"/usr/share/ca-certificates/{name}", pem),
        File("/etc/ssl/certs/ca-certificates.crt", pem),
        Link("/etc/ssl/certs/Lab_Trust_Services_Root.pem", f"/usr/share/ca-certificates/{name}"),
        Link(f"/etc/ssl/certs/{authority.subject_hash()}.0", "Lab_Trust_Services_Root.pem"),
    ]


def mounted(identifier: str) -> list[Entry]:
    """The line that brings the data disk back after a reboot."""
    head = "# <file system> <mount point> <type> <options> <dump> <pass>\n"
    return [File("/etc/fstab", f"{head}UUID={identifier} /srv/data ext4 defaults 0 2\n")]
