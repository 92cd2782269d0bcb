"""Who holds the ports the stack publishes, or must not: processes, containers, redirections."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Listener, Listeners, ListenersAnswer, Steps
from sesam_audit.errors import Lack, Unknown, needs_root
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.containers import Container, Containers
from sesam_audit.facts.host_firewall import HostFirewall
from sesam_audit.facts.services import WEB, Services
from sesam_audit.profile import Profile
from sesam_audit.wanted import NODE_PORT

WEB_PORTS = (80, 443)
DOCKER_PORTS = (2375, 2376)
PORTS = (*WEB_PORTS, *DOCKER_PORTS, NODE_PORT)


class PortOwner(Struct, frozen=True):
    """Who holds a port. `kind`: free, stack (its Traefik), container, process or redirection."""

    kind: str
    who: str = ""


class PortOwners(Struct, frozen=True):
    """The owner of each port, or why it cannot be told; `sleeping` web servers start at boot."""

    owners: dict[int, PortOwner | Unknown]
    sleeping: tuple[str, ...] = ()

    def of(self, port: int) -> PortOwner:
        """The owner of a port. Raises Unknown when it cannot be told."""
        owner = self.owners.get(port, Unknown(f"port {port} was not looked at"))
        if isinstance(owner, Unknown):
            raise owner
        return owner

    @classmethod
    def ask(cls, profile: Profile) -> Steps[PortOwners]:
        """Look at sockets, containers and redirections together."""
        listeners, containers, firewall, services = yield from gather(
            Listeners(ports := tuple(dict.fromkeys((*PORTS, *profile.closed_ports)))),
            attempt(Containers.ask(profile)),
            attempt(HostFirewall.ask(profile)),
            attempt(Services.ask(profile)),
        )
        if listeners.error:
            raise Unknown(f"listening sockets: {listeners.error}", "sudo ss -ltnp")
        owners = {port: _owner(port, listeners, containers, firewall) for port in ports}
        return cls(owners, _sleeping(services))


def _owner(
    port: int,
    answer: ListenersAnswer,
    containers: Containers | Unknown,
    firewall: HostFirewall | Unknown,
) -> PortOwner | Unknown:
    listeners = [each for each in answer.listeners if each.port == port]
    strangers = [x for x in listeners if x.pid and not _docker(x)]
    if strangers:
        return PortOwner("process", ", ".join(dict.fromkeys(map(_named, strangers))))
    publishing = [] if isinstance(containers, Unknown) else _publishing(containers, port)
    if publishing:
        return _container(publishing)
    if listeners:
        return _unread(port, listeners, containers)
    return _redirected(port, containers, firewall)


def _docker(listener: Listener) -> bool:
    return listener.command in ("docker-proxy", "rootlesskit")


def _named(listener: Listener) -> str:
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return f"{listener.command} (pid {listener.pid}) on {address}:{listener.port}"


def _publishing(containers: Containers, port: int) -> list[Container]:
    return [each for each in containers.containers if port in each.published]


def _container(publishing: list[Container]) -> PortOwner:
    traefik = [
        each
        for each in publishing
        if each.of_stack() and each.repository.rpartition("/")[2] == "traefik"
    ]
    kind = "stack" if len(traefik) == len(publishing) else "container"
    return PortOwner(
        kind, ", ".join(f"container {each.name} ({each.image})" for each in publishing)
    )


def _unread(
    port: int, listeners: list[Listener], containers: Containers | Unknown
) -> PortOwner | Unknown:
    """Something listens, but its owner is not known."""
    if any(map(_docker, listeners)):
        if isinstance(containers, Unknown):
            reason = f"Docker holds port {port} for a container: {containers.reason}"
            return Unknown(reason, "docker ps", containers.lacks)
        return Unknown(f"Docker holds port {port}, but no container publishes it", "sudo docker ps")
    return needs_root(f"who listens on port {port}", f"sudo ss -ltnp 'sport = :{port}'")


def _redirected(
    port: int, containers: Containers | Unknown, firewall: HostFirewall | Unknown
) -> PortOwner | Unknown:
    """Nobody listens: redirections, and containers without a proxy process, may hold the port."""
    if isinstance(firewall, Unknown):
        return firewall
    try:
        rules = firewall.dnat(port)
    except Unknown as unknown:
        beside = f"nobody listens on port {port}, a redirection may"
        return unknown.reworded(f"{unknown.reason} ({beside})")
    if rules:
        return PortOwner("redirection", "; ".join(rules))
    if isinstance(containers, Unknown) and containers.lacks is not Lack.DOCKER:
        return containers
    return PortOwner("free")


def _sleeping(services: Services | Unknown) -> tuple[str, ...]:
    """Web servers that are stopped now and would take the ports at the next boot."""
    if isinstance(services, Unknown):
        return ()
    return tuple(
        unit.name
        for unit in services.of(WEB)
        if unit.enabled == "enabled" and unit.active not in ("active", "activating", "reloading")
    )
