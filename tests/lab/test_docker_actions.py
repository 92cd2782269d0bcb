"""Networks, pull, start and wait by the agent, against a real Docker daemon and registry."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sesam_audit.shipping import program

from .faults.fault import RESTART_DOCKER
from .host import LabHost
from .internet import REGISTRY
from .lab import Lab
from .perfect import STORE
from .services import CLOUDFRONT, LOGIN
from .stack import Stack
from .stepping import killed_at_each
from .working import IMAGES, PASSWORD, PROJECT, SERVICES, USER, Work, working_on

HUB = "https://index.docker.io/v1/"
CONFIG = "/home/sesam/.docker/config.json"
FILE = "/srv/data/docker-compose.yml"
NETWORK: tuple[str, dict[str, Any]] = ("network", {"name": "sesam", "subnet": "10.99.0.0/24"})
PULL: tuple[str, dict[str, Any]] = ("pull", {"images": IMAGES, "user": USER})
UP: tuple[str, dict[str, Any]] = ("up", {**PROJECT, "services": SERVICES})


def wait(host: LabHost, deadline: float = 60, window: float = 4) -> tuple[str, dict[str, Any]]:
    after = {"project": "data", "services": SERVICES, "deadline": deadline, "window": window}
    return ("wait", {**after, "name": host.node_domain})


@pytest.fixture(scope="module")
def docker(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("docker")
    host.run("install -d -o sesam -g sesam /sesam/fluentbit/data")
    yield host
    lab.stop_host(host)


@pytest.fixture
def host(docker: LabHost, lab: Lab) -> Iterator[LabHost]:
    """The host without containers; everything behaves again afterwards."""
    files = ("/srv/data/.env", "/srv/data/docker-compose.yml")
    before = {path: docker.read(path) for path in files}
    yield docker
    lab.internet.reset()
    docker.run("docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes")
    docker.run("docker network prune --force; rm -f /sesam/node-00/lab-*")
    docker.run("docker network create sesam; docker network create microservices", check=False)
    docker.run("rm -rf /var/lib/sesam-audit")
    for path, text in before.items():
        docker.write(path, text, owner="sesam")


@pytest.fixture
def work(host: LabHost) -> Iterator[Work]:
    with working_on(host) as conversation:
        yield conversation


@pytest.fixture
def pulled(host: LabHost) -> None:
    host.run(
        "cd /srv/data && DOCKER_CONFIG=/home/sesam/.docker docker compose pull --quiet", timeout=120
    )


def networks(host: LabHost, name: str = "sesam") -> list[str]:
    listed = host.run("docker network ls --no-trunc --format '{{.Name}} {{.ID}}'").stdout
    return [line.split()[1] for line in listed.splitlines() if line.split()[0] == name]


def test_from_nothing_to_live_and_back(host: LabHost, work: Work) -> None:
    host.run(f"docker network rm sesam; docker image rm --force {' '.join(IMAGES)}", check=False)
    actions = (NETWORK, PULL, UP, wait(host))

    plan = work.plan(*actions)
    assert [each["kind"] for each in plan["actions"]] == ["network", "pull", "up", "wait"]
    assert work.carry_out(plan)["outcome"] == "done"

    assert Stack(host).api() == 200
    pulled = [each for each in work.told if each.get("unit") == "bytes" and each["total"]]
    assert pulled[-1]["done"] == pulled[-1]["total"] > 10**6
    assert work.plan(*actions)["actions"] == []
    undone = work.ended("undo")
    assert [each["id"] for each in undone["undone"]] == ["04-wait", "03-up", "01-network"]
    assert "docker image rm" in undone["cannot"][0]["words"]
    assert host.run("docker ps --all --quiet").stdout == ""
    assert networks(host) == []
    assert "data_sesam-node-tmp" in host.run("docker volume ls").stdout


def test_no_secret_in_journal_or_events(host: LabHost, work: Work) -> None:
    host.run(f"docker image rm --force {' '.join(IMAGES)}", check=False)

    assert work.do(PULL)["outcome"] == "done"

    kept = host.run("cat /var/lib/sesam-audit/runs/*/*").stdout
    assert "03-pull" in kept or "01-pull" in kept
    assert PASSWORD not in kept
    assert LOGIN not in kept


class TestNetwork:
    def test_another_of_the_same_name_made_meanwhile(self, host: LabHost, work: Work) -> None:
        host.run("docker network rm sesam")
        plan = work.plan(NETWORK)
        host.run("docker network create sesam")

        result = work.carry_out(plan)

        assert result["outcome"] in ("done", "changed")
        assert len(networks(host)) == 1

    def test_two_of_one_name(self, host: LabHost, work: Work) -> None:
        body = json.dumps({"Name": "sesam", "CheckDuplicate": False})
        ask = "curl --silent --unix-socket /run/docker.sock -H 'Content-Type: application/json'"
        host.run(f"{ask} -d '{body}' http://docker/networks/create")
        assert len(networks(host)) == 2

        result = work.do(NETWORK)

        assert "there are 2 networks called sesam" in result["words"]
        assert len(networks(host)) == 2
        for each in networks(host):
            host.run(f"docker network rm {each}")

    def test_an_internal_one_is_not_taken(self, host: LabHost, work: Work) -> None:
        host.run("docker network rm sesam && docker network create --internal sesam")

        result = work.do(NETWORK)

        assert "is internal" in result["words"]
        host.run("docker network rm sesam")

    @pytest.mark.usefixtures("pulled")
    def test_it_stays_while_a_stopped_container_refers_to_it(
        self, host: LabHost, work: Work
    ) -> None:
        host.run("docker network rm sesam")
        assert work.do(NETWORK)["outcome"] == "done"
        host.run("docker create --name other --network sesam traefik:latest")

        (left,) = work.ended("undo")["left"]

        assert "containers refer to it: other" in left["words"]
        assert len(networks(host)) == 1


class TestPull:
    def test_a_wrong_password(self, host: LabHost, work: Work) -> None:
        host.run(f"docker image rm --force {IMAGES[2]}", check=False)
        work.secrets = {"registry": "not the password"}

        result = work.do(("pull", {"images": IMAGES[2:3], "user": USER}))

        assert "does not let this login read sesam/sesam-node:weekly-prod" in result["words"]

    def test_the_limit(self, host: LabHost, lab: Lab, work: Work) -> None:
        host.run(f"docker image rm --force {IMAGES[1]}", check=False)
        lab.internet.limited()

        result = work.do(("pull", {"images": IMAGES[1:2], "user": USER}))

        assert "(429)" in result["words"]

    def test_a_tag_that_is_not_there(self, work: Work) -> None:
        result = work.do(("pull", {"images": ["traefik:of-nowhere"], "user": USER}))

        assert "the registry has no traefik:of-nowhere" in result["words"]

    def test_a_registry_that_comes_back_after_a_while(
        self, host: LabHost, lab: Lab, work: Work
    ) -> None:
        host.run(f"docker image rm --force {' '.join(IMAGES)}", check=False)
        lab.internet.refuse(REGISTRY)
        plan = work.plan(PULL)
        started = work.agent.ask("start", plan=plan, secrets=work.secrets)
        time.sleep(1)
        lab.internet.reset()

        told = work.agent.follow(started["run"], started["from"])

        assert told[-1]["outcome"] == "done"
        assert any("again in 2 s" in str(each.get("text")) for each in told)

    def test_layers_for_which_the_engine_tries_again(
        self, host: LabHost, lab: Lab, work: Work
    ) -> None:
        host.run(f"docker image rm --force {' '.join(IMAGES)}", check=False)
        lab.internet.refuse(CLOUDFRONT)
        plan = work.plan(("pull", {"images": IMAGES[:1], "user": USER}))
        started = work.agent.ask("start", plan=plan, secrets=work.secrets)
        time.sleep(1)
        lab.internet.reset()

        told = work.agent.follow(started["run"], started["from"])

        assert told[-1]["outcome"] == "done"
        assert any("Retrying in" in str(each.get("text")) for each in told)

    def test_an_image_that_is_there_is_pulled_when_asked(
        self, host: LabHost, lab: Lab, work: Work
    ) -> None:
        """A first start on a host of long ago is one of today's images."""
        node = IMAGES[2]
        images = {"images": [node], "user": USER}
        lab.internet.registry.offer("sesam/sesam-node", "weekly-prod", release="old")
        assert work.do(("pull", {**images, "refresh": [node]}))["outcome"] == "done"
        old = host.run(f"docker image inspect --format '{{{{.Id}}}}' {node}").stdout
        lab.internet.registry.offer("sesam/sesam-node", "weekly-prod")

        assert work.plan(("pull", images))["actions"] == []
        assert work.do(("pull", {**images, "refresh": [node]}))["outcome"] == "done"

        assert host.run(f"docker image inspect --format '{{{{.Id}}}}' {node}").stdout != old

    def test_the_file_s_login_is_used_without_another(self, host: LabHost, work: Work) -> None:
        host.run(f"docker image rm --force {IMAGES[2]}", check=False)

        result = work.do(("pull", {"images": IMAGES[2:3], "login": CONFIG}))

        assert result["outcome"] == "done"


