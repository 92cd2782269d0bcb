"""The stack's .env: documented values put right, every other line left as it stands.

Other lines may hold secrets of this machine, so they are merged here and never leave it.
"""

import os
import re
from typing import Dict, Iterator, List, Match, Optional, Set

from .action import Facts, Note, Stop
from .file import File
from .paths import READING

# As compose and the probe read it: quotes may span lines, `export` and blanks are allowed.
ASSIGNMENT = re.compile(
    r"""(?as)[ \t]*(?:export[ \t]+)?([\w.\[\]-]+)[ \t]*[=:][ \t]*"""
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\n]*)[^\n]*"""
)
_HEAD = "# Written by sesam-audit apply; lines of other keys are left as they are.\n"


class Environment(File):
    """`after`: path, uid, gid, mode, values (KEY: value), names (of keys given as secret lines)."""

    kind = "environment"

    def content(self) -> Optional[bytes]:
        """What is there now, with the wanted lines in it."""
        return self._merged(self._there())

    def equal(self, found: bytes) -> bool:
        return self._merged(found) == found

    def sum(self, content: bytes) -> Optional[str]:
        """Other people's lines may be secrets: always under this machine's key."""
        return self.host.keyed(content)

    def look(self) -> Facts:
        now = super().look()
        if now["type"] == "file":
            known = values(self._there())
            wanted = self.want["values"]
            now["values"] = {key: known[key] for key in sorted(wanted) if key in known}
            now["names"] = sorted(set(known) - set(wanted))
        return now

    def do(self, was: Facts, note: Note) -> None:
        appliance = self.want["values"].get("APPLIANCE_ID")
        if appliance:  # on the disk first: a second one would be a second appliance at Sesam
            self.host.state.keep_appliance(appliance)
        super().do(was, note)

    def _there(self) -> bytes:
        try:
            with self.host.paths.place(self.want["path"]) as place, place.opened(READING) as file:
                content = os.fdopen(os.dup(file), "rb")
                with content:
                    return content.read()
        except FileNotFoundError:
            return b""

    def _merged(self, found: bytes) -> bytes:
        text = found.decode("utf-8", "surrogateescape")
        wanted = {key: "%s=%s" % (key, value) for key, value in self.want["values"].items()}
        wanted.update(self._given())
        return merge(text, wanted).encode("utf-8", "surrogateescape")

    def _given(self) -> Dict[str, str]:
        """The lines that came as a secret; none in an undo."""
        if not self.want.get("names") or not self.host.has_secret("environment"):
            return {}
        found = assignments(self.host.secret("environment"))
        return {match.group(1): match.group(0).strip() for match in found}


def merge(text: str, wanted: Dict[str, str]) -> str:
    """The text with these lines: each in the place of the last that had its key, or at the end."""
    last = {match.group(1): match for match in assignments(text)}
    parts: List[str] = []
    done: Set[str] = set()
    at = 0
    for match in assignments(text):
        key = match.group(1)
        if key not in wanted:
            continue
        done.add(key)
        parts.append(text[at : match.start()])
        at = match.end()
        if match.start() == last[key].start():
            parts.append(_kept(match, wanted[key]))
        elif text[at : at + 1] == "\n":
            at += 1
    merged = "".join([*parts, text[at:]]) or _HEAD
    if not merged.endswith("\n"):
        merged += "\n"
    return merged + "".join(line + "\n" for key, line in wanted.items() if key not in done)


def _kept(match: Match[str], line: str) -> str:
    """The line there, where it says the same."""
    same = match.group(0).strip() == line
    return match.group(0) if same or _plain(match) == line else line


def _plain(match: Match[str]) -> str:
    return "%s=%s" % (match.group(1), value_of(match.group(2)))


def values(content: bytes) -> Dict[str, str]:
    """The values of all keys, the last of each, as compose reads what stands for itself."""
    text = content.decode("utf-8", "surrogateescape")
    return {match.group(1): value_of(match.group(2)) for match in assignments(text)}


def value_of(text: str) -> str:
    """A value without its quotes, comment and trailing blanks."""
    if text[:1] in ("'", '"'):
        return text[1:-1] if len(text) > 1 and text[-1] == text[0] else ""
    return text.split(" #", maxsplit=1)[0].rstrip()


def assignments(text: str) -> Iterator[Match[str]]:
    """The assignments of a .env, in their order.

    Raises:
        Stop: a quote is opened and never closed, so that nobody can tell where lines end.
    """
    at = 1 if text[:1] == "\ufeff" else 0
    while at < len(text):
        match = ASSIGNMENT.match(text, at)
        if match:
            found = match.group(2)
            if found[:1] in ("'", '"') and (len(found) < 2 or found[-1] != found[0]):
                raise Stop(
                    "a quote is opened in the line of %s and never closed" % match.group(1),
                    "Close it: sudoedit /srv/data/.env",
                )
            yield match
        at = (text.find("\n", match.end() if match else at) + 1) or len(text)
