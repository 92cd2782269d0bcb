"""One running lab on this machine: its index, directory and lock, and the end of dead ones."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TextIO

from . import root
from .processes import Processes
from .services import NETWORK_6

LOCKS = Path("/run/lock/sesam-audit-lab")  # of the machine, not of the lab's place
INDEXES = range(8)


class Instance:
    """What an instance owns is named after its index; whoever holds the lock is alive."""

    def __init__(self, index: int, lock: TextIO) -> None:
        self.index = index
        self.directory = root.place() / "instances" / str(index)
        self.bridge = f"sesamlab{index}"
        self.network = f"10.213.{index}"
        self.network_6 = f"{NETWORK_6}:{index + 1:x}"  # a zero would have another spelling
        self.processes = Processes(self.directory / "processes")
        self._lock = lock

    @classmethod
    def take(cls) -> Instance:
        """A free index; leftovers of every dead instance are cleaned on the way."""
        LOCKS.mkdir(parents=True, exist_ok=True)
        taken = None
        for index in INDEXES:
            lock = _locked(index)
            if lock is None:
                continue
            instance = cls(index, lock)
            instance._clean(lock.read().strip())
            if taken:
                lock.close()
            else:
                taken = instance
        if taken is None:
            raise RuntimeError(f"all {len(INDEXES)} indexes are in use: see {LOCKS}")
        taken._open()
        return taken

    def namespace(self, name: str) -> str:
        """The name of a network namespace of this instance."""
        return f"{self.bridge}-{name}"

    def connect(self, name: str, number: int) -> None:
        """A network namespace on the bridge, with the address that ends in `number`."""
        namespace, port = self.namespace(name), f"{self.bridge}.{number}"
        _ip(
            f"netns add {namespace}",
            f"link add {port} type veth peer name eth0 netns {namespace}",
            f"link set {port} master {self.bridge} up",
        )
        address = f"{self.network}.{number}/24"
        self.network_commands(
            name, "link set lo up", "link set eth0 up", f"address add {address} dev eth0"
        )

    def network_commands(self, name: str, *commands: str) -> None:
        """Run commands of ip in one of the namespaces."""
        _ip(*commands, namespace=self.namespace(name))

    def disconnect(self, name: str) -> None:
        """Remove a network namespace, and at once its link: dying connections keep namespaces."""
        self.network_commands(name, "link delete eth0")
        _ip(f"netns delete {self.namespace(name)}")

    def control_groups(self, name: str) -> list[Path]:
        """Make a control group in every hierarchy, below this process's own; write them down."""
        made = []
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not (mount := _hierarchy(controllers)):
                continue
            group = Path(f"{mount}{path}/{self.namespace(name)}")
            group.mkdir()
            made.append(group)
            if controllers == "cpuset":
                for part in ("cpuset.cpus", "cpuset.mems"):
                    (group / part).write_text((group.parent / part).read_text())
        with (self.directory / "control-groups").open("a") as record:
            record.writelines(f"{group}\n" for group in made)
        return made

    def close(self) -> None:
        """End and remove everything the instance owns."""
        self.processes.end_recorded()
        self._clean(str(self.directory))
        self._lock.truncate(0)
        self._lock.close()

    def _open(self) -> None:
        self._lock.seek(0)
        self._lock.truncate()
        self._lock.write(f"{self.directory}\n")
        self._lock.flush()
        self.directory.mkdir(parents=True)
        self.directory.chmod(0o700)
        _ip(
            f"link add {self.bridge} type bridge",
            f"address add {self.network}.1/24 dev {self.bridge}",
            f"link set {self.bridge} up",
        )

    def _clean(self, directory: str) -> None:
        if not directory:
            return
        Processes(Path(directory, "processes")).end_recorded()
        for namespace in Path("/run/netns").glob(f"{self.bridge}-*"):
            _ip(f"netns delete {namespace.name}")
        for device in Path("/sys/class/net").glob(f"{self.bridge}*"):  # the bridge and its ports
            with contextlib.suppress(RuntimeError):  # gone with its namespace in the meantime
                _ip(f"link delete {device.name}")
        record = Path(directory, "control-groups")
        if record.exists():
            for group in record.read_text().splitlines():
                remove_group(Path(group))
        shutil.rmtree(directory, ignore_errors=True)


def remove_group(group: Path) -> None:
    """Remove a control group with everything below it, once its processes are gone."""
    for directory, _, _ in os.walk(group, topdown=False):
        for _ in range(100):
            try:
                Path(directory).rmdir()
            except OSError:
                time.sleep(0.02)
            else:
                break


def _locked(index: int) -> TextIO | None:
    lock = (LOCKS / str(index)).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.seek(0)
    return lock


def _hierarchy(controllers: str) -> str | None:
    """Where the machine has mounted a control group hierarchy."""
    wanted = "cgroup" if controllers else "cgroup2"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, options, *_ = line.split()
        if kind == wanted and set(filter(None, controllers.split(","))) <= set(options.split(",")):
            return re.sub(r"\\040", " ", mount)
    return None


def _ip(*commands: str, namespace: str = "") -> None:
    within = ("-netns", namespace) if namespace else ()
    text = "\n".join(commands)
    done = subprocess.run(
        ("ip", *within, "-batch", "-"), input=text, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"ip: {done.stderr.strip()} (in {commands})")
