"""The live stack in the lab: real pulls with a login, real TLS, and services that do not live."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from .host import LabHost
from .lab import Lab
from .stack import NAMES, Stack


@pytest.fixture(scope="module")
def live(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("live")
    Stack(host).start()
    yield host
    lab.stop_host(host)


def test_everything_runs(live: LabHost) -> None:
    stack = Stack(live)

    assert all(stack.inspect(name)["State"]["Running"] for name in NAMES)
    assert stack.inspect("sesam-node")["Config"]["Image"] == "sesam/sesam-node:weekly-prod"


def test_it_serves_the_certificate_of_its_name(live: LabHost) -> None:
    name = live.node_domain
    at = f"--resolve {name}:443:{live.public_address} --resolve {name}:80:{live.public_address}"

    checked = live.run(f"curl --silent --show-error {at} https://{name}/api/health").stdout
    moved = live.run(f"curl --silent --include {at} http://{name}/api/x").stdout

    assert checked == '{"status": 200}'
    assert "301 Moved" in moved
    assert f"Location: https://{name}/api/x" in moved


@pytest.mark.parametrize("status", [401, 503, 200])
def test_the_node_tells_its_health(live: LabHost, status: int) -> None:
    stack = Stack(live)

    stack.health(status)

    assert stack.api() == status


def test_the_private_image_needs_the_login(live: LabHost) -> None:
    denied = live.run("docker pull sesam/sesam-node:nightly", check=False)
    allowed = live.run("DOCKER_CONFIG=/home/sesam/.docker docker pull sesam/sesam-node:nightly")

    assert denied.returncode != 0
    assert "denied" in denied.stderr or "unauthorized" in denied.stderr
    assert "Status: Downloaded newer image" in allowed.stdout


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("crashes", lambda state: state["restarts"] >= 1),
        ("unhealthy", lambda state: state["health"] == "unhealthy"),
        ("unwell", lambda state: state["api"] == 503),
    ],
)
def test_a_node_that_does_not_live(
    lab: Lab, live: LabHost, behaviour: str, expected: object
) -> None:
    stack = Stack(live)
    lab.internet.registry.offer("sesam/sesam-node", behaviour, behaviour=behaviour)

    stack.replace("sesam-node", behaviour)

    for _ in range(60):
        found = stack.inspect("sesam-node")
        state = {
            "restarts": found["RestartCount"],
            "health": found["State"].get("Health", {}).get("Status"),
            "api": stack.api(),
        }
        assert callable(expected)
        if expected(state):
            break
        time.sleep(0.25)
    else:
        pytest.fail(f"{state}: {stack.logs()}")
