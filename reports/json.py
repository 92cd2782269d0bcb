"""The report as JSON: the versioned document that scripts and `compare` rely on."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import asdict

from sesam_audit.cleaning import without_orders_in_json
from sesam_audit.model import Finding, HostReport, Quantity, Report

from . import summary

SCHEMA = "sesam-audit/report/1"


def render(report: Report) -> str:
    """Render the document described by report.schema.json, always with the same keys in order."""
    document = msgspec.json.format(msgspec.json.encode(_report(report)), indent=2).decode()
    return without_orders_in_json(document) + "\n"


def _report(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tool": {
            "name": "sesam-audit",
            "version": report.tool.removeprefix("sesam-audit").strip(),
            "requirements": report.requirements,
        },
        "started": report.started,
        "finished": report.finished,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "interrupted": report.interrupted,
        "require_complete": report.require_complete,
        "selection": {"only": report.only, "skip": report.skip},
        "profile": dict(report.profile),
        "header": report.header,
        "hosts": [_host(host) for host in report.hosts],
    }


def _host(host: HostReport) -> dict[str, Any]:
    return {
        "host": host.host,
        "address": host.address,
        "user": host.user,
        "verdict": host.verdict.value,
        "headline": summary.headline(host),
        "stage": host.stage.value,
        "fail_on": host.fail_on.value,
        "started": host.started,
        "seconds": host.seconds,
        "trouble": host.trouble or None,
        "remedy": host.remedy or None,
        "coverage": asdict(host.coverage),
        "not_selected": host.not_selected,
        "not_verified": host.not_verified,
        "unreached": host.unreached,
        "sent": host.sent,
        "findings": [_finding(finding) for finding in host.findings],
        "flows": [asdict(flow) for flow in host.flows],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "subject": finding.subject,
        "category": finding.category,
        "title": finding.title,
        "level": finding.level.value,
        "outcome": finding.outcome.value,
        "message": finding.message,
        "measured": _quantity(finding.measured),
        "required": _quantity(finding.required),
        "reason": finding.reason,
        "lacks": finding.lacks and finding.lacks.value,
        "remedy": finding.remedy,
        "owner": finding.owner.value,
        "source": finding.source,
        "rule": finding.rule,
        "needs": finding.needs,
        "blocked_by": finding.blocked_by,
        "apply_mends": finding.apply_mends,
        "notes": finding.notes,
        "vantage": finding.vantage,
        "user": finding.user,
        "waiver": None if finding.waiver is None else asdict(finding.waiver),
        "evidence": finding.evidence,
        "at": finding.at,
        "seconds": finding.seconds,
    }


def _quantity(quantity: Quantity | None) -> dict[str, Any] | None:
    if quantity is None:
        return None
    return {"value": quantity.value, "unit": quantity.unit, "text": quantity.text}