@pytest.mark.usefixtures("pulled")
class TestUp:
    def test_a_missing_value_is_an_error(self, host: LabHost, work: Work) -> None:
        text = re.sub("(?m)^NODE_DOMAIN=.*$", "", host.read("/srv/data/.env"))
        host.write("/srv/data/.env", text)

        result = work.do(UP)

        assert "compose finds no value for NODE_DOMAIN" in result["words"]
        assert host.run("docker ps --all --quiet").stdout == ""

    def test_a_directory_where_a_file_belongs(self, host: LabHost, work: Work) -> None:
        host.run(f"mv {CONFIG} {CONFIG}.away && mkdir {CONFIG}")
        try:
            result = work.do(UP)
        finally:
            host.run(f"rmdir {CONFIG} && mv {CONFIG}.away {CONFIG}")

        assert f"{CONFIG} is a directory, watchtower needs a file there" in result["words"]

    def test_a_missing_source_is_not_made(self, host: LabHost, work: Work) -> None:
        host.run("mv /srv/data/traefik /srv/data/away")
        try:
            result = work.do(UP)
            there = host.run("test -e /srv/data/traefik", check=False).returncode
        finally:
            host.run("mv /srv/data/away /srv/data/traefik")

        assert "/srv/data/traefik/letsencrypt, which traefik needs" in result["words"]
        assert there == 1

    def test_a_mount_that_the_daemon_does_not_see(self, host: LabHost, work: Work) -> None:
        """The daemon with mounts of its own would start the node on what lies beneath."""
        alone = "[Service]\nPrivateMounts=yes\n"
        host.run("mkdir -p /etc/systemd/system/docker.service.d")
        host.write("/etc/systemd/system/docker.service.d/alone.conf", alone)
        host.run(RESTART_DOCKER)
        host.run("mount -t tmpfs tmpfs /sesam/node-00/logs")
        try:
            result = work.do(UP)
        finally:
            host.run("umount /sesam/node-00/logs")
            host.run("rm /etc/systemd/system/docker.service.d/alone.conf")
            host.run(RESTART_DOCKER)

        assert "Docker sees something else at /sesam/node-00/logs" in result["words"]

    def test_a_stranger_with_the_name(self, host: LabHost, work: Work) -> None:
        host.run("docker create --name sesam-node traefik:latest")

        result = work.do(UP)

        assert "a container sesam-node already, and it is not of this stack" in result["words"]

    @pytest.mark.parametrize(
        "label",
        [
            "com.docker.compose.version=1.29.2",
            "com.docker.compose.project.config_files=/opt/data/docker-compose.yml",
            "com.docker.compose.project.working_dir=/opt/data",
        ],
    )
    def test_another_project_called_data(self, host: LabHost, work: Work, label: str) -> None:
        """Told before anything is stopped, and again where it came meanwhile."""
        plan = work.plan(UP)
        known = ("project=data", "oneoff=False", "service=traefik")
        labels = [*(f"com.docker.compose.{each}" for each in known), label]
        words = " ".join(f"--label {each}" for each in labels)
        host.run(f"docker create --name data_sesam_1 {words} traefik:latest")

        result = work.carry_out(plan)

        assert "data_sesam_1 belongs to" in result["words"]
        assert "docker inspect" not in result["words"]
        assert "data_sesam_1 belongs to" in work.look(*UP)["stop"]
        seen = work.look("recreate", {**PROJECT, "service": "traefik", "store": STORE})
        assert "data_sesam_1 belongs to" in seen["stop"]
        assert host.run("docker ps --all --quiet").stdout.count("\n") == 1

    @pytest.mark.parametrize("moment", [0.15, 0.4, 0.7, 1.0, 1.4])
    def test_compose_or_agent_killed_it_goes_on(
        self, host: LabHost, work: Work, moment: float
    ) -> None:
        plan = work.plan(UP)
        started = work.agent.ask("start", plan=plan, secrets=work.secrets)
        time.sleep(moment)
        host.run("pkill -KILL docker-compose", check=False)
        holder = work.agent.ask("status")["holder"]
        if holder and holder["alive"]:
            with contextlib.suppress(RuntimeError):
                host.run(f"kill -KILL {holder['pid']}")
        work.agent.follow(started["run"], started["from"])

        again = work.agent.ask("start", plan=plan, secrets=work.secrets)
        if "run" in again:
            assert work.agent.follow(again["run"], again["from"])[-1]["outcome"] == "done"

        running = host.run("docker ps --format '{{.Names}}'").stdout.split()
        assert sorted(running) == ["fluentbit", "sesam-node", "traefik", "watchtower"]
        assert len(host.run("docker ps --all --quiet").stdout.split()) == 4
        assert work.plan(UP)["actions"] == []

    def test_the_ports_of_an_audit_that_has_just_ended_are_awaited(
        self, host: LabHost, work: Work
    ) -> None:
        room = "docker run --detach --label sesam-audit.room=1 --publish 80:80 --entrypoint sleep"
        made = host.run(f"{room} traefik:latest 60").stdout.strip()
        host.run(f"systemd-run sh -c 'sleep 3; docker rm --force {made}'")

        assert work.do(UP)["outcome"] == "done"

    def test_a_leftover_of_a_killed_recreation_is_taken_away(
        self, host: LabHost, work: Work
    ) -> None:
        labels = "--label com.docker.compose.project=data --label com.docker.compose.oneoff=False"
        service = "--label com.docker.compose.service=traefik"
        host.run(f"docker create --name 0123456789ab_traefik {labels} {service} traefik:latest")

        assert work.do(UP)["outcome"] == "done"

        assert "0123456789ab" not in host.run("docker ps --all").stdout

    def test_undo_leaves_what_somebody_else_made(self, host: LabHost, work: Work) -> None:
        assert work.do(UP)["outcome"] == "done"
        stack = Stack(host)
        old = stack.inspect("fluentbit")["Id"]
        host.run("cd /srv/data && docker compose up --detach --force-recreate --no-deps fluentbit")
        assert stack.inspect("fluentbit")["Id"] != old

        (left,) = work.ended("undo")["left"]

        assert "fluentbit was made by somebody else since and stays" in left["words"]
        assert host.run("docker ps --format '{{.Names}}'").stdout.split() == ["fluentbit"]

    def test_a_changed_service_is_made_anew(self, host: LabHost, work: Work) -> None:
        assert work.do(UP)["outcome"] == "done"
        recreate = ("recreate", {**PROJECT, "service": "fluentbit"})
        assert work.plan(recreate)["actions"] == []
        text = host.read("/srv/data/.env")
        host.write("/srv/data/.env", re.sub("APPLIANCE_ID=.", "APPLIANCE_ID=0", text), "sesam")
        stack = Stack(host)
        ids = {name: stack.inspect(name)["Id"] for name in ("fluentbit", "sesam-node")}

        assert work.do(recreate)["outcome"] == "done"

        assert stack.inspect("fluentbit")["Id"] != ids["fluentbit"]
        assert stack.inspect("sesam-node")["Id"] == ids["sesam-node"]
        assert work.plan(recreate)["actions"] == []

    def test_a_foreign_project_that_came_meanwhile_is_not_made_anew(
        self, host: LabHost, work: Work
    ) -> None:
        assert work.do(UP)["outcome"] == "done"
        self._change(host, "APPLIANCE_ID=.", "APPLIANCE_ID=0", "/srv/data/.env")
        plan = work.plan(("recreate", {**PROJECT, "service": "fluentbit"}))
        labels = "--label com.docker.compose.project=data --label com.docker.compose.oneoff=False"
        labels += " --label com.docker.compose.service=fluentbit"
        labels += " --label com.docker.compose.project.working_dir=/opt/data"
        host.run(f"docker create --name theirs {labels} traefik:latest")

        assert "theirs belongs to" in work.carry_out(plan)["words"]

        names = host.run("docker ps --all --format '{{.Names}}'").stdout.split()
        assert {"theirs", "fluentbit"} <= set(names)

    @staticmethod
    def _change(host: LabHost, old: str, new: str, path: str = FILE) -> None:
        host.write(path, re.sub(old, new, host.read(path)), "sesam")

    def test_a_node_is_not_made_anew_on_another_store(self, host: LabHost, work: Work) -> None:
        """What the published file binds is not where a root disk's store belongs."""
        text = host.read(FILE)
        host.run("install -d -o sesam -g sesam /srv/data/elsewhere")
        self._change(host, f"source: {STORE}", "source: /srv/data/elsewhere")
        assert work.do(UP)["outcome"] == "done"
        host.run("until test -e /srv/data/elsewhere/lab-started; do sleep 0.1; done")
        host.write(FILE, text, "sesam")
        stack, recreate = Stack(host), {**PROJECT, "service": "sesam-node"}
        node = stack.inspect("sesam-node")["Id"]
        try:
            seen = work.look("recreate", {**recreate, "store": STORE})
            result = work.do(("recreate", recreate))

            words = "sesam-node keeps its data in /srv/data/elsewhere, and made anew"
            assert words in seen["stop"]
            assert words in result["words"]
            found = stack.inspect("sesam-node")
            assert (found["Id"], found["State"]["Running"]) == (node, True)
        finally:
            host.run("docker rm --force sesam-node && rm -rf /srv/data/elsewhere")

    def test_a_node_that_keeps_its_data_in_itself_is_not_made_anew(
        self, host: LabHost, work: Work
    ) -> None:
        text = host.read(FILE)
        self._change(host, r" +- type: bind\n +source: \S+\n +target: /sesam\S*\n.*\n.*\n", "")
        self._change(host, "-l /sesam/logs", "-l /tmp")
        make = "mkdir -p /sesam/data; chmod 777 /sesam/data;"
        self._change(host, "chown .*&&", make)
        assert work.do(UP)["outcome"] == "done"
        host.write(FILE, text, "sesam")
        stack, recreate = Stack(host), {**PROJECT, "service": "sesam-node"}
        node = stack.inspect("sesam-node")["Id"]

        assert "keeps its data in no mount" in work.look("recreate", recreate)["stop"]

        assert stack.inspect("sesam-node")["Id"] == node

    def test_a_killed_node_is_not_removed_before_somebody_knows(
        self, host: LabHost, work: Work
    ) -> None:
        self._change(host, "exec gosu", "trap : TERM; gosu")
        assert work.do(UP)["outcome"] == "done"
        self._change(host, "trap : TERM", "trap : TERM HUP")
        stack = Stack(host)
        node = stack.inspect("sesam-node")["Id"]
        plan = work.plan(("recreate", {**PROJECT, "service": "sesam-node", "store": STORE}))
        started = work.agent.ask("start", plan=plan, secrets={})
        time.sleep(3)
        assert stack.inspect("sesam-node")["State"]["Running"]
        host.run("docker kill sesam-node")

        first = work.agent.follow(started["run"], started["from"])

        assert any("for at most 600 s" in str(each.get("text")) for each in first)
        assert "sesam-node did not end in time and was killed" in first[-1]["words"]
        assert stack.inspect("sesam-node")["Id"] == node
        kept = host.run("cat /var/lib/sesam-audit/runs/*/container-*.json").stdout
        assert json.loads(kept)["Id"] == node
        assert work.carry_out(plan)["outcome"] == "done"
        assert stack.inspect("sesam-node")["Id"] != node

    def test_a_recreation_killed_at_any_step_goes_on(self, host: LabHost, work: Work) -> None:
        """The old container may be gone and the new one not made, or half made."""
        assert work.do(UP)["outcome"] == "done"
        stack, recreate = Stack(host), ("recreate", {**PROJECT, "service": "fluentbit"})
        text = host.read("/srv/data/.env")
        others = {name: stack.inspect(name)["Id"] for name in ("sesam-node", "traefik")}

        def changed(number: int) -> str:
            line = f"APPLIANCE_ID=0b6a4d3e-5c1f-4a77-9f60-{number:012}"
            host.write("/srv/data/.env", re.sub("(?m)^APPLIANCE_ID=.*$", line, text), "sesam")
            return line

        line = changed(0)
        for number in killed_at_each(work, [recreate], stride=2):
            assert line in stack.inspect("fluentbit")["Config"]["Env"], number
            assert host.run("docker ps --quiet").stdout.count("\n") == 4, number
            assert host.run("docker ps --all --quiet").stdout.count("\n") == 4, number
            assert work.plan(recreate)["actions"] == []
            line = changed(number)
        assert number > 12
        assert others == {name: stack.inspect(name)["Id"] for name in others}

    def test_a_start_leaves_what_runs_although_its_files_changed(
        self, host: LabHost, work: Work
    ) -> None:
        made = self._made_anew(host, work)

        assert made == []

    def test_with_a_plain_up_what_runs_is_made_anew(self, host: LabHost) -> None:
        """The proof that the test before shows a missing safeguard."""
        careful = b'"--no-recreate", '
        assert program("agent").count(careful) == 1
        with working_on(host, program("agent").replace(careful, b"")) as plain:
            assert self._made_anew(host, plain) == ["sesam-node"]

    def _made_anew(self, host: LabHost, work: Work) -> list[str]:
        """Whose container is another one after a start, with changed files and one stopped."""
        assert work.do(UP)["outcome"] == "done"
        text = host.read("/srv/data/.env")
        host.write(
            "/srv/data/.env",
            re.sub("NODE_DOMAIN=.*", "NODE_DOMAIN=other.example.org", text),
            "sesam",
        )
        names = ("sesam-node", "traefik", "watchtower")
        ids = {name: Stack(host).inspect(name)["Id"] for name in names}
        host.run("docker stop --time 2 fluentbit")
        assert work.do(UP)["outcome"] == "done"
        return [name for name in names if Stack(host).inspect(name)["Id"] != ids[name]]

    def test_a_replaced_file_is_seen_after_a_restart(self, host: LabHost, work: Work) -> None:
        assert work.do(UP)["outcome"] == "done"
        restart = ("restart", {"container": "watchtower"})
        assert work.plan(restart)["actions"] == []
        host.run(f"cp -p {CONFIG} {CONFIG}.new && mv {CONFIG}.new {CONFIG}")

        plan = work.plan(restart)

        assert plan["actions"][0]["before"]["stale"] == [CONFIG]
        assert work.carry_out(plan)["outcome"] == "done"
        assert work.plan(restart)["actions"] == []

    def test_a_file_that_is_read_at_the_start_alone(self, host: LabHost, work: Work) -> None:
        """It lies in a directory that is mounted, which is never stale."""
        read = "/srv/data/traefik/letsencrypt/read"
        host.write(read, "old", "sesam")
        assert work.do(UP)["outcome"] == "done"
        restart = ("restart", {"container": "traefik", "files": [read]})
        assert work.plan(restart)["actions"] == []
        wanted = {"path": read, "uid": "sesam", "gid": "sesam", "mode": "0644", "content": "new"}
        started = Stack(host).inspect("traefik")["State"]["StartedAt"]

        assert work.do(("file", wanted))["outcome"] == "done"
        plan = work.plan(restart)
        assert plan["actions"][0]["before"]["stale"] == [read]
        assert work.carry_out(plan)["outcome"] == "done"

        assert Stack(host).inspect("traefik")["State"]["StartedAt"] > started
        assert work.plan(restart)["actions"] == []


