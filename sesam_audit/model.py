"""What an audit says: findings, flows, reports; foreign text is cleaned at this door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

from msgspec import Struct

from sesam_audit.blocking import excused
from sesam_audit.cleaning import clean_fields
from sesam_audit.errors import Lack
from sesam_audit.level import Level, Outcome, Stage
from sesam_audit.quantity import Size


class Verdict(str, Enum):
    """What a host's findings say together; its order is that of the exit codes 1, 3, 0, 0."""

    NOT_READY = "not-ready"
    INCOMPLETE = "incomplete"
    PARTIAL = "partial"
    READY = "ready"


class Owner(str, Enum):
    """Who must act when a requirement does not hold."""

    YOU = "you"
    NETWORK = "network team"
    DNS = "DNS team"
    SUPPORT = "Sesam support"


class Quantity(Struct, frozen=True):
    """Something measured or required: the value for machines, the text for people."""

    value: bool | int | float | str | None
    unit: str
    text: str

    def __post_init__(self) -> None:
        clean_fields(self)

    @classmethod
    def of(cls, value: Any, unit: str = "") -> Quantity:
        """A measured value as its plain value, unit and words."""
        if isinstance(value, Size):
            return cls(int(value), "B", str(value))
        if isinstance(value, datetime):
            utc = value.astimezone(timezone.utc) if value.tzinfo else value
            return cls(value.isoformat(), "time", f"{utc:%Y-%m-%d %H:%M} UTC")
        if isinstance(value, timedelta):
            return cls(value.total_seconds(), "s", f"{value.total_seconds():.1f} s")
        if value is None or isinstance(value, (bool, int, float)):
            return cls(value, unit, f"{value} {unit}".strip())
        if isinstance(value, (list, tuple, set, frozenset)):
            return cls(", ".join(map(str, value)), unit, ", ".join(map(str, value)) or "none")
        return cls(str(value), unit, f"{value} {unit}".strip())


class Waiver(Struct, frozen=True):
    """An accepted risk over a failed or unknown finding; it never replaces the outcome."""

    reason: str
    until: str
    by: str

    def __post_init__(self) -> None:
        clean_fields(self)


Key = tuple[str, str | None]


class Finding(Struct, frozen=True, kw_only=True):
    """What one requirement came to on one host and subject."""

    id: str
    subject: str | None
    title: str
    level: Level
    outcome: Outcome
    message: str
    source: str
    remedy: str
    owner: Owner
    measured: Quantity | None = None
    required: Quantity | None = None
    reason: str | None = None
    lacks: Lack | None = None  # what would settle an unknown one
    vantage: str = "host"
    user: str = ""
    rule: str | None = None
    needs: tuple[str, ...] = ()
    blocked_by: str | None = None
    apply_mends: bool = False
    notes: tuple[str, ...] = ()
    waiver: Waiver | None = None
    evidence: tuple[str, ...] = ()
    at: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        clean_fields(self)

    @property
    def key(self) -> Key:
        return (self.id, self.subject)

    @property
    def category(self) -> str:
        return self.id.partition(".")[0]

    @property
    def warning(self) -> bool:
        return self.outcome is Outcome.FAILED and self.level is Level.SHOULD


class Flow(Struct, frozen=True, kw_only=True):
    """One connection that a firewall rule must let pass, and how far it got: a reviewer's row.

    A layer says ok, the word for why it ended there, "not reached" or "not tried".
    """

    rule: str  # IN-80 ... OUT-PYPI, OUT-PROXY; "" for what the profile adds
    asked: str  # the rule's port, source and destinations
    sentence: str  # the guide's
    if_closed: str = ""  # the guide's words for what breaks
    name: str
    port: int
    purpose: str
    need: str  # needed; indicator: of a rule's width; beside: the host's, where a container decides
    outcome: str = ""  # of the finding that judges it, never of what was not tried; "": indicator
    result: str = "not tried"  # one word for the whole
    said: str = ""  # the same as a sentence
    control: str = ""  # what the auditor met there at the same time
    finding: str = ""
    subject: str = ""
    vantage: str  # where it was dialled from
    source: str = ""  # the socket's own address there
    source_after_nat: str = "not measured"  # as a peer saw it
    context: str  # the network path that was dialled
    consumer: str  # whose connection it is judged for
    addresses_v4: tuple[str, ...] = ()
    addresses_v6: tuple[str, ...] = ()
    dns: str = "not tried"
    tcp: str = "not tried"
    tcp_v4: str = ""  # by IPv4 alone; "" without such an address
    tcp_v6: str = ""  # by IPv6 alone; a host without such a route does not try it
    tls: str = "not tried"
    http: str = "not tried"
    http_status: int = 0
    redirect: str = ""  # host and path; of a pull every request with what it was answered
    proxy: str = ""  # HOST:PORT
    proxy_from: str = ""  # where it is set, or why there is none
    proxy_status: int = 0  # what CONNECT was answered
    tls_version: str = ""
    leaf_subject: str = ""
    issuer: str = ""
    sha256: str = ""
    not_after: str = ""
    public_roots: str = ""  # what they say of the chain
    host_store: str = ""
    interception: str = ""  # the private authority that opens TLS
    tcp_seconds: float = 0.0
    seconds: float = 0.0
    tries: int = 0  # 2 where what may pass by itself was tried again
    at: str  # when it was dialled; the audit's start where it was not

    def __post_init__(self) -> None:
        clean_fields(self)


