"""How a host is laid out for a deployment: the home of its places and names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sesam_audit.profile import Profile

OWNER = "sesam"
HOME = "/home/sesam"
LOGIN_FOLDER = f"{HOME}/.docker"
LOGIN_FILE = f"{LOGIN_FOLDER}/config.json"  # the stack's updater mounts this very file

POINT = "/srv/data"  # where the data disk is mounted, and where the stack's files lie
PROJECT = "data"  # compose calls a project after its directory
COMPOSE_FILE = f"{POINT}/docker-compose.yml"
ENV_FILE = f"{POINT}/.env"
NETWORKS = ("sesam", "microservices")
SERVICES = {
    "watchtower": "updater",
    "traefik": "traefik",
    "sesam-node": "node",
    "fluentbit": "logs",
}
"""The stack's containers by name, each with its role; in the order of the product's file."""
NODE_IMAGE, LOGS_IMAGE = "sesam/sesam-node", "sesam/fluent-bit"
NODE_PORT = 9042  # where Traefik finds the node, on a network of Docker's

BASE = "/sesam/node-00"
LOGS = f"{BASE}/logs"
NODE = f"{BASE}/data"
STORE = f"{POINT}/sesam/node-00/data"
LICENSE = "license.key"
FLUENTBIT = "/sesam/fluentbit"

TRAEFIK = f"{POINT}/traefik"
TRAEFIK_FILE = f"{TRAEFIK}/traefik.yml"
LETSENCRYPT = f"{TRAEFIK}/letsencrypt"
CERTIFICATES = f"{TRAEFIK}/certs"
ACME = f"{LETSENCRYPT}/acme.json"
CERTIFICATE, CERTIFICATE_KEY = "node.crt", "node.key"

TREES = (POINT, "/sesam")  # everything in them is sesam's, apart from what the checks pass over


@dataclass(frozen=True)
class Directory:
    """A directory that has to be there; `mode` is what it gets when apply makes it."""

    path: str
    mode: int = 0o755


def store(profile: Profile) -> str:
    """The directory that holds the data: behind the link on a data disk, else the node's own."""
    return STORE if profile.data == "datadisk" else NODE


def link(profile: Profile) -> tuple[str, str] | None:
    """The link's path and text; on the root disk there is none."""
    return (NODE, STORE) if profile.data == "datadisk" else None


def traefik_folder(profile: Profile) -> str:
    """Where Traefik keeps the certificates it gets, or finds those it is given."""
    return LETSENCRYPT if profile.certificates == "letsencrypt" else CERTIFICATES


def demanded(profile: Profile) -> tuple[str, ...]:
    """The directories of the guide, the data directory apart: what a host is judged by."""
    return (BASE, LOGS, traefik_folder(profile))


def directories(profile: Profile) -> tuple[Directory, ...]:
    """Every directory that apply makes, parents first: the guide's and every bind source's."""
    folders = (*demanded(profile), store(profile), f"{FLUENTBIT}/data")
    known = {HOME: 0o750, LOGIN_FOLDER: 0o700, POINT: 0o755}
    for path in folders:
        known.update(dict.fromkeys(_lineage(path), 0o755))
    return tuple(Directory(path, mode) for path, mode in known.items())


def _lineage(path: str) -> Iterator[str]:
    """A path below one of the trees with all its parents up to the tree's root."""
    parts = path.strip("/").split("/")
    paths = ["/" + "/".join(parts[: number + 1]) for number in range(len(parts))]
    return (each for each in paths if each.startswith(TREES))
