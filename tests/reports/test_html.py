from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tests.reports import samples
from tests.reports.formats import html

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"),
    *("article", "h1", "h2", "h3", "h4", "p", "span", "code", "pre", "dl", "div", "dt", "dd"),
    *("ol", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("fieldset", "legend", "label", "input", "a"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "id", "aria-labelledby"),
    *("aria-hidden", "role", "tabindex", "scope", "colspan", "value", "open", "hidden", "type"),
    *("checked", "href"),
}
VOID = {"meta", "input"}


class Page(HTMLParser):
    """Every element, attribute and word of a page; complains about what is not closed."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(document)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((name, value or "") for name, value in attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


@pytest.mark.parametrize("name", [*samples.SAMPLES, "hostile"])
def test_only_known_elements_and_attributes_are_there(name: str) -> None:
    report = samples.hostile() if name == "hostile" else samples.SAMPLES[name]()
    page = Page(html.render(report))

    assert set(page.tags) <= TAGS
    assert {key for key, _ in page.attributes} <= ATTRIBUTES


def test_hostile_text_is_text() -> None:
    page = Page(html.render(samples.hostile()))

    for text in ("<script>alert(1)</script>", "{{ 7 * 7 }}{% raw %}", "\\u202eydaeR"):
        assert text in page.words
    assert not re.search("[\u202a-\u202e\u2066-\u2069\ud800-\udfff\x00\x1b]", page.words)


@pytest.mark.parametrize("name", [*samples.SAMPLES])
def test_every_link_leads_to_a_place_in_the_page(name: str) -> None:
    page = Page(html.render(samples.SAMPLES[name]()))
    places = page.values("id")

    assert len(set(places)) == len(places)
    assert {link.removeprefix("#") for link in page.values("href")} <= set(places)
    assert set(page.values("aria-labelledby")) <= set(places)


def test_the_policy_allows_the_style_sheet_and_nothing_else() -> None:
    document = html.render(samples.ready())
    style = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()

    assert len(style) == 1
    assert (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        in Page(document).values("content")
    )


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
@pytest.mark.parametrize("ground", ["paper", "wash"])
@pytest.mark.parametrize("name", ["ink", "muted", "bad", "warn", "open", "good", "kept"])
def test_every_colour_can_be_read(theme: int, ground: str, name: str) -> None:
    style = re.findall(r":root \{(.*?)\}", html.render(samples.ready()), re.DOTALL)[theme]
    colours = dict(re.findall(r"--(\w+): (#\w+);", style))
    full = {
        key: value if len(value) == 7 else "#" + "".join(c * 2 for c in value[1:])
        for key, value in colours.items()
    }
    high, low = sorted((luminance(full[name]), luminance(full[ground])), reverse=True)

    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_nothing_is_fetched() -> None:
    assert not re.search(r"url\(|@import|src=", html.render(samples.ready()))


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("ready", "Ready"),
        ("not-ready", "Not ready: 4 blockers, 2 warnings, 3 not proven"),
        ("incomplete", "Nothing wrong found, 8 not proven"),
        ("several", "Not ready · 4 hosts: 1 not ready, 2 incomplete, 1 ready"),
    ],
)
def test_the_verdict_is_the_one_first_heading(name: str, verdict: str) -> None:
    document = html.render(samples.SAMPLES[name]())
    headings = re.findall(r"<h1>(.*?)</h1>", document, re.DOTALL)

    assert [re.sub("<[^>]+>", "", heading) for heading in headings] == [verdict]


@pytest.mark.parametrize("name", [*samples.SAMPLES])
def test_no_level_of_heading_is_left_out(name: str) -> None:
    levels = [int(n) for n in re.findall(r"<h(\d)", html.render(samples.SAMPLES[name]()))]

    assert levels[0] == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_a_finding_tells_everything_that_is_known() -> None:
    page = Page(html.render(samples.not_ready()))

    for words in (
        "8.3 GB",
        "16 GB",
        "hardware.memory",
        "We recommend setting up at least a machine",
        "File /proc/meminfo",
        "root (sudo from ops)",
        "2026-11-22T21:58:07Z, 0.012 s",
    ):
        assert words in page.words


def firewall(name: str = "not-ready") -> str:
    document = html.render(samples.SAMPLES[name]())
    return document.partition('class="firewall"')[2].partition(">All findings<")[0]


def rule(name: str) -> str:
    return firewall().partition(f"<code>{name}</code>")[2].partition("</section>")[0]


def test_the_firewall_tells_every_rule_that_was_judged() -> None:
    for name in ("IN-80", "IN-443", "OUT-HUB", "OUT-LE", "OUT-SESAM", "OUT-PYPI"):
        assert f"<code>{name}</code>" in firewall()


def test_a_rule_stands_with_the_guides_sentence_and_its_worst_state() -> None:
    heading, _, rest = rule("OUT-HUB").partition("</h3>")

    assert "*.docker.com, *.docker.io" in heading
    assert 'class="state failed"' in heading
    assert "needs access to docker HUB" in rest


def test_a_row_shows_how_far_a_name_got() -> None:
    row = (
        rule("OUT-HUB").partition("production.cloudfront.docker.com:443<")[2].partition("</tr>")[0]
    )
    cells = re.findall('<td class="(good|stop|quiet)">([^<]*)</td>', row)

    assert cells == [
        ("good", "ok"),
        ("stop", "timeout"),
        ("quiet", "not reached"),
        ("quiet", "not reached"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "192.0.2.7, 192.0.2.8, 2001:db8::7",
        "registry-1.docker.io by Amazon, until 2027-01-31",
        "abab",
        "public roots: trusted; the host&#39;s store: trusted",
        "www.docker.com/",
        "packets vanish on the way",
        "outbound.docker registry-1.docker.io:443 via daemon",
        "Wildcard",
    ],
)
def test_a_reviewer_reads_whom_each_name_met(words: str) -> None:
    assert words in firewall()


def test_a_source_after_nat_is_shown_where_a_peer_saw_it() -> None:
    assert "198.51.100.9" in rule("IN-443")
    assert "not measured" in rule("OUT-HUB")


def test_a_finding_without_a_row_is_told_too() -> None:
    assert "acme-v02.api.letsencrypt.org:443 is an ACME directory" in rule("OUT-LE")


def test_a_reviewer_first_reads_what_was_not_verified_and_which_rule_is_missing() -> None:
    order = ["What was not verified", "Which rule is missing", "<code>IN-443</code>"]
    places = [firewall().index(words) for words in order]

    assert places == sorted(places)


def test_the_missing_rule_is_named_with_what_did_not_get_through() -> None:
    table = firewall().partition("Which rule is missing")[2].partition("</table>")[0]
    (row,) = (each for each in table.split("<tr>") if "state failed" in each)

    assert row.startswith('<th scope="row">OUT-HUB</th>')
    assert "production.cloudfront.docker.com: tcp-timeout" in row


def test_a_closed_rule_has_the_text_of_its_change_ticket() -> None:
    texts = re.findall(r"For the change ticket</p>\s*<pre><code>([^<]*)</code>", firewall())

    assert len(texts) == 1
    assert texts[0].startswith("Firewall change OUT-HUB")


def test_what_the_audit_sent_stands_below_the_rules() -> None:
    assert firewall().index("<code>OUT-PYPI</code>") < firewall().index("What the audit sent")


def test_limits_are_told_where_no_network_was_judged() -> None:
    document = html.render(samples.partial())

    assert 'class="firewall"' not in document
    assert document.count(">What was not verified<") == 1


def test_limits_are_told_once() -> None:
    assert html.render(samples.not_ready()).count(">What was not verified<") == 1


def test_each_state_has_a_word_beside_its_colour() -> None:
    page = Page(html.render(samples.not_ready()))

    for word in ("passed", "failed", "warning", "unknown", "blocked", "not applicable"):
        assert re.search(rf"\s{word}\s", page.words)


def test_what_must_be_done_comes_before_everything_else() -> None:
    document = html.render(samples.not_ready())
    order = ["What to do next", "Not proven", ">Firewall<", "not verified", "All findings"]
    places = [document.index(words) for words in order]

    assert places == sorted(places)
