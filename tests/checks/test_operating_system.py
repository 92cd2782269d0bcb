"""os.*: each line passed, failed, at its boundary, and not told."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sesam_audit.errors import Unknown
from sesam_audit.facts.architecture import Architecture
from sesam_audit.facts.clock import Clock
from sesam_audit.facts.os_release import OsRelease
from sesam_audit.facts.services import Services, Unit
from sesam_audit.facts.support import Support
from sesam_audit.level import Outcome, Stage
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from sesam_audit.testing import evaluate

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
ACCEPTING = Profile(rhel_rebuilds="accept")
TIMESYNCD = "systemd-timesyncd.service"


@pytest.mark.parametrize(
    ("name", "version", "outcome"),
    [
        ("ubuntu", "20.04", PASSED),
        ("ubuntu", "18.04", FAILED),
        ("ubuntu", "19.10", FAILED),
        ("ubuntu", "26.04", PASSED),
        ("rhel", "8.10", PASSED),
        ("rhel", "8.0", PASSED),
        ("rhel", "7.9", FAILED),
        ("rhel", "10.0", PASSED),
        ("debian", "12", FAILED),
        ("rocky", "9.5", FAILED),
        ("ubuntu-core", "24", FAILED),
        ("ubuntu", "", UNKNOWN),
        ("ubuntu", "devel", UNKNOWN),
    ],
)
def test_release(name: str, version: str, outcome: Outcome) -> None:
    assert evaluate("os.release", OsRelease(name, version)).outcome is outcome


@pytest.mark.parametrize(
    ("name", "version", "outcome"),
    [
        ("rocky", "9.5", PASSED),
        ("almalinux", "8.10", PASSED),
        ("oracle", "9.1", PASSED),
        ("centos", "9", PASSED),
        ("centos", "7", FAILED),
        ("fedora", "40", FAILED),
        ("amzn", "2023", FAILED),
        ("ubuntu", "24.04", PASSED),
    ],
)
def test_a_policy_may_accept_rebuilds(name: str, version: str, outcome: Outcome) -> None:
    finding = evaluate("os.release", OsRelease(name, version), profile=ACCEPTING)

    assert finding.outcome is outcome


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (OsRelease("rocky", "9.5", "Rocky Linux 9.5", like=("rhel",)), "a rebuild of RHEL"),
        (OsRelease("linuxmint", "22", "Mint", like=("ubuntu", "debian")), "derived from Ubuntu"),
        (OsRelease("ubuntu-core", "24", "Ubuntu Core 24"), "derived from Ubuntu, not Ubuntu"),
        (OsRelease("rhcos", "4.14", "RHCOS", like=("rhel", "fedora")), "derived from RHEL"),
        (OsRelease("debian", "12", "Debian GNU/Linux 12"), "another distribution"),
        (OsRelease("ubuntu", "18.04", "Ubuntu 18.04.6 LTS"), "Ubuntu 18.04.6 LTS is too old"),
    ],
)
def test_what_is_wrong_with_the_release_is_said(system: OsRelease, words: str) -> None:
    assert words in evaluate("os.release", system).message


@pytest.mark.parametrize(
    ("system", "notes"),
    [
        (OsRelease("ubuntu", "24.04"), ()),
        (OsRelease("rhel", "9.6"), ("the guide prefers Ubuntu",)),
    ],
)
def test_the_preference_of_the_guide_is_noted(system: OsRelease, notes: tuple[str, ...]) -> None:
    assert evaluate("os.release", system).notes == notes


def test_an_immutable_variant_is_named() -> None:
    finding = evaluate("os.release", OsRelease("rhel", "9.6", variant="coreos"))

    assert finding.outcome is PASSED
    assert "the coreos variant is immutable" in finding.notes[0]


@pytest.mark.parametrize(
    ("name", "outcome"), [("ubuntu", PASSED), ("rhel", PASSED), ("rocky", FAILED)]
)
def test_rebuild(name: str, outcome: Outcome) -> None:
    assert evaluate("os.rebuild", OsRelease(name, "9"), profile=ACCEPTING).outcome is outcome


@pytest.mark.parametrize("name", ["rebuild", "support"])
def test_a_wrong_distribution_is_told_once(name: str) -> None:
    assert catalogue()[f"os.{name}"].needs == ("os.release",)


@pytest.mark.parametrize(
    ("support", "outcome", "message"),
    [
        (
            Support("ubuntu 24.04", "2029-06", docker=True),
            PASSED,
            "supported until 2029-06; required: 2026-11 or later",
        ),
        (Support("x 1", "2026-11", docker=True), PASSED, "supported until 2026-11"),
        (Support("x 1", "2026-10", docker=True), FAILED, "the support of x 1 ended in 2026-10"),
        (
            Support("ubuntu 20.04", "2030-05", extended=True, docker=False),
            FAILED,
            "Docker publishes no packages for ubuntu 20.04: Docker Engine gets no updates",
        ),
    ],
)
def test_support(support: Support, outcome: Outcome, message: str) -> None:
    finding = evaluate("os.support", support)

    assert (finding.outcome, finding.message) == (outcome, message)


def test_support_is_judged_at_the_given_moment() -> None:
    later = datetime(2029, 7, 1, tzinfo=timezone.utc)

    assert evaluate("os.support", Support("u", "2029-06", docker=True), now=later).outcome is FAILED


def test_extended_support_is_noted() -> None:
    support = Support("ubuntu 22.04", "2032-06", extended=True, docker=True)

    assert "Ubuntu Pro is attached" in evaluate("os.support", support).notes[0]


def test_what_dockers_pages_do_not_say_is_noted() -> None:
    finding = evaluate("os.support", Support("rocky 9", "2032-05"))

    assert finding.outcome is PASSED
    assert "whether it publishes for rocky 9" in finding.notes[0]


@pytest.mark.parametrize(("machine", "outcome"), [("x86_64", PASSED), ("aarch64", FAILED)])
def test_architecture(machine: str, outcome: Outcome) -> None:
    assert evaluate("os.architecture", Architecture(machine)).outcome is outcome


@pytest.mark.parametrize(
    ("ahead", "doubt", "outcome"),
    [
        (0.0, 0.5, PASSED),
        (60.0, 0.0, PASSED),
        (60.1, 0.0, FAILED),
        (-60.1, 0.0, FAILED),
        (59.0, 2.0, UNKNOWN),
        (61.0, 2.0, UNKNOWN),
        (-3600.0, 8.0, FAILED),
        (5.0, 8.0, PASSED),
    ],
)
def test_clock(ahead: float, doubt: float, outcome: Outcome) -> None:
    assert evaluate("os.clock", Clock(ahead, "3 authentic services", doubt)).outcome is outcome


def test_the_wrong_clock_is_told_in_words() -> None:
    finding = evaluate("os.clock", Clock(-300.0, "the auditor's clock"))

    assert finding.message == "the clock is 300.0 s behind the auditor's clock"


def time_service(active: str, enabled: str = "enabled") -> dict[str, Unit]:
    return {TIMESYNCD: Unit(TIMESYNCD, "loaded", active, enabled)}


@pytest.mark.parametrize(
    ("services", "outcome", "message"),
    [
        (Services(time_service("active")), PASSED, f"time service: {TIMESYNCD}"),
        (Services(time_service("inactive")), FAILED, f"{TIMESYNCD} is not running"),
        (Services(time_service("inactive", "disabled")), FAILED, "no time service runs"),
        (Services(), FAILED, "no time service runs"),
        (Services(synchronised=True), PASSED, "time service: none"),
        (Services(synchronised=False), FAILED, "no time service runs"),
        (Services(time_service(""), running=False), PASSED, f"time service: {TIMESYNCD}"),
        (Services(running=False), FAILED, "no time service is enabled"),
    ],
)
def test_clock_sync(services: Services, outcome: Outcome, message: str) -> None:
    finding = evaluate("os.clock-sync", services)

    assert (finding.outcome, finding.message) == (outcome, message)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("release", OsRelease),
        ("rebuild", OsRelease),
        ("support", Support),
        ("architecture", Architecture),
        ("clock", Clock),
        ("clock-sync", Services),
    ],
)
def test_what_the_host_did_not_tell_is_unknown(name: str, kind: type) -> None:
    finding = evaluate(f"os.{name}", unknown={kind: Unknown("needs root: x", "sudo x")})

    assert (finding.outcome, finding.reason) == (UNKNOWN, "needs root: x")


@pytest.mark.parametrize("name", ["release", "rebuild", "support", "architecture", "clock-sync"])
def test_what_an_image_shows(name: str) -> None:
    assert Stage.IMAGE in catalogue()[f"os.{name}"].stages


def test_an_image_has_no_clock() -> None:
    assert evaluate("os.clock", stage=Stage.IMAGE).outcome is Outcome.NOT_APPLICABLE
