"""Apply to the end: from a bare host to a running stack by one command, for every kind of host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from .certificates import self_signed
from .host import LabHost
from .lab import Lab
from .services import LOGIN
from .test_apply import PASSWORD, RHEL, Applier, applying

PUBLIC = "auditor_stands_for=internet"


@pytest.fixture(params=["letsencrypt", "provided", "self-signed", "rootdisk"])
def applier(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Applier]:
    on_root = request.param == "rootdisk"
    release = {"os_release": RHEL} if request.param == "provided" else {}
    with applying(lab, f"start-{request.param}", tmp_path, data_disk=not on_root, **release) as it:
        settings = (*it.settings, PUBLIC)
        if request.param not in {"provided", "self-signed"}:
            yield replace(it, settings=settings)
            return
        issue = lab.internet.public.issue if request.param == "provided" else self_signed
        chain, key = issue(it.host.node_domain)
        (tmp_path / "node.pem").write_text(chain)
        (tmp_path / "node.key").write_text(key)
        given: tuple[str, ...] = ("--certificate", str(tmp_path / "node.pem"))
        given = (*given, "--certificate-key", str(tmp_path / "node.key"))
        yield replace(it, settings=(*settings, f"certificates={request.param}"), options=given)


def test_from_nothing_to_live_by_one_command(applier: Applier) -> None:
    words = ("--yes", "--login", "sesamcustomer", "--format", "json")
    done = applier("apply", *words, text=f"{PASSWORD}\n")
    musts = {each["id"] for each in done.findings.values() if each["level"] == "must"}

    assert (done.host()["stage"], done.host()["verdict"]) == ("live", "ready"), done.errors
    assert done.code == 0
    assert {"stack.services", "stack.tls", "stack.redirect", "stack.api"} <= musts
    assert done.outcomes["stack.tls"] == "passed"

    again = applier("apply", "--plan")
    assert (again.code, "nothing to do" in again.out) == (0, True), again.out
    _keeps_secrets(applier.host, done.out + done.errors)


def _keeps_secrets(host: LabHost, told: str) -> None:
    """Neither license nor password is where it does not belong: journals, logs, what was said."""
    line = host.run("sed -n 5p /sesam/node-00/data/license.key").stdout.strip()
    assert len(line) > 40
    for secret in (line, PASSWORD, LOGIN):
        assert secret not in told
        found = host.run(f"grep -rFl -e '{secret}' /var/lib/sesam-audit /var/log /tmp", check=False)
        assert not found.stdout
