"""OsRelease: the distributions people really run, told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from sesam_audit.asks import File, FileAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.os_release import OsRelease

from .machine import find

DATA = Path(__file__).with_name("data") / "os-release"
EXPECTED = {
    "almalinux-9.6": ("almalinux", (9, 6)),
    "alpine-3.22": ("alpine", (3, 22, 1)),
    "amazon-2023": ("amzn", (2023,)),
    "centos-stream-9": ("centos", (9,)),
    "debian-11": ("debian", (11,)),
    "debian-12": ("debian", (12,)),
    "fedora-40": ("fedora", (40,)),
    "linuxmint-22": ("linuxmint", (22,)),
    "oracle-9.1": ("oracle", (9, 1)),
    "rhel-10.0": ("rhel", (10, 0)),
    "rhel-7.9": ("rhel", (7, 9)),
    "rhel-8.10": ("rhel", (8, 10)),
    "rhel-9.6": ("rhel", (9, 6)),
    "rhel-coreos-4.14": ("rhcos", (4, 14)),
    "rhel-coreos-9.6": ("rhel", (9, 6)),
    "rocky-8.10": ("rocky", (8, 10)),
    "rocky-9.5": ("rocky", (9, 5)),
    "sles-15.7": ("sles", (15, 7)),
    "ubuntu-18.04": ("ubuntu", (18, 4)),
    "ubuntu-20.04": ("ubuntu", (20, 4)),
    "ubuntu-22.04": ("ubuntu", (22, 4)),
    "ubuntu-24.04": ("ubuntu", (24, 4)),
    "ubuntu-26.04": ("ubuntu", (26, 4)),
    "ubuntu-core-24": ("ubuntu-core", (24,)),
}


def release(text: str, path: str = "/etc/os-release") -> OsRelease:
    return find(OsRelease, {File(path, limit=16_384): FileAnswer(text=text)})


def shipped(name: str) -> OsRelease:
    return release((DATA / name).read_text())


def test_every_text_has_an_expectation() -> None:
    assert {path.name for path in DATA.iterdir() if path.suffix != ".md"} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_distribution_and_version(name: str) -> None:
    found = shipped(name)

    assert (found.id, found.numbers) == EXPECTED[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ubuntu-24.04", "Ubuntu 24.04.3 LTS"),
        ("rhel-9.6", "Red Hat Enterprise Linux 9.6 (Plow)"),
        ("sles-15.7", "SUSE Linux Enterprise Server 15 SP7"),
    ],
)
def test_what_people_call_it(name: str, said: str) -> None:
    assert shipped(name).name == said


def test_the_immutable_variant_is_told() -> None:
    assert shipped("rhel-coreos-9.6").variant == "coreos"


def test_relatives_are_told() -> None:
    assert shipped("linuxmint-22").like == ("ubuntu", "debian")


def test_the_vendors_copy_does_when_etc_has_none() -> None:
    assert release("ID=ubuntu\nVERSION_ID=24.04\n", "/usr/lib/os-release").id == "ubuntu"


def test_an_old_release_file_alone_is_enough() -> None:
    text = "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n"

    found = release(text, "/etc/redhat-release")

    assert (found.id, found.version) == ("rhel", "6.10")


def test_a_rebuild_does_not_pass_for_the_original() -> None:
    with pytest.raises(Unknown, match="no release file names"):
        release("Rocky Linux release 8.10 (Green Obsidian)\n", "/etc/redhat-release")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ID=rhel\nVERSION_ID=7.9\n", "rhel 7.9"),
        ("ID=rhel\n", "rhel"),
        ("ID=rhel\nNAME=Red\\ Hat\nVERSION_ID=7.9\n", "Red Hat 7.9"),
    ],
)
def test_without_a_pretty_name_it_still_has_one(text: str, name: str) -> None:
    assert release(text).name == name


def test_a_version_that_is_no_number_has_no_numbers() -> None:
    assert release("ID=debian\nVERSION_ID=rolling\n").numbers == ()


@pytest.mark.parametrize("text", ["", "\n", "NAME=\n"])
def test_a_file_that_names_nothing_is_unknown(text: str) -> None:
    with pytest.raises(Unknown, match="no release file names"):
        release(text)


def test_a_file_that_is_not_understood_is_unknown() -> None:
    with pytest.raises(Unknown, match="not understood"):
        release('ID="ubuntu\n')


def test_no_release_file_is_unknown_and_never_the_auditors() -> None:
    with pytest.raises(Unknown, match="no release file names"):
        find(OsRelease, {})


def test_an_unreadable_file_is_unknown() -> None:
    with pytest.raises(Unknown, match="needs root: /etc/os-release"):
        find(OsRelease, {File("/etc/os-release", limit=16_384): FileAnswer(error="EACCES")})
