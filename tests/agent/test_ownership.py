"""Ownership: offenders only, by descriptor, on one mount, and back."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from .talking import Agent
from .trees import tree
from .wanting import ownership

CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service+p


@pytest.fixture
def store(root: Path) -> Path:
    """A tree with one of each kind."""
    made = root / "srv/data"
    for name in ("deep/deeper", "lost+found", "docker", "theirs"):
        (made / name).mkdir(parents=True)
    for name in ("plain", "deep/deeper/file", "lost+found/f", "docker/f", "theirs/f"):
        (made / name).write_text(name)
    (made / "setuid").write_text("x")
    (made / "setuid").chmod(0o6755)
    (made / "able").write_text("x")
    os.setxattr(made / "able", "security.capability", CAPABILITY)
    (made / "way").symlink_to("/etc")
    os.mkfifo(made / "pipe")
    os.mknod(made / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    (root / "etc/outside").write_text("foreign")
    os.link(root / "etc/outside", made / "foreign")
    os.link(made / "plain", made / "deep/twin")
    os.chown(made / "theirs", 1001, 1001)
    os.chown(made / "theirs/f", 1001, 1001)
    (made / "theirs/\udcff").write_text("no text")
    return made


WANTED = ownership("/srv/data", passed_over=["/srv/data/docker"], names=["lost+found"])


def owner(path: Path) -> int:
    return path.lstat().st_uid


def test_offenders_get_their_owner_and_the_old_one_back(
    root: Path, store: Path, talk: Agent
) -> None:
    before = tree(root, times=True)
    plan = talk.plan(WANTED)

    assert talk.carry_out(plan)["outcome"] == "done"

    ours = ("", "plain", "deep/twin", "deep/deeper/file", "setuid", "way", "pipe", "theirs/\udcff")
    assert {owner(store / name) for name in ours} == {1001}
    others = ("foreign", "device", "lost+found", "lost+found/f", "docker", "docker/f")
    assert {owner(store / name) for name in others} == {0}
    assert stat.S_IMODE((store / "setuid").stat().st_mode) == 0o6755
    assert os.getxattr(store / "able", "security.capability") == CAPABILITY
    assert owner(root / "etc/outside") == 0
    assert talk.plan(WANTED, run="second")["actions"] == []
    assert [each["words"] for each in talk.undo()["undone"]] == [""]
    assert tree(root, times=True) == before


@pytest.mark.usefixtures("store")
def test_what_is_left_is_named(talk: Agent) -> None:
    before = talk.plan(WANTED)["actions"][0]["before"]

    assert "/srv/data/device is a device" in before["left"]
    assert "/srv/data/foreign has 2 names, 1 of them elsewhere" in before["left"]
    assert before["count"] == 10
    assert before["sample"][0] == {"path": "/srv/data", "uid": 0, "gid": 0}


def test_another_mount_is_not_entered(store: Path, talk: Agent) -> None:
    (store / "mounted").mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "none", store / "mounted"), check=True)
    try:
        (store / "mounted/file").write_text("theirs")
        assert talk.carry_out(talk.plan(WANTED))["outcome"] == "done"
        assert (owner(store / "mounted/file"), owner(store / "mounted")) == (0, 0)
    finally:
        subprocess.run(("umount", store / "mounted"), check=True)


def test_a_bind_mount_of_the_same_disk_is_not_entered(root: Path, store: Path, talk: Agent) -> None:
    """Device numbers are equal there: it is the mount that tells."""
    (root / "etc/folder").mkdir()
    (root / "etc/folder/file").write_text("theirs")
    places = [(store / "mounted a", root / "etc/folder"), (store / "one", root / "etc/outside")]
    places[0][0].mkdir()
    places[1][0].write_text("")
    for place, source in places:
        subprocess.run(("mount", "--bind", source, place), check=True)
    try:
        assert talk.carry_out(talk.plan(WANTED))["outcome"] == "done"
        assert {owner(root / "etc" / name) for name in ("folder", "folder/file", "outside")} == {0}
    finally:
        for place, _ in places:
            subprocess.run(("umount", place), check=True)


@pytest.mark.usefixtures("store")
def test_it_ends_at_its_limit(talk: Agent) -> None:
    wanted = ownership("/srv/data", limit=5)
    answer = talk.ask("look", plan={"actions": [{"kind": "ownership", "id": "1", **after(wanted)}]})

    assert answer["actions"][0]["stop"] == "there are more than 5 entries"


def after(action: object) -> dict[str, object]:
    return {"after": getattr(action, "after", None), "title": "own"}


def test_undo_skips_what_vanished_or_changed_hands(store: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(WANTED))
    (store / "deep/deeper/file").unlink()
    os.chown(store / "setuid", 7, 7)

    (left,) = talk.undo()["left"]

    assert left["words"] == "2 entries are gone or were changed since"
    assert owner(store / "setuid") == 7
    assert owner(store / "plain") == 0
