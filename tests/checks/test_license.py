"""The license checks, on made-up licenses."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from sesam_audit.asks import LicenseAnswer, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.license import WORDS, License
from sesam_audit.level import Outcome
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile
from sesam_audit.testing import NOW, evaluate

PATH = "/srv/data/sesam/node-00/data/license.key"
SESAM = SesamUser(exists=True, uid=1000, gid=1000, own_group=1000)
SUBSCRIPTION = "12345"
DENIED = Unknown("needs root: license.key is not readable", "sudo cat license.key")
KEY = ed25519.Ed25519PrivateKey.generate()


def made(
    *, content: LicenseAnswer | Unknown | None = None, says: Any = None, **file: Any
) -> License:
    stat: dict[str, Any] = {
        "kind": "file",
        "uid": 1000,
        "user": "sesam",
        "mode": 0o600,
        "size": 900,
    } | file
    answer = LicenseAnswer(size=900, **(says or {"id": SUBSCRIPTION}))
    return License(PATH, StatAnswer(**stat), content or answer)


def ending(moment: Any) -> License:
    return made(says={"expires": moment.isoformat() if hasattr(moment, "isoformat") else moment})


def test_a_license_in_place() -> None:
    finding = evaluate("license.file", made(), SESAM)

    assert finding.outcome is Outcome.PASSED
    assert "900 bytes, owned by sesam" in finding.message


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (License(PATH, StatAnswer(error="ENOENT"), DENIED), f"there is no {PATH}"),
        (made(kind="directory"), "is a directory, not a regular file"),
        (made(kind="link"), "is a link, not a regular file"),
        (made(size=1), "is empty"),
        (made(content=LicenseAnswer(size=9, blank=True)), "is empty"),
        (made(uid=0, user="root"), "belongs to root, not to sesam"),
        (made(uid=4711, user=""), "belongs to 4711, not to sesam"),
        (made(content=DENIED, uid=0, user="root", size=0), "is empty"),
    ],
)
def test_no_license_in_place(key: License, message: str) -> None:
    finding = evaluate("license.file", key, SESAM)

    assert finding.outcome is Outcome.FAILED
    assert message in finding.message


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("9999-12-31T23:59:59-05:00", Outcome.PASSED),
        ("0001-01-01T00:00:00+05:00", Outcome.FAILED),
    ],
)
def test_a_license_until_the_end_of_the_calendar(text: str, outcome: Outcome) -> None:
    assert evaluate("license.expiry", ending(text)).outcome is outcome
    assert evaluate("license.expiry-soon", ending(text)).outcome is outcome


def test_a_license_that_may_not_be_read() -> None:
    finding = evaluate("license.file", made(content=DENIED), SESAM)

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith("needs root")


def test_without_sesam_the_owner_is_not_judged() -> None:
    finding = evaluate("license.file", made(uid=1002, user="bob"), SesamUser(exists=False))

    assert finding.outcome is Outcome.UNKNOWN
    assert "belongs to bob; there is no user sesam (layout.user)" in finding.message


def test_without_sesam_an_empty_license_still_fails() -> None:
    finding = evaluate("license.file", made(size=1), SesamUser(exists=False))

    assert finding.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        (0o600, Outcome.PASSED),
        (0o640, Outcome.PASSED),
        (0o641, Outcome.FAILED),
        (0o644, Outcome.FAILED),
    ],
)
def test_permissions(mode: int, outcome: Outcome) -> None:
    assert evaluate("license.permissions", made(mode=mode)).outcome is outcome


def test_no_license_has_no_permissions() -> None:
    gone = License(PATH, StatAnswer(error="ENOENT"), DENIED)

    assert evaluate("license.permissions", gone).outcome is Outcome.UNKNOWN


def test_permissions_need_no_reading() -> None:
    assert evaluate("license.permissions", made(content=DENIED)).outcome is Outcome.PASSED


def test_permissions_that_cannot_be_told() -> None:
    finding = evaluate("license.permissions", unknown={License: DENIED})

    assert finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("problems", [(), ("no-end",)])
def test_the_portals_form(problems: tuple[str, ...]) -> None:
    finding = evaluate("license.format", made(says={"problems": problems}))

    assert finding.outcome is Outcome.PASSED
    assert bool(finding.notes) is bool(problems)


@pytest.mark.parametrize("word", [word for word in WORDS if word != "no-end"])
def test_each_fault_of_form_is_named(word: str) -> None:
    finding = evaluate("license.format", made(says={"problems": (word,)}))

    assert finding.outcome is Outcome.FAILED
    assert WORDS[word] in finding.message


def test_a_new_word_of_the_probe_is_shown_as_it_is() -> None:
    assert "odd" in evaluate("license.format", made(says={"problems": ("odd",)})).message


def test_a_form_that_cannot_be_told() -> None:
    assert evaluate("license.format", made(content=DENIED)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("left", "outcome"),
    [
        (timedelta(days=365), Outcome.PASSED),
        (timedelta(seconds=1), Outcome.PASSED),
        (timedelta(0), Outcome.FAILED),
        (timedelta(seconds=-1), Outcome.FAILED),
    ],
)
def test_expiry(left: timedelta, outcome: Outcome) -> None:
    finding = evaluate("license.expiry", ending(NOW + left))

    assert finding.outcome is outcome
    assert finding.measured


@pytest.mark.parametrize("key", [ending("never"), made(), made(content=DENIED)])
def test_no_readable_end(key: License) -> None:
    assert evaluate("license.expiry", key).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("left", "outcome"),
    [
        (timedelta(days=30, seconds=1), Outcome.PASSED),
        (timedelta(days=30), Outcome.FAILED),
        (timedelta(days=3), Outcome.FAILED),
    ],
)
def test_expiry_soon(left: timedelta, outcome: Outcome) -> None:
    assert evaluate("license.expiry-soon", ending(NOW + left)).outcome is outcome


def test_expiry_soon_says_when() -> None:
    finding = evaluate("license.expiry-soon", ending(NOW + timedelta(days=3)))

    assert finding.message == "the license expires on 2026-11-25, in 3 days"


def test_expiry_soon_that_cannot_be_told() -> None:
    assert evaluate("license.expiry-soon", made()).outcome is Outcome.UNKNOWN


@pytest.fixture
def with_key() -> Profile:
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    text = KEY.public_key().public_bytes(*form).decode()
    return Profile(license_public_key=NamedFile("key.pem", text))


def signed(message: bytes | None = None) -> License:
    payload = base64.b64encode(b'{"_id": "12345"}')
    outer = {"payload": payload.decode()}
    if message is not None:
        outer["signature"] = base64.b64encode(KEY.sign(message or payload)).decode()
    return made(says={"text": base64.b64encode(json.dumps(outer).encode()).decode()})


def test_a_signature_that_fits(with_key: Profile) -> None:
    finding = evaluate("license.signature", signed(b""), profile=with_key)

    assert finding.outcome is Outcome.PASSED


def test_a_signature_that_does_not_fit(with_key: Profile) -> None:
    finding = evaluate("license.signature", signed(b"other"), profile=with_key)

    assert finding.outcome is Outcome.FAILED
    assert "does not fit" in finding.message


def test_no_signature(with_key: Profile) -> None:
    finding = evaluate("license.signature", signed(), profile=with_key)

    assert finding.outcome is Outcome.UNKNOWN


def test_saved_evidence_has_no_text(with_key: Profile) -> None:
    finding = evaluate("license.signature", made(), profile=with_key)

    assert finding.outcome is Outcome.UNKNOWN
    assert "saved evidence" in finding.message


def test_without_a_key_there_is_nothing_to_verify() -> None:
    finding = evaluate("license.signature", made())

    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_the_subscriptions_own_license() -> None:
    finding = evaluate(
        "license.subscription", made(), Deployment({"SUBSCRIPTION_ID": SUBSCRIPTION})
    )

    assert finding.outcome is Outcome.PASSED


def test_the_license_of_another_subscription() -> None:
    finding = evaluate("license.subscription", made(), Deployment({"SUBSCRIPTION_ID": "54321"}))

    assert finding.outcome is Outcome.FAILED
    assert finding.message == "the license is for 12345, but SUBSCRIPTION_ID is 54321"


@pytest.mark.parametrize("value", ["", "your_subscription_id"])
def test_no_subscription_to_compare(value: str) -> None:
    finding = evaluate("license.subscription", made(), Deployment({"SUBSCRIPTION_ID": value}))

    assert finding.outcome is Outcome.UNKNOWN


def test_a_license_without_subscription() -> None:
    key = made(says={"expires": "x"})
    finding = evaluate("license.subscription", key, Deployment({"SUBSCRIPTION_ID": "1"}))

    assert finding.outcome is Outcome.UNKNOWN
