"""Operating system: a distribution the guide names, still supported, its clock in step."""

from __future__ import annotations

from datetime import timedelta

from sesam_audit.errors import Unknown
from sesam_audit.facts.architecture import Architecture
from sesam_audit.facts.clock import Clock
from sesam_audit.facts.os_release import OsRelease
from sesam_audit.facts.services import TIME, Services
from sesam_audit.facts.support import READ, Support
from sesam_audit.judge import Now
from sesam_audit.profile import Profile
from sesam_audit.requirement import IMAGE, LIVE, MUST, PREFLIGHT, SHOULD, Found, requirement

NAMED = "Guide, Software requirements: “Ubuntu >= 20.04 or RHEL >= 8. We prefer running Ubuntu”"
OLDEST = {"ubuntu": (20, 4), "rhel": (8,)}
REBUILDS = frozenset(
    {"almalinux", "rocky", "oracle", "centos", "eurolinux", "cloudlinux", "scientific"}
)
ANYWHERE = (IMAGE, PREFLIGHT, LIVE)
MOST = timedelta(seconds=60)


@requirement(source=NAMED, level=MUST, stages=ANYWHERE)
def check_release(system: OsRelease, profile: Profile, found: Found) -> None:
    """The system is Ubuntu 20.04 or later, or RHEL 8 or later.

    Install Ubuntu 24.04 LTS or later on the machine. An Ubuntu that is too old can be upgraded:

        sudo do-release-upgrade

    Rocky, Alma and other rebuilds of RHEL count when you decide so: rhel_rebuilds = "accept" in the
    profile.
    """
    name = found(system.name or system.id, required="Ubuntu >= 20.04 or RHEL >= 8")
    accepted = system.id in REBUILDS and profile.rhel_rebuilds == "accept"
    family = "rhel" if accepted else system.id
    assert family in OLDEST, f"{name} is {_kinship(system)}; the guide names Ubuntu and RHEL only"
    if not system.numbers:
        raise Unknown(f"{name} does not tell its version", "cat /etc/os-release")
    assert system.numbers >= OLDEST[family], (
        f"{name} is too old; required: Ubuntu >= 20.04 or RHEL >= 8"
    )
    if system.id == "rhel" and system.variant in ("coreos", "edge", "iot"):
        found.note(f"the {system.variant} variant is immutable; Docker has no packages for it")
    if system.id != "ubuntu":
        found.note("the guide prefers Ubuntu")


def _kinship(system: OsRelease) -> str:
    if system.id in REBUILDS:
        return "a rebuild of RHEL"
    if "ubuntu" in system.like or system.id == "ubuntu-core":
        return "derived from Ubuntu, not Ubuntu itself"
    return "derived from RHEL" if "rhel" in system.like else "another distribution"


@requirement(source=NAMED, level=SHOULD, stages=ANYWHERE, needs=("os.release",))
def check_rebuild(system: OsRelease) -> None:
    """The distribution is Ubuntu or RHEL itself, not a rebuild.

    Plan a move to Ubuntu or RHEL: Sesam's support may ask you to show a fault there.
    """
    assert system.id in OLDEST, (
        f"{system.name or system.id} is a rebuild, which the profile accepts in place of RHEL"
    )


@requirement(
    source="Engineering: without updates faults stay; Docker documentation: Install Docker Engine",
    level=SHOULD,
    stages=ANYWHERE,
    needs=("os.release",),
)
def check_support(support: Support, found: Found, now: Now) -> None:
    """The release still gets updates, from its vendor and from Docker.

    Upgrade to a release with years ahead of it, such as Ubuntu 24.04 LTS:

        sudo do-release-upgrade
    """
    if support.extended:
        found.note(f"Ubuntu Pro is attached: security updates until {support.ends}")
    if support.docker is None:
        found.note(
            f"Docker's pages of {READ} do not say whether it publishes for {support.release}"
        )
    ends = found(support.ends, required=f"{now:%Y-%m} or later", words="supported until {}")
    assert not support.over(now), f"the support of {support.release} ended in {ends}"
    assert support.docker is not False, (
        f"Docker publishes no packages for {support.release}: Docker Engine gets no updates"
    )


@requirement(
    source="Engineering: Sesam documents no other architecture", level=SHOULD, stages=ANYWHERE
)
def check_architecture(architecture: Architecture, found: Found) -> None:
    """The machine has an x86_64 processor.

    Move to a machine with an Intel or AMD processor.
    """
    assert found(architecture.machine, required="x86_64") == "x86_64"


@requirement(source="Engineering: certificates, licenses and logins carry dates", level=MUST)
def check_clock(clock: Clock, found: Found) -> None:
    """The clock is right to within 60 seconds.

    Let a time service set the clock, and let 123/udp out to its servers:

        sudo timedatectl set-ntp true

    With chrony, set it at once instead of slowly:

        sudo chronyc makestep
    """
    found.note(clock.words)
    off = found(timedelta(seconds=abs(clock.ahead)), required="at most 60 s", words="{} off")
    doubt = timedelta(seconds=clock.doubt)
    if off - doubt <= MOST < off + doubt:
        raise Unknown(f"the clock is {clock.words}: too close to the limit to tell", "date -u")
    assert off <= MOST, f"the clock is {clock.words}"


@requirement(source="Engineering: a clock left alone drifts", level=SHOULD, stages=ANYWHERE)
def check_clock_sync(services: Services, found: Found) -> None:
    """A time service keeps the clock right.

    Switch time keeping on:

        sudo timedatectl set-ntp true

    Where no time service is installed, first install chrony on Ubuntu:

        sudo apt-get install chrony

    Or on RHEL:

        sudo dnf install chrony
    """
    units = services.of(TIME)
    enabled = [unit.name for unit in units if unit.enabled == "enabled"]
    active = [unit.name for unit in units if unit.active == "active"]
    found(active if services.running else enabled, words="time service: {}")
    if services.synchronised and not active:
        found.note("no time service runs here, yet something keeps the kernel's clock in step")
        return
    if not services.running:
        assert enabled, "no time service is enabled"
        return
    assert active, f"{', '.join(enabled)} is not running" if enabled else "no time service runs"
