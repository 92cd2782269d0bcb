"""Sizes as people write and read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from sesam_audit.model import Quantity
from sesam_audit.quantity import Size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16 GB", 16 * 10**9),
        ("16GB", 16 * 10**9),
        ("16 GiB", 16 * 2**30),
        (" 350 GB ", 350 * 10**9),
        ("1.5 TB", 15 * 10**11),
        ("0.5 MiB", 2**19),
        ("512 B", 512),
        ("512", 512),
        (16_000_000_000, 16 * 10**9),
        ("9007199254740993", 2**53 + 1),
        ("5 kB", 5000),
        ("5 KB", 5000),
    ],
)
def test_sizes_are_read_as_written(text: str | int, size: int) -> None:
    assert Size.parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "GB", "-1", "16 gb", "16 GBs", "1e5", "1,5 GB", "nan", "16 PB", "٣ GB", "1_000"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as"):
        Size.parse(text)


def test_an_absurd_size_is_refused_and_does_not_overflow() -> None:
    with pytest.raises(ValueError, match="is not a size such as"):
        Size.parse("9" * 400)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (5000, "5 kB"),
        (16 * 10**9, "16 GB"),
        (16_412_000_000, "16.4 GB"),
        (350 * 10**9, "350 GB"),
        (2 * 10**12, "2 TB"),
        (100 * 10**9, "100 GB"),
    ],
)
def test_sizes_are_shown_in_the_guides_units(size: int, text: str) -> None:
    assert str(Size(size)) == text


def test_a_size_just_below_a_limit_is_not_shown_as_the_limit() -> None:
    assert str(Size(15_999_000_000)) == "15.9 GB"


@pytest.mark.parametrize("size", [999, 5000, 16 * 10**9, 350 * 10**9, 2 * 10**12])
def test_what_is_shown_can_be_written_into_a_profile(size: int) -> None:
    assert Size.parse(str(Size(size))) == size


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (Size(16 * 10**9), "", (16 * 10**9, "B", "16 GB")),
        (4, "CPUs", (4, "CPUs", "4 CPUs")),
        (2.5, "", (2.5, "", "2.5")),
        (True, "", (True, "", "True")),
        (None, "", (None, "", "None")),
        ("x", "", ("x", "", "x")),
        (("a", "b"), "", ("a, b", "", "a, b")),
        ((), "", ("", "", "none")),
        (timedelta(seconds=90), "", (90.0, "s", "90.0 s")),
        (
            datetime(2027, 1, 2, 3, 4, tzinfo=timezone.utc),
            "",
            ("2027-01-02T03:04:00+00:00", "time", "2027-01-02 03:04 UTC"),
        ),
    ],
)
def test_a_measured_thing_has_a_value_a_unit_and_words(
    value: object, unit: str, shown: tuple[object, str, str]
) -> None:
    said = Quantity.of(value, unit)
    assert (said.value, said.unit, said.text) == shown


def test_a_moment_of_another_zone_is_shown_in_utc() -> None:
    moment = datetime(2027, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))
    assert Quantity.of(moment).text == "2027-01-02 01:04 UTC"
