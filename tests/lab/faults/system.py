"""Faults of the operating system."""

from __future__ import annotations

from .. import identity
from .fault import FAILED, UNKNOWN, Fault

RELEASE = "/usr/lib/os-release"
PYTHON = "/usr/bin/python3"


def off(offset: str) -> str:
    """Python, and what it starts, sees another time; the kernel's clock is the machine's own."""
    preload = "LD_PRELOAD=$(ls /usr/lib/*/faketime/libfaketime.so.1)"
    true_clocks = "FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1"
    return (
        f"rm {PYTHON}; cat >{PYTHON} <<END\n#!/bin/sh\n"
        f'exec env {preload} {true_clocks} FAKETIME={offset} {PYTHON}.11 "\\$@"\n'
        f"END\nchmod 755 {PYTHON}"
    )


def _release(text: str) -> str:
    return f"cat >{RELEASE} <<'END'\n{text}END"


UBUNTU_20 = identity.UBUNTU.replace("24.04.3", "20.04.6").replace("24.04", "20.04")
UBUNTU_18 = identity.UBUNTU.replace("24.04.3", "18.04.6").replace("24.04", "18.04")
ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.6"\n'
RHEL = 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.6"\n'
MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\n'

FAULTS = (
    Fault(
        name="a release too old",
        keep=(RELEASE,),
        seed=_release(UBUNTU_18),
        changes={"os.release": FAILED},
        says="too old",
    ),
    Fault(
        name="another distribution, derived from Ubuntu",
        keep=(RELEASE,),
        seed=_release(MINT),
        changes={"os.release": FAILED},
        says="derived from Ubuntu",
    ),
    Fault(
        name="no os-release at all",
        keep=(RELEASE,),
        seed=f"rm {RELEASE}",
        changes={"os.release": UNKNOWN},
    ),
    Fault(
        name="a rebuild of RHEL",
        keep=(RELEASE,),
        seed=_release(ROCKY),
        changes={"os.release": FAILED},
    ),
    Fault(
        name="a rebuild of RHEL that was accepted",
        keep=(RELEASE,),
        seed=_release(ROCKY),
        settings=("rhel_rebuilds=accept",),
        changes={"os.rebuild": FAILED},
    ),
    Fault(name="RHEL itself", keep=(RELEASE,), seed=_release(RHEL)),
    Fault(
        name="a release out of support",
        keep=(RELEASE,),
        seed=_release(UBUNTU_20),
        changes={"os.support": FAILED},
    ),
    Fault(
        name="another architecture",
        keep=("/etc/systemd/system/ssh.service.d", "/lib/ld-linux-armhf.so.3"),
        seed="touch /lib/ld-linux-armhf.so.3; mkdir /etc/systemd/system/ssh.service.d\n"
        "printf '[Service]\\nPersonality=x86\\n' >/etc/systemd/system/ssh.service.d/other.conf\n"
        "systemctl daemon-reload; systemctl restart ssh",
        mend="rm -r /etc/systemd/system/ssh.service.d; systemctl daemon-reload; "
        "systemctl restart ssh",
        changes={"os.architecture": FAILED},
        says="i686",
    ),
    Fault(
        name="a clock an hour behind",
        keep=(PYTHON,),
        seed=off("-1h"),
        changes={"os.clock": FAILED},
        says="behind",
    ),
    Fault(
        name="a clock five minutes ahead",
        keep=(PYTHON,),
        seed=off("+5m"),
        changes={"os.clock": FAILED},
        says="ahead",
    ),
    Fault(name="a clock half a minute ahead", keep=(PYTHON,), seed=off("+30s")),
    Fault(
        name="no time service",
        seed="systemctl disable --quiet --now systemd-timesyncd",
        mend="systemctl enable --quiet --now systemd-timesyncd",
        changes={"os.clock-sync": FAILED},
    ),
)
