"""The lab: an internet, hosts, and the files with which a plain ssh reaches them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import identity, root
from .host import LabHost, Wanted
from .instance import Instance
from .internet import Internet
from .resolver import AUDITORS_RESOLVER

NEEDED = (
    *("mmdebstrap", "dnsmasq", "nginx", "ip", "nft", "mkfs.ext4", "openssl", "ssh", "ssh-keygen"),
    *("nsenter", "unshare", "findmnt", "docker-registry"),
    *("squid", "mitmdump", "pebble", "unbound"),
)
AUDITOR = 3  # the end of the auditor's own address


def hindrance() -> str | None:
    """Why the lab cannot run on this machine, or None."""
    if os.geteuid() != 0:
        return "the lab needs root"
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        return f"the lab needs {', '.join(missing)}: see tests/lab/packages.txt"
    return None


class Lab:
    """One running lab; `stop` leaves nothing behind."""

    def start(self) -> None:
        """Build what is not built yet, take a free index, and start the internet."""
        self._base = root.ready()
        self._instance = Instance.take()
        self.hosts: dict[str, LabHost] = {}
        self._number = 10
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        at = self._instance.directory
        self.directory = at
        self.identity = at / "identity"
        self.ssh_config = at / "ssh_config"
        self.known_hosts = at / "known_hosts"
        self._login = identity.new_key(self.identity, "sesam-audit lab")
        self._write_ssh_files()
        self._instance.connect("internet", 2)
        resolver = f"{self._instance.network}.2"
        self.internet = Internet(
            at / "internet",
            self._instance.namespace("internet"),
            resolver,
            self.auditor_address,
            self._instance.processes,
        )
        self.internet.start()
        self._instance.connect("auditor", AUDITOR)
        self._instance.network_commands("auditor", f"route add default via {resolver}")
        (at / "resolv.conf").write_text(f"nameserver {AUDITORS_RESOLVER}\n")

    def as_auditor(self, *command: str) -> tuple[str, ...]:
        """A command on the auditor's machine: this one, but on the lab's internet."""
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        return (
            *("nsenter", f"--net=/run/netns/{self._instance.namespace('auditor')}"),
            *("unshare", "--mount", "--", "sh", "-euc", script, "sh"),
            *(str(self.directory / "resolv.conf"), *command),
        )

    @property
    def auditor_address(self) -> str:
        """Where hosts see the auditor come from."""
        return f"{self._instance.network}.{AUDITOR}"

    @property
    def roots(self) -> Path:
        """The root of the lab's public certificates: a profile's `public_roots`."""
        return self.internet.public.root

    def host(self, name: str = "perfect", wanted: Wanted | None = None) -> LabHost:
        """Boot a host; without a wish it has everything the product asks for."""
        self._number += 1
        host = LabHost(name, self._number, wanted or Wanted(), self._instance, self.internet)
        self.hosts[name] = host
        host.start(self._base, self._login)
        self._write_ssh_files()
        return host

    @contextmanager
    def six(self, *hosts: LabHost) -> Iterator[None]:
        """These hosts have IPv6 for a while, and so has the way to the internet's names."""
        gate = f"{self._instance.network_6}::2"
        self._instance.network_commands("internet", f"address replace {gate}/64 dev eth0 nodad")
        for host in hosts:
            self._instance.network_commands(
                host.name,
                f"address add {host.address_6}/64 dev eth0 nodad",
                f"route add default via {gate}",
            )
        try:
            yield
        finally:
            for host in hosts:
                self._instance.network_commands(
                    host.name,
                    f"route delete default via {gate}",
                    f"address delete {host.address_6}/64 dev eth0",
                )

    def stop_host(self, host: LabHost) -> None:
        """End one host and forget its name."""
        del self.hosts[host.name]
        host.stop()
        self._write_ssh_files()

    def stop(self) -> None:
        """End everything."""
        self._instance.close()

    def _write_ssh_files(self) -> None:
        hosts = [host for host in self.hosts.values() if host.host_key]
        known = (f"{host.name},{host.address} {host.host_key}\n" for host in hosts)
        self.known_hosts.write_text("".join(known))
        common = (
            "User auditor",
            f"IdentityFile {self.identity}",
            "IdentitiesOnly yes",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile none",
            "StrictHostKeyChecking yes",
        )
        blocks = [f"Host {h.name}\n    HostName {h.address}\n" for h in hosts]
        blocks += ["Host *\n", *(f"    {line}\n" for line in common)]
        self.ssh_config.write_text("".join(blocks))
