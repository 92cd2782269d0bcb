"""What an interrupted run leaves: it goes on for the same request, and strands no store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest

from sesam_audit import applying
from sesam_audit.agent.journal import plan_id
from sesam_audit.agent.state import State, boot, machine
from sesam_audit.agent_link import AgentLink
from sesam_audit.plan import Action, Plan
from sesam_audit.site import Stop

from .talking import Agent, Answer
from .wanting import directory, file

RUN = "20261122-abcd"
WISHES = {"start": True, "backup_made": True}
MOVE = {"source": "/old/store", "target": "/srv/data/store", "way": "copy"}
WANTED = (directory("/srv/one", 1), directory("/srv/two", 2), file("/srv/three", "3", 3))


def begun(talk: Agent, root: Path, plan: Answer, begun: int, done: int) -> Answer:
    """The plan's run as an interruption leaves it: so many actions begun, so many done."""
    state = State(str(root))
    state.make()
    journal = state.begin(RUN, plan, {}).journal()
    journal.write("open", number=1, plan=plan["id"], boot=boot(), operator="alice")
    for number, each in enumerate(plan["actions"][:begun]):
        journal.write("begin", action=each["id"], spec=each, before=each["before"], boot=boot())
        if number < done:
            journal.write("done", action=each["id"], after={})
    journal.close()
    found = applying.unfinished(talk.ask("status"))
    assert found is not None
    return found


def planned(talk: Agent, *actions: Action, **more: Any) -> Plan:
    """A plan as the auditor makes it."""
    reply = talk.ask("look", plan={"actions": [applying._spelt(each) for each in actions]})
    found = {each["id"]: each for each in reply["actions"]}
    kept = tuple(
        Action(id=x.id, kind=x.kind, title=x.title, after=x.after, before=found[x.id]["before"])
        for x in actions
        if not found[x.id]["holds"]
    )
    looked = applying.Looked(kept, 0, (), reply["machine"], reply["boot"])
    return applying.bound(looked, {}, RUN, {**WISHES, **more})


def left(talk: Agent, run: Answer, new: Plan) -> list[str] | None:
    plan = applying.remaining(cast("AgentLink", talk), run, new, {})
    return None if plan is None else [each.id for each in plan.actions]


def test_what_is_left_is_shown_and_goes_on(talk: Agent, root: Path) -> None:
    plan = planned(talk, *WANTED).document()
    run = begun(talk, root, plan, 1, 1)
    (root / "srv/one").mkdir(mode=0o750)
    os.chown(root / "srv/one", 1001, 1001)

    assert left(talk, run, planned(talk, *WANTED)) == ["02-directory", "03-file"]
    assert talk.carry_out(run["plan"])["outcome"] == "done"


@pytest.mark.parametrize("wish", [{"start": False}, {"backup_made": False}, {"login": "other"}])
def test_another_request_never_gets_the_old_plan(
    talk: Agent, root: Path, wish: dict[str, Any]
) -> None:
    """Its plan would be shown, and the old one carried out, with whatever that started."""
    run = begun(talk, root, planned(talk, *WANTED).document(), 1, 0)

    assert left(talk, run, planned(talk, WANTED[1], **wish)) is None
    assert left(talk, run, planned(talk, WANTED[1])) is not None


def test_a_plan_whose_ground_changed_is_made_anew(talk: Agent, root: Path) -> None:
    """The agent would refuse it, and the same command would bring it again, for ever."""
    run = begun(talk, root, planned(talk, *WANTED).document(), 1, 0)
    (root / "srv/three").write_text("somebody's")

    assert left(talk, run, planned(talk, *WANTED)) is None


def moving(root: Path, *also: Action, way: str = "copy") -> Answer:
    """A plan that puts a container to rest, and moves its store."""
    keep = {"id": "0" * 64, "name": "node", "grace": 600}
    document = Plan(
        tool="t", run=RUN, machine=machine(str(root)), boot=boot(), wishes=WISHES,
        actions=(
            Action(id="01-keep", kind="keep-container", title="k", after=keep, before={"id": "0"}),
            Action(
                id="02-move", kind="move-store", title="m", after={**MOVE, "way": way}, before={}
            ),
            *also,
        ),
    ).document()  # fmt: skip
    return {**document, "id": plan_id(document)}


def test_a_run_that_has_yet_to_move_a_store_is_not_superseded(talk: Agent, root: Path) -> None:
    run = begun(talk, root, moving(root), 1, 1)
    other = talk.plan(directory("/srv/one"), run="other")

    answer = talk.ask("start", plan=other)

    assert "its store /old/store has not moved yet" in answer["stop"]
    assert RUN in answer["next"]
    assert not (root / "srv/one").exists()
    assert talk.ask("status")["runs"][0]["state"] == "unfinished"
    stop = applying.stranded(run, planned(talk, directory("/srv/one")))
    assert stop
    assert stop.words in answer["stop"]


def test_with_a_store_yet_to_move_the_same_request_goes_on(talk: Agent, root: Path) -> None:
    """The move came as far as leaving nothing in the old place: nobody plans it again."""
    run = begun(talk, root, moving(root), 2, 1)
    also = directory("/srv/one", 9)  # what nobody thought of then

    assert left(talk, run, planned(talk, also)) == ["02-move"]
    assert left(talk, run, planned(talk, also, start=False)) is None


def test_a_plan_that_moves_the_same_store_may_follow(talk: Agent, root: Path) -> None:
    (root / "old/store").mkdir(parents=True)
    (root / "srv/data").mkdir()
    (root / "old/store/datum").write_text("kept")
    begun(talk, root, moving(root), 1, 1)
    move = Action(id="01-move-store", kind="move-store", title="m", after={**MOVE, "way": "rename"})

    assert talk.carry_out(talk.plan(move, run="other"))["outcome"] == "done"
    assert (root / "srv/data/store/datum").read_text() == "kept"


@pytest.mark.parametrize(("started", "done"), [(0, 0), (2, 2)])
def test_before_anything_rests_and_after_the_move_nothing_is_stranded(
    talk: Agent, root: Path, started: int, done: int
) -> None:
    run = begun(talk, root, moving(root, directory("/srv/one", 3)), started, done)

    assert applying.stranded(run, planned(talk, directory("/srv/two"))) is None


def test_what_an_interrupted_action_left_in_its_own_way_is_no_stop(talk: Agent, root: Path) -> None:
    run = begun(talk, root, moving(root), 2, 1)
    move = Action(id="07-move-store", kind="move-store", title="m", after={**MOVE})
    stopped = ((move, Stop("it is there already")),)
    looked = applying.Looked((move,), 0, stopped, "", "")

    assert applying.in_the_way(looked, run) == []
    assert len(applying.in_the_way(looked, None)) == 1
