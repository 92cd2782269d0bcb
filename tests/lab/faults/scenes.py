"""The hosts that faults are put on: each is in order in its own way, and has its own baseline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .. import perfect, seed
from ..gateways import PROXY
from ..host import LabHost, Wanted
from ..internet import SLOW
from ..lab import Lab
from ..nginx import COMPANYS, COMPANYS_NAME
from ..services import AGENT_DOWNLOAD, LOG_SHIPPING, LOGIN
from .fault import FAILED, NOT_APPLICABLE, UNKNOWN

UNPROVEN = {  # no vantage stands for the internet
    f"inbound.http [{way}]": UNKNOWN for way in ("host's address", "NODE_DOMAIN")
}
SWITCHED_OFF = dict.fromkeys(
    (
        *("docker.proxy", "docker.container-proxy", "docker.selinux", "outbound.proxy"),
        *("outbound.sesam-ips", "outbound.extra [extra destinations]", "license.signature"),
        *("outbound.closed [closed destinations]", "inbound.closed [closed ports]"),
        *("layout.certificates", "layout.certificates-soon", "layout.traefik-config"),
    ),
    NOT_APPLICABLE,
)
NO_IPV6 = {f"inbound.{name} [NODE_DOMAIN over IPv6]": NOT_APPLICABLE for name in ("http", "https")}
STANDARD = {**UNPROVEN, **SWITCHED_OFF, **NO_IPV6}

CERTS = "/srv/data/traefik/certs"
TRAEFIK_YML = "/srv/data/traefik/traefik.yml"
COMPOSE = "/srv/data/docker-compose.yml"
TRAEFIK_COMPLETE = """\
entryPoints:
  web:
    address: ":80"
    http: {redirections: {entryPoint: {to: websecure, scheme: https}}}
  websecure:
    address: ":443"
providers:
  docker: {exposedByDefault: false}
  file: {filename: /etc/traefik/traefik.yml}
tls:
  certificates:
    - {certFile: /certs/node.crt, keyFile: /certs/node.key}
  stores:
    default:
      defaultCertificate: {certFile: /certs/node.crt, keyFile: /certs/node.key}
"""
TRAEFIK = """
import http.server, ssl, sys, threading
class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(308)
        name = self.headers["Host"].partition(":")[0]
        self.send_header("Location", "https://" + name + self.path)
        self.end_headers()
class Secure(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)
web = http.server.ThreadingHTTPServer(("", 80), Web)
secure = http.server.ThreadingHTTPServer(("", 443), Secure)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/letsencrypt/node.pem")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=web.serve_forever).start()
secure.serve_forever()
"""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A host in order; `baseline` names what does not pass there, all else passes."""

    name: str
    wanted: Callable[[Lab], Wanted] = lambda _: Wanted()
    settings: tuple[str, ...] = ()
    prepare: Callable[[Lab, LabHost], None] | None = None
    baseline: Mapping[str, str] = field(default_factory=lambda: STANDARD)
    own_host: bool = True


