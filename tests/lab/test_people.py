"""The operator at a terminal: a real one, of a real size, with a person's keys."""

from __future__ import annotations

import contextlib
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import plain_environment

from .auditing import Auditor
from .host import LabHost
from .lab import Lab

PROMPT = "ready>"
SECONDS = 30.0
SIZES = ((80, 24), (100, 40))


class Terminal:
    """A shell in tmux: type into it, read what stands on its screen."""

    def __init__(
        self, socket: Path, log: Path, size: tuple[int, int], environment: dict[str, str]
    ) -> None:
        self._tmux = ("tmux", "-S", str(socket), "-f", "/dev/null")
        self._log = log
        shell = ("env", f"PS1={PROMPT}", *(f"{k}={v}" for k, v in environment.items()))
        width, height = map(str, size)
        self._do("new-session", "-d", "-x", width, "-y", height, *shell, "sh", "-i")
        self._do("pipe-pane", "-o", f"cat >>{shlex.quote(str(log))}")

    def type(self, command: tuple[str, ...], end: str = "; echo ended with $?") -> None:
        """Type a command and Enter."""
        script = self._log.with_suffix(".sh")
        script.write_text(f"clear; {shlex.join(command)}{end}\n")
        self._do("send-keys", "-l", f". {shlex.quote(str(script))}")
        self.press("Enter")

    def press(self, key: str) -> None:
        self._do("send-keys", key)

    def wait(self, pattern: str, seconds: float = SECONDS) -> str:
        """The screen, once it shows the pattern."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            screen = self.screen()
            if re.search(pattern, screen, re.MULTILINE):
                return screen
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} did not come within {seconds} s:\n{self.screen()}")

    def screen(self) -> str:
        """What a person sees now."""
        return self._do("capture-pane", "-p")

    def all(self) -> str:
        """What a person sees after scrolling up, lines of one paragraph joined."""
        return self._do("capture-pane", "-p", "-S", "-")

    def raw(self) -> str:
        """Every byte that went to the terminal, codes included."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        self._do("kill-server")

    def _do(self, *words: str) -> str:
        done = subprocess.run(
            (*self._tmux, *words),
            capture_output=True,
            text=True,
            check=True,
            env=plain_environment(TERM="xterm-256color", LC_ALL="C.UTF-8"),
        )
        return done.stdout


@contextlib.contextmanager
def terminal(
    directory: Path, size: tuple[int, int] = (80, 24), /, **environment: str
) -> Iterator[Terminal]:
    opened = Terminal(directory / "tmux", directory / "screen.log", size, environment)
    try:
        opened.wait(PROMPT)
        yield opened
    finally:
        opened.close()


@pytest.fixture(scope="module")
def auditor(lab: Lab) -> Auditor:
    return Auditor(lab)


@pytest.fixture
def hung(perfect: LabHost) -> Iterator[LabHost]:
    """The host behind a firewall that swallows everything to port 22."""
    rules = (
        "table inet hole { chain way { type filter hook input priority 0; tcp dport 22 drop; } }"
    )
    perfect.run(
        "nft -f -", text=rules.replace("{ ", "{\n").replace("; ", ";\n").replace("}", "\n}")
    )
    yield perfect
    perfect.run("nft delete table inet hole")


