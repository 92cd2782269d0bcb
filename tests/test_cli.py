"""The command as a program: what it says where, and how it ends."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from sesam_audit import REQUIREMENTS_VERSION, __version__
from sesam_audit.cli import cli
from sesam_audit.requirement import catalogue
from sesam_audit.shipping import program

from .conftest import World, plain_environment, sesam_audit

HEAVY = (
    "pytest",
    "testinfra",
    "rich",
    "requests",
    "cryptography",
    "jinja2",
    "msgspec",
    "junit_xml",
)
ENDED = ("Traceback", "report it")


def usage_error(*words: str, **more: object) -> str:
    done = sesam_audit(*words, **more)  # type: ignore[arg-type]
    assert done.returncode == 2, done.stderr
    assert not done.stdout
    assert not [word for word in ENDED if word in done.stderr]
    return done.stderr


# -- help ------------------------------------------------------------------------------------------


def test_help_comes_at_once() -> None:
    begun = time.monotonic()
    done = sesam_audit("--help")
    assert time.monotonic() - begun < 1
    assert done.returncode == 0
    assert "run" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("--version",), ("probe",)])
def test_help_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    text = (
        "import os, sys\nfrom sesam_audit.cli import main\nsys.argv[0] = 'sesam-audit'\n"
        "leave = os._exit\ndef ended(code):\n"
        f"    loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "    print(loaded, code, file=sys.stderr, flush=True)\n    leave(code)\n"
        "os._exit = ended\nmain()"
    )
    done = subprocess.run(
        (sys.executable, "-c", text, *words),
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        env=plain_environment(),
    )
    assert done.stderr == "[] 0\n"


@pytest.mark.parametrize("command", ["run", "collect", "judge", "list", "explain", "probe"])
def test_every_command_has_help(command: str) -> None:
    done = sesam_audit(command, "-h")
    assert done.returncode == 0
    assert f"{command} [OPTIONS]" in done.stdout


def test_the_version_names_the_requirements_as_well() -> None:
    assert sesam_audit("--version").stdout == (
        f"sesam-audit {__version__}, requirements {REQUIREMENTS_VERSION}\n"
    )


# -- usage errors: exit 2, one sentence, nothing touched -------------------------------------------


@pytest.fixture
def trap(tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """A host that leaves a mark when it is touched."""
    mark, config = tmp_path / "touched", tmp_path / "config"
    config.write_text(f"Host trap\n ProxyCommand touch {mark}\n")
    return mark, ("ssh://trap", "--ssh-config", str(config))


def test_the_trap_works(trap: tuple[Path, tuple[str, ...]]) -> None:
    mark, host = trap
    assert sesam_audit("run", *host).returncode == 3
    assert mark.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "htm"), "Did you mean 'html'?"),
        (("--format", "yaml"), "text, json, junit, html"),
        (("--report", "pdf=x"), "no report format 'pdf'"),
        (("--report", "json"), "names no file"),
        (("--report", "json="), "names no file"),
        (("--report", "json=-", "--report", "html=-"), "one format only"),
        (("--report", "json=/no/such/folder/x.json"), "there is no folder"),
        (("--report", "json=/"), "it is a folder"),
        (("--report", "json=/proc/x.json"), "cannot be written"),
        (("--report-dir", "/proc/reports"), "/proc/reports"),
        (("--report-dir", "/dev/null"), "/dev/null"),
        (("--evidence", "/no/such/folder/x"), "there is no folder"),
        (("--only", "hardware.memroy"), "Did you mean 'hardware.memory'?"),
        (("--skip", "hardwear"), "Did you mean 'hardware'?"),
        (("--stage", "flight"), "no stage 'flight'"),
        (("--profile", "/no/such.toml"), "No such file"),
        (("--profile", "/"), "cannot be read"),
        (("--set", "certificat=provided"), "Did you mean 'certificates'?"),
        (("--set", "certificates=none"), "is not one of"),
        (("--set", "data"), "has no value"),
        (("--set", "proxy=http://u:secret@p:1"), "proxy_credentials"),
        (("--set", "proxy_credentials=/no/such/file"), "cannot be read"),
        (("--waivers", "/no/such.toml"), "cannot be read"),
        (("--as-of", "tomorrow"), "is not a date"),
        (("--as-of", "2026-02-31"), "is not a date"),
        (("--fail-on", "never"), "--fail-on"),
        (("--jobs", "0"), "--jobs"),
        (("--timeout", "0"), "--timeout"),
        (("--wait", "-5"), "--wait"),
        (("--wait=soon",), "--wait"),
        (("--stage", "image"), "not built"),
        (("--timeout", "nan"), "--timeout"),
        (("--identity", "/no/such/key"), "there is no file"),
        (("--sudo", "--no-sudo", "--ask-sudo-password"), "exclude each other"),
        (("--passive", "--measure-storage"), "exclude each other"),
        (("--set", "client_networks=foo"), "client_networks: 'foo' is not a network"),
        (("--set", "public_roots=/etc/passwd"), "does not hold certificates in PEM form"),
        (("--ask-sudo-password",), "No password came"),
        (("--no-such-option",), "No such option"),
        (("ssh://-oProxyCommand=x",), "is not a host"),
        (("paramiko://a",), "are not known"),
        (("me:secret@a",), "password"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_request_is_said_before_a_host_is_touched(
    trap: tuple[Path, tuple[str, ...]], words: tuple[str, ...], said: str
) -> None:
    mark, host = trap
    errors = usage_error("run", *host, *words)
    assert said in errors
    assert "secret" not in errors
    assert not mark.exists()


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "shut").mkdir(mode=0o500)
    assert "Permission denied" in usage_error("run", "--report", f"json={tmp_path}/shut/x")


def test_credentials_in_the_place_of_their_file_are_not_repeated() -> None:
    assert "secret" not in usage_error("run", "--set", "proxy_credentials=user:secret")


def test_an_escape_in_a_request_does_not_reach_the_terminal() -> None:
    assert "\x1b" not in usage_error("run", "ssh://\x1b[2Jx")
    assert "\x1b" not in usage_error("run", "--set", "\x1b[2J=1")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"schema": "sesam-audit/evidence/2"}', "[" * 100_000, "\xff\xfe"],
    ids=lambda text: text[:10],
)
def test_a_file_that_is_no_evidence_is_a_usage_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(text)
    assert "is not an evidence file" in usage_error("judge", str(path))


def test_a_host_is_judged_once(world: World) -> None:
    a, b = world.root / "a.json", world.root / "b.json"
    for path in (a, b):
        world("run", "local://", "--evidence", str(path), "-q")
    for second in (a, b):
        done = world("judge", str(a), str(second))
        assert (done.returncode, done.stdout) == (2, "")
        assert f"local:// is in {a} and in {second}" in done.stderr


def test_missing_evidence_is_a_usage_error() -> None:
    assert "cannot be read" in usage_error("judge", "/no/such/evidence.json")


@pytest.mark.parametrize(
    "words",
    [
        *(("--report", "json=x"), ("--report-dir", "x"), ("--format", "json"), ("-v",)),
        *(("--waivers", "x"), ("--fail-on", "should"), ("--as-of", "now"), ("--no-color",)),
        ("--require-complete",),
    ],
    ids=" ".join,
)
def test_collecting_takes_no_option_that_judging_needs(
    trap: tuple[Path, tuple[str, ...]], tmp_path: Path, words: tuple[str, ...]
) -> None:
    mark, host = trap
    errors = usage_error("collect", *host, "-o", str(tmp_path / "evidence"), *words)
    assert f"No such option '{words[0]}'" in errors
    assert not mark.exists()


def options_of(command: str) -> set[str]:
    params = cli.commands[command].params
    return {text for each in params if isinstance(each, click.Option) for text in each.opts}


def test_judge_takes_the_options_of_run() -> None:
    assert options_of("run") - options_of("judge") == {"--wait"}


def test_every_command_takes_debug() -> None:
    assert [name for name in cli.commands if "--debug" not in options_of(name)] == []


@pytest.mark.parametrize("command", ["undo", "finish"])
def test_taking_back_takes_no_option_that_auditing_needs(command: str) -> None:
    assert not {"--from", "--passive", "--measure-storage"} & options_of(command)


@pytest.mark.parametrize("command", ["apply", "undo", "finish"])
def test_the_help_of_what_changes_a_host_names_its_exit_codes(command: str) -> None:
    said = " ".join(sesam_audit(command, "--help").stdout.split()).partition("Options:")[0]
    codes = said.partition("Exit codes: ")[2]
    assert [code for code in ("1", "2", "3", "10", "130") if f" {code} " not in codes] == []


def test_the_help_of_report_names_every_format() -> None:
    said = " ".join(sesam_audit("run", "--help").stdout.split())
    assert "Write json, junit, html, text or csv" in said


def listing(folder: Path, callback: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`list` with something else in its place."""
    broken = folder / "broken.py"
    broken.write_text(
        f"import sesam_audit.cli as c\nc.cli.commands['list'].callback = {callback}\nc.main()\n"
    )
    return subprocess.run(
        (sys.executable, str(broken), "list", *words), capture_output=True, text=True, check=False
    )


