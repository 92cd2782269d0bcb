"""The compose plugin, for what it alone knows: rendering, hashes and the start of a project."""

import json
import os
import re
import stat
from typing import Any, Dict, List, Optional, Sequence

from .children import Done
from .engine import SOCKET, Engine
from .host import Host
from .stop import Stop

NOWHERE = "/proc/sesam-audit/docker"  # nobody can make it: no plugin, helper or context in it
_UNSET = re.compile(r'The \\?"(\w+)\\?" variable is not set')
_WARNING = re.compile(r"level=(?:warning|error|fatal) msg=(\"(?:[^\"\\]|\\.)*\"|\S+)")
_HASH = re.compile(r"^(\S+) ([0-9a-f]{64})$", re.MULTILINE)

Spec = Dict[str, Any]


class Compose:
    """One project as a plan names it: project, directory, files, env_file."""

    def __init__(self, want: Spec, host: Host) -> None:
        self.want = want
        self.host = host

    def run(self, *words: str, seconds: float = 60, **more: Any) -> Done:
        """Run the plugin with nothing from a shell, a home or a context."""
        command = ["docker", "compose", "--ansi", "never", "-p", self.want["project"]]
        for path in self.want["files"]:
            command += ["-f", self.host.real(path)]
        command += ["--project-directory", self.host.real(self.want["directory"])]
        command += ["--env-file", self.host.real(self.want["env_file"])]
        environment = {
            "DOCKER_CONFIG": NOWHERE,
            "DOCKER_HOST": "unix://%s" % self.host.real(SOCKET),
            "COMPOSE_IGNORE_ORPHANS": "true",
        }
        return self.host.child([*command, *words], seconds=seconds, environment=environment, **more)

    def there(self) -> bool:
        """Say whether the project's files are all there."""
        paths = [*self.want["files"], self.want["env_file"]]
        return all(self.host.paths.facts(path)["type"] == "file" for path in paths)

    def hashes(self) -> Dict[str, str]:
        """What compose would write on each service's container; {} without the files."""
        if not self.there():
            return {}
        done = self.run("config", "--hash", "*")
        return dict(_HASH.findall(done.out.decode("utf-8", "replace"))) if not done.code else {}

    def model(self) -> Dict[str, Any]:
        """The rendered project; a value that is missing is an error, compose only warns of it."""
        done = self.run("config", "--format", "json", cap=8 << 20)
        said = done.errors.decode("utf-8", "replace")
        unset = sorted(set(_UNSET.findall(said)))
        if unset:
            raise Stop(
                "compose finds no value for %s" % ", ".join(unset),
                "sudoedit %s" % self.want["env_file"],
            )
        warnings = [each.strip('"') for each in _WARNING.findall(said) if "obsolete" not in each]
        if done.code != 0 or warnings:
            words = "; ".join(warnings) or done.words()
            raise Stop("compose does not take the stack's files: %s" % words, self._shown())
        document = json.loads(done.out.decode())
        missing = [each for each in self.services() if each not in document["services"]]
        if missing:
            raise Stop("the stack's files name no service %s" % ", ".join(missing), self._shown())
        return document  # type: ignore[no-any-return]

    def services(self) -> List[str]:
        """The services that the plan names."""
        return list(self.want.get("services") or [self.want["service"]])

    def up(self, *services: str) -> None:
        """Start what does not run. It builds, pulls, replaces and removes nothing."""
        done = self.run(
            *("up", "-d", "--no-recreate", "--no-build", "--pull", "never", "--no-deps"),
            *services,
            seconds=300,
            hear=self._hear,
        )
        if done.code != 0:
            raise Stop("compose did not start the stack: %s" % _reason(done), self._shown())

    def _hear(self, said: bytes) -> None:
        for line in said.decode("utf-8", "replace").splitlines():
            if line.strip():
                self.host.say("progress", text=" ".join(line.split())[:200])

    def _shown(self) -> str:
        return "cd %s && sudo docker compose config" % self.want["directory"]


def _reason(done: Done) -> str:
    said = (done.errors or done.out).decode("utf-8", "replace")
    told = [line for line in said.splitlines() if "rror" in line or "level=" in line]
    return " ".join(told[-1].split())[:500] if told else done.words()


def check_sources(model: Dict[str, Any], services: Sequence[str], host: Host) -> None:
    """Every bind source is there, and the daemon sees that very object.

    Docker would make what is missing as an empty directory, and start the node on it.
    """
    daemon = _daemon(host)
    for service in services:
        for mount in model["services"][service].get("volumes") or ():
            if mount.get("type") == "bind":
                _check_source(service, mount, daemon)


def _check_source(service: str, mount: Dict[str, Any], daemon: Optional[int]) -> None:
    source = str(mount["source"])
    try:
        ours = os.stat(source)
    except OSError as error:
        raise Stop(
            "%s, which %s needs, cannot be used: %s" % (source, service, error.strerror),
            "ls -ld %s" % source,
        ) from error
    of_a_file = str(mount["target"]).endswith((".json", ".yml", ".yaml", ".toml"))
    if of_a_file and not stat.S_ISREG(ours.st_mode):
        raise Stop(
            "%s is a directory, %s needs a file there" % (source, service),
            "Remove it while it is empty: sudo rmdir %s" % source,
        )
    if daemon is None:
        return
    try:
        theirs = os.stat("/proc/%d/root/%s" % (daemon, os.path.realpath(source).lstrip("/")))
    except OSError:
        theirs = None
    if theirs is None or (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino):
        raise Stop(
            "Docker sees something else at %s: it was started before that was mounted, or has"
            " mounts of its own" % source,
            "sudo systemctl restart docker",
        )


def _daemon(host: Host) -> Optional[int]:
    """The process that mounts for containers: the daemon, by its pid file."""
    for path in ("/var/run/docker.pid", "/run/docker.pid"):
        try:
            with open(host.real(path)) as file:
                pid = int(file.read())
            os.stat("/proc/%d/root/" % pid)
        except (OSError, ValueError):
            continue
        return pid
    return None


def engine(host: Host) -> Engine:
    """The daemon of the machine."""
    return Engine(host.real(SOCKET))
