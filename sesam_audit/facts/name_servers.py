"""How long a question to the resolver may take, by the number of name servers behind it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import TypeGuard

from msgspec import Struct

from sesam_audit.asks import DialAnswer, File, FileAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.daemon_settings import DaemonSettings
from sesam_audit.facts.scene import SHORT
from sesam_audit.profile import Profile

SETTINGS = "/etc/resolv.conf"
BEHIND_STUB = "/run/systemd/resolve/resolv.conf"  # of systemd-resolved; Docker reads it as well
_LISTED = re.compile(r"(?m)^\s*nameserver\s+(\S+)")
_ODD = re.compile(r"(?m)^\s*options\b.*\b(?:timeout:|rotate\b)")
_MOST = 3  # of which a C library takes notice
_PUBLIC = 2  # that Docker asks where the host names none: 8.8.8.8 and 8.8.4.4
_EACH, _EACH_BY_DOCKER = 5.0, 4.0  # seconds a silent one costs a C library, and Docker's resolver
_PROGRAMS = 5.0  # seconds after which whoever asked Docker's resolver no longer listens


class NameServers(Struct, frozen=True):
    """How many name servers the host's own resolver asks one after the other, and Docker's.

    `alike`: Docker asks those that the host asks, in their order.
    """

    host: int = 1
    docker: int = 1
    alike: bool = True

    @property
    def by_host(self) -> float:
        """Seconds until silence on the host's path proves that no name server answers."""
        return _EACH * (self.host - 1) + SHORT

    def by_docker(self, dials: Iterable[DialAnswer | Unknown]) -> float:
        """The same of one question in a container, which waits for Docker's resolver.

        The host's own dials may tell that the first name server, which has the first word in
        containers too, is not silent.
        """
        took = [each.seconds for each in dials if _resolved(each)]
        prompt = bool(took) and max(took) < _EACH_BY_DOCKER
        return (
            SHORT
            if prompt and self.alike
            else min(_EACH_BY_DOCKER * (self.docker - 1) + SHORT, _PROGRAMS)
        )

    @classmethod
    def ask(cls, profile: Profile) -> Steps[NameServers]:
        """Read whom the host asks, and whom its daemon is told to; unread is one."""
        settings, behind, daemon = yield from gather(
            attempt(File(SETTINGS)),
            attempt(File(BEHIND_STUB)),
            attempt(DaemonSettings.ask(profile)),
        )
        own, stub = _listed(settings), _listed(behind)
        outer = [each for each in (own if any(map(_outer, own)) else stub) if _outer(each)]
        told = None if isinstance(daemon, Unknown) else daemon.settings.get("dns")
        odd = isinstance(settings, FileAnswer) and bool(_ODD.search(settings.text))
        fallback = _PUBLIC if isinstance(settings, FileAnswer) and not settings.error else 1
        return cls(
            host=max(1, len(outer[:_MOST])),
            docker=len(told) if isinstance(told, list) and told else len(outer) or fallback,
            alike=not told and not odd and any(map(_outer, own)),
        )


def _listed(answer: FileAnswer | Unknown) -> list[str]:
    return [] if isinstance(answer, Unknown) or answer.error else _LISTED.findall(answer.text)


def _resolved(answer: DialAnswer | Unknown) -> TypeGuard[DialAnswer]:
    """Whether a dial got past its own question to the resolver."""
    if isinstance(answer, Unknown) or answer.proxy:
        return False
    return answer.layer != "dns" and answer.seconds > 0


def _outer(server: str) -> bool:
    try:
        return not ipaddress.ip_address(server.partition("%")[0]).is_loopback
    except ValueError:
        return False
