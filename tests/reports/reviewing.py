"""What a reviewer reads off the two files: the HTML's firewall section, and the table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html.parser import HTMLParser

from msgspec import Struct

_VOID = ("meta", "input")


class Element(Struct):
    """One element of a page."""

    tag: str
    kind: str = ""  # its class
    inner: list[Element | str] = []

    @property
    def text(self) -> str:
        """Its words, each blank once."""
        words = (each if isinstance(each, str) else each.text for each in self.inner)
        return " ".join(" ".join(words).split())

    @property
    def lines(self) -> str:
        """Its text as it stands there."""
        return "".join(each if isinstance(each, str) else each.lines for each in self.inner)

    def all(self, tag: str, kind: str = "") -> Iterator[Element]:
        """Every element below of a tag, and of a class where one is given."""
        for each in self.inner:
            if isinstance(each, Element):
                if each.tag == tag and kind in (each.kind.split() or [""]) + [""]:
                    yield each
                yield from each.all(tag, kind)

    def one(self, tag: str, kind: str = "") -> Element:
        """The first of them."""
        return next(self.all(tag, kind))


class _Reader(HTMLParser):
    def __init__(self, document: str) -> None:
        super().__init__()
        self.open = [Element("page")]
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs).get("class") or "", [])
        self.open[-1].inner.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].inner.append(data)


class Shown(Struct, frozen=True):
    """One rule as the page shows it."""

    outcome: str
    missing: tuple[str, ...] = ()  # of the overview
    failed: tuple[tuple[str, str], ...] = ()  # name and result of its rows
    change: str = ""  # the ticket


def shown(document: str) -> dict[str, Shown]:
    """The rules of the firewall section by name."""
    firewall = _Reader(document).open[0].one("section", "firewall")
    found = {}
    for line in firewall.one("table", "rules").one("tbody").all("tr"):
        _, outcome, missing = line.all("td")
        lines = tuple(each.text for each in missing.all("span", "miss"))
        found[line.one("th").text] = Shown(outcome.text.strip("✓✗!?~- "), lines)
    for section in firewall.all("section", "rule"):
        name = section.one("code").text
        failed = tuple(_row(each) for each in section.all("tbody", "failed"))
        change = "".join(each.lines for each in section.all("pre"))
        found[name] = Shown(found[name].outcome, found[name].missing, failed, change)
    return found


def _row(body: Element) -> tuple[str, str]:
    details = {x.one("dt").text: x.one("dd").text for x in body.one("dl").all("div")}
    return body.one("th").text, details["Result"].partition(":")[0]


def table(document: str) -> list[dict[str, str]]:
    """The rows of the table, what was not verified and what was sent included."""
    return list(csv.DictReader(io.StringIO(document, newline="")))
