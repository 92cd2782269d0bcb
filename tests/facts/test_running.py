"""The stack's containers: found by label, how each fares, how often it fell by itself."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import DockerApiAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.running import (
    Fall,
    Mounted,
    RunningContainer,
    RunningStack,
    moment,
    span,
)
from sesam_audit.wanted import SERVICES

from .live_stack import answers, at, described, event, inspect, listed
from .machine import find
from .sesam_host import document, rendered


def node(**changes: Any) -> RunningContainer:
    (found,) = find(RunningStack, answers(sesam_node=changes)).of("sesam-node")
    return found


def fallen(*events: str, up: float = 20, restarts: int = 3) -> RunningContainer:
    changes = {"State.StartedAt": at(up), "RestartCount": restarts}
    (found,) = find(RunningStack, answers(events="".join(events), sesam_node=changes)).of(
        "sesam-node"
    )
    return found


def test_a_stack_that_runs() -> None:
    found = find(RunningStack, answers())

    for service in SERVICES:
        (each,) = found.of(service)
        assert (each.status, round(each.up), each.fault, each.doubt(60)) == (
            "running",
            3600,
            "",
            "",
        )


def test_containers_are_found_by_their_label_not_by_their_name() -> None:
    renamed = listed("sesam-node", Names=["/0a1b2c3d4e5f_sesam-node"])
    stranger = listed(
        "sesam-node",
        Id="id-of-another",
        labels={
            "com.docker.compose.project": "other",
            "com.docker.compose.project.working_dir": "/opt/other",
        },
    )
    told = answers()
    told[ASK] = DockerApiAnswer(status=200, value=[renamed, stranger])

    found = find(RunningStack, told)

    assert [each.name for each in found.containers] == ["0a1b2c3d4e5f_sesam-node"]


def test_a_container_of_compose_run_is_not_the_service() -> None:
    once = listed("sesam-node", Id="x", labels={"com.docker.compose.oneoff": "True"})

    assert len(find(RunningStack, answers(once)).of("sesam-node")) == 1


def test_another_updater_stands_for_watchtower() -> None:
    value = document()
    value["services"]["renewer"] = {
        **value["services"].pop("watchtower"),
        "image": "nickfedor/watchtower",
        "container_name": "renewer",
    }
    told = {**answers(listed("renewer", Id="r")), **rendered(value)}
    told[inspect("r")] = DockerApiAnswer(status=200, value=described("renewer"))

    (found,) = find(RunningStack, told).of("watchtower")

    assert found.service == "renewer"


def test_ended_containers_beside_a_running_one_do_not_count() -> None:
    old = listed("sesam-node", Id="old", State="exited")
    told = answers(old)
    told[inspect("old")] = DockerApiAnswer(
        status=200, value=described("sesam-node", **{"State.Status": "exited"})
    )

    assert [each.status for each in find(RunningStack, told).of("sesam-node")] == ["running"]


def test_a_container_that_went_away_meanwhile_is_not_there() -> None:
    told = answers()
    told[inspect("id-of-fluentbit")] = DockerApiAnswer(status=404, value={"message": "No such"})

    assert find(RunningStack, told).of("fluentbit") == ()


def test_a_stack_without_the_service_is_unknown() -> None:
    with pytest.raises(Unknown, match=r"layout\.compose-file"):
        RunningStack((), {}).of("traefik")


def test_a_daemon_that_may_not_be_asked() -> None:
    with pytest.raises(Unknown, match="needs root"):
        find(RunningStack, {**answers(), ASK: DockerApiAnswer(error="EACCES")})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"State.Status": "restarting", "State.ExitCode": 3, "RestartCount": 7},
         "starts again and again: 7 times so far, exit code 3"),
        ({"State.Status": "exited", "State.ExitCode": 137, "State.OOMKilled": True},
         "has ended (exit code 137, for lack of memory)"),
        ({"State.Status": "created", "State.Error": "port is already allocated"},
         "was made, but has never started: port is already allocated"),
        ({"State.Status": "paused"}, "is paused"),
        ({"State.Status": "dead"}, "cannot be removed"),
        ({"State.Status": "removing"}, "is being removed"),
        ({"State.Status": "stopping"}, "is stopping"),
        ({"State.Health.Status": "unhealthy"}, "health check says that it is not well"),
    ],
)  # fmt: skip
def test_what_is_wrong(changes: dict[str, Any], words: str) -> None:
    assert words in node(**changes).fault


@pytest.mark.parametrize("status", ["", 3, None])
def test_a_state_that_is_not_told_is_no_fault(status: object) -> None:
    with pytest.raises(Unknown, match="does not tell the state of sesam-node"):
        node(**{"State.Status": status})


@pytest.mark.parametrize("health", ["healthy", "none", None])
def test_what_is_right(health: str | None) -> None:
    assert not node(**{"State.Health.Status": health}).fault


def test_a_health_check_that_has_not_decided_leaves_a_doubt() -> None:
    found = node(**{"State.Health.Status": "starting", "State.StartedAt": at(30)})

    assert not found.fault
    assert found.doubt(0) == "is still starting, by its own health check (for 30 s)"


@pytest.mark.parametrize(("up", "settled", "doubtful"), [
    (3, 0, False), (59, 60, True), (60, 60, False), (599, 60, False),
])  # fmt: skip
def test_without_a_fall_it_has_to_run_as_long_as_is_asked(
    up: float, settled: float, doubtful: bool
) -> None:
    assert bool(RunningContainer(name="x", up=up).doubt(settled)) is doubtful


@pytest.mark.parametrize(("up", "doubtful"), [(599, True), (600, False)])
def test_restarts_that_nobody_remembers_are_history_after_ten_minutes(
    up: float, doubtful: bool
) -> None:
    assert bool(RunningContainer(name="x", up=up, restarts=9).doubt(0)) is doubtful
    assert not RunningContainer(name="x", up=up, restarts=9).fault


@pytest.mark.parametrize(
    ("lived", "up", "doubtful"),
    [(5, 59, True), (5, 60, False), (100, 199, True), (100, 200, False), (5000, 600, False)],
)
def test_a_fall_is_history_after_twice_the_longest_life(
    lived: float, up: float, doubtful: bool
) -> None:
    found = RunningContainer(name="x", up=up, restarts=1, falls=(Fall(1, 3), Fall(1, lived)))

    assert bool(found.doubt(0)) is doubtful


def test_three_falls_make_a_loop_until_it_is_calm() -> None:
    falls = (Fall(1, 15.0),) * 3

    looping = RunningContainer(name="x", up=12, restarts=3, falls=falls)

    assert looping.fault.startswith("fell 3 times in the last 15 minutes (exit code 1), and runs")
    assert not RunningContainer(name="x", up=61, restarts=3, falls=falls).fault
    assert not RunningContainer(name="x", up=12, restarts=2, falls=falls[:2]).fault


def test_the_daemon_remembers_falls() -> None:
    found = fallen(
        event(100, "sesam-node", "start"),
        event(85, "sesam-node", "die", "4"),
        event(84, "sesam-node", "start"),
        event(60, "sesam-node", "die", "4"),
        event(70, "traefik", "die", "1"),
    )

    assert [(each.code, round(each.lived or 0)) for each in found.falls] == [(4, 15), (4, 24)]


def test_an_end_that_was_asked_for_is_no_fall() -> None:
    found = fallen(
        event(100, "sesam-node", "kill"),
        event(99, "sesam-node", "die", "137"),
        event(98, "sesam-node", "start"),
    )

    assert found.falls == ()


def test_a_signal_long_ago_did_not_ask_for_the_end() -> None:
    found = fallen(event(500, "sesam-node", "kill"), event(99, "sesam-node", "die", "1"))

    assert found.falls == (Fall(1, None),)


@pytest.mark.parametrize("told", ["", "no json here\n", "1 2\n", Unknown("no answer in time")])
def test_a_daemon_that_remembers_nothing_costs_only_the_falls(told: str | Unknown) -> None:
    (found,) = find(RunningStack, answers(events=told)).of("sesam-node")

    assert (found.falls, found.status) == ((), "running")


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ([{"Type": "bind", "Source": "/a", "Destination": "/b"}], (Mounted("/a", "/b"),)),
        ([{"Type": "volume", "Source": "/var/lib/docker/volumes/x", "Destination": "/b"}], ()),
        ([{"Type": "bind", "Source": 3, "Destination": "/b"}], ()),
        ("odd", ()),
        (None, ()),
    ],
)
def test_bind_mounts(mounts: Any, found: tuple[Mounted, ...]) -> None:
    assert node(Mounts=mounts).mounts == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02T00:00:00Z", None),
        ("2026-11-22T12:00:00.5Z", 1795348800.0),
        ("2026-11-22T12:00:00Z", 1795348800.0),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments(text: object, seconds: float | None) -> None:
    assert moment(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (119, "119 s"), (120, "2 minutes"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words
