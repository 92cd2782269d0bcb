"""An old installation in a plan: what is put aside, what is asked about, what starts it again."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import DockerApi, DockerApiAnswer, Run, RunAnswer
from sesam_audit.facts.containers import ASK, Container
from sesam_audit.facts.neighbours import MOUNTS
from sesam_audit.facts.revivers import PLACES, _patterns
from sesam_audit.profile import Profile
from sesam_audit.site import Draft
from tests.facts.bare import Given

from .sites import drafted, of_kind, sesam

STORE = "/opt/sesam/store"
NODE = {"Id": "node", "Names": ["/old-node"], "Image": "sesam/sesam-node:1", "State": "running"}


def other(
    name: str, image: str = "traefik:v2", project: str = "", *networks: str
) -> dict[str, Any]:
    labels = {"com.docker.compose.project": project} if project else {}
    settings: dict[str, Any] = {"Networks": {each: {} for each in networks}}
    about = {"Id": name, "Names": [f"/{name}"], "Image": image, "State": "running"}
    return {**about, "Labels": labels, "NetworkSettings": settings}


def docker(*containers: dict[str, Any], **mounts: str) -> Given:
    """A node of old, and other containers; `mounts` are sources by a container's name."""
    mounted = {"node": STORE, **mounts}
    told = [
        {"Id": name, "Mounts": [{"Source": at, "Destination": "/sesam/data"}]}
        for name, at in mounted.items()
    ]
    about = {"Id": "node", "Args": ["-d", "/sesam/data"], "Mounts": told[0]["Mounts"]}
    return {
        ASK: DockerApiAnswer(status=200, value=[NODE, *containers]),
        MOUNTS: DockerApiAnswer(status=200, value=told),
        DockerApi("/containers/node/json", ("Id", "Args", "Mounts")): DockerApiAnswer(
            status=200, value=about
        ),
    }


def plan(*answers: Given, **more: Any) -> Draft:
    return drafted(*answers, sesam(), **{"start": True, "backup_made": True, **more})


def kept(made: Draft) -> list[str]:
    return [step.after["name"] for step in of_kind(made, "keep-container")]


def asked(made: Draft) -> list[str]:
    return [stop.words for stop in made.stops if "nothing shows that it is Sesam's" in stop.words]


@pytest.mark.parametrize(
    "container",
    [
        other("traefik", "traefik:v2", "shop"),
        other("traefik"),
        other("watchtower", "containrrr/watchtower", "", "bridge"),
    ],
)
def test_a_mere_name_has_to_be_confirmed(container: dict[str, Any]) -> None:
    name = container["Names"][0][1:]
    made = plan(docker(container))
    confirmed = plan(docker(container), stop=(name,))

    (words,) = asked(made)
    assert words.startswith(f"the container {name} (")
    assert any(f"--stop {name}" in stop.remedy for stop in made.stops)
    assert asked(confirmed) == []
    assert kept(confirmed) == [name, "old-node"]


def test_the_project_is_named() -> None:
    assert "of the compose project shop" in asked(plan(docker(other("traefik", project="shop"))))[0]


def test_another_name_in_stop_confirms_nothing() -> None:
    assert asked(plan(docker(other("traefik")), stop=("nginx",)))


@pytest.mark.parametrize("network", ["sesam", "microservices"])
def test_what_is_on_the_stacks_networks_is_sesams(network: str) -> None:
    made = plan(docker(other("traefik", "traefik:v2", "shop", network)))

    assert (asked(made), kept(made)) == ([], ["traefik", "old-node"])


def test_what_mounts_the_store_is_sesams() -> None:
    made = plan(docker(other("traefik", project="shop"), traefik=f"{STORE}/backup"))

    assert (asked(made), kept(made)) == ([], ["traefik", "old-node"])


def test_what_was_made_with_the_node_is_sesams() -> None:
    node = {**NODE, "Labels": {"com.docker.compose.project": "old"}}
    made_together = [node, other("traefik", "traefik:v2", "old")]

    made = plan(docker(), {ASK: DockerApiAnswer(status=200, value=made_together)})

    assert (asked(made), kept(made)) == ([], ["traefik", "old-node"])


def test_what_stands_beside_it_is_listed_and_left() -> None:
    services = (
        other("child", "customer/service", "", "microservices"),
        other("backup", "restic"),
        other("everything", "node-exporter"),
        other("web", "nginx"),
    )
    made = plan(docker(*services, backup=STORE, everything="/", web="/opt"))

    assert kept(made) == ["old-node"]
    notes = [each for each in made.notes if "it is not touched" in each]
    assert len(notes) == 2
    assert "child (customer/service, running) is on the network microservices" in notes[0]
    assert f"backup (restic, running) has {STORE} mounted" in notes[1]


# -- what starts it again --------------------------------------------------------------------------


def searched(made: Draft) -> list[str]:
    return [note for note in made.notes if "starts the old" in note]


def grep(out: str = "", code: int = 2, error: str | None = None) -> Given:
    """What the search for the old node finds."""
    node = Container("old-node", "sesam/sesam-node:1")
    wanted = [word for each in _patterns((node,)) for word in ("-e", each)]
    ask = Run(("grep", "-rlsIE", *wanted, "--", *PLACES))
    return {ask: RunAnswer(out=out, code=code, error=error)}


def test_units_and_cron_lines_are_named() -> None:
    found = "/etc/systemd/system/sesam.service\n/etc/cron.d/sesam\n/etc/systemd/system/s.service\n"
    (note,) = searched(plan(docker(), grep(found)))

    assert "/etc/systemd/system/sesam.service, /etc/cron.d/sesam" in note
    assert "sudo systemctl disable --now sesam.service; sudoedit /etc/cron.d/sesam" in note


def test_nothing_found_is_no_note() -> None:
    assert searched(plan(docker(), grep())) == []


def test_a_search_that_failed_is_said() -> None:
    (note,) = searched(plan(docker(), grep(error="ENOENT")))

    assert "cannot be told" in note


# -- a stack that runs -----------------------------------------------------------------------------


@pytest.mark.parametrize("image", ["traefik:latest", "mirror.example.org/traefik", "0123abcd"])
@pytest.mark.parametrize("certificates", ["letsencrypt", "self-signed"])
def test_traefik_starts_anew_for_certificates_of_ones_own(image: str, certificates: str) -> None:
    labels = {"com.docker.compose.project": "data", "com.docker.compose.service": "traefik"}
    there = {**other("traefik", image), "Labels": labels}
    profile = Profile(node_domain="n.example.org", dns_admin="a@b.cc", certificates=certificates)  # type: ignore[arg-type]
    answers = {ASK: DockerApiAnswer(status=200, value=[there])}

    (step,) = of_kind(drafted(answers, sesam(), profile=profile, start=True), "restart")

    own = ["/srv/data/traefik/certs/node.crt", "/srv/data/traefik/certs/node.key"]
    assert step.after["files"] == (own if certificates == "self-signed" else [])
