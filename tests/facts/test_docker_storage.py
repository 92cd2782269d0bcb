"""Room for images and containers."""

from __future__ import annotations

from sesam_audit.asks import File, FileAnswer, Space, SpaceAnswer, Stat, StatAnswer
from sesam_audit.facts.docker_storage import DockerStorage, Room
from sesam_audit.quantity import Size

from .bare import Given, docker, find, unknown


def room(path: str, available: int) -> Given:
    return {
        Space(path): SpaceAnswer(available=available),
        Stat(path): StatAnswer(kind="directory"),
    }


def test_both_roots() -> None:
    found = find(
        DockerStorage, docker(), room("/var/lib/docker", 7), room("/var/lib/containerd", 9)
    )

    assert found.rooms == (
        Room("/var/lib/docker", Size(7)),
        Room("/var/lib/containerd", Size(9)),
    )


def test_dockers_own_containerd_has_no_root() -> None:
    found = find(DockerStorage, docker(), room("/var/lib/docker", 7))

    assert [each.path for each in found.rooms] == ["/var/lib/docker"]


def test_roots_that_were_moved() -> None:
    moved = {File("/etc/containerd/config.toml"): FileAnswer(text='version = 2\nroot = "/big/c"\n')}
    answers = docker(DockerRootDir="/big/d"), room("/big/d", 7), room("/big/c", 9)

    assert [each.path for each in find(DockerStorage, moved, *answers).rooms] == [
        "/big/d",
        "/big/c",
    ]


def test_a_commented_root_does_not_count() -> None:
    commented = {File("/etc/containerd/config.toml"): FileAnswer(text='#root = "/var/x"\n')}
    answers = docker(), room("/var/lib/docker", 7), room("/var/lib/containerd", 9)

    assert len(find(DockerStorage, commented, *answers).rooms) == 2


def test_a_root_that_may_be_elsewhere() -> None:
    sealed = {File("/etc/containerd/config.toml"): FileAnswer(error="EACCES")}
    rooms = room("/var/lib/docker", 7), room("/var/lib/containerd", 9)

    assert "needs root: /etc/containerd" in unknown(DockerStorage, docker(), sealed, *rooms)


def test_a_root_that_may_not_be_measured() -> None:
    hidden = {
        Space("/var/lib/docker"): SpaceAnswer(error="EACCES"),
        Stat("/var/lib/docker"): StatAnswer(error="EACCES"),
    }

    assert "needs root" in unknown(DockerStorage, docker(), hidden)


def test_no_daemon() -> None:
    assert "no Docker daemon answers" in unknown(DockerStorage)
