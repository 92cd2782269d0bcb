"""What a host answered, verbatim, with time, user and vantage: the one input of all judging."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sesam_audit.asks import Answer, Ask, Contact, ContactAnswer, Self, SelfAnswer
from sesam_audit.errors import Unknown

Answers = dict[Ask[Any], "Answer | Unknown"]


@dataclass
class Evidence:
    """Every question a host was asked, with its answer or why there is none."""

    host: str
    started: float = 0.0  # the auditor's clock, Unix seconds
    answers: Answers = field(default_factory=dict)

    def __getitem__(self, ask: Ask[Any]) -> Answer | Unknown:
        return self.answers.get(ask, Unknown("not collected"))

    @property
    def address(self) -> str:
        """What the auditor dialled for this host; "" when it has none."""
        contact = self.answers.get(Contact())
        return contact.address if isinstance(contact, ContactAnswer) else ""

    @property
    def user(self) -> str:
        """The user the probe ran as, with the login before sudo when they differ."""
        who = self.answers.get(Self())
        if not isinstance(who, SelfAnswer):
            return ""
        return f"{who.login} (sudo {who.user})" if who.login else who.user


@dataclass(frozen=True)
class Known:
    """The facts of one host: a value or an Unknown for each type, and what each was made from."""

    facts: Mapping[type, Any]
    asked: Mapping[type, tuple[Ask[Any], ...]] = field(default_factory=dict)
    seconds: Mapping[type, float] = field(default_factory=dict)

    def __getitem__(self, kind: type) -> Any:
        return self.facts.get(kind, Unknown("not collected"))

    def references(self, kinds: tuple[type, ...]) -> Iterator[str]:
        """The questions behind these fact types, as text, each once."""
        seen = {str(ask): None for kind in kinds for ask in self.asked.get(kind, ())}
        return iter(seen)
