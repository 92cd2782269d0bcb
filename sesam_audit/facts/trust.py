"""Whether a TLS chain leads to public roots, and if not, in words why; judged on the auditor."""

from __future__ import annotations

import ipaddress
import warnings
from datetime import datetime, timezone
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from sesam_audit.errors import Unknown
from sesam_audit.facts.leaf import alternative_names, covers, leaf, name_of, organisation_of, read
from sesam_audit.profile_values import NamedFile

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.x509.verification import Store

_LONGEST = 8  # certificates of a chain
_PARENT_ORGANISATIONS = {"Let's Encrypt": "Internet Security Research Group"}


class Bundle(Struct, frozen=True):
    """Public roots, and the name and version reports show them by."""

    name: str = "no public roots"
    pem: str = ""

    def __repr__(self) -> str:
        return f"Bundle({self.name!r})"


def public_roots(named: NamedFile) -> Bundle:
    """The profile's own roots, or those of certifi."""
    return Bundle(str(named), named.text) if named else _shipped()


@cache
def _shipped() -> Bundle:
    import certifi

    return Bundle(f"certifi {certifi.__version__}", certifi.contents())


class Trust(Struct, frozen=True):
    """How a chain fares against public roots.

    `word`: trusted, expired, not-yet-valid, name-mismatch, unknown-issuer, incomplete, unreadable.
    """

    word: str
    issuer: str = ""  # who signed what no public root vouches for
    doubt: str = ""  # trusted, but the stricter of two judges objects

    @property
    def trusted(self) -> bool:
        return self.word == "trusted"


@lru_cache(maxsize=4096)
def judge_chain(chain: tuple[str, ...], name: str, at: datetime, bundle: Bundle) -> Trust:
    """Judge a chain (base64 DER, leaf first) for a name at a time; "" compares no name.

    Raises:
        Unknown: the roots themselves are not understood, which says nothing of the chain.
    """
    try:
        certificates = [read(each) for each in chain[:_LONGEST]]
        if not certificates or leaf(chain[0]) is None:
            return Trust("unreadable")
        refusal = _refusal(certificates, name, at, bundle)
        if not refusal:
            return Trust("trusted")
        return _explained(certificates, name, at, bundle) or Trust("trusted", doubt=refusal)
    except ValueError:
        return Trust("unreadable")


class _Roots(Struct, frozen=True):
    certificates: tuple[x509.Certificate, ...]
    store: Store
    organisations: frozenset[str]


@lru_cache(maxsize=4)
def _roots(bundle: Bundle) -> _Roots | None:
    from cryptography import x509
    from cryptography.x509.verification import Store

    if not bundle.pem:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd roots are still roots: the bundle's keepers decide
        try:
            found = x509.load_pem_x509_certificates(bundle.pem.encode())
            organised = frozenset(filter(None, (organisation_of(each.subject) for each in found)))
            return _Roots(tuple(found), Store(found), organised)
        except ValueError as error:
            raise Unknown(f"the public roots of {bundle.name} are not understood") from error


def _refusal(certificates: list[x509.Certificate], name: str, at: datetime, bundle: Bundle) -> str:
    """Why the library's verifier refuses the chain; "" when it does not."""
    from cryptography import x509
    from cryptography.x509 import verification

    roots = _roots(bundle)
    if roots is None:
        return "no public roots"
    wanted = name or next(iter(alternative_names(certificates[0])), "")
    try:
        subject: x509.IPAddress | x509.DNSName
        try:
            subject = x509.IPAddress(ipaddress.ip_address(wanted))
        except ValueError:
            subject = x509.DNSName(wanted.replace("*", "any"))
        builder = verification.PolicyBuilder().store(roots.store).time(at.replace(tzinfo=None))
        builder.build_server_verifier(subject).verify(certificates[0], certificates[1:])
    except (verification.VerificationError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def _explained(
    certificates: list[x509.Certificate], name: str, at: datetime, bundle: Bundle
) -> Trust | None:
    """Why a refused chain does not serve; None when only the stricter judge objects to it."""
    path, anchored = _path(certificates, bundle)
    if not anchored:
        return _unanchored(path[-1], bundle)
    for each in path:
        if at > each.not_valid_after_utc:
            return Trust("expired", name_of(each.issuer))
        if at < each.not_valid_before_utc:
            return Trust("not-yet-valid", name_of(each.issuer))
    if name and not covers(alternative_names(certificates[0]), name):
        return Trust("name-mismatch", name_of(certificates[0].issuer))
    return None


def _path(
    certificates: list[x509.Certificate], bundle: Bundle
) -> tuple[list[x509.Certificate], bool]:
    """The certificates from the leaf upwards, and whether they reach a public root."""
    roots = _roots(bundle)
    anchors = roots.certificates if roots else ()
    path = [certificates[0]]
    while len(path) <= _LONGEST:
        last = path[-1]
        if last in anchors:
            return path, True
        anchor = next((each for each in anchors if _signed(last, each)), None)
        if anchor is not None:
            return [*path, anchor], True
        above = [
            x for x in certificates[1:] if x not in path and _authority(x) and _signed(last, x)
        ]
        if not above:
            return path, False
        path.append(above[0])
    return path, False


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def _unanchored(top: x509.Certificate, bundle: Bundle) -> Trust:
    """A private authority, or a public one whose certificate between was not sent along."""
    roots = _roots(bundle)
    organisation = organisation_of(top.issuer)
    organisation = _PARENT_ORGANISATIONS.get(organisation, organisation)
    if top.issuer != top.subject and roots is not None and organisation in roots.organisations:
        return Trust("incomplete", name_of(top.issuer))
    return Trust("unknown-issuer", name_of(top.issuer))


def utc(seconds: float) -> datetime:
    """A moment in Unix seconds; the epoch when it is out of reach."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)
