"""Faults of hosts set up otherwise: root disk, fixed addresses, a running stack, a proxy."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from ..gateways import PROXY_LOGIN
from ..host import LabHost
from ..internet import SLOW, Internet
from ..lab import Lab
from ..services import LOG_SHIPPING, SERVICES, SINKHOLE
from .fault import BLOCKED, FAILED, NOT_APPLICABLE, PASSED, RESTART_DOCKER, UNKNOWN, Fault
from .inbound import NO_RULES, NO_SERVICE, ONLY_SSH, rules, service
from .outbound import INSIDE, SUBJECTS, UPDATES
from .scenes import COMPOSE, DATABASE, EXTRA, REGISTRY, SHUT, SHUT_ID, SHUT_PORT

ROOT_STORE = "/sesam/node-00/data"
ON_ROOT_DISK = (
    Fault(
        name="the guide's stack file on the root disk, which mounts what the node never sees",
        scene="rootdisk",
        keep=(COMPOSE,),
        seed=f"sed -i 's|source: {ROOT_STORE}|source: /srv/data/sesam/node-00/data|' {COMPOSE}",
        changes={"layout.data-path": FAILED},
    ),
    Fault(
        name="a license in the directory that the node never sees",
        scene="rootdisk",
        keep=(f"{ROOT_STORE}/license.key",),
        seed="install -d -o sesam -g sesam"
        " /srv/data/sesam /srv/data/sesam/node-00 /srv/data/sesam/node-00/data\n"
        f"mv {ROOT_STORE}/license.key /srv/data/sesam/node-00/data",
        mend="rm -r /srv/data/sesam",
        changes={
            "license.file": FAILED,
            "license.permissions": UNKNOWN,
            "layout.data-path": FAILED,
        },
        says="license.key",
    ),
    Fault(
        name="a data link on the root disk",
        scene="rootdisk",
        seed=f"mv {ROOT_STORE} /sesam/node-00/store; ln -s store {ROOT_STORE}\n"
        f"chown -h sesam:sesam {ROOT_STORE}",
        mend=f"rm {ROOT_STORE}; mv /sesam/node-00/store {ROOT_STORE}",
        changes={"layout.data-link": FAILED},
    ),
    Fault(
        name="a profile that says datadisk where there is none",
        scene="rootdisk",
        settings=("data=datadisk",),
        changes={
            "layout.data-mount": FAILED,
            "layout.data-mount-boot": FAILED,
            "layout.data-mount-order": BLOCKED,
        },
    ),
)


def _publish(name: str, address: str) -> Callable[[Internet], None]:
    return lambda internet: internet.sinkhole(name, address=address)


BY_ADDRESS = (
    Fault(
        name="a portal at an address that is not open",
        scene="addresses",
        network=_publish("portal.sesam.io", SERVICES["portal.sesam.io"].address),
        changes={"outbound.sesam-ips": FAILED},
        says="does not cover",
    ),
    Fault(
        name="a portal that has no address",
        scene="addresses",
        network=lambda internet: internet.unknown("portal.sesam.io"),
        changes={"outbound.sesam-ips": UNKNOWN, SUBJECTS["portal.sesam.io"]: FAILED},
    ),
    Fault(
        name="the address of log shipping closed",
        scene="addresses",
        network=lambda internet: internet.refuse("ss-companyhub.sesam.cloud"),
        changes={"outbound.sesam [52.142.116.113:443]": FAILED},
    ),
    Fault(
        name="the address of log shipping with a certificate of its own",
        scene="addresses",
        network=lambda internet: internet.captive_unsigned(LOG_SHIPPING),
    ),
    Fault(
        name="a company whose authority signs its registry, and opens the portal's TLS",
        scene="addresses",
        network=lambda internet: internet.intercept("portal.sesam.io"),
        changes={
            SUBJECTS["portal.sesam.io"]: FAILED,
            "outbound.sesam [137.116.234.60:443]": FAILED,
            f"outbound.extra [{REGISTRY}]": FAILED,
            "outbound.interception": FAILED,
        },
        says="tls-intercepted",
    ),
    Fault(
        name="a database that refuses connections",
        scene="addresses",
        network=lambda internet: internet.close(SLOW),
        changes={f"outbound.extra [{DATABASE}]": FAILED},
        says=f"port {SLOW} refused",
    ),
    Fault(
        name="an extra destination closed",
        scene="addresses",
        network=lambda internet: internet.refuse(EXTRA),
        changes={f"outbound.extra [{EXTRA}:443]": FAILED},
    ),
)

WAYS_IN = ("host's address", "NODE_DOMAIN")


def _in(outcome: str, *names: str) -> dict[str, str]:
    return {f"inbound.{name} [{way}]": outcome for name in names for way in WAYS_IN}


def _street(rule: str) -> str:
    """A firewall before the host, in the host's own namespace: before Docker's redirection."""
    return (
        "nft -f - <<'END'\ntable inet street {\n chain way {\n"
        f" type filter hook prerouting priority -400; tcp dport {rule}\n }}\n}}\nEND"
    )


NO_STREET = "nft delete table inet street"
RUNNING = (
    Fault(
        name="port 443 refused before the host",
        scene="running",
        seed=_street("443 iifname eth0 reject with tcp reset;"),
        mend=NO_STREET,
        changes=_in(UNKNOWN, "https", "http"),  # it may be private; and it tells whose 80 it is
        says="refused",
    ),
    Fault(
        name="port 443 refused to the node's clients",
        scene="running",
        settings=("auditor_stands_for=clients",),
        seed=_street("443 iifname eth0 reject with tcp reset;"),
        mend=NO_STREET,
        changes={**_in(UNKNOWN, "https", "http"), "inbound.https [NODE_DOMAIN]": FAILED},
        says="refused",
    ),
    Fault(
        name="ports 80 and 443 filtered before the host",
        scene="running",
        seed=_street("{ 80, 443 } iifname eth0 drop;"),
        mend=NO_STREET,
        changes={
            **_in(UNKNOWN, "http", "https"),  # the address of ssh is not what the internet uses
            "inbound.http [NODE_DOMAIN]": FAILED,
            "inbound.https [NODE_DOMAIN]": FAILED,
        },
        says="filtered",
    ),
    Fault(
        name="an auditor who stands for nobody",
        scene="running",
        settings=("auditor_stands_for=none",),
        changes=_in(UNKNOWN, "http"),
        says="ANY is not proven",
    ),
    Fault(
        name="a running node whose name leads to another machine",
        scene="running",
        network=lambda internet: internet.publish("running.customer.example.org", SINKHOLE),
        changes={
            "inbound.dns": FAILED,
            "inbound.http [NODE_DOMAIN]": FAILED,
            "inbound.https [NODE_DOMAIN]": FAILED,
        },
        says="another machine|does not lead",
    ),
    Fault(
        name="the node's own port published by Docker, past ufw's default deny",
        scene="running",
        seed=f"{ONLY_SSH}\ndocker run --detach --name published --publish 9042:9042"
        " --entrypoint /usr/bin/python3 traefik:latest -m http.server 9042 >/dev/null",
        mend=f"docker rm --force published >/dev/null; {NO_RULES}",
        changes={"inbound.exposure [9042]": FAILED},
        says="Docker's published ports bypass ufw",
    ),
    Fault(
        name="ufw's default deny before a running stack",
        scene="running",
        seed=ONLY_SSH,
        mend=NO_RULES,
    ),
)


NOTHING_OUT = dict.fromkeys(("outbound.interception", *SUBJECTS.values()), UNKNOWN)


NOTHING_BUT_THE_DAEMON = {
    **{name: UNKNOWN for name in SUBJECTS.values() if "outbound.docker" not in name},
    **dict.fromkeys(UPDATES, UNKNOWN),
}
DROP_IN = "/etc/systemd/system/docker.service.d/proxy.conf"


def _restart(_: Lab, host: LabHost) -> None:
    host.run(RESTART_DOCKER)


PROXIED = (
    Fault(
        name="a proxy that demands a login, which the daemon alone has",
        scene="proxied",
        keep=(DROP_IN,),
        seed=f"sed -i 's|http://|http://{quote(PROXY_LOGIN, safe=':').replace('%', '%%')}@|'"
        f" {DROP_IN}; {RESTART_DOCKER}",
        restore=_restart,
        network=Internet.proxy_demands_login,
        changes={"outbound.proxy": FAILED, **NOTHING_BUT_THE_DAEMON},
        says="login",
    ),
    Fault(
        name="a host with proxies of its own that demand a login, and a profile that has none",
        scene="proxied",
        settings=("proxy=",),
        network=Internet.proxy_demands_login,
        changes={
            **dict.fromkeys(
                ("outbound.proxy", "docker.proxy", "docker.container-proxy"), NOT_APPLICABLE
            ),
            **{name: FAILED for name in SUBJECTS.values() if re.search("docker|pypi", name)},
            **{name: UNKNOWN for name in SUBJECTS.values() if re.search("sesam|encrypt", name)},
        },
        says="proxy-needs-auth: the proxy .* demands a login",
    ),
    Fault(
        name="a proxy that refuses PyPI",
        scene="proxied",
        network=Internet.proxy_refuses,
        changes={"outbound.proxy": FAILED, SUBJECTS["pypi.org"]: FAILED},
        says="pypi.org",
    ),
    Fault(
        name="a proxy that demands a login",
        scene="proxied",
        network=Internet.proxy_demands_login,
        changes={
            "outbound.proxy": FAILED,
            **NOTHING_OUT,
        },
        says="login",
    ),
    Fault(
        name="a profile with another proxy than the host's",
        scene="proxied",
        settings=("proxy=localhost.example.net:3128",),
        changes={
            "outbound.proxy": FAILED,
            "docker.proxy": FAILED,
            "docker.container-proxy": FAILED,
        },
    ),
    Fault(
        name="containers that get no proxy, where nothing else leads out",
        scene="proxied",
        keep=("/home/sesam/.docker/config.json",),
        seed='sed -i \'s/"proxies"/"proxy"/\' /home/sesam/.docker/config.json',
        network=Internet.proxy_only,
        changes={"docker.container-proxy": FAILED, **INSIDE},
        says="tcp-refused: .*so it is from a container",
    ),
    Fault(
        name="a shell without a proxy, where nothing else leads out",
        scene="proxied",
        keep=("/etc/environment",),
        seed=": >/etc/environment",
        network=Internet.proxy_only,
        changes={name: FAILED for name in SUBJECTS.values() if "pypi" in name},
        says="tcp-refused",
    ),
    Fault(
        name="a proxy that is the only way out",
        scene="proxied",
        network=Internet.proxy_only,
    ),
    Fault(
        name="containers that get no proxy",
        scene="proxied",
        keep=("/home/sesam/.docker/config.json",),
        seed='sed -i \'s/"proxies"/"proxy"/\' /home/sesam/.docker/config.json',
        changes={"docker.container-proxy": FAILED},
        says="no proxy",
    ),
    Fault(
        name="containers that reach each other through the proxy",
        scene="proxied",
        keep=("/home/sesam/.docker/config.json",),
        seed="sed -i 's/,sesam-node//' /home/sesam/.docker/config.json",
        changes={"docker.container-proxy": FAILED},
        says="sesam-node",
    ),
)


def _shut(way: str) -> Callable[[Internet], None]:
    return lambda internet: getattr(internet, way)(SHUT)


LEAST_PRIVILEGE = (
    *(
        Fault(
            name=f"a destination that should be closed, and is: {way}",
            scene="least privilege",
            network=_shut(way),
            changes={SHUT_ID: PASSED},
            says=f"the host: {word}: .*; a container: {word}: ",
        )
        for way, word in (
            ("refuse", "tcp-refused"),
            ("blackhole", "tcp-timeout"),
            ("unknown", "dns-fails"),
        )
    ),
    Fault(
        name="a destination that should be closed, and is to the host alone",
        scene="least privilege",
        seed=rules("output", f"ip daddr {SERVICES[SHUT].address} tcp dport 443 drop;"),
        mend=NO_RULES,
        changes={SHUT_ID: FAILED},
        says=r"^open from a container \(ok: ",
    ),
    Fault(
        name="a destination that should be closed, and a firewall that lets it connect",
        scene="least privilege",
        network=_shut("cut"),
        changes={SHUT_ID: UNKNOWN},
        says="a device before it",
    ),
    Fault(
        name="a destination that should be closed, opened by a company for all",
        scene="least privilege",
        network=lambda internet: internet.intercept(SHUT, "pypi.org"),
        changes={
            SHUT_ID: UNKNOWN,
            SUBJECTS["pypi.org"]: FAILED,
            "outbound.interception": FAILED,
        },
        says="Example Corp Inspection",
    ),
    Fault(
        name="a port that should not answer, and does",
        scene="least privilege",
        seed=service(SHUT_PORT),
        mend=NO_SERVICE,
        changes={f"inbound.closed [{SHUT_PORT}]": FAILED},
        says="8080 answers auditor: HTTP 200",
    ),
    Fault(
        name="a port that should not answer, and does to the host alone",
        scene="least privilege",
        seed=f"{service(SHUT_PORT)}\n{_street(f'{SHUT_PORT} iifname eth0 drop;')}",
        mend=f"{NO_SERVICE}; {NO_STREET}",
    ),
)

FAULTS = (*ON_ROOT_DISK, *BY_ADDRESS, *RUNNING, *PROXIED, *LEAST_PRIVILEGE)
