"""The stack as compose renders it: what will really be started, service by service."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from sesam_audit.asks import Compose, ComposeAnswer, Steps
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts.mounts import below
from sesam_audit.profile import Profile
from sesam_audit.wanted import POINT

RENDER = f"cd {POINT} && sudo docker compose config"

ENVIRONMENT = (
    *("APPLIANCE_ID", "SUBSCRIPTION_ID", "FLUENTBIT_HOST", "HOST", "PORT"),
    *("USER_ID", "SESAM_UID", "SESAM_GID", "DOCKER_API_VERSION", "DOCKER_HOST"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""The environment of services that may be known; all other values stay on the host."""

_NO_COMPOSE = re.compile(
    r"unknown docker command|is not a docker command|unknown (shorthand )?flag|"
    r"compose provider|unknown command",
    re.IGNORECASE,
)
_NO_PERMISSION = re.compile(r"permission denied|operation not permitted", re.IGNORECASE)
_LOOPBACK = re.compile(r"127\.|\[?(::ffff:127\.|::1\b)")


class BindMount(Struct, frozen=True):
    """One mount of a service; `type` is bind, volume, tmpfs...; a volume's `source` is its name."""

    source: str
    target: str
    type: str = "bind"
    read_only: bool = False
    creates: bool = True  # False: Docker refuses to start when the source is missing


class Service(Struct, frozen=True):
    """One service of the stack, with `$$` undone and lists where compose allows several forms."""

    name: str
    image: str = ""
    environment: dict[str, str | None] = {}
    mounts: tuple[BindMount, ...] = ()
    ports: tuple[int, ...] = ()  # TCP, published on the host
    local_ports: tuple[int, ...] = ()  # published on the host's loopback alone
    labels: dict[str, str] = {}
    networks: tuple[str, ...] = ()  # keys of Stack.networks
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    container_name: str = ""
    restart: str = ""

    @property
    def repository(self) -> str:
        """The image without its tag and digest."""
        return _image(self.image)[0]

    @property
    def tag(self) -> str:
        """The image's tag; "" when it has none or is pinned to a digest."""
        return _image(self.image)[1]

    @property
    def digest(self) -> str:
        """The digest that the image is named by, so that it never changes; else ""."""
        return self.image.partition("@")[2]

    def mount_of(self, path: str) -> BindMount | None:
        """The bind mount that holds a path of the container, if its deepest mount is one."""
        holding = max(
            (each for each in self.mounts if below(path, each.target)),
            key=lambda each: len(each.target.rstrip("/")),
            default=None,
        )
        return holding if holding and holding.type == "bind" else None

    def on_host(self, path: str) -> str | None:
        """Where a path of the container lies on the host, or None when it is not mounted."""
        mount = self.mount_of(path)
        if mount is None:
            return None
        return (mount.source.rstrip("/") + path[len(mount.target.rstrip("/")) :]) or "/"


class Stack(Struct, frozen=True):
    """The rendered stack. Found only when it renders: `Rendering` tells why it does not."""

    services: dict[str, Service]
    warnings: tuple[str, ...] = ()
    networks: dict[str, str] = {}  # key -> the network's real name
    project: str = ""

    def role(self, name: str) -> Service | None:
        """The service that plays a part: node, traefik, logs or updater."""
        parts = {
            "node": ("sesam-node",),
            "traefik": ("traefik",),
            "logs": ("fluent-bit", "fluentbit"),
            "updater": ("watchtower",),
        }[name]
        for service in self.services.values():
            if service.repository.rpartition("/")[2] in parts:
                return service
        return next((self.services[part] for part in parts if part in self.services), None)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Stack]:
        """Render the stack.

        Raises:
            Unknown: there is no Docker compose to render with, or the stack does not render.
        """
        rendering = yield from Rendering.ask(profile)
        if rendering.stack is None:
            raise Unknown(f"docker compose cannot read the stack: {rendering.message}", RENDER)
        return rendering.stack


