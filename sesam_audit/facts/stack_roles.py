"""The parts a Sesam stack needs: what is missing from them, and what merely differs."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.facts.data_directory import IN_CONTAINER
from sesam_audit.facts.stack import Service, Stack
from sesam_audit.facts.traefik_settings import at, from_flags
from sesam_audit.wanted import NETWORKS, NODE_IMAGE, NODE_PORT

_FALSE = ("false", "f", "0")


def updater(stack: Stack) -> Service | None:
    """What keeps the images up to date: watchtower, a fork, or another with Docker's socket."""
    others = [stack.role(role) for role in ("node", "traefik", "logs")]
    with_socket = (
        service
        for service in stack.services.values()
        if service not in others and any("docker.sock" in m.source for m in service.mounts)
    )
    return stack.role("updater") or next(with_socket, None)


def shortcomings(stack: Stack) -> Iterator[str]:
    """What is missing for the stack to run, serve, ship its logs and update itself."""
    node, traefik = stack.role("node"), stack.role("traefik")
    if node is None:
        yield "the stack has no sesam-node"
    else:
        yield from _of_node(node)
    if traefik is None:
        yield "the stack has no Traefik"
    else:
        yield from _stranger(traefik, "Traefik")
        closed = [port for port in (80, 443) if port not in traefik.ports]
        local = [str(port) for port in closed if port in traefik.local_ports]
        absent = [str(port) for port in closed if str(port) not in local]
        if absent:
            yield f"Traefik does not publish {' and '.join(absent)}"
        if local:
            yield f"Traefik publishes {' and '.join(local)} on the host's own loopback alone"
    if node and traefik:
        yield from _between(stack, traefik, node)
    if stack.role("logs") is None:
        yield "the stack has no fluentbit to ship the logs"
    yield from _of_updater(stack, node)


def _stranger(service: Service, product: str) -> Iterator[str]:
    """An image of Docker's own library is what its name says; of others that is not known."""
    library = service.repository.removeprefix("docker.io/").removeprefix("library/")
    if "/" not in library and library not in ("", product.lower()):
        yield f"the service {service.name} runs {service.image}, which is not {product}"


def _between(stack: Stack, traefik: Service, node: Service) -> Iterator[str]:
    """What keeps Traefik from leading to the node."""
    theirs, its = ({stack.networks.get(x, x) for x in each.networks} for each in (traefik, node))
    if theirs and its and theirs.isdisjoint(its):
        yield "sesam-node and Traefik share no network: Traefik cannot reach the node"
    enabled = _enabled(node)
    if enabled in _FALSE:
        yield f"sesam-node's label traefik.enable is {enabled}: Traefik leads nobody to it"
    elif not enabled and _by_flags(traefik) and _exposed(traefik) in _FALSE:
        yield "exposedByDefault is false, and sesam-node has no label traefik.enable"


def _enabled(node: Service) -> str:
    labels = {key.lower(): text for key, text in node.labels.items()}
    return labels.get("traefik.enable", "").lower()


def _exposed(traefik: Service) -> str:
    said = at(from_flags(traefik.command), "providers", "docker", "exposedbydefault")
    return str(said or "").lower()


def _by_flags(traefik: Service) -> bool:
    """Whether its flags count: a configuration file would take their place."""
    files = any(each.target.startswith("/etc/traefik") for each in traefik.mounts)
    return not files and not any(x.lower().startswith("--configfile") for x in traefik.command)


def _of_node(node: Service) -> Iterator[str]:
    yield from _stranger(node, "sesam-node")
    if node.mount_of(IN_CONTAINER) is None:
        yield f"sesam-node has no directory of the host mounted on {IN_CONTAINER}"
    for path in (IN_CONTAINER, "/sesam/logs"):
        mount = node.mount_of(path)
        if mount and mount.read_only:
            yield f"sesam-node may not write to {path}: {mount.source} is mounted read-only"
    labels = {key.lower(): text for key, text in node.labels.items()}
    if not any(key.endswith(".rule") and "Host(" in text for key, text in labels.items()):
        yield "sesam-node has no Host(`...`) rule for Traefik"
    ports = [text for key, text in labels.items() if key.endswith(".loadbalancer.server.port")]
    if str(NODE_PORT) not in ports:
        yield f"sesam-node's labels do not lead Traefik to port {NODE_PORT}"


def _of_updater(stack: Stack, node: Service | None) -> Iterator[str]:
    service = updater(stack)
    if service is None:
        yield "the stack has nothing that updates the images"
    elif node and "watchtower" in service.repository:
        watched = [word for word in service.command if not word.startswith("-")]
        if watched and not {node.container_name, node.name}.intersection(watched):
            yield f"watchtower watches {', '.join(watched)}, but not {node.container_name}"


def deviations(stack: Stack) -> Iterator[str]:
    """Differences from the product's stack that may be meant."""
    node, traefik = stack.role("node"), stack.role("traefik")
    parts = [stack.role(role) for role in ("node", "traefik", "logs")] + [updater(stack)]
    extra = [name for name, service in stack.services.items() if service not in parts]
    if extra:
        yield f"not in the product's stack: {', '.join(extra)}"
    for service in parts:
        if service and service.restart not in ("always", "unless-stopped"):
            yield f"{service.name} does not start again by itself (restart: {service.restart})"
    yield from _of_routing(stack, traefik, node)
    service = updater(stack)
    if service and service.repository != "containrrr/watchtower":
        yield f"the images are updated by {service.image}, not by containrrr/watchtower"
    if node and node.repository != NODE_IMAGE:
        yield f"the image of sesam-node is {node.repository}"


def _of_routing(stack: Stack, traefik: Service | None, node: Service | None) -> Iterator[str]:
    if traefik and traefik.repository.rpartition("/")[2] != "traefik":
        yield f"the image of Traefik is {traefik.repository}"
    if node and traefik and not (node.networks and traefik.networks):
        yield "of sesam-node and Traefik one is on no network of Docker's"
    if node and traefik and not _enabled(node) and not _by_flags(traefik):
        yield "sesam-node has no label traefik.enable: Traefik's configuration file decides"
    for key in NETWORKS:
        name = stack.networks.get(key, key)
        if name != key:
            yield (
                f"compose makes a network {name} of its own, and the network {key} of the guide"
                " goes unused: external: true is missing"
            )
