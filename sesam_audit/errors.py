"""What can go wrong with an audit, said to people: what happened, and what to do next."""

from __future__ import annotations

import sys


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
    """The request is wrong: options, profile, host names (exit 2, nothing was touched)."""

    exit_code = 2


class HostError(AuditError):
    """One host could not be reached or asked; the other hosts go on."""


class Unknown(Exception):  # noqa: N818 - an outcome, not a fault
    """It cannot be told; `command` is what a person would run to tell."""

    def __init__(self, reason: str, command: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command


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
