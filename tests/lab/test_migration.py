"""An installation that was started by hand moves into the stack: the store keeps every byte."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import interrupt

from . import compose_v1, perfect
from .host import LabHost
from .lab import Lab
from .stack import Stack
from .stepping import killed_at_each
from .test_apply import Applier, applying
from .test_apply_trouble import Told, finished
from .working import PASSWORD, PROJECT, SERVICES, USER, Work, working_on

STORE = perfect.STORE
OLD_NODE = "exec gosu 1500 lake -l /sesam/logs -d /sesam/data"
FILL = """
set -eu
mkdir -p {store}/lmdb/deep /opt/sesam/logs && cd {store}
head -c 3000000 /dev/urandom >lmdb/data.mdb && ln lmdb/data.mdb lmdb/deep/same
truncate -s 50M lmdb/holes && printf end >>lmdb/holes
printf x >"$(printf 'odd\\377name')" && ln -s lmdb/data.mdb soft && mkfifo pipe
cat >license.key && chmod 0600 license.key
chown -R -h sesam:sesam . && touch -h -d '2020-01-02 03:04:05.678' soft lmdb/data.mdb
chown -R sesam /opt/sesam/logs
"""
UNIT = "/etc/systemd/system/old.service"
PLACES = {
    "bind, another disk": ("/opt/sesam/store", "-v /opt/sesam/store:/sesam/data", "copy"),
    "bind, the same disk": ("/srv/data/old/store", "-v /srv/data/old/store:/sesam/data", "rename"),
    "named volume": ("/var/lib/docker/volumes/old/_data", "-v old:/sesam/data", "copy"),
}


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("migrating")
    host.run("install -d -o sesam -g sesam /sesam/fluentbit/data")
    login = "DOCKER_CONFIG=/home/sesam/.docker"
    host.run(f"cd /srv/data && {login} docker compose pull --quiet", timeout=120)
    yield host
    lab.stop_host(host)


@pytest.fixture(params=PLACES)
def old(host: LabHost, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A node that somebody started by hand; where its store is, and how it can move."""
    source, options, way = PLACES[request.param]
    host.run(f"docker volume create old; rm -f {STORE}/*")
    host.run(FILL.format(store=source), text=perfect.license_text())
    host.run(
        f"docker run --detach --name node --restart always {options}"
        f" -v /opt/sesam/logs:/sesam/logs sesam/sesam-node:weekly-prod sh -c '{OLD_NODE}'"
    )
    host.run(f"until test -e {source}/lab-started; do sleep 0.1; done")
    yield source, way
    host.run("docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes")
    host.run("docker volume rm --force old; rm -rf /opt/sesam* /srv/data/old /var/lib/sesam-audit")
    host.run(f"rm -rf {STORE} && install -d -o sesam -g sesam {STORE}")


@pytest.fixture
def work(host: LabHost) -> Iterator[Work]:
    with working_on(host) as conversation:
        yield conversation


def tree(host: LabHost, at: str) -> str:
    return host.run(
        f"cd {at} && ( find . -mindepth 1 ! -name lab-started"
        " -printf '%P %y %m %U %G %n %l %T@\\n' | LC_ALL=C sort;"
        " find . -type f ! -name lab-started -print0"
        " | LC_ALL=C sort -z | xargs -0 sha256sum ) | cat -v"
    ).stdout


def actions(host: LabHost, source: str, way: str) -> list[tuple[str, dict[str, Any]]]:
    identity = host.run("docker inspect --format '{{.Id}}' node").stdout.strip()
    waiting = {"project": "data", "services": SERVICES, "deadline": 60, "window": 4}
    return [
        ("keep-container", {"id": identity, "name": "node", "grace": 30}),
        ("move-store", {"source": source, "target": STORE, "way": way}),
        ("up", {**PROJECT, "services": SERVICES}),
        ("wait", {**waiting, "name": host.node_domain}),
    ]


def state(host: LabHost, name: str) -> str:
    shown = "{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}"
    return host.run(f"docker inspect --format '{shown}' {name}").stdout.strip()


