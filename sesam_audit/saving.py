"""Evidence as a file: saved after a run, judged later and elsewhere; it never holds a secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sesam_audit import __version__
from sesam_audit.asks import Answer, LicenseAnswer
from sesam_audit.collect import Arrival
from sesam_audit.decoding import ask_from
from sesam_audit.errors import Lack, Unknown, UsageError
from sesam_audit.evidence import Evidence
from sesam_audit.host import parse
from sesam_audit.inquiry import recall
from sesam_audit.profile import Profile
from sesam_audit.reading import read
from sesam_audit.writing import write

SCHEMA: Literal["sesam-audit/evidence/1"] = "sesam-audit/evidence/1"
_LIMIT = 256 * 2**20
_YEAR_10000 = 253_402_300_800


class _SavedHost(Struct, frozen=True):
    host: str
    started: Annotated[float, msgspec.Meta(ge=0, lt=_YEAR_10000)]
    trouble: str
    answers: tuple[tuple[dict[str, Any], dict[str, Any]], ...]
    remedy: str = ""


class _Saved(Struct, frozen=True):
    schema: Literal["sesam-audit/evidence/1"]
    tool: str
    hosts: tuple[_SavedHost, ...]


def save_path(directory: Path, spec: str) -> Path:
    """The file for one host's evidence."""
    name = re.sub(r"[^A-Za-z0-9.@_-]+", "-", spec).strip("-")
    return directory / f"{name[:200]}.evidence.json"


def save(arrivals: Sequence[Arrival], path: Path) -> None:
    """Write the evidence of these hosts into one file, mode 0600."""
    hosts = tuple(
        _SavedHost(
            host=arrival.evidence.host,
            started=arrival.evidence.started,
            trouble=arrival.trouble,
            remedy=arrival.remedy,
            answers=tuple(_pair(ask, answer) for ask, answer in arrival.evidence.answers.items()),
        )
        for arrival in arrivals
    )
    document = _Saved(SCHEMA, f"sesam-audit {__version__}", hosts)
    text = msgspec.json.format(msgspec.json.encode(document), indent=1).decode()
    write(path, text)


def _pair(ask: Any, answer: Answer | Unknown) -> tuple[dict[str, Any], dict[str, Any]]:
    spelt = {"ask": type(ask).__name__, **msgspec.to_builtins(ask)}
    if isinstance(answer, Unknown):
        lacks = answer.lacks.value if answer.lacks else None
        return spelt, {"unknown": answer.reason, "command": answer.command, "lacks": lacks}
    if isinstance(answer, LicenseAnswer):
        answer = replace(answer, text="")
    return spelt, msgspec.to_builtins(answer)


def load(path: Path, kinds: tuple[type, ...], profile: Profile) -> list[Arrival]:
    """The hosts of an evidence file, with their facts found again.

    Raises:
        UsageError: not an evidence file of this version.
    """
    data = read(path, "The evidence", _LIMIT)
    try:
        saved = msgspec.json.decode(data, type=_Saved)
        return [_arrival(host, kinds, profile) for host in saved.hosts]
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise UsageError(f"{path} is not an evidence file: {error}") from error


def load_all(paths: Sequence[Path], kinds: tuple[type, ...], profile: Profile) -> list[Arrival]:
    """The hosts of several files, each host once: a report tells them apart by name.

    Raises:
        UsageError: a file is no evidence, or a host is in two of them.
    """
    found: dict[str, Path] = {}
    arrivals = []
    for path in paths:
        for arrival in load(path, kinds, profile):
            spec = arrival.target.spec
            if spec in found:
                raise UsageError(
                    f"{spec} is in {found[spec]} and in {path}",
                    "Judge them one after the other, each into a report of its own",
                )
            found[spec] = path
            arrivals.append(arrival)
    return arrivals


def _unknown(saved: dict[str, Any]) -> Unknown:
    lacks = saved.get("lacks")
    return Unknown(
        str(saved["unknown"]), str(saved.get("command", "")), Lack(lacks) if lacks else None
    )


def _arrival(host: _SavedHost, kinds: tuple[type, ...], profile: Profile) -> Arrival:
    evidence = Evidence(host.host, host.started)
    for spelt, answer in host.answers:
        ask = ask_from(spelt)
        evidence.answers[ask] = (
            _unknown(answer) if "unknown" in answer else msgspec.convert(answer, type(ask).answer)
        )
    return Arrival(
        target=parse(host.host),
        evidence=evidence,
        known=recall(kinds, profile, evidence),
        trouble=host.trouble,
        remedy=host.remedy,
    )
