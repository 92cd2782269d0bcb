"""An old container is put to rest, not removed: its restarts end first, then it, then its name."""

import os
from typing import Any, Dict, List, Optional

from . import containers
from .action import Action, Facts, Note, Stop, UndoResult
from .compose import engine
from .engine import Refused, name_of
from .names import KEPT


class KeepContainer(Action):
    """`after`: id, name, grace in seconds.

    A stopped container whose policy is `always` comes back with the daemon, so the policy is
    changed before it is stopped. It starts as it was by its old name on its old paths.
    """

    kind = "keep-container"

    def look(self) -> Facts:
        found = self._found()
        if not found:
            return {"id": None}
        if self.host.run is None and found["HostConfig"].get("AutoRemove"):
            raise _gone(name_of(found))
        return {
            "id": found["Id"],
            "name": name_of(found),
            "policy": found["HostConfig"]["RestartPolicy"] or {"Name": "no"},
            "running": containers.runs(found),
            "removes_itself": bool(found["HostConfig"].get("AutoRemove")),
        }

    def _found(self) -> Any:
        return engine(self.host).found("/containers/%s/json" % self.want["id"])

    def holds(self, now: Facts) -> bool:
        return now["id"] is None or (_rests(now) and now["name"].startswith(KEPT))

    def same(self, was: Facts, now: Facts) -> bool:
        """Whether it runs at the moment is no part of the plan."""
        bound = ("id", "name", "policy", "removes_itself")
        return [was.get(key) for key in bound] == [now.get(key) for key in bound]

    def do(self, was: Facts, note: Note) -> None:
        if was["removes_itself"]:
            raise _gone(was["name"])
        self._save()
        note(kept=self._kept_name(was["name"]))
        self._rest(was["name"])

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        now = self.look()
        if not self.holds(now):
            if now["name"] not in (was["name"], notes.get("kept")):
                raise Stop("%s is called %s now" % (was["name"], now["name"]), "", "changed")
            if "kept" in notes:
                self._rest(was["name"])
            else:
                self.do(was, note)

    def _save(self) -> None:
        found = self._found()
        self.host.keep("container-%s.json" % found["Id"][:12], containers.kept_whole(found))

    def _kept_name(self, name: str) -> str:
        wanted, daemon = KEPT + name, engine(self.host)
        taken = daemon.found("/containers/%s/json" % wanted)
        return wanted if not taken else "%s-%s" % (wanted, self.want["id"][:12])

    def _rest(self, name: str) -> None:
        daemon, path = engine(self.host), "/containers/%s" % self.want["id"]
        daemon.post(path + "/update", {"RestartPolicy": {"Name": "no"}})
        found = self._found()
        if containers.runs(found):
            grace = int(self.want.get("grace") or containers.NODE_GRACE)
            self.host.say("progress", text="stopping %s, for at most %d s" % (name, grace))
            words = containers.ended(daemon, found, grace)
            if words:
                raise Stop(
                    "%s; its store is as after a power cut" % words,
                    "Make sure of your backup, then run the same command again.",
                )
        if name_of(self._found()) == name:
            daemon.post(path + "/rename", name=self._kept_name(name))

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        was, now = begun["before"], self.look()
        if now["id"] is None:
            return "cannot", "the container was removed since"
        daemon, path = engine(self.host), "/containers/%s" % self.want["id"]
        gone = [each for each in self._sources() if not os.path.exists(self.host.real(each))]
        if gone:  # started now, Docker would make the place anew, empty
            return "left", "what it kept is no longer at %s; it is not started" % gone[0]
        try:
            if now["name"] != was["name"]:
                daemon.post(path + "/rename", name=was["name"])
            daemon.post(path + "/update", {"RestartPolicy": _policy(was["policy"])})
            if was["running"]:
                daemon.post(path + "/start")
        except Refused as refused:
            return "left", refused.said
        return "undone", "it runs again" if was["running"] else ""

    def _sources(self) -> List[str]:
        """Where the container's data lie on this machine."""
        return [str(each["Source"]) for each in self._found().get("Mounts") or () if each["Source"]]

    def keeps(self, begun: Facts, done: Optional[Facts]) -> str:
        """What a finish would remove."""
        now = self.look()
        if now["id"] is None or not now["name"].startswith(KEPT):
            return ""
        return "the old container %s" % now["name"]

    def finish(self, begun: Facts, done: Optional[Facts], note: Note) -> str:
        """Remove the container; its volumes stay, the unnamed ones too."""
        now = self.look()
        if not _rests(now):
            raise Stop("%s runs, it is not removed" % now["name"], "", "changed")
        places = containers.anonymous(self._found())
        containers.removed(engine(self.host), now["id"])
        stay = "; what it kept in unnamed volumes stays: docker volume ls" if places else ""
        return "removed %s%s" % (now["name"], stay)


def _gone(name: str) -> Stop:
    return Stop(
        "%s was started with --rm: stopped, it is gone at once, its unnamed volumes too" % name,
        "Copy what it keeps, then stop it: sudo docker stop %s" % name,
    )


def _rests(now: Facts) -> bool:
    return not now["running"] and now["policy"].get("Name") in ("no", "")


def _policy(kept: Dict[str, Any]) -> Dict[str, Any]:
    known = {"Name": kept.get("Name") or "no"}  # type: Dict[str, Any]
    if known["Name"] == "on-failure":
        known["MaximumRetryCount"] = kept.get("MaximumRetryCount", 0)
    return known
