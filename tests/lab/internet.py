"""The fake internet of a lab: DNS, TLS services and a firewall in a namespace of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from . import gateways, nginx
from .certificates import Authority
from .gateways import BLOCKING, INSPECTION, LOGIN_PROXY, PROXY, STERN, STRICT_PROXY
from .processes import Processes
from .registry import Registry
from .resolver import AUDITORS_RESOLVER, Resolver
from .services import LAYERS, PRIVATE_SINKHOLE, R2, SERVICES, SINKHOLE, SIX
from .street import BOTH, PUSHED, Street

SLOW = 4440  # the relay's port
REGISTRY = "registry-1.docker.io"


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
        self._directory = directory
        self._namespace = namespace
        self._processes = processes
        self._names = Resolver(directory, resolver, self._start, processes.end, self._wait)
        self._street = Street(auditor=auditor)
        self._running: set[int] = set()
        self.registry = Registry(directory, processes)

    def start(self) -> None:
        """Make the certificates and start DNS, nginx and all that is always there."""
        self._directory.mkdir()
        self.public = Authority(self._directory / "public", "Lab Trust Services")
        self.private = Authority(self._directory / "private", "Example Corp Inspection")
        addresses = [x for s in SERVICES.values() for x in (s.address, s.extra_address) if x]
        addresses += [SINKHOLE, PRIVATE_SINKHOLE, LAYERS, AUDITORS_RESOLVER]
        commands = [f"address add {address}/32 dev lo" for address in addresses]
        commands += [f"address add {address}/128 dev lo" for address in SIX.values()]
        self._ip("link set lo up", *commands)
        settings = (
            "cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >icmp_ratelimit; "
            "for each in all eth0; do echo 0 >conf/$each/send_redirects; done"
        )
        self._inside("sh", "-c", settings)

        config = nginx.config(self._directory, self.public, self.private)
        (self._directory / "nginx.conf").write_text(config)
        (self._directory / "delay").write_text("0")
        self.registry.start()
        relay = str(Path(__file__).with_name("relay.py"))
        self._start(
            "relay", sys.executable, relay, "0.0.0.0", str(SLOW), f"{self._directory}/delay"
        )
        self._start("pebble", *gateways.pebble(self._directory, self.public))
        self._start(
            "nginx", "nginx", "-p", str(self._directory), "-c", "nginx.conf", "-e", "nginx.log"
        )
        self._start("squid", *gateways.squid(self._directory / "squid", self.resolver))
        self._names.start()
        self._write_firewall()
        for port in (443, PROXY):
            self._wait(port)

    def publish(self, name: str, *addresses: str | None) -> None:
        """Give a name of the lab's own (a NODE_DOMAIN) addresses, or take them away."""
        self._names.publish(name, *filter(None, addresses))

    def certify(self, name: str) -> None:
        """Let's Encrypt of the lab has a certificate for the name, for a Traefik that asks."""
        chain, key = self.public.issue(name)
        (self._directory / f"www/lab/{name}.pem").write_text(chain + key)

    def address_of(self, name: str) -> str:
        """The address of a name of the lab's own."""
        return self._names.address_of(name)

    def translate(self, address: str, to: str) -> None:
        """Connections to one address arrive at another: NAT."""
        self._street.translations[address] = to
        self._write_firewall()

    # -- what becomes of packets -------------------------------------------------------------------

    def slow(self, *names: str, seconds: float = 5) -> None:
        """The connection stands at once, but TLS answers only after some seconds."""
        (self._directory / "delay").write_text(str(seconds))
        self._redirect(SLOW, names)

    def refuse(self, *names: str) -> None:
        """Connections are reset."""
        self._judge(f"{BOTH} reject with tcp reset", names)

    def forbid(self, *names: str) -> None:
        """Connections are refused by a firewall that says so."""
        self._judge(f"{BOTH} reject with icmp admin-prohibited", names)

    def blackhole(self, *names: str) -> None:
        """Packets vanish."""
        self._judge("drop", names)

    def swallow(self, *names: str) -> None:
        """Half-open: the connection stands, and what is said on it vanishes."""
        self._judge(f"tcp dport 443 {PUSHED} drop", names)

    def cut(self, *names: str) -> None:
        """The connection stands until TLS names the server, and then is reset."""
        self._judge(f"tcp dport 443 {PUSHED} reject with tcp reset", names)

    def close(self, port: int) -> None:
        """Nobody takes connections to this port."""
        rule = f"ip saddr != {self._auditor} tcp dport {port} reject with tcp reset"
        self._street.rules = [rule]
        self._write_firewall()

    def proxy_only(self) -> None:
        """The proxy is the hosts' only way to any service."""
        way = f'iifname "eth0" ip saddr != {self._auditor} ip daddr != {self.resolver}'
        self._street.rules = [f"{way} tcp dport 443 reject with tcp reset"]
        self._write_firewall()

    @contextlib.contextmanager
    def filtered(self, rule: str) -> Iterator[None]:
        """A rule of a firewall in front of the hosts, for a while."""
        self._street.rules = [rule]
        self._write_firewall()
        try:
            yield
        finally:
            self._street.rules = []
            self._write_firewall()

    def six(self, verdict: str = "") -> None:
        """Every name has an IPv6 address as well, which may be dropped or rejected."""
        self._street.six = verdict
        self._names.six(SIX)
        self._write_firewall()

    # -- who answers -------------------------------------------------------------------------------

    def wrong_certificate(self, *names: str) -> None:
        """TLS shows a publicly trusted certificate, but of another name."""
        self._redirect(nginx.WRONG_NAME, names)

    def expired(self, *names: str) -> None:
        """TLS shows a certificate that has ended."""
        self._redirect(nginx.EXPIRED, names)

    def not_yet_valid(self, *names: str) -> None:
        """TLS shows a certificate that has not begun."""
        self._redirect(nginx.NOT_YET, names)

    def old_tls(self, *names: str) -> None:
        """The server speaks TLS 1.1 alone."""
        self._redirect(nginx.OLD_TLS, names)

    def plain_http(self, *names: str) -> None:
        """The server does not speak TLS at all."""
        self._redirect(80, names)

    def other_service(self, *names: str) -> None:
        """The right certificate, before another service."""
        self._redirect(nginx.OTHER_SERVICE, names)

    def intercept(self, *names: str) -> None:
        """TLS is opened by mitmproxy, with the company's private authority (`private.root`)."""
        self._inspect(INSPECTION, names)

    def block(self, *names: str, status: int = 0) -> None:
        """TLS is opened by mitmproxy, which shows a block page in the service's place.

        With a status it shows no page, and says nothing but that.
        """
        self._inspect(STERN.get(status, BLOCKING), names)

    def captive(self, *names: str) -> None:
        """A captive portal answers: its own certificate, and every answer leads to its login."""
        self._street.portals += names
        self._redirect(nginx.CAPTIVE, names)

    def captive_unsigned(self, *names: str) -> None:
        """As `captive`, by a portal that nobody but itself vouches for."""
        self._street.portals += names
        self._redirect(nginx.CAPTIVE_UNSIGNED, names)

    def captive_status(self, *names: str) -> None:
        """As `captive_unsigned`, by one that says with HTTP 511 what it is."""
        self._redirect(nginx.CAPTIVE_STATUS, names)

    def out_of_order(self, *names: str) -> None:
        """The service itself, under its own certificate, is in trouble."""
        self._redirect(nginx.OUT_OF_ORDER, names)

    def layers_elsewhere(self) -> None:
        """The registry sends its clients on to a host outside *.docker.com."""
        self._redirect(nginx.LAYERS_ELSEWHERE, (REGISTRY,))
        self._names.lie((R2,), LAYERS)

    def blobs_gone(self) -> None:
        """The registry has no blob any more."""
        self._redirect(nginx.BLOBS_GONE, (REGISTRY,))

    def limited(self) -> None:
        """The registry has had enough of this address."""
        self._redirect(nginx.LIMIT, (REGISTRY,))

    def private_image(self, temper: str) -> None:
        """The registry answers otherwise for sesam/sesam-node (`services.PRIVATE`)."""
        self._redirect(nginx.PRIVATE[temper], (REGISTRY,))

    def proxy_demands_login(self) -> None:
        """The proxy lets nobody through without a login."""
        self._street.proxy = LOGIN_PROXY
        self._write_firewall()

    def proxy_refuses(self) -> None:
        """The proxy's list forbids a name (gateways.REFUSED)."""
        self._street.proxy = STRICT_PROXY
        self._write_firewall()

    # -- what names lead to ------------------------------------------------------------------------

    def unknown(self, *names: str) -> None:
        """The names do not exist (NXDOMAIN)."""
        self._names.lie(names, None)

    def sinkhole(self, *names: str, address: str = SINKHOLE) -> None:
        """The names lead to one address, where a block page answers."""
        self._names.lie(names, address)

    def servfail(self, *names: str) -> None:
        """The resolver could not find out, for it reaches no other."""
        self._names.fail(names)

    def unanswered(self, *names: str) -> None:
        """The resolver answers for all names but these."""
        self._names.ignore(names)

    def caa(self, name: str, tag: str, value: str) -> None:
        """The name has a CAA record."""
        self._names.caa(name, tag, value)

    def deaf(self) -> None:
        """The resolver answers nobody."""
        self._street.deaf = True
        self._write_firewall()

    def lossy(self) -> None:
        """The first question of every socket to the resolver is lost."""
        self._street.lossy = True
        self._write_firewall()

    # -- whose trouble it is -----------------------------------------------------------------------

    def everywhere(self) -> None:
        """What misbehaves does so for the auditor too: it is the world, and no host's firewall."""
        self._street.everywhere = True
        self._write_firewall()
        self._names.tell_all()

    def for_marked(self) -> None:
        """It misbehaves for marked packets alone (`street.MARK`), such as those of containers."""
        self._street.marked = True
        self._write_firewall()

    def cut_off(self) -> None:
        """The auditor reaches hosts and a resolver, but no service of the internet."""
        self._street.cut_off = True
        self._write_firewall()

    def reset(self) -> None:
        """Everything behaves again."""
        self._street = Street(auditor=self._auditor)
        self._write_firewall()
        self._names.reset()

    def requests(self) -> list[str]:
        """What was asked so far: `host method path status`, one line a request."""
        return (self._directory / "access.log").read_text().splitlines()

    def _inspect(self, port: int, names: tuple[str, ...]) -> None:
        if port not in self._running:
            directory = self._directory / f"inspection{port}"
            command = gateways.inspection(directory, port, self.public, self.private)
            self._start("inspection", *command)
            self._wait(port)
            self._running.add(port)
        self._redirect(port, names)

    def _redirect(self, port: int, names: tuple[str, ...]) -> None:
        self._street.ports.update(dict.fromkeys(names, port))
        self._write_firewall()

    def _judge(self, verdict: str, names: tuple[str, ...]) -> None:
        self._street.verdicts.update(dict.fromkeys(names, verdict))
        self._write_firewall()

    def _write_firewall(self) -> None:
        self._inside("nft", "-f", "-", text=self._street.text())

    def _start(self, name: str, *command: str) -> int:
        enter = ("nsenter", f"--net=/run/netns/{self._namespace}")
        return self._processes.start((*enter, *command), self._directory / f"{name}.log")

    def _ip(self, *commands: str) -> None:
        self._inside("ip", "-batch", "-", text="\n".join(commands))

    def _inside(self, *command: str, text: str = "") -> None:
        enter = ("nsenter", f"--net=/run/netns/{self._namespace}")
        subprocess.run((*enter, *command), input=text, text=True, check=True)

    def _wait(self, port: int, address: str = "") -> None:
        listens = f"src {address}:{port}" if address else f"sport = :{port}"
        ready = f"until ss -Hltn '{listens}' | grep -q .; do sleep 0.02; done"
        try:
            self._inside("timeout", "10", "sh", "-c", ready)
        except subprocess.CalledProcessError as error:
            logs = "".join(path.read_text() for path in self._directory.glob("*.log"))
            words = f"the fake internet does not listen on port {port}:\n{logs}"
            raise RuntimeError(words) from error