def connections_to(host: LabHost) -> list[str]:
    """The ssh processes of this machine that still lead to a host; a killed one gets a moment."""
    until = time.monotonic() + 3
    while (found := _connections_to(host)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def _connections_to(host: LabHost) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_text(errors="replace").split("\0")
            ours = any(word.startswith(f"{host.lab}/") for word in words)  # not another worker's
            if words[0].endswith("ssh") and host.name in words and ours:
                found.append(" ".join(words))
    return found


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_verdict_stands_on_the_first_screen(
    auditor: Auditor, perfect: LabHost, tmp_path: Path, size: tuple[int, int]
) -> None:
    with terminal(tmp_path, size) as shown:
        shown.type(auditor.command("run", perfect.spec()))
        shown.wait("ended with 3")
        first = shown.all().splitlines()[: size[1]]
        assert "Nothing wrong found" in "\n".join(first[:3])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_progress_is_shown_and_gone_at_the_end(
    auditor: Auditor, perfect: LabHost, tmp_path: Path, size: tuple[int, int]
) -> None:
    with terminal(tmp_path, size) as shown:
        shown.type(auditor.command("run", perfect.spec()))
        shown.wait("ended with 3")
        assert re.search(r"\d s  ssh://auditor@perfect: \w", shown.raw())
        assert not re.search(r"\d s  ssh://auditor@perfect: \w", shown.all())
        broken = [line for line in shown.all().splitlines() if len(line) > size[0]]
        assert not broken


def test_no_line_is_broken_by_the_terminal(
    auditor: Auditor, perfect: LabHost, tmp_path: Path
) -> None:
    with terminal(tmp_path, (80, 24)) as shown:
        shown.type(auditor.command("run", perfect.spec()))
        shown.wait("ended with 3")
        joined = shown._do("capture-pane", "-p", "-J", "-S", "-").splitlines()
    prose = [line for line in joined if not line.startswith("      ")]  # not commands to copy
    assert [line for line in prose if len(line.rstrip()) > 80] == []


@pytest.mark.parametrize(
    ("words", "environment", "wanted"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False)],
)
def test_colours_on_a_terminal_and_none_where_they_are_not_wanted(
    auditor: Auditor,
    perfect: LabHost,
    tmp_path: Path,
    words: tuple[str, ...],
    environment: dict[str, str],
    wanted: bool,
) -> None:
    colours = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")
    with terminal(tmp_path, **environment) as shown:
        shown.type(auditor.command("run", perfect.spec(), *words))
        shown.wait("ended with 3")
        assert bool(colours.search(shown.raw())) is wanted


def test_a_host_that_is_not_ready_says_so_first(
    auditor: Auditor, perfect: LabHost, tmp_path: Path
) -> None:
    with terminal(tmp_path, (100, 40)) as shown:
        settings = ("hardware.cpus=4096",)
        shown.type(auditor.command("run", perfect.spec(), settings=settings))
        shown.wait("ended with 1")
        first = "\n".join(shown.all().splitlines()[:10])
        assert "Not ready: 1 blocker" in first
        assert "hardware.cpu" in first


def test_control_c_while_a_host_hangs(auditor: Auditor, hung: LabHost, tmp_path: Path) -> None:
    with terminal(tmp_path) as shown:
        shown.type(auditor.command("run", hung.spec()))
        shown.wait("perfect: connecting")
        assert connections_to(hung)
        begun = time.monotonic()
        shown.press("C-c")
        screen = shown.wait("ended with 130", 5)
        assert time.monotonic() - begun < 1
        assert "interrupted" in screen.lower()
        assert "Traceback" not in shown.all()
        assert not connections_to(hung)


def test_control_c_keeps_what_is_finished(
    auditor: Auditor, lab: Lab, hung: LabHost, tmp_path: Path
) -> None:
    dead = f"ssh://{lab.internet.resolver}"
    report = tmp_path / "report.json"
    with auditor.start(dead, hung.spec(), "--report", f"json={report}") as running:
        time.sleep(2)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert report.exists(), errors
    assert "refuse" in report.read_text()
    assert not connections_to(hung)


def test_a_hung_host_ends_at_its_timeout(auditor: Auditor, hung: LabHost) -> None:
    begun = time.monotonic()
    audited = auditor(hung.spec(), "--timeout", "2", "--format", "json", "-q")
    assert time.monotonic() - begun < 5
    assert audited.code == 3
    assert re.search("time|answer", audited.host()["trouble"])
    assert not connections_to(hung)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--only", "layout.user"), 0),
        (("--only", "layout.user", "--require-complete"), 3),
        (("--only", "hardware.cpu", "--set", "hardware.cpus=4096"), 1),
        (("--only", "hardware.cpo"), 2),
        (("--set", "hardware.cpu=4"), 2),
        ((), 3),
    ],
)
def test_exit_codes(auditor: Auditor, perfect: LabHost, words: tuple[str, ...], code: int) -> None:
    assert auditor(perfect.spec(), "-q", *words).code == code
