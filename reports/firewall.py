"""The firewall as its reviewer reads it: rule by rule, what was dialled and how far it got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sesam_audit.model import Finding, Flow, HostReport, Report

from . import summary
from .ticket import closed, inside_alone, stands_for, ticket

_NEEDS = {
    "needed": "required",
    "indicator": "an indicator, not required",
    "beside": "shown beside the consumer's own",
}
_QUIET = ("not tried", "not reached", "answered", "by the proxy")
_WORST = ("failed", "unknown", "blocked", "warning", "waived", "passed", "not-applicable")


@dataclass
class RuleSection:
    """One rule of the guide with its rows, and the findings that no row shows."""

    name: str
    asked: str = ""
    sentence: str = ""
    wildcards: list[str] = field(default_factory=list)
    rows: list[tuple[Flow, Finding | None]] = field(default_factory=list)
    others: list[Finding] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What did not get through, each name once with how it ended."""

    @property
    def state(self) -> str:
        """The worst of its findings; "" when none judges it.

        A finding that is not the rule's own counts where a connection of the rule did not get
        through: what else is wrong with it is no firewall's fault.
        """
        judged = [
            finding
            for flow, finding in self.rows
            if finding is not None
            and ((finding.rule or "") == self.name or flow.result not in ("ok", "not tried"))
        ]
        return min(map(summary.state, [*self.others, *judged]), key=_WORST.index, default="")


def rules(host: HostReport) -> list[RuleSection]:
    """Every rule that was judged; none when the network was not selected."""
    if summary.unasked(host) or not any(item.rule for item in host.findings):
        return []
    found: dict[str, RuleSection] = {}
    findings = {item.key: item for item in host.findings}
    for flow in host.flows:
        rule = found.setdefault(flow.rule, RuleSection(flow.rule, flow.asked, flow.sentence))
        rule.rows.append((flow, findings.get((flow.finding, flow.subject or None))))
        if closed(flow):
            inside = ", from containers alone" if inside_alone(flow, host) else ""
            rule.missing.append(f"{flow.name}: {flow.result}{inside}")
    shown = {(flow.finding, flow.subject or None) for flow in host.flows}
    for item in host.findings:
        if item.rule and item.key not in shown:
            found.setdefault(item.rule, RuleSection(item.rule)).others.append(item)
    for rule in found.values():
        rule.missing = list(dict.fromkeys(rule.missing))
        rule.wildcards.extend(x for x in host.not_verified if x.startswith(f"{rule.name}:"))
    return [rule for rule in found.values() if rule.rows or rule.state != "not-applicable"]


def change(rule: RuleSection, host: HostReport, report: Report) -> str:
    """The text of the rule's change ticket; "" where nothing of it failed."""
    return ticket(rule.name, (flow for flow, _ in rule.rows), report, host)


def state(flow: Flow, finding: Finding | None) -> str:
    """How a row is shown: as its finding, unless nobody tried what others proved; "" for none."""
    if finding is None or flow.outcome == finding.outcome.value:
        return summary.state(finding) if finding else ""
    return flow.outcome


def layer(word: str) -> str:
    """How a layer's word is shown."""
    return "good" if word == "ok" else "quiet" if word in _QUIET else "stop"


def details(flow: Flow, finding: Finding | None) -> Iterator[tuple[str, str]]:
    """What is known of a flow beyond its row, as name and text; nothing empty."""
    certificate = f"{flow.leaf_subject} by {flow.issuer}, until {flow.not_after}"
    trust = f"public roots: {flow.public_roots}"
    if flow.host_store:
        trust += f"; the host's store: {flow.host_store}"
    result = f"{flow.result}: {flow.said}" if flow.said else flow.result
    verdict = finding.message if finding is not None else ""
    shown = {
        "Result": result,
        "Verdict": "" if verdict in result else verdict,
        "From the auditor": flow.control,
        "What for": flow.purpose,
        "Need": _NEEDS.get(flow.need, flow.need),
        "Stands for": stands_for(flow),
        "Judged for": flow.consumer,
        "Dialled on": flow.context,
        "Addresses": ", ".join((*flow.addresses_v4, *flow.addresses_v6)),
        "TCP by family": _families(flow),
        "Proxy": _proxy(flow),
        "Redirect": flow.redirect,
        "TLS": flow.tls_version,
        "Certificate": certificate if flow.issuer else "",
        "SHA-256": flow.sha256,
        "Trust": trust if flow.public_roots else "",
        "TLS opened by": flow.interception,
        "Source after NAT": flow.source_after_nat if flow.source else "",
        "At": f"{flow.at}, {flow.seconds:.3f} s" if flow.seconds else flow.at,
        "Tries": "second try of 2" if flow.tries > 1 else "",
        "Finding": " ".join(filter(None, (flow.finding, flow.subject))),
    }
    return ((name, text) for name, text in shown.items() if text)


def _families(flow: Flow) -> str:
    told = {"IPv4": flow.tcp_v4, "IPv6": flow.tcp_v6}
    return ", ".join(f"{family} {word}" for family, word in told.items() if word)


def _proxy(flow: Flow) -> str:
    answered = f", CONNECT answered {flow.proxy_status}" if flow.proxy_status else ""
    if not flow.proxy:
        return f"none: {flow.proxy_from}" if flow.proxy_from else ""
    return f"{flow.proxy}{answered}, set by {flow.proxy_from}"
