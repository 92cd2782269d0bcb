"""The report for a terminal: verdict first, what to type next, and red only for what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from sesam_audit.cleaning import without_orders
from sesam_audit.model import Coverage, Finding, HostReport, Report, Verdict

from . import steps, summary
from .remedy import blocks

_VERDICTS = {
    Verdict.NOT_READY: "bold red",
    Verdict.INCOMPLETE: "bold yellow",
    Verdict.PARTIAL: "bold cyan",
    Verdict.READY: "bold green",
}
_SIGNS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "warning": ("!", "yellow"),
    "unknown": ("?", "cyan"),
    "blocked": ("?", "cyan"),
    "not-applicable": ("-", "dim"),
    "waived": ("~", "magenta"),
}
_LONGEST = 2000  # characters of one foreign sentence; the rest of it is in the JSON


def render(report: Report, color: bool = False, width: int = 80, verbose: bool = False) -> str:
    """Render for a person; `color` and `width` are those of the stream it goes to."""
    console = Console(
        file=StringIO(),
        width=max(width, 40),
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(Text("\n").join(_Page(console, verbose).report(report)), soft_wrap=True)
    return without_orders(capture.get())


class _Page:
    """Lines of one width."""

    def __init__(self, console: Console, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose

    def report(self, report: Report) -> Iterator[Text]:
        alone = len(report.hosts) == 1 and not report.interrupted
        if not alone:
            yield from self._put(Text(summary.overall(report), _VERDICTS[report.verdict]))
            yield from self._table(report.hosts)
            yield from self._header(report)
            yield Text()
        for host in report.hosts:
            if alone or self._verbose or not summary.silent(host):
                yield from self._host(host, self._header(report) if alone else ())
        yield Text(f"sesam-audit: {summary.closing(report)}", "dim")

    def _header(self, report: Report) -> Iterator[Text]:
        for line in report.header:
            yield from self._put(Text(line, "yellow"), 2)

    def _table(self, hosts: Iterable[HostReport]) -> Iterator[Text]:
        for host in hosts:
            sign = Text("■ ", _VERDICTS[host.verdict])
            line = Text.assemble(sign, (summary.flat(host.host), "bold"), "  ")
            yield from self._put(line.append(summary.headline(host)), 2, 4)

    def _host(self, host: HostReport, header: Iterable[Text]) -> Iterator[Text]:
        headline = summary.headline(host)
        yield from self._put(Text(headline, _VERDICTS[host.verdict]), 0, 2)
        yield from self._put(Text(_where(host), "dim"), 0, 2)
        if summary.flat(host.trouble) not in headline:
            yield from self._put(Text(f"Broken off: {host.trouble}", "yellow"), 0, 2)
        for line in host.unreached:
            yield from self._put(Text(line, "yellow"), 0, 2)
        yield from header
        yield Text()
        yield from self._section("Blockers", self._findings(host.blockers))
        if not summary.unasked(host):
            yield from self._section(*self._unproven(host))
        yield from self._section("Warnings", self._findings(host.warnings))
        yield from self._section("Waived", self._waived(host))
        yield from self._section("Checks", self._counts(host))
        if self._verbose:
            yield from self._details(host)
        yield from self._section("Next steps", self._next(host))
        yield from self._section("Left to a person", self._left(host))

    def _section(self, title: str, lines: Iterable[Text]) -> Iterator[Text]:
        shown = list(lines)
        if shown:
            yield Text(title, "bold underline")
            yield from shown
            yield Text()

    def _findings(self, findings: Iterable[Finding]) -> Iterator[Text]:
        for group in steps.alike(findings):
            first = group[0]
            name = summary.label(first) if len(group) == 1 else summary.names(group)
            gap = "  " if cell_len(f"    {name}  {first.title}") <= self._console.width else "\n"
            yield from self._put(_named(first, f"{gap}{first.title}", name), 2, 4)
            for words in dict.fromkeys(words for item in group for words in _messages(item)):
                yield from self._put(Text(words[:_LONGEST]), 4, 6)
            yield from self._remedy(first.remedy)

    def _remedy(self, remedy: str, indent: int = 4) -> Iterator[Text]:
        for block in blocks(remedy):
            if block.code:
                yield from self._code(block.text, indent + 2)
            else:
                yield from self._put(Text(block.text[:_LONGEST], "dim"), indent)

    def _code(self, command: str, indent: int) -> Iterator[Text]:
        """A command is never broken: what is copied must run."""
        for line in command.splitlines():
            yield Text.assemble(" " * indent, (line, "bold"))

    def _unproven(self, host: HostReport) -> tuple[str, Iterator[Text]]:
        doubts = steps.doubts(host)
        binding = len(host.unproven)
        advice = sum(len(doubt.findings) for doubt in doubts) - binding
        more = f", and {advice} only recommended" if advice else ""
        return f"Not proven: {binding}{more}", self._doubts(doubts)

    def _doubts(self, doubts: Iterable[steps.Doubt]) -> Iterator[Text]:
        for doubt in doubts:
            number = f" ({len(doubt.findings)})" if len(doubt.findings) > 1 else ""
            reason = Text.assemble(_SIGNS["unknown"], f" {doubt.reason[:_LONGEST]}{number}")
            gap = ": " if doubt.waits else "\n"
            names = Text(f"{gap}{summary.names(doubt.findings)}", "dim")
            yield from self._put(reason.append_text(names), 2, 4)
            yield from self._code(doubt.command, 6)
            for remedy in doubt.remedies:
                yield from self._remedy(remedy)

    def _waived(self, host: HostReport) -> Iterator[Text]:
        for item in host.findings:
            if item.waiver:
                words = f"  {item.outcome.value}: {item.message}"
                yield from self._put(_named(item, words[:_LONGEST]), 2, 4)
                who = f"accepted until {item.waiver.until} by {item.waiver.by}"
                yield from self._put(Text(f"{who}: {item.waiver.reason}", "dim"), 4)
        if host.accepted:
            text = (
                f"accepted with these, because they wait for them: {summary.names(host.accepted)}"
            )
            yield from self._put(Text(text, "dim"), 2, 4)

    def _counts(self, host: HostReport) -> Iterator[Text]:
        groups = summary.categories(host.findings)
        widest = max(map(cell_len, groups), default=0)
        for category, findings in groups.items():
            coverage = Coverage.of(findings, 0)
            name = f"  {category}{' ' * (widest - cell_len(category))}  "
            yield Text.assemble(name, *_numbers(coverage))
        yield from self._put(Text(summary.total(host.coverage), "dim"), 2)

    def _details(self, host: HostReport) -> Iterator[Text]:
        yield from self._section("All findings", self._all(host.findings))
        for title, lines in (
            ("Not verified", host.not_verified),
            ("Not selected", host.not_selected),
            ("Sent by the audit", host.sent),
        ):
            rows = [row for line in lines for row in self._put(Text(line), 2, 4)]
            yield from self._section(title, rows)

    def _all(self, findings: Iterable[Finding]) -> Iterator[Text]:
        for item in findings:
            yield from self._put(_named(item, f"  {summary.flat(item.message)[:_LONGEST]}"), 2, 4)

    def _next(self, host: HostReport) -> Iterator[Text]:
        for owner, todo in steps.steps(host).items():
            yield Text(f"  {owner.value[0].upper()}{owner.value[1:]}", "bold")
            for step in todo:
                yield from self._put(_step(step), 2, 6)
        if steps.applying(host):
            yield from self._put(Text("Steps marked * can be mended by apply; it shows how:"), 2)
            yield from self._code(steps.applying(host), 6)
        if host.trouble:
            yield from self._remedy(host.remedy, 2)
        words, command = steps.last_step(host)
        if command:
            yield from self._put(Text(words), 2)
            yield from self._code(command, 6)

    def _left(self, host: HostReport) -> Iterator[Text]:
        for step in steps.left(host):
            yield from self._put(Text(step), 2, 5)

    def _put(self, text: Text, indent: int = 0, hang: int | None = None) -> Iterator[Text]:
        """The lines of a text, broken at words; foreign line breaks stay behind the indent."""
        hang = indent if hang is None else hang
        margin = indent
        for line in text.split("\n", allow_blank=True):
            line.expand_tabs(4)
            wide = cell_len(line.plain) > self._console.width - margin
            parts = line.wrap(self._console, self._console.width - hang) if wide else [line]
            for part in parts:
                part.rstrip()
                yield Text.assemble(" " * margin, part)
                margin = hang


def _where(host: HostReport) -> str:
    address = f" ({host.address})" if host.address and host.address not in host.host else ""
    facts = (f"stage {host.stage.value}", host.user and f"as {host.user}", host.started)
    took = f"{host.seconds:.1f} s" if host.seconds else ""
    return summary.flat(" · ".join(filter(None, (f"{host.host}{address}", *facts, took))))


def _named(finding: Finding, words: str, name: str = "") -> Text:
    sign, style = _SIGNS[summary.state(finding)]
    label = name or summary.label(finding)
    return Text.assemble((f"{sign} ", style), (label, "bold"), words)


def _messages(finding: Finding) -> Iterator[str]:
    """What was found, named when a group shares one heading, and what stands beside it."""
    if finding.subject and finding.subject.partition(":")[0] not in finding.message:
        yield f"{summary.flat(finding.subject)}: {finding.message}"
    elif finding.message != finding.title:
        yield finding.message
    yield from finding.notes


def _numbers(coverage: Coverage) -> Iterator[Text]:
    styles = {"failed": "red", "warnings": "yellow", "unknown": "cyan", "blocked": "cyan"}
    shown = [(name, getattr(coverage, name)) for name in summary.COUNTS[1:-1]]
    for place, (name, count) in enumerate(pair for pair in shown if pair[1]):
        yield Text(", " if place else "")
        words = name.replace("_", " ") if count > 1 else name.replace("_", " ").removesuffix("s")
        yield Text(f"{count} {words}", styles.get(name, ""))


def _step(step: steps.Step) -> Text:
    waiting = f" ({summary.several(step.waiting, 'check waits', 'checks wait')})"
    return Text.assemble(
        f"{step.number:3}. ",
        (summary.names(step.findings), "bold"),
        "*" if step.first.apply_mends else "",
        "" if step.blocks else " (recommended)",
        waiting if step.waiting else "",
        f"  {step.first.title}",
    )