def test_debug_shows_where_a_command_failed(tmp_path: Path) -> None:
    done = listing(tmp_path, "lambda **_: 1 / 0", "--debug")
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_a_command_that_forgets_its_exit_code_has_proved_nothing(tmp_path: Path) -> None:
    assert listing(tmp_path, "lambda **_: 0").returncode == 0
    assert listing(tmp_path, "lambda **_: None").returncode == 3


def test_evidence_cannot_be_collected_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    usage_error("collect", "local://", "-o", str(tmp_path / "file"))


def test_a_check_that_is_not_there_cannot_be_explained() -> None:
    assert "Did you mean 'hardware.memory'?" in usage_error("explain", "hardware.memroy")


# -- refusals and faults ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "env"),
    [(("-O",), {}), (("-OO",), {}), ((), {"PYTHONOPTIMIZE": "1"})],
    ids=["-O", "-OO", "PYTHONOPTIMIZE"],
)
def test_python_without_assertions_is_refused(
    trap: tuple[Path, tuple[str, ...]], options: tuple[str, ...], env: dict[str, str]
) -> None:
    mark, host = trap
    done = subprocess.run(
        (sys.executable, *options, "-m", "sesam_audit", "run", *host),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(**env),
    )
    assert done.returncode == 3
    assert "would make every check pass" in done.stderr
    assert not done.stdout
    assert not mark.exists()


