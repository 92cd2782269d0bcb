"""Docker's addresses beside everybody else's."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Contact,
    ContactAnswer,
    DockerApiAnswer,
    File,
    FileAnswer,
    Lookup,
    LookupAnswer,
)
from sesam_audit.facts import networks
from sesam_audit.facts.subnets import Place, Subnets, _talking
from sesam_audit.profile import Profile

from .bare import docker, find, read

LAN = Place("the route to 192.168.1.0/24 over eth0", "192.168.1.0/24", kept=True)
TAKEN: dict[str, tuple[str, ...]] = {"bridge": ("172.17.0.0/16",), "sesam": ("172.18.0.0/16",)}


def beside(place: Place, *others: Place) -> tuple[str, ...]:
    return Subnets((place, *others), TAKEN).collisions


def client(network: str) -> Place:
    return Place(f"clients {network}", network)


def test_a_network_that_docker_has_taken() -> None:
    assert beside(client("172.18.7.0/24")) == (
        "Docker's network sesam (172.18.0.0/16) covers clients 172.18.7.0/24",
    )


def test_a_host_route_inside_a_taken_network() -> None:
    assert beside(replace(LAN, network="172.17.3.0/24"))


def test_somebody_who_gets_through_is_not_covered() -> None:
    assert beside(Place("a container", "172.17.0.2", reached=True)) == ()


@pytest.mark.parametrize("network", ["172.20.9.0/24", "192.168.50.0/24", "172.16.0.0/12"])
def test_a_network_that_docker_may_take_next(network: str) -> None:
    assert beside(client(network))[-1].startswith("Docker's address pool ")


@pytest.mark.parametrize(
    "network", ["10.0.0.0/16", "203.0.113.7", "172.16.4.0/24", "2001:db8::/32"]
)
def test_networks_outside_dockers_pools(network: str) -> None:
    assert beside(client(network)) == ()


def test_docker_keeps_away_from_the_hosts_own_lan() -> None:
    assert beside(LAN) == ()


def test_neighbours_in_the_part_that_docker_keeps_away_from() -> None:
    assert beside(client("192.168.2.0/24"), LAN) == ()


def test_clients_in_another_part_of_the_pool() -> None:
    assert beside(client("192.168.50.0/24"), LAN)


def test_clients_of_a_whole_pool_are_not_kept_by_a_part() -> None:
    assert beside(client("192.168.0.0/16"), LAN)


def test_pools_of_its_own() -> None:
    mine = Subnets((client("192.168.50.0/24"),), {}, (("10.201.0.0/16", 24),))

    assert mine.collisions == ()


def test_what_is_not_an_address_is_left_alone() -> None:
    assert Subnets((client("not.an.address"),), {"odd": ("nonsense",)}).collisions == ()


def host(
    profile: Profile | None = None, contact: ContactAnswer | None = None, tcp: str = ""
) -> Subnets:
    listed = json.loads(read("docker/networks-20.10.json"))
    answers = {
        networks._ASK: DockerApiAnswer(status=200, value=listed),
        File("/proc/net/route", 262_144): FileAnswer(text=read("docker/route.txt")),
        File("/proc/net/tcp"): FileAnswer(text=tcp or read("docker/tcp.txt")),
        File("/etc/resolv.conf"): FileAnswer(text="nameserver 127.0.0.53\n"),
        File("/run/systemd/resolve/resolv.conf"): FileAnswer(text="nameserver 10.213.1.2\n"),
        Contact(): contact or ContactAnswer(),
        Lookup("proxy.example", "A"): LookupAnswer(records=("192.168.50.9",)),
    }
    return find(Subnets, docker(), answers, profile=profile)


def test_places_of_a_real_host() -> None:
    assert host().places == (
        Place("the route to 10.213.1.0/24 over eth0", "10.213.1.0/24", kept=True),
        Place("the resolver 10.213.1.2", "10.213.1.2", kept=True),
        Place("10.213.1.1, which is connected by SSH", "10.213.1.1", reached=True),
    )


def test_a_proxy_and_clients_of_the_profile() -> None:
    profile = Profile(proxy="proxy.example:3128", client_networks=("172.19.1.0/24",))

    assert host(profile).collisions == (
        "Docker's network microservices (172.19.0.0/16) covers the clients' network 172.19.1.0/24",
        "Docker's address pool 192.168.0.0/16 covers the proxy proxy.example:3128 (192.168.50.9)",
    )


def test_a_proxy_by_address() -> None:
    assert "172.18.3.4" in host(Profile(proxy="172.18.3.4:3128")).collisions[0]


def test_the_vantages() -> None:
    contact = ContactAnswer(
        vantages={"ssh://far": "172.18.3.9", "ssh://out": "203.0.113.7", "ssh://me": "127.0.0.1"}
    )

    assert host(contact=contact).collisions == (
        "Docker's network sesam (172.18.0.0/16) covers the vantage ssh://far (172.18.3.9)",
    )
    assert not any("ssh://me" in place.what for place in host(contact=contact).places)


def test_an_auditor_at_another_port() -> None:
    text = read("docker/tcp.txt").replace(":0016", ":08AE")
    said = "10.213.1.1, which is connected by SSH"

    assert said not in [place.what for place in host(tcp=text).places]
    assert said in [place.what for place in host(tcp=text, contact=ContactAnswer(port=2222)).places]


def test_a_peer_of_the_v6_table() -> None:
    line = "0: 0000000000000000FFFF00000101A8C0:0016 0000000000000000FFFF000009321FAC:D431 01 rest"

    (place,) = _talking((FileAnswer(text=f"head\n{line}\n"),))

    assert place.network == "172.31.50.9"
