"""The guide's directories, and Traefik's acme.json."""

from __future__ import annotations

import pytest

from sesam_audit.asks import Stat, StatAnswer
from sesam_audit.facts.directories import AcmeFile, Directories
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile
from sesam_audit.wanted import ACME, BASE, CERTIFICATES, LETSENCRYPT, LOGS, NODE, STORE

from .machine import find
from .sesam_host import Answers, link, on_data_disk, on_root_disk, there


def inspect(changes: Answers | None = None, profile: Profile | None = None) -> Inspection:
    root = profile is not None and profile.data == "rootdisk"
    answers = on_root_disk() if root else on_data_disk()
    answers |= {Stat(path): there(inode=50) for path in (BASE, LOGS, LETSENCRYPT)}
    return find(Directories, answers | (changes or {}), profile).inspect()


def test_all_there() -> None:
    assert inspect() == Inspection()


def test_on_the_root_disk() -> None:
    assert inspect(profile=Profile(data="rootdisk")) == Inspection()


@pytest.mark.parametrize("path", [BASE, LOGS, LETSENCRYPT, STORE])
def test_each_may_be_missing(path: str) -> None:
    assert inspect({Stat(path): StatAnswer(error="ENOENT")}).problems == [f"missing: {path}"]


def test_own_certificates_need_another_directory() -> None:
    assert inspect(profile=Profile(certificates="provided")).problems == [
        f"missing: {CERTIFICATES}"
    ]


def test_a_file_in_place() -> None:
    assert inspect({Stat(LOGS): there("file")}).problems == [f"{LOGS} is a file, not a directory"]


def test_a_link_in_place() -> None:
    assert "is a link" in inspect({Stat(LOGS): link("/var/log/sesam", inode=5)}).problems[0]


def test_the_data_directory_may_be_reached_by_its_link() -> None:
    """On the root disk the link is layout.data-link's matter."""
    profile = Profile(data="rootdisk")

    assert not inspect({Stat(NODE): link("/big", inode=20)}, profile).problems


def test_unreadable_is_not_missing() -> None:
    found = inspect({Stat(LOGS): StatAnswer(error="EACCES")})

    assert not found.problems
    assert "needs root" in str(found.unknown)


def test_below_a_link_to_itself_nothing_is_told() -> None:
    found = inspect({Stat(path): StatAnswer(error="ELOOP") for path in (BASE, LOGS, NODE)})

    assert not found.problems
    assert f"{LOGS} is not reached" in str(found.unknown)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (there("file", mode=0o600), ""),
        (StatAnswer(error="ENOENT"), ""),
        (there("file", mode=0o640), "has mode 0640"),
        (there("directory", mode=0o700), "is a directory"),
    ],
)
def test_acme_file(file: StatAnswer, problem: str) -> None:
    found = find(AcmeFile, {Stat(ACME): file}).inspect()

    assert problem in "".join(found.problems)
    assert bool(problem) is bool(found.problems)


def test_an_acme_file_that_may_not_be_seen() -> None:
    assert find(AcmeFile, {Stat(ACME): StatAnswer(error="EACCES")}).inspect().unknown
