"""The lab itself: its parts are real, and each fault is the fault it says it is."""

from __future__ import annotations

import json
import shlex
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .host import LabHost, Wanted
from .instance import Instance
from .lab import Lab
from .root import ASKER_PASSWORD, USERS
from .services import LOGIN, NETWORK, SERVICES, SINKHOLE

CURL = "curl --silent --show-error --output /dev/null --max-time 5"


@pytest.fixture
def broken(lab: Lab) -> Iterator[Lab]:
    """The lab, for tests that break its internet; it behaves again afterwards."""
    yield lab
    lab.internet.reset()


def ssh(lab: Lab, target: str, command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ("ssh", "-F", str(lab.ssh_config), target, command),
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def fetch(host: LabHost, url: str, options: str = "") -> tuple[int, str]:
    """Curl's exit code and the status (or error) it met."""
    got = host.run(f"{CURL} {options} --write-out '%{{http_code}}' {url}", check=False)
    return got.returncode, got.stdout if got.returncode == 0 else got.stderr


@pytest.mark.parametrize("user", USERS)
def test_every_user_logs_in_with_the_key(lab: Lab, perfect: LabHost, user: str) -> None:
    assert ssh(lab, f"{user}@{perfect.name}", "id -un").stdout == f"{user}\n"


def test_a_changed_host_key_is_refused(lab: Lab, perfect: LabHost, tmp_path: Path) -> None:
    other = tmp_path / "known_hosts"
    key = lab.identity.with_name("identity.pub").read_text()
    other.write_text(f"{perfect.address} {key}")
    config = tmp_path / "ssh_config"
    config.write_text(lab.ssh_config.read_text().replace(str(lab.known_hosts), str(other)))
    command = ("ssh", "-F", str(config), perfect.name, "true")
    got = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in got.stderr


@pytest.mark.parametrize(
    ("user", "command", "text", "code"),
    [
        ("auditor", "sudo -n id -u", "", 0),
        ("plain", "sudo -n id -u", "", 1),
        ("asker", "sudo -n id -u", "", 1),
        ("asker", "sudo -S -p '' id -u", f"{ASKER_PASSWORD}\n", 0),
    ],
)
def test_sudo(lab: Lab, perfect: LabHost, user: str, command: str, text: str, code: int) -> None:
    assert ssh(lab, f"{user}@{perfect.name}", command, text).returncode == code


def test_systemd_runs_everything(perfect: LabHost) -> None:
    assert perfect.run("systemctl is-system-running").stdout == "running\n"
    assert perfect.run("ps -o comm= -p 1").stdout == "systemd\n"
    for unit in ("docker", "ssh", "systemd-timesyncd"):
        assert perfect.run(f"systemctl is-active {unit}").stdout == "active\n"
    assert perfect.run("systemctl is-enabled docker").stdout == "enabled\n"


def test_docker_is_real(perfect: LabHost) -> None:
    info = json.loads(perfect.run("docker info --format '{{json .}}'").stdout)
    assert info["Driver"] == "overlay2"
    assert info["OperatingSystem"].startswith("Ubuntu 24.04")
    assert perfect.run("docker compose version --short").stdout.startswith("2.")
    names = perfect.run("docker network ls --format '{{.Name}}'").stdout.split()
    assert {"sesam", "microservices"} <= set(names)


def test_a_container_runs_and_its_port_is_published(lab: Lab) -> None:
    host = lab.host("runner", Wanted(bare=True, data_disk=False))
    host.run(
        "cd / && tar -c usr/bin/python3* usr/lib/python3* usr/lib/x86_64-linux-gnu usr/lib64 lib"
        " lib64 "
        "| docker import - tiny && docker network create front"
        " && docker run --detach --network front --publish 80:80 tiny"
        " /usr/bin/python3 -m http.server 80",
    )
    answer = b""
    for _ in range(50):
        try:
            with socket.create_connection((host.address, 80), timeout=1) as connection:
                connection.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
                if answer := connection.recv(15):
                    break
        except OSError:
            time.sleep(0.1)
    assert answer == b"HTTP/1.0 200 OK"
    lab.stop_host(host)


def test_the_stack_file_renders(perfect: LabHost) -> None:
    rendered = perfect.run("cd /srv/data && env -i /usr/bin/docker compose config --format json")
    assert not rendered.stderr
    assert set(json.loads(rendered.stdout)["services"]) == {
        "watchtower",
        "traefik",
        "sesam-node",
        "fluentbit",
    }


def test_the_data_disk_is_a_partition_of_its_own(perfect: LabHost) -> None:
    shown = perfect.run("lsblk --bytes --noheadings --output SIZE,MOUNTPOINT,UUID | grep /srv/data")
    size, _, identifier = shown.stdout.split()
    assert int(size) == 400 * 10**9
    assert perfect.run("lsblk --noheadings --output ROTA /dev/loop*").stdout.strip() == "0"
    assert f"UUID={identifier} /srv/data ext4" in perfect.read("/etc/fstab")
    assert perfect.run("findmnt --noheadings --output FSTYPE /srv/data").stdout == "ext4\n"
    assert perfect.run("stat --format %U /sesam/node-00/data/license.key").stdout == "sesam\n"


def test_another_host_is_a_vantage(lab: Lab, perfect: LabHost) -> None:
    outside = lab.host("outside", Wanted(bare=True, data_disk=False, docker=False))
    dial = f"curl --silent --max-time 5 http://{perfect.node_domain}:8080/"
    listen = (
        "timeout 3 python3 -m http.server 8080 --directory /etc/ssh >/dev/null 2>&1 & sleep 0.5"
    )
    perfect.run(f"({listen}) </dev/null")
    assert "sshd_config" in outside.run(dial).stdout
    lab.stop_host(outside)


def test_a_host_without_this_and_that(lab: Lab) -> None:
    wanted = Wanted(bare=True, data_disk=False, docker=False, python=False, os_release="ID=rhel\n")
    host = lab.host("poor", wanted)
    assert host.run("command -v docker || command -v python3", check=False).returncode
    assert host.read("/etc/os-release") == "ID=rhel\n"
    assert host.run("test -e /sesam", check=False).returncode == 1
    assert ssh(lab, "plain@poor", "hostname").stdout == "poor\n"
    lab.stop_host(host)


@pytest.mark.parametrize("name", SERVICES)
def test_every_name_answers_over_trusted_tls(lab: Lab, perfect: LabHost, name: str) -> None:
    assert perfect.run(f"getent hosts {name}").stdout.split() == [SERVICES[name].address, name]
    context = ssl.create_default_context(cafile=lab.roots)
    plain = socket.create_connection((lab.internet.resolver, 443), timeout=5)
    with context.wrap_socket(plain, server_hostname=name) as connection:
        assert connection.getpeercert()
    code, status = fetch(perfect, f"https://{name}/")
    assert code == 0, status


def test_answers_are_of_authentic_shape(perfect: LabHost) -> None:
    def asked(options: str) -> str:
        return perfect.run(f"curl --silent --include --max-time 5 {options}").stdout

    registry = asked("https://registry-1.docker.io/v2/")
    assert "401 Unauthorized" in registry
    assert 'realm="https://auth.docker.io/token",service="registry.docker.io"' in registry
    assert "newNonce" in asked("https://acme-v02.api.letsencrypt.org/directory")
    accept = "--header 'Accept: application/vnd.pypi.simple.v1+json'"
    simple = "Content-Type: application/vnd.pypi.simple.v1+json"
    assert simple in asked(f"{accept} https://pypi.org/simple/pip/")
    assert "Location: https://pypi.org/" in asked("https://pypi.python.org/simple/pip/")


def test_the_registry_tells_its_customers_from_others(perfect: LabHost) -> None:
    def head(token: str, repository: str, tag: str = "latest") -> str:
        url = f"https://registry-1.docker.io/v2/{repository}/manifests/{tag}"
        return fetch(perfect, url, f"--head --header 'Authorization: Bearer {token}'")[1]

    def token(options: str) -> str:
        got = perfect.run(f"curl --silent {options} https://auth.docker.io/token?scope=x").stdout
        return str(json.loads(got).get("token", ""))

    customer = token(f"--header 'Authorization: Basic {LOGIN}'")
    assert head(customer, "sesam/sesam-node") == "200"
    assert head(token(""), "sesam/sesam-node") == "401"
    assert head(token(""), "library/traefik") == "200"
    assert head(token(""), "library/traefik", "of-nowhere") == "404"
    assert not token("--user somebody:else")
    blob = f"https://registry-1.docker.io/v2/library/traefik/blobs/sha256:{'ab' * 32}"
    options = f"--location --range 0-1 --header 'Authorization: Bearer {token('')}'"
    assert fetch(perfect, blob, options) == (0, "206")


def test_slow(broken: Lab, perfect: LabHost) -> None:
    broken.internet.slow("pypi.org", seconds=1)
    begun = time.monotonic()
    assert fetch(perfect, "https://pypi.org/simple/pip/") == (0, "200")
    assert 1 <= time.monotonic() - begun < 2
    assert fetch(perfect, "https://pypi.org/", "--connect-timeout 0.5")[0] == 28


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("refuse", 7, "Connection refused|Couldn't connect"),
        ("blackhole", 28, "timed out|timeout"),
        ("unknown", 6, "Could not resolve"),
        ("wrong_certificate", 60, "no alternative certificate subject name matches"),
        ("intercept", 60, "unable to get local issuer|self.signed"),
        ("sinkhole", 60, "no alternative certificate subject name matches"),
    ],
)
def test_faults(broken: Lab, perfect: LabHost, fault: str, code: int, words: str) -> None:
    getattr(broken.internet, fault)("pypi.org", "portal.sesam.io")
    for name in ("pypi.org", "portal.sesam.io"):
        got, error = fetch(perfect, f"https://{name}/", "--connect-timeout 1")
        assert got == code
        assert any(word.lower() in error.lower() for word in words.split("|")), error
    assert fetch(perfect, "https://hub.docker.com/") == (0, "200")
    broken.internet.reset()
    assert fetch(perfect, "https://portal.sesam.io/") == (0, "200")


