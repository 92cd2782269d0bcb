"""What a run must never tell: its secrets, as whole, by line and by value, and as base64.

A log shows a blob line by line, a value without its key, and a login put together for a registry.
What is short is masked only where it stands alone: else a word of everyday would become dots in
everything that is told.
"""

import base64
import json
import re
from typing import Any, Iterable, Iterator, List, Set, Tuple
from urllib.parse import quote

HIDDEN = "..."
ALWAYS, ALONE = 8, 4  # characters from which a value is masked everywhere, or only by itself
PLAIN = ("seq", "at", "event", "action", "outcome", "kind", "id", "run", "verb", "unit")
_NAMES = (
    "sesam-node",
    "fluentbit",
    "fluent-bit",
    "watchtower",
    "traefik",
)  # no secret is called so
_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+|[0-9.]+")
_LINE = re.compile(r"\s*(?:export\s+)?[\w.\[\]-]+\s*[=:]\s*(.*)")
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_PADDED = _LETTERS | {"="}

Secrets = Iterable[Tuple[str, str]]  # name, as it came with the plan, and text


class Mask:
    """Takes secrets out of what is told."""

    def __init__(self, secrets: Secrets) -> None:
        always: Set[str] = set()
        alone: Set[str] = set()
        cores: Set[str] = set()
        for name, secret in secrets:
            for piece in _pieces(name, secret):
                if len(piece) >= ALWAYS and piece not in _NAMES:
                    always.update(_spellings(piece))
                elif len(piece) >= ALONE and (name == "registry" or not _everyday(piece)):
                    alone.update(_spellings(piece))
            cores.update(core for each in _values(name, secret) for core in _cores(each))
        self._cores = sorted(cores, key=len, reverse=True)
        words = sorted(map(re.escape, always), key=len, reverse=True)
        words += [r"(?<!\w)%s(?!\w)" % re.escape(each) for each in sorted(alone)]
        self._words = re.compile("|".join(words)) if words else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        for core in self._cores:
            text = _without(text, core)
        return self._words.sub(HIDDEN, text) if self._words else text

    def all_of(self, value: Any) -> Any:
        """Every text in a JSON value but what programs read (PLAIN)."""
        if isinstance(value, dict):
            return {key: each if key in PLAIN else self.all_of(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.all_of(each) for each in value]
        return self(value) if isinstance(value, str) else value


def _pieces(name: str, secret: str) -> Iterator[str]:
    yield secret
    yield from _values(name, secret)
    for line in map(str.strip, secret.splitlines()):
        if not line.startswith("-----"):  # the frame of a PEM is none
            yield line
            yield line.strip("'\"=")  # without quotes, or what pads base64


def _values(name: str, secret: str) -> Iterator[str]:
    """What may turn up in base64: the whole, and the values of an environment."""
    found = map(_LINE.match, secret.splitlines() if name == "environment" else ())
    for each in (secret, *(match.group(1) for match in found if match)):
        for text in {each, each.partition(" #")[0]}:
            value = text.strip().strip("'\"")
            if len(value) >= ALONE and value not in _NAMES and not _everyday(value):
                yield value


def _everyday(text: str) -> bool:
    return len(text) < ALWAYS and bool(_WORD.fullmatch(text))


def _spellings(text: str) -> Tuple[str, ...]:
    """As it is, within JSON, and within an address."""
    return text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], quote(text, "")


def _cores(text: str) -> Iterator[str]:
    """The letters that base64 of anything has that ends or goes on with the text."""
    content = text.encode("utf-8", "surrogateescape")
    for offset in range(3):
        letters = base64.b64encode(b"\0" * offset + content).decode()
        core = letters[-(-8 * offset // 6) : 8 * (offset + len(content)) // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _without(text: str, core: str) -> str:
    """The text without each run of base64 letters that holds a core."""
    parts: List[str] = []
    done, at = 0, text.find(core)
    while at >= 0:
        start, end = at, at + len(core)
        while start > done and text[start - 1] in _LETTERS:
            start -= 1
        while end < len(text) and text[end] in _PADDED:
            end += 1
        parts += [text[done:start], HIDDEN]
        done, at = end, text.find(core, end)
    return "".join([*parts, text[done:]])