@pytest.mark.usefixtures("pulled")
class TestWait:
    @pytest.mark.parametrize(
        ("behaviour", "deadline", "words"),
        [
            ("crashes", 60, "sesam-node ends again and again, at once, with exit code 3"),
            ("dies", 150, "sesam-node ends again and again, after 1[5-9] s at the longest, with"),
            ("unhealthy", 12, "sesam-node is not healthy by its own check"),
            ("unwell", 12, "the node answers 503 at https://"),
        ],
    )
    def test_a_node_that_does_not_live_is_named(
        self, host: LabHost, lab: Lab, work: Work, behaviour: str, deadline: float, words: str
    ) -> None:
        lab.internet.registry.offer("sesam/sesam-node", behaviour, behaviour=behaviour)
        text = host.read("/srv/data/.env").replace("weekly-prod", behaviour)
        host.write("/srv/data/.env", text, "sesam")
        pull = ("pull", {"images": [f"sesam/sesam-node:{behaviour}"], "user": USER})

        result = work.do(pull, UP, wait(host, deadline, window=8 if deadline < 100 else 30))

        assert (result["outcome"], result["action"]) == ("failed", "03-wait")
        assert re.search(words, result["words"])
        assert "lake: opening the store" in result["words"]
        assert "\x1b" not in result["words"]
        assert result["next"] == "sudo docker logs --tail 100 sesam-node"
        assert host.run("docker ps --all --quiet").stdout.count("\n") == 4

    @pytest.mark.parametrize("along", [True, False])
    def test_a_node_that_logs_secrets_is_quoted_without_them(
        self, host: LabHost, lab: Lab, work: Work, along: bool
    ) -> None:
        """Canaries of everything secret, sent with the plan or on the host already."""
        lab.internet.registry.offer("sesam/sesam-node", "tells", behaviour="tells")
        before = host.read("/srv/data/.env")
        values = before.replace("weekly-prod", "tells") + "EXTRA_KEY=canary-of-an-extra-key\n"
        host.write("/srv/data/.env", values, "sesam")
        license_text = host.read("/sesam/node-00/data/license.key")
        told = ("canary-of-an-extra-key", PASSWORD, LOGIN, "level=info, all is told")
        host.write("/sesam/node-00/lab-told", "\n".join(told) + "\n", "sesam")
        pull = ("pull", {"images": ["sesam/sesam-node:tells"], "user": USER})
        kind, after = wait(host, 60)
        if along:
            more = {"license": license_text, "environment": "EXTRA_KEY=canary-of-an-extra-key\n"}
            work.secrets |= more
            plan = work.plan(pull, UP, (kind, after))
        else:
            assert work.do(pull)["outcome"] == "done"
            work.secrets = {}
            paths = {
                "license": "/sesam/node-00/data/license.key",
                "environment": "/srv/data/.env",
                "registry": CONFIG,
            }
            private = {"paths": paths, "public": ["NODE_DOMAIN", "SESAM_NODE_IMAGE_TAG"]}
            plan = work.plan(UP, (kind, {**after, "private": private}))

        result = work.carry_out(plan)

        assert "with exit code 5" in result["words"]
        assert "level=info, all is told" in result["words"]
        kept = host.run("cat /var/lib/sesam-audit/runs/*/*").stdout + json.dumps(work.told)
        lines = [line for line in license_text.splitlines() if line and "-----" not in line]
        for secret in (*told[:3], *lines):
            assert secret not in kept

    def test_it_lasts_until_the_node_is_well(self, host: LabHost, work: Work) -> None:
        Stack(host).health(503)
        plan = work.plan(UP, wait(host))
        started = work.agent.ask("start", plan=plan, secrets=work.secrets)
        time.sleep(8)
        Stack(host).health(401)

        told = work.agent.follow(started["run"], started["from"])

        assert told[-1]["outcome"] == "done"
        assert any("answers 503" in str(each.get("text")) for each in told)