def test_what_is_in_a_hosts_way_is_not_in_the_auditors(broken: Lab, perfect: LabHost) -> None:
    broken.internet.refuse("pypi.org")
    broken.internet.unknown("portal.sesam.io")

    def both(name: str) -> list[int]:
        there = fetch(perfect, f"https://{name}/", "--insecure --connect-timeout 1")[0]
        command = broken.as_auditor("curl", "-ks", "-o/dev/null", "-m1", f"https://{name}/")
        return [there, subprocess.run(command, check=False).returncode]

    assert [both("pypi.org"), both("portal.sesam.io")] == [[7, 0], [6, 0]]
    broken.internet.everywhere()
    assert [both("pypi.org"), both("portal.sesam.io")] == [[7, 7], [6, 6]]
    broken.internet.reset()
    broken.internet.cut_off()
    assert both("pypi.org") == [0, 28]


def test_captive(broken: Lab, perfect: LabHost) -> None:
    broken.internet.captive("acme-v02.api.letsencrypt.org")
    url = "https://acme-v02.api.letsencrypt.org/directory"
    assert fetch(perfect, url)[0] == 60
    assert fetch(perfect, url, "--insecure") == (0, "302")


def test_sinkhole_is_one_address(broken: Lab, perfect: LabHost) -> None:
    broken.internet.sinkhole("pypi.org", "hub.docker.com")
    for name in ("pypi.org", "hub.docker.com"):
        assert perfect.run(f"getent hosts {name}").stdout.split()[0] == SINKHOLE
        assert fetch(perfect, f"https://{name}/", "--insecure") == (0, "403")


