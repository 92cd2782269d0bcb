"""What an earlier report of the auditor's tells: since when an image is known as the channel's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from sesam_audit.errors import Unknown
from sesam_audit.profile_values import NamedFile

_ID = "stack.image-current"


def channel_then(named: NamedFile) -> tuple[str, datetime] | None:
    """The channel's digest in a JSON report, and when that was written; None without a report.

    Raises:
        Unknown: it is no report, or of a stage that did not look.
    """
    return _told(str(named), named.text) if named else None


@lru_cache(maxsize=8)
def _told(path: str, text: str) -> tuple[str, datetime]:
    try:
        report = json.loads(text)
        started = datetime.fromisoformat(report["started"].replace("Z", "+00:00"))
        digest = next(_digests(report))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unknown(f"earlier: {path} cannot be read as a JSON report") from error
    except StopIteration as error:
        raise Unknown(f"earlier: {path} tells no image of the channel (stage live)") from error
    return digest, started


def _digests(report: Any) -> Iterator[str]:
    for host in report["hosts"]:
        for finding in host["findings"]:
            required = finding["required"] if finding["id"] == _ID else None
            if required and str(required["value"]).startswith("sha256:"):
                yield str(required["value"])
