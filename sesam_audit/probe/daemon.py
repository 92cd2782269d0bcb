"""Requests to the Docker daemon of this machine."""

import json
import socket
import time

from .faults import Stopped
from .streams import exchange, remaining

MOST = 8 << 20


def daemon(method, path, until, body=b"", kind="application/json"):
    """One request to the Docker daemon of this machine, whatever DOCKER_HOST says."""
    headers = {"Host": "docker", "Content-Type": kind, "Content-Length": len(body)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(remaining(until))
        link.connect("/var/run/docker.sock")
        response = exchange(link, "%s %s HTTP/1.1" % (method, path), headers, until, body)
        return response, response.read(MOST + 1)


def docker(method, path, body=None, data=b"", seconds=15):
    kind = "application/x-tar" if data else "application/json"
    data = data if body is None else json.dumps(body).encode()
    response, told = daemon(method, path, time.monotonic() + seconds, data, kind)
    found = json.loads(str(told, "utf-8").strip().rpartition("\n")[2] or "{}")
    if response.status >= 300:
        message = found.get("message", "") if isinstance(found, dict) else ""
        raise Stopped(detail="Docker: " + str(message)[:300], status=response.status)
    return found
