"""The stack's start: what is missing is made and what is stopped is started, nothing else."""

from typing import Any, Dict, List, Optional

from . import containers
from .action import Action, Facts, Note, Stop, UndoResult
from .compose import Compose, check_sources, engine
from .engine import PROJECT, Engine, Refused, name_of
from .places import holds_other_data, inside_of, store_in, store_of


class Up(Action):
    """`after`: project, directory, files, env_file, services."""

    kind = "up"

    def look(self) -> Facts:
        daemon = self._engine()
        containers.check_project(daemon, self.want["project"], self._directory())
        found = daemon.of_project(self.want["project"])
        return {
            "containers": [containers.facts(each) for each in found],
            "networks": self._networks(daemon),
        }

    def _engine(self) -> Engine:
        return engine(self.host)

    def _directory(self) -> str:
        return self.host.real(self.want["directory"])

    def _networks(self, daemon: Engine) -> List[str]:
        wanted = "%s=%s" % (PROJECT, self.want["project"])
        return sorted(each["Id"] for each in daemon.get("/networks", filters={"label": [wanted]}))

    def holds(self, now: Facts) -> bool:
        return all(
            [each["running"] for each in now["containers"] if each["service"] == service] == [True]
            for service in self.want["services"]
        )

    def same(self, was: Facts, now: Facts) -> bool:
        """Whatever runs at the moment: the containers are those of the plan, with their hashes."""
        return bool(_bound(was) == _bound(now))

    def do(self, was: Facts, note: Note) -> None:
        daemon, compose = self._engine(), Compose(self.want, self.host)
        services = list(self.want["services"])
        containers.check_project(daemon, self.want["project"], self._directory())
        model = compose.model()
        containers.check_names(daemon, model, self.want["project"], services)
        containers.remove_leftovers(daemon, self.want["project"])
        check_sources(model, services, self.host)
        containers.await_rooms(daemon)
        compose.up(*services)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        """What an interrupted start made is started, what it left half made is made again."""
        if not self.holds(self.look()):
            self.do(was, note)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        """Stop and remove the very containers that this run made; data and volumes stay."""
        daemon = self._engine()
        before = {each["id"]: each for each in begun["before"]["containers"]}
        ours = {each["id"] for each in done["after"]["containers"]} if done else None
        told = []
        for each in reversed(daemon.of_project(self.want["project"])):
            if each["Id"] in before:
                if containers.runs(each) and not before[each["Id"]]["running"]:
                    told.append(containers.ended(daemon, each))
            elif ours is None or each["Id"] in ours:
                told.append(containers.ended(daemon, each))
                containers.removed(daemon, each["Id"])
            else:
                told.append("%s was made by somebody else since and stays" % name_of(each))
        left = [words for words in told if "stays" in words]
        self._remove_networks(daemon, set(begun["before"]["networks"]))
        words = "; ".join(filter(None, [*told, "what the services wrote stays, their volumes too"]))
        return ("left" if left else "undone"), words

    def _remove_networks(self, daemon: Engine, before: Any) -> None:
        for identity in set(self._networks(daemon)) - before:
            try:
                daemon.delete("/networks/%s" % identity)
            except Refused:  # somebody uses it
                continue


