"""The fake internet of a lab: DNS, TLS services and a firewall in a namespace of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import nginx
from .certificates import Authority
from .processes import Processes
from .registry import Registry
from .services import CLOUDFRONT, NETWORK, R2, SERVICES, SINKHOLE

SLOW = 4440  # the relay's port
PROXY = 3128
REGISTRY = "registry-1.docker.io"


AUDITORS_RESOLVER = f"{NETWORK}.53"


class Internet:
    """Answers for every name the product needs, and misbehaves on demand, name by name.

    It misbehaves for the hosts, as their firewall would: the auditor has a resolver and a way of
    its own, until a fault is `everywhere`.
    """

    def __init__(
        self, directory: Path, namespace: str, resolver: str, auditor: str, processes: Processes
    ) -> None:
        self.resolver = resolver
        self._auditor = auditor
        self._everywhere = False
        self._cut_off = False
        self._directory = directory
        self._namespace = namespace
        self._processes = processes
        self._ports: dict[str, int] = {}
        self._verdicts: dict[str, str] = {}
        self._dns: dict[str, str | None] = {}
        self._own: dict[str, str] = {}
        self._translations: dict[str, str] = {}
        self._street: list[str] = []
        self._deaf = False
        self._caa: tuple[str, ...] = ()
        self._dnsmasq: dict[str, int] = {}  # by the address it listens on
        self.registry = Registry(directory, processes)

    def start(self) -> None:
        """Make the certificates and start DNS, nginx and the slow relay."""
        self._directory.mkdir()
        self.public = Authority(self._directory / "public", "Lab Trust Services")
        self.private = Authority(self._directory / "private", "Example Corp Inspection")
        addresses = [x for s in SERVICES.values() for x in (s.address, s.extra_address) if x]
        addresses += [SINKHOLE, AUDITORS_RESOLVER]
        commands = [f"address add {address}/32 dev lo" for address in addresses]
        self._ip("link set lo up", *commands)
        settings = (
            "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/icmp_ratelimit"
        )
        self._inside("sh", "-c", settings)

        config = nginx.config(self._directory, self.public, self.private)
        (self._directory / "nginx.conf").write_text(config)
        (self._directory / "delay").write_text("0")
        self._write_dns()
        self.registry.start()
        relay = str(Path(__file__).with_name("relay.py"))
        self._start(
            "relay", sys.executable, relay, "0.0.0.0", str(SLOW), f"{self._directory}/delay"
        )
        self._start(
            "nginx", "nginx", "-p", str(self._directory), "-c", "nginx.conf", "-e", "nginx.log"
        )
        (self._directory / "proxy").write_text("")
        proxy = str(Path(__file__).with_name("proxy.py"))
        files = (f"{self._directory}/hosts", f"{self._directory}/proxy")
        self._start("proxy", sys.executable, proxy, self.resolver, str(PROXY), *files)
        self._start_dns()
        self._wait()

    def publish(self, name: str, address: str | None) -> None:
        """Give a name of the lab's own (a NODE_DOMAIN) an address, or take it away."""
        self._own.pop(name, None)
        if address:
            self._own[name] = address
        self._write_dns()

    def certify(self, name: str) -> None:
        """Let's Encrypt of the lab has a certificate for the name, for a Traefik that asks."""
        chain, key = self.public.issue(name)
        (self._directory / f"www/lab/{name}.pem").write_text(chain + key)

    def address_of(self, name: str) -> str:
        """The address of a name of the lab's own."""
        return self._own[name]

    def translate(self, address: str, to: str) -> None:
        """Connections to one address arrive at another: NAT."""
        self._translations[address] = to
        self._write_firewall()

    def slow(self, *names: str, seconds: float = 5) -> None:
        """The connection stands at once, but TLS answers only after some seconds."""
        (self._directory / "delay").write_text(str(seconds))
        self._redirect(SLOW, names)

    def refuse(self, *names: str) -> None:
        """Connections are reset."""
        self._judge("reject with tcp reset", names)

    def blackhole(self, *names: str) -> None:
        """Packets vanish."""
        self._judge("drop", names)

    def wrong_certificate(self, *names: str) -> None:
        """TLS shows a publicly trusted certificate, but of another name."""
        self._redirect(nginx.WRONG_NAME, names)

    def intercept(self, *names: str) -> None:
        """TLS shows the right name, signed by a private authority (`private.root`)."""
        self._redirect(nginx.OTHER_AUTHORITY, names)

    def captive(self, *names: str) -> None:
        """TLS is fine, but every answer leads to a login page."""
        self._redirect(nginx.CAPTIVE, names)

    def layers_elsewhere(self) -> None:
        """The registry sends its clients on to a host outside *.docker.com."""
        self._redirect(nginx.LAYERS_ELSEWHERE, (REGISTRY,))
        self._dns[R2] = SERVICES[CLOUDFRONT].address
        self._write_dns()

    def blobs_gone(self) -> None:
        """The registry has no blob any more."""
        self._redirect(nginx.BLOBS_GONE, (REGISTRY,))

    def limited(self) -> None:
        """The registry has had enough of this address."""
        self._redirect(nginx.LIMIT, (REGISTRY,))

    def proxy(self, *rules: str) -> None:
        """The proxy refuses these names; `Basic:...` is a login that it demands."""
        (self._directory / "proxy").write_text("\n".join(rules))

    def unknown(self, *names: str) -> None:
        """The names do not exist (NXDOMAIN)."""
        self._dns.update(dict.fromkeys(names))
        self._write_dns()

    def sinkhole(self, *names: str, address: str = SINKHOLE) -> None:
        """The names lead to one address, where a block page answers."""
        self._dns.update(dict.fromkeys(names, address))
        self._write_dns()

    def caa(self, name: str, tag: str, value: str) -> None:
        """The name has a CAA record."""
        record = bytes((0, len(tag))) + tag.encode() + value.encode()
        self._restart_dns(f"--dns-rr={name},257,{record.hex()}")

    def deaf(self) -> None:
        """The resolver answers nobody."""
        self._deaf = True
        self._write_firewall()

    def everywhere(self) -> None:
        """What misbehaves does so for the auditor too: it is the world, and no host's firewall."""
        self._everywhere = True
        self._write_firewall()
        self._write_dns()

    def cut_off(self) -> None:
        """The auditor has hosts, but no internet."""
        self._cut_off = True
        self._write_firewall()

    @contextlib.contextmanager
    def filtered(self, rule: str) -> Iterator[None]:
        """A rule of a firewall in front of the hosts, for a while."""
        self._street = [rule]
        self._write_firewall()
        try:
            yield
        finally:
            self._street = []
            self._write_firewall()

    def reset(self) -> None:
        """Everything behaves again."""
        self._ports, self._verdicts, self._dns, self._deaf = {}, {}, {}, False
        self._everywhere, self._cut_off = False, False
        self._translations = {}
        self.proxy()
        self._write_firewall()
        self._write_dns()
        if self._caa:
            self._restart_dns()

    def requests(self) -> list[str]:
        """What was asked so far: `host method path status`, one line a request."""
        return (self._directory / "access.log").read_text().splitlines()

    def _redirect(self, port: int, names: tuple[str, ...]) -> None:
        self._ports.update(dict.fromkeys(names, port))
        self._write_firewall()

    def _judge(self, verdict: str, names: tuple[str, ...]) -> None:
        self._verdicts.update(dict.fromkeys(names, verdict))
        self._write_firewall()

    def _write_firewall(self) -> None:
        whose = "" if self._everywhere else f"ip saddr != {self._auditor}"
        rules = ["table ip lab", "delete table ip lab", "table ip lab {"]
        rules += ["chain way { type nat hook prerouting priority dstnat;"]
        for name, port in self._ports.items():
            rules += [f"{whose} ip daddr {_addresses(name)} tcp dport 443 redirect to :{port}"]
        for address, to in self._translations.items():
            rules += [f"ip daddr {address} dnat to {to}"]
        rules += ["}", "chain back { type nat hook postrouting priority srcnat;"]
        rules += ["ct status dnat masquerade" for _ in self._translations]
        rules += ["}", "chain door { type filter hook prerouting priority mangle;"]
        deaf = ("udp", "tcp") if self._deaf else ()
        rules += [f"{whose} {protocol} dport 53 drop" for protocol in deaf]
        rules += [f"ip saddr {self._auditor} ip daddr {NETWORK}.0/24 drop"] if self._cut_off else []
        rules += [
            f"{whose} ip daddr {_addresses(name)} drop"
            for name, verdict in self._verdicts.items()
            if verdict == "drop"
        ]
        rules += self._street
        rules += ["}", "chain desk { type filter hook input priority filter;"]
        for name, verdict in self._verdicts.items():
            rules += [f"{whose} ip daddr {_addresses(name)} tcp dport {{ 80, 443 }} {verdict}"]
        self._inside("nft", "-f", "-", text="\n".join([*rules, "}", "}", ""]))

    def _write_dns(self) -> None:
        true = {name: service.address for name, service in SERVICES.items()} | self._own
        bent = true | self._dns
        self._write_hosts("hosts", bent)
        self._write_hosts("auditors-hosts", bent if self._everywhere else true)
        for process in self._dnsmasq.values():
            os.kill(process, signal.SIGHUP)
        if self._dnsmasq:
            time.sleep(0.05)

    def _write_hosts(self, file: str, names: Mapping[str, str | None]) -> None:
        lines = (f"{address} {name}\n" for name, address in names.items() if address)
        (self._directory / file).write_text("".join(lines))

    def _restart_dns(self, *records: str) -> None:
        """Records of other types are read at the start only."""
        self._caa = records
        self._processes.end(*self._dnsmasq.values())
        self._start_dns()
        self._wait()

    def _start_dns(self) -> None:
        files = {self.resolver: "hosts", AUDITORS_RESOLVER: "auditors-hosts"}
        self._dnsmasq = {
            address: self._start(
                *("dnsmasq", "dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground"),
                *("--user=root", "--pid-file", "--no-hosts", "--no-resolv", "--bind-interfaces"),
                *("--address=/#/", f"--listen-address={address}"),
                *(f"--addn-hosts={self._directory}/{file}", "--log-facility=-", *self._caa),
            )
            for address, file in files.items()
        }

    def _start(self, name: str, *command: str) -> int:
        enter = ("nsenter", f"--net=/run/netns/{self._namespace}")
        return self._processes.start((*enter, *command), self._directory / f"{name}.log")

    def _ip(self, *commands: str) -> None:
        self._inside("ip", "-batch", "-", text="\n".join(commands))

    def _inside(self, *command: str, text: str = "") -> None:
        enter = ("nsenter", f"--net=/run/netns/{self._namespace}")
        subprocess.run((*enter, *command), input=text, text=True, check=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection((self.resolver, 53), timeout=1).close()
                socket.create_connection((self.resolver, 443), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                break
        else:
            logs = "".join(path.read_text() for path in self._directory.glob("*.log"))
            raise RuntimeError(f"the fake internet does not answer:\n{logs}")
        listens = f"ss -Hltn src {AUDITORS_RESOLVER}:53 | grep -q ."
        self._inside("timeout", "10", "sh", "-c", f"until {listens}; do sleep 0.02; done")


def _addresses(name: str) -> str:
    service = SERVICES[name]
    return f"{{ {', '.join(filter(None, (service.address, service.extra_address)))} }}"
