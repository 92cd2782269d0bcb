"""The walk of an apply: audit, plan, ask, carry out, audit again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import click

from sesam_audit import applying
from sesam_audit.agent_link import AgentLink, Document, RefusedError
from sesam_audit.audit import Audit
from sesam_audit.delivery import Delivery
from sesam_audit.errors import AuditError, UsageError
from sesam_audit.host import Target, Way
from sesam_audit.level import Stage
from sesam_audit.model import Report
from sesam_audit.plan import Plan
from sesam_audit.plan_text import draft_text, plan_text
from sesam_audit.planning import FACTS, draft, unmended
from sesam_audit.progress import Progress
from sesam_audit.request import Request
from sesam_audit.site import Draft, Site, Wishes
from sesam_audit.telling import Teller

NOTHING, FAILED, CHANGED, PENDING, INTERRUPTED = 0, 1, 3, 10, 130


@dataclass(frozen=True, kw_only=True)
class Session:
    """One apply on one host, with all that was given for it."""

    target: Target
    request: Request
    wishes: Wishes
    delivery: Delivery
    only_plan: bool
    yes: bool

    def run(self) -> int:
        """Walk to the end; the exit code says how it came out."""
        link = AgentLink(self.target, self.request.way)
        teller = Teller(quiet=self.delivery.quiet)
        try:
            return self._run(link, teller)
        except applying.Detached as left:
            teller.say(f"{left}. To follow it again: sesam-audit apply {self.target.spec}")
            return INTERRUPTED
        except RefusedError as refusal:
            if refusal.kind != "changed":
                raise
            teller.say(str(refusal))
            return CHANGED
        finally:
            link.close()

    def _run(self, link: AgentLink, teller: Teller) -> int:
        report, audit = self._audited(self.request)
        arrival = audit.arrivals[0]
        if arrival.trouble:
            raise AuditError(arrival.trouble, arrival.remedy)
        site = Site(self.request.profile, arrival.known, report.hosts[0].findings, self.wishes)
        made = draft(site)
        if made.stops:
            self._show(made, site, None, 0)
            return FAILED
        status = link.ask("status")
        if status["held"] and not self.only_plan:
            return self._attached(link, status, teller)
        if known := applying.appliance_of(status):
            made = draft(replace(site, wishes=replace(self.wishes, appliance=known)))
        looked = applying.look(link, made.steps, made.secrets)
        plan = self._plan(looked)
        run = applying.unfinished(status)
        left = applying.remaining(link, run, plan, made.secrets) if run else None
        made.stops.extend(applying.in_the_way(looked, run if left else None))
        if run and left:
            teller.say(f"Going on with run {run['run']}, which was interrupted: what is left of it")
            already = len(run["plan"]["actions"]) - len(left.actions)
            self._show(made, site, left, already, run["plan"]["id"])
            request = {"plan": run["plan"], "boot": status["boot"]}
            return self._decided(link, teller, made, site, left, request)
        if stop := applying.stranded(run, plan):
            made.stops.append(stop)
        self._show(made, site, plan, looked.already)
        return self._decided(link, teller, made, site, plan, {"plan": plan.document()})

    def _plan(self, looked: applying.Looked) -> Plan:
        profile, wishes = self.request.profile.changed(), self.wishes.told()
        return applying.bound(looked, profile, applying.new_run(), wishes)

    def _decided(  # noqa: PLR0913, PLR0917 - all that a decision is made on
        self,
        link: AgentLink,
        teller: Teller,
        made: Draft,
        site: Site,
        plan: Plan,
        request: Document,
    ) -> int:
        """Ask, and do what was shown: `plan`, which is `request`'s or what is left of that."""
        left = unmended(site.findings, made)
        if made.stops:
            return FAILED
        if self.only_plan:
            return PENDING if plan.actions or made.missing else NOTHING
        if made.missing and self.wishes.start:
            raise UsageError(
                f"To start the stack, give {', '.join(made.missing)}", "Nothing was changed"
            )
        if not plan.actions:
            return self._audited_again(FAILED if left else NOTHING)
        self._ask(len(plan.actions))
        told = {"secrets": made.secrets, "operator": applying.operator()}
        result = applying.carry_out(link, {**request, **told}, teller.of(plan.document()))
        return self._ended(result, teller)

    def _attached(self, link: AgentLink, status: Document, teller: Teller) -> int:
        holder = status.get("holder") or {}
        if not holder.get("alive"):
            raise AuditError(
                "A program that an earlier apply started still runs on the host",
                "Wait until it has ended: sudo lsof /var/lib/sesam-audit",
            )
        if not self._asked_for(status):
            verbs = {"undo": "Taking back run", "finish": "Finishing run"}
            what = f"{verbs.get(holder.get('verb', ''), 'Run')} {holder['run']}"
            raise AuditError(
                f"{what} of {holder['operator']} (since {holder['since']}) is at work there,"
                " and it is not what is asked for now",
                "Wait until it has ended, or give the very command that started it, to follow it",
            )
        teller.say(f"Run {holder['run']} of {holder['operator']} is at work there: following it")
        result = applying.follow(link, holder["run"], 0, teller.of(status["work"]))
        return self._ended(result, teller)

    def _asked_for(self, status: Document) -> bool:
        """Whether what is at work there is an apply of this very request."""
        work, now = status.get("work"), self._plan(applying.Looked((), 0, (), "", ""))
        return work is not None and applying.same_request(work, now)

    def _ended(self, result: Document, teller: Teller) -> int:
        outcome = result.get("outcome")
        if outcome == "done":
            return self._audited_again(NOTHING)
        teller.trouble(result)
        if outcome == "changed":
            return CHANGED
        if outcome == "stopped":
            teller.say("The same command goes on where it was; `sesam-audit undo` takes it back")
            return INTERRUPTED
        return self._audited_again(FAILED if outcome == "failed" else CHANGED)

    def _audited(self, request: Request) -> tuple[Report, Audit]:
        audit = Audit(replace(request, also=FACTS))
        progress = Progress(quiet=self.delivery.quiet, total=1)
        report = audit.finish(audit.start([self.target], progress, {}))
        progress.done()
        if report.interrupted:
            raise KeyboardInterrupt
        return report, audit

    def _audited_again(self, code: int) -> int:
        """The report of the host as it is now; its code, or the worse one that came before."""
        stage = Stage.LIVE if self.wishes.start else Stage.PREFLIGHT
        self.delivery.load()
        report, _ = self._audited(replace(self.request, stage=stage))
        self.delivery.write(report)
        return code or report.exit_code

    def _show(
        self, made: Draft, site: Site, plan: Plan | None, already: int, approved: str = ""
    ) -> None:
        """The plan goes to standard output when it is all that was asked for."""
        width = self.delivery.width()
        text = draft_text(made, unmended(site.findings, made), width=width, already=already)
        if plan and plan.actions:
            shown = plan_text(
                self.target.spec, plan, width=width, verbose=self.delivery.verbose, of=approved
            )
            text = f"{shown}\n{text}"
        elif plan:
            text = f"{self.target.spec}: nothing to do\n{text}"
        click.echo(text, err=not self.only_plan, color=None if self.delivery.color else False)

    def _ask(self, count: int) -> None:
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(
                "Nobody can be asked: standard input is no terminal",
                "Look at the plan with --plan, then use --yes; nothing was changed",
            )
        noun = "this action" if count == 1 else f"these {count} actions"
        if not click.confirm(f"Carry out {noun}?", err=True):
            raise click.exceptions.Abort


