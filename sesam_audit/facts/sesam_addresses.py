"""Where the host's resolvers lead the Sesam names: for firewalls that hold two addresses only."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Lookup, Steps
from sesam_audit.destinations import AGENT_DOWNLOAD, LOG_SHIPPING
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every
from sesam_audit.facts.deployment import Deployment
from sesam_audit.profile import Profile
from sesam_audit.profile_values import labelled

COVERED = frozenset({AGENT_DOWNLOAD, LOG_SHIPPING})
PORTAL = "portal.sesam.io"


class SesamAddresses(Struct, frozen=True):
    """The addresses of each Sesam name; `silent` names gave none, with the resolver's word."""

    addresses: dict[str, tuple[str, ...]]
    silent: tuple[str, ...] = ()

    def beyond(self) -> dict[str, tuple[str, ...]]:
        """The names that lead elsewhere than to the two addresses, and where."""
        led = {
            name: tuple(each for each in found if each not in COVERED)
            for name, found in self.addresses.items()
        }
        return {name: found for name, found in led.items() if found}

    @classmethod
    def ask(cls, profile: Profile) -> Steps[SesamAddresses]:
        """Look up the portal and the log host, which .env may rename."""
        deployment = yield from attempt(Deployment.ask(profile))
        names = dict.fromkeys((PORTAL, _log_host(deployment) or profile.fluentbit_host))
        asks = [Lookup(name, kind) for name in names for kind in ("A", "AAAA")]
        answers = yield from every(attempt(ask) for ask in asks)
        addresses: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
        words: dict[str, str] = {}
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, Unknown):
                words[ask.name] = answer.reason
            else:
                addresses[ask.name] += answer.records
                words.setdefault(ask.name, answer.error or "no address")
        silent = (f"{name} ({words[name]})" for name, found in addresses.items() if not found)
        return cls(addresses, tuple(silent))


def _log_host(deployment: Deployment | Unknown) -> str:
    try:
        found = "" if isinstance(deployment, Unknown) else deployment.value("FLUENTBIT_HOST")
    except Unknown:
        return ""
    return found if labelled(found) else ""
