"""A host on which everything the product asks for is in place, up to the start of the stack."""

from __future__ import annotations

import base64
import json
import textwrap
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

from .root import USERS
from .seed import Directory, Entry, File, Link
from .services import LOGIN

STACK = Path(__file__).with_name("stack")
SUBSCRIPTION = "0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c11"
EMAIL = "license.holder@customer.example.org"  # personal: never shown
STORE = "/srv/data/sesam/node-00/data"
NETWORKS = (
    "docker network create sesam >/dev/null\ndocker network create microservices >/dev/null\n"
)


def node_domain(name: str) -> str:
    """The public name of the node on the host called `name`."""
    return f"{name}.customer.example.org"


def license_text(subscription: str = SUBSCRIPTION, expires: datetime | str | None = None) -> str:
    """A license of the true form; its signature is not one."""
    now = datetime.now(timezone.utc)
    ends = now + timedelta(days=365) if expires is None else expires
    facts = {
        "_id": subscription,
        "expires": ends if isinstance(ends, str) else ends.strftime("%Y-%m-%dT%H:%M:%S"),
        "created": now.strftime("%Y-%m-%dT%H:%M:%S"),
        "email": EMAIL,
    }
    signed = {"payload": _base64(json.dumps(facts)), "signature": _base64("signed by the lab" * 15)}
    body = "\n".join(textwrap.wrap(_base64(json.dumps(signed)), 64))
    return f"-----BEGIN SESAM LICENSE-----\n{body}\n-----END SESAM LICENSE-----\n"


def environment(name: str, **changes: str) -> str:
    """The .env file of the stack."""
    values = {
        "APPLIANCE_ID": str(uuid.uuid4()),
        "SUBSCRIPTION_ID": SUBSCRIPTION,
        "TRAEFIK_DOCKER_IMAGE_TAG": "latest",
        "SESAM_NODE_IMAGE_TAG": "weekly-prod",
        "FLUENTBIT_IMAGE_TAG": "latest",
        "FLUENTBIT_HOST": "ss-companyhub.sesam.cloud",
        "USER_ID": str(USERS["sesam"]),
        "NODE_DOMAIN": node_domain(name),
        "DNS_ADMIN": "operations@customer.example.org",
    } | changes
    return "".join(f"{key}={value}\n" for key, value in values.items())


def docker_login() -> str:
    """The registry login that the fake internet accepts."""
    return json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": LOGIN}}}, indent="\t")


def entries(name: str, *, data_disk: bool) -> list[Entry]:
    """Directories, link, license, stack files and login, owned as the guide asks."""
    compose = (STACK / "docker-compose.yml").read_text()
    directories = ["/sesam", "/sesam/node-00", "/sesam/node-00/logs", "/srv/data"]
    directories += ["/srv/data/traefik", "/srv/data/traefik/letsencrypt"]
    if data_disk:
        store: list[Entry] = [
            *(Directory(x, "sesam") for x in ("/srv/data/sesam", "/srv/data/sesam/node-00", STORE)),
            Link("/sesam/node-00/data", STORE, "sesam"),
        ]
        home = STORE
    else:
        home = "/sesam/node-00/data"
        store = [Directory(home, "sesam")]
        compose = compose.replace(STORE, home)
    return [
        *(Directory(path, "sesam") for path in directories),
        *store,
        File(f"{home}/license.key", license_text(), "sesam", 0o600),
        File("/srv/data/docker-compose.yml", compose, "sesam"),
        File("/srv/data/.env", environment(name), "sesam", 0o600),
        Directory("/home/sesam/.docker", "sesam", 0o700),
        File("/home/sesam/.docker/config.json", docker_login(), "sesam", 0o600),
    ]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
