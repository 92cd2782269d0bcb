"""Whether a profile's values can be what they stand for; a rule says what to write instead."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ValueRule(NamedTuple):
    """What a text must be, in words, and how it is written."""

    fits: Callable[[str], bool]
    what: str
    write: str


class FileRule(NamedTuple):
    """What a file must hold: `read` raises ValueError when it does not."""

    read: Callable[[bytes], object]
    what: str
    write: str


class NamedFile(str):
    """The path of a file of the auditor's, with the text it held when the profile was read."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, path: str = "", text: str = "") -> NamedFile:
        named = super().__new__(cls, path)
        named.text = text
        return named


NO_FILE = NamedFile()


def labelled(text: str) -> bool:
    """Whether a text is made as a host name is, and can stand in commands: labels and dots."""
    return len(text) <= 253 and all(map(_LABEL.fullmatch, text.removesuffix(".").split(".")))


def is_name(text: str) -> bool:
    """Whether a text can be a host name; an address is none."""
    return labelled(text) and not text.removesuffix(".").rpartition(".")[2].isdigit()


def is_mail(text: str) -> bool:
    """Whether a text is an e-mail address, as far as that shows."""
    return _MAIL.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Whether a text is an address; none with a zone, which means nothing elsewhere."""
    return "/" not in text and is_network(text)


def is_network(text: str) -> bool:
    """Whether a text is a network or an address."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "%" not in text


def is_host(text: str) -> bool:
    """Whether a text is a host's name or address."""
    return is_name(text) or is_address(text)


def is_destination(text: str) -> bool:
    """Whether a text is HOST, HOST:PORT or [ADDRESS]:PORT, after https:// or not."""
    found = re.fullmatch(r"(?:https://)?(\[[^\[\]]*\]|[^\[\]:]*)(?::([0-9]{1,5}))?", text)
    if not found:
        return False
    host, port = found[1], int(found[2] or 443)
    inside = host[1:-1]
    fits = ":" in inside and is_address(inside) if host.startswith("[") else is_host(host)
    return fits and 0 < port < 2**16


def is_endpoint(text: str) -> bool:
    """Whether a text is HOST, HOST:PORT or [ADDRESS]:PORT."""
    return not text.startswith("https://") and is_destination(text)


def is_proxy(text: str) -> bool:
    """Whether a text is a proxy that is spoken to in plain HTTP: [http://]HOST[:PORT]."""
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    bare = parts.scheme in ("", "http") and parts.path in ("", "/")
    return bare and not (parts.query or parts.fragment) and is_host(host) and port != 0


RULES = {
    "node_domain": ValueRule(
        is_name,
        "a host name",
        "Write the name alone, as node.example.org: no https://, no port, no path",
    ),
    "dns_admin": ValueRule(is_mail, "an e-mail address", "Write one, as it@example.org"),
    "fluentbit_host": ValueRule(
        is_host, "a host", "Write the name alone, as logs.example.org: no http://, no port"
    ),
    "proxy": ValueRule(
        is_proxy, "HOST:PORT", "Write it as proxy.example.org:3128; http:// may stand before it"
    ),
    "public_addresses": ValueRule(
        is_address, "an address", "Write each address by itself, as 192.0.2.7 or 2001:db8::7"
    ),
    "client_networks": ValueRule(is_network, "a network", "Write each as 10.20.0.0/16"),
    "extra_destinations": ValueRule(
        is_destination,
        "a destination",
        "Write HOST:PORT or https://HOST:PORT, and an IPv6 address as [ADDRESS]:PORT",
    ),
    "closed_destinations": ValueRule(  # what is misspelled would be closed for ever
        is_endpoint, "a host and port", "Write HOST:PORT, and an IPv6 address as [ADDRESS]:PORT"
    ),
}
"""The keys whose texts are names, addresses or networks; an empty text is none."""


def _roots(pem: bytes) -> None:
    import ssl  # cryptography would say the same, and keep ssh waiting for 20 ms

    try:
        text = pem.decode("ascii", "ignore")  # comments may name their authorities
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except ssl.SSLError as error:
        raise ValueError(str(error)) from error


def _public_key(pem: bytes) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, (ed25519.Ed25519PublicKey, ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        raise ValueError("neither an Ed25519, an ECDSA nor an RSA key")  # noqa: TRY004


def _report(text: bytes) -> None:
    import json

    try:
        schema = json.loads(text)["schema"]
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError("it has no schema") from error
    if not str(schema).startswith("sesam-audit/report/"):
        raise ValueError(f"it is {schema!r:.80}")


FILES = {
    "public_roots": FileRule(
        _roots,
        "certificates in PEM form",
        "Name a file of certificates, each from -----BEGIN CERTIFICATE----- to its END",
    ),
    "license_public_key": FileRule(
        _public_key,
        "a public key in PEM form",
        "Name a file that begins with -----BEGIN PUBLIC KEY-----",
    ),
    "earlier": FileRule(
        _report, "a JSON report", "Name one that `sesam-audit run --report json=PATH` wrote"
    ),
}
"""The keys that name a file of the auditor's (NamedFile); only a file that is named is read."""
