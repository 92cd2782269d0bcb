"""The names of a lab's internet: dnsmasq tells the truth or lies, unbound is cut off from all."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .services import NETWORK, SERVICES

AUDITORS_RESOLVER = f"{NETWORK}.53"
FAILING, MUTE = 5353, 5354  # ports of a resolver that reaches no other, and of none at all
Start = Callable[..., int]


class Resolver:
    """What hosts are told of names, name by name."""

    def __init__(
        self,
        directory: Path,
        address: str,
        start: Start,
        end: Callable[..., None],
        wait: Callable[[int, str], None],
    ) -> None:
        self._files = {address: "hosts", AUDITORS_RESOLVER: "auditors-hosts"}
        self._directory = directory
        self._run, self._end, self._wait = start, end, wait
        self._everywhere = False
        self._own: dict[str, tuple[str, ...]] = {}
        self._lies: dict[str, str | None] = {}
        self._elsewhere: dict[str, int] = {}
        self._six: dict[str, str] = {}
        self._records: tuple[str, ...] = ()
        self._dnsmasq: list[int] = []
        self._unbound = 0

    def start(self) -> None:
        self._write()
        self._start()

    def publish(self, name: str, *addresses: str) -> None:
        """Give a name of the lab's own (a NODE_DOMAIN) addresses; without any, take it away."""
        self._own.pop(name, None)
        if addresses:
            self._own[name] = addresses
        self._write()

    def address_of(self, name: str) -> str:
        return self._own[name][0]

    def lie(self, names: Iterable[str], address: str | None) -> None:
        """The names lead there; None: they do not exist (NXDOMAIN)."""
        self._lies.update(dict.fromkeys(names, address))
        self._write()

    def fail(self, names: Iterable[str]) -> None:
        """The resolver could not find out (SERVFAIL)."""
        if not self._unbound:
            self._unbound = self._run("unbound", *_unbound(self._directory))
        self._send(names, FAILING)

    def ignore(self, names: Iterable[str]) -> None:
        """The resolver waits for another that never answers, and so does who asks it."""
        self._send(names, MUTE)

    def six(self, addresses: dict[str, str]) -> None:
        """Names of the internet have an IPv6 address too."""
        self._six = addresses
        self._write()

    def caa(self, name: str, tag: str, value: str) -> None:
        """The name has a CAA record."""
        record = bytes((0, len(tag))) + tag.encode() + value.encode()
        self._restart(f"--dns-rr={name},257,{record.hex()}")

    def tell_all(self) -> None:
        """The auditor is told what hosts are told."""
        self._everywhere = True
        self._write()

    def reset(self) -> None:
        """The truth about every name; the lab's own stay as they were published."""
        self._lies, self._elsewhere, self._six = {}, {}, {}
        self._everywhere = False
        self._write()
        if self._records:
            self._restart()

    def _send(self, names: Iterable[str], port: int) -> None:
        self._elsewhere.update(dict.fromkeys(names, port))
        self._write()

    def _write(self) -> None:
        true: dict[str, tuple[str, ...]] = {
            name: tuple(filter(None, (service.address, self._six.get(name))))
            for name, service in SERVICES.items()
        } | self._own
        bent = true | {name: (lie,) if lie else () for name, lie in self._lies.items()}
        for name in self._elsewhere:
            bent[name] = ()
        self._write_hosts("hosts", bent)
        self._write_hosts("auditors-hosts", bent if self._everywhere else true)
        elsewhere = [f"server=/{name}/127.0.0.1#{to}\n" for name, to in self._elsewhere.items()]
        (self._directory / "hosts.servers").write_text("".join(elsewhere))
        (self._directory / "auditors-hosts.servers").write_text(
            "".join(elsewhere) if self._everywhere else ""
        )
        for process in self._dnsmasq:
            os.kill(process, signal.SIGHUP)
        if self._dnsmasq:
            time.sleep(0.05)

    def _write_hosts(self, file: str, names: dict[str, tuple[str, ...]]) -> None:
        rows = (f"{address} {name}\n" for name, known in names.items() for address in known)
        (self._directory / file).write_text("".join(rows))

    def _restart(self, *records: str) -> None:
        """Records of other types are read at the start only."""
        self._records = records
        self._end(*self._dnsmasq)
        self._start()

    def _start(self) -> None:
        self._dnsmasq = [
            self._run(
                *("dnsmasq", "dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground"),
                *("--user=root", "--pid-file", "--no-hosts", "--no-resolv", "--bind-interfaces"),
                *("--address=/#/", f"--listen-address={address}", "--cache-size=0"),
                *(f"--addn-hosts={self._directory}/{file}", "--log-facility=-"),
                *(f"--servers-file={self._directory}/{file}.servers", *self._records),
            )
            for address, file in self._files.items()
        ]
        for address in self._files:
            self._wait(53, address)


def _unbound(directory: Path) -> tuple[str, ...]:
    """The command of a resolver whose every forwarder refuses it."""
    at = directory / "unbound.conf"
    at.write_text(
        "server:\n  interface: 127.0.0.1\n"
        f"  port: {FAILING}\n  chroot: ''\n  username: ''\n  directory: '{directory}'\n"
        "  pidfile: ''\n  use-syslog: no\n  module-config: iterator\n  num-threads: 1\n"
        "  do-not-query-localhost: no\n"
        "forward-zone:\n  name: .\n  forward-addr: 127.0.0.1@9\n"
        "remote-control:\n  control-enable: no\n"
    )
    return ("unbound", "-d", "-c", str(at))
