"""PortOwners: free, the stack's Traefik, or whoever else holds a port."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import (
    Answer,
    Ask,
    DockerApiAnswer,
    File,
    FileAnswer,
    Listener,
    Listeners,
    ListenersAnswer,
    Run,
    RunAnswer,
)
from sesam_audit.errors import Lack, Unknown
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.port_owners import PORTS, PortOwners

from .machine import find
from .test_host_firewall import FIREWALLD, IPTABLES, NFT, REFUSED
from .test_rulesets import data

PROXIES = tuple(
    Listener(address, port, 700, "docker-proxy")
    for address in ("0.0.0.0", "::")
    for port in (80, 443)
)


def container(name: str, image: str, *ports: int, project: str = "data") -> DockerApiAnswer:
    labels = {
        "com.docker.compose.project": project,
        "com.docker.compose.project.working_dir": "/srv/data" if project == "data" else "/opt/x",
    }
    record = {
        "Names": [f"/{name}"],
        "Image": image,
        "Labels": labels,
        "Ports": [{"PublicPort": port, "Type": "tcp"} for port in ports],
    }
    return DockerApiAnswer(status=200, value=[record])


def owners(
    *listeners: Listener, containers: Answer | Unknown | None = None, **changes: Answer
) -> PortOwners:
    answers: dict[Ask[Any], Answer | Unknown] = {
        Listeners(PORTS): changes.get("sockets", ListenersAnswer(listeners=listeners)),
        ASK: containers or DockerApiAnswer(status=200, value=[]),
        IPTABLES: changes.get("iptables", RunAnswer(code=0, out=data("docker.iptables-save"))),
        NFT: changes.get("nft", RunAnswer(code=0, out=data("docker.nft"))),
        FIREWALLD: RunAnswer(code=3, out="inactive\n"),
        File("/etc/docker/daemon.json"): FileAnswer(error="ENOENT"),
    }
    return find(PortOwners, answers)


def test_nobody_listens() -> None:
    assert owners().of(443).kind == "free"


def test_another_port_is_nobodys_business() -> None:
    assert owners(Listener("0.0.0.0", 80, 9, "nginx")).of(443).kind == "free"


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "::"])
def test_process_is_named_on_any_address(address: str) -> None:
    owner = owners(Listener(address, 80, 9, "nginx")).of(80)

    assert owner.kind == "process"
    assert owner.who.startswith("nginx (pid 9) on ")


def test_the_stacks_traefik() -> None:
    traefik = container("traefik", "traefik:latest", 80, 443)

    assert owners(*PROXIES, containers=traefik).of(443).kind == "stack"


def test_the_stacks_traefik_without_proxy_processes() -> None:
    traefik = container("traefik", "traefik:latest", 80, 443)

    assert owners(containers=traefik).of(443).kind == "stack"


@pytest.mark.parametrize(
    ("image", "project"), [("traefik:v3", "other"), ("nginx", "data"), ("evil/nginx", "web")]
)
def test_other_containers_are_named(image: str, project: str) -> None:
    owner = owners(*PROXIES, containers=container("web", image, 80, project=project)).of(80)

    assert owner.kind == "container"
    assert f"container web ({image})" == owner.who


def test_ranges_of_published_ports() -> None:
    web = container("web", "nginx", *range(70, 91), project="web")

    assert owners(containers=web).of(80).kind == "container"


def test_a_process_beside_the_traefik_is_named() -> None:
    traefik = container("traefik", "traefik", 80, 443)
    nginx = Listener("127.0.0.1", 80, 9, "nginx")

    assert owners(*PROXIES, nginx, containers=traefik).of(80).kind == "process"


def test_owner_that_only_root_sees() -> None:
    with pytest.raises(Unknown, match=r"^needs root: who listens on port 80"):
        owners(Listener("0.0.0.0", 80)).of(80)


def test_dockers_proxy_without_permission_to_ask_docker() -> None:
    denied = DockerApiAnswer(error="EACCES")

    with pytest.raises(Unknown, match="needs root"):
        owners(*PROXIES, containers=denied).of(80)


def test_redirection_holds_the_port() -> None:
    owner = owners(iptables=RunAnswer(code=0, out=data("dropping.iptables-save"))).of(443)

    assert owner.kind == "redirection"
    assert "10.9.9.9:8443" in owner.who


def test_without_root_a_free_port_is_not_proved() -> None:
    with pytest.raises(Unknown, match=r"^needs root: "):
        owners(iptables=REFUSED, nft=REFUSED).of(443)


def test_machine_without_docker_has_free_ports() -> None:
    assert owners(containers=DockerApiAnswer(error="ENOENT")).of(443).kind == "free"


@pytest.mark.parametrize("port", [80, 443])
@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Unknown("no answer in time: dockerapi /containers/json"), "no answer in time"),
        (DockerApiAnswer(error="EACCES"), "needs root"),
        (DockerApiAnswer(status=500), "was not understood: HTTP 500"),
        (DockerApiAnswer(error="ECONNRESET"), "was not understood: ECONNRESET"),
    ],
)
def test_a_docker_that_does_not_tell_may_hold_a_port(
    told: Answer | Unknown, words: str, port: int
) -> None:
    """Without userland-proxy nothing listens, and Docker's own rules alone lead the port away."""
    with pytest.raises(Unknown, match=words):
        owners(containers=told).of(port)


@pytest.mark.parametrize("error", ["ENOENT", "ECONNREFUSED"])
def test_a_daemon_that_is_absent_or_silent_holds_no_port(error: str) -> None:
    assert owners(containers=DockerApiAnswer(error=error)).of(443).kind == "free"


def test_what_would_settle_an_owner_is_kept() -> None:
    for sockets in ((), PROXIES):
        with pytest.raises(Unknown) as caught:
            owners(*sockets, containers=DockerApiAnswer(error="EACCES")).of(80)
        assert caught.value.lacks is Lack.ROOT


def test_sockets_that_could_not_be_read() -> None:
    with pytest.raises(Unknown, match=r"needs Python 3\.6 or later"):
        owners(sockets=ListenersAnswer(error="UNSUPPORTED"))


def test_sleeping_web_servers_are_noted() -> None:
    show = (
        "Names=nginx.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=enabled\n\n"
        "Names=apache2.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=disabled\n"
    )
    asks = {Listeners(PORTS): ListenersAnswer(), ASK: DockerApiAnswer(status=200, value=[])}

    class Shown(dict[Any, Any]):
        def get(self, ask: Any, default: Any = None) -> Any:
            if isinstance(ask, Run) and ask.argv[:2] == ("systemctl", "show"):
                return RunAnswer(code=0, out=show)
            return super().get(ask, default)

    assert find(PortOwners, Shown(asks)).sleeping == ("nginx.service",)