def test_a_dead_resolver(broken: Lab, perfect: LabHost) -> None:
    broken.internet.deaf()
    assert fetch(perfect, "https://pypi.org/", "--max-time 1")[0] == 28
    assert fetch(perfect, f"https://{NETWORK}.11/", "--insecure")[0] == 0


def test_the_node_domain_leads_to_the_host(lab: Lab, perfect: LabHost) -> None:
    got = perfect.run(f"getent hosts {perfect.node_domain}; ip -o address show dev eth0").stdout
    assert got.count(perfect.public_address) == 2
    assert perfect.node_domain in (lab.directory / "internet/hosts").read_text()


DIES = """
import os, sys
from tests.lab.host import Wanted
from tests.lab.lab import Lab
lab = Lab()
lab.start()
host = lab.host("orphan", Wanted(bare=True))
print(lab._instance.index, host.pid, flush=True)
os._exit(1)
"""


def test_a_later_start_cleans_up_after_a_crash(lab: Lab, perfect: LabHost) -> None:
    command = (sys.executable, "-c", DIES)
    top = Path(__file__).parents[2]
    died = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=top, check=False)
    index, pid = map(int, died.stdout.split())
    assert index != lab._instance.index
    assert Path(f"/proc/{pid}/comm").read_text() == "systemd\n"

    image = shlex.quote(str(lab.directory.with_name(str(index)) / "hosts/orphan/data.img"))
    listed = subprocess.run(("losetup", "--list"), stdout=subprocess.PIPE, text=True, check=True)
    assert image in listed.stdout
    instance = Instance.take()
    instance.close()
    listed = subprocess.run(("losetup", "--list"), stdout=subprocess.PIPE, text=True, check=True)
    assert image not in listed.stdout
    assert not Path(f"/sys/class/net/sesamlab{index}").exists()
    assert not list(Path("/run/netns").glob(f"sesamlab{index}-*"))
    groups = subprocess.run(
        ("find", "/sys/fs/cgroup", "-name", f"sesamlab{index}-*"),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert not groups.stdout
    assert perfect.run("systemctl is-active docker").stdout == "active\n"
