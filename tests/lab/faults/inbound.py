"""Faults of what should reach the host, and of what must not."""

from __future__ import annotations

from collections.abc import Callable

from ..internet import Internet
from ..services import NETWORK, SINKHOLE
from .fault import FAILED, UNKNOWN, Fault
from .outbound import INSIDE

NAME = "perfect.customer.example.org"
OUTSIDE = f"{NETWORK}.200"
NFT = "table inet seeded {{\n chain way {{\n type filter hook {hook} priority 0; {rules}\n }}\n}}\n"
DOCKER_TO_ALL = """
import socket, threading
def copy(a, b):
    while data := a.recv(65536): b.sendall(data)
    b.shutdown(1)
with socket.create_server(("0.0.0.0", 2375)) as server:
    while True:
        client, _ = server.accept()
        docker = socket.socket(socket.AF_UNIX); docker.connect("/run/docker.sock")
        for pair in ((client, docker), (docker, client)):
            threading.Thread(target=copy, args=pair, daemon=True).start()
"""


def rules(hook: str, lines: str) -> str:
    return f"nft -f - <<'END'\n{NFT.format(hook=hook, rules=lines)}END"


STRICT = "mkdir -p /etc/firewalld; echo StrictForwardPorts=yes >/etc/firewalld/firewalld.conf"
ONLY_SSH = rules(
    "input", "policy drop; iif lo accept; ct state established accept; tcp dport 22 accept;"
)
NO_RULES = "nft delete table inet seeded"


def service(port: int, address: str = "0.0.0.0") -> str:
    """Start a web server in the background, and wait until it listens."""
    serve = f"python3 -m http.server {port} --bind {address} --directory /etc/ssh"
    return f"systemd-run --quiet --collect --unit=squatter {serve}\n{_listens(port)}"


def _listens(port: int) -> str:
    return f"until ss -Hltn sport = :{port} | grep -q .; do sleep 0.02; done"


NO_443 = {  # nothing may listen there for the audit, or nothing gets there
    "inbound.https [host's address]": UNKNOWN,
    "inbound.https [NODE_DOMAIN]": UNKNOWN,
}
NO_SERVICE = "systemctl stop squatter"


def _leads(address: str | None, *, translated: bool = False) -> Callable[[Internet], None]:
    """The node's name leads elsewhere; or only seems to, and is translated on the way."""

    def network(internet: Internet) -> None:
        if translated and address:
            internet.translate(address, internet.address_of(NAME))
        internet.publish(NAME, address)

    return network


PORTS = (
    Fault(
        name="a web server on port 80",
        seed=service(80),
        mend=NO_SERVICE,
        changes={"inbound.port-owner [80]": FAILED},
        says="python3",
    ),
    Fault(
        name="a web server on port 80 of 127.0.0.1 alone",
        seed=service(80, "127.0.0.1"),
        mend=NO_SERVICE,
        changes={"inbound.port-owner [80]": FAILED},
        says="127.0.0.1:80",
    ),
    Fault(
        name="a web server on port 443 of an IPv6 address",
        seed=service(443, "::1"),
        mend=NO_SERVICE,
        changes={"inbound.port-owner [443]": FAILED, **NO_443},
        says=r"\[::1\]:443",
    ),
    Fault(
        name="port 80 led elsewhere before Docker's own rules",
        seed="iptables -t nat -I PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8000",
        mend="iptables -t nat -D PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8000",
        settings=("auditor_stands_for=internet",),
        changes={"inbound.port-owner [80]": FAILED},  # and nobody else's fault
        says="8000",
    ),
    Fault(
        name="port 80 led elsewhere by iptables",
        seed="iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8000",
        mend="iptables -t nat -D PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8000",
        changes={"inbound.port-owner [80]": FAILED},  # Docker's own rules come first
        says="8000",
    ),
    Fault(
        name="a web server on port 8080",
        seed=service(8080),
        mend=NO_SERVICE,
    ),
    Fault(
        name="the node's own port open",
        seed=service(9042),
        mend=NO_SERVICE,
        changes={"inbound.exposure [9042]": FAILED},
        says="9042",
    ),
    Fault(
        name="something on the port of Docker's API over TLS",
        seed=service(2376),
        mend=NO_SERVICE,
        changes={"inbound.exposure [2376]": FAILED},
        says="2376 answers auditor.*bypass ufw",
    ),
    Fault(
        name="the node's own port open on 127.0.0.1 alone",
        seed=service(9042, "127.0.0.1"),
        mend=NO_SERVICE,
    ),
    Fault(
        name="Docker's API open to all",
        seed=f"cat >/run/open.py <<'END'{DOCKER_TO_ALL}END\n"
        f"systemd-run --quiet --collect --unit=squatter python3 /run/open.py\n{_listens(2375)}",
        mend=f"{NO_SERVICE}; rm /run/open.py",
        changes={"inbound.docker-api": FAILED, "inbound.exposure [2375]": FAILED},
    ),
)

