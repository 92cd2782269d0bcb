"""The .env: documented lines put right, everybody else's left to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sesam_audit.agent.environment import assignments, merge, value_of, values
from sesam_audit.agent.stop import Stop
from sesam_audit.plan import Action
from sesam_audit.probe.env_file import env_file

from .talking import Agent
from .trees import tree

VALUES = {"APPLIANCE_ID": "0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c12", "NODE_DOMAIN": "node.example.org"}
CANARY = "canary-of-somebody-else"


def wanted(given: dict[str, str] | None = None, **changes: str) -> Action:
    return Action(
        id="01-environment",
        kind="environment",
        title="Write .env",
        after={
            "path": "/srv/.env",
            "uid": 1001,
            "gid": 1001,
            "mode": "0600",
            "values": {**VALUES, **changes},
            "names": sorted(given or {}),
        },
        secret="environment" if given else None,
    )


def test_a_new_one_holds_the_values_and_belongs_to_its_owner(root: Path, talk: Agent) -> None:
    before = tree(root)

    assert talk.carry_out(talk.plan(wanted()))["outcome"] == "done"

    path = root / "srv/.env"
    assert path.read_text().splitlines()[1:] == [f"{key}={value}" for key, value in VALUES.items()]
    assert (path.stat().st_uid, path.stat().st_mode & 0o7777) == (1001, 0o600)
    assert talk.plan(wanted(), run="second")["actions"] == []
    assert len(talk.undo()["undone"]) == 1
    assert tree(root) == before


def test_the_lines_of_other_keys_stay_to_the_byte(root: Path, talk: Agent) -> None:
    theirs = f"# ours\r\nTOKEN='{CANARY}\nNODE_DOMAIN=inside a quote' # why\nexport LAST = 7"
    (root / "srv/.env").write_bytes(theirs.encode())

    assert talk.carry_out(talk.plan(wanted()))["outcome"] == "done"

    found = (root / "srv/.env").read_bytes().decode()
    assert found.startswith(f"{theirs}\n")
    assert values(found.encode())["NODE_DOMAIN"] == VALUES["NODE_DOMAIN"]


def test_what_others_wrote_never_leaves_the_machine(root: Path, talk: Agent) -> None:
    (root / "srv/.env").write_text(f"TOKEN={CANARY}\n")
    plan = talk.plan(wanted())
    result = talk.carry_out(plan)

    assert plan["actions"][0]["before"]["names"] == ["TOKEN"]
    assert CANARY not in str((plan, result))
    for path in (root / "var/lib/sesam-audit").rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


def test_lines_that_were_given_come_as_a_secret(root: Path, talk: Agent) -> None:
    secrets = {"environment": f"TOKEN='{CANARY}'\n"}
    action = wanted({"TOKEN": ""})
    plan = talk.plan(action, secrets=secrets)

    assert talk.carry_out(plan, secrets=secrets)["outcome"] == "done"

    assert f"TOKEN='{CANARY}'\n" in (root / "srv/.env").read_text()
    assert CANARY not in str(plan)
    assert talk.plan(action, run="second", secrets=secrets)["actions"] == []


def test_the_appliance_id_outlives_the_file(root: Path, talk: Agent) -> None:
    talk.carry_out(talk.plan(wanted()))
    talk.undo()

    assert not (root / "srv/.env").exists()
    assert talk.ask("status")["appliance"] == VALUES["APPLIANCE_ID"]


def test_a_change_between_plan_and_start_is_refused(root: Path, talk: Agent) -> None:
    path = root / "srv/.env"
    path.write_text("NODE_DOMAIN=old.example.org\n")
    plan = talk.plan(wanted())
    path.write_text("NODE_DOMAIN=other.example.org\n")

    assert talk.carry_out(plan)["outcome"] == "changed"
    assert path.read_text() == "NODE_DOMAIN=other.example.org\n"


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("A=1\nB=2\n", "A=9\nB=2\n"),
        ("A=1\nB=2\nA=3\n", "B=2\nA=9\n"),
        ("export A = '9' # same\n", "export A = '9' # same\n"),
        ("B=2", "B=2\nA=9\n"),
        ("\ufeffA=1\r\nB=2\r\n", "\ufeffA=9\nB=2\r\n"),
        ("#A=1\n", "#A=1\nA=9\n"),
        ("B='x\nA=1\n'\n", "B='x\nA=1\n'\nA=9\n"),
        ("A:1\n", "A=9\n"),
        ("A=\n", "A=9\n"),
    ],
)  # fmt: skip
def test_merging(text: str, merged: str) -> None:
    assert merge(text, {"A": "A=9"}) == merged
    assert merge(merged, {"A": "A=9"}) == merged


def test_a_quote_that_is_never_closed_stops() -> None:
    with pytest.raises(Stop, match="TOKEN and never closed"):
        merge("TOKEN='abc\nA=1\n", {"A": "A=9"})


@pytest.mark.parametrize(
    "text",
    [
        "A=1\nB = 2 # why\nexport C='x y'\nD=\"a\nb\"\nE:5\n",
        "A=1\r\nA=2\r\n\r\n# B=3\r\n  C=v#x\n",
        "\ufeffA=1\nB=''\n",
    ],
)
def test_it_is_read_as_the_probe_reads_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(text, newline="")
    keys = sorted(values(text.replace("\r\n", "\n").encode()))
    ask: dict[str, Any] = {"path": str(path), "keys": keys}

    read = env_file(ask)
    assert read["names"] == []
    assert read["values"] == values(text.replace("\r\n", "\n").encode())


def test_values_lose_quotes_and_comments() -> None:
    assert [value_of(x) for x in ("a # b", "'a # b'", '"a"', "a#b ", "")] == [
        "a",
        "a # b",
        "a",
        "a#b",
        "",
    ]
    assert [match.group(1) for match in assignments("# X=1\n\nA=1\nnonsense\nB=2")] == ["A", "B"]
