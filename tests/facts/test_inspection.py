"""Inspection: several doubts as one."""

from __future__ import annotations

from sesam_audit.errors import Lack, Unknown, needs_root
from sesam_audit.facts.inspection import Inspection


def test_doubts_together_keep_what_would_settle_one() -> None:
    found = Inspection()
    found.doubt(Unknown("too many entries"))
    found.doubt(needs_root("not readable: /srv/data", "sudo ls"))

    assert found.unknown is not None
    assert str(found.unknown) == "too many entries; needs root: not readable: /srv/data"
    assert (found.unknown.command, found.unknown.lacks) == ("sudo ls", Lack.ROOT)