def test_a_fault_of_ours_is_one_sentence_and_exit_3(world: World) -> None:
    (world.root / "first").unlink()
    broken = world.root / "broken.py"
    broken.write_text("import sesam_audit.cli as c\nc.run.callback = lambda **_: 1 / 0\nc.main()\n")
    done = subprocess.run(
        (sys.executable, str(broken), "run"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr == (
        "sesam-audit failed: ZeroDivisionError: division by zero\n"
        "This is a fault of sesam-audit: report it; --debug shows where\n"
    )


@pytest.mark.parametrize("limit", ["-S -n 60", "-n 60", "-n 150"])
def test_a_low_limit_of_open_files_ends_no_run(limit: str) -> None:
    hosts = " ".join(f"ssh://127.0.0.1:{port}" for port in range(1, 31))
    words = f"$S run -q --passive --only os --jobs 30 --format json {hosts}"
    done = shell(f"ulimit {limit}; {words}")
    troubles = [host["trouble"] for host in json.loads(done.stdout)["hosts"]]
    assert (done.returncode, done.stderr) == (3, "")
    assert len([each for each in troubles if "it refuses connections" in each]) == 30


# -- what goes where -------------------------------------------------------------------------------


def test_standard_output_is_json_and_the_summary_goes_to_standard_error(world: World) -> None:
    done = world("run", "local://")
    report = json.loads(done.stdout)
    assert report["schema"] == "sesam-audit/report/1"
    assert "Ready" in done.stderr
    assert "Traceback" not in done.stderr


def test_quiet_says_nothing_on_standard_error(world: World) -> None:
    world.says(second=None)
    done = world("run", "local://", "-q", "--skip", "hardware.second")
    assert done.stderr == ""
    json.loads(done.stdout)


def test_print_in_a_check_does_not_reach_standard_output(world: World) -> None:
    done = world("run", "local://")
    assert "printed by a check" not in done.stdout
    assert "printed by a check" in done.stderr


def test_without_a_command_this_machine_is_audited(world: World) -> None:
    done = world()
    assert json.loads(done.stdout)["hosts"][0]["host"] == "local://"


def test_options_without_a_command_are_those_of_run(world: World, tmp_path: Path) -> None:
    saved = tmp_path / "a.json"
    done = world("-q", "--set", "hardware.cpus=1", "--report", f"json={saved}")
    (host,) = json.loads(saved.read_text())["hosts"]
    assert (done.returncode, host["host"]) == (0, "local://")
    assert json.loads(done.stdout)["profile"] == {"hardware.cpus": "1"}
    assert done.stderr == "printed by a check\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--no-such-option",), "No such option '--no-such-option'"),
        (("--set", "data=rootdisk", "example.org"), "sesam-audit run ... example.org"),
        (("-q", "judge", "x.json"), "sesam-audit judge ..."),
        (("--debug", "list"), "sesam-audit list ..."),
        (("rnu",), "Did you mean 'run'?"),
        (("ssh://example.org",), "No such command 'ssh://example.org'"),
        (("example.org",), "No such command 'example.org'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_no_command_and_no_option_is_said(words: tuple[str, ...], said: str) -> None:
    assert said in usage_error(*words)


@pytest.mark.parametrize("word", ["--help", "-h", "--version"])
def test_help_and_version_are_still_those_of_the_whole(word: str) -> None:
    done = sesam_audit(word)
    assert done.returncode == 0
    assert "--only" not in done.stdout


def test_text_on_standard_output_is_not_said_twice(world: World) -> None:
    done = world("run", "local://", "--format", "text")
    assert "Ready" in done.stdout
    assert "Ready" not in done.stderr


def test_no_escape_code_where_there_is_no_terminal(world: World) -> None:
    world.says(first="\x1b[31mbad\x1b[0m")
    done = world("run", "local://", "--format", "text", "-v")
    assert "\\x1b[31mbad" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_every_format_comes_from_one_run(world: World, tmp_path: Path) -> None:
    names = {"json": "a.json", "junit": "a.xml", "html": "a.html", "text": "a.txt"}
    wishes = [word for f, name in names.items() for word in ("--report", f"{f}={tmp_path / name}")]
    assert world("run", "local://", *wishes).returncode == 0
    for name in names.values():
        path = tmp_path / name
        assert path.stat().st_size > 100
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_report_directory_gets_every_format(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "reports"
    world("run", "local://", "--report-dir", str(folder), "-q")
    suffixes = sorted(path.suffix for path in folder.iterdir())
    assert suffixes == [".csv", ".html", ".json", ".txt", ".xml"]


def test_a_dash_is_standard_output(world: World) -> None:
    assert world("run", "local://", "--report", "junit=-").stdout.startswith("<?xml")


def test_a_full_disk_is_said_with_the_verdict_and_ends_with_3(world: World) -> None:
    done = world("run", "local://", "--report", "json=/dev/full")
    assert done.returncode == 3
    assert "The audit is done (ready), but not everything was written" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "ready"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """The command with its streams as a shell opens or closes them; `$S` stands for it."""
    return subprocess.run(
        ("/bin/sh", "-c", line.replace("$S", f"{sys.executable} -m sesam_audit")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=plain_environment(),
    )


FULL = "Standard output was not written: No space left on device"


@pytest.mark.parametrize("words", ["list", "--help", "probe", "firewall"])
def test_a_full_standard_output_is_one_sentence_and_exit_3(words: str) -> None:
    done = shell(f"$S {words} >/dev/full")
    assert done.returncode == 3
    assert done.stderr.startswith(f"sesam-audit: {FULL}. ")
    assert done.stderr.count("\n") == 1


def test_a_full_standard_output_costs_no_file(tmp_path: Path) -> None:
    saved = tmp_path / "a.json"
    done = shell(f"$S -q --passive --only os --report json={saved} >/dev/full")
    assert done.returncode == 3
    assert f"but not everything was written: {FULL}" in done.stderr
    assert "a fault of" not in done.stderr
    assert json.loads(saved.read_text())["hosts"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$S list >&-", 0),
        ("$S list <&-", 0),
        ("$S list 2>&-", 0),
        ("$S explain none 2>&-", 2),
        ("$S explain none 2>/dev/full", 2),
        ("$S list --none 2>/dev/full", 2),
    ],
)
def test_a_stream_that_is_closed_or_full_changes_no_exit_code(line: str, code: int) -> None:
    done = shell(line)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_evidence_that_cannot_be_written_costs_no_report(world: World, tmp_path: Path) -> None:
    saved = tmp_path / "a.json"
    done = world("run", "--evidence", "/dev/full", "--report", f"json={saved}", "-q")
    assert done.returncode == 3
    assert "The audit is done (ready), but not everything was written" in done.stderr
    assert "/dev/full: No space left on device" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "ready"
    assert json.loads(saved.read_text())["verdict"] == "ready"


def test_a_reader_that_leaves_costs_no_report_and_no_traceback(
    world: World, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    with world.start("run", "local://", "--report", f"json={saved}", "-q") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=30)
    words = "The audit is done (ready), but who read it has left before its end"
    assert errors == f"printed by a check\nsesam-audit: {words}\n"
    assert process.returncode == 3
    assert json.loads(saved.read_text())["verdict"] == "ready"


def test_a_list_can_be_cut_short() -> None:
    with subprocess.Popen(
        (sys.executable, "-m", "sesam_audit", "list"),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=plain_environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


# -- looking things up -----------------------------------------------------------------------------


def test_list_names_every_check() -> None:
    lines = sesam_audit("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue())


def test_list_can_be_json() -> None:
    checks = json.loads(sesam_audit("list", "--format", "json").stdout)["checks"]
    assert [check["id"] for check in checks] == list(catalogue())


def test_explain_says_source_and_remedy() -> None:
    text = sesam_audit("explain", "hardware.memory").stdout
    assert "16 GB" in text
    assert "Source:" in text
    assert "If it does not hold:" in text


@pytest.mark.parametrize(("package", "words"), [("probe", ()), ("agent", ("--agent",))])
def test_probe_prints_what_runs_on_a_target(package: str, words: tuple[str, ...]) -> None:
    """One readable program: what it is and never does comes first, then every module as it is."""
    text = sesam_audit("probe", *words).stdout
    assert text.encode() == program(package)
    home = Path(__file__).parent.parent / "sesam_audit" / package
    said = (home / "__init__.py").read_text("utf-8").split('"""')[1]
    assert said.strip() in (ast.get_docstring(ast.parse(text)) or "")
    for module in home.glob("*.py"):
        assert module.read_text("utf-8") in text, module.name


# -- secrets ---------------------------------------------------------------------------------------


def test_proxy_credentials_reach_no_report_and_no_evidence(world: World, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("proxyuser:open-sesame\n")
    done = world(
        *("run", "local://", "-v", "--set", "proxy=proxy:3128"),
        *("--set", f"proxy_credentials={file}", "--evidence", str(tmp_path / "evidence")),
        *("--report-dir", str(tmp_path / "reports")),
    )
    assert done.returncode == 0
    everything = [done.stdout, done.stderr, (tmp_path / "evidence").read_text()]
    everything += [path.read_text() for path in (tmp_path / "reports").iterdir()]
    assert len(everything) == 8
    assert not [text for text in everything if "open-sesame" in text]


def test_proxy_credentials_may_come_on_standard_input(world: World) -> None:
    done = world("run", "local://", "--set", "proxy_credentials=-", text="user:open-sesame\n")
    assert done.returncode == 0
    assert "open-sesame" not in done.stdout + done.stderr
