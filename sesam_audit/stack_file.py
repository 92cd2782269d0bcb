"""The stack's own files as we write them: docker-compose.yml and traefik.yml."""

from __future__ import annotations

from collections.abc import Mapping

from sesam_audit.profile import Profile
from sesam_audit.wanted import (
    BASE,
    CERTIFICATE,
    CERTIFICATE_KEY,
    CERTIFICATES,
    FLUENTBIT,
    LETSENCRYPT,
    LOGIN_FILE,
    LOGS,
    LOGS_IMAGE,
    NODE_IMAGE,
    NODE_PORT,
    PROJECT,
    TRAEFIK_FILE,
    store,
)

RESOLVER = "myleresolver"
IN_ORDER = ("sesam-node", "traefik", "fluentbit", "watchtower")  # whom others need first
_SOCKET = "/var/run/docker.sock"
_IN_TRAEFIK = "/etc/traefik/traefik.yml"

_COMPOSE = """\
# Written by sesam-audit apply for certificates = {certificates}, data = {data}.
# Values come from .env beside this file. Change what you need: apply keeps a file that passes.
name: {project}

services:
  watchtower:
    image: containrrr/watchtower
    container_name: watchtower
    restart: always
    environment:
      WATCHTOWER_CLEANUP: "true"
      WATCHTOWER_POLL_INTERVAL: "3600"
      WATCHTOWER_ROLLING_RESTART: "true"{watchtower_api}
    volumes:
{socket}{login}    command: [sesam-node, fluentbit, traefik]

  traefik:
    image: traefik:${{TRAEFIK_DOCKER_IMAGE_TAG}}
    container_name: traefik
    restart: always
    networks: [sesam, microservices]
    ports: ["80:80", "443:443"]
    volumes:
{socket_to_read}{traefik}
  sesam-node:
    image: {node_image}:${{SESAM_NODE_IMAGE_TAG}}
    container_name: sesam-node
    restart: always
    networks: [sesam, microservices]
    environment:
      SESAM_UID: ${{USER_ID}}
      SESAM_GID: ${{USER_ID}}
    volumes:
{socket}      - sesam-node-tmp:/tmp:z
{node}{store}    entrypoint: /entrypoint.sh
    command:
      - sh
      - -c
      - >-
        chown -R -H ${{USER_ID}}:${{USER_ID}} /sesam/logs /sesam/data &&
        exec gosu ${{USER_ID}} lake -l /sesam/logs -d /sesam/data --microservices=engine
        --enforce-license --sesam-portal-url https://portal.sesam.io/unified/
        --redirect-portal-gui 1 -b /sesam/data/backup --backup-use-checkpoints
    labels:
      traefik.enable: "true"
      traefik.http.routers.sesam-node.rule: Host(`${{NODE_DOMAIN}}`)
      traefik.http.routers.sesam-node.entrypoints: websecure
      traefik.http.routers.sesam-node.tls: "true"{resolver}
      traefik.http.services.sesam-node.loadbalancer.server.port: "{node_port}"

  fluentbit:
    image: {logs_image}:${{FLUENTBIT_IMAGE_TAG}}
    container_name: fluentbit
    restart: always
    environment:
      APPLIANCE_ID: ${{APPLIANCE_ID}}
      SUBSCRIPTION_ID: ${{SUBSCRIPTION_ID}}
    volumes:
{logs}{system_logs}{fluentbit}    command: {fluentbit_command}

networks:
  sesam:
    external: true
  microservices:
    external: true

volumes:
  sesam-node-tmp:
"""

_FLAGS = """\
    command:
      - --providers.docker=true
      - --providers.docker.exposedByDefault=false
      - --entryPoints.web.address=:80
      - --entryPoints.web.http.redirections.entryPoint.to=websecure
      - --entryPoints.web.http.redirections.entryPoint.scheme=https
      - --entryPoints.websecure.address=:443
      - --certificatesResolvers.{resolver}.acme.httpChallenge.entryPoint=web
      - --certificatesResolvers.{resolver}.acme.email=${{DNS_ADMIN}}
      - --certificatesResolvers.{resolver}.acme.storage=/letsencrypt/acme.json
"""

