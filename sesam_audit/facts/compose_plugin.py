"""Docker's compose plugin: for whom it is there, and what stands in its place."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import (
    ComposeVersion,
    DockerConfig,
    Run,
    RunAnswer,
    Self,
    Stat,
    StatAnswer,
    Steps,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.engine import DAEMONS
from sesam_audit.facts.versions import major
from sesam_audit.profile import Profile

SHARED = (  # docker/cli, cli-plugins/manager: where every user's docker looks
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
_PLUGIN = ("docker", "compose", "version", "--short")
_NUMBER = re.compile(r"^v?(\d+\.\d+\S*)$", re.MULTILINE)


class Plugin(Struct, frozen=True):
    """What `docker compose version` said to one user: a version, or words."""

    user: str
    version: str = ""
    words: str = ""

    @property
    def podman(self) -> bool:
        return "podman" in self.words.lower()


class ComposePlugin(Struct, frozen=True):
    """The plugin for the user who asked and, behind sudo, for the one who logged in."""

    plugins: tuple[Plugin, ...]
    shared: str = ""  # the plugin's file in a directory of all users
    standalone: str = ""  # version of the program docker-compose
    docker: bool = True  # there is a docker command
    installed: bool = True  # there is a Docker daemon's program
    context: str = ""  # of root's docker, when it is not the default one

    @property
    def shortcoming(self) -> str:
        """Why `docker compose` does not serve every user, "" where it does."""
        if not self.docker:
            return "there is no docker command"
        having = [plugin.user for plugin in self.plugins if plugin.version]
        if having and not self.shared:
            return f"only {' and '.join(having)} has the compose plugin, in a home directory"
        return next(filter(None, map(self._missing, self.plugins)), "")

    def _missing(self, plugin: Plugin) -> str:
        if plugin.version:
            old = major(plugin.version) < 2
            return f"version {plugin.version}; required: 2 or newer" if old else ""
        if plugin.podman:
            words = plugin.words.splitlines()[0]
            return f"podman's stand-in for docker answers {plugin.user}: {words}"
        if self.standalone:
            first = " (compose v1)" if major(self.standalone) == 1 else ""
            return (
                f"docker-compose {self.standalone} is there as a program of its own{first}"
                ", but Docker has no compose plugin"
            )
        return f"{plugin.user} has no compose plugin"

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ComposePlugin]:
        """Try the command, look where all users' plugins lie, and look for compose v1."""
        me, mine, files, daemons, alone, context = yield from gather(
            Self(),
            ComposeVersion(),
            every(Stat(f"{place}/docker-compose") for place in SHARED),
            every(map(Stat, DAEMONS)),
            attempt(Run(("docker-compose", "version", "--short"))),
            attempt(DockerConfig("/root/.docker/config.json")),
        )
        plugins = [_plugin(me.user, mine)]
        shared = _first(files)
        if me.uid == 0 and me.login not in ("", me.user) and not shared:
            other = yield from attempt(Run(_PLUGIN, user=me.login))
            if not isinstance(other, Unknown) and not other.error:
                plugins.append(_plugin(me.login, other))
        return cls(
            tuple(plugins),
            shared=shared,
            standalone="" if isinstance(alone, Unknown) else _version(alone),
            docker=not mine.missing,
            installed=not all(each.missing for each in daemons),
            context="" if isinstance(context, Unknown) else context.context,
        )


def _plugin(user: str, answer: RunAnswer) -> Plugin:
    if answer.error and not answer.missing:
        raise Unknown(f"docker compose was not tried: {answer.error}", "docker compose version")
    words = (answer.err.strip() or answer.out.strip())[:300]
    return Plugin(user, _version(answer), words)


def _version(answer: RunAnswer) -> str:
    found = _NUMBER.search(answer.out) if answer.code == 0 else None
    return found[1] if found else ""


def _first(files: tuple[StatAnswer, ...]) -> str:
    """The first plugin that is there for everybody: a file, or a link that leads to one."""
    for place, file in zip(SHARED, files, strict=True):
        if file.resolved is not None and file.resolved.kind == "file" and file.resolved.mode & 1:
            return f"{place}/docker-compose"
    return ""
