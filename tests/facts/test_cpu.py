"""Cpu: processors online, and who leaves fewer to the containers."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, DockerApiAnswer, FileAnswer, Self, SelfAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.cgroups import Limit, numbers
from sesam_audit.facts.cpu import ONLINE, PRESENT, Cpu
from sesam_audit.facts.engine import _INFO, _VERSION

from .machine import files, find

EIGHT = {ONLINE: "0-7\n", PRESENT: "0-7\n"}
V2, V1 = "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/cpu/system.slice"


def cpu(texts: dict[str, str]) -> Cpu:
    return find(Cpu, {**files(texts), Self(): SelfAnswer(uid=0)})


def test_processors_without_a_limit() -> None:
    assert cpu(EIGHT) == Cpu(8)


def test_offline_processors_do_not_count() -> None:
    found = cpu({ONLINE: "0-1,4\n", PRESENT: "0-7\n"})

    assert (found.effective, found.offline) == (3, 5)


@pytest.mark.parametrize(
    ("limits", "effective"),
    [
        ({f"{V2}/cpu.max": "200000 100000\n"}, 2),
        ({f"{V2}/cpu.max": "350000 100000\n"}, 3.5),
        ({f"{V2}/cpu.max": "max 100000\n"}, 8),
        ({f"{V2}/cpuset.cpus.effective": "0-2\n"}, 3),
        ({f"{V2}/cpuset.cpus.effective": "\n"}, 8),
        ({"/sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1),
        ({f"{V1}/cpu.cfs_quota_us": "300000\n", f"{V1}/cpu.cfs_period_us": "100000\n"}, 3),
        ({f"{V1}/cpu.cfs_quota_us": "-1\n", f"{V1}/cpu.cfs_period_us": "100000\n"}, 8),
        ({"/sys/fs/cgroup/cpuset/docker/cpuset.effective_cpus": "0,2"}, 2),
    ],
)
def test_control_groups_leave_fewer(limits: dict[str, str], effective: float) -> None:
    assert cpu(EIGHT | limits).effective == effective


def driven(driver: str, texts: dict[str, str]) -> Cpu:
    """The processors where Docker tells its driver."""
    docker: dict[Ask[Any], Answer | Unknown] = {
        _INFO: DockerApiAnswer(status=200, value={"CgroupDriver": driver}),
        _VERSION: DockerApiAnswer(status=200, value={"Version": "29.3.0"}),
        Self(): SelfAnswer(uid=0),
    }
    return find(Cpu, {**files(EIGHT | texts), **docker}, rounds=2)


BOTH = {"/sys/fs/cgroup/docker/cpu.max": "600000 100000", f"{V2}/cpu.max": "100000 100000"}


def test_with_cgroupfs_the_slice_of_the_daemon_does_not_count() -> None:
    assert driven("cgroupfs", BOTH).effective == 6


def test_a_group_that_docker_left_does_not_count() -> None:
    assert driven("systemd", BOTH).effective == 1
    assert cpu(EIGHT | BOTH).effective == 1  # version 2, where nobody says otherwise


@pytest.mark.parametrize(
    ("driver", "parent", "group"),
    [
        ("systemd", "sesam.slice", "sesam.slice"),
        ("systemd", "a-b.slice", "a.slice"),
        ("systemd", "a-b.slice", "a.slice/a-b.slice"),
        ("cgroupfs", "/limited/docker", "limited"),
        ("cgroupfs", "/limited/docker", "limited/docker"),
        ("cgroupfs", "own", "system.slice/docker.service/own"),
    ],
)
def test_the_group_that_daemon_json_names(driver: str, parent: str, group: str) -> None:
    texts = {
        "/etc/docker/daemon.json": f'{{"cgroup-parent": "{parent}"}}',
        f"/sys/fs/cgroup/{group}/cpu.max": "200000 100000",
    }

    assert driven(driver, texts).effective == 2


def test_the_tightest_limit_is_named() -> None:
    found = Cpu(8, limits=(Limit("the Docker daemon", 6), Limit("the slice", 2), Limit("x", 9)))

    assert found.limit == Limit("the slice", 2)


def test_an_unreadable_control_group_is_unknown() -> None:
    answers = files(EIGHT)
    (path,) = files({f"{V2}/cpu.max": ""})
    answers[path] = FileAnswer(error="EACCES")

    with pytest.raises(Unknown, match="needs root"):
        find(Cpu, {**answers, Self(): SelfAnswer()})


def test_no_count_is_unknown() -> None:
    with pytest.raises(Unknown, match="is not there"):
        cpu({})


@pytest.mark.parametrize(("text", "count"), [("0", 1), ("0-3", 4), ("0-3,8,10-11\n", 7), ("", 0)])
def test_kernel_lists(text: str, count: int) -> None:
    assert len(numbers(text)) == count


@pytest.mark.parametrize("text", ["x", "0-", "1-99999999", "-1"])
def test_other_texts_are_no_lists(text: str) -> None:
    with pytest.raises(Unknown, match="not a list"):
        numbers(text)
