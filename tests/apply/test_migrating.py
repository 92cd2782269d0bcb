"""An installation from before in the plan: put to rest, moved, and never left behind half-way."""

from __future__ import annotations

from typing import Any

from sesam_audit.asks import DockerApi, DockerApiAnswer, Stat
from sesam_audit.facts.containers import ASK
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