class Rendering(Struct, frozen=True):
    """What `docker compose config` came to: a stack, or the words it refused with."""

    stack: Stack | None
    message: str = ""

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Rendering]:
        """Render, telling a faulty stack from a host that cannot render."""
        answer = yield from Compose(POINT, ENVIRONMENT)
        if isinstance(answer.document, dict):
            return cls(_stack(answer.document, answer.warnings))
        return cls(None, _refusal(answer))


def _refusal(answer: ComposeAnswer) -> str:
    if answer.missing and not answer.message:
        return f"{POINT} does not exist"
    if answer.missing:
        raise Unknown("docker is not installed, so the stack cannot be rendered", RENDER)
    if answer.error in ("EACCES", "EPERM") or _NO_PERMISSION.search(answer.message):
        raise needs_root("the stack's files are not readable", RENDER)
    if _NO_COMPOSE.search(answer.message):
        raise Unknown("docker has no compose plugin, so the stack cannot be rendered", RENDER)
    if answer.error or not answer.message:
        raise Unknown(f"the stack was not rendered: {answer.error or 'no words'}", RENDER)
    lines = [line.strip() for line in answer.message.splitlines() if line.strip()]
    return lines[-1] if lines else "without words"


def _stack(document: dict[str, Any], warnings: tuple[str, ...]) -> Stack:
    services = {
        name: _service(name, value)
        for name, value in _table(document.get("services")).items()
        if isinstance(value, dict)
    }
    networks = {
        key: str(_table(value).get("name") or key)
        for key, value in _table(document.get("networks")).items()
    }
    return Stack(services, warnings, networks, str(document.get("name") or ""))


def _service(name: str, value: dict[str, Any]) -> Service:
    return Service(
        name=name,
        image=_text(value.get("image")),
        environment=_pairs(value.get("environment")),
        mounts=tuple(_mount(item) for item in _list(value.get("volumes")) if _is_mount(item)),
        ports=_ports(value.get("ports"), local=False),
        local_ports=_ports(value.get("ports"), local=True),
        labels={key: text or "" for key, text in _pairs(value.get("labels")).items()},
        networks=tuple(_pairs(value.get("networks"))),
        command=_words(value.get("command")),
        entrypoint=_words(value.get("entrypoint")),
        container_name=_text(value.get("container_name")) or name,
        restart=_text(value.get("restart")),
    )


def _is_mount(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("target"), str)


def _mount(item: dict[str, Any]) -> BindMount:
    return BindMount(
        source=_text(item.get("source")),
        target=item["target"],
        type=_text(item.get("type")) or "bind",
        read_only=item.get("read_only") is True,
        creates=_table(item.get("bind")).get("create_host_path") is not False,
    )


def _ports(value: Any, *, local: bool) -> tuple[int, ...]:
    published = [
        str(item.get("published", ""))
        for item in _list(value)
        if isinstance(item, dict)
        and item.get("protocol") in (None, "tcp")
        and bool(_LOOPBACK.match(_text(item.get("host_ip")))) is local
    ]
    return tuple(int(port) for port in published if port.isascii() and port.isdigit())


def _pairs(value: Any) -> dict[str, str | None]:
    """A table, or a list of KEY=VALUE words, as compose allows both."""
    if isinstance(value, dict):
        return {str(k): None if v is None else _text(v) for k, v in value.items()}
    pairs = [_text(item).partition("=") for item in _list(value)]
    return {key: text if equals else None for key, equals, text in pairs}


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(_text(value).split())
    return tuple(_text(item) for item in _list(value))


def _text(value: Any) -> str:
    """A value as the container will see it: `compose config` writes every $ as $$."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("$$", "$") if isinstance(value, (str, int, float)) else ""


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _image(image: str) -> tuple[str, str]:
    """Repository and tag; a port of the registry is not a tag."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return folder + slash + last, tag
