"""Which lines of units and crontabs start an old installation again, by a real grep."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sesam_audit.asks import DockerApiAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.containers import ASK, Container
from sesam_audit.facts.revivers import Revivers, _patterns

from .machine import find

NODE = Container("sesam.node", "sesam/sesam-node:1", directory="/opt/sesam")


def found(directory: Path, line: str) -> bool:
    (directory / "unit").write_text(f"# a line before\n{line}\n")
    words = [word for pattern in _patterns((NODE,)) for word in ("-e", pattern)]
    argv = ("grep", "-rlsIE", *words, "--", str(directory), "/no/such/place")
    return bool(subprocess.run(argv, stdout=subprocess.PIPE, check=False).stdout)


@pytest.mark.parametrize(
    "line",
    [
        "ExecStart=/usr/bin/docker run --rm sesam/sesam-node:weekly-prod",
        "ExecStart=/usr/bin/docker run --name sesam.node registry/node",
        "@reboot root docker start sesam.node",
        "ExecStart=docker start -a sesam.node",
        "WorkingDirectory=/opt/sesam",
        "* * * * * root docker-compose -f /opt/sesam/docker-compose.yml up -d",
        "ExecStart=docker restart other sesam.node ; true",
    ],
)
def test_lines_that_start_it(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, line)


@pytest.mark.parametrize(
    "line",
    [
        "ExecStart=/usr/bin/docker exec sesam.node backup",
        "ExecStart=docker start sesam.node-exporter",
        "ExecStart=docker run nginx",
        "ExecStart=docker start my-sesamxnode",
        "ExecStop=docker stop sesam.node",
    ],
)
def test_other_lines(tmp_path: Path, line: str) -> None:
    assert not found(tmp_path, line)


def test_a_host_without_grep() -> None:
    node = {"Names": ["/node"], "Image": "sesam/sesam-node:1", "State": "running"}

    with pytest.raises(Unknown, match="whether a unit or a cron line"):
        find(Revivers, {ASK: DockerApiAnswer(status=200, value=[node])})
