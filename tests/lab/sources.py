"""The machine's own apt sources, rewritten for another suite of the same mirrors."""

from __future__ import annotations

import re
from pathlib import Path

ETC_APT = Path("/etc/apt")


def write(suite: str, directory: Path) -> list[Path]:
    """Write the machine's Debian sources for `suite` into `directory`; return the files."""
    own = _own_suite()
    lines: list[str] = []
    stanzas: list[str] = []
    for path in (ETC_APT / "sources.list", *sorted((ETC_APT / "sources.list.d").glob("*"))):
        if path.suffix == ".sources":
            stanzas += filter(None, (_stanza(s, own, suite) for s in _paragraphs(path)))
        elif path.suffix == ".list" and path.is_file():
            lines += filter(None, (_line(x, own, suite) for x in path.read_text().splitlines()))
    if not lines and not stanzas:
        raise RuntimeError(f"no apt source of this machine serves {own}: cannot find a mirror")

    directory.mkdir(parents=True)
    files = []
    for name, parts in (("lab.list", lines), ("lab.sources", stanzas)):
        if parts:
            files.append(directory / name)
            files[-1].write_text("\n\n".join(parts) + "\n")
    return files


def _own_suite() -> str:
    release = Path("/etc/os-release").read_text()
    match = re.search(r"^VERSION_CODENAME=(\S+)$", release, re.MULTILINE)
    if not match:
        raise RuntimeError("/etc/os-release names no VERSION_CODENAME: not a Debian release")
    return match[1]


def _paragraphs(path: Path) -> list[str]:
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE)
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def _stanza(text: str, own: str, suite: str) -> str | None:
    match = re.search(r"^Suites:(.*)$", text, re.MULTILINE)
    suites = _translated(match[1].split(), own, suite) if match else []
    if not match or not suites:
        return None
    return text.replace(match[0], f"Suites: {' '.join(suites)}").strip()


def _line(text: str, own: str, suite: str) -> str | None:
    match = re.match(r"deb\s+(\[.*?\]\s+)?(\S+)\s+(\S+)\s+(.+)", text)
    suites = _translated([match[3]], own, suite) if match else []
    if not match or not suites:
        return None
    return f"deb {match[1] or ''}{match[2]} {suites[0]} {match[4]}"


def _translated(suites: list[str], own: str, suite: str) -> list[str]:
    """`own` and its security suite become `suite`; -updates and foreign suites are left out."""
    names = {own: suite, f"{own}-security": f"{suite}-security"}
    return [names[name] for name in suites if name in names]