def test_every_byte_moves_and_comes_back(host: LabHost, work: Work, old: tuple[str, str]) -> None:
    source, way = old
    before = tree(host, source)
    assert "odd" in before
    wanted = actions(host, source, way)

    assert work.do(*wanted)["outcome"] == "done"

    assert tree(host, STORE) == before
    assert Stack(host).api() == 200
    assert state(host, "sesam-audit-kept-node") == "exited no"
    assert work.plan(*wanted)["actions"] == []
    undone = work.ended("undo")
    if way == "rename":
        assert not undone["left"]
        assert tree(host, source) == before
    else:  # the new node wrote into the copy: both stay, the old one by its new name
        store, container = undone["left"]
        assert "newer data (lab-started)" in store["words"]
        assert f"no longer at {source}; it is not started" in container["words"]
        assert host.run(f"test -e {source}", check=False).returncode == 1
        assert tree(host, f"{source}.sesam-audit-*.moved") == before
        assert tree(host, STORE) == before


def test_it_goes_back_before_anything_new_started(
    host: LabHost, work: Work, old: tuple[str, str]
) -> None:
    source, way = old
    result = work.do(*actions(host, source, way)[:2])
    assert result["outcome"] == "done", result
    host.run("systemctl reset-failed docker; systemctl restart docker")  # however fast we are
    assert state(host, "sesam-audit-kept-node") == "exited no"
    before = tree(host, STORE)

    undone = work.ended("undo")

    assert not undone["left"]
    assert tree(host, source) == before
    assert state(host, "node") == "running always"
    assert host.run(f"ls -A {STORE}").stdout == ""
    assert "sesam-audit" not in host.run(f"ls -A {source.rpartition('/')[0]}").stdout


def test_finish_removes_what_was_kept(host: LabHost, work: Work, old: tuple[str, str]) -> None:
    source, way = old
    before = tree(host, source)
    assert work.do(*actions(host, source, way))["outcome"] == "done"
    words = [each["words"] for each in work.agent.ask("finish", dry=True)["actions"]]
    assert words[0] == "the old container sesam-audit-kept-node"
    assert len(words) == (2 if way == "copy" else 1)

    assert work.ended("finish")["outcome"] == "done"

    assert "sesam-audit-kept" not in host.run("docker ps --all").stdout
    assert "store" not in host.run(f"ls -A {source.rpartition('/')[0]}").stdout
    assert tree(host, STORE) == before
    assert Stack(host).api() == 200


@pytest.mark.parametrize("old", ["bind, another disk", "bind, the same disk"], indirect=True)
def test_killed_at_any_step_it_goes_on_and_back(
    host: LabHost, work: Work, old: tuple[str, str]
) -> None:
    """Around each record and each request, while the container is put to rest and the store moved.

    Undo follows each time: the next kill finds the old node running again.
    """
    source, way = old
    before = tree(host, source)
    for number in killed_at_each(work, actions(host, source, way)[:2], stride=5):
        assert tree(host, STORE) == before, number
        if way == "copy":
            assert tree(host, f"{source}.sesam-audit-*.moved") == before, number
        assert state(host, "sesam-audit-kept-node") == "exited no"
        undone = work.ended("undo")
        assert (undone["outcome"], undone["left"], undone["cannot"]) == ("done", [], []), undone
        assert tree(host, source) == before, number
        assert state(host, "node") == "running always"
        assert host.run(f"ls -A {STORE}").stdout == ""
    assert number > 16


@pytest.mark.parametrize("old", ["bind, another disk"], indirect=True)
def test_a_store_that_a_container_still_uses_is_not_touched(
    host: LabHost, work: Work, old: tuple[str, str]
) -> None:
    source, way = old
    move = actions(host, source, way)[1]

    result = work.do(move)

    assert f"the container node uses {source}" in result["words"]
    assert state(host, "node") == "running always"


