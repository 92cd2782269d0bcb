"""Proxies in Docker's way: where the daemon's is set, and what containers will be given."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct, field

from sesam_audit.asks import Run, Steps
from sesam_audit.destinations import Destination, host_port
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.docker_login import ClientProxies
from sesam_audit.facts.stack import Service, Stack
from sesam_audit.profile import Profile
from sesam_audit.wanted import SERVICES

# Names of files only: what they hold may be a password.
_SOURCES = Run(
    (
        *("grep", "-rlisE", "^[^#]*https?[-_]proxy"),
        *("/etc/docker/daemon.json", "/etc/default/docker", "/etc/sysconfig/docker"),
        *("/etc/systemd/system/docker.service", "/etc/systemd/system/docker.service.d"),
        *("/etc/systemd/system.conf", "/etc/systemd/system.conf.d", "/etc/environment"),
    )
)


def endpoint(url: str) -> tuple[str, int] | None:
    """Return the host and port of a proxy as Go programs read its URL, None when it is none."""
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def bypassed(no_proxy: str, name: str) -> bool:
    """Tell whether a no-proxy list names a host: exactly, by its domain, or by `*`."""
    words = [word.strip().lower() for word in no_proxy.split(",") if word.strip()]
    names = [word.removeprefix("*").lstrip(".") for word in words if word != "*"]
    return "*" in words or any(name == each or name.endswith(f".{each}") for each in names)


class ProxySources(Struct, frozen=True):
    """The files on the host that speak of a proxy for the daemon."""

    files: tuple[str, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ProxySources]:
        """Look through the places the daemon may have its proxy from."""
        answer = yield from attempt(_SOURCES)
        return cls(() if isinstance(answer, Unknown) else tuple(answer.out.split()))


class Setting(Struct, frozen=True):
    """A proxy as one file sets it."""

    where: str
    https: str = ""
    no_proxy: str = ""


class ContainerProxy(Struct, frozen=True):
    """What compose would hand to the stack's containers."""

    clients: tuple[Setting, ...]  # of the client configurations that could be read
    services: dict[str, Setting] = field(default_factory=lambda: {n: Setting("") for n in SERVICES})
    unread: tuple[str, ...] = ()

    def given(self, service: str, wanted: tuple[str, int] | None) -> Setting:
        """What a service would get: its own setting, else a client's, the wanted one first."""
        own = self.services[service]
        clients = sorted(
            (each for each in self.clients if each.https),
            key=lambda each: endpoint(each.https) != wanted,
        )
        client = clients[0] if clients else Setting("")
        https = own if own.https else client
        return Setting(https.where, https.https, own.no_proxy or client.no_proxy)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ContainerProxy]:
        """Read the client configurations and, when it renders, the stack's own environment."""
        proxies, stack = yield from gather(ClientProxies.ask(profile), attempt(Stack.ask(profile)))
        clients = tuple(
            Setting(
                login.path, login.proxies.get("httpsProxy", ""), login.proxies.get("noProxy", "")
            )
            for login in proxies.logins
        )
        if isinstance(stack, Unknown):
            return cls(clients, unread=proxies.unread)
        services = {each.name: _own(each) for each in stack.services.values()}
        return cls(clients, services, proxies.unread)


class Way(Struct, frozen=True):
    """How a container of the stack will connect: by a proxy, or straight; and who says so."""

    proxy: str  # HOST:PORT; "" is straight
    place: str


def way_of(
    given: ContainerProxy | Unknown, destination: Destination, profile: Profile
) -> Way | Unknown | None:
    """The way of the container that dials a destination; None where nothing tells it."""
    if not destination.container or destination.direct or isinstance(given, Unknown):
        return None
    if destination.container not in given.services:
        return None
    setting = given.given(destination.container, profile.proxy_address)
    if not setting.https:
        return None if given.unread else Way("", "neither the stack nor a client's file sets one")
    place = f"proxies of {setting.where}"
    if setting.where == f"service {destination.container}":
        place = f"HTTPS_PROXY of {setting.where}"
    if bypassed(setting.no_proxy, destination.name):
        return Way("", f"the no-proxy list beside {place}")
    found = endpoint(setting.https)
    if found is None or not setting.https.startswith("http://"):
        return Unknown(f"the proxy in {place} is no http:// URL, and is not tried")
    return Way(host_port(*found), place)


def _own(service: Service) -> Setting:
    values = service.environment

    def value(name: str) -> str:
        return values.get(name) or values.get(name.lower()) or ""

    return Setting(f"service {service.name}", value("HTTPS_PROXY"), value("NO_PROXY"))
