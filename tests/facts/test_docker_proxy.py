"""Proxies of the daemon and of containers."""

from __future__ import annotations

import pytest

from sesam_audit.asks import (
    Compose,
    ComposeAnswer,
    DockerConfig,
    DockerConfigAnswer,
    RunAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.facts import docker_proxy
from sesam_audit.facts.docker_login import ROOT_CONFIG
from sesam_audit.facts.docker_proxy import (
    ContainerProxy,
    ProxySources,
    Setting,
    bypassed,
    endpoint,
)
from sesam_audit.facts.stack import ENVIRONMENT
from sesam_audit.wanted import LOGIN_FILE, POINT, SERVICES

from .bare import Given, find

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://Proxy.Example:3128/", ("proxy.example", 3128)),
        ("proxy.example:3128", ("proxy.example", 3128)),
        ("http://proxy.example", ("proxy.example", 80)),
        ("https://proxy.example", ("proxy.example", 443)),
        ("http://[2001:db8::1]:3128", ("2001:db8::1", 3128)),
        ("http://proxy.example:port", None),
        ("", None),
    ],
)
def test_where_a_proxy_is(url: str, place: tuple[str, int] | None) -> None:
    assert endpoint(url) == place


@pytest.mark.parametrize(
    ("no_proxy", "name", "covered"),
    [
        ("localhost,sesam-node", "sesam-node", True),
        (".docker.io", "auth.docker.io", True),
        ("*.docker.io", "auth.docker.io", True),
        ("docker.io", "auth.docker.io", True),
        ("*", "auth.docker.io", True),
        ("node", "sesam-node", False),
        ("", "sesam-node", False),
    ],
)
def test_names_that_pass_by_the_proxy(no_proxy: str, name: str, *, covered: bool) -> None:
    assert bypassed(no_proxy, name) is covered


def client(path: str, **proxies: str) -> Given:
    return {
        DockerConfig(path): DockerConfigAnswer(json=True, proxies=proxies),
        Stat(path): StatAnswer(kind="file"),
    }


def test_files_that_speak_of_a_proxy() -> None:
    path = "/etc/systemd/system/docker.service.d/proxy.conf"

    found = find(ProxySources, {docker_proxy._SOURCES: RunAnswer(code=2, out=f"{path}\n")})

    assert found.files == (path,)


def test_no_grep_to_look_with() -> None:
    assert find(ProxySources).files == ()


def test_what_clients_hand_out() -> None:
    found = find(ContainerProxy, client(ROOT_CONFIG, httpsProxy=PROXY, noProxy="traefik"))

    assert found.given("sesam-node", None) == Setting(ROOT_CONFIG, PROXY, "traefik")
    assert tuple(found.services) == tuple(SERVICES)


def test_the_wanted_proxy_is_taken_first() -> None:
    other = client(ROOT_CONFIG, httpsProxy="http://other:1")

    found = find(ContainerProxy, other, client(LOGIN_FILE, httpsProxy=PROXY))

    assert found.given("traefik", ("proxy.example", 3128)).where == LOGIN_FILE


def test_a_service_with_a_proxy_of_its_own() -> None:
    services = {"logs": {"environment": {"https_proxy": PROXY, "NO_PROXY": "logs"}}}
    stack = {Compose(POINT, ENVIRONMENT): ComposeAnswer(code=0, document={"services": services})}

    found = find(ContainerProxy, stack, client(ROOT_CONFIG, httpsProxy="http://other:1"))

    assert found.given("logs", None) == Setting("service logs", PROXY, "logs")


def test_nothing_is_set() -> None:
    assert find(ContainerProxy).given("traefik", None) == Setting("")
