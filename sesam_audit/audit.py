"""The whole: hosts collected concurrently, judged as they arrive, one report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from importlib import import_module
from typing import TypeVar

from sesam_audit import REQUIREMENTS_VERSION, __version__
from sesam_audit.collect import Arrival, Collection, Order, Progress, fact_kinds
from sesam_audit.errors import Unknown, refuse_optimised
from sesam_audit.evidence import Evidence, Known
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.sent import sent
from sesam_audit.flows import flows
from sesam_audit.host import Conversation, Target, parse
from sesam_audit.judge import Case, judge, not_run, plan, with_needs
from sesam_audit.limits import not_verified
from sesam_audit.model import Finding, HostReport, Report
from sesam_audit.profile import Profile
from sesam_audit.request import Request
from sesam_audit.requirement import catalogue, select
from sesam_audit.waivers import apply, idle

T = TypeVar("T")


def stamp(moment: float) -> str:
    """A Unix time as UTC text."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Audit:
    """One run: `start` reaches for the hosts at once, `finish` judges them and reports."""

    def __init__(self, request: Request) -> None:
        """Choose what is judged.

        Raises:
            UsageError: --only or --skip name nothing.
            AuditError: Python runs without assertions.
        """
        refuse_optimised()
        self._request = request = request.sparing
        self._chosen, self._left_out = select(request.stage, request.only, request.skip)
        self._judged = with_needs(self._chosen, catalogue())
        self._planned = plan(self._judged, request.profile)
        self._started = time.time()
        self.hosts: list[HostReport] = []
        self.arrivals: list[Arrival] = []

    @property
    def profile(self) -> Profile:
        """The deployment that is judged."""
        return self._request.profile

    @property
    def kinds(self) -> tuple[type, ...]:
        """The facts that the judged checks ask for."""
        return fact_kinds([*(item.facts() for item in self._judged), self._request.also])

    def start(
        self, targets: Sequence[Target], progress: Progress, opened: Mapping[str, Conversation]
    ) -> Collection:
        """Start collecting, on conversations that were opened early where there are any."""
        order = Order(
            kinds=self.kinds,
            profile=self._request.profile,
            way=self._request.way,
            secrets=dict(self._request.secrets),
            jobs=self._request.jobs,
        )
        return Collection(targets, order, progress, opened)

    def load(self) -> None:
        """Import what finding facts and judging need, while the hosts answer."""
        for name in ("sesam_audit.engine", "cryptography.x509.verification", "distro"):
            import_module(name)
        import_module("cryptography.hazmat.backends").default_backend()

    def finish(self, collection: Collection) -> Report:
        """Judge each host as it arrives; after Ctrl-C the report holds what was finished."""
        from sesam_audit import engine

        def batches() -> Iterator[tuple[str, Case, Callable[[list[Finding]], None]]]:
            for _ in collection.targets:
                arrival = collection.arrivals.get()
                yield self._batch(arrival)

        interrupted = True
        try:
            interrupted = engine.run(self._planned, batches())
        except KeyboardInterrupt:
            pass
        finally:
            collection.stop()
        return self.report([target.spec for target in collection.targets], interrupted=interrupted)

    def judge(self, arrival: Arrival) -> None:
        """Judge one host's saved evidence, without pytest."""
        _, case, keep = self._batch(arrival)
        earlier: dict[tuple[str, str | None], Finding] = {}
        for item, subject in self._planned:
            finding = judge(item, subject, case, earlier)
            earlier[finding.key] = finding
        keep(list(earlier.values()))

    def _batch(self, arrival: Arrival) -> tuple[str, Case, Callable[[list[Finding]], None]]:
        self.arrivals.append(arrival)
        keep = partial(self._keep, arrival)
        return arrival.target.spec, self._case(arrival), keep

    def _case(self, arrival: Arrival) -> Case:
        return Case(
            known=arrival.known,
            profile=self._request.profile,
            now=self._now(arrival),
            asked=self._asked(arrival),
            stage=self._request.stage,
            user=arrival.evidence.user,
            at=stamp(arrival.evidence.started or self._started),
        )

    def _now(self, arrival: Arrival) -> datetime:
        """The deployment's dates are judged at the evidence's own time, or at --as-of."""
        return self._request.as_of or self._asked(arrival)

    def _asked(self, arrival: Arrival) -> datetime:
        moment = arrival.evidence.started or self._started
        return datetime.fromtimestamp(moment, timezone.utc)

    def _keep(self, arrival: Arrival, findings: list[Finding]) -> None:
        """One host's report; a planned finding that is missing did not run, and says so."""
        known = {finding.key: finding for finding in findings}
        listed = [
            apply(
                self._request.waivers,
                arrival.target.spec,
                known.get((item.id, subject)) or not_run(item, subject),
                self._now(arrival),
            )
            for item, subject in plan(self._chosen, self._request.profile)
        ]
        not_told: list[str] = []
        flowed = _whole("connections", flows(self._case(arrival), listed), not_told)
        did = _whole("lines of what the audit sent", sent(arrival.evidence), not_told)
        limits = _whole("limits", not_verified(self.profile, self._chosen, arrival.known), not_told)
        missing = _whole("vantages that were not reached", _unreached(arrival.known), not_told)
        self.hosts.append(
            HostReport(
                host=arrival.target.spec,
                stage=self._request.stage,
                again=self._request.again,
                findings=tuple(listed),
                not_selected=tuple(self._left_out),
                fail_on=self._request.fail_on,
                trouble=arrival.trouble,
                remedy=arrival.remedy,
                user=arrival.evidence.user,
                address=arrival.evidence.address,
                started=stamp(arrival.evidence.started or self._started),
                seconds=round(arrival.seconds, 3),
                sent=did,
                unreached=missing,
                not_verified=(*not_told, *limits),
                flows=flowed,
            )
        )

    def report(self, order: Sequence[str], *, interrupted: bool = False) -> Report:
        """The report, hosts in the order they were named."""
        request = self._request
        done = {host.host for host in self.hosts}
        for spec in order:
            if spec not in done:
                self._keep(_never_came(spec), [])
        return Report(
            tool=f"sesam-audit {__version__}",
            requirements=REQUIREMENTS_VERSION,
            started=stamp(self._started),
            finished=stamp(time.time()),
            hosts=tuple(sorted(self.hosts, key=lambda host: order.index(host.host))),
            only=request.only,
            skip=request.skip,
            require_complete=request.require_complete,
            interrupted=interrupted,
            profile=request.profile.changed(),
            header=tuple(self._header()),
        )

    def _header(self) -> Iterator[str]:
        """What every report says first: sizes that were lowered, waivers that waive nothing."""
        lowered = self._request.profile.lowered()
        if lowered:
            yield lowered
        now = max(map(self._now, self.arrivals), default=datetime.now(timezone.utc))
        yield from idle(
            self._request.waivers, [(host.host, host.findings) for host in self.hosts], now
        )


def _unreached(known: Known) -> Iterator[str]:
    outside = known[Outside]
    yield from () if isinstance(outside, Unknown) else outside.absences


def _never_came(spec: str) -> Arrival:
    return Arrival(
        target=parse(spec),
        evidence=Evidence(spec),
        known=Known({}),
        trouble=f"{spec}: interrupted before it was judged",
        remedy="Start the audit again",
    )


def _whole(what: str, lines: Iterable[T], not_told: list[str]) -> tuple[T, ...]:
    """What stands beside the findings: a fault in it must cost neither them nor another host."""
    told: list[T] = []
    try:
        told.extend(lines)
    except Exception as fault:  # noqa: BLE001 - said in the report
        why = f"{type(fault).__name__}: {fault}"
        not_told.append(f"Not all {what} could be listed, by a fault of sesam-audit: {why}")
    return tuple(told)
