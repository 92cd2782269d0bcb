"""Docker's networks."""

from __future__ import annotations

import json
from typing import Any

from sesam_audit.asks import DockerApiAnswer
from sesam_audit.facts import networks
from sesam_audit.facts.networks import Network, Networks

from .bare import Given, find, read, unknown


def listed(value: Any) -> Given:
    return {networks._ASK: DockerApiAnswer(status=200, value=value)}


def test_networks_of_a_real_daemon() -> None:
    found = find(Networks, listed(json.loads(read("docker/networks-20.10.json"))))

    assert found.named("bridge") == (
        Network("bridge", subnets=("172.17.0.0/16",), interface="docker0"),
    )
    (sesam,) = found.named("sesam")
    assert sesam == Network("sesam", subnets=("172.18.0.0/16",), interface="br-117d80e638b4")
    assert [each.driver for each in found.named("host")] == ["host"]


def test_an_internal_network_with_an_mtu() -> None:
    options = {"com.docker.network.driver.mtu": "1450"}

    found = find(Networks, listed([{"Name": "n", "Internal": True, "Options": options}]))

    assert (found.networks[0].internal, found.networks[0].mtu) == (True, 1450)


def test_two_networks_of_one_name() -> None:
    assert len(find(Networks, listed([{"Name": "sesam"}, {"Name": "sesam"}])).named("sesam")) == 2


def test_foreign_shapes_do_not_crash() -> None:
    odd = [7, {"Name": None, "IPAM": [], "Options": "x"}, {"IPAM": {"Config": {"Subnet": 1}}}]

    assert len(find(Networks, listed(odd)).networks) == 2


def test_no_daemon() -> None:
    assert "no Docker daemon answers" in unknown(Networks)
