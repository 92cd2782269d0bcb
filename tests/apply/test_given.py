"""License and certificate are judged on the auditor, before any host is touched."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from sesam_audit.errors import UsageError
from sesam_audit.given import GivenLogin, certificate_of, digest, license_of
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile
from tests.facts.certificate_maker import NOW, Made, make
from tests.lab.perfect import SUBSCRIPTION, license_text

TODAY = datetime.now(timezone.utc)
DOMAIN = "node.example.org"


def put(directory: Path, text: str | bytes, name: str = "license.key") -> Path:
    path = directory / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_license_tells_whose_it_is_and_until_when(tmp_path: Path) -> None:
    text = license_text(expires=TODAY + timedelta(days=3))
    found = license_of(put(tmp_path, text), Profile(), TODAY)

    assert found.id == SUBSCRIPTION
    assert found.expires.startswith(f"{TODAY + timedelta(days=3):%Y-%m-%d}")
    assert found.text == text
    assert found.sha256 == digest(text)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\\n"),
        lambda text: text.replace("\n", " \n") + "\n\n",
    ],
    ids=["crlf", "bom", "literal", "blanks"],
)
def test_what_a_clipboard_did_is_put_right(tmp_path: Path, mangle: object) -> None:
    text = license_text()
    mangled = put(tmp_path, mangle(text))  # type: ignore[operator]

    assert license_of(mangled, Profile(), TODAY).text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n", "empty"),
        ("<!DOCTYPE html><html>", "web page"),
        (license_text()[:200], "base64|cut off|JSON"),
        (license_text(expires="2020-01-01T00:00:00"), "expired on 2020-01-01"),
        ("no license at all", "BEGIN"),
    ],
)
def test_what_is_no_valid_license_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        license_of(put(tmp_path, text), Profile(), TODAY)


def test_a_license_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        license_of(tmp_path / "none", Profile(), TODAY)


def test_a_license_is_verified_where_the_public_key_is_known(tmp_path: Path) -> None:
    profile = Profile(license_public_key=NamedFile("public.pem", make("somebody").public))

    with pytest.raises(UsageError, match="signature does not verify"):
        license_of(put(tmp_path, license_text()), profile, TODAY)


def test_secrets_are_not_shown_in_a_traceback(tmp_path: Path) -> None:
    found = license_of(put(tmp_path, license_text()), Profile(), TODAY)

    assert license_text().splitlines()[1] not in repr(found)
    assert "secret" not in repr(GivenLogin(user="x", password="secret"))


def key_of(made: Made) -> str:
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.key.private_bytes(serialization.Encoding.PEM, *form).decode()


SELF = Profile(certificates="self-signed")


def test_a_certificate_with_its_key_is_taken(tmp_path: Path) -> None:
    made = make(DOMAIN, dns=(DOMAIN,))
    certificate = put(tmp_path, f"Bag attributes\r\n{made.pem}", "node.pem")
    found = certificate_of(certificate, put(tmp_path, key_of(made), "key"), SELF, DOMAIN, NOW)

    assert found.text == made.pem
    assert key_of(made) not in repr(found)


@pytest.mark.parametrize(
    ("made", "other", "why"),
    [
        (make(DOMAIN, dns=(DOMAIN,)), make("other"), "not the key"),
        (make(DOMAIN, dns=("other.example.org",)), None, "only for other.example.org"),
        (make(DOMAIN, dns=(DOMAIN,), days=-1, since=-3), None, "expired"),
    ],
)
def test_a_certificate_that_traefik_could_not_serve_is_refused(
    tmp_path: Path, made: Made, other: Made | None, why: str
) -> None:
    certificate, key = put(tmp_path, made.pem, "c"), put(tmp_path, key_of(other or made), "k")

    with pytest.raises(UsageError, match=why):
        certificate_of(certificate, key, SELF, DOMAIN, NOW)


def test_a_certificate_from_nobody_is_refused_where_one_is_provided(tmp_path: Path) -> None:
    made = make(DOMAIN, dns=(DOMAIN,))
    certificate, key = put(tmp_path, made.pem, "c"), put(tmp_path, key_of(made), "k")

    with pytest.raises(UsageError, match="self-signed"):
        certificate_of(certificate, key, Profile(certificates="provided"), DOMAIN, NOW)
