"""A made-up host on which Sesam is laid out as the guide says, to be changed by each test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sesam_audit.asks import (
    Account,
    AccountAnswer,
    Answer,
    Ask,
    Compose,
    ComposeAnswer,
    EnvFile,
    EnvFileAnswer,
    Names,
    NamesAnswer,
    Resolved,
    Stat,
    StatAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.stack import ENVIRONMENT
from sesam_audit.wanted import NODE, STORE

COMPOSE = Compose("/srv/data", ENVIRONMENT)
ENV_FILE = EnvFile("/srv/data/.env", KEYS)
RENDERED = Path(__file__).with_name("data") / "compose"
SUBSCRIPTION = "0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c11"
DOMAIN = "sesam.customer.example.org"
VALUES = {
    "APPLIANCE_ID": "0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c12",
    "SUBSCRIPTION_ID": SUBSCRIPTION,
    "TRAEFIK_DOCKER_IMAGE_TAG": "latest",
    "SESAM_NODE_IMAGE_TAG": "weekly-prod",
    "FLUENTBIT_IMAGE_TAG": "latest",
    "FLUENTBIT_HOST": "ss-companyhub.sesam.cloud",
    "USER_ID": "1000",
    "NODE_DOMAIN": DOMAIN,
    "DNS_ADMIN": "admin@customer.example.org",
}

Answers = dict[Ask[Any], Answer | Unknown]


def document(name: str = "letsencrypt") -> dict[str, Any]:
    """A captured rendering, free to be changed."""
    found: dict[str, Any] = json.loads((RENDERED / f"{name}.json").read_text())
    return found


def rendered(
    value: dict[str, Any] | None = None, warnings: tuple[str, ...] = ()
) -> dict[Ask[Any], Answer | Unknown]:
    """The answer to rendering."""
    return {
        COMPOSE: ComposeAnswer(
            code=0, document=document() if value is None else value, warnings=warnings
        )
    }


def there(kind: str = "directory", inode: int = 1, **more: Any) -> StatAnswer:
    """Something that is there, and no link."""
    return StatAnswer(kind=kind, device=8, inode=inode, **more)


def link(
    target: str, inode: int = 0, kind: str = "directory", error: str | None = None
) -> StatAnswer:
    """A link, and what it leads to; nothing when there is an error."""
    end = Resolved(path=target, kind="" if error else kind, device=8, inode=inode, error=error)
    return StatAnswer(kind="link", device=9, inode=99, target=target, resolved=end)


def env_file(**changes: str | None) -> dict[Ask[Any], Answer | Unknown]:
    """The answer of .env, with values changed, or left out when None."""
    values = {k: v for k, v in {**VALUES, **changes}.items() if v is not None}
    return {ENV_FILE: EnvFileAnswer(values=values)}


def on_data_disk() -> Answers:
    """Data disk, Let's Encrypt, everything in place."""
    return {
        **rendered(),
        **env_file(),
        Account("sesam"): AccountAnswer(
            name="sesam", uid=1000, gid=1000, group="sesam", home="/home/sesam", own_group=1000
        ),
        Names("/srv/data"): NamesAnswer(names=(".env", "docker-compose.yml", "sesam", "traefik")),
        Stat(STORE): there(inode=20),
        Stat(NODE): link(STORE, inode=20),
        Stat(f"{STORE}/license.key"): there("file", inode=21, uid=1000, user="sesam", mode=0o600),
        Stat(f"{NODE}/license.key"): there("file", inode=21, uid=1000, user="sesam", mode=0o600),
    }


def on_root_disk() -> Answers:
    """The same with the store at /sesam/node-00/data, and a stack that binds it."""
    value = document()
    for mount in value["services"]["sesam-node"]["volumes"]:
        mount["source"] = mount["source"].replace(STORE, NODE)
    missing = StatAnswer(error="ENOENT")
    return {
        **on_data_disk(),
        **rendered(value),
        Stat(NODE): there(inode=20),
        Stat(STORE): missing,
        Stat(f"{STORE}/license.key"): missing,
    }
