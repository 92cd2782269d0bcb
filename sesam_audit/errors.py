"""What can go wrong with an audit, said to people: what happened, and what to do next."""

from __future__ import annotations

import sys
from enum import Enum

OURS = "This is a fault of sesam-audit: report it"


class AuditError(Exception):
    """The audit could not be carried out (exit 3)."""

    exit_code = 3

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}".strip() if self.remedy else self.what


class UsageError(AuditError):
    """The request is wrong: options, profile, host names (exit 2, nothing was changed)."""

    exit_code = 2


class HostError(AuditError):
    """One host could not be reached or asked; the other hosts go on."""


class UnreachedError(HostError):
    """A host that was not even reached, so that nothing was asked of it."""


class FaultError(AuditError):
    """Something of sesam-audit itself failed (exit 3); its cause is what --debug shows."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy or f"{OURS}; --debug shows where")


class Lack(str, Enum):
    """What is lacking where it cannot be told."""

    ROOT = "root"
    VANTAGE = "vantage"  # another machine that looks at the host
    DOCKER = "docker"  # a daemon: there is none, or it is stopped


class Unknown(Exception):  # noqa: N818 - an outcome, not a fault
    """It cannot be told; `command` is what a person would run to tell.

    `lacks` says to programs what would help, so that `reason` is for people alone.
    """

    def __init__(self, reason: str, command: str = "", lacks: Lack | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command
        self.lacks = lacks

    def reworded(self, reason: str) -> Unknown:
        """The same doubt in other words."""
        return Unknown(reason, self.command, self.lacks)


AS_ROOT = "sesam-audit run ssh://THIS-HOST --ask-sudo-password"
"""What tells where nothing that a person would type does: only the audit itself asks for it."""


def needs_root(why: str, command: str = "") -> Unknown:
    """The outcome where only root could tell."""
    return Unknown(f"needs root: {why}", command, Lack.ROOT)


def needs_vantage(why: str, command: str = "") -> Unknown:
    """The outcome where only another machine could tell."""
    return Unknown(f"needs a vantage: {why}", command, Lack.VANTAGE)


class NotApplicable(Exception):  # noqa: N818 - an outcome, not a fault
    """What was found shows that the requirement does not apply; the reason is shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refuse_optimised() -> None:
    """`python -O` removes assertions, and with them every failure.

    Raises:
        AuditError: assertions are switched off.
    """
    if sys.flags.optimize:
        raise AuditError(
            "Python runs with -O or PYTHONOPTIMIZE, which would make every check pass",
            "Start sesam-audit without it",
        )
