"""SELinux: whether its policy is enforced, and whether Docker labels containers for it."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import File, Run, RunAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.engine import Engine, no_daemon
from sesam_audit.profile import Profile

_POLICY = "/etc/selinux/config"
_MODE = re.compile(r"^\s*SELINUX\s*=\s*(\w+)", re.MULTILINE)
# Reduced on the host: daemon.json and the unit's files may hold a proxy's password.
_CONFIGURED = Run(
    (
        *("grep", "-rhoEs", r"selinux-enabled(\"\s*:\s*|=)?(true|false)?"),
        *("/etc/docker/daemon.json", "/etc/sysconfig/docker", "/etc/default/docker"),
        *("/etc/systemd/system/docker.service", "/etc/systemd/system/docker.service.d"),
    )
)


class SELinux(Struct, frozen=True):
    """`mode` is enforcing, permissive or disabled, now or, in an image, as configured."""

    mode: str
    labels: bool | Unknown  # Docker's selinux-enabled

    @classmethod
    def ask(cls, profile: Profile) -> Steps[SELinux]:
        """Ask the kernel and the daemon, in an image their files."""
        enforce, policy, engine, configured = yield from gather(
            File("/sys/fs/selinux/enforce"),
            File(_POLICY),
            attempt(Engine.ask(profile)),
            attempt(_CONFIGURED),
        )
        running = enforce.read("/sys/fs/selinux/enforce", "getenforce")
        in_image = isinstance(engine, Engine) and engine.kind == "installed"
        if running is None and in_image:
            mode = _MODE.search(policy.read(_POLICY) or "")
            return cls(mode[1].lower() if mode else "disabled", _said(configured))
        if running is None:
            return cls("disabled", labels=False)
        return cls("enforcing" if running.strip() == "1" else "permissive", _labels(engine))


def _labels(engine: Engine | Unknown) -> bool | Unknown:
    if isinstance(engine, Unknown):
        return engine
    if engine.kind != "docker":
        return no_daemon()
    return "selinux" in engine.security


def _said(configured: RunAnswer | Unknown) -> bool | Unknown:
    if isinstance(configured, Unknown) or configured.error:
        return Unknown("Docker's configuration was not read", "sudo grep -r selinux /etc/docker")
    return any(not line.endswith("false") for line in configured.out.splitlines())
