"""The data link, and the stray one in the store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .talking import Agent
from .trees import tree
from .wanting import link, stray_link

WANTED = link("/srv/link", "/srv/store", empty_directory="replace", uid=1001, gid=1001)


def test_made_and_taken_back(root: Path, talk: Agent) -> None:
    before = tree(root)

    assert talk.carry_out(talk.plan(WANTED))["outcome"] == "done"

    assert os.readlink(root / "srv/link") == "/srv/store"
    assert (root / "srv/link").lstat().st_uid == 1001
    assert talk.plan(WANTED, run="second")["actions"] == []
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


def test_an_empty_directory_is_swapped_and_comes_back(root: Path, talk: Agent) -> None:
    (root / "srv/link").mkdir(mode=0o711)
    before = tree(root)

    assert talk.carry_out(talk.plan(WANTED))["outcome"] == "done"

    assert sorted(os.listdir(root / "srv")) == ["link"]
    assert os.readlink(root / "srv/link") == "/srv/store"
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ("full", "/srv/link is a directory, and not an empty one; a link is needed there"),
        ("empty", "/srv/link is an empty directory; a link is needed there"),
        ("other", "/srv/link leads to /elsewhere, not to /srv/store"),
        ("file", "/srv/link is a file; a link is needed there"),
    ],
)
def test_what_is_in_the_way_is_left(root: Path, talk: Agent, there: str, words: str) -> None:
    path = root / "srv/link"
    if there == "other":
        path.symlink_to("/elsewhere")
    elif there == "file":
        path.write_text("a file")
    else:
        path.mkdir()
        if there == "full":
            (path / "data").write_text("kept")
    before = tree(root)
    refuse = link("/srv/link", "/srv/store")

    result = talk.carry_out(talk.plan(refuse if there == "empty" else WANTED))

    assert (result["outcome"], result["words"]) == ("failed", words)
    assert tree(root) == before


def test_undo_leaves_a_link_that_was_bent(root: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(WANTED))
    (root / "srv/link").unlink()
    (root / "srv/link").symlink_to("/elsewhere")

    (left,) = talk.undo()["left"]

    assert left["words"] == "it was changed since"
    assert os.readlink(root / "srv/link") == "/elsewhere"


def test_the_stray_link_goes_and_comes_back(root: Path, talk: Agent) -> None:
    store = root / "srv/data"
    store.mkdir()
    (store / "data").symlink_to(store)
    os.chown(store / "data", 7, 8, follow_symlinks=False)
    before = tree(root)

    assert talk.carry_out(talk.plan(stray_link("/srv/data/data")))["outcome"] == "done"
    assert os.listdir(store) == []
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


@pytest.mark.parametrize("text", ["/", "somewhere", "/nowhere"])
def test_another_link_is_no_stray_one(root: Path, talk: Agent, text: str) -> None:
    (root / "srv/data").mkdir()
    (root / "srv/data/data").symlink_to(text)

    result = talk.carry_out(talk.plan(stray_link("/srv/data/data")))

    assert result["outcome"] == "failed"
    assert "is not the link that is known to be left there" in result["words"]
    assert os.readlink(root / "srv/data/data") == text
