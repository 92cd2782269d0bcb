"""A machine without any network: nothing is tried twice that cannot come otherwise."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import plain_environment

from .auditing import PROGRAM


def test_names_are_asked_for_once_where_no_way_leads_to_a_resolver(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 192.0.2.1\nnameserver 2001:db8::1\n")
    evidence = tmp_path / "evidence"
    script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
    subprocess.run(
        (
            *("unshare", "--net", "--mount", "sh", "-euc", script, "sh"),
            *(str(tmp_path / "resolv.conf"), str(PROGRAM), "run", "local://"),
            *("--only", "outbound.pypi", "--evidence", str(evidence), "--format", "json", "-q"),
        ),
        cwd="/",
        env=plain_environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )

    (host,) = json.loads(evidence.read_text())["hosts"]
    dials = [answer for ask, answer in host["answers"] if ask["ask"] == "Dial"]
    assert {(dial["error"], dial["tries"]) for dial in dials} == {("SERVFAIL", 1)}