# Traefik takes a file or flags, never both, and skips `tls` in a static file (its pkg/cli and
# pkg/config/static): so this one file says everything, and leads to itself as the dynamic one.
_TRAEFIK = """\
# Written by sesam-audit apply. Traefik reads this file twice: as its static configuration, which
# excludes flags, and, through the file provider, as the dynamic one that holds the certificates.
entryPoints:
  web:
    address: ":80"
    http:
      redirections:
        entryPoint:
          to: websecure
          scheme: https
  websecure:
    address: ":443"
providers:
  docker:
    exposedByDefault: false
  file:
    filename: {file}
tls:
  certificates:
    - certFile: {certificate}
      keyFile: {key}
  stores:
    default:
      defaultCertificate:
        certFile: {certificate}
        keyFile: {key}
"""


def compose_text(profile: Profile, watchtower_api: str = "") -> str:
    """docker-compose.yml; bind mounts never make a source.

    `watchtower_api` is the Docker API version watchtower has to be told; "" leaves its own.
    """
    letsencrypt = profile.certificates == "letsencrypt"
    return _COMPOSE.format(
        certificates=profile.certificates,
        data=profile.data,
        project=PROJECT,
        watchtower_api=_api(watchtower_api),
        socket=_bind(_SOCKET, _SOCKET),
        socket_to_read=_bind(_SOCKET, _SOCKET, read_only=True),
        login=_bind(LOGIN_FILE, "/config.json"),
        traefik=_letsencrypt() if letsencrypt else _own_certificates(),
        logs_image=LOGS_IMAGE,
        node_image=NODE_IMAGE,
        node_port=NODE_PORT,
        node=_bind(BASE, "/sesam", propagation="rprivate"),
        store=_bind(store(profile), "/sesam/data", propagation="rprivate"),
        resolver=_label("tls.certresolver", RESOLVER) if letsencrypt else "",
        logs=_bind(LOGS, "/logs/node/logs"),
        system_logs=_bind("/var/log", "/system-logs/logs"),
        fluentbit_command="/fluent-bit/bin/fluent-bit -c /fluent-bit/etc/fluent-bit.conf",
        fluentbit=_bind(f"{FLUENTBIT}/data", "/data"),
    )


def traefik_text(certificate: str = CERTIFICATE, key: str = CERTIFICATE_KEY) -> str:
    """traefik.yml for certificates of one's own, which lie beside each other under these names."""
    return _TRAEFIK.format(
        file=_IN_TRAEFIK, certificate=f"/certs/{certificate}", key=f"/certs/{key}"
    )


def images(values: Mapping[str, str]) -> tuple[str, ...]:
    """The images of the stack we write, with the tags of .env."""
    return (
        "containrrr/watchtower:latest",
        f"traefik:{values['TRAEFIK_DOCKER_IMAGE_TAG']}",
        f"{NODE_IMAGE}:{values['SESAM_NODE_IMAGE_TAG']}",
        f"{LOGS_IMAGE}:{values['FLUENTBIT_IMAGE_TAG']}",
    )


def _letsencrypt() -> str:
    return _bind(LETSENCRYPT, "/letsencrypt") + _FLAGS.format(resolver=RESOLVER)


def _own_certificates() -> str:
    return (
        _bind(TRAEFIK_FILE, _IN_TRAEFIK, read_only=True)
        + _bind(CERTIFICATES, "/certs", read_only=True)
        + f"    command: [--configFile={_IN_TRAEFIK}]\n"
    )


def _bind(source: str, target: str, *, read_only: bool = False, propagation: str = "") -> str:
    lines = ["      - type: bind", f"        source: {source}", f"        target: {target}"]
    lines += ["        read_only: true"] if read_only else []
    lines += ["        bind:", "          create_host_path: false"]
    lines += [f"          propagation: {propagation}"] if propagation else []
    return "\n".join(lines) + "\n"


def _label(name: str, value: str) -> str:
    return f"\n      traefik.http.routers.sesam-node.{name}: {value}"


def _api(version: str) -> str:
    why = "\n      # The daemon refuses the version that watchtower speaks by itself (1.25)."
    return f'{why}\n      DOCKER_API_VERSION: "{version}"' if version else ""
