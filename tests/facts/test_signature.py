"""A license's signature, made here in each form that is recognised."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from sesam_audit.errors import Unknown
from sesam_audit.facts.signature import verify

PAYLOAD = base64.b64encode(b'{"_id": "1", "expires": "2030-01-01"}')
SHA256 = hashes.SHA256()
RSA = rsa.generate_private_key(65537, 2048)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
PSS = padding.PSS(padding.MGF1(SHA256), padding.PSS.MAX_LENGTH)

Sign = Callable[[bytes], bytes]
WAYS: dict[str, tuple[Any, Sign]] = {
    "ed25519": (EDWARDS, EDWARDS.sign),
    "ecdsa": (ELLIPTIC, lambda message: ELLIPTIC.sign(message, ec.ECDSA(SHA256))),
    "rsa": (RSA, lambda message: RSA.sign(message, padding.PKCS1v15(), SHA256)),
    "rsa-pss": (RSA, lambda message: RSA.sign(message, PSS, SHA256)),
}


def pem(key: Any) -> str:
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    text: bytes = key.public_key().public_bytes(*form)
    return text.decode()


def armour(outer: Any) -> str:
    body = base64.b64encode(json.dumps(outer).encode()).decode()
    return f"-----BEGIN SESAM LICENSE-----\n{body}\n-----END SESAM LICENSE-----\n"


def license_text(signature: Any, name: str = "signature") -> str:
    return armour({"payload": PAYLOAD.decode(), name: signature})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("message", [PAYLOAD, base64.b64decode(PAYLOAD)], ids=["text", "decoded"])
def test_a_signature_that_fits(way: str, message: bytes) -> None:
    key, sign = WAYS[way]

    assert verify(license_text(base64.b64encode(sign(message)).decode()), pem(key))


@pytest.mark.parametrize("way", WAYS)
def test_a_signature_of_something_else(way: str) -> None:
    key, sign = WAYS[way]

    assert not verify(license_text(base64.b64encode(sign(b"other")).decode()), pem(key))


def test_a_signature_of_somebody_else() -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    signature = base64.b64encode(other.sign(PAYLOAD)).decode()

    assert not verify(license_text(signature), pem(EDWARDS))


@pytest.mark.parametrize("name", ["sig", "Signature", "payloadSignature", "signed"])
def test_names_of_signatures(name: str) -> None:
    signature = base64.b64encode(EDWARDS.sign(PAYLOAD)).decode()

    assert verify(license_text(signature, name), pem(EDWARDS))


@pytest.mark.parametrize(
    "form",
    [
        lambda s: s.hex(),
        lambda s: base64.urlsafe_b64encode(s).decode().rstrip("="),
        lambda s: [base64.b64encode(s).decode()],
        lambda s: {"ed25519": base64.b64encode(s).decode()},
    ],
    ids=["hex", "base64url", "list", "table"],
)
def test_forms_of_signatures(form: Callable[[bytes], Any]) -> None:
    assert verify(license_text(form(EDWARDS.sign(PAYLOAD))), pem(EDWARDS))


@pytest.mark.parametrize(
    "text",
    [
        armour({"payload": PAYLOAD.decode()}),
        license_text("short"),
        license_text(5),
        license_text("§" * 60),
    ],
)
def test_no_recognised_signature(text: str) -> None:
    with pytest.raises(Unknown, match="no signature"):
        verify(text, pem(EDWARDS))


@pytest.mark.parametrize("text", ["", "hello", armour([1]), armour({"payload": 5}), "[" * 9000])
def test_no_license(text: str) -> None:
    with pytest.raises(Unknown, match="not in a form"):
        verify(text, pem(EDWARDS))


def test_no_key() -> None:
    with pytest.raises(Unknown, match="not a public key"):
        verify(license_text("x"), "no key")


def test_a_key_of_another_kind() -> None:
    key = dsa.generate_private_key(2048)

    with pytest.raises(Unknown, match="neither"):
        verify(license_text(base64.b64encode(EDWARDS.sign(PAYLOAD)).decode()), pem(key))
