"""Waits until the stack lives: each service steady and healthy, the node answering at 443."""

import http.client
import json
import socket
import ssl
import time
from typing import Any, Dict, Optional, Tuple

from .action import Action, Facts, Note, Stop, UndoResult
from .clock import seconds_since
from .compose import engine
from .engine import Engine, name_of
from .keepsakes import keepsakes
from .lines import last_lines
from .masking import Mask

WINDOW = 60  # seconds without a restart that count as steady
DEADLINE = 900
RESTARTS = 3  # seen while waiting: it will not get well by itself
LONGEST = 300.0  # seconds of one life that a window goes by


class Wait(Action):
    """`after`: project, services in order of dependency, deadline, window; name of the node.

    `private` says where secrets lie that a quoted log must not show (keepsakes).

    Restart counts and compose's own `up --wait` say too early that all is well: a service that
    dies after 15 s looks well for 15 s, so the window is at least twice the longest life that was
    seen to end.
    """

    kind = "wait"

    def look(self) -> Facts:
        """Only whether it lives: the rest moves by itself, and no plan is bound to it."""
        watched = {service: Watched(service) for service in self.want["services"]}
        self._watch(watched)
        trouble = [each.trouble(self._window()) for each in watched.values()]
        return {"lives": not any(trouble) and not self._proof()}

    def _window(self) -> float:
        return float(self.want.get("window") or WINDOW)

    def holds(self, now: Facts) -> bool:
        return bool(now["lives"])

    def same(self, was: Facts, now: Facts) -> bool:
        return True

    def do(self, was: Facts, note: Note) -> None:
        until = time.monotonic() + float(self.want.get("deadline") or DEADLINE)
        watched = {service: Watched(service) for service in self.want["services"]}
        told = ""
        while True:
            self._watch(watched)
            self._check_failed(watched)
            waiting = self._waiting(watched)
            if not waiting:
                return
            if waiting != told:
                told = waiting
                self.host.say("progress", text=waiting)
            if time.monotonic() > until:
                self._late(watched, waiting)
            time.sleep(1)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        self.do(was, note)

    def _watch(self, watched: Dict[str, "Watched"]) -> None:
        daemon = engine(self.host)
        for service, each in watched.items():
            found = daemon.of_project(self.want["project"], service)
            each.see(found[-1] if found else None)

    def _waiting(self, watched: Dict[str, "Watched"]) -> str:
        troubles = [each.trouble(self._window()) for each in watched.values()]
        return "; ".join(filter(None, troubles)) or self._proof()

    def _check_failed(self, watched: Dict[str, "Watched"]) -> None:
        for each in watched.values():
            if each.now and each.restarts >= RESTARTS:
                each.code = _last_code(engine(self.host), each.now["Id"])
            words = each.failed()
            if words:
                self._failed(each, words)

    def _late(self, watched: Dict[str, "Watched"], waiting: str) -> None:
        for each in watched.values():
            if each.trouble(self._window()):
                self._failed(each, "%s, when the time was up" % each.trouble(self._window()))
        node = watched.get("sesam-node") or list(watched.values())[-1]
        self._failed(node, "%s, when the time was up" % waiting)

    def _failed(self, each: "Watched", words: str) -> None:
        if not each.now:
            raise Stop(words, "sudo docker ps --all")
        private = keepsakes(self.host, self.want.get("private") or {})
        mask = Mask([*self.host.secrets.items(), *private])
        lines = last_lines(engine(self.host), each.now, mask)
        name = name_of(each.now)
        raise Stop("%s\n%s" % (words, lines), "sudo docker logs --tail 100 %s" % name)

    def _proof(self) -> str:
        """What is missing before the node answers through 443; "" when it does."""
        name = self.want.get("name")
        if not name:
            return ""
        try:
            status, kind = _asked(name)
        except (OSError, http.client.HTTPException) as error:
            return "443 does not answer for %s: %s" % (name, error)
        if status == 200 or (status in (401, 403) and "json" in kind):
            return ""
        whom = "Traefik" if status in (404, 502, 504) else "the node"
        return "%s answers %d at https://%s/api/health" % (whom, status, name)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        return "undone", ""


