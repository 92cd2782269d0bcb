"""Reach a host and speak with the probe on it; the only module that names testinfra."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import parse_qsl, unquote

from sesam_audit import bootstrap, shipping
from sesam_audit.bootstrap import BAD_SUDO, NO_PYTHON, SHELL_FOLLOWS, Privilege, command
from sesam_audit.channel import Channel, ChannelError
from sesam_audit.cleaning import clean
from sesam_audit.errors import HostError, UnreachedError, UsageError
from sesam_audit.troubles import trouble

Script = Callable[[str], str]
"""Given the marker, the shell text that asks the same as a request, for targets without Python."""

SCHEMES = ("ssh", "local", "docker", "podman")
_GRACE = 15.0  # seconds that reaching a host and starting the probe may take beside a round's own
_SPEC = re.compile(
    r"(?:(?P<user>[^@/?#]*)@)?"
    r"(?P<name>\[[^][@/?#]*\]|[^][@/?#:]*)(?P<port>:[0-9]{1,5})?/?(?:\?(?P<query>[^#]*))?"
)
_WORD = re.compile(r"[\w.][\w.+@%-]*")  # no name that ssh or docker could read as an option


@dataclass(frozen=True)
class Target:
    """One host as the user named it, checked before anything is started."""

    spec: str
    scheme: str
    name: str
    user: str = ""
    sudo: bool | None = None

    @property
    def local(self) -> bool:
        return self.scheme == "local"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How hosts are reached: what the command line said about ssh, sudo and time."""

    privilege: Privilege = Privilege.TRY
    password: str | None = field(default=None, repr=False)
    ssh_config: str | None = None
    identity: str | None = None
    interactive: bool = False
    timeout: float = 60.0


def parse(spec: str) -> Target:
    """Read a host spec; a bare name means ssh://NAME.

    Raises:
        UsageError: unknown scheme, a password, or a name that ssh could read as an option.
    """
    scheme, _, rest = (spec if "://" in spec else f"ssh://{spec}").partition("://")
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}://" for each in SCHEMES)
        raise UsageError(f"{clean(spec)!r}: hosts of kind {scheme!r} are not known", f"Use {known}")
    if ":" in rest.rpartition("@")[0]:
        raise UsageError(
            f"{scheme}://{clean(rest.rpartition('@')[2])}: a password in a host name would be seen",
            "Use a key or an agent",
        )
    parts = _SPEC.fullmatch(rest)
    if parts is None or not _names_a_host(scheme, parts):
        raise UsageError(f"{clean(spec)!r} is not a host", "Write ssh://USER@HOST or a bare name")
    name, user = parts["name"] + (parts["port"] or ""), parts["user"] or ""
    return Target(
        f"{scheme}://{user}@{name}" if user else f"{scheme}://{name}",
        scheme,
        name or "local",
        user,
        _sudo(spec, parts["query"] or ""),
    )


def _names_a_host(scheme: str, parts: re.Match[str]) -> bool:
    name, user, port = (parts[key] for key in ("name", "user", "port"))
    if scheme == "local":
        return not (name or user or port)
    if user is not None and not _WORD.fullmatch(unquote(user)):
        return False
    if port and (scheme != "ssh" or not 0 < int(port[1:]) < 2**16):
        return False
    if not name.startswith("["):
        return _WORD.fullmatch(unquote(name)) is not None
    try:
        IPv6Address(name[1:-1])
    except ValueError:
        return False
    return scheme == "ssh"


def _sudo(spec: str, query: str) -> bool | None:
    sudo: bool | None = None
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key != "sudo" or value.lower() not in ("true", "false"):
            raise UsageError(
                f"{clean(spec)!r}: the option {clean(key)!r} is not known", "Use ?sudo=true"
            )
        sudo = value.lower() == "true"
    return sudo


def _line(target: Target, way: Way, remote: str) -> str:
    """The local command line that runs `remote` there, as testinfra says it."""
    import testinfra.backend  # noqa: TID251 - 25 ms, not for --help

    kept: list[str] = []

    def keep(self: Any, line: str, *words: str) -> Any:
        kept.append(self.quote(line, *words))
        return self.result(0, b"", b"", b"")

    options: dict[str, Any] = {}
    if target.scheme == "ssh":
        # The user's configuration decides about keys, jumps and sharing; only what would break
        # the conversation or weaken host keys is overridden.
        extra = "-T -o StrictHostKeyChecking=yes -o RemoteCommand=none -o ClearAllForwardings=yes"
        options = {
            "ssh_config": way.ssh_config,
            "ssh_identity_file": way.identity,
            "ssh_extra_args": extra + ("" if way.interactive else " -o BatchMode=yes"),
            "controlpersist": 0,
            "timeout": max(1, int(min(way.timeout - 1, 15))),  # ssh says it before we do
        }
    logging.getLogger("testinfra").setLevel(logging.CRITICAL)
    backend = testinfra.backend.get_backend(target.spec, **options)
    backend.sudo = False
    backend.run_local = types.MethodType(keep, backend)
    backend.run(remote)
    return re.sub(r"^(docker|podman) exec ", r"\1 exec -i ", kept[0])


