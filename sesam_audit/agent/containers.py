"""The containers of a compose project as an action needs them: found by label, never by name."""

import os
import re
import time
from typing import Any, Dict, List, Optional

from .clock import moment
from .engine import PROJECT, SERVICE, Engine, Refused, labels_of, name_of
from .journal import canonical
from .paths import Facts
from .stop import Stop

CONFIG_HASH = "com.docker.compose.config-hash"
VERSION = "com.docker.compose.version"
FILES = "com.docker.compose.project.config_files"
DIRECTORY = "com.docker.compose.project.working_dir"
NODE = "sesam-node"
NEVER = "0001-01-01T00:00:00Z"
KILLED = 137
ROOM = "sesam-audit.room"  # the label of what an audit lets listen on 80 and 443
GRACE = 60  # seconds to end in, where the container does not say
NODE_GRACE = 600  # a node that is killed may leave its store torn
_LEFTOVER = re.compile(r"[0-9a-f]{12}_")
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


def facts(container: Dict[str, Any]) -> Facts:
    """What a plan is bound to."""
    return {
        "id": container["Id"],
        "service": labels_of(container).get(SERVICE, ""),
        "hash": labels_of(container).get(CONFIG_HASH, ""),
        "running": runs(container),
    }


def runs(container: Dict[str, Any]) -> bool:
    """Say whether it was started and is not at rest; between two restarts it is not."""
    return container["State"]["Status"] in ("running", "restarting")


def leftover(container: Dict[str, Any]) -> bool:
    """Say whether an interrupted recreation left it: renamed, and never started."""
    named = _LEFTOVER.match(name_of(container))
    return bool(named) and container["State"].get("StartedAt", NEVER) == NEVER


def remove_leftovers(engine: Engine, project: str) -> None:
    """Remove what keeps compose from making a container again."""
    for each in engine.of_project(project):
        if leftover(each):
            engine.delete("/containers/%s" % each["Id"], v="0")


def await_rooms(engine: Engine, patience: float = 10.0) -> None:
    """Wait, for some seconds, until the room of an audit that has just ended is gone."""
    end = time.monotonic() + patience
    while time.monotonic() < end and engine.get(
        "/containers/json", all="1", filters={"label": [ROOM]}
    ):
        time.sleep(0.1)


def is_node(container: Dict[str, Any]) -> bool:
    """Say whether the store is this container's."""
    repository = str(container["Config"].get("Image", "")).partition("@")[0]
    name = repository.rpartition("/")[2].partition(":")[0]
    return name == NODE or labels_of(container).get(SERVICE) == NODE


def grace_of(container: Dict[str, Any]) -> int:
    """How long a container may take to end."""
    configured = int(container["Config"].get("StopTimeout") or 0)
    return max(configured, NODE_GRACE) if is_node(container) else configured or GRACE


def check_project(engine: Engine, project: str, directory: str) -> None:
    """Refuse a project of the same name that is not this one: compose would take it over."""
    for each in engine.of_project(project):
        labels = labels_of(each)
        if labels.get(VERSION, "").startswith("1."):
            raise Stop(
                "%s belongs to a stack that compose v1 started under the same name, %s"
                % (name_of(each), project),
                "Migrate it: it would be replaced, its data left behind.",
            )
        files = (path for path in labels.get(FILES, "").split(",") if path.startswith("/"))
        theirs = [labels[DIRECTORY]] if labels.get(DIRECTORY) else list(map(os.path.dirname, files))
        if theirs and os.path.realpath(directory) not in map(os.path.realpath, theirs):
            raise Stop(
                "%s belongs to another stack that is called %s as well, of %s"
                % (name_of(each), project, theirs[0]),
                "Migrate it: it would be replaced.",
            )


def check_names(engine: Engine, model: Dict[str, Any], project: str, services: List[str]) -> None:
    """Refuse where somebody else's container has a name that the stack needs."""
    for service in services:
        name = model["services"][service].get("container_name")
        found = engine.found("/containers/%s/json" % name) if name else None
        if found and labels_of(found).get(PROJECT) != project:
            raise Stop(
                "there is a container %s already, and it is not of this stack" % name,
                "Look at it: sudo docker inspect %s" % name,
            )


def ended(engine: Engine, container: Dict[str, Any], grace: Optional[int] = None) -> str:
    """Stop a container; words when it did not end by itself in time."""
    identity = container["Id"]
    engine.stop(identity, grace or grace_of(container))
    found = engine.found("/containers/%s/json" % identity)
    if found and found["State"]["ExitCode"] == KILLED and runs(container):
        return "%s did not end in time and was killed" % name_of(container)
    return ""


def removed(engine: Engine, identity: str) -> None:
    """Remove a stopped container by id; its volumes stay."""
    try:
        engine.delete("/containers/%s" % identity, v="0")
    except Refused as refused:
        if refused.status != 404:
            raise


def anonymous(container: Dict[str, Any]) -> List[str]:
    """The places whose data nobody finds again once the container is gone."""
    return [
        mount["Destination"]
        for mount in container.get("Mounts") or ()
        if mount.get("Type") == "volume" and _ANONYMOUS.fullmatch(mount.get("Name", ""))
    ]


def outrun(container: Dict[str, Any], paths: List[str]) -> List[str]:
    """The files that were put there since the container started, which read them only then."""
    started = moment(container["State"].get("StartedAt", NEVER))
    found = []
    for path in paths if container["State"].get("Pid") else ():
        try:
            changed = os.stat(path).st_ctime
        except OSError:
            continue
        if changed > started:
            found.append(path)
    return sorted(found)


def kept_whole(container: Dict[str, Any]) -> bytes:
    """All that the Engine knows of it, but the values of its environment."""
    names = [each.partition("=")[0] for each in container["Config"]["Env"] or ()]
    return canonical(dict(container, Config=dict(container["Config"], Env=names)))


def stale(container: Dict[str, Any]) -> List[str]:
    """The bind sources that were replaced while the container runs: it still has the old ones."""
    pid = container["State"].get("Pid")
    if not pid:
        return []
    found = []
    for mount in container.get("Mounts") or ():
        if mount.get("Type") != "bind":
            continue
        inside = "/proc/%d/root/%s" % (pid, mount["Destination"].lstrip("/"))
        try:
            outside, within = os.stat(mount["Source"]), os.stat(inside)
        except OSError:
            continue
        if (outside.st_dev, outside.st_ino) != (within.st_dev, within.st_ino):
            found.append(mount["Source"])
    return sorted(found)