class Watched:
    """One service, over the time of waiting."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.now = None  # type: Optional[Dict[str, Any]]
        self.restarts = 0  # while waiting
        self.lived = 0.0  # seconds, the longest life that ended
        self.code = 0  # with which the last life ended
        self._first = ("", 0)
        self._started = ""

    def see(self, container: Optional[Dict[str, Any]]) -> None:
        """Take note of the service's container as it is now."""
        self.now = container
        if container is None:
            return
        state, count = container["State"], int(container.get("RestartCount") or 0)
        if self._first[0] != container["Id"]:
            self._first = (container["Id"], count)
        self.restarts = count - self._first[1]
        if self._started and seconds_since(state["FinishedAt"]):
            life = seconds_since(self._started) - seconds_since(state["FinishedAt"])
            self.lived = max(self.lived, life)
        self._started = str(state["StartedAt"])

    def _up(self) -> float:
        return seconds_since(self.now["State"]["StartedAt"]) if self.now else 0.0

    def trouble(self, window: float) -> str:
        """Why it is not well yet; "" when it is."""
        if self.now is None:
            return "%s has no container" % self.service
        state = self.now["State"]
        if state["Status"] != "running":
            return "%s is %s, exit code %d" % (self.service, state["Status"], state["ExitCode"])
        health = (state.get("Health") or {}).get("Status", "none")
        if health not in ("none", "healthy", ""):
            return "%s is not healthy by its own check (%s)" % (self.service, health)
        if self._up() < max(window, min(2 * self.lived, LONGEST)):
            return "%s has just started" % self.service
        return ""

    def failed(self) -> str:
        """Why it will not get well by itself; "" while it may."""
        if self.now is None:
            return ""
        state = self.now["State"]
        if state.get("OOMKilled"):
            return "%s was killed: it needs more memory than it may have" % self.service
        if self.restarts >= RESTARTS:
            life = "after %d s at the longest" % self.lived if self.lived >= 2 else "at once"
            words = "%s ends again and again, %s, with exit code %d"
            return words % (self.service, life, self.code)
        if state["Status"] in ("exited", "dead") and not _comes_back(self.now):
            return "%s ended with exit code %d" % (self.service, state["ExitCode"])
        return ""


def _last_code(daemon: Engine, identity: str) -> int:
    """With which code a container ended the last time: the Engine forgets it at the next start."""
    filters = {"container": [identity], "event": ["die"]}
    span = {"since": "%d" % (time.time() - 3600), "until": "%d" % time.time()}
    lines = daemon.raw("/events", 1 << 20, filters=filters, **span).splitlines()
    if not lines:
        return 0
    attributes = json.loads(lines[-1].decode("utf-8", "replace"))["Actor"]["Attributes"]
    return int(attributes.get("exitCode") or 0)


def _comes_back(container: Dict[str, Any]) -> bool:
    policy = (container["HostConfig"].get("RestartPolicy") or {}).get("Name", "no")
    return policy in ("always", "unless-stopped")


def _asked(name: str) -> Tuple[int, str]:
    """The status and the kind of what 443 of this machine answers for the node's health."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname = False
    plain.verify_mode = ssl.CERT_NONE  # the certificate is the business of stack.tls
    connection = http.client.HTTPSConnection(name, context=plain)
    with socket.create_connection(("127.0.0.1", 443), timeout=5) as raw:
        connection.sock = plain.wrap_socket(raw, server_hostname=name)
        try:
            connection.request("GET", "/api/health")
            answer = connection.getresponse()
            answer.read(1 << 16)
            return answer.status, answer.getheader("Content-Type") or ""
        finally:
            connection.close()
