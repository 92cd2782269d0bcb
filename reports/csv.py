"""The firewall evidence as a table: one row for each rule and name, for a reviewer's own tools."""

from __future__ import annotations

import csv
import io

from msgspec.structs import astuple, fields

from sesam_audit.model import Flow, Report

from .ticket import ask, stands_for

COLUMNS = (
    "host",
    *(item.name for item in fields(Flow)),
    *("stands_for", "ask", "user", "tool", "requirements"),
)


def render(report: Report) -> str:
    """Render a header and the flows of every host, quoted as RFC 4180 says."""
    table = io.StringIO(newline="")
    rows = csv.writer(table)
    rows.writerow(COLUMNS)
    for host in report.hosts:
        about = (host.user, report.tool, report.requirements)
        for flow in host.flows:
            asked = (stands_for(flow), ask(flow, host))
            rows.writerow(map(_cell, (host.host, *astuple(flow), *asked, *about)))
    return table.getvalue()


def _cell(value: object) -> str:
    """What is known as text; "" for what is not. No spreadsheet takes it for a formula."""
    text = " ".join(value) if isinstance(value, tuple) else str(value or "")
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\n")) else text