class Coverage(Struct, frozen=True):
    """How many findings of each kind; planned is the sum of six, waived lies over them."""

    planned: int
    passed: int
    failed: int
    warnings: int
    unknown: int
    blocked: int
    not_applicable: int
    waived: int
    not_selected: int

    @classmethod
    def of(cls, findings: Iterable[Finding], not_selected: int) -> Coverage:
        """Count findings; failed shoulds count as warnings only."""
        found = list(findings)
        outcomes = Counter("warning" if item.warning else item.outcome.value for item in found)
        return cls(
            planned=len(found),
            passed=outcomes["passed"],
            failed=outcomes["failed"],
            warnings=outcomes["warning"],
            unknown=outcomes["unknown"],
            blocked=outcomes["blocked"],
            not_applicable=outcomes["not-applicable"],
            waived=sum(item.waiver is not None for item in found),
            not_selected=not_selected,
        )


class HostReport(Struct, frozen=True, kw_only=True):
    """One host's findings. `trouble` says why it could not be asked, in one sentence."""

    host: str
    stage: Stage
    findings: tuple[Finding, ...]
    not_selected: tuple[str, ...] = ()
    fail_on: Level = Level.MUST
    trouble: str = ""
    remedy: str = ""
    user: str = ""
    address: str = ""
    started: str = ""
    seconds: float = 0.0
    again: str = ""  # the options that ask for the same deployment, as a shell takes them
    sent: tuple[str, ...] = ()
    not_verified: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()  # vantages that were named and not there, each with the reason
    flows: tuple[Flow, ...] = ()

    def __post_init__(self) -> None:
        clean_fields(self)

    @property
    def coverage(self) -> Coverage:
        return Coverage.of(self.findings, len(self.not_selected))

    def _binding(self) -> list[Finding]:
        strict = self.fail_on is Level.SHOULD
        return [item for item in self.findings if strict or item.level is Level.MUST]

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that make the host not ready."""
        return tuple(
            item for item in self._binding() if item.outcome is Outcome.FAILED and not item.waiver
        )

    @property
    def unproven(self) -> tuple[Finding, ...]:
        """The binding findings that nobody could prove or accepted, blocked ones included."""
        unmet = (Outcome.UNKNOWN, Outcome.BLOCKED)
        done = {item.key for item in self.accepted}
        found = (item for item in self._binding() if item.outcome in unmet and not item.waiver)
        return tuple(item for item in found if item.key not in done)

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """Blocked findings: no waiver covers them, so the one over their root has to."""
        return excused(self.findings)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Failed shoulds; with `--fail-on should` they are blockers instead."""
        if self.fail_on is Level.SHOULD:
            return ()
        return tuple(item for item in self.findings if item.warning and not item.waiver)

    @property
    def verdict(self) -> Verdict:
        """The worst that holds: failed, then unproven, then partial, then ready."""
        if self.blockers:
            return Verdict.NOT_READY
        proved = any(
            item.level is Level.MUST and item.outcome is Outcome.PASSED for item in self.findings
        )
        if self.trouble or self.unproven or not proved:
            return Verdict.INCOMPLETE
        return Verdict.PARTIAL if self.not_selected else Verdict.READY


class Report(Struct, frozen=True, kw_only=True):
    """One run over one or more hosts; the exit code comes from here and nowhere else."""

    tool: str
    requirements: str
    started: str
    finished: str
    hosts: tuple[HostReport, ...]
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    require_complete: bool = False
    interrupted: bool = False
    profile: Mapping[str, str] = {}
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        clean_fields(self)

    @property
    def verdict(self) -> Verdict:
        order = list(Verdict)
        verdicts = [host.verdict for host in self.hosts]
        return min(verdicts, key=order.index) if verdicts else Verdict.INCOMPLETE

    @property
    def exit_code(self) -> int:
        """130 interrupted, 1 a must failed, 3 incomplete (or partial when told), else 0."""
        if self.interrupted:
            return 130
        partial = 3 if self.require_complete else 0
        codes = {Verdict.NOT_READY: 1, Verdict.INCOMPLETE: 3, Verdict.PARTIAL: partial}
        return codes.get(self.verdict, 0)
