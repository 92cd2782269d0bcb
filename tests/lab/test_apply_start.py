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
    if applier.options[:1] == ("--certificate",):
        _renews_the_certificate(applier)


def _renews_the_certificate(applier: Applier) -> None:
    """A new one is served at once, and after an undo the old one, though nobody watches files."""
    old = _served(applier.host)
    internet, public = applier.lab.internet, "certificates=provided" in applier.settings
    chain, key = (internet.public.issue if public else self_signed)(applier.host.node_domain)
    Path(applier.options[1]).write_text(chain)
    Path(applier.options[3]).write_text(key)

    renewed = applier("apply", "--yes", "--format", "json")

    assert (renewed.code, renewed.outcomes["stack.tls"]) == (0, "passed"), renewed.errors
    assert _served(applier.host) not in {"", old}
    assert applier("apply", "--plan").code == 0
    assert applier("undo", "--yes").code == 0
    assert _served(applier.host) == old


def _served(host: LabHost) -> str:
    """The fingerprint of what 443 shows, once it answers."""
    ask = f"openssl s_client -connect 127.0.0.1:443 -servername {host.node_domain} </dev/null"
    told = f"{ask} 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    return host.run(f"for n in 1 2 3 4 5 6 7 8; do {told} && exit; sleep 1; done").stdout.strip()


def _keeps_secrets(host: LabHost, told: str) -> None:
    """Neither license nor password is where it does not belong: journals, logs, what was said."""
    line = host.run("sed -n 5p /sesam/node-00/data/license.key").stdout.strip()
    assert len(line) > 40
    for secret in (line, PASSWORD, LOGIN):
        assert secret not in told
        found = host.run(f"grep -rFl -e '{secret}' /var/lib/sesam-audit /var/log /tmp", check=False)
        assert not found.stdout