def address(target: Target, way: Way) -> tuple[str, int]:
    """The address and port the auditor would dial for an ssh host; "", 0 when it cannot be told.

    The port is told of a host behind a jump too: whoever dials it there, dials that port.
    """
    port = 0
    if target.scheme != "ssh":
        return "", port
    try:
        shown = subprocess.run(
            ["ssh", "-G", *shlex.split(_line(target, way, "true"))[1:]],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout
        found = dict(line.partition(" ")[::2] for line in shown.splitlines())
        port = int(found["port"])
        if any(found.get(key, "none") != "none" for key in ("proxyjump", "proxycommand")):
            return "", port
        dialled = socket.getaddrinfo(found["hostname"], port, type=socket.SOCK_STREAM)
        return str(dialled[0][4][0]), port
    except (OSError, KeyError, ValueError, subprocess.SubprocessError):
        return "", port


class Conversation:
    """One program on one host, asked in rounds; it ends, with its children, when closed."""

    def __init__(self, target: Target, way: Way, text: bytes | None = None) -> None:
        """Reach for the host; the program is the probe unless it is given as text.

        Raises:
            UnreachedError: this machine cannot start one more program.
        """
        self._target, self._way = target, way
        self._marker = os.urandom(8).hex()
        self._shell = self._answered = False
        self._begun = time.monotonic()
        privilege = way.privilege
        if target.sudo is not None and privilege is Privilege.TRY:
            privilege = Privilege.MUST if target.sudo else Privilege.PLAIN
        self._privilege = privilege
        interpreter = sys.executable if target.local else ""  # `python3` may be a slow shim
        password = way.password if privilege is Privilege.ASK else None
        try:
            line = _line(target, way, command(self._marker, privilege, interpreter))
            self._channel = Channel(line, self._marker)
            self._send_program(text, password)  # while ssh shakes hands
        except OSError as error:
            what = f"{target.spec}: this machine could not start what reaches it: {error.strerror}"
            remedy = "Use a smaller --jobs, or raise its limit: ulimit -a"
            raise UnreachedError(what, remedy) from error

    def _send_program(self, text: bytes | None, password: str | None) -> None:
        try:
            program = text or shipping.program("probe")
            self._channel.send(bootstrap.program(self._marker, program, password))
        except OSError:
            self._channel.close()
            raise

    def exchange(self, request: bytes, script: Script, seconds: float) -> bytes:
        """Send one round's request, or its script to a target without Python; bring the answer.

        Raises:
            HostError: one sentence why this host did not answer.
        """
        try:
            self._channel.send(script(self._marker).encode() if self._shell else request)
            frame = self._await(seconds)
            if frame == NO_PYTHON and not self._shell:
                self._shell = True
                self._channel.send(SHELL_FOLLOWS + script(self._marker).encode())
                frame = self._await(seconds)
        except ChannelError as error:
            raise trouble(self._target.spec, error, asked=self._answered) from error
        self._answered = True
        if frame == BAD_SUDO:
            raise self._refused()
        return frame

    def send(self, document: bytes) -> None:
        """Put one framed document to a program that is not the probe."""
        self._channel.send(b"%s %d\n" % (self._marker.encode(), len(document)) + document)

    def receive(self, seconds: float) -> bytes:
        """The next framed document of such a program.

        Raises:
            HostError: one sentence why none came.
        """
        try:
            frame = self._channel.frame(seconds)
        except ChannelError as error:
            raise trouble(self._target.spec, error) from error
        if frame == BAD_SUDO:
            raise self._refused()
        if frame == NO_PYTHON:
            raise HostError(
                f"{self._target.spec}: it has no Python 3.6 or later, which apply needs there",
                "Install python3 on it; the audit itself goes without",
            )
        return frame

    def _await(self, seconds: float) -> bytes:
        left = self._begun + self._way.timeout - time.monotonic()
        return self._channel.frame(max(0.1, min(left, seconds + _GRACE)))

    def _refused(self) -> HostError:
        if self._privilege is Privilege.ASK:
            return HostError(
                f"{self._target.spec}: sudo did not accept the password", "One attempt was made"
            )
        return HostError(
            f"{self._target.spec}: sudo needs a password",
            "Use --ask-sudo-password, or --no-sudo to see what can be told without root",
        )

    def close(self) -> None:
        """End the probe and whatever it started."""
        self._channel.close()


def ask_here(request: bytes) -> bytes:
    """The auditor's own machine as a vantage: the same probe, in this process."""
    from sesam_audit.probe.rounds import respond

    return bytes(respond(json.loads(request)))
