"""The license, as far as it may be known."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sesam_audit.asks import LicenseAnswer, LicenseFile, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.license import HARMLESS, WORDS, License, parse_moment
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile
from sesam_audit.wanted import STORE

from .machine import find
from .sesam_host import SUBSCRIPTION, Answers, on_data_disk, there

PATH = f"{STORE}/license.key"
CONTENT = LicenseAnswer(size=900, id=SUBSCRIPTION, expires="2027-09-24T00:00:00", signed=True)


def license_with(content: LicenseAnswer, file: StatAnswer | None = None) -> License:
    answers: Answers = on_data_disk() | {LicenseFile(PATH): content}
    if file:
        answers[Stat(PATH)] = file
    return find(License, answers, rounds=2)


def test_a_license() -> None:
    found = license_with(CONTENT)

    assert (found.path, found.id) == (PATH, SUBSCRIPTION)
    assert found.expires == datetime(2027, 9, 24, tzinfo=timezone.utc)


def test_its_text_is_asked_for_only_with_a_key() -> None:
    whole: Answers = {LicenseFile(PATH, whole=True): LicenseAnswer(text="x")}
    found = find(License, on_data_disk() | whole, Profile(license_public_key=NamedFile("key.pem")))

    assert found.read().text == "x"


def test_a_missing_license() -> None:
    missing = StatAnswer(error="ENOENT")

    assert license_with(LicenseAnswer(error="ENOENT"), missing).file.missing


def test_a_directory_that_may_not_be_entered() -> None:
    with pytest.raises(Unknown, match="needs root"):
        license_with(CONTENT, StatAnswer(error="EACCES"))


def test_a_license_that_may_not_be_read() -> None:
    found = license_with(LicenseAnswer(error="EACCES"), there("file", size=900))

    with pytest.raises(Unknown, match="needs root"):
        _ = found.blank


def test_one_newline_is_blank_without_reading_it() -> None:
    assert license_with(LicenseAnswer(error="EACCES"), there("file", size=1)).blank


def test_blanks_only() -> None:
    found = license_with(LicenseAnswer(size=4, blank=True), there("file", size=4))

    assert found.blank


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LicenseAnswer(), "names no `expires`"),
        (LicenseAnswer(expires="soon"), "'soon' is not a date"),
    ],
)
def test_no_readable_end(content: LicenseAnswer, reason: str) -> None:
    with pytest.raises(Unknown, match=reason):
        _ = license_with(content).expires


def test_no_subscription() -> None:
    with pytest.raises(Unknown, match="names no subscription"):
        _ = license_with(LicenseAnswer()).id


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017-09-24T00:00:00", "2017-09-24T00:00:00+00:00"),
        ("2017-09-24T00:00:00Z", "2017-09-24T00:00:00+00:00"),
        ("2017-09-24", "2017-09-24T00:00:00+00:00"),
        ("2017-09-24 10:30", "2017-09-24T10:30:00+00:00"),
        ("2017-09-24T00:00:00.1234567Z", "2017-09-24T00:00:00+00:00"),
        ("2017-09-24T02:00:00+02:00", "2017-09-24T00:00:00+00:00"),
        ("2017-09-24T02:00:00+0200", "2017-09-24T00:00:00+00:00"),
        ("2017-09-24T02:00:00+02", "2017-09-24T00:00:00+00:00"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    assert parse_moment(text) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text", ["", "never", "2017-13-45", "1506211200", "24.09.2017", "\u0662017-09-24"]
)
def test_no_moments(text: str) -> None:
    assert parse_moment(text) is None


def test_every_word_of_the_vocabulary_has_its_sentence() -> None:
    words = (LicenseFile.answer.__doc__ or "", *WORDS)

    assert set(words) >= HARMLESS
    assert all(WORDS.values())
