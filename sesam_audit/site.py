"""One host as planning sees it, and what planning makes of it: steps, stops, notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sesam_audit.environment import GivenEnvironment
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Known
from sesam_audit.given import GivenCertificate, GivenLicense, GivenLogin
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.profile import Profile

T = TypeVar("T")
_SETTLED = (Outcome.PASSED, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line said and gave; every file in it was read and judged already."""

    license: GivenLicense | None = None
    environment: GivenEnvironment = field(default_factory=GivenEnvironment)
    certificate: GivenCertificate | None = None
    login: GivenLogin | None = None
    start: bool = True
    start_anyway: bool = False
    replace_stack: bool = False
    backup_made: bool = False
    stop: tuple[str, ...] = ()  # containers that only have a name of Sesam's, and may rest
    deadline: int = 900  # seconds to wait for the started stack
    appliance: str = ""  # a fresh UUID, used where the host has none

    def told(self) -> dict[str, Any]:
        """What was asked for, without secrets: what was begun goes on for the same request only."""
        given, values = self.license, self.environment
        return {
            "start": self.start,
            "start_anyway": self.start_anyway,
            "replace_stack": self.replace_stack,
            "backup_made": self.backup_made,
            "stop": sorted(self.stop),
            "deadline": self.deadline,
            "license": [given.id, given.expires] if given else None,
            "certificate": self.certificate.fingerprint if self.certificate else None,
            "login": self.login.user if self.login else None,
            "values": dict(values.values),
            "names": sorted(values.lines),
        }


@dataclass(frozen=True, kw_only=True)
class Step:
    """One action before the host was looked at: `after` is what its kind wants."""

    kind: str
    title: str
    reason: str
    after: Mapping[str, Any]
    mends: tuple[str, ...] = ()
    secret: str | None = None


@dataclass(frozen=True)
class Stop:
    """Why nothing may be done on this host yet, and what a person does about it."""

    words: str
    remedy: str = ""


Phase = Iterator[Step | Stop]


@dataclass
class Draft:
    """What planning came to. Nothing is carried out while there are stops."""

    steps: list[Step] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # what the command line still has to give
    notes: list[str] = field(default_factory=list)  # decisions, and what is left alone
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def put(self, each: Step | Stop) -> None:
        """Add what a phase came to; the same stop once."""
        if isinstance(each, Step):
            self.steps.append(each)
        elif each not in self.stops:
            self.stops.append(each)


@dataclass(frozen=True)
class Site:
    """One host: what is known of it, and what is wished for it."""

    profile: Profile
    known: Known
    findings: tuple[Finding, ...]
    wishes: Wishes

    def need(self, kind: type[T]) -> T:
        """A fact without which nothing can be planned.

        Raises:
            Unknown: it could not be told.
        """
        fact = self.known[kind]
        if isinstance(fact, Unknown):
            raise fact
        return fact  # type: ignore[no-any-return]

    def maybe(self, kind: type[T]) -> T | None:
        """A fact that helps where it is known."""
        fact = self.known[kind]
        return None if isinstance(fact, Unknown) else fact

    def open(self, *ids: str) -> tuple[str, ...]:
        """Which of these requirements do not hold, or could not be told."""
        found = {item.id for item in self.findings if item.outcome not in _SETTLED}
        return tuple(each for each in ids if each in found)

    def failed(self, identifier: str) -> str:
        """What was proved wrong about a requirement, in words; "" when nothing was."""
        wrong = (
            item.message
            for item in self.findings
            if item.id == identifier and item.outcome is Outcome.FAILED
        )
        return next(wrong, "")
