"""Who may issue certificates for the node's name, by its CAA records."""

from __future__ import annotations

import re
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import AUDITOR, Lookup, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every
from sesam_audit.facts.domain import node_domain
from sesam_audit.profile import Profile

# What Let's Encrypt's Boulder (va/caa.go) takes note of; it takes flag 1 for critical as well.
_KNOWN_TAGS = ("issue", "issuewild", "iodef", "issuemail")
_CRITICAL = 128 | 1
_TAG = re.compile(r"[a-zA-Z0-9]+")
_VALUE = re.compile(r"[!-:<-~]*")
_METHOD = re.compile(r"[a-zA-Z0-9-]+")


class Caa(Struct, frozen=True):
    """The relevant records: those of the nearest name upwards that has any (RFC 8659)."""

    name: str
    holder: str = ""  # the name whose records count; "" when no name has any
    issuers: tuple[str, ...] = ()  # the values of `issue`
    critical: tuple[str, ...] = ()  # tags that forbid issuing when not understood

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Caa]:
        """Ask for the name and everything above it at once, as seen from the auditor."""
        name = yield from node_domain(profile)
        labels = name.split(".")
        climb = [".".join(labels[start:]) for start in range(len(labels))]
        answers = yield from every(attempt(Lookup(each, "CAA", AUDITOR)) for each in climb)
        for holder, answer in zip(climb, answers, strict=True):
            command = f"dig CAA {quote(holder)}"
            if isinstance(answer, Unknown):
                raise Unknown(f"CAA of {holder}: {answer.reason}", command, answer.lacks)
            if answer.error not in (None, "NXDOMAIN"):
                raise Unknown(f"CAA of {holder} was not answered ({answer.error})", command)
            if answer.records:
                return _read(name, holder, answer.records)
        return cls(name)

    def allows(self, issuer: str) -> bool:
        """Whether this authority may issue for the name, by the HTTP challenge."""
        if self.critical:
            return False
        if not self.issuers:
            return True
        return any(_permits(value, issuer) for value in self.issuers)


def _permits(value: str, issuer: str) -> bool:
    """Whether one record does (RFC 8659, 8657); one that breaks the grammar permits nobody."""
    who, *parameters = (part.strip() for part in value.split(";"))
    given = {}
    for parameter in [] if parameters == [""] else parameters:
        tag, equals, word = (part.strip() for part in parameter.partition("="))
        if not equals or not _TAG.fullmatch(tag) or not _VALUE.fullmatch(word):
            return False
        given[tag] = word
    methods = given.get("validationmethods", "http-01").split(",")
    lawful = all(map(_METHOD.fullmatch, methods))
    return who.lower() == issuer and lawful and "http-01" in methods


def _read(name: str, holder: str, records: tuple[str, ...]) -> Caa:
    issuers, critical = [], []
    for record in records:
        flags, _, rest = record.partition(" ")
        tag, _, value = rest.partition(" ")
        if tag.lower() == "issue":
            issuers.append(value.strip().strip('"'))
        elif flags.isdecimal() and int(flags) & _CRITICAL and tag.lower() not in _KNOWN_TAGS:
            critical.append(tag)
    return Caa(name, holder, tuple(issuers), tuple(critical))
