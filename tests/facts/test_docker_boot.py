"""What starts Docker at boot: by systemd's words, else by its links."""

from __future__ import annotations

from sesam_audit.asks import File, FileAnswer, RunAnswer, Stat, StatAnswer
from sesam_audit.facts import docker_boot
from sesam_audit.facts.docker_boot import SNAP, DockerBoot

from .bare import Given, find, read, unknown

SHOWN = read("docker/systemctl-show.txt")
UNIT = {Stat("/lib/systemd/system/docker.service"): StatAnswer(kind="file")}
LINK = {
    Stat("/etc/systemd/system/multi-user.target.wants/docker.service"): StatAnswer(kind="link"),
}
SOCKET_LINK = {
    Stat("/etc/systemd/system/sockets.target.wants/docker.socket"): StatAnswer(kind="link"),
}


def systemd(text: str = SHOWN) -> Given:
    units = (docker_boot.SERVICE, docker_boot.SOCKET, docker_boot.CONTAINERD, SNAP)
    return {docker_boot._show(*units): RunAnswer(code=0, out=text)}


def unit(name: str, load: str = "loaded", state: str = "enabled", **more: str) -> str:
    lines = {"Id": name, "LoadState": load, "UnitFileState": state, **more}
    return "".join(f"{key}={value}\n" for key, value in lines.items()) + "\n"


def test_an_enabled_service() -> None:
    assert find(DockerBoot, systemd()) == DockerBoot("enabled", "enabled")


def test_only_the_socket_is_enabled() -> None:
    text = SHOWN.replace("UnitFileState=enabled", "UnitFileState=disabled", 1)

    found = find(DockerBoot, systemd(text))

    assert (found.service, found.socket, found.starts) == ("disabled", "enabled", False)


def test_a_masked_service() -> None:
    text = unit("docker.service", load="masked", state="masked")

    assert find(DockerBoot, systemd(text)).service == "masked"


def test_enabled_until_the_reboot_only() -> None:
    assert not find(DockerBoot, systemd(unit("docker.service", state="enabled-runtime"))).starts


def test_a_static_unit_that_something_wants() -> None:
    text = unit("docker.service", state="static", WantedBy="multi-user.target")

    assert find(DockerBoot, systemd(text)).starts


def test_a_static_unit_that_nothing_wants() -> None:
    assert not find(DockerBoot, systemd(unit("docker.service", state="static"))).starts


def test_the_snaps_service() -> None:
    text = unit("docker.service", load="not-found", state="") + unit(SNAP)

    assert find(DockerBoot, systemd(text)) == DockerBoot("enabled", unit=SNAP)


def test_a_daemon_run_by_a_unit_of_another_name() -> None:
    text = unit("docker.service", load="not-found", state="")
    other = {
        File("/run/docker.pid"): FileAnswer(text="812\n"),
        File("/proc/812/cgroup"): FileAnswer(text="0::/system.slice/dockerd-own.service\n"),
        docker_boot._show("dockerd-own.service"): RunAnswer(
            code=0, out=unit("dockerd-own.service")
        ),
    }

    found = find(DockerBoot, systemd(text), other)

    assert (found.unit, found.starts) == ("dockerd-own.service", True)


def test_nothing_is_installed() -> None:
    found = find(DockerBoot, systemd(unit("docker.service", load="not-found", state="")))

    assert (found.service, found.installed) == ("not-found", False)


def test_docker_waits_for_a_disabled_containerd() -> None:
    docker = unit(
        "docker.service", ExecStart="{ argv[]=/usr/bin/dockerd --containerd=/run/c.sock }"
    )

    found = find(DockerBoot, systemd(docker + unit("containerd.service", state="disabled")))

    assert found.containerd == "disabled"


def test_a_wanted_containerd_need_not_be_enabled() -> None:
    text = SHOWN.replace("LoadState=loaded\nUnitFileState=enabled\n\nId=snap", "\nId=snap")

    assert find(DockerBoot, systemd(text)).containerd == ""


def test_links_of_an_image() -> None:
    assert find(DockerBoot, UNIT, LINK, SOCKET_LINK) == DockerBoot("enabled", "enabled")


def test_no_link_in_an_image() -> None:
    assert find(DockerBoot, UNIT, SOCKET_LINK) == DockerBoot("disabled", "enabled")


def test_masked_in_an_image() -> None:
    mask = StatAnswer(kind="link", target="/dev/null")

    found = find(DockerBoot, UNIT, LINK, {Stat("/etc/systemd/system/docker.service"): mask})

    assert found.service == "masked"


def test_neither_systemd_nor_its_files() -> None:
    assert "systemd does not answer" in unknown(DockerBoot)


RUNNING = {Stat("/proc/version"): StatAnswer(kind="file")}
BOOTED = {Stat("/run/systemd/system"): StatAnswer(kind="directory")}


def test_a_host_that_something_else_booted() -> None:
    assert "not booted by systemd" in unknown(DockerBoot, UNIT, RUNNING)
    assert "not booted by systemd" in unknown(DockerBoot, systemd(), UNIT, LINK, RUNNING)
    assert find(DockerBoot, systemd(), RUNNING, BOOTED).starts


def test_unreadable_links_prove_nothing() -> None:
    (path,) = LINK

    denied = {path: StatAnswer(error="EACCES")}
    assert "systemd does not answer" in unknown(DockerBoot, UNIT, denied)
