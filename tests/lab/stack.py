"""The live stack of a lab host: started by compose as a person would, and watched from beneath."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

from .host import LabHost

NAMES = ("watchtower", "traefik", "sesam-node", "fluentbit")
COMPOSE = "cd /srv/data && DOCKER_CONFIG=/home/sesam/.docker docker compose"


class Stack:
    """The four services of one host, from its own /srv/data/docker-compose.yml."""

    def __init__(self, host: LabHost) -> None:
        self.host = host

    def start(self, timeout: float = 60) -> None:
        """Pull and start everything, and wait until the node answers through 443."""
        self.host.run("install -d -o sesam -g sesam /sesam/fluentbit/data", timeout=timeout)
        self.host.run(f"{COMPOSE} up --quiet-pull --detach", timeout=timeout)
        self.wait(timeout=timeout)

    def wait(self, status: int = 200, timeout: float = 30) -> None:
        """Wait until the node's API answers so through Traefik."""
        deadline = time.monotonic() + timeout
        while (got := self.api()) != status:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the API answers {got}, not {status}: {self.logs()}")
            time.sleep(0.2)

    def api(self, path: str = "/api/health") -> int:
        """What the node's API answers through 443; 0 where nobody does."""
        name = self.host.node_domain
        command = (
            "curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}'"
        )
        options = f"--resolve {name}:443:{self.host.public_address} https://{name}{path}"
        return int(self.host.run(f"{command} {options}", check=False).stdout or 0)

    def health(self, status: int) -> None:
        """From now on the node's API answers /api/health so: 200, 401, 503."""
        self.host.write("/sesam/node-00/lab-health", f"{status}\n", owner="sesam")

    def inspect(self, service: str) -> dict[str, Any]:
        """The container of a service as the daemon sees it."""
        listed = f"docker ps --all --quiet --filter label=com.docker.compose.service={service}"
        found: list[dict[str, Any]] = json.loads(
            self.host.run(f"docker inspect $({listed})").stdout
        )
        assert len(found) == 1, [each["Name"] for each in found]
        return found[0]

    def logs(self) -> str:
        """The last lines of everything, for a person."""
        return self.host.run(f"{COMPOSE} logs --tail 10; docker ps --all", check=False).stdout

    def replace(self, service: str, tag: str) -> None:
        """Start the service anew from another tag, as an updater would (`.env` stays)."""
        key = {"traefik": "TRAEFIK_DOCKER", "sesam-node": "SESAM_NODE", "fluentbit": "FLUENTBIT"}
        setting = f"{key[service]}_IMAGE_TAG={shlex.quote(tag)}"
        self.host.run(f"export {setting} && {COMPOSE} up --quiet-pull --detach {service}")

    def stop(self) -> None:
        """Take the containers away; what they wrote stays."""
        self.host.run(f"{COMPOSE} down --timeout 2", timeout=90)