class TestLogin:
    """One entry in the file of the stack's user; the daemon itself tries it first."""

    LOGIN: tuple[str, dict[str, Any]] = (
        "login",
        {"path": CONFIG, "uid": "sesam", "gid": "sesam", "registry": HUB, "user": USER},
    )

    @pytest.fixture(autouse=True)
    def absent(self, host: LabHost) -> Iterator[None]:
        before = host.read(CONFIG)
        host.run(f"rm {CONFIG}")
        yield
        host.run(f"rm -rf {CONFIG} {CONFIG}.*")
        host.write(CONFIG, before, "sesam", 0o600)

    def auths(self, host: LabHost) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(host.read(CONFIG))["auths"]
        return found

    def test_made_used_and_taken_back(self, host: LabHost, work: Work) -> None:
        assert work.do(self.LOGIN)["outcome"] == "done"

        assert self.auths(host) == {HUB: {"auth": LOGIN}}
        assert host.run(f"stat -c '%U:%G %a %h' {CONFIG}").stdout == "sesam:sesam 600 1\n"
        pull = "docker pull --quiet sesam/sesam-node:nightly"
        host.run(f"DOCKER_CONFIG=/home/sesam/.docker {pull}")
        assert work.plan(self.LOGIN)["actions"] == []
        assert len(work.ended("undo")["undone"]) == 1
        assert host.run(f"ls -A {CONFIG.rpartition('/')[0]}").stdout == ""

    def test_everything_else_in_the_file_is_kept(self, host: LabHost, work: Work) -> None:
        mine = {"auths": {"ghcr.io": {"auth": "eDp5"}}, "proxies": {"default": {"noProxy": "x"}}}
        host.write(CONFIG, json.dumps(mine), "sesam", 0o600)

        assert work.do(self.LOGIN)["outcome"] == "done"

        document = json.loads(host.read(CONFIG))
        assert document.pop("auths") == {**mine["auths"], HUB: {"auth": LOGIN}}
        assert document == {"proxies": mine["proxies"]}
        work.ended("undo")
        assert host.read(CONFIG) == json.dumps(mine)

    def test_undo_takes_the_one_entry_out_of_what_others_wrote(
        self, host: LabHost, work: Work
    ) -> None:
        assert work.do(self.LOGIN)["outcome"] == "done"
        document = json.loads(host.read(CONFIG))
        document["auths"]["ghcr.io"] = {"auth": "eDp5"}
        host.write(CONFIG, json.dumps(document), "sesam", 0o600)

        (undone,) = work.ended("undo")["undone"]

        assert "our entry alone" in undone["words"]
        assert self.auths(host) == {"ghcr.io": {"auth": "eDp5"}}

    def test_a_wrong_password_is_never_written(self, host: LabHost, work: Work) -> None:
        work.secrets = {"registry": "not-the-password"}

        result = work.do(self.LOGIN)

        assert f"does not take the login of {USER}" in result["words"]
        assert "incorrect username or password" in result["words"]
        assert "not-the-password" not in host.run("cat /var/lib/sesam-audit/runs/*/*").stdout
        assert host.run(f"test -e {CONFIG}", check=False).returncode == 1

    @pytest.mark.parametrize("key", ["credsStore", "credHelpers"])
    def test_a_helper_is_refused_and_never_called(
        self, host: LabHost, work: Work, key: str
    ) -> None:
        value: object = "evil" if key == "credsStore" else {HUB: "evil"}
        host.write(CONFIG, json.dumps({key: value}), "sesam", 0o600)

        result = work.do(self.LOGIN)

        assert "the helper evil, which the stack's updater cannot call" in result["words"]
        assert json.loads(host.read(CONFIG)) == {key: value}

    @pytest.mark.parametrize(
        ("make", "words"),
        [(f"mkdir {CONFIG}", "is a directory"), (f"ln -s /etc/shadow {CONFIG}", "is a link")],
    )
    def test_something_else_in_its_place(
        self, host: LabHost, work: Work, make: str, words: str
    ) -> None:
        before = host.read("/etc/shadow")
        host.run(make)

        result = work.do(self.LOGIN)

        assert words in result["words"]
        assert host.read("/etc/shadow") == before
