"""What is asked of an audit, whoever asks: the command line or a program."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sesam_audit.host import Way
from sesam_audit.level import Level, Stage
from sesam_audit.profile import Profile

if TYPE_CHECKING:
    from sesam_audit.waivers import WaiverRule


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to audit: everything the command line, or a program, may say."""

    profile: Profile
    stage: Stage = Stage.PREFLIGHT
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    way: Way = field(default_factory=Way)
    jobs: int = 16
    fail_on: Level = Level.MUST
    require_complete: bool = False
    as_of: datetime | None = None
    secrets: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    waivers: tuple[WaiverRule, ...] = ()
    again: str = ""  # the options that ask for the same deployment, as a shell takes them
    also: tuple[type, ...] = ()  # facts to be found beside those that the checks ask for

    @property
    def sparing(self) -> Request:
        """The same, without a listener on ports that a starting stack is about to take."""
        if self.stage is not Stage.LIVE:
            return self
        return replace(self, profile=replace(self.profile, listen=False))

    @property
    def names_checks(self) -> bool:
        """Whether it can only be checked against the catalogue of checks."""
        return bool(self.only or self.skip)