class Recreate(Action):
    """One service made anew from changed files. `after`: as for Up, with one service, and store.

    A node's store stays where it is, so the new container has to find it there: one that lies in
    the container itself, or in another place than `store`, is no longer its own afterwards.
    """

    kind = "recreate"

    def look(self) -> Facts:
        self._check_project()
        for each in self._found():
            self._check_store(each, self.want.get("store"))
        return self._seen()

    def _check_project(self) -> None:
        directory = self.host.real(self.want["directory"])
        containers.check_project(engine(self.host), self.want["project"], directory)

    def _seen(self) -> Facts:
        found = self._found()
        known = Compose(self.want, self.host).hashes().get(self.want["service"], "")
        return {"containers": [containers.facts(each) for each in found], "hash": known}

    def _found(self) -> List[Dict[str, Any]]:
        return engine(self.host).of_project(self.want["project"], self.want["service"])

    def holds(self, now: Facts) -> bool:
        """Without a container there is nothing to replace; without files nothing to compare."""
        found = now["containers"]
        return not found or not now["hash"] or [e["hash"] for e in found] == [now["hash"]]

    def same(self, was: Facts, now: Facts) -> bool:
        """The files may change before: that is what this follows."""
        return bool(_bound(was) == _bound(now))

    def do(self, was: Facts, note: Note) -> None:
        daemon, compose = engine(self.host), Compose(self.want, self.host)
        service = self.want["service"]
        self._check_project()
        model = compose.model()
        containers.remove_leftovers(daemon, self.want["project"])
        check_sources(model, [service], self.host)
        for each in self._found():
            self._check_store(each, store_in(model["services"][service], inside_of(each)))
            self._remove(daemon, each)
        compose.up(service)

    def _check_store(self, container: Dict[str, Any], wanted: Optional[str]) -> None:
        if not containers.is_node(container):
            return
        name, place = name_of(container), store_of(container)
        if not place:
            raise Stop(
                "%s keeps its data in no mount, but in the container itself; they would be lost"
                % name,
                "Copy them out first: sudo docker cp %s:/sesam/data /srv/" % name,
            )
        if wanted is not None and holds_other_data(self.host.real(place), self.host.real(wanted)):
            raise Stop(
                "%s keeps its data in %s, and made anew it would find none in %s"
                % (name, place, wanted or "the container itself"),
                "Say which one is the store. With the stack stopped and a backup made, move it to"
                " its place, or leave the stack's file as it was.",
            )

    def _remove(self, daemon: Engine, container: Dict[str, Any]) -> None:
        places = containers.anonymous(container)
        if places:
            self._keep_volumes(container, places)
        self.host.keep("container-%s.json" % container["Id"][:12], containers.kept_whole(container))
        if containers.runs(container):
            grace = containers.grace_of(container)
            said = "stopping %s, for at most %d s" % (name_of(container), grace)
            self.host.say("progress", text=said)
        words = containers.ended(daemon, container)
        if words and containers.is_node(container):
            raise Stop(
                "%s; its store is as after a power cut" % words,
                "Make sure of your backup, then run the same command again.",
            )
        if words:
            self.host.say("progress", text=words)
        containers.removed(daemon, container["Id"])

    def _keep_volumes(self, container: Dict[str, Any], places: List[str]) -> None:
        raise Stop(
            "%s keeps data in an unnamed volume at %s; it would be lost from sight"
            % (name_of(container), ", ".join(places)),
            "Copy it away first: sudo docker cp %s:%s ." % (name_of(container), places[0]),
        )

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        """The old one may be gone and the new one not there yet."""
        now = self._seen()
        if not now["containers"] or not self.holds(now):
            self.do(was, note)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        if self.same(begun["before"], self._seen()):
            return "undone", ""
        service, at = self.want["service"], self.want["directory"]
        words = (
            "%s runs as it was made anew; with the old files: cd %s && sudo docker compose up -d %s"
        )
        return "cannot", words % (service, at, service)


class Restart(Action):
    """A container that still has files which were replaced.

    `after`: container, its name; files, which it reads at its start alone, whatever is mounted.
    """

    kind = "restart"

    def look(self) -> Facts:
        found = self._found()
        if not found:
            return {"id": None, "stale": []}
        files = [self.host.real(path) for path in self.want.get("files", ())]
        stale = containers.stale(found) + containers.outrun(found, files)
        return {"id": found["Id"], "stale": sorted(set(stale))}

    def _found(self) -> Any:
        return engine(self.host).found("/containers/%s/json" % self.want["container"])

    def holds(self, now: Facts) -> bool:
        return not now["stale"]

    def same(self, was: Facts, now: Facts) -> bool:
        return bool(was["id"] == now["id"])

    def do(self, was: Facts, note: Note) -> None:
        found = self._found()
        grace = containers.grace_of(found)
        path = "/containers/%s/restart" % found["Id"]
        engine(self.host).post(path, seconds=grace + 60, t=grace)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        """Restarting once more harms nothing."""
        if not self.holds(self.look()):
            self.do(was, note)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        """Files that were put back reach it as the new ones did; undo leaves this to its end."""
        if self.holds(self.look()):
            return "undone", "a restart leaves nothing to take back"
        self.do(begun["before"], note)
        return "undone", "it was started anew, with the files as they were"


def _bound(facts: Facts) -> Any:
    return [(each["id"], each["hash"]) for each in facts["containers"]]
