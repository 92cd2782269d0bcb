"""Directories: made, corrected, taken back."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from sesam_audit.plan import Action

from .talking import Agent, agent
from .wanting import directory

OLD = sorted(Path.home().glob(".pyenv/versions/3.6.*/bin/python3")) or [Path(sys.executable)]


def owning(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@pytest.mark.parametrize("python", [str(OLD[-1]), sys.executable], ids=["oldest", "newest"])
def test_made_and_taken_back(root: Path, python: str) -> None:
    wanted = (directory("/srv/data", 1), directory("/srv/data/deep", 2, mode="0700"))
    with agent(str(root), python=python) as talk:
        plan = talk.plan(*wanted)
        assert not (root / "srv/data").exists()
        assert talk.carry_out(plan)["outcome"] == "done"
        assert owning(root / "srv/data") == (1001, 1001, 0o750)
        assert owning(root / "srv/data/deep") == (1001, 1001, 0o700)
        assert talk.plan(*wanted, run="another")["actions"] == []

        undone = talk.undo()

    assert [each["id"] for each in undone["undone"]] == ["02-directory", "01-directory"]
    assert not (root / "srv/data").exists()


def test_an_existing_one_gets_owner_and_mode_and_its_own_back(root: Path, talk: Agent) -> None:
    (root / "srv/data").mkdir(mode=0o711)
    (root / "srv/data/file").write_text("kept")

    assert talk.carry_out(talk.plan(directory("/srv/data")))["outcome"] == "done"
    assert owning(root / "srv/data") == (1001, 1001, 0o750)

    assert len(talk.undo()["undone"]) == 1
    assert owning(root / "srv/data") == (0, 0, 0o711)
    assert (root / "srv/data/file").read_text() == "kept"


def test_what_changed_since_the_plan_is_not_touched(root: Path, talk: Agent) -> None:
    (root / "srv/data").mkdir(mode=0o711)
    plan = talk.plan(directory("/srv/data"))
    (root / "srv/data").chmod(0o700)

    result = talk.carry_out(plan)

    assert result["outcome"] == "changed"
    assert "/srv/data changed since the plan was made: mode was 0711, is 0700" in result["words"]
    assert owning(root / "srv/data") == (0, 0, 0o700)


def test_something_else_in_its_place_is_left(root: Path, talk: Agent) -> None:
    (root / "srv/data").write_text("a file")

    result = talk.carry_out(talk.plan(directory("/srv/data")))

    assert (result["outcome"], result["action"]) == ("failed", "01-directory")
    assert result["words"] == "/srv/data is a file, a directory is needed there"
    assert (root / "srv/data").read_text() == "a file"


def test_undo_leaves_what_is_in_use(root: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(directory("/srv/data")))
    (root / "srv/data/new").write_text("written since")

    (left,) = talk.undo()["left"]

    assert left["words"] == "it is in use: directory not empty"
    assert (root / "srv/data/new").read_text() == "written since"


def test_undo_leaves_a_directory_that_somebody_put_there(root: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(directory("/srv/data")))
    (root / "srv/data").rename(root / "srv/moved")
    (root / "srv/data").mkdir()

    (left,) = talk.undo()["left"]

    assert left["words"] == "it is another directory now"
    assert (root / "srv/data").is_dir()


def test_a_link_that_others_can_place_is_not_followed(root: Path, talk: Agent) -> None:
    (root / "srv/theirs").mkdir()
    os.chown(root / "srv/theirs", 1001, 1001)
    (root / "srv/theirs/way").symlink_to("/etc")

    answer = talk.ask("look", plan={"actions": [{**as_json(directory("/srv/theirs/way/x"))}]})

    assert "it is not followed" in answer["actions"][0]["stop"]


def test_a_link_of_roots_own_is_followed(root: Path, talk: Agent) -> None:
    (root / "disk").mkdir(mode=0o755)
    shutil.rmtree(root / "srv")
    (root / "srv").symlink_to("disk")

    assert talk.carry_out(talk.plan(directory("/srv/data")))["outcome"] == "done"
    assert (root / "disk/data").is_dir()


def as_json(action: Action) -> dict[str, object]:
    return {"id": action.id, "kind": action.kind, "title": action.title, "after": action.after}
