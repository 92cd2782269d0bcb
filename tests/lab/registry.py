"""The lab's Docker Hub behind the front of nginx: a real registry with the stack's images."""

from __future__ import annotations

import http.client
import socket
import time
from pathlib import Path

from . import images
from .processes import Processes

CHANNELS = ("weekly-prod", "weekly", "nightly", "latest")
CONFIG = """\
version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {directory}/registry}}
http:
  net: unix
  addr: {directory}/registry.sock
"""


class Registry:
    """Keeps images; who may read them is for the front to say (`services.py`)."""

    def __init__(self, directory: Path, processes: Processes) -> None:
        self._socket = directory / "registry.sock"
        self._directory = directory
        self._processes = processes

    def start(self) -> None:
        """Start it and give it every image of the stack."""
        (self._directory / "registry").mkdir()
        config = self._directory / "registry.yml"
        config.write_text(CONFIG.format(directory=self._directory))
        command = ("docker-registry", "serve", str(config))
        self._processes.start(command, self._directory / "registry.log")
        self._wait()
        for repository in images.SETTINGS:
            channels = CHANNELS if repository == "sesam/sesam-node" else ("latest",)
            self.offer(repository, *channels)

    def offer(
        self,
        repository: str,
        *tags: str,
        behaviour: str = "",
        release: str = "1",
        program: Path | None = None,
    ) -> str:
        """Let these tags name an image that behaves so (`images.image`); return its digest."""
        image = images.image(repository, behaviour, release, program)
        for blob in (image.config, *(path.read_bytes() for path in image.layers)):
            self._upload(repository, blob)
        for tag in tags:
            kind = {"Content-Type": images.MANIFEST}
            path = f"/v2/{repository}/manifests/{tag}"
            self._ask("PUT", path, image.manifest, kind, wanted=201)
        return images.digest(image.manifest)

    def _upload(self, repository: str, blob: bytes) -> None:
        name = images.digest(blob)
        if self._ask("HEAD", f"/v2/{repository}/blobs/{name}")[0] == 200:
            return
        uploads = f"/v2/{repository}/blobs/uploads/"
        location = self._ask("POST", uploads, wanted=202)[1]["Location"]
        path = f"{location[location.index('/v2/') :]}&digest={name}"
        kind = {"Content-Type": "application/octet-stream"}
        self._ask("PUT", path, blob, kind, wanted=201)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        wanted: int = 0,
    ) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection("registry")
        with socket.socket(socket.AF_UNIX) as connection.sock:
            connection.sock.settimeout(20)
            connection.sock.connect(str(self._socket))
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            told = answer.read()
            if wanted and answer.status != wanted:
                raise RuntimeError(f"registry: {method} {path}: {answer.status} {told[:500]!r}")
            return answer.status, dict(answer.getheaders())

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                self._ask("GET", "/v2/", wanted=200)
            except (OSError, RuntimeError):
                time.sleep(0.02)
            else:
                return
        raise RuntimeError((self._directory / "registry.log").read_text())