def moment() -> datetime:
    """Now, by the auditor's clock."""
    return datetime.now(timezone.utc)


def taken_back(target: Target, way: Way, options: Mapping[str, Any], verb: str) -> int:
    """Walk through an undo or a finish: show, ask, do, tell."""
    link, teller = AgentLink(target, way), Teller(quiet=options["quiet"])
    try:
        return _taken_back(link, teller, options, verb)
    except applying.Detached as left:
        teller.say(f"{left}; the same command follows it")
        return INTERRUPTED
    finally:
        link.close()


def _taken_back(link: AgentLink, teller: Teller, options: Mapping[str, Any], verb: str) -> int:
    wanted = {"run": options["run"]} if options["run"] else {}
    dry = link.ask(verb, **wanted, dry=True)
    teller.outlook(verb, dry)
    if not dry["actions"]:
        return NOTHING
    if options["plan"]:
        return PENDING
    if not options["yes"]:
        if not sys.stdin.isatty():
            raise UsageError(
                "Nobody can be asked: standard input is no terminal",
                "Use --yes; nothing was changed",
            )
        if not click.confirm(teller.question(verb), err=True):
            raise click.exceptions.Abort
    request = {"run": dry["run"], "operator": applying.operator()}
    result = applying.carry_out(link, request, teller, verb)
    teller.lists(result)
    if result.get("outcome") == "done":
        return FAILED if result.get("left") else NOTHING
    teller.trouble(result)
    return INTERRUPTED if result.get("outcome") == "stopped" else FAILED
