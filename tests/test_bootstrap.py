"""The one line through real login shells, and the hunt for an interpreter over real stubs."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sesam_audit import bootstrap, shipping
from sesam_audit.asks import Ask, File, FileAnswer, Self, SelfAnswer
from sesam_audit.bootstrap import NO_PYTHON, SHELL_FOLLOWS, Privilege, command, program
from sesam_audit.channel import Channel, ChannelError
from sesam_audit.decoding import answers, request

MARKER = "fedcba9876543210"
PROBE = shipping.program("probe")
HELLO = b"import sys\nsys.stdout.write('\\n%s 5\\nhello' % MARKER)\nsys.stdout.flush()\n"
SHELLS = {
    "sh": "sh",
    "dash": "dash",
    "bash": "bash",
    "bash as login shell": "bash -l",
    "busybox": "busybox sh",
    "tcsh": "tcsh",
    "tcsh without its files": "tcsh -f",
    "fish": "fish",
    "zsh": "zsh",
}
Started = Callable[..., Channel]


@pytest.fixture
def started() -> Iterator[Started]:
    """Starts the line under a shell, with a program behind it."""
    channels: list[Channel] = []

    def start(
        shell: str = "sh", *, path: Path | None = None, probe: bytes = HELLO, **options: str
    ) -> Channel:
        privilege = Privilege(options.get("privilege", "plain"))
        environment = f"env PATH={shlex.quote(str(path))} " if path else ""
        remote = f"{environment}{shell} -c {shlex.quote(command(MARKER, privilege))}"
        channels.append(Channel(remote, MARKER))
        channels[-1].send(program(MARKER, probe, options.get("password")))
        return channels[-1]

    yield start
    for channel in channels:
        channel.close()


# -- login shells ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
def test_the_line_passes_every_login_shell(started: Started, shell: str) -> None:
    if not shutil.which(shell.split(maxsplit=1)[0]):
        pytest.skip(f"{shell} is not installed")
    asks: list[Ask[Any]] = [Self(), File("/etc/hostname")]
    channel = started(shell, probe=PROBE)
    channel.send(request(asks, 5.0, {}, 5.0))
    me, name = answers(asks, channel.frame(20)).values()
    assert isinstance(me, SelfAnswer)
    assert me.uid == os.getuid()
    assert isinstance(name, FileAnswer)
    assert name.text == Path("/etc/hostname").read_text()


def test_the_line_has_nothing_that_a_shell_would_expand() -> None:
    line = command(MARKER, Privilege.ASK)
    assert "\n" not in line
    assert "!" not in line
    assert len(line) < 4096


def test_the_probe_holds_no_line_that_would_end_the_shells_waiting() -> None:
    assert SHELL_FOLLOWS.strip() not in PROBE.splitlines()


def test_a_startup_file_that_prints_does_no_harm(started: Started, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("echo Welcome; echo careful >&2\n")
    (tmp_path / ".bash_profile").write_text("printf 'Have a nice day'\n")
    shell = f"env HOME={shlex.quote(str(tmp_path))} bash -l"
    assert started(shell).frame(10) == b"hello"


# -- interpreters ----------------------------------------------------------------------------------


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with nothing but what the line itself needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "id", "cat", "env"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def put(folder: Path, name: str, text: str) -> None:
    """A program of that name; a link to the real one is replaced, never written through."""
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def real(folder: Path, name: str) -> None:
    """The Python of these tests under that name."""
    put(folder, name, f'exec {shlex.quote(sys.executable)} "$@"')


def old(folder: Path, name: str) -> None:
    """A Python that says it is 3.5, and is the real one in everything else."""
    fake = f"import sys; sys.version_info = (3, 5, 2); sys.argv = ['-c', '{MARKER}']; "
    put(
        folder,
        name,
        f'exec {shlex.quote(sys.executable)} -I -S -c "{fake}exec(open(3).read())" 3<<EOT\n$4\nEOT',
    )


def test_python3_is_taken(started: Started, tools: Path) -> None:
    real(tools, "python3")
    assert started(path=tools).frame(10) == b"hello"


def test_a_python_that_is_too_old_leaves_the_program_to_the_next(
    started: Started, tools: Path
) -> None:
    old(tools, "python3")
    real(tools, "python3.9")
    assert started(path=tools).frame(10) == b"hello"


def test_the_stub_really_is_refused_as_too_old(tools: Path) -> None:
    old(tools, "python3")
    words = shlex.split(command(MARKER, Privilege.PLAIN))
    *_, boot, _ = words
    done = subprocess.run(
        (str(tools / "python3"), "-I", "-S", "-c", boot, MARKER), check=False, env={"PATH": "/bin"}
    )
    assert done.returncode == 68


@pytest.mark.parametrize("code", [68, 126, 127])
def test_a_broken_shim_is_passed_over(started: Started, tools: Path, code: int) -> None:
    put(tools, "python3", f"echo pyenv: no such version >&2; exit {code}")
    real(tools, "python3.11")
    assert started(path=tools).frame(10) == b"hello"


def test_a_python_that_cannot_be_executed_is_passed_over(started: Started, tools: Path) -> None:
    (tools / "python3").write_text("#!/no/such/interpreter\n")
    (tools / "python3").chmod(0o755)
    real(tools, "python3.8")
    assert started(path=tools).frame(10) == b"hello"


def test_a_python_that_breaks_at_its_start_is_passed_over(started: Started, tools: Path) -> None:
    put(tools, "python3", "echo Fatal Python error: no codec >&2; exit 1")
    real(tools, "python3.8")
    assert started(path=tools).frame(10) == b"hello"


def test_a_probe_that_breaks_says_so_and_no_other_python_waits(
    started: Started, tools: Path
) -> None:
    real(tools, "python3")
    real(tools, "python3.8")
    with pytest.raises(ChannelError, match="ended without an answer") as trouble:
        started(path=tools, probe=b"raise SystemError('broken probe')\n").frame(10)
    assert "broken probe" in trouble.value.stderr


def test_without_python_the_conversation_goes_on_in_sh(started: Started, tools: Path) -> None:
    channel = started(path=tools, probe=PROBE)
    channel.send(request([Self()], 5.0, {}, 5.0))
    assert channel.frame(10) == NO_PYTHON
    channel.send(SHELL_FOLLOWS + f"echo; echo {MARKER} 3; printf yes\n".encode())
    assert channel.frame(5) == b"yes"
    channel.send(f"echo; echo {MARKER} 5; printf again\n".encode())
    assert channel.frame(5) == b"again"


def test_only_old_pythons_are_no_python(started: Started, tools: Path) -> None:
    old(tools, "python3")
    assert started(path=tools).frame(10) == NO_PYTHON


def test_python_variables_of_the_target_change_nothing(started: Started, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('hijacked')")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('hijacked')")
    shell = f"env PYTHONPATH={tmp_path} PYTHONSTARTUP={tmp_path}/json.py PYTHONINSPECT=1 sh"
    assert started(shell, probe=b"import json\n" + HELLO).frame(10) == b"hello"


def test_a_known_interpreter_needs_no_other_in_the_path(tmp_path: Path) -> None:
    line = command(MARKER, Privilege.PLAIN, sys.executable)
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        input=program(MARKER, b"import sys\nprint(sys.executable)", None),
        env={"PATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.stdout.decode().strip() == sys.executable


def test_an_empty_standard_input_ends_silently() -> None:
    line = command(MARKER, Privilege.PLAIN)
    done = subprocess.run(
        ["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_program_that_never_comes_whole_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection died, and nobody on the host was told."""
    monkeypatch.setattr(bootstrap, "_BOOT", bootstrap._BOOT.replace("alarm(900)", "alarm(1)"))
    line = command(MARKER, Privilege.PLAIN, sys.executable)
    with subprocess.Popen(["sh", "-c", line], stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(program(MARKER, PROBE, None)[:2000])
        process.stdin.flush()
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_the_program_itself_has_no_alarm_from_before(started: Started) -> None:
    text = b"import os,signal\nos.write(1, b'\\n%s 1\\n%d' % (MARKER.encode(), signal.alarm(0)))"
    assert started(probe=text).frame(5) == b"0"


def test_another_programs_text_is_not_run() -> None:
    line = command(MARKER, Privilege.PLAIN)
    text = program("0" * 16, b"print('run')", None)
    done = subprocess.run(["sh", "-c", line], input=text, capture_output=True, check=False)
    assert b"run" not in done.stdout


# -- privilege without sudo ------------------------------------------------------------------------


@pytest.mark.parametrize("privilege", ["must", "try"])
def test_without_sudo_must_is_refused_and_try_goes_on(
    started: Started, tools: Path, privilege: str
) -> None:
    real(tools, "python3")
    put(tools, "id", "echo 1000")
    frame = started(path=tools, privilege=privilege).frame(10)
    assert frame == (b"badsudo" if privilege == "must" else b"hello")


def test_must_is_refused_without_python_as_well(started: Started, tools: Path) -> None:
    put(tools, "id", "echo 1000")
    channel = started(path=tools, privilege="must")
    assert channel.frame(10) == NO_PYTHON
    channel.send(SHELL_FOLLOWS + f"echo; echo {MARKER} 3; printf yes\n".encode())
    assert channel.frame(10) == b"badsudo"


def test_root_needs_no_sudo(started: Started, tools: Path) -> None:
    real(tools, "python3")
    put(tools, "id", "echo 0")
    assert started(path=tools, privilege="must").frame(10) == b"hello"


def test_roots_password_line_is_read_and_dropped(started: Started, tools: Path) -> None:
    real(tools, "python3")
    put(tools, "id", "echo 0")
    channel = started(path=tools, privilege="ask", password="secret words")
    assert channel.frame(10) == b"hello"
