"""The firewall evidence as a table: one row for each rule and name, for a reviewer's own tools.

Before the rows of a host stands what was not verified, behind them what the audit itself sent:
rows with a sentence in `said`, told apart by `need`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from msgspec.structs import astuple, fields

from sesam_audit.model import Flow, HostReport, Report

from .ticket import ask, stands_for

_RULE = re.compile(r"(?:IN|OUT)-[A-Z0-9-]+(?=: )")
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
        about = {"user": host.user, "tool": report.tool, "requirements": report.requirements}
        for row in _rows(host):
            cells = {"host": host.host, **row, **about}
            rows.writerow(_cell(cells.get(name)) for name in COLUMNS)
    return table.getvalue()


def _rows(host: HostReport) -> Iterator[dict[str, object]]:
    for line in host.not_verified:
        rule = _RULE.match(line)
        yield {"rule": rule[0] if rule else "", "need": "not verified", "said": line}
    names = [item.name for item in fields(Flow)]
    for flow in host.flows:
        asked = {"stands_for": stands_for(flow), "ask": ask(flow, host)}
        yield {**dict(zip(names, astuple(flow), strict=True)), **asked}
    for line in host.sent:
        yield {"need": "sent", "said": line}


def _cell(value: object) -> str:
    """What is known as text; "" for what is not. No spreadsheet takes it for a formula."""
    text = " ".join(value) if isinstance(value, tuple) else str(value or "")
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\n")) else text
