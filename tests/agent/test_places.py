"""Where a node keeps its data, whose container it is, and how long it may take to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sesam_audit.agent.containers import grace_of, is_node
from sesam_audit.agent.places import holds_other_data, store_in, store_of


def container(image: str, service: str = "", timeout: int | None = None) -> dict[str, Any]:
    labels = {"com.docker.compose.service": service} if service else {}
    return {"Config": {"Image": image, "Labels": labels, "StopTimeout": timeout}}


@pytest.mark.parametrize(
    ("image", "service", "configured", "seconds"),
    [
        ("sesam/sesam-node:weekly-prod", "", None, 600),
        ("registry.example:5000/sesam/sesam-node@sha256:12", "", 10, 600),
        ("sha256:12", "sesam-node", 900, 900),
        ("traefik:v3", "traefik", None, 60),
        ("traefik:v3", "traefik", 5, 5),
    ],
)
def test_a_node_has_time_to_close_its_store(
    image: str, service: str, configured: int | None, seconds: int
) -> None:
    found = container(image, service, configured)

    assert grace_of(found) == seconds
    assert is_node(found) is (seconds >= 600)


def test_a_service_has_it_where_the_container_had_it() -> None:
    volumes = [
        {"type": "bind", "source": "/sesam/node-00", "target": "/sesam"},
        {"type": "bind", "source": "/srv/store", "target": "/sesam/data"},
        {"type": "volume", "source": "tmp", "target": "/deep"},
    ]

    assert store_in({"volumes": volumes}, "/sesam/data") == "/srv/store"
    assert (
        store_in({"volumes": volumes, "command": ["lake -d /sesam/x"]}, "/") == "/sesam/node-00/x"
    )
    assert store_in({"volumes": volumes}, "/deep") == ""
    assert store_in({}, "/sesam/data") == ""
    assert store_of({"Args": None, "Mounts": None}) == ""


def test_other_data(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    assert not holds_other_data(str(here), str(there))
    assert not holds_other_data(str(tmp_path / "gone"), str(there))
    (here / "lmdb").touch()
    assert holds_other_data(str(here), str(there))
    assert holds_other_data(str(here), "")
    there.symlink_to(here)
    assert not holds_other_data(str(here), str(there))
