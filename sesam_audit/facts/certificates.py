"""The certificates that Traefik's configuration names: what is wrong with them, and until when."""

from __future__ import annotations

from datetime import datetime
from shlex import quote

from msgspec import Struct

from sesam_audit.asks import (
    Certificates,
    CertificatesAnswer,
    PrivateKey,
    PrivateKeyAnswer,
    Stat,
    StatAnswer,
    Steps,
    denied,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.traefik import TraefikConfig
from sesam_audit.profile import Profile


class CertificatePair(Struct, frozen=True):
    """A certificate file and its key, by their paths on the host."""

    path: str
    key_path: str
    file: CertificatesAnswer
    key: PrivateKeyAnswer | Unknown
    key_file: StatAnswer

    @property
    def chain(self) -> tuple[str, ...]:
        """Base64 DER, in the file's order."""
        return tuple(_der(pem) for pem in self.file.pems)

    @property
    def leaf(self) -> Leaf | None:
        return leaf(self.chain[0]) if self.file.pems else None

    def inspect(self, now: datetime) -> Inspection:
        """Judge the files by themselves; name and chain depend on the deployment."""
        found = Inspection()
        if self.file.missing:
            found.problem(f"{self.path} is missing")
        elif self.file.error:
            found.doubt(
                denied(self.file, self.path, f"sudo openssl x509 -in {quote(self.path)} -text")
            )
        elif self.leaf is None:
            found.problem(f"{self.path} holds no certificate that can be read")
        else:
            self._judge_dates(found, self.leaf, now)
        self._judge_key(found)
        return found

    def _judge_dates(self, found: Inspection, own: Leaf, now: datetime) -> None:
        if now > own.not_after:
            found.problem(f"{self.path} expired on {own.not_after:%Y-%m-%d %H:%M} UTC")
        if now < own.not_before:
            found.problem(f"{self.path} is not valid before {own.not_before:%Y-%m-%d %H:%M} UTC")

    def _judge_key(self, found: Inspection) -> None:
        path, key, file = self.key_path, self.key, self.key_file
        if file.missing:
            found.problem(f"{path} is missing")
            return
        mode = file.resolved.mode if file.resolved else file.mode
        if file.error:
            found.doubt(denied(file, path))
        elif mode & 0o007:
            found.problem(f"{path} has mode {mode:04o}: others have access to the key")
        if isinstance(key, Unknown):
            found.doubt(key)
        elif key.error == "UNSUPPORTED":
            found.doubt(Unknown(f"whether {path} fits cannot be told: {key.message}"))
        elif key.error:
            found.doubt(denied(key, path, f"sudo openssl pkey -in {quote(path)} -pubout"))
        elif not key.public:
            found.problem(f"{path} holds no private key that can be read without a passphrase")
        elif self.leaf is not None and not fits(self.file.pems[0], key.public):
            found.problem(f"{path} is not the key of {self.path}")


class CertificateFiles(Struct, frozen=True):
    """All pairs that the configuration names and that lie on the host."""

    pairs: tuple[CertificatePair, ...]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[CertificateFiles]:
        """Follow Traefik's configuration to the files on the host.

        Raises:
            Unknown: it names none, or it cannot be read.
        """
        config = yield from TraefikConfig.ask(profile)
        places = [tuple(config.service.on_host(x) for x in pair) for pair in config.pairs()]
        named = [(cert, key) for cert, key in places if cert and key]
        if not named and config.doubts:
            raise config.doubts[0]
        if not named:
            raise Unknown("Traefik's configuration names no certificate (layout.traefik-config)")
        return cls((yield from every(_pair(cert, key) for cert, key in named)))

    def covering(self, domain: str) -> tuple[CertificatePair, ...]:
        """The pairs that Traefik could answer with for a name."""
        return tuple(pair for pair in self.pairs if pair.leaf and pair.leaf.covers(domain))


def _pair(path: str, key_path: str) -> Steps[CertificatePair]:
    file, key, key_file = yield from gather(
        Certificates(path), attempt(PrivateKey(key_path)), Stat(key_path)
    )
    return CertificatePair(path, key_path, file, key, key_file)


def _der(pem: str) -> str:
    return "".join(line.strip() for line in pem.splitlines() if not line.startswith("-----"))


def fits(certificate: str, public: str) -> bool:
    """Whether a public key (PEM) is the one of a certificate (PEM).

    Raises:
        Unknown: the key is of a kind the library does not know.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    try:
        own = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        other = serialization.load_pem_public_key(public.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unknown(f"the key could not be compared: {error}") from error
    return own.public_bytes(*form) == other.public_bytes(*form)
