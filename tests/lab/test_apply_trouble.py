"""Apply when something goes wrong: bad input, lost connections, kills, second thoughts."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.agent import harness
from tests.conftest import interrupt

from . import perfect as perfect_host
from .lab import Lab
from .test_apply import Applier, applying, tree

ENTRIES = 60_000  # strangers' files, so that one action takes a moment


@pytest.fixture(scope="module")
def applier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applier]:
    with applying(lab, "troubled", tmp_path_factory.mktemp("troubled")) as it:
        yield it


@pytest.fixture
def busy(applier: Applier) -> Iterator[Applier]:
    """A host on which an action takes long enough to be interrupted; taken back afterwards."""
    applier.host.run(
        f"mkdir -p /srv/data/old && cd /srv/data/old && seq {ENTRIES} | xargs touch", timeout=120
    )
    yield applier
    applier("undo", "--yes")
    applier.host.run("rm -rf /srv/data/old", timeout=120)


class Told:
    """What a running command says on standard error, as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._lines = process, []  # type: ignore[var-annotated]
        readers = (self._read, self._drain)
        self._readers = [threading.Thread(target=each, daemon=True) for each in readers]
        for each in self._readers:
            each.start()

    def _read(self) -> None:
        assert self._process.stderr
        self._lines.extend(self._process.stderr)

    def _drain(self) -> None:
        assert self._process.stdout
        self._process.stdout.read()  # a report is larger than a pipe

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def until(self, words: str, seconds: float = 90) -> None:
        """Wait until it was said, beyond the plan."""
        end = time.monotonic() + seconds
        while not re.search(rf"^\[\d+/\d+\] .*{words}|^{words}", self.text, re.MULTILINE):
            assert time.monotonic() < end, self.text
            assert self._process.poll() is None, self.text
            time.sleep(0.01)

    def end(self, seconds: float = 200) -> int:
        code = self._process.wait(seconds)
        for each in self._readers:
            each.join(5)
        return code


def started(applier: Applier) -> tuple[subprocess.Popen[str], Told]:
    process = applier.start("apply", "--yes", "--no-start", "--format", "json")
    return process, Told(process)


def finished(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def test_a_license_that_has_expired_is_refused_before_the_host_is_touched(
    applier: Applier, tmp_path: Path
) -> None:
    expired = tmp_path / "license.key"
    expired.write_text(perfect_host.license_text(expires=datetime(2020, 1, 1, tzinfo=timezone.utc)))
    before = tree(applier.host)
    done = replace(applier, license=expired)("apply", "--yes")

    assert done.code == 2
    assert "expired on 2020-01-01" in done.errors
    assert tree(applier.host) == before


def test_without_anybody_to_ask_nothing_is_done(applier: Applier) -> None:
    before = tree(applier.host)
    done = applier("apply", "--no-start")

    assert done.code == 2
    assert "Nobody can be asked" in done.errors
    assert tree(applier.host) == before


def test_the_start_says_all_that_is_missing(applier: Applier, tmp_path: Path) -> None:
    done = replace(applier, license=tmp_path / "none")("apply", "--yes")

    assert done.code == 2
    assert "--license FILE" in done.errors
    assert "--login USER" in done.errors


def test_a_lost_connection_costs_nothing(busy: Applier) -> None:
    process, told = started(busy)
    told.until("Give to sesam what others own")
    busy.host.run("pkill -KILL -f 'sshd: auditor'", check=False)

    assert told.end() == 1, told.text  # of the login that is not there
    assert "The work goes on there" in told.text
    assert busy("apply", "--plan", "--no-start").code == 0
    finished(process)


EVENTS = "cat /var/lib/sesam-audit/runs/*/events 2>/dev/null | wc -l"
ENDED = "ls /var/lib/sesam-audit/runs/*/result.json >/dev/null 2>&1"


def test_a_connection_lost_after_an_event_costs_nothing(applier: Applier) -> None:
    """After some of the events of a run, or with SESAM_AUDIT_KILL_ALL=1 after each.

    Progress is told by time, so that a quicker run may have fewer events than were asked for.
    """
    host, before = applier.host, tree(applier.host)
    host.run("rm -rf /var/lib/sesam-audit")  # the events of earlier runs
    assert applier.lay_out().code == 1
    wanted, number = tree(host), int(host.run(EVENTS).stdout)
    applier("undo", "--yes")
    assert number > 40

    for after in harness.sampled(range(1, number - 4), 4):
        host.run("rm -rf /var/lib/sesam-audit")
        process, told = started(applier)
        loop = f'until {ENDED} || [ "$({EVENTS})" -ge {after} ]; do sleep 0.01; done'
        cut = f"! {ENDED} && pkill -KILL -f '[s]shd: auditor'"
        was_cut = not host.run(f"{loop}; {cut}", check=False, timeout=120).returncode
        assert told.end() == 1, (after, told.text)
        finished(process)
        assert "The work goes on there" in told.text or not was_cut, after
        assert was_cut or after > number // 2, after
        assert _alike(tree(host)) == _alike(wanted), after
        assert applier("undo", "--yes").code == 0
        assert tree(host) == before, after


def _alike(found: list[str]) -> list[str]:
    """A tree without what is another one in each run: identifiers, keys and names of runs."""
    return [line for line in found if not re.search(r"/\.env|/etc/g?shadow", line)]


def test_a_killed_agent_is_continued_by_the_same_command(busy: Applier) -> None:
    process, told = started(busy)
    told.until("Give to sesam what others own")
    holder = "sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/' /var/lib/sesam-audit/holder.json"
    busy.host.run(f"kill -KILL $({holder})")

    assert told.end() != 0
    assert "it goes on where it was" in told.text
    finished(process)
    again = busy.lay_out()

    assert "Going on with run" in again.errors
    assert busy("apply", "--plan", "--no-start").code == 0
    strangers = busy.host.run("find /srv/data/old ! -user sesam | wc -l", timeout=60).stdout
    assert int(strangers) == 0


def test_ctrl_c_stops_after_the_present_action(busy: Applier) -> None:
    process, told = started(busy)
    told.until("Give to sesam what others own")
    interrupt(process)

    assert told.end() == 130
    assert "Stopping after the present action" in told.text
    finished(process)
    state = busy.host.run("docker network ls --format '{{.Name}}'").stdout.split()
    assert "microservices" not in state  # which comes after it
    assert "Going on with run" in busy.lay_out().errors


def test_ctrl_c_twice_leaves_the_work_to_itself(busy: Applier) -> None:
    process, told = started(busy)
    told.until("Give to sesam what others own")
    interrupt(process)
    interrupt(process)

    assert told.end() == 130
    finished(process)


def test_the_code_of_an_undo_tells_that_something_was_left(applier: Applier) -> None:
    applier.lay_out()
    applier.host.run("echo '# by hand' >>/srv/data/docker-compose.yml")
    try:
        back = applier("undo", "--yes")
        assert (back.code, "Left, because" in back.out) == (1, True), back.errors
        assert "Write /srv/data/docker-compose.yml: it was changed since" in back.out
    finally:
        applier.host.run("rm -f /srv/data/docker-compose.yml")
