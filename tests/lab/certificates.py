"""Throwaway certificate authorities, whose certificates are older than the lab."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AGE = timedelta(days=7)  # a host whose clock is behind still believes them


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key."""

    public: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.public.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


class Authority:
    """A root, an intermediate signed by it, and leaves that are served with the intermediate."""

    def __init__(self, directory: Path, organisation: str) -> None:
        self._directory = directory
        self.root = directory / "root.pem"
        directory.mkdir(parents=True)
        self._root = _make(
            f"{organisation} Root",
            organisation,
            authority=x509.BasicConstraints(ca=True, path_length=None),
        )
        self._issuer = _make(
            f"{organisation} E1",
            organisation,
            self._root,
            authority=x509.BasicConstraints(ca=True, path_length=0),
        )
        self.root.write_text(self._root.pem)

    @property
    def key_and_root(self) -> str:
        """What a program needs to sign in this authority's place."""
        return self._root.key_pem + self._root.pem

    def leaf(self, name: str, age: timedelta = AGE, days: float = 390) -> tuple[Path, Path]:
        """The chain and the key, as files, for a server called `name`."""
        place = self._directory / f"{name}.{days:.0f}"
        files = Path(f"{place}.pem"), Path(f"{place}.key")
        if not files[0].exists():
            for path, text in zip(files, self.issue(name, days, age), strict=True):
                path.write_text(text)
        return files

    def issue(self, name: str, days: float = 390, age: timedelta = AGE) -> tuple[str, str]:
        """A new chain and its key, for a server called `name`, good for some more days."""
        made = _make(name, issuer=self._issuer, days=days, age=age)
        return made.pem + self._issuer.pem, made.key_pem

    def subject_hash(self) -> str:
        """The name OpenSSL looks the root up by in a directory of certificates."""
        command = ("openssl", "x509", "-noout", "-subject_hash", "-in", str(self.root))
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()


def self_signed(name: str, days: float = 390) -> tuple[str, str]:
    """A certificate that vouches for itself, and its key."""
    made = _make(name, days=days)
    return made.pem, made.key_pem


def _make(
    name: str,
    organisation: str = "",
    issuer: Certificate | None = None,
    *,
    authority: x509.BasicConstraints | None = None,
    days: float = 390,
    age: timedelta = AGE,
) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organisation:
        names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    subject = x509.Name(names)
    signing = issuer.key if issuer else key
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.public.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - age)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_identifier(signing), critical=False)
    )
    builder = _of_authority(builder, authority) if authority else _of_server(builder, name)
    return Certificate(builder.sign(signing, hashes.SHA256()), key)


def _identifier(signing: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())


def _of_authority(
    builder: x509.CertificateBuilder, constraints: x509.BasicConstraints
) -> x509.CertificateBuilder:
    return builder.add_extension(constraints, critical=True).add_extension(
        _usage(authority=True), critical=True
    )


def _of_server(builder: x509.CertificateBuilder, name: str) -> x509.CertificateBuilder:
    serving = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(serving, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
