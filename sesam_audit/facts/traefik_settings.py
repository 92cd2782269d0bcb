"""Traefik's settings from YAML, TOML or flags, looked up as Traefik does: capitals do not count."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

Settings = dict[Any, Any]


def parse(text: str, path: str) -> Settings:
    """A configuration file.

    Raises:
        ValueError: it is not what its name says.
    """
    found = _toml(text) if path.lower().endswith(".toml") else _yaml(text)
    if isinstance(found, dict):
        return found
    raise ValueError("it holds no settings")


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"it is not YAML{where}") from error


def _toml(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"it is not TOML: {error}") from error


def from_flags(words: Iterable[str]) -> Settings:
    """The settings of `--a.b.c=value` words; a flag without a value is true."""
    found: Settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name.startswith("--"):
            continue
        *path, last = name[2:].lower().split(".")
        place = found
        for part in path:
            if not isinstance(place.get(part), dict):
                place[part] = {}
            place = place[part]
        if not isinstance(place.get(last), dict):
            place[last] = value if equals else "true"
    return found


def at(settings: Any, *path: str) -> Any:
    """What lies at a path of the tree, or None."""
    for part in path:
        items = settings.items() if isinstance(settings, dict) else ()
        settings = next((value for key, value in items if str(key).lower() == part.lower()), None)
    return settings


def tables(settings: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """The named things at a path: entry points, stores, resolvers."""
    found = at(settings, *path)
    if isinstance(found, dict):
        yield from ((str(name), value) for name, value in found.items())


def pairs(settings: Settings) -> Iterator[tuple[str, str]]:
    """The certificate and key files that a dynamic configuration names, each pair once."""
    listed = at(settings, "tls", "certificates")
    found = list(listed) if isinstance(listed, list) else []
    found += [at(store, "defaultCertificate") for _, store in tables(settings, "tls", "stores")]
    named = [(at(each, "certFile"), at(each, "keyFile")) for each in found]
    return iter(dict.fromkeys((str(cert), str(key)) for cert, key in named if cert and key))
