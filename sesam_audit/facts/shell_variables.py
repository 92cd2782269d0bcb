"""Variables that shells on the host export, which compose takes in place of those in .env."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from sesam_audit.asks import EnvFile, EnvFileAnswer, Names, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.deployment import KEYS
from sesam_audit.profile import Profile

_COMPOSE = ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES", "COMPOSE_PROFILES")
_FOLDER = "/etc/profile.d"
_FILES = (
    *("/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/etc/bashrc"),
    *(f"/root/.{name}" for name in ("profile", "bash_profile", "bashrc")),
)


class ShellVariables(Struct, frozen=True):
    """The stack's own variables, and compose's, by the file that sets them; None: not plain."""

    files: dict[str, dict[str, str | None]] = {}

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ShellVariables]:
        """Read what shells read at their start, as far as one may."""
        listed, answers = yield from gather(attempt(Names(_FOLDER)), _read(_FILES))
        names = () if isinstance(listed, Unknown) else listed.names
        more = yield from _read(tuple(f"{_FOLDER}/{x}" for x in names if x.endswith(".sh")))
        found = {path: _variables(answer) for path, answer in (*answers, *more)}
        return cls({path: variables for path, variables in found.items() if variables})

    def overriding(self, values: Mapping[str, str]) -> Iterator[str]:
        """A sentence for each file with another value; the values themselves stay out of it."""
        for path, variables in self.files.items():
            keys = [key for key, value in variables.items() if value != values.get(key)]
            if keys:
                yield (
                    f"{path} sets {', '.join(keys)} for shells: there docker compose takes that in"
                    " place of /srv/data/.env"
                )


def _read(paths: tuple[str, ...]) -> Steps[tuple[tuple[str, EnvFileAnswer | Unknown], ...]]:
    keys = (*KEYS, *_COMPOSE)
    answers = yield from every(attempt(EnvFile(path, keys)) for path in paths)
    return tuple(zip(paths, answers, strict=True))


def _variables(answer: EnvFileAnswer | Unknown) -> dict[str, str | None]:
    if isinstance(answer, Unknown) or answer.error:
        return {}
    doubtful: dict[str, str | None] = dict.fromkeys(answer.doubtful)
    return {**(answer.values or {}), **doubtful}