FIREWALL = (
    Fault(
        name="forwarded connections dropped by nftables",
        seed=rules("forward", "policy drop;"),
        mend=NO_RULES,
        settings=("deadline=8",),
        changes={"inbound.host-firewall": FAILED, **NO_443, **INSIDE},
        says="policy drop",
    ),
    Fault(
        name="firewalld that is strict about forwarded ports",
        keep=("/etc/firewalld",),
        seed=f"{STRICT}\nsystemd-run --quiet --unit=firewalld sleep 60",
        mend="systemctl stop firewalld",
        changes={"inbound.host-firewall": FAILED},
    ),
    Fault(
        name="firewalld's configuration, though firewalld does not run",
        keep=("/etc/firewalld",),
        seed=STRICT,
    ),
    Fault(
        name="a daemon that leaves iptables alone",
        keep=("/etc/docker",),
        seed="""mkdir -p /etc/docker; echo '{"iptables": false}' >/etc/docker/daemon.json""",
        changes={"inbound.host-firewall": FAILED},
        says="iptables",
    ),
    Fault(
        name="a host that lets in ssh alone, which published ports never see",
        seed=ONLY_SSH,
        mend=NO_RULES,
    ),
    Fault(
        name="a chain that accepts what Docker redirects, and drops the rest",
        seed=rules("forward", "policy drop; ct status dnat accept; ct state established accept;"),
        mend=NO_RULES,
        settings=("deadline=8",),
        changes=INSIDE,
    ),
    Fault(
        name="a chain that accepts what Docker redirects and what containers send",
        seed=rules(
            "forward",
            "policy drop; ct status dnat accept; ct state established accept;"
            ' iifname "br-*" accept;',
        ),
        mend=NO_RULES,
    ),
)


def _led(name: str, to: str, **changes: str) -> Fault:
    rule = f"PREROUTING -d {to} -p tcp --dport 443 -j DNAT --to-destination 10.99.0.2:8443"
    return Fault(
        name=name,
        seed=f"iptables -t nat -A {rule}",
        mend=f"iptables -t nat -D {rule}",
        changes=changes,
        says="10.99.0.2:8443" if changes else "",
    )


LED = (
    _led("another machine's port 443 that the host leads elsewhere", "10.99.0.1"),
    _led(
        "the host's own port 443 that it leads elsewhere",
        "10.0.0.0/8",
        **{"inbound.port-owner [443]": FAILED},  # Docker's own rules come first
    ),
)

NAMES = (
    Fault(
        name="a node's name that does not exist",
        network=_leads(None),
        changes={"inbound.dns": FAILED, "inbound.https [NODE_DOMAIN]": UNKNOWN},
        says="does not resolve",
    ),
    Fault(
        name="a node's name that leads to an address of NAT, which the token proves",
        network=_leads(OUTSIDE, translated=True),
    ),
    Fault(
        name="a node's name that leads to an address of NAT, which nobody may prove",
        network=_leads(OUTSIDE, translated=True),
        settings=("listen=false",),
        changes={"inbound.dns": UNKNOWN, **NO_443},
        says="NAT",
    ),
    Fault(
        name="a node's name that leads to a declared address of NAT",
        network=_leads(OUTSIDE, translated=True),
        settings=(f"public_addresses={OUTSIDE}",),
    ),
    Fault(
        name="a node's name that leads to another machine",
        network=_leads(SINKHOLE),
        changes={
            "inbound.dns": FAILED,
            "inbound.http [NODE_DOMAIN]": FAILED,
            "inbound.https [NODE_DOMAIN]": FAILED,
        },
        says="leads to another machine",
    ),
    Fault(
        name="a node's name that leads to a private address",
        network=_leads("172.17.0.1"),
        changes={"inbound.dns": FAILED, "inbound.https [NODE_DOMAIN]": UNKNOWN},
        says="private",
    ),
    Fault(
        name="CAA of another authority alone",
        network=lambda internet: internet.caa(NAME, "issue", "digicert.com"),
        changes={"inbound.caa": FAILED},
        says="digicert.com",
    ),
    Fault(
        name="CAA of another authority at the domain above",
        network=lambda internet: internet.caa("example.org", "issue", "digicert.com"),
        changes={"inbound.caa": FAILED},
        says="example.org",
    ),
    Fault(
        name="CAA of Let's Encrypt",
        network=lambda internet: internet.caa(NAME, "issue", "letsencrypt.org"),
    ),
    Fault(
        name="CAA that says where to complain alone",
        network=lambda internet: internet.caa(NAME, "iodef", "mailto:security@example.org"),
    ),
)

FAULTS = (*PORTS, *FIREWALL, *LED, *NAMES)
