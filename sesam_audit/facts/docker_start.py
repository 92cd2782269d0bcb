"""What Docker's daemon will meet at its next start: its unit's program, and its settings."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec import Struct

from sesam_audit.asks import MISSING, File, FileAnswer, Stat, StatAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.daemon_settings import DAEMON_JSON
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.unit_files import UnitFiles, docker_unit
from sesam_audit.profile import Profile

SHOW = "systemctl cat docker.service"

_HOST_FLAG = re.compile(r"\s(?:-H|--host)(?:[\s=]|$)")
_CONFIG_FLAG = re.compile(r"\s--config-file[\s=]+(\S+)")


class DockerUnit(Struct, frozen=True):
    """What the unit's files make of the daemon's command."""

    commands: tuple[str, ...] = ()  # of every ExecStart that still counts
    origin: str = ""  # the file that the last one stands in
    repeats: bool = False  # Type=oneshot, which may have several
    unread: Unknown | None = None

    @property
    def program(self) -> str:
        """The path it starts; "" where that is not plain."""
        words = self.commands[-1].lstrip("@-:+!|").split() if self.commands else []
        return words[0] if words and re.fullmatch(r"/[\w./+-]+", words[0]) else ""

    @property
    def settings(self) -> str:
        """The file of settings that the daemon reads."""
        named = _CONFIG_FLAG.search(self.commands[-1]) if self.commands else None
        return named[1].strip("'\"") if named else DAEMON_JSON


class DockerStart(Struct, frozen=True):
    """The unit, its program and the settings as they lie on the disk, whatever runs now."""

    unit: DockerUnit
    program: StatAnswer
    settings: FileAnswer
    remapped: bool = False  # the daemon of now remaps users already

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DockerStart]:
        """Read the unit, then what it leads to."""
        files, engine = yield from gather(
            docker_unit(SHOW),
            attempt(Engine.ask(profile)),
        )
        unit = _unit(files)
        program, settings = yield from gather(Stat(unit.program or "/"), File(unit.settings))
        remapped = not isinstance(engine, Unknown) and "userns" in engine.security
        return cls(unit, program, settings, remapped)

    def inspect(self) -> Inspection:
        """What keeps it from coming up, or the stack from being there again."""
        found = Inspection()
        found.doubt(self.unit.unread)
        for text in (*self._of_unit(), *self._of_settings()):
            found.problem(text)
        if self.settings.error not in (None, "EISDIR", *MISSING):
            found.doubt(denied(self.settings, self.unit.settings))
        if self.unit.program and self.program.error not in (None, *MISSING):
            found.doubt(denied(self.program, self.unit.program))
        return found

    def _of_unit(self) -> Iterator[str]:
        unit, end = self.unit, self.program.resolved
        if len(unit.commands) > 1 and not unit.repeats:
            yield (
                f"{unit.origin} adds a second ExecStart, for want of an empty ExecStart= before"
                " it: systemd refuses the unit"
            )
        if not unit.program:
            return
        if self.program.missing or (end and end.error in ("ENOENT", "ENOTDIR")):
            yield f"{unit.origin} starts {unit.program}, which is not there"
        elif not self.program.error:
            kind, mode = (end.kind, end.mode) if end else (self.program.kind, self.program.mode)
            if kind != "file" or not mode & 0o111:
                yield f"{unit.origin} starts {unit.program}, which is no program"

    def _of_settings(self) -> Iterator[str]:
        path, text = self.unit.settings, self.settings.text.lstrip("\ufeff")
        if self.settings.error == "EISDIR":
            yield f"{path} is a directory"
        if self.settings.error or not text.strip():
            return
        try:
            settings = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
            yield f"{path} is no JSON{line}: the daemon refuses it at its next start"
            return
        if not isinstance(settings, dict):
            yield f"{path} holds no JSON object: the daemon refuses it at its next start"
        elif "hosts" in settings and any(map(_HOST_FLAG.search, self.unit.commands[-1:])):
            yield f"{path} sets hosts, and {self.unit.origin} gives -H: the daemon refuses both"
        elif settings.get("userns-remap") and not self.remapped:
            yield (
                f"{path} sets userns-remap: from its next start on the daemon knows none of the"
                " containers of now, and the node's files would not belong to sesam"
            )


def _unit(files: UnitFiles) -> DockerUnit:
    """Main file and drop-ins as systemd merges them: of one name, the first place counts."""
    texts: dict[str, tuple[str, str]] = {}
    for path, text in files.found.items():
        texts.setdefault(path.rpartition("/")[2], (path, text))
    main = texts.pop("docker.service", None)
    if main is None:
        return DockerUnit()
    commands: list[str] = []
    origin, kind = "", ""
    for path, text in (main, *(texts[name] for name in sorted(texts))):
        for key, value in _service_lines(text):
            if key == "Type":
                kind = value
            elif value:
                commands.append(value)
                origin = path
            else:
                commands.clear()
    return DockerUnit(tuple(commands), origin, kind == "oneshot", files.unread)


def _service_lines(text: str) -> Iterator[tuple[str, str]]:
    """ExecStart and Type of the section [Service]."""
    section = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip().startswith("["):
            section = line.strip()
        key, equals, value = line.partition("=")
        if section == "[Service]" and equals and key.strip() in ("ExecStart", "Type"):
            yield key.strip(), value.strip()
