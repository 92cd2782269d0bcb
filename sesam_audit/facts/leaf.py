"""A server's own certificate, as far as people compare it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from cryptography import x509


class Leaf(Struct, frozen=True):
    """The server's own certificate, as far as people compare it."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    sha256: str
    not_before: datetime
    not_after: datetime

    def covers(self, name: str) -> bool:
        """Whether the certificate is for this name: subject alternative names only."""
        return covers(self.names, name)


def covers(names: Iterable[str], name: str) -> bool:
    """Whether one of a certificate's names is this one, its left-most label perhaps a wildcard."""
    return any(_matches(pattern.lower(), name.lower()) for pattern in names)


def _matches(pattern: str, name: str) -> bool:
    if pattern == name:
        return True
    first, _, rest = name.partition(".")
    return pattern.startswith("*.") and bool(first) and pattern[2:] == rest


@lru_cache(maxsize=4096)
def leaf(certificate: str) -> Leaf | None:
    """Read one base64 DER certificate; None when it is none."""
    try:
        found = read(certificate)
        return Leaf(
            subject=name_of(found.subject),
            issuer=name_of(found.issuer),
            names=tuple(alternative_names(found)),
            sha256=hashlib.sha256(base64.b64decode(certificate)).hexdigest(),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
        )
    except ValueError:
        return None


def read(text: str) -> x509.Certificate:
    from cryptography import x509

    return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))


def alternative_names(certificate: x509.Certificate) -> Iterator[str]:
    from cryptography import x509

    try:
        kind = x509.SubjectAlternativeName
        names = certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return
    yield from names.get_values_for_type(x509.DNSName)
    yield from map(str, names.get_values_for_type(x509.IPAddress))


def organisation_of(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID

    return next((str(x.value) for x in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)), "")


def name_of(name: x509.Name) -> str:
    """A name as people say it: common name, and the organisation where it adds something."""
    from cryptography.x509.oid import NameOID

    common = next((str(x.value) for x in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")
    organisation = organisation_of(name)
    if common and organisation and organisation not in common:
        return f"{common} ({organisation})"
    return common or organisation or name.rfc4514_string() or "a nameless authority"