def _without(*names: str, also: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {key: outcome for key, outcome in STANDARD.items() if key.partition(" ")[0] not in names}
    return {**kept, **(also or {})}


# -- certificates of one's own ---------------------------------------------------------------------


def _provide(lab: Lab, host: LabHost) -> None:
    """Certificates as the company gives them, and a configuration that leads to them."""
    host.run(f"install -d -o sesam -g sesam {CERTS}")
    put_certificate(host, *lab.internet.public.issue(host.node_domain))
    host.write(TRAEFIK_YML, TRAEFIK_COMPLETE, "sesam")
    compose = host.read(COMPOSE).replace(
        "- /srv/data/traefik/letsencrypt:/letsencrypt",
        "\n".join((f"- {TRAEFIK_YML}:/etc/traefik/traefik.yml:ro", f"      - {CERTS}:/certs:ro")),
    )
    lines = [line for line in compose.splitlines() if "esolver" not in line]
    host.write(COMPOSE, "\n".join(lines) + "\n", "sesam")


def put_certificate(host: LabHost, chain: str, key: str) -> None:
    """The certificate and key that the provided scene's Traefik is to serve."""
    host.write(f"{CERTS}/node.crt", chain, "sesam")
    host.write(f"{CERTS}/node.key", key, "sesam", 0o600)


PROVIDED = Scene(
    name="provided",
    settings=("certificates=provided",),
    prepare=_provide,
    baseline=_without(
        *("layout.certificates", "layout.certificates-soon", "layout.traefik-config"),
        "inbound.http",
        also=dict.fromkeys(
            (
                *("inbound.http [host's address]", "inbound.http [NODE_DOMAIN]", "inbound.caa"),
                "inbound.http [NODE_DOMAIN over IPv6]",
                "outbound.letsencrypt [acme-v02.api.letsencrypt.org:443]",
                "layout.acme-file",
            ),
            NOT_APPLICABLE,
        ),
    ),
)

# -- the data on the root disk ---------------------------------------------------------------------

TO_ROOT_DISK = """
set -eu
device=$(findmnt -no SOURCE /srv/data)
cp -a /srv/data /run/files
mkdir /run/disk; mount --bind /srv/data /run/disk; umount /srv/data
rm -rf /run/disk/* /run/disk/.env; cp -a /sesam/. /run/disk
umount /run/disk; mount $device /sesam
cp -a /run/files/. /srv/data; rm -r /run/files /srv/data/lost+found
: >/etc/fstab
"""


def _to_root_disk(_: Lab, host: LabHost) -> None:
    host.run(TO_ROOT_DISK + perfect.NETWORKS)


ROOTDISK = Scene(
    name="rootdisk",
    wanted=lambda _: Wanted(bare=True, files=tuple(perfect.entries("rootdisk", data_disk=False))),
    settings=("data=rootdisk",),
    prepare=_to_root_disk,
    baseline=_without(
        also=dict.fromkeys(
            ("layout.data-mount", "layout.data-mount-boot", "layout.data-mount-order"),
            NOT_APPLICABLE,
        )
    ),
)

# -- Sesam's addresses in place of its names, and destinations of one's own ------------------------


def _address(lab: Lab, _: LabHost) -> None:
    lab.internet.publish("portal.sesam.io", AGENT_DOWNLOAD)
    lab.internet.publish("ss-companyhub.sesam.cloud", LOG_SHIPPING)


EXTRA, DATABASE = "index.docker.io", f"hub.docker.com:{SLOW}"  # the latter says nothing by itself
REGISTRY = f"https://{COMPANYS_NAME}:{COMPANYS}"
ADDRESSES = Scene(
    name="addresses",
    settings=("sesam_destinations=ips", f"extra_destinations={EXTRA}:443,{DATABASE},{REGISTRY}"),
    prepare=_address,
    baseline=_without("outbound.sesam-ips", "outbound.extra"),
    own_host=False,
)

# -- what should be closed -------------------------------------------------------------------------

SHUT, SHUT_PORT = "hub.docker.com", 8080
SHUT_ID = f"outbound.closed [{SHUT}]"
LEAST = Scene(
    name="least privilege",
    settings=(f"closed_destinations={SHUT}", f"closed_ports={SHUT_PORT},22", "deadline=8"),
    baseline=_without(
        "outbound.closed", "inbound.closed", also={SHUT_ID: FAILED, "inbound.closed [22]": FAILED}
    ),
    own_host=False,
)

# -- a stack that answers --------------------------------------------------------------------------


def _run_traefik(lab: Lab, host: LabHost) -> None:
    """A program in Traefik's place, published by Docker as the stack publishes it."""
    chain, key = lab.internet.public.issue(host.node_domain)
    host.write("/srv/data/traefik/letsencrypt/node.pem", chain + key, mode=0o600)
    host.write("/traefik.py", TRAEFIK)
    image = 'docker import --change \'ENTRYPOINT ["/usr/bin/python3", "/traefik.py"]\''
    host.run(
        f"cd / && tar -c traefik.py bin lib lib64 usr/bin/python3* usr/lib/python3* usr/lib64"
        f" usr/lib/x86_64-linux-gnu | {image} - traefik:latest >/dev/null\n"
        "cd /srv/data && docker compose up --detach --no-deps traefik 2>&1"
    )


RUNNING = Scene(
    name="running",
    settings=("auditor_stands_for=internet",),
    prepare=_run_traefik,
    baseline=_without("inbound.http", "inbound.https", also=NO_IPV6),
)

# -- a company's proxy -----------------------------------------------------------------------------

BEHIND = "localhost,127.0.0.1,watchtower,traefik,sesam-node,fluentbit"


def _behind_proxy(lab: Lab) -> Wanted:
    url = f"http://{lab.internet.resolver}:{PROXY}"
    proxies = {"default": {"httpProxy": url, "httpsProxy": url, "noProxy": BEHIND}}
    login = {"auths": {"https://index.docker.io/v1/": {"auth": LOGIN}}, "proxies": proxies}
    unit = f"[Service]\nEnvironment=HTTPS_PROXY={url} NO_PROXY=localhost\n"
    return Wanted(
        files=(
            seed.Directory("/etc/systemd/system/docker.service.d"),
            seed.File("/etc/systemd/system/docker.service.d/proxy.conf", unit),
            seed.File("/etc/environment", f"HTTPS_PROXY={url}\nNO_PROXY=localhost\n"),
            seed.File("/home/sesam/.docker/config.json", json.dumps(login), "sesam", 0o600),
        )
    )


PROXIED = Scene(
    name="proxied",
    wanted=_behind_proxy,
    settings=(f"proxy={{resolver}}:{PROXY}",),
    baseline=_without("docker.proxy", "docker.container-proxy", "outbound.proxy"),
)

SCENES = {
    scene.name: scene
    for scene in (
        Scene(name="perfect", own_host=False),
        PROVIDED,
        ROOTDISK,
        ADDRESSES,
        LEAST,
        RUNNING,
        PROXIED,
    )
}
