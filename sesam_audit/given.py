"""What a person gives `apply`: read and judged on the auditor, before any host is touched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sesam_audit.asks import CertificatesAnswer, PrivateKeyAnswer, StatAnswer
from sesam_audit.errors import Unknown, UsageError
from sesam_audit.facts.certificate_rules import inspect_certificates
from sesam_audit.facts.certificates import CertificateFiles, CertificatePair
from sesam_audit.facts.license import HARMLESS, WORDS, parse_moment
from sesam_audit.facts.signature import verify
from sesam_audit.profile import Profile
from sesam_audit.reading import read

_MOST = 2**18
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class GivenLicense:
    """A license that may be installed: Unix line ends, whole, not expired."""

    text: str = field(repr=False)
    id: str
    expires: str = ""  # ISO 8601; "" when it names none

    @property
    def sha256(self) -> str:
        return digest(self.text)


@dataclass(frozen=True, kw_only=True)
class GivenCertificate:
    """A certificate with those that signed it, and its key."""

    text: str
    key: str = field(repr=False)
    fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class GivenLogin:
    """A registry login."""

    user: str
    password: str = field(repr=False)


def digest(text: str) -> str:
    """SHA-256 of a text as it will lie in a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_text(path: Path, what: str) -> str:
    """A file of the auditor's.

    Raises:
        UsageError: it cannot be read, or is far too large.
    """
    return read(path, what, _MOST).decode("utf-8-sig", "replace")


def license_of(path: Path, profile: Profile, now: datetime) -> GivenLicense:
    """Read and judge a license as `license.*` will judge it on the host.

    Raises:
        UsageError: it is not a license, has expired, or does not verify; nothing was touched.
    """
    from sesam_audit.probe.license import license_content

    text = _plain(read_text(path, "The license"))
    problems: list[str] = []
    told: Mapping[str, str | None] = license_content(text.strip(), problems)
    faults = [WORDS[each] for each in problems if each not in HARMLESS]
    if not text.strip():
        faults = ["it is empty"]
    if faults:
        raise _unfit(path, faults[0], "Take the license from the Sesam Portal as it is")
    expires = told.get("expires") or ""
    moment = parse_moment(expires)
    if moment is not None and moment < now:
        raise _unfit(path, f"it expired on {moment:%Y-%m-%d}", "Ask Sesam support for a new one")
    _verified(path, text, profile)
    return GivenLicense(text=text, id=str(told["id"]), expires=expires)


def _unfit(path: Path, why: str, remedy: str) -> UsageError:
    return UsageError(f"The license {str(path)!r} was not accepted: {why}", remedy)


def _plain(text: str) -> str:
    """The text as it should lie on the host: line ends as Unix writes them."""
    lines = text.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.strip() for line in lines.strip("\n\0 ").split("\n")) + "\n"


def _verified(path: Path, text: str, profile: Profile) -> None:
    if not profile.license_public_key:
        return
    try:
        fits = verify(text, profile.license_public_key.text)
    except Unknown as doubt:
        raise _unfit(path, doubt.reason, "Leave license_public_key out to go on without") from doubt
    if not fits:
        raise _unfit(path, "its signature does not verify", "Ask Sesam support for a new one")


def certificate_of(
    path: Path, key_path: Path, profile: Profile, domain: str, now: datetime
) -> GivenCertificate:
    """Read and judge a certificate and its key as `layout.certificates` will on the host.

    Raises:
        UsageError: they do not fit each other, the name or the time; nothing was touched.
    """
    text, key = read_text(path, "The certificate"), read_text(key_path, "The certificate's key")
    pems = tuple(_CERTIFICATE.findall(text))
    pair = CertificatePair(
        path=str(path),
        key_path=str(key_path),
        file=CertificatesAnswer(pems=pems),
        key=PrivateKeyAnswer(public=_public_half(key)),
        key_file=StatAnswer(kind="file", mode=0o600),
    )
    found = inspect_certificates(CertificateFiles((pair,)), domain, now, profile)
    if found.problems:
        raise UsageError("; ".join(found.problems), "Nothing was changed")
    if found.unknown:
        raise UsageError(found.unknown.reason, "Nothing was changed")
    return GivenCertificate(
        text="".join(each.rstrip("\n") + "\n" for each in pems),
        key=key.replace("\r\n", "\n"),
        fingerprint=pair.leaf.sha256 if pair.leaf else "",
    )


def _public_half(key: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    try:
        public = load_pem_private_key(key.encode(), None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a passphrase
        return ""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
