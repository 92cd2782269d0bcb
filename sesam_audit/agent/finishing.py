"""Removes, after a person's answer, what a run kept; from its journal alone."""

from functools import partial
from typing import Any, Callable, Dict, List

from .host import Host
from .journal import Journal
from .kinds import made
from .runner import Result, attempt, noting
from .state import Run
from .story import Chapter, Story
from .undoing import spec_of


def outlook(host: Host, run: Run) -> List[Dict[str, Any]]:
    """What a finish would remove, each in words."""
    found = []
    for name, chapter in _kept(run.records()):
        words = made(spec_of(chapter), host).keeps(_begun(chapter), chapter.done)
        if words:
            title = chapter.begin["spec"]["title"]
            found.append({"id": name, "title": title, "words": words})
    return found


def finish(host: Host, journal: Journal, stopped: Callable[[], bool]) -> Result:
    """Remove what was kept, one action after the other."""
    for name, chapter in _kept(journal.records):
        if stopped():
            return {"outcome": "stopped", "words": "stopped before %s" % name}
        trouble = attempt(host, journal, name, partial(_one, host, journal, chapter))
        if trouble:
            return trouble
    return {"outcome": "done", "words": ""}


def _one(host: Host, journal: Journal, chapter: Chapter) -> None:
    name = chapter.begin["action"]
    action = made(spec_of(chapter), host)
    if action.keeps(_begun(chapter), chapter.done):
        host.say("begin", action=name, title=chapter.begin["spec"]["title"])
        journal.write("finishing", action=name)
        words = action.finish(_begun(chapter), chapter.done, noting(journal, name))
        journal.write("finished", action=name, words=words)
        host.say("finished", action=name, words=words)


def _kept(records: Any) -> Any:
    return [
        (name, chapter)
        for name, chapter in Story(records).chapters.items()
        if chapter.done and not chapter.undo and chapter.finished != "finished"
    ]


def _begun(chapter: Chapter) -> Dict[str, Any]:
    return {"before": chapter.begin["before"], "notes": dict(chapter.notes)}
