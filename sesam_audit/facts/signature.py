"""Verify a license: what is signed, and how, is not public, so the usual forms are tried."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sesam_audit.errors import Unknown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_ARMOUR = re.compile(r"-{2,}[^\n]*?-{2,}")
_NAME = re.compile(r"sign|^sig$", re.IGNORECASE)
_WEB_ALPHABET = str.maketrans("-_", "+/")


def verify(text: str, pem: str) -> bool:
    """Whether one of the license's signatures fits what it signs.

    Raises:
        Unknown: the key or the license is not understood, or bears no recognised signature.
    """
    key = _key(pem)
    outer = _outer(text)
    signatures = [each for name, value in outer.items() for each in _signatures(name, value)]
    if not signatures:
        raise Unknown("the license bears no signature in a recognised form")
    messages = list(_messages(outer.get("payload")))
    return any(_fits(key, each, message) for each in signatures for message in messages)


def _key(pem: str) -> PublicKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unknown(f"license_public_key is not a public key in PEM form: {error}") from error


def _outer(text: str) -> dict[str, Any]:
    plain = text.lstrip("\ufeff").replace("\\r", "").replace("\\n", "\n")
    try:
        found = json.loads(_bytes(_ARMOUR.sub("", plain)) or b"")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("payload"), str):
        raise Unknown("the license is not in a form whose signature can be verified")
    return found


def _signatures(name: str, value: Any) -> Iterator[bytes]:
    if not _NAME.search(name):
        return
    values = value.values() if isinstance(value, dict) else value
    for each in values if isinstance(value, (list, dict)) else [value]:
        found = _bytes(each) if isinstance(each, str) else None
        if found and len(found) >= 32:
            yield found


def _messages(payload: Any) -> Iterator[bytes]:
    """What may have been signed: the payload as it stands, and what it decodes to."""
    yield str(payload).encode("utf-8", "replace")
    decoded = _bytes(str(payload))
    if decoded:
        yield decoded


def _bytes(text: str) -> bytes | None:
    bare = re.sub(r"\s", "", text)
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}){32,}", bare):
        return bytes.fromhex(bare)
    bare = bare.translate(_WEB_ALPHABET).rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def _fits(key: PublicKeyTypes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import (
        ec,
        ed25519,
        padding,
        rsa,
    )

    sha256 = hashes.SHA256()
    pss = padding.PSS(padding.MGF1(sha256), padding.PSS.AUTO)
    attempts: list[tuple[Any, ...]]
    match key:
        case ed25519.Ed25519PublicKey():
            attempts = [()]
        case ec.EllipticCurvePublicKey():
            attempts = [(ec.ECDSA(sha256),)]
        case rsa.RSAPublicKey():
            attempts = [(padding.PKCS1v15(), sha256), (pss, sha256)]
        case _:
            raise Unknown("license_public_key is neither an Ed25519, an ECDSA nor an RSA key")
    for arguments in attempts:
        try:
            key.verify(signature, message, *arguments)
        except InvalidSignature:
            continue
        return True
    return False
