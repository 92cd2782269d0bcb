"""Files: new, replaced, taken back; on real file systems."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from .talking import Agent, Answer
from .trees import tree
from .wanting import file, license_file

KEPT = "srv/file.sesam-audit-20261122-abcd.old"
LICENSE = "canary-license\nline two\n"


def put(path: Path, text: str, mode: int = 0o604) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_new_one_and_back(root: Path, talk: Agent) -> None:
    before = tree(root)

    assert talk.carry_out(talk.plan(file("/srv/file", "new")))["outcome"] == "done"

    path = root / "srv/file"
    assert path.read_text() == "new"
    assert (path.stat().st_uid, path.stat().st_mode & 0o7777) == (1001, 0o640)
    assert talk.plan(file("/srv/file", "new"), run="second")["actions"] == []
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


def test_a_replaced_one_is_kept_and_put_back(root: Path, talk: Agent) -> None:
    path = put(root / "srv/file", "old")
    os.setxattr(path, "user.colour", b"blue")
    before, inode = tree(root, times=True), path.stat().st_ino

    assert talk.carry_out(talk.plan(file("/srv/file", "new")))["outcome"] == "done"

    assert path.read_text() == "new"
    assert os.getxattr(path, "user.colour") == b"blue"
    assert (root / KEPT).stat().st_ino == inode
    assert sorted(os.listdir(root / "srv")) == ["file", "file.sesam-audit-20261122-abcd.old"]
    assert len(talk.undo()["undone"]) == 1
    assert tree(root, times=True) == before
    assert path.stat().st_ino == inode


def test_only_owner_and_mode_differ(root: Path, talk: Agent) -> None:
    path = put(root / "srv/file", "same")
    before, inode = tree(root), path.stat().st_ino

    assert talk.carry_out(talk.plan(file("/srv/file", "same")))["outcome"] == "done"

    assert (path.stat().st_ino, path.stat().st_uid) == (inode, 1001)
    assert not (root / KEPT).exists()
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


def test_a_file_with_a_second_name_elsewhere_is_not_given_away(root: Path, talk: Agent) -> None:
    path = put(root / "srv/file", "same")
    os.link(path, root / "etc/shadow")

    assert talk.carry_out(talk.plan(file("/srv/file", "same")))["outcome"] == "done"

    assert (root / "etc/shadow").stat().st_uid == 0
    assert path.stat().st_uid == 1001


def test_the_kept_copy_may_lie_elsewhere(root: Path, talk: Agent) -> None:
    (root / "srv/store").mkdir()
    put(root / "srv/store/file", "old")
    before = tree(root)

    talk.carry_out(talk.plan(file("/srv/store/file", "new", kept_in="/srv")))

    assert os.listdir(root / "srv/store") == ["file"]
    assert (root / KEPT).read_text() == "old"
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


def test_an_edit_after_the_plan_is_not_overwritten(root: Path, talk: Agent) -> None:
    path = put(root / "srv/file", "old")
    plan = talk.plan(file("/srv/file", "new"))
    path.write_text("edited")

    result = talk.carry_out(plan)

    assert result["outcome"] == "changed"
    assert "size was 3, is 6" in result["words"]
    assert path.read_text() == "edited"


def test_undo_leaves_what_was_edited_since(root: Path, talk: Agent) -> None:
    path = put(root / "srv/file", "old")
    talk.carry_out(talk.plan(file("/srv/file", "new")))
    path.write_text("edited since")

    (left,) = talk.undo()["left"]

    assert left["words"] == "it was changed since"
    assert path.read_text() == "edited since"
    assert (root / KEPT).read_text() == "old"


def test_undo_says_that_the_kept_copy_is_gone(root: Path, talk: Agent) -> None:
    put(root / "srv/file", "old")
    talk.carry_out(talk.plan(file("/srv/file", "new")))
    (root / KEPT).unlink()

    (cannot,) = talk.undo()["cannot"]

    assert cannot["words"] == "the copy that was kept is gone"


@pytest.mark.parametrize("kind", ["directory", "link", "pipe"])
def test_what_is_no_file_is_left(root: Path, talk: Agent, kind: str) -> None:
    path = root / "srv/file"
    if kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("elsewhere")
    else:
        os.mkfifo(path)
    before = tree(root)

    result = talk.carry_out(talk.plan(file("/srv/file", "new")))

    assert (result["outcome"], result["words"]) == (
        "failed",
        f"/srv/file is a {kind}, a file is needed there",
    )
    assert tree(root) == before


def test_a_planted_temporary_name_is_not_touched(root: Path, talk: Agent) -> None:
    put(root / "srv/file", "old")
    plan = talk.plan(file("/srv/file", "new"))
    planted = put(root / "srv/file.sesam-audit-20261122-abcd.new", "planted")

    result = talk.carry_out(plan)

    assert (result["outcome"], result["action"]) == ("failed", "01-file")
    assert planted.read_text() == "planted"
    assert (root / "srv/file").read_text() == "old"


def test_a_license_comes_as_a_secret(root: Path, talk: Agent) -> None:
    secrets = {"license": LICENSE}
    plan = talk.plan(license_file("/srv/license.key"), secrets=secrets)

    assert talk.carry_out(plan, secrets=secrets)["outcome"] == "done"

    path = root / "srv/license.key"
    assert (path.read_text(), path.stat().st_mode & 0o7777) == (LICENSE, 0o600)
    again = talk.plan(license_file("/srv/license.key"), secrets=secrets, run="second")
    assert again["actions"] == []
    for kept in (root / "var/lib/sesam-audit").rglob("*"):
        assert not kept.is_file() or b"canary-license" not in kept.read_bytes()


OTHER = "another license\nline two\n"


@pytest.fixture
def half_done(root: Path, talk: Agent) -> Answer:
    """A plan of which the license was installed, and everything after it is in the way."""
    (root / "srv/there").mkdir()
    wanted = (license_file("/srv/license.key"), file("/srv/there/file", "x", 2))
    plan = talk.plan(*wanted, secrets={"license": LICENSE})
    (root / "srv/there").rmdir()
    result = talk.carry_out(plan, secrets={"license": LICENSE})
    assert result["action"] == "02-file"
    journal = root / "var/lib/sesam-audit/runs" / plan["run"] / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    done = next(number for number, line in enumerate(lines) if b'"kind":"done"' in line)
    journal.write_bytes(b"".join(lines[:done]))  # as if killed before the record
    return plan


def test_a_run_goes_on_without_its_license_once_that_is_there(
    root: Path, talk: Agent, half_done: Answer
) -> None:
    """What it was is known by a keyed hash, whoever installed it."""
    (root / "srv/there").mkdir()

    assert talk.carry_out(half_done)["outcome"] == "done"
    assert (root / "srv/license.key").read_text() == LICENSE


def test_a_run_does_not_go_on_with_another_license(talk: Agent, half_done: Answer) -> None:
    seen = talk.ask("look", plan=half_done, secrets={"license": OTHER}, run=half_done["run"])
    answer = talk.carry_out(half_done, secrets={"license": OTHER})

    assert seen["strange"] == ["license"]
    assert "the license is not the one" in answer["stop"]
    assert answer["kind"] == "changed"


@pytest.mark.usefixtures("half_done")
def test_another_run_with_another_license_settles_the_first(root: Path, talk: Agent) -> None:
    secrets = {"license": OTHER}
    plan = talk.plan(license_file("/srv/license.key"), run="second", secrets=secrets)

    assert talk.carry_out(plan, secrets=secrets)["outcome"] == "done"
    assert (root / "srv/license.key").read_text() == OTHER
    (old,) = (root / "srv").glob("license.key.*.old")
    assert old.read_text() == LICENSE


def test_finish_removes_the_old_file(root: Path, talk: Agent) -> None:
    put(root / "srv/file", "old")
    put(root / "srv/same", "same")
    wanted = (file("/srv/file", "new"), file("/srv/same", "same", 2), file("/srv/made", "x", 3))
    assert talk.carry_out(talk.plan(*wanted))["outcome"] == "done"

    outlook = talk.ask("finish", dry=True)["actions"]
    started = talk.ask("finish")
    assert talk.follow(started["run"], started["from"])[-1]["outcome"] == "done"

    words = f"the old /srv/file, kept as {Path(KEPT).name}"
    assert [each["words"] for each in outlook] == [words]
    assert not (root / KEPT).exists()
    assert (root / "srv/file").read_text() == "new"
    assert talk.ask("finish", dry=True)["actions"] == []
    undone = talk.undo()
    assert [each["id"] for each in undone["cannot"]] == ["01-file"]
    assert [each["id"] for each in undone["undone"]] == ["03-file", "02-file"]


def test_finish_removes_nothing_that_only_has_the_name(root: Path, talk: Agent) -> None:
    put(root / "srv/file", "old")
    assert talk.carry_out(talk.plan(file("/srv/file", "new")))["outcome"] == "done"
    (root / KEPT).unlink()
    (root / KEPT).write_text("another")

    assert talk.ask("finish", dry=True)["actions"] == []
    assert (root / KEPT).read_text() == "another"


def test_what_is_kept_tells_nothing_of_a_license(root: Path, talk: Agent) -> None:
    secrets = {"license": LICENSE}
    plan = talk.plan(license_file("/srv/license.key"), secrets=secrets)

    talk.carry_out(plan, secrets=secrets)

    plain = hashlib.sha256(LICENSE.encode()).hexdigest().encode()
    for kept in (root / "var/lib/sesam-audit").rglob("*"):
        assert not kept.is_file() or plain not in kept.read_bytes()


def test_a_license_that_differs_in_line_ends_only_is_kept(root: Path, talk: Agent) -> None:
    path = root / "srv/license.key"
    path.write_bytes(LICENSE.replace("\n", "\r\n").encode())
    path.chmod(0o600)
    os.chown(path, 1001, 1001)

    plan = talk.plan(license_file("/srv/license.key"), secrets={"license": LICENSE})

    assert plan["actions"] == []


def test_without_its_secret_nothing_is_written(root: Path, talk: Agent) -> None:
    plan = talk.plan(license_file("/srv/license.key"))

    result = talk.carry_out(plan)

    assert result["words"] == "what it is to hold did not come along"
    assert os.listdir(root / "srv") == []
