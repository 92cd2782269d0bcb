"""The license: where it lies, whose it is, and the little that may be known of its content."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import LicenseAnswer, LicenseFile, Stat, StatAnswer, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import gather
from sesam_audit.facts.data_directory import DataDirectory
from sesam_audit.profile import Profile

WORDS = {
    "crlf": "it has Windows line ends (CRLF)",
    "bom": "it begins with a byte order mark",
    "literal-newlines": "it holds the two characters \\n where lines should end",
    "no-begin": "the line -----BEGIN SESAM LICENSE----- is missing",
    "no-end": "the line -----END SESAM LICENSE----- is missing",
    "outside": "other text stands before or after its armour lines, such as quotes, a key of YAML"
    " or a second license",
    "one-line": "its armour lines do not stand on lines of their own",
    "html": "it is a web page, not a license",
    "not-base64": "what stands between the armour lines is not base64",
    "not-json": "what stands between the armour lines is not a JSON object",
    "no-payload": "it has no payload",
    "payload-not-base64": "its payload is not base64",
    "payload-not-json": "its payload is not a JSON object",
    "no-id": "its payload has no _id",
    "truncated": "it is cut off",
}
HARMLESS = frozenset({"no-end"})  # named, but the rest decides

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)


class License(Struct, frozen=True):
    """license.key in the data directory; `content` is Unknown where it may not be read."""

    path: str
    file: StatAnswer
    content: LicenseAnswer | Unknown

    def read(self) -> LicenseAnswer:
        """What may be known of the content.

        Raises:
            Unknown: it cannot be read.
        """
        if isinstance(self.content, Unknown):
            raise self.content
        return self.content

    @property
    def blank(self) -> bool:
        """Whether it holds nothing, or one newline: `echo "$LICENSE"` of an unset variable.

        Raises:
            Unknown: it is long enough to hold something, and cannot be read.
        """
        return self.file.size <= 1 or self.read().blank

    @property
    def expires(self) -> datetime:
        """When it ends, UTC where it names no zone.

        Raises:
            Unknown: it cannot be read, or says nothing that is a date.
        """
        text = self.read().expires
        moment = parse_moment(text or "")
        if moment is None:
            said = f"{text!r} is not a date" if text else "it names no `expires`"
            raise Unknown(f"the license does not tell when it expires: {said}")
        return moment

    @property
    def id(self) -> str:
        """The subscription it was made for.

        Raises:
            Unknown: it cannot be read, or names none.
        """
        found = self.read().id
        if not found:
            raise Unknown("the license names no subscription")
        return found

    @classmethod
    def ask(cls, profile: Profile) -> Steps[License]:
        """Look at the license in the data directory; the whole text only to verify a signature."""
        path = (yield from DataDirectory.ask(profile)).license
        whole = bool(profile.license_public_key)
        file, content = yield from gather(Stat(path), LicenseFile(path, whole))
        if file.error and not file.missing:
            raise denied(file, path, f"sudo ls -l {quote(path)}")
        return cls(path, file, _readable(content, path))


def _readable(content: LicenseAnswer, path: str) -> LicenseAnswer | Unknown:
    if content.error:
        return denied(content, path, f"sudo head -1 {quote(path)}")
    return content


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 date or moment; UTC when it names no zone; None when it is neither."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    zone = (match[3] or "Z").upper().replace("Z", "+00:00")
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:] or '00'}"
    try:
        found = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{zone}")
    except ValueError:
        return None
    try:
        return found.astimezone(timezone.utc)
    except OverflowError:  # at an end of the calendar, where hours make no difference
        return found.replace(tzinfo=timezone.utc)
