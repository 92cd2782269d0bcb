"""What Traefik will really read: a file beats its flags, and certificates need a file provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import dirname, normpath
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import every, gather
from sesam_audit.facts.stack import BindMount, Service, Stack
from sesam_audit.facts.traefik_settings import Settings, at, from_flags, pairs, parse
from sesam_audit.profile import Profile

FOUND_BY_ITSELF = tuple(f"/etc/traefik/traefik.{suffix}" for suffix in ("toml", "yaml", "yml"))

_SETTINGS = re.compile(r"\.(ya?ml|toml)$", re.IGNORECASE)
_NO_SETTINGS = re.compile(r"\.\w{1,8}$|^/letsencrypt/?$")
_CONFIG_FLAG = re.compile(r"--configfile=(.+)", re.IGNORECASE)

Texts = Mapping[str, FileAnswer]
"""Path in the container -> what lies there."""


class TraefikConfig(Struct, frozen=True):
    """The static settings that count, and the dynamic ones that they lead to."""

    service: Service
    node: Service | None
    origin: str = ""  # the file in the container; "" for flags
    static: Settings = {}
    dynamic: dict[str, Settings] = {}  # by file in the container
    faults: tuple[str, ...] = ()
    doubts: tuple[Unknown, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[TraefikConfig]:
        """Read every settings file that is mounted into Traefik, then follow Traefik's rules."""
        stack = yield from Stack.ask(profile)
        service = stack.role("traefik")
        if service is None:
            raise Unknown("the stack has no Traefik (layout.compose-file)")
        texts = yield from _texts(service)
        return _Reader(service, texts).config(stack.role("node"))

    @property
    def where(self) -> str:
        """The source of the static settings, as people find it."""
        return self.service.on_host(self.origin) or self.origin if self.origin else "its flags"

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Certificate and key files, in the container, also of a `tls` that Traefik skips."""
        every_one = [pair for each in (*self.dynamic.values(), self.static) for pair in pairs(each)]
        return tuple(dict.fromkeys(every_one))


def _texts(service: Service) -> Steps[Texts]:
    mounts = [mount for mount in service.mounts if mount.type == "bind"]
    files = [mount for mount in mounts if _SETTINGS.search(mount.target)]
    folders = [mount for mount in mounts if not _NO_SETTINGS.search(mount.target)]
    patterns = [
        (mount, f"{mount.source.rstrip('/')}/*{x}") for mount in folders for x in (".y*ml", ".toml")
    ]
    read, found = yield from gather(
        every(File(mount.source) for mount in files),
        every(Files(pattern) for _, pattern in patterns),
    )
    texts = {normpath(m.target): answer for m, answer in zip(files, read, strict=True)}
    for (mount, _), answer in zip(patterns, found, strict=True):
        texts.update(_inside(mount, answer))
    return texts


def _inside(mount: BindMount, answer: FilesAnswer) -> Iterator[tuple[str, FileAnswer]]:
    for path, text in (answer.files or {}).items():
        yield _in_container(mount, path), FileAnswer(text=text)
    for path, error in (answer.errors or {}).items():
        yield _in_container(mount, path), FileAnswer(error=error)


def _in_container(mount: BindMount, path: str) -> str:
    return normpath(mount.target.rstrip("/") + path[len(mount.source.rstrip("/")) :])


class _Reader:
    """Follows Traefik's loaders (pkg/cli/loader_file.go) and gathers faults on the way."""

    def __init__(self, service: Service, texts: Texts) -> None:
        self.service, self.texts = service, texts
        self.faults: list[str] = []
        self.doubts: list[Unknown] = []

    def config(self, node: Service | None) -> TraefikConfig:
        origin = self._origin()
        hidden = not origin and self._hides(dirname(FOUND_BY_ITSELF[0]))
        static = self._read(origin) if origin else from_flags(self.service.command)
        if hidden:
            static = {}
        elif not origin and not static:
            self.doubts.append(Unknown("Traefik has neither a file nor flags: its environment?"))
        dynamic = dict(self._dynamic(static))
        return TraefikConfig(
            self.service, node, origin, static, dynamic, tuple(self.faults), tuple(self.doubts)
        )

    def _origin(self) -> str:
        flags = [match for word in self.service.command if (match := _CONFIG_FLAG.match(word))]
        if flags:
            return normpath(flags[-1][1])
        return next((path for path in FOUND_BY_ITSELF if path in self.texts), "")

    def _read(self, path: str) -> Settings:
        answer, place = self.texts.get(path), self.service.on_host(path)
        if place is None:
            self.faults.append(f"{path} is not mounted into Traefik")
        elif answer is None or answer.missing:
            self.faults.append(f"{place} is missing")
        elif answer.error == "EISDIR":
            self.faults.append(f"{place} is a directory: Docker made it of a missing file")
        elif answer.error:
            self.doubts.append(denied(answer, place, f"sudo cat {quote(place)}"))
        else:
            return self._parse(answer.text, place)
        return {}

    def _hides(self, folder: str) -> bool:
        """Whether a directory in the container may hold files that could not be listed."""
        answer, place = self.texts.get(folder), self.service.on_host(folder)
        if answer is None or place is None or not answer.error or answer.missing:
            return False
        self.doubts.append(denied(answer, place, f"sudo ls -l {quote(place)}"))
        return True

    def _parse(self, text: str, place: str) -> Settings:
        try:
            return parse(text, place)
        except ValueError as error:
            self.faults.append(f"{place}: {error}")
            return {}

    def _dynamic(self, static: Settings) -> Iterator[tuple[str, Settings]]:
        filename, folder = (at(static, "providers", "file", x) for x in ("filename", "directory"))
        if isinstance(filename, str) and filename:
            yield filename, self._read(normpath(filename))
        elif isinstance(folder, str) and folder:
            if self.service.on_host(folder) is None:
                self.faults.append(f"{folder} is not mounted into Traefik")
            self._hides(normpath(folder))
            inside = [path for path in self.texts if dirname(path) == normpath(folder)]
            yield from ((path, self._read(path)) for path in inside)
