"""From the command line's words to a request: everything is checked before a host is touched."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sesam_audit.bootstrap import Privilege
from sesam_audit.errors import UsageError
from sesam_audit.host import Target, Way, parse
from sesam_audit.level import Level, Stage
from sesam_audit.profile import Profile, load
from sesam_audit.reading import read
from sesam_audit.request import Request

if TYPE_CHECKING:
    from sesam_audit.waivers import WaiverRule


def targets_of(hosts: Sequence[str]) -> list[Target]:
    """The hosts, each once.

    Raises:
        UsageError: one is not a host.
    """
    return list({target.spec: target for target in map(parse, hosts)}.values())


def profile_of(options: Mapping[str, Any]) -> Profile:
    """The deployment, from the profile file and the settings.

    Raises:
        UsageError: a file, key or value does not fit.
    """
    settings = ["settled=60"] if options.get("wait") is not None else []
    settings += options["settings"]
    switches = ("measure_storage", "spend_pull", "passive")
    settings += [f"{switch}=true" for switch in switches if options.get(switch)]
    if options.get("vantages"):
        settings.append(f"vantages={','.join(map(_vantage, options['vantages']))}")
    return load(options["profile_file"], settings)


def _vantage(text: str) -> str:
    """A `--from` vantage with its host checked, as the profile holds it."""
    spec, equals, stands = text.partition("=")
    return f"{parse(spec).spec}{equals}{stands}"


def request_of(options: Mapping[str, Any], profile: Profile, way: Way) -> Request:
    """What to audit, from the options of `run`, `collect` or `judge`.

    Raises:
        UsageError: a stage, a date or a waiver does not fit.
    """
    stage = options["stage"]
    if stage not in [item.value for item in Stage]:
        raise UsageError(f"There is no stage {stage!r}", "Use --stage preflight or --stage live")
    if stage == Stage.IMAGE.value:
        raise UsageError(f"The stage {stage} is not built in this release", "Use --stage preflight")
    return Request(
        profile=profile,
        stage=Stage(stage),
        only=options["only"],
        skip=options["skip"],
        way=way,
        jobs=options.get("jobs", 1),
        fail_on=Level(options["fail_on"]),
        require_complete=options["require_complete"],
        as_of=_day(options["as_of"]),
        secrets=_secrets(profile),
        waivers=_waivers(options["waiver_file"]),
        again=_again(options),
    )


def _again(options: Mapping[str, Any]) -> str:
    named = [
        (name, options.get(key))
        for name, key in (
            ("--profile", "profile_file"),
            ("--ssh-config", "ssh_config"),
            ("--identity", "identity"),
        )
    ]
    words = [(name, str(value)) for name, value in named if value]
    words += [("--set", setting) for setting in options["settings"]]
    return shlex.join(word for pair in words for word in pair)


def _waivers(path: Path | None) -> tuple[WaiverRule, ...]:
    if path is None:
        return ()
    from sesam_audit.waivers import load  # the checks are imported to know their ids

    return load(path)


def way_of(options: Mapping[str, Any], *, alone: bool) -> Way:
    """How hosts are reached; ssh may ask its own questions only for a host `alone` on a terminal.

    Raises:
        UsageError: a file is missing, or options exclude each other.
    """
    for key, name in (("ssh_config", "--ssh-config"), ("identity", "--identity")):
        if options[key] and not Path(options[key]).is_file():
            raise UsageError(f"{name}: there is no file {str(options[key])!r}")
    if not options["timeout"] > 0:
        raise UsageError(f"--timeout: {options['timeout']!r} is not a number of seconds")
    privilege = {None: Privilege.TRY, True: Privilege.MUST, False: Privilege.PLAIN}[options["sudo"]]
    password = None
    if options["ask_sudo_password"]:
        if options["sudo"] is False:
            raise UsageError("--no-sudo and --ask-sudo-password exclude each other")
        privilege, password = Privilege.ASK, ask_password("sudo password: ", text=False)
    return Way(
        privilege=privilege,
        password=password,
        ssh_config=str(options["ssh_config"]) if options["ssh_config"] else None,
        identity=str(options["identity"]) if options["identity"] else None,
        interactive=alone and sys.stdin.isatty(),
        timeout=options["timeout"],
    )


def ask_password(prompt: str, *, text: bool = True) -> str:
    """A secret from the terminal, or the next line of standard input.

    What is no `text` may hold any bytes; they come as surrogates.

    Raises:
        UsageError: standard input is no terminal, and has no further line, or it is not UTF-8.
    """
    try:
        if sys.stdin.isatty():
            return str(click.prompt(prompt, hide_input=True, prompt_suffix="", err=True))
        line = sys.stdin.buffer.readline()  # nothing else reads from a pipe
        if not line:
            raise UsageError("No password came on standard input", "Give it as a line of its own")
        return line.decode("utf-8", "strict" if text else "surrogateescape").rstrip("\r\n")
    except UnicodeDecodeError:  # which would tell a part of it
        raise UsageError("The password that came is not UTF-8", "Give it in UTF-8") from None


def _secrets(profile: Profile) -> tuple[tuple[str, str], ...]:
    """What travels beside the questions and is never kept: the proxy's USER:PASSWORD."""
    where = profile.proxy_credentials
    if not where:
        return ()
    if where == "-":
        return (("proxy", ask_password("proxy USER:PASSWORD: ")),)
    try:
        text = read(Path(where), "The file").decode().strip()
    except (UsageError, UnicodeDecodeError):  # they repeat what may be the credentials themselves
        raise UsageError(
            "proxy_credentials: the file cannot be read",
            "Name a file that holds USER:PASSWORD, or - for standard input",
        ) from None
    if ":" not in text or "\n" in text:
        raise UsageError("proxy_credentials: the file does not hold one line USER:PASSWORD")
    return (("proxy", text),)


def _day(text: str | None) -> datetime | None:
    if text is None or text == "now":
        return None if text is None else datetime.now(timezone.utc)
    try:
        day = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of: {text!r} is not a date", "Write YYYY-MM-DD") from error
    return day if day.tzinfo else day.replace(tzinfo=timezone.utc)
