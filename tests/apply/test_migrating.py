"""An installation from before in the plan: put to rest, moved, and never left behind half-way."""

from __future__ import annotations

from typing import Any

from sesam_audit.asks import (
    DockerApi,
    DockerApiAnswer,
    Listener,
    Listeners,
    ListenersAnswer,
    Stat,
)
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.port_owners import PORTS
from sesam_audit.given import GivenLogin
from sesam_audit.site import Draft
from sesam_audit.wanted import STORE
from tests.facts.bare import Given
from tests.facts.sesam_host import there

from .sites import drafted, of_kind

LOGIN = GivenLogin(user="customer", password="dckr_pat")
OLD = "/opt/sesam/store"
BY_HAND = {"Image": "sesam/sesam-node:1", "State": "running"}
KEPT = {"Image": "sesam/sesam-node:1", "State": "exited"}


def listed(**containers: dict[str, Any]) -> Given:
    """The daemon's list, by name; a node has its store in the old place."""
    names = {name: name.replace("_", "-") for name in containers}
    value = [{"Id": names[n], "Names": [f"/{names[n]}"], **each} for n, each in containers.items()]
    mounts = [{"Type": "bind", "Source": OLD, "Destination": "/sesam/data"}]
    about: dict[Any, Any] = {
        DockerApi(f"/containers/{name}/json", ("Id", "Args", "Mounts")): DockerApiAnswer(
            status=200, value={"Id": name, "Args": [], "Mounts": mounts}
        )
        for name in names.values()
    }
    return {**about, ASK: DockerApiAnswer(status=200, value=value)}


STORED: Given = {Stat(OLD): there(inode=7), Stat(f"{OLD}/license.key"): there("file", inode=8)}


def moving(*answers: Given, **more: Any) -> Draft:
    wishes: dict[str, Any] = {"start": True, "login": LOGIN, "backup_made": True, **more}
    return drafted(*answers, **wishes)


def kinds(made: Draft) -> list[str]:
    return [step.kind for step in made.steps if step.kind in ("keep-container", "move-store")]


def test_the_old_node_rests_and_its_store_moves_with_the_license() -> None:
    made = moving(listed(node=BY_HAND), STORED)

    assert kinds(made) == ["keep-container", "move-store"]
    assert of_kind(made, "move-store")[0].after["source"] == OLD
    assert not any("license" in step.title for step in made.steps)
    assert not made.stops


def test_a_store_whose_node_rests_already_is_moved_all_the_same() -> None:
    """An apply was interrupted between the two, or its run is closed."""
    made = moving(listed(sesam_audit_kept_node=KEPT), STORED)

    assert kinds(made) == ["move-store"]
    after = of_kind(made, "move-store")[0].after
    assert (after["source"], after["target"]) == (OLD, STORE)
    assert not any("license" in step.title for step in made.steps)


def test_without_a_license_given_the_one_that_moves_is_enough() -> None:
    made = moving(listed(sesam_audit_kept_node=KEPT), STORED, license=None)

    assert not any("license" in each for each in made.missing if "SUBSCRIPTION" not in each)


def test_a_store_that_moved_is_not_moved_again() -> None:
    assert kinds(moving(listed(sesam_audit_kept_node=KEPT))) == []
    same = {Stat(OLD): there(inode=20), Stat(STORE): there(inode=20)}
    assert kinds(moving(listed(sesam_audit_kept_node=KEPT), same)) == []


def test_nothing_is_laid_out_beside_a_store_that_waits_to_be_moved() -> None:
    made = moving(listed(sesam_audit_kept_node=KEPT), STORED, start=False)

    (stop,) = made.stops
    assert f"its store {OLD} has not moved yet" in stop.words


def of_project(project: str, directory: str, service: str, **more: str) -> dict[str, Any]:
    label = "com.docker.compose"
    labels = {f"{label}.project": project, f"{label}.project.working_dir": directory}
    labels |= {f"{label}.service": service}
    return {"Image": service, "State": "running", "Labels": labels, **more}


def test_another_project_called_data_stops_before_anything_is_stopped() -> None:
    """Compose would take its traefik for ours, and replace it."""
    foreign = of_project("data", "/opt/data", "traefik")
    made = moving(listed(node=BY_HAND, data_traefik_1=foreign), STORED)

    assert any("data-traefik-1 (traefik, running) is of another project" in x.words
               for x in made.stops)  # fmt: skip
    assert not of_kind(made, "recreate")


def test_a_node_of_another_project_called_data_is_not_put_to_rest() -> None:
    """Under whatever name, its labels would make compose start it as ours."""
    foreign = of_project("data", "/opt/data", "sesam-node", Image="sesam/sesam-node:1")
    made = moving(listed(data_node=foreign), STORED)

    assert kinds(made) == []
    assert any("data-node" in each.words for each in made.stops)


def test_what_is_not_put_to_rest_is_in_the_way_beside_what_is() -> None:
    left_by_v1 = {
        **of_project("data", "/srv/data", "sesam-node"),
        "Names": ["/data_sesam-node_1"],
    }
    left_by_v1["Labels"]["com.docker.compose.version"] = "1.29.2"
    made = moving(listed(node=BY_HAND, left=left_by_v1), STORED)
    words = next(each.words for each in made.stops if "compose v1" in each.words)

    assert "data_sesam-node_1" in words
    assert "node (sesam/sesam-node:1, running)" not in words
    assert not moving(listed(node=BY_HAND), STORED).stops


def test_the_stacks_own_are_made_anew_and_know_the_store() -> None:
    ours = of_project("data", "/srv/data", "sesam-node")
    (step,) = of_kind(moving(listed(node=ours)), "recreate")

    assert step.after["store"] == STORE


WEB = [{"PublicPort": port, "Type": "tcp", "IP": "0.0.0.0"} for port in (80, 443)]
LISTEN = [
    Listener(address="0.0.0.0", port=port, pid=7, command="docker-proxy") for port in (80, 443)
]


def test_the_ports_of_what_is_put_to_rest_will_be_free() -> None:
    old = {"Image": "traefik", "State": "running", "Ports": WEB}
    heard: Given = {Listeners(PORTS): ListenersAnswer(listeners=tuple(LISTEN))}

    assert not moving(listed(node=BY_HAND, traefik=old), STORED, heard, stop=("traefik",)).stops


def test_a_port_that_somebody_else_holds_beside_the_old_door_stops() -> None:
    """Found after the node was stopped and its store moved, it would be down until then."""
    old = {"Image": "traefik", "State": "running", "Ports": WEB[:1]}
    web = {"Image": "nginx", "State": "running", "Ports": WEB[1:]}
    heard: Given = {Listeners(PORTS): ListenersAnswer(listeners=tuple(LISTEN))}

    known = listed(node=BY_HAND, traefik=old, web=web)

    (stop,) = moving(known, STORED, heard, stop=("traefik",)).stops

    assert stop.words == "port 443 is held by container web (nginx)"