def test_a_node_that_had_to_be_killed_is_told_once(host: LabHost, work: Work) -> None:
    deaf = "trap : TERM; while true; do sleep 1; done"
    options = "--detach --name node --restart always --entrypoint /bin/sh"
    host.run(f"docker run {options} traefik:latest -c '{deaf}'")
    identity = host.run("docker inspect --format '{{.Id}}' node").stdout.strip()
    keep = ("keep-container", {"id": identity, "name": "node", "grace": 1})
    plan = work.plan(keep)
    try:
        first, second = work.carry_out(plan), work.carry_out(plan)
        assert "was killed; its store is as after a power cut" in first["words"]
        assert second["outcome"] == "done"
        assert state(host, "sesam-audit-kept-node") == "exited no"
    finally:
        host.run("docker ps -aq | xargs docker rm --force; rm -rf /var/lib/sesam-audit")


def test_a_container_that_removes_itself_is_not_stopped(host: LabHost, work: Work) -> None:
    host.run("docker run --rm --detach --name node -v /sesam/data traefik:latest")
    identity = host.run("docker inspect --format '{{.Id}}' node").stdout.strip()
    try:
        seen = work.look("keep-container", {"id": identity, "name": "node"})
        assert "started with --rm" in seen["stop"]
        assert state(host, "node") == "running no"
    finally:
        host.run("docker rm --force --volumes node; rm -rf /var/lib/sesam-audit")


V1_FILE = """\
version: "3"
services:
  sesam-node:
    image: sesam/sesam-node:weekly-prod
    restart: always
    volumes: ["/opt/sesam/store:/sesam/data", "/opt/sesam/logs:/sesam/logs"]
    command: [sh, -c, {node}]
"""


def by_hand(host: LabHost, node: str) -> None:
    options = "--detach --name sesam-node --restart always -v /opt/sesam/store:/sesam/data"
    host.run(
        f"docker run {options} -v /opt/sesam/logs:/sesam/logs"
        f" sesam/sesam-node:weekly-prod sh -c '{node}'",
        timeout=120,
    )


def by_compose_v1(host: LabHost, node: str, project: str = "old") -> None:
    compose_v1.install(host)
    host.run(f"mkdir -p /opt/{project}")
    host.run("docker pull --quiet sesam/sesam-node:weekly-prod", timeout=120)
    host.write(f"/opt/{project}/docker-compose.yml", V1_FILE.format(node=node))
    host.run(f"cd /opt/{project} && docker-compose up -d", timeout=120)
    name = f"{project}_sesam-node_1"
    labels = host.run(f"docker inspect --format '{{{{json .Config.Labels}}}}' {name}").stdout
    assert '"com.docker.compose.version":"1.29.2"' in labels


Start = Callable[[LabHost, str], None]


@contextlib.contextmanager
def installed(
    lab: Lab, name: str, directory: Path, start: Start, node: str = OLD_NODE
) -> Iterator[Applier]:
    """A host with an installation from before, and who applies to it."""
    with applying(lab, name, directory) as bare:
        host = bare.host
        host.run("useradd --uid 1500 --user-group --create-home sesam")
        host.run(FILL.format(store="/opt/sesam/store"), text=bare.license.read_text())
        host.run(f"docker login --username {USER} --password-stdin", text=PASSWORD)
        start(host, node)
        host.run("docker logout")
        host.run("until test -e /opt/sesam/store/lab-started; do sleep 0.1; done")
        settings = (*bare.settings, "auditor_stands_for=internet", "settled=5")
        yield replace(bare, settings=settings)


WORDS = ("--yes", "--login", USER, "--format", "json")


