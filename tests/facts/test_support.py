"""Support: until when, by release, and for whom Docker publishes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, File, FileAnswer, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.support import Support

from .machine import find

PRO = Stat("/etc/apt/auth.conf.d/90ubuntu-advantage")


def support(name: str, version: str, pro: str | None = "ENOENT") -> Support:
    text = f"ID={name}\nVERSION_ID={version}\n"
    answers: dict[Ask[Any], Answer | Unknown] = {
        File("/etc/os-release", limit=16_384): FileAnswer(text=text),
        PRO: StatAnswer(error=pro, kind="file"),
    }
    return find(Support, answers)


@pytest.mark.parametrize(
    ("name", "version", "ends", "docker"),
    [
        ("ubuntu", "20.04", "2025-05", False),
        ("ubuntu", "22.04", "2027-06", True),
        ("ubuntu", "26.04", "2031-06", True),
        ("rhel", "8.10", "2029-05", True),
        ("rhel", "10.0", "2035-05", True),
        ("rocky", "9.5", "2032-05", None),
        ("ol", "9.1", "2032-06", None),
        ("centos", "8", "2024-05", False),
        ("centos", "9", "2027-05", True),
    ],
)
def test_the_table(name: str, version: str, ends: str, docker: bool | None) -> None:
    found = support(name, version)

    assert (found.ends, found.docker) == (ends, docker)


@pytest.mark.parametrize(
    ("version", "ends"), [("20.10", "2021-07"), ("25.04", "2026-01"), ("25.10", "2026-07")]
)
def test_an_interim_ubuntu_has_nine_months(version: str, ends: str) -> None:
    assert support("ubuntu", version).ends == ends


def test_pro_extends_a_long_term_release() -> None:
    found = support("ubuntu", "22.04", pro=None)

    assert (found.ends, found.extended) == ("2032-06", True)


@pytest.mark.parametrize("version", ["25.10", "22.04"])
def test_pro_extends_nothing_else(version: str) -> None:
    assert not support("ubuntu", version, pro="EACCES" if version == "22.04" else None).extended


@pytest.mark.parametrize(
    ("name", "version"), [("ubuntu", "28.04"), ("ubuntu", "x"), ("debian", "12"), ("rhel", "11.0")]
)
def test_what_the_table_does_not_know(name: str, version: str) -> None:
    with pytest.raises(Unknown, match="was not known on"):
        support(name, version)


@pytest.mark.parametrize(
    ("now", "over"), [((2027, 6, 30), False), ((2027, 7, 1), True), ((2026, 12, 1), False)]
)
def test_support_lasts_through_its_last_month(now: tuple[int, int, int], over: bool) -> None:
    assert Support("ubuntu 22.04", "2027-06").over(datetime(*now, tzinfo=timezone.utc)) is over
