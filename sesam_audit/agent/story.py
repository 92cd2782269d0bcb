"""What a journal tells: how far a run came, and what is to be done about each action."""

from typing import Any, Dict, List, Optional

from .journal import Record

CLOSED = ("done", "superseded", "undone")
UNDO_ENDS = ("undone", "left", "cannot")


class Chapter:
    """One action in a journal."""

    def __init__(self, begin: Record) -> None:
        self.begin = begin
        self.notes: Dict[str, Any] = {}
        self.done: Optional[Record] = None
        self.undoing = False
        self.undo: Optional[Record] = None
        self.finished = ""  # "finishing", "finished": what was kept for undo may be gone

    def read(self, record: Record) -> None:
        """Take up a later record of the action."""
        kind = record["kind"]
        if kind == "note":
            self.notes.update(record["facts"])
        elif kind == "done":
            self.done = record
        elif kind == "undoing":
            self.undoing = True
        elif kind in ("finishing", "finished"):
            self.finished = kind
        elif kind in UNDO_ENDS:
            self.undo = record


class Story:
    """A run, read from its records."""

    def __init__(self, records: List[Record]) -> None:
        self.state = "new"  # then "unfinished", and one of CLOSED, or "undoing"
        self.chapters: Dict[str, Chapter] = {}
        self.opened: Record = {}
        for record in records:
            self._read(record)

    def _read(self, record: Record) -> None:
        kind = record["kind"]
        chapter = self.chapters.get(record.get("action", ""))
        if kind == "open":
            self.opened, self.state = record, "unfinished"
        elif kind == "close":
            self.state = record["how"]
        elif kind == "undo":
            self.state = "undoing"
        elif kind == "begin":
            self.chapters[record["action"]] = Chapter(record)
        elif chapter:
            chapter.read(record)

    def interrupted(self) -> Optional[str]:
        """The action that was begun and not done, if there is one."""
        if self.state != "unfinished":
            return None
        open_ones = [name for name, chapter in self.chapters.items() if chapter.done is None]
        return open_ones[-1] if open_ones else None

    def open_moves(self, plan: Record) -> List[Record]:
        """The moves of a store that are not done, once a container of it was put to rest.

        A start without them would be one on an empty store, for nothing runs in the old place.
        """
        begun = {name: each for name, each in self.chapters.items() if not each.undo}
        kinds = {each["id"]: each["kind"] for each in plan["actions"]}
        if self.state != "unfinished" or "keep-container" not in map(kinds.get, begun):
            return []
        return [
            each
            for each in plan["actions"]
            if each["kind"] == "move-store" and not (each["id"] in begun and begun[each["id"]].done)
        ]

    def changed_something(self) -> bool:
        """Say whether there is something that an undo would look at."""
        return self.state != "undone" and bool(self.chapters)
