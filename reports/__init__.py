"""How an audit is told, one module per format; installed as sesam_audit.reports."""

from __future__ import annotations

from collections.abc import Callable

from sesam_audit.model import Report

from . import csv, html, json, junit, text

Renderer = Callable[[Report], str]

FORMATS: dict[str, Renderer] = {
    "text": text.render,
    "json": json.render,
    "junit": junit.render,
    "html": html.render,
    "csv": csv.render,
}
