"""An installation from before: which containers, in which order, and where the store is."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import DockerApi, DockerApiAnswer, File, FileAnswer, Stat, StatAnswer
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.old_installation import OldInstallation, OldStore

from .bare import Given, find

TARGET = "/srv/data/sesam/node-00/data"
MOUNTINFO = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
40 22 8:16 / /srv/data rw - ext4 /dev/sdb rw
"""
LAKE = ["-c", "exec gosu 1500 lake -l /sesam/logs -d /sesam/data --x"]


def old(args: object, mounts: list[dict[str, Any]], **stats: StatAnswer) -> OldInstallation:
    names = (("node", "sesam/sesam-node:1"), ("watchtower", "containrrr/watchtower"))
    listed = [
        {"Id": name, "Names": [f"/{name}"], "Image": image, "State": "running"}
        for name, image in (*names, ("web", "nginx"), ("sesam-audit-kept-x", "sesam/sesam-node"))
    ]
    listed[-1]["State"] = "exited"
    about = {"Id": "node", "Args": args, "Mounts": mounts}
    answers: Given = {
        ASK: DockerApiAnswer(status=200, value=listed),
        File("/proc/self/mountinfo", limit=262_144): FileAnswer(text=MOUNTINFO),
        _inspect("node"): DockerApiAnswer(status=200, value=about),
        _inspect("sesam-audit-kept-x"): DockerApiAnswer(
            status=200, value={"Args": [], "Mounts": [bind("/opt/kept")]}
        ),
        **{Stat(path.replace("_", "/")): answer for path, answer in stats.items()},
    }
    return find(OldInstallation, answers)


def _inspect(name: str) -> DockerApi:
    return DockerApi(f"/containers/{name}/json", ("Id", "Args", "Mounts"))


def bind(source: str, destination: str = "/sesam/data") -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Destination": destination}


def test_the_updater_ends_first_and_the_node_last() -> None:
    found = old(LAKE, [bind("/opt/store")])

    assert [each.name for each in found.containers] == ["watchtower", "node"]


@pytest.mark.parametrize(
    ("args", "mounts", "path"),
    [
        (LAKE, [bind("/opt/store")], "/opt/store"),
        (["-d", "/deep/in/it"], [bind("/a", "/deep"), bind("/b", "/deep/in")], "/b/it"),
        (["-d=/other"], [bind("/opt/store"), bind("/opt/other", "/other")], "/opt/other"),
        ([], [bind("/opt/all", "/sesam")], "/opt/all/data"),
        (LAKE, [bind("/var/lib/docker/volumes/v/_data")], "/var/lib/docker/volumes/v/_data"),
        (LAKE, [bind("/x", "/sesam/data-of-others")], ""),
        ("nonsense", [bind("/opt/store")], "/opt/store"),
    ],
)
def test_the_store_is_where_the_data_argument_is_mounted(
    args: object, mounts: list[dict[str, Any]], path: str
) -> None:
    (store,) = old(args, mounts).stores

    assert store.path == path


def test_a_store_on_the_same_mount_needs_no_copy() -> None:
    assert old(LAKE, [bind("/srv/data/old")]).stores[0].renamed
    assert not old(LAKE, [bind("/opt/old")]).stores[0].renamed


def test_a_store_in_its_place_does_not_move() -> None:
    assert old(LAKE, [bind(TARGET)]).moving == ()


def test_the_same_directory_by_another_path_does_not_move() -> None:
    there = StatAnswer(kind="directory", device=5, inode=7)

    found = old(LAKE, [bind("/opt/store")], **{TARGET: there, "/opt/store": there})

    assert found.moving == ()


def test_the_license_lies_in_it() -> None:
    license_there = {"/opt/store/license.key": StatAnswer(kind="file")}

    assert old(LAKE, [bind("/opt/store")], **license_there).moving == (
        OldStore("node", "/opt/store", licensed=True),
    )


def test_a_store_that_an_interrupted_move_left_counts_until_it_has_moved() -> None:
    left = old(LAKE, [bind(TARGET)], **{"/opt/kept": StatAnswer(kind="directory", inode=9)})

    assert [(each.path, each.resting) for each in left.moving] == [("/opt/kept", True)]
    assert [each.name for each in left.containers] == ["watchtower", "node"]
    assert old(LAKE, [bind(TARGET)]).moving == ()
