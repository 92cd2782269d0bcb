"""Takes a run back, the last action first, from the journal alone; can itself be interrupted."""

from functools import partial
from typing import Any, Callable, Dict, List, Tuple

from .host import Host
from .journal import Journal
from .kinds import made
from .runner import Result, attempt, noting
from .state import Run, State
from .stop import Stop
from .story import Chapter, Story

_LAST = ("restart",)  # what sees to it that files which were put back are read


def backwards(story: Story) -> List[Tuple[str, Chapter]]:
    """The actions in the order in which they are taken back."""
    turned = list(reversed(list(story.chapters.items())))
    return sorted(turned, key=lambda each: each[1].begin["spec"]["kind"] in _LAST)


def spec_of(chapter: Chapter) -> Dict[str, Any]:
    """The plan's words for an action, as the journal kept them."""
    return dict(chapter.begin["spec"], id=chapter.begin["action"])


def outlook(run: Run) -> List[Dict[str, Any]]:
    """What an undo would look at, in its order."""
    story = Story(run.records())
    return [
        {"id": name, "kind": chapter.begin["spec"]["kind"], "title": chapter.begin["spec"]["title"]}
        for name, chapter in backwards(story)
        if not chapter.undo
    ]


def check_last(state: State, run: Run) -> None:
    """Runs are taken back in turn: a later one may stand on what this one made."""
    for other in reversed(state.runs()):
        if other.name == run.name:
            return
        if Story(other.records()).changed_something():
            raise Stop(
                "run %s came after it and is not taken back" % other.name,
                "Take that one back first: sesam-audit undo HOST %s" % other.name,
            )


def undo(host: Host, journal: Journal, stopped: Callable[[], bool]) -> Result:
    """Take back what a journal tells; the result has the three lists."""
    journal.write("undo")
    story = Story(journal.records)
    for name, chapter in backwards(story):
        if stopped():
            return dict(_lists(journal), outcome="stopped", words="stopped before %s" % name)
        if chapter.undo is None:
            trouble = attempt(host, journal, name, partial(_one, host, journal, chapter))
            if trouble:
                return dict(_lists(journal), **trouble)
    journal.write("close", how="undone")
    return dict(_lists(journal), outcome="done", words="")


def _one(host: Host, journal: Journal, chapter: Chapter) -> None:
    name = chapter.begin["action"]
    action = made(spec_of(chapter), host)
    host.say("begin", action=name, title=chapter.begin["spec"]["title"])
    if not chapter.undoing:
        journal.write("undoing", action=name)
    begun = {"before": chapter.begin["before"], "notes": dict(chapter.notes)}
    if chapter.finished:
        how, words = "cannot", "what it kept was removed by finish"
    else:
        try:
            how, words = action.undo(begun, chapter.done, noting(journal, name))
        except Stop as stop:
            if stop.kind == "failed" and not chapter.undoing:
                raise  # what failed once may work again; the second time it is left
            how, words = "left", stop.words
    journal.write(how, action=name, words=words)
    host.say(how, action=name, words=words)


def _lists(journal: Journal) -> Dict[str, Any]:
    lists: Dict[str, Any] = {"undone": [], "left": [], "cannot": []}
    for name, chapter in backwards(Story(journal.records)):
        if chapter.undo:
            title, words = chapter.begin["spec"]["title"], chapter.undo["words"]
            lists[chapter.undo["kind"]].append({"id": name, "title": title, "words": words})
    return lists
