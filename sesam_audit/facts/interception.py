"""Which chains end in a private root, and whose it is: the mark of TLS inspection."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from sesam_audit.asks import DialAnswer, Steps
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.trust import Bundle
from sesam_audit.profile import Profile


class Interceptor(Struct, frozen=True):
    """An authority that public roots do not know, and the names it signed for."""

    authority: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.authority!r} for {', '.join(self.names)}"


class Interceptors(Struct, frozen=True):
    """The chains that were met, destination by destination."""

    reach: Reach
    names: tuple[str, ...] = ()

    @property
    def roots(self) -> Bundle:
        return self.reach.roots

    def seen(self, now: datetime) -> tuple[str, ...]:
        """The destinations whose chain can be told from a private one."""
        return tuple(name for name in self.names if self._authority(name, now) is not None)

    def met(self, now: datetime) -> tuple[Interceptor, ...]:
        """Every private authority, with the names it signed for."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            authority = self._authority(name, now)
            if authority:
                found.setdefault(authority, []).append(name)
        return tuple(Interceptor(each, tuple(names)) for each, names in found.items())

    def _authority(self, name: str, now: datetime) -> str | None:
        """The private authority of a chain; "" for a public one, None where nothing was shown."""
        answer = self.reach.reached[name].answer
        if not isinstance(answer, DialAnswer) or not answer.chain:
            return None
        trust = self.reach.scene(name, now).public_trust()
        if trust.word in ("unreadable", "incomplete"):
            return None
        hidden = not answer.whole_chain and answer.public is None
        if trust.word == "unknown-issuer":
            return None if hidden else trust.issuer
        return ""

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Interceptors]:
        """Look at every chain that Reach met."""
        reach = yield from Reach.ask(profile)
        return cls(reach, tuple(reach.reached))