@pytest.mark.parametrize(
    ("start", "name"), [(by_hand, "sesam-node"), (by_compose_v1, "old_sesam-node_1")]
)
def test_by_one_command(lab: Lab, tmp_path: Path, start: Start, name: str) -> None:
    """From an installation of another kind to the live stack, and nothing twice."""
    with installed(lab, start.__name__.replace("_", "-"), tmp_path, start) as applier:
        host = applier.host
        before = tree(host, "/opt/sesam/store")
        host.write(UNIT, f"[Service]\nExecStart=/usr/bin/docker start -a {name}\n")
        shop = "--label com.docker.compose.project=shop"
        host.run(f"docker create --name traefik {shop} traefik:latest", timeout=120)

        refused = applier("apply", *WORDS, text=f"{PASSWORD}\n")
        assert "--backup-made" in refused.errors
        assert "of the compose project shop, has a name" in " ".join(refused.errors.split())
        assert "sudo systemctl disable --now old.service" in refused.errors
        assert state(host, name) == "running always"
        done = applier("apply", "--backup-made", "--stop", "traefik", *WORDS, text=f"{PASSWORD}\n")

        assert (done.host()["stage"], done.host()["verdict"]) == ("live", "ready"), done.errors
        assert tree(host, STORE) == before
        assert state(host, f"sesam-audit-kept-{name}") == "exited no"
        again = applier("apply", "--plan")
        assert (again.code, "nothing to do" in again.out) == (0, True), again.out
        ended = applier("finish", "--yes")
        assert "sesam-audit-kept" not in host.run("docker ps --all").stdout, ended.errors
        assert "store" not in host.run("ls -A /opt/sesam").stdout
        assert tree(host, STORE) == before


SLOW_TO_END = (  # so that somebody comes in between
    "end() { sleep 6; kill $child; exit 0; }; trap end TERM;"
    " gosu 1500 lake -l /sesam/logs -d /sesam/data & child=$!; wait"
)


def test_stopped_before_the_store_moves_it_goes_on_with_the_store(lab: Lab, tmp_path: Path) -> None:
    """The node rests, the store waits: no rerun may start the stack on an empty one."""
    with installed(lab, "half-way", tmp_path, by_hand, SLOW_TO_END) as applier:
        host = applier.host
        before = tree(host, "/opt/sesam/store")
        command = ("apply", "--backup-made", *WORDS)
        process = applier.start(*command)
        assert process.stdin
        process.stdin.write(f"{PASSWORD}\n")
        process.stdin.flush()
        told = Told(process)
        told.until("Stop sesam-node and keep it aside")
        interrupt(process)
        assert told.end() == 130, told.text
        finished(process)
        assert state(host, "sesam-audit-kept-sesam-node") == "exited no"
        assert host.run(f"ls -A {STORE}").stdout == ""

        other = applier("apply", "--yes", "--no-start")
        assert other.code == 1, other.errors
        assert "its store /opt/sesam/store has not moved yet" in " ".join(other.errors.split())
        assert host.run(f"ls -A {STORE}").stdout == ""
        planned = applier("apply", "--plan", "--backup-made", "--login", USER)
        assert planned.code == 10, planned.out
        assert "Move the store of" in planned.out
        again = applier(*command, text=f"{PASSWORD}\n")

        assert "Going on with run" in again.errors
        assert (again.host()["stage"], again.host()["verdict"]) == ("live", "ready"), again.errors
        assert tree(host, STORE) == before
        last = applier("apply", "--plan")
        assert (last.code, "nothing to do" in last.out) == (0, True), last.out


def test_a_v1_project_that_is_called_as_ours_is_left_to_a_person(lab: Lab, tmp_path: Path) -> None:
    """Compose v2 takes its containers over by their labels, kept aside or not."""
    start, name = partial(by_compose_v1, project="data"), "data_sesam-node_1"
    with installed(lab, "v1-data", tmp_path, start) as applier:
        host = applier.host
        before = tree(host, "/opt/sesam/store")

        refused = applier("apply", "--backup-made", *WORDS, text=f"{PASSWORD}\n")

        assert refused.code == 1
        assert f"{name} (sesam/sesam-node:weekly-prod, running) was left by" in refused.errors
        assert state(host, name) == "running always"
        assert tree(host, "/opt/sesam/store") == before
        assert host.run("test -e /var/lib/sesam-audit/runs", check=False).returncode
