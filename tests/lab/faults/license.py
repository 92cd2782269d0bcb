"""Faults of the license."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone

from ..perfect import STORE, license_text
from .fault import FAILED, UNKNOWN, Fault

KEY = f"{STORE}/license.key"
OTHER = "11111111-2222-4333-8444-555555555555"
PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>\n"


def _holds(text: str) -> str:
    """Write the license as a person's editor would: in place, so owner and mode stay."""
    return f"base64 -d >{KEY} <<'END'\n{base64.b64encode(text.encode()).decode()}\nEND"


def _in_days(days: int) -> datetime:
    return datetime.now(timezone.utc) + timedelta(days=days)


def _fault(name: str, identifier: str, text: str, says: str = "", outcome: str = FAILED) -> Fault:
    changes = {identifier: outcome} if identifier else {}
    return Fault(name=name, keep=(KEY,), seed=_holds(text), changes=changes, says=says)


WHOLE = license_text(expires=_in_days(365))
LINES = WHOLE.splitlines()

FAULTS = (
    Fault(
        name="no license",
        keep=(KEY,),
        seed=f"rm {KEY}",
        changes={"license.file": FAILED, "license.permissions": UNKNOWN},
    ),
    _fault("a license of one newline", "license.file", "\n", "empty"),
    _fault("a license of blanks", "license.file", " \n\t \r\n", "empty"),
    Fault(
        name="a license of root",
        keep=(KEY,),
        seed=f"chown root:root {KEY}",
        changes={"license.file": FAILED, "layout.ownership": FAILED},
    ),
    Fault(
        name="a directory in place of the license",
        keep=(KEY,),
        seed=f"rm {KEY}; install -d -o sesam -g sesam {KEY}",
        changes={"license.file": FAILED, "license.permissions": UNKNOWN},
    ),
    Fault(
        name="a license that all may read, as the guide's own command leaves it",
        keep=(KEY,),
        seed=f"chmod 0644 {KEY}",
        changes={"license.permissions": FAILED},
    ),
    Fault(name="a license that sesam's group may read", keep=(KEY,), seed=f"chmod 0640 {KEY}"),
    _fault("a web page saved as license", "license.format", PAGE, "web page"),
    _fault("a license with Windows line ends", "license.format", WHOLE.replace("\n", "\r\n"),
           "CRLF"),
    _fault("a license with a byte order mark", "license.format", f"\ufeff{WHOLE}", "byte order"),
    _fault("a license with \\n for its ends of lines", "license.format",
           WHOLE.replace("\n", "\\n"), r"\\n"),
    _fault("a license without its first line", "license.format", "\n".join(LINES[1:]), "BEGIN"),
    _fault("a license without its last line", "", "\n".join(LINES[:-1]) + "\n"),
    _fault("a license cut off", "license.format", WHOLE[:300], "cut off|base64"),
    _fault("a license in quotes", "license.format", f'"{WHOLE.strip()}"\n', "quotes"),
    _fault("a license that echo made one line of", "license.format", " ".join(LINES) + "\n",
           "lines of their own"),
    _fault("two licenses in one file", "license.format", WHOLE + WHOLE, "second license"),
    _fault("a license in one long line", "",
           f"{LINES[0]}\n{''.join(LINES[1:-1])}\n{LINES[-1]}\n"),
    _fault("a license without an id", "license.format", license_text(subscription=""), "_id"),
    _fault("a license that has ended", "license.expiry", license_text(expires=_in_days(-1)),
           "ended|expired"),
    _fault("a license with 20 days left", "license.expiry-soon",
           license_text(expires=_in_days(20)), "(19|20) days"),
    _fault("a license with 31 days left", "", license_text(expires=_in_days(31))),
    _fault("a license that does not say when it ends", "license.expiry",
           license_text(expires="some day"), "", UNKNOWN),
    _fault("a license of another subscription", "license.subscription",
           license_text(subscription=OTHER), OTHER),
)  # fmt: skip
