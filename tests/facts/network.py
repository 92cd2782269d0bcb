"""A network that answers: throwaway authorities, and the answers of true and false services."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec.structs import replace

from sesam_audit.asks import Attempt, DialAnswer
from sesam_audit.destinations import Destination, Service, destinations
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.trust import Bundle
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW

DAY = timedelta(days=1)
CHALLENGE = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
DIRECTORY = (
    '{"meta":{"website":"https://letsencrypt.org"},'
    '"newNonce":"https://acme-v02.api.letsencrypt.org/acme/new-nonce"}'
)
SAID: dict[Service, dict[str, Any]] = {
    Service.REGISTRY: {"status": 401, "headers": {"www-authenticate": CHALLENGE}},
    Service.TOKEN: {"status": 200, "body": '{"token":"anonymous","expires_in":300}'},
    Service.ACME: {"status": 200, "body": DIRECTORY},
    Service.SIMPLE_INDEX: {
        "status": 200,
        "headers": {"content-type": "application/vnd.pypi.simple.v1+json"},
    },
    Service.TO_PYPI: {"status": 301, "headers": {"location": "https://pypi.org/simple/pip/"}},
    Service.IDENTITY: {"status": 404, "headers": {"content-type": "text/plain"}},
    Service.ANY_TLS: {"status": 0},
    Service.OWN_TLS: {"status": 0},
    Service.HTTP: {"chain": (), "trusted": None, "tls_version": ""},
    Service.TCP: {"chain": (), "trusted": None, "tls_version": "", "status": 0},
}


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def issue(
    common: str,
    by: Certificate | None = None,
    *,
    organisation: str = "",
    names: tuple[str, ...] = (),
    days: tuple[int, int] = (-30, 60),
    plain: bool = False,
) -> Certificate:
    """A leaf when it has names, else an authority; `plain` leaves the newer extensions out."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    subject = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + days[0] * DAY)
        .not_valid_after(NOW + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
        )
    if not plain:
        builder = _modern(builder, key, by, leaf=bool(names))
    return Certificate(builder.sign(by.key if by else key, hashes.SHA256()), key)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _modern(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    by: Certificate | None,
    *,
    leaf: bool,
) -> x509.CertificateBuilder:
    signer = (by.key if by else key).public_key()
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("encipher_only", "decipher_only"),
        ),
        False,
    )
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    builder = builder.add_extension(
        x509.KeyUsage(digital_signature=leaf, key_cert_sign=not leaf, crl_sign=not leaf, **usage),
        critical=True,
    )
    if leaf:
        server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(server, critical=False)
    return builder


@dataclass(frozen=True)
class Authority:
    """A root and an intermediate of one organisation."""

    root: Certificate
    between: Certificate

    @property
    def bundle(self) -> Bundle:
        return Bundle("test roots", self.root.pem)

    def chain(self, *names: str, days: tuple[int, int] = (-30, 60)) -> tuple[str, ...]:
        leaf = issue(names[0], self.between, names=names, days=days)
        return leaf.der, self.between.der


@cache
def authority(organisation: str) -> Authority:
    """A root that is valid for years, made once."""
    years = (-1000, 3000)
    root = issue(f"{organisation} Root", organisation=organisation, days=years)
    between = issue(f"{organisation} E1", root, organisation=organisation, days=years)
    return Authority(root, between)


PUBLIC = authority("Test Trust Services")
PRIVATE = authority("Example Corp Inspection")


@cache
def chain(name: str, organisation: str = "Test Trust Services") -> tuple[str, ...]:
    return authority(organisation).chain(name)


def destination(name: str, profile: Profile | None = None) -> Destination:
    """One of the shipped destinations by the name or subject."""
    every = destinations(profile or Profile())
    return next(each for each in every if name in (each.name, each.key))


def good(name: str, **changes: Any) -> DialAnswer:
    """What the true service behind one of the shipped names answers."""
    said = SAID[destination(name).service]
    return replace(tls(name, **said), **changes)


def tls(name: str, certificates: tuple[str, ...] = (), **changes: Any) -> DialAnswer:
    """A TLS answer under a name."""
    given: dict[str, Any] = {
        "layer": "done",
        "addresses": ("192.0.2.7",),
        "attempts": (Attempt("192.0.2.7", "open", "198.51.100.4"),),
        "tls_version": "TLSv1.3",
        "chain": certificates or chain(name),
        "whole_chain": True,
        "trusted": True,
        "store": "/etc/ssl/certs/ca-certificates.crt",
        "status": 200,
        "headers": {},
        "time": NOW.timestamp(),
    }
    return DialAnswer(**{**given, **changes})


def stopped(layer: str, error: str, *addresses: str, detail: str = "") -> DialAnswer:
    """A connection that ended on the way."""
    attempts = tuple(Attempt(address, error) for address in addresses)
    shown = attempts if layer == "tcp" else tuple(replace(x, result="open") for x in attempts)
    return DialAnswer(layer=layer, error=error, detail=detail, addresses=addresses, attempts=shown)


def perfect(
    profile: Profile | None = None, changes: Mapping[str, DialAnswer] | None = None
) -> Reach:
    """Everything answers as itself; `changes` by subject."""
    profile = profile or Profile()
    reached = {
        each.key: Reached(each, tls(each.name, **SAID[each.service]))
        for each in destinations(profile)
    }
    for key, answer in (changes or {}).items():
        reached[key] = Reached(reached[key].destination, answer)
    return Reach(reached, PUBLIC.bundle, profile.proxy)


UTC = timezone.utc
EPOCH = datetime.fromtimestamp(0, UTC)
