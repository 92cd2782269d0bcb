"""The parts a Sesam stack needs: what is missing from them, and what merely differs."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.facts.data_directory import IN_CONTAINER
from sesam_audit.facts.stack import Service, Stack
from sesam_audit.wanted import NODE_IMAGE, NODE_PORT


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
        closed = [port for port in (80, 443) if port not in traefik.ports]
        local = [str(port) for port in closed if port in traefik.local_ports]
        absent = [str(port) for port in closed if str(port) not in local]
        if absent:
            yield f"Traefik does not publish {' and '.join(absent)}"
        if local:
            yield f"Traefik publishes {' and '.join(local)} on the host's own loopback alone"
    if stack.role("logs") is None:
        yield "the stack has no fluentbit to ship the logs"
    yield from _of_updater(stack, node)


def _of_node(node: Service) -> Iterator[str]:
    if node.mount_of(IN_CONTAINER) is None:
        yield f"sesam-node has no directory of the host mounted on {IN_CONTAINER}"
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
    if node and traefik and not set(node.networks).intersection(traefik.networks):
        yield "sesam-node and Traefik share no network: Traefik cannot reach the node"
    service = updater(stack)
    if service and service.repository != "containrrr/watchtower":
        yield f"the images are updated by {service.image}, not by containrrr/watchtower"
    if node and node.repository != NODE_IMAGE:
        yield f"the image of sesam-node is {node.repository}"
