"""The modules under test: installed inside sesam_audit, checked by mypy where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports import FORMATS, csv, html, json, junit, remedy, steps, summary, text, ticket
else:
    from sesam_audit.reports import (
        FORMATS,
        csv,
        html,
        json,
        junit,
        remedy,
        steps,
        summary,
        text,
        ticket,
    )

__all__ = [
    "FORMATS",
    "csv",
    "html",
    "json",
    "junit",
    "remedy",
    "steps",
    "summary",
    "text",
    "ticket",
]
