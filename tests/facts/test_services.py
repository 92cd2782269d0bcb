"""Services: systemd's words, and an image's links."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Answer, Ask, Names, NamesAnswer, Run, RunAnswer, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.services import TIME, WEB, Services, Unit

from .machine import find

# Captured from a host of tests/lab (systemd 252) on 22 November 2026, shortened.
SHOWN = """\
Names=systemd-timesyncd.service dbus-org.freedesktop.timesync1.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Names=chrony.service
LoadState=not-found
ActiveState=inactive
UnitFileState=

Names=nginx.service
LoadState=loaded
ActiveState=inactive
UnitFileState=enabled
"""
SHOW = Run(
    (
        *("systemctl", "show", "--no-pager"),
        "--property=Names,LoadState,ActiveState,UnitFileState",
        *(*TIME, *WEB),
    )
)
SYNCHRONISED = Run(("timedatectl", "show", "--property=NTPSynchronized", "--value"))
LIVE = (Stat("/proc/version"), StatAnswer(kind="file"))
WANTS = Names("/etc/systemd/system/sysinit.target.wants")
EACCES = NamesAnswer(error="EACCES")
LINKED = NamesAnswer(names=("apparmor.service", "systemd-timesyncd.service"))
NOT_BOOTED = RunAnswer(code=1, err="System has not been booted with systemd as init system")

Answers = dict[Ask[Any], Answer | Unknown]


def services(told: RunAnswer, more: Answers | None = None) -> Services:
    return find(Services, {SHOW: told, **(more or {})})


def test_units_in_systemds_words() -> None:
    found = services(RunAnswer(code=0, out=SHOWN))

    assert found.of(TIME) == (Unit("systemd-timesyncd.service", "loaded", "active", "enabled"),)
    assert found.of(WEB) == (Unit("nginx.service", "loaded", "inactive", "enabled"),)


def test_an_alias_leads_to_its_unit_once() -> None:
    shown = "Names=chrony.service chronyd.service\nLoadState=loaded\nActiveState=active\n"

    found = services(RunAnswer(code=0, out=shown))

    assert [unit.name for unit in found.of(TIME)] == ["chrony.service"]


@pytest.mark.parametrize(("said", "kept"), [("yes\n", True), ("no\n", False), ("", None)])
def test_whether_the_kernels_clock_is_in_step(said: str, kept: bool | None) -> None:
    told: Answers = {SYNCHRONISED: RunAnswer(code=0, out=said)}

    nobody = SHOWN.replace("ActiveState=active", "ActiveState=inactive")
    assert services(RunAnswer(code=0, out=nobody), told).synchronised is kept


def test_the_kernel_is_not_asked_when_a_time_service_runs() -> None:
    told: Answers = {SYNCHRONISED: RunAnswer(code=0, out="no\n")}

    assert services(RunAnswer(code=0, out=SHOWN), told).synchronised is None


def test_an_image_is_read_from_its_links() -> None:
    found = services(NOT_BOOTED, {WANTS: LINKED})

    assert found == Services(
        {"systemd-timesyncd.service": Unit("systemd-timesyncd.service", "loaded", "", "enabled")},
        running=False,
    )


def test_links_that_were_not_listed_may_start_a_time_service() -> None:
    hidden: Answers = {Names("/etc/systemd/system/multi-user.target.wants"): EACCES}
    listed: Answers = {WANTS: NamesAnswer(names=("apparmor.service",))}

    with pytest.raises(Unknown, match=r"needs root: .*multi-user\.target\.wants is not readable"):
        services(NOT_BOOTED, hidden | listed)
    assert services(NOT_BOOTED, hidden | {WANTS: LINKED}).of(TIME)
    assert not services(NOT_BOOTED, listed).of(TIME)


def test_a_running_host_without_systemd_is_unknown() -> None:
    """Links say what systemd would start; here nobody follows them."""
    with pytest.raises(Unknown, match="systemd does not answer"):
        services(NOT_BOOTED, {WANTS: LINKED, LIVE[0]: LIVE[1]})


def test_no_systemd_at_all_is_unknown() -> None:
    with pytest.raises(Unknown, match="systemd does not answer"):
        find(Services, {})


def test_systemd_that_hangs_is_unknown() -> None:
    with pytest.raises(Unknown, match="systemd does not answer"):
        services(RunAnswer(error="TIMEOUT"), {LIVE[0]: LIVE[1]})
