"""Apply on real hosts: from nothing to laid out by one command, again, interrupted, and back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import plain_environment

from . import perfect as perfect_host
from .auditing import PROGRAM, Audited
from .host import LabHost, Wanted
from .lab import Lab

PATIENCE = 400.0  # a start waits a minute to see that nothing dies
PASSWORD = "dckr_pat_of_the_lab"
RHEL = 'NAME="Red Hat Enterprise Linux"\nID=rhel\nID_LIKE=fedora\nVERSION_ID="9.4"\n'
PLACES = "/etc /home /root /sesam /srv /usr/local /var/lib/sesam-audit /var/spool/mail"
OF_OTHERS = (  # what accounts' own tools and the daemon leave, run or no run
    r" /etc/(passwd|group|shadow|gshadow|subuid|subgid)-( |$)|/etc/\.pwd\.lock"
    r"|/etc/docker/|/root/\.docker|lost\+found|/etc/mtab|/\.cache|/var/lib/sesam-audit"
)
TREE = (
    f"find {PLACES} -type d -printf '%y %m %U:%G - %p\\n' 2>/dev/null;"
    f"find {PLACES} ! -type d -printf '%y %m %U:%G %s %p %l\\n' 2>/dev/null;"
    f"find {PLACES} -type f -exec sha256sum {{}} + 2>/dev/null"
)


WAIVED = """
[[waiver]]
id = "hardware.data-partition"
reason = "the lab's root disk is no real one"
by = "the lab"
until = 2099-01-01
"""


def tree(host: LabHost) -> list[str]:
    """Every entry with type, mode, owner, size, link and content."""
    lines = host.run(TREE, check=False).stdout.splitlines()
    return sorted(line for line in lines if not re.search(OF_OTHERS, line))


@dataclass(frozen=True)
class Applier:
    """Runs apply, undo and finish where an auditor would."""

    lab: Lab
    host: LabHost
    license: Path
    settings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    user: str = "auditor"

    def command(self, action: str, *words: str) -> tuple[str, ...]:
        options = ["--ssh-config", str(self.lab.ssh_config)]
        options += self.options if action == "apply" else ()
        if action == "apply":
            shared = (f"public_roots={self.lab.roots}", "hardware.cpus=1", "hardware.memory=1 GB")
            named = (f"node_domain={self.host.node_domain}", "dns_admin=it@customer.example.org")
            for setting in (*shared, *named, *self.settings):
                options += ["--set", setting]
            if self.license.exists():
                options += ["--license", str(self.license)]
        return self.lab.as_auditor(
            str(PROGRAM), action, self.host.spec(self.user), *options, *words
        )

    def start(self, action: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ("env", "--default-signal=INT", *self.command(action, *words)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=plain_environment(),
        )

    def __call__(self, action: str, *words: str, text: str = "") -> Audited:
        with self.start(action, *words) as process:
            try:
                out, errors = process.communicate(text, timeout=PATIENCE)
            except BaseException:
                process.kill()
                raise
        return Audited(process.returncode, out, errors)

    def lay_out(self, *words: str) -> Audited:
        return self("apply", "--yes", "--no-start", "--format", "json", *words)


def bare(lab: Lab, name: str, **more: object) -> LabHost:
    """A host with Docker and nothing of Sesam's, not even the account."""
    host = lab.host(name, Wanted(bare=True, **more))  # type: ignore[arg-type]
    host.run("userdel -r sesam; ! getent group sesam || groupdel sesam")
    return host


@contextmanager
def applying(lab: Lab, name: str, directory: Path, **more: object) -> Iterator[Applier]:
    """A bare host, and who applies to it; on the root disk where it has no data disk."""
    host = bare(lab, name, **more)
    license_file = directory / "license.key"
    license_file.write_text(perfect_host.license_text())
    settings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    if more.get("data_disk") is False:  # an overlay in the lab, which fails as the home of data
        settings = ("data=rootdisk",)
        (directory / "waivers.toml").write_text(WAIVED)
        options = ("--waivers", str(directory / "waivers.toml"))
    try:
        yield Applier(lab, host, license_file, settings, options)
    finally:
        lab.stop_host(host)


@pytest.fixture(params=["ubuntu", "rhel", "rootdisk"])
def applier(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Applier]:
    release = {"os_release": RHEL} if request.param == "rhel" else {}
    on_disk = request.param != "rootdisk"
    with applying(lab, f"bare-{request.param}", tmp_path, data_disk=on_disk, **release) as it:
        yield it


LOGIN_STAYS = {"docker.registry-login", "layout.bind-sources"}  # until --login


def test_from_nothing_to_laid_out_and_back(applier: Applier) -> None:
    host = applier.host
    before = tree(host)

    planned = applier("apply", "--plan", "--no-start")
    assert planned.code == 10, planned.errors + planned.out
    assert "Create user sesam (1500)" in planned.out
    assert tree(host) == before
    assert host.run("ls -d /var/lib/sesam-audit", check=False).returncode

    done = applier.lay_out()
    musts = {x["id"] for x in done.findings.values() if x["level"] == "must" and not x["waiver"]}
    failed = musts.intersection(done.of("failed"))
    assert failed == LOGIN_STAYS, done.errors
    assert done.code == 1

    again = applier("apply", "--plan", "--no-start", "--set", "hardware.cpus=64")
    assert "hardware.cpu:" in again.out
    assert (again.code, "nothing to do" in again.out) == (0, True), again.out
    laid = tree(host)
    assert applier.lay_out().code == 1
    assert tree(host) == laid

    back = applier("undo", "--yes")
    assert back.code == 0, back.errors
    assert tree(host) == before
    assert applier("undo", "--yes").code == 3  # there is nothing more to take back
