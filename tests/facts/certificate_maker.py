"""Throwaway certificates: a root, one below it, and leaves signed by either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def public(self) -> str:
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(*form).decode()


def make(
    name: str,
    issuer: Made | None = None,
    *,
    authority: bool = False,
    dns: tuple[str, ...] = (),
    days: float = 365,
    since: float = -1,
) -> Made:
    """Sign a certificate with the issuer's key, or its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + since * DAY)
        .not_valid_after(NOW + days * DAY)
    )
    signer = issuer.key if issuer else key
    for extension, critical in _extensions(authority, dns, key, signer):
        builder = builder.add_extension(extension, critical)
    return Made(builder.sign(signer, hashes.SHA256()), key)


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _extensions(
    authority: bool, dns: tuple[str, ...], key: Any, signer: Any
) -> list[tuple[x509.ExtensionType, bool]]:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=authority, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (identifier, False),
    ]
    if authority:
        usage = dict.fromkeys(
            (
                *("digital_signature", "content_commitment", "key_encipherment"),
                *("data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
            ),
            False,
        )
        found.append((x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), True))
    else:
        found.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
    if dns:
        found.append((x509.SubjectAlternativeName([x509.DNSName(each) for each in dns]), False))
    return found
