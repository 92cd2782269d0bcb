"""The values of this deployment that count: as rendered into the stack, else as .env has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from sesam_audit.asks import EnvFile, EnvFileAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.stack import Service, Stack
from sesam_audit.profile import Profile
from sesam_audit.wanted import ENV_FILE, POINT

KEYS = (
    *("APPLIANCE_ID", "SUBSCRIPTION_ID"),
    *("TRAEFIK_DOCKER_IMAGE_TAG", "SESAM_NODE_IMAGE_TAG", "FLUENTBIT_IMAGE_TAG"),
    *("FLUENTBIT_HOST", "USER_ID", "NODE_DOMAIN", "DNS_ADMIN"),
)

_HOST_RULE = re.compile(r"Host\(\s*[`\"']([^`\"']*)[`\"']")
_EMAIL_FLAG = re.compile(r"--certificatesresolvers\.[^.]+\.acme\.email=(.*)", re.IGNORECASE)


class Deployment(Struct, frozen=True):
    """What .env means; `rendered` names the keys whose value was read from the rendered stack."""

    values: dict[str, str]
    origin: Literal["rendered", "file"] = "rendered"
    present: bool = True  # /srv/data/.env is there
    directory: bool = False  # it is, but as a directory
    doubtful: tuple[str, ...] = ()  # only compose could say what these keys mean
    rendered: frozenset[str] = frozenset()
    pinned: dict[str, str] = {}  # keys of tags that count for nothing, with the image's digest

    def value(self, key: str) -> str:
        """The value of a documented key, "" when it has none.

        Raises:
            Unknown: only compose could tell what the line means.
        """
        if key in self.doubtful and key not in self.rendered:
            raise Unknown(
                f"{key} in {ENV_FILE} uses $ or quotes that only compose can read",
                f"cd {POINT} && sudo docker compose config",
            )
        return self.values.get(key, "")

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Deployment]:
        """Read the stack and the file together; the stack counts where both speak."""
        stack, file = yield from gather(attempt(Stack.ask(profile)), EnvFile(ENV_FILE, KEYS))
        if not isinstance(stack, Unknown):
            return _rendered(stack, file)
        if file.missing or file.error == "EISDIR":
            return cls({}, origin="file", present=not file.missing, directory=not file.missing)
        if file.error:
            raise denied(file, ENV_FILE, f"sudo cat {ENV_FILE}")
        return cls(dict(file.values or {}), origin="file", doubtful=file.doubtful)


def amiss(key: str, value: str, what: str) -> Unknown:
    """The outcome where a value serves nobody: whatever hangs on it waits until it is mended."""
    reason = f"{key} is {value!r}, which is {what}: mend {ENV_FILE} first (layout.env)"
    return Unknown(reason, f"sudoedit {ENV_FILE}")


def _rendered(stack: Stack, file: EnvFileAnswer) -> Deployment:
    rendered = dict(_shown(stack))
    return Deployment(
        values={**(file.values or {}), **rendered},
        origin="rendered",
        present=not file.missing,
        directory=file.error == "EISDIR",
        doubtful=file.doubtful,
        rendered=frozenset(rendered),
        pinned={key: each.digest for key, each in _images(stack) if each.digest},
    )


def _images(stack: Stack) -> Iterator[tuple[str, Service]]:
    keys = dict(zip(("traefik", "node", "logs"), KEYS[2:5], strict=True))
    for role, key in keys.items():
        if service := stack.role(role):
            yield key, service


def _shown(stack: Stack) -> Iterator[tuple[str, str]]:
    """The values that can be read back from where the stack uses them."""
    yield from ((key, each.tag) for key, each in _images(stack) if not each.digest)
    logs, node, traefik = (stack.role(role) for role in ("logs", "node", "traefik"))
    if node:
        yield from _of_node(node)
    if traefik:
        flags = (_EMAIL_FLAG.fullmatch(word) for word in traefik.command)
        yield from (("DNS_ADMIN", flag[1]) for flag in flags if flag)
    if logs:
        places = (("APPLIANCE_ID",) * 2, ("SUBSCRIPTION_ID",) * 2, ("FLUENTBIT_HOST", "HOST"))
        for key, variable in places:
            value = logs.environment.get(variable)
            if value is not None:
                yield key, value


def _of_node(node: Service) -> Iterator[tuple[str, str]]:
    user = node.environment.get("SESAM_UID")
    if user is not None:
        yield "USER_ID", user
    rules = [text for key, text in node.labels.items() if key.lower().endswith(".rule")]
    hosts = [match for rule in rules for match in _HOST_RULE.findall(rule)]
    if hosts:
        yield "NODE_DOMAIN", hosts[0]
