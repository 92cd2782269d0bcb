"""The Docker Engine, asked through its own socket: no client program, no context, no proxy."""

import contextlib
import http.client
import json
import socket
from typing import Any, Dict, Iterator, List, Optional
from urllib.parse import quote, urlencode

from .stop import Stop

SOCKET = "/var/run/docker.sock"
PATIENCE = 60.0  # seconds for an answer
LINE = 1 << 20  # bytes of one line of progress, at most
ANSWER = 64 << 20  # bytes of one answer, at most
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


class Refused(Stop):
    """The Engine answered, but not with what was asked: its status and its words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__("Docker refuses: %s" % words, "sudo journalctl -u docker -n 50")
        self.status = status
        self.said = words


class Engine:
    """One machine's Docker daemon."""

    def __init__(self, path: str = SOCKET) -> None:
        self.path = path

    def get(self, path: str, **query: Any) -> Any:
        """An object by GET; a value of the query that is no text goes as JSON."""
        return self._json("GET", path, query)

    def post(self, path: str, body: Any = None, seconds: float = PATIENCE, **query: Any) -> Any:
        """Ask for a change; None when the Engine has nothing to say."""
        return self._json("POST", path, query, body, seconds)

    def delete(self, path: str, **query: Any) -> None:
        """Ask for a removal."""
        self._json("DELETE", path, query)

    def found(self, path: str) -> Any:
        """An object, or None where there is none."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def lines(
        self, path: str, headers: Dict[str, str], silence: float, **query: Any
    ) -> Iterator[Dict[str, Any]]:
        """What a long-running POST tells, one JSON document a line; OSError after `silence` s."""
        connection = self._connection(silence)
        try:
            answer = _asked(connection, "POST", path, query, None, headers)
            while True:
                line = answer.readline(LINE)
                if not line:
                    return
                if line.strip():
                    yield json.loads(line.decode("utf-8", "replace"))
        finally:
            connection.close()

    def raw(self, path: str, most: int, **query: Any) -> bytes:
        """The first bytes of an answer by GET."""
        connection = self._connection(PATIENCE)
        try:
            return _asked(connection, "GET", path, query, None, {}).read(most)
        finally:
            connection.close()

    def containers(self, **labels: str) -> List[Dict[str, Any]]:
        """All containers, also stopped ones, or those with these labels; whole, by creation."""
        wanted = ["%s=%s" % pair for pair in sorted(labels.items())]
        listed = self.get("/containers/json", all="1", filters={"label": wanted})
        found = (self.found("/containers/%s/json" % each["Id"]) for each in listed)
        return sorted((each for each in found if each), key=lambda each: str(each["Created"]))

    def of_project(self, project: str, service: Optional[str] = None) -> List[Dict[str, Any]]:
        """A compose project's containers, those of one-off commands apart."""
        labels = {PROJECT: project, "com.docker.compose.oneoff": "False"}
        if service:
            labels[SERVICE] = service
        return self.containers(**labels)

    def stop(self, identity: str, grace: int) -> None:
        """Stop a container, by force after `grace` seconds; one that does not run stays so."""
        self.post("/containers/%s/stop" % identity, seconds=grace + PATIENCE, t=grace)

    def _json(
        self, method: str, path: str, query: Any, body: Any = None, seconds: float = PATIENCE
    ) -> Any:
        connection = self._connection(seconds)
        try:
            content = _asked(connection, method, path, query, body, {}).read(ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise Stop(
                "the Docker daemon did not answer: %s" % error, "sudo systemctl status docker"
            ) from error
        finally:
            connection.close()
        return json.loads(content.decode("utf-8", "replace")) if content.strip() else None

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("docker", timeout=seconds)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(seconds)
        try:
            connection.sock.connect(self.path)
        except OSError as error:
            connection.close()
            raise Stop(
                "the Docker daemon does not answer on %s: %s" % (self.path, error.strerror),
                "sudo systemctl status docker",
            ) from error
        return connection


def name_of(container: Dict[str, Any]) -> str:
    """A container's name, as people type it."""
    return str(container.get("Name", "")).lstrip("/")


def labels_of(container: Dict[str, Any]) -> Dict[str, str]:
    """A container's labels."""
    return container.get("Config", {}).get("Labels") or {}


def named(identity: str) -> str:
    """An id or a name as a part of a path."""
    return quote(identity, safe="")


def _asked(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    query: Dict[str, Any],
    body: Any,
    headers: Dict[str, str],
) -> http.client.HTTPResponse:
    asked = {
        key: each if isinstance(each, str) else json.dumps(each) for key, each in query.items()
    }
    content = None if body is None else json.dumps(body)
    kinds = dict(headers, **({} if body is None else {"Content-Type": "application/json"}))
    connection.request(method, path + ("?" + urlencode(asked) if asked else ""), content, kinds)
    answer = connection.getresponse()
    if answer.status < 400:
        return answer
    text = answer.read(LINE).decode("utf-8", "replace")
    with contextlib.suppress(ValueError, LookupError, TypeError):
        text = json.loads(text)["message"]
    raise Refused(answer.status, str(text).strip())
