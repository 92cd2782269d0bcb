"""Whether Traefik's real configuration serves the given certificates and redirects to https."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.traefik import TraefikConfig
from sesam_audit.facts.traefik_settings import at, pairs, tables

_ROUTER_POINTS = re.compile(r"traefik\.http\.routers\.[^.]+\.entrypoints", re.IGNORECASE)


def inspect_traefik(config: TraefikConfig) -> Inspection:
    """Judge the settings that count, not those that merely stand somewhere."""
    found = Inspection()
    for fault in config.faults:
        found.problem(fault)
    for doubt in config.doubts:
        found.doubt(doubt)
    if not config.static and (found.problems or found.doubts):
        return found
    for text in (*_entry_points(config), *_certificates(config)):
        found.problem(text)
    if at(config.static, "providers", "docker") is None:
        found.problem(f"{config.where} has no docker provider: Traefik would not find the node")
    elif _hidden(config):
        found.problem(
            f"in {config.where} exposedByDefault is false, and sesam-node has no label"
            " traefik.enable"
        )
    for text in _notes(config):
        found.note(text)
    return found


def _hidden(config: TraefikConfig) -> bool:
    said = at(config.static, "providers", "docker", "exposedByDefault")
    labels = config.node.labels if config.node else {"traefik.enable": ""}
    enabled = any(key.lower() == "traefik.enable" for key in labels)
    return str(said).lower() == "false" and not enabled


def _entry_points(config: TraefikConfig) -> Iterator[str]:
    points = dict(tables(config.static, "entryPoints"))
    by_port = {_port(at(point, "address")): point for point in points.values()}
    for port in (80, 443):
        if port not in by_port:
            yield f"{config.where} has no entry point on port {port}"
    if 80 in by_port and not _redirects(by_port[80], config):
        yield f"{config.where} does not redirect port 80 to https"
    wanted = [name for name in _router_points(config) if name not in map(str.lower, points)]
    if wanted and points:
        yield f"the router of sesam-node wants the entry point {wanted[0]}, which does not exist"


def _port(address: object) -> int:
    match = re.search(r":(\d{1,5})(?:/tcp)?$", str(address))
    return int(match[1]) if match else 0


def _redirects(point: object, config: TraefikConfig) -> bool:
    if at(point, "http", "redirections", "entryPoint", "to"):
        return True
    routes = [str(at(each, "http", "middlewares")) for each in config.dynamic.values()]
    labels = config.node.labels if config.node else {}
    return "redirectscheme" in " ".join([*routes, *labels]).lower()


def _router_points(config: TraefikConfig) -> list[str]:
    labels = config.node.labels if config.node else {}
    found = [text for key, text in labels.items() if _ROUTER_POINTS.fullmatch(key)]
    return [name.strip().lower() for text in found for name in text.split(",") if name.strip()]


def _certificates(config: TraefikConfig) -> Iterator[str]:
    if not config.dynamic and at(config.static, "providers", "file") is None:
        skipped = " and skips its tls" if at(config.static, "tls") else ""
        yield (
            f"Traefik reads {config.where} alone{skipped}; there is no file provider in it, so"
            " Traefik serves its own default certificate"
        )
        return
    named = [pair for each in config.dynamic.values() for pair in pairs(each)]
    if not named and not config.faults and not config.doubts:
        yield "the file provider leads to no tls.certificates: Traefik serves its default one"
    for path in dict.fromkeys(path for pair in named for path in pair):
        if config.service.on_host(path) is None:
            yield f"{path} is not mounted into Traefik"


def _notes(config: TraefikConfig) -> Iterator[str]:
    flags = [word for word in config.service.command if not word.lower().startswith("--configfile")]
    if config.origin and flags:
        yield f"Traefik reads {config.where} and ignores its {len(flags)} flags"
    known = {name.lower() for name, _ in tables(config.static, "certificatesResolvers")}
    labels = config.node.labels if config.node else {}
    for key, name in labels.items():
        if key.lower().endswith(".tls.certresolver") and name.lower() not in known:
            yield f"{key} names the resolver {name}, which does not exist: Traefik only complains"
