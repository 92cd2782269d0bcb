"""The host's own packet filter: what it does with connections to published ports."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import File, FileAnswer, Run, RunAnswer, Steps
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.daemon_settings import DAEMON_JSON, DaemonSettings
from sesam_audit.facts.own_addresses import own_addresses
from sesam_audit.facts.redirections import iptables_dnat, nft_dnat
from sesam_audit.facts.rulesets import (
    Forwarding,
    iptables_drop,
    nft_forward,
    nft_input,
)
from sesam_audit.profile import Profile

COMMAND = "sudo iptables-save; sudo nft list ruleset"
_INPUT_DROP = re.compile(r"(?m)^(?::INPUT DROP|-A INPUT\b.*-j (?:DROP|REJECT|[a-z]))")
_FIREWALLD = "/etc/firewalld/firewalld.conf"


class HostFirewall(Struct, frozen=True):
    """Rule sets as text, and the switches of firewalld, Docker and ufw."""

    iptables: str | Unknown = ""
    nftables: str | Unknown = ""
    strict_forward_ports: bool | Unknown = False
    docker_iptables: bool | Unknown = True
    ufw: bool = False
    own: frozenset[str] = frozenset()  # the host's addresses; none where they could not be read

    @property
    def filters_input(self) -> bool:
        """Whether anything may stop connections to the host itself; unread rules may."""
        if self.ufw or isinstance(self.iptables, Unknown) or isinstance(self.nftables, Unknown):
            return True
        return bool(_INPUT_DROP.search(self.iptables) or nft_input(self.nftables))

    def dnat(self, port: int) -> tuple[str, ...]:
        """The rules that send a port of the host's own addresses elsewhere.

        Raises:
            Unknown: there are none in what could be read, and not all could be.
        """
        found: list[str] = []
        unknown = None
        for text, rules in ((self.iptables, iptables_dnat), (self.nftables, nft_dnat)):
            if isinstance(text, Unknown):
                unknown = text
            else:
                found += rules(text, port, self.own)
        if unknown is not None and not found:
            raise unknown
        return tuple(found)

    def forwarding(self, port: int) -> Forwarding:
        """What stops a published port on this host.

        Raises:
            Unknown: nothing in what could be read, and not all could be.
        """
        if self.docker_iptables is False:
            return Forwarding(f'{DAEMON_JSON}: "iptables": false, so Docker opens nothing')
        if self.strict_forward_ports is True:
            return Forwarding(f"{_FIREWALLD}: StrictForwardPorts=yes")
        drop = "" if isinstance(self.iptables, Unknown) else iptables_drop(self.iptables, port)
        if drop:
            return Forwarding(drop)
        if not isinstance(self.nftables, Unknown):
            found = nft_forward(self.nftables, port)
            if found.stops:
                return found
        for part in (
            self.iptables,
            self.nftables,
            self.strict_forward_ports,
            self.docker_iptables,
        ):
            if isinstance(part, Unknown):
                raise part
        return found

    @classmethod
    def ask(cls, profile: Profile) -> Steps[HostFirewall]:
        """Read everything at once; each part may stay unknown on its own."""
        tables, nft, firewalld, daemon, ufw, own = yield from gather(
            attempt(Run(("iptables-save",))),
            attempt(Run(("nft", "list", "ruleset"))),
            attempt(_firewalld()),
            attempt(DaemonSettings.ask(profile)),
            attempt(File("/etc/ufw/ufw.conf")),
            attempt(own_addresses()),
        )
        iptables, nftables = _rules(tables, "iptables-save"), _rules(nft, "nft")
        if iptables is None and nftables is None:
            iptables = Unknown("neither iptables-save nor nft is there to read rules with")
        return cls(
            iptables=iptables or "" if not isinstance(iptables, Unknown) else iptables,
            nftables=nftables or "" if not isinstance(nftables, Unknown) else nftables,
            strict_forward_ports=firewalld,
            docker_iptables=daemon if isinstance(daemon, Unknown) else daemon.iptables,
            ufw=isinstance(ufw, FileAnswer) and bool(re.search(r"(?m)^ENABLED=yes", ufw.text)),
            own=frozenset() if isinstance(own, Unknown) else own,
        )


def _rules(answer: RunAnswer | Unknown, program: str) -> str | Unknown | None:
    """The printed rules; None when the program is not installed."""
    if isinstance(answer, Unknown):
        return answer
    if answer.missing:
        return None
    if answer.error or answer.code or answer.cut:
        words = answer.err.strip().splitlines()[:1] or [answer.error or "too much"]
        root = re.search(r"root|permi|privileg", words[0], re.IGNORECASE)
        if root:
            return needs_root("the firewall's rules", COMMAND)
        return Unknown(f"{program}: {words[0]}", COMMAND)
    return answer.out


def _firewalld() -> Steps[bool | Unknown]:
    """Whether a running firewalld demands rules for forwarded ports."""
    active, config = yield from gather(
        attempt(Run(("systemctl", "is-active", "firewalld.service"))), attempt(File(_FIREWALLD))
    )
    if isinstance(active, RunAnswer) and active.out.strip() not in ("active", "activating", ""):
        return False
    if isinstance(config, Unknown):
        return config
    text = config.read(_FIREWALLD)
    return text is not None and bool(
        re.search(r"(?mi)^\s*StrictForwardPorts\s*=\s*(?:yes|true)\s*$", text)
    )
