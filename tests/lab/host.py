"""A lab host: namespaces over the cached root, with systemd as its first process."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import identity, perfect, seed
from .instance import Instance, remove_group
from .internet import Internet
from .processes import children

BOOT = Path(__file__).with_name("boot.sh")
DATA_BYTES = 400 * 10**9
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Wanted:
    """What a host is to have; the default is everything the product asks for."""

    os_release: str = identity.UBUNTU
    data_disk: bool = True
    data_bytes: int = DATA_BYTES
    docker: bool = True
    python: bool = True
    bare: bool = False  # without the product's users' files, directories and networks
    files: tuple[seed.Entry, ...] = ()  # laid over everything else before the boot
    removed: tuple[str, ...] = ()  # taken away before the boot


class LabHost:
    """One booted host: reach it by ssh as a person would, or by `run` from underneath."""

    def __init__(
        self, name: str, number: int, wanted: Wanted, instance: Instance, internet: Internet
    ) -> None:
        self.name = name
        self.address = f"{instance.network}.{number}"
        self.public_address = f"192.31.196.{number}"
        self.address_6 = f"{instance.network_6}::{number}"  # while the lab gives it IPv6
        self.node_domain = perfect.node_domain(name)
        self.host_key = ""
        self._number = number
        self._wanted = wanted
        self._instance = instance
        self._internet = internet
        self._directory = instance.directory / "hosts" / name
        self._pids: tuple[int, ...] = ()
        self._groups: list[Path] = []

    def start(self, base: Path, login: str) -> None:
        """Lay out the disks, connect the network, boot, and wait until everything is up."""
        for part in ("upper", "work", "root", "docker"):
            (self._directory / part).mkdir(parents=True)
        self._lay_out(login)
        self._connect()
        self._boot(base)
        self._wait_for_boot()
        if self._wanted.docker and not self._wanted.bare:
            self.run(perfect.NETWORKS)

    @property
    def pid(self) -> int:
        """The host's first process, as this machine numbers it."""
        return self._pids[-1]

    @property
    def lab(self) -> Path:
        """The directory of the lab it belongs to."""
        return self._instance.directory

    @property
    def data_image(self) -> Path:
        """The file behind the data disk."""
        return self._directory / "data.img"

    def spec(self, user: str = "auditor") -> str:
        """How an auditor names this host."""
        return f"ssh://{user}@{self.name}"

    def run(
        self, script: str, *, check: bool = True, timeout: float = 60, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of the shell inside, as root; `text` is its standard input."""
        enter = ("nsenter", f"--target={self.pid}", "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w")
        command = (*enter, "/bin/sh", "-c", script)
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            start_new_session=True,
        ) as process:
            try:
                out, errors = process.communicate(text, timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if check and process.returncode:
            raise RuntimeError(f"{self.name}: {script!r} ended with {process.returncode}: {errors}")
        return subprocess.CompletedProcess(command, process.returncode, out, errors)

    def write(self, path: str, text: str, owner: str = "root", mode: int = 0o644) -> None:
        """Write a file inside."""
        at = shlex.quote(path)
        self.run(f"cat >{at} && chown {owner}:{owner} {at} && chmod {mode:o} {at}", text=text)

    def read(self, path: str) -> str:
        """Read a file inside."""
        return self.run(f"cat {shlex.quote(path)}").stdout

    def stop(self) -> None:
        """End the host and everything it had."""
        self._instance.processes.kill(*self._pids)
        self._instance.disconnect(self.name)
        self._internet.publish(self.node_domain, None)
        for group in self._groups:
            remove_group(group)
        shutil.rmtree(self._directory)

    def _lay_out(self, login: str) -> None:
        wanted, at = self._wanted, self._directory
        self.host_key = identity.new_key(at / "host_key", self.name)
        entries = identity.entries(
            self.name, wanted.os_release, self._internet.resolver, at / "host_key", login
        )
        entries += identity.trust(self._internet.public)
        if wanted.data_disk:
            identifier = str(uuid.uuid4())
            (at / "data.uuid").write_text(identifier)
            (at / "data.img").touch()
            os.truncate(at / "data.img", wanted.data_bytes)
            mkfs = ("mkfs.ext4", "-q", "-F", "-T", "largefile4", "-U", identifier)
            subprocess.run((*mkfs, str(at / "data.img")), check=True)
            entries += identity.mounted(identifier)
        if not wanted.bare:
            entries += perfect.entries(self.name, data_disk=wanted.data_disk)
        seed.pack([*entries, *wanted.files], at / "seed.tar")
        removed = [*wanted.removed]
        removed += identity.PYTHON if not wanted.python else ()
        removed += identity.DOCKER if not wanted.docker else ()
        (at / "removed").write_text("".join(f"{path.lstrip('/')}\n" for path in removed))

    def _connect(self) -> None:
        self._instance.connect(self.name, self._number)
        self._instance.network_commands(
            self.name,
            f"address add {self.public_address}/32 dev eth0",
            f"route add default via {self._internet.resolver}",
        )
        self._instance.network_commands(
            "internet", f"route replace {self.public_address}/32 via {self.address}"
        )
        self._internet.publish(self.node_domain, self.public_address)
        self._internet.certify(self.node_domain)

    def _boot(self, base: Path) -> None:
        self._groups = self._instance.control_groups(self.name)
        join = "".join(
            f"echo $$ >{shlex.quote(str(group))}/cgroup.procs\n" for group in self._groups
        )
        enter = ("nsenter", f"--net=/run/netns/{self._instance.namespace(self.name)}")
        fresh = (
            "unshare",
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
            "--cgroup",
            "--fork",
            "--kill-child",
        )
        command = shlex.join((*enter, *fresh, "/bin/sh", str(BOOT)))
        self._log = self._directory / "boot.log"
        outside = self._instance.processes.start(
            ("/bin/sh", "-euc", f"{join}exec {command}"),
            self._log,
            BASE=str(base),
            HOST=str(self._directory),
            NAME=self.name,
        )
        inside = _first(children(outside) for _ in self._moments("its first process"))
        self._instance.processes.remember(inside)
        self._pids = (outside, inside)

    def _wait_for_boot(self) -> None:
        first = Path(f"/proc/{self.pid}/comm")
        for _ in self._moments("systemd"):
            if first.exists() and first.read_text() == "systemd\n":
                break
        for _ in self._moments("ssh"):
            if self._answers_ssh():
                break
        for _ in self._moments("the end of its boot"):
            state = self.run("systemctl is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                break

    def _answers_ssh(self) -> bool:
        try:
            with socket.create_connection((self.address, 22), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _moments(self, what: str) -> Iterable[None]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            yield
            time.sleep(0.02)
        raise RuntimeError(f"{self.name}: waited a minute for {what}: {self._log.read_text()}")


def _first(found: Iterable[list[int]]) -> int:
    return next(pids[0] for pids in found if pids)
