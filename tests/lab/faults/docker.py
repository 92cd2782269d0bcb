"""Faults of Docker: the engine, its plugin, its login, its surroundings."""

from __future__ import annotations

import json

from ..services import LOGIN
from .fault import FAILED, UNKNOWN, Fault
from .outbound import INSIDE

CONFIG = "/home/sesam/.docker/config.json"
COMPOSE = "/srv/data/docker-compose.yml"
PLUGIN = "/usr/libexec/docker/cli-plugins/docker-compose"
SETTINGS, DROP_INS = "/etc/docker/daemon.json", "/etc/systemd/system/docker.service.d"
HUB = "https://index.docker.io/v1/"
IMAGE = "tar -c --files-from /dev/null | docker import - tiny >/dev/null; "
NO_IMAGE = "; docker rmi tiny >/dev/null"
LOGGED_OUT = {"docker.registry-login": FAILED}


def _login(name: str, content: object, says: str = "") -> Fault:
    text = content if isinstance(content, str) else json.dumps(content)
    return Fault(
        name=name,
        keep=(CONFIG,),
        seed=f"cat >{CONFIG} <<'END'\n{text}\nEND",
        changes=LOGGED_OUT,
        says=says,
    )


def _named(name: str) -> str:
    return f"{IMAGE}docker create --name {name} tiny /nothing >/dev/null"


ENGINE = (
    Fault(
        name="a stopped daemon",
        seed="systemctl stop docker.socket docker.service 2>/dev/null",
        mend="systemctl start docker.socket docker.service",
        changes={"docker.engine": FAILED, **dict.fromkeys(INSIDE, UNKNOWN)},
        says="does not answer",
    ),
    Fault(
        name="no docker command",
        keep=("/usr/bin/docker",),
        seed="rm /usr/bin/docker",
        changes={"docker.compose": FAILED},
    ),
    Fault(
        name="no compose plugin",
        keep=(PLUGIN,),
        seed=f"rm {PLUGIN}",
        changes={"docker.compose": FAILED},
        says="no compose plugin",
    ),
    Fault(
        name="compose v1 alone",
        keep=(PLUGIN, "/usr/bin/docker-compose"),
        seed=f"rm {PLUGIN}; printf '#!/bin/sh\\necho 1.29.2\\n'"
        " >/usr/bin/docker-compose; chmod 755 /usr/bin/docker-compose",
        changes={"docker.compose": FAILED},
        says="compose v1",
    ),
    Fault(
        name="a compose plugin of one user",
        keep=(PLUGIN,),
        seed="install -d -o auditor /home/auditor/.docker/cli-plugins; "
        f"mv {PLUGIN} /home/auditor/.docker/cli-plugins",
        mend="rm -r /home/auditor/.docker",
        changes={"docker.compose": FAILED},
        says="only auditor",
    ),
    Fault(
        name="Docker not started at boot",
        seed="systemctl disable --quiet docker.service docker.socket",
        mend="systemctl enable --quiet docker.service docker.socket",
        changes={"docker.boot": FAILED},
        says="after a reboot",
    ),
    Fault(
        name="the socket alone started at boot",
        seed="systemctl disable --quiet docker.service; systemctl enable --quiet docker.socket",
        mend="systemctl enable --quiet docker.service",
        changes={"docker.boot": FAILED},
        says="docker.socket",
    ),
    Fault(
        name="Docker masked",
        seed="systemctl mask --quiet docker.service",
        mend="systemctl unmask --quiet docker.service",
        changes={"docker.boot": FAILED},
    ),
    Fault(
        name="settings that Docker will not take at its next start",
        keep=(SETTINGS,),
        seed=f'mkdir -p /etc/docker; echo \'{{ "log-driver": "json-file", }}\' >{SETTINGS}',
        changes={
            "docker.boot": FAILED,
            "inbound.host-firewall": UNKNOWN,
            "hardware.cpu": UNKNOWN,
            "hardware.memory": UNKNOWN,
        },
        says="daemon.json is no JSON .line 1.: the daemon refuses it",
    ),
    Fault(
        name="settings by which Docker will remap users",
        keep=(SETTINGS,),
        seed=f'mkdir -p /etc/docker; echo \'{{"userns-remap": "default"}}\' >{SETTINGS}',
        changes={"docker.boot": FAILED},
        says="userns-remap",
    ),
    Fault(
        name="a drop-in that starts a program which is not there",
        keep=(DROP_INS,),
        seed=f"mkdir -p {DROP_INS}; printf '[Service]\\nExecStart=\\nExecStart=/opt/dockerd\\n'"
        f" >{DROP_INS}/own.conf",
        changes={"docker.boot": FAILED},
        says="starts /opt/dockerd, which is not there",
    ),
    Fault(
        name="containerd not started by itself",
        seed="systemctl disable --quiet containerd",
        mend="systemctl enable --quiet containerd",
    ),
    Fault(
        name="an updater that insists on a newer API",
        keep=(COMPOSE,),
        seed="sed -i 's/      WATCHTOWER_CLEANUP/      DOCKER_API_VERSION: \"1.99\"\\n&/'"
        f" {COMPOSE}",
        changes={"docker.api": FAILED},
        says="insists on .*1.99",
    ),
    Fault(
        name="a Docker command that leads to another daemon",
        keep=("/root/.docker", "/etc/environment", "/etc/profile.d/docker.sh"),
        seed="echo DOCKER_HOST=tcp://192.0.2.1:2375 >>/etc/environment; "
        "echo export DOCKER_HOST=tcp://192.0.2.1:2375 >/etc/profile.d/docker.sh",
    ),
)

LOGINS = (
    Fault(
        name="no registry login",
        keep=(CONFIG,),
        seed=f"rm {CONFIG}",
        changes={**LOGGED_OUT, "layout.bind-sources": FAILED},
    ),
    Fault(
        name="a directory that Docker made of a missing login",
        keep=(CONFIG,),
        seed=f"rm {CONFIG}; mkdir {CONFIG}",
        changes={**LOGGED_OUT, "layout.bind-sources": FAILED},
        says="Docker made it",
    ),
    Fault(name="a login of root", keep=(CONFIG,), seed=f"chown 0:0 {CONFIG}", changes=LOGGED_OUT),
    Fault(
        name="a login that others may read",
        keep=(CONFIG,),
        seed=f"chmod 0644 {CONFIG}",
        changes=LOGGED_OUT,
        says="0644",
    ),
    _login("a login that is not JSON", "{not json", "not JSON"),
    _login("a login kept by a helper", {"auths": {HUB: {}}, "credsStore": "desktop"}, "helper"),
    _login(
        "a login kept by a helper for the Hub alone",
        {"auths": {HUB: {"auth": LOGIN}}, "credHelpers": {HUB: "pass"}},
        "helper",
    ),
    _login("a login without a password", {"auths": {HUB: {}}}, "no login"),
    _login(
        "a login of another registry", {"auths": {"ghcr.io": {"auth": LOGIN}}}, "login is for ghcr"
    ),
)

WRONG_LOGIN = Fault(
    name="a login that the registry refuses",
    keep=(CONFIG,),
    seed=f"sed -i 's/{LOGIN}/d3Jvbmc6bG9naW4=/' {CONFIG}",
    changes={"docker.registry-access": FAILED},
)

SURROUNDINGS = (
    Fault(
        name="little room for images",
        seed="mount -t tmpfs -o size=10g tmpfs /var/lib/containerd",
        mend="umount /var/lib/containerd",
        changes={"docker.storage": FAILED},
        says="/var/lib/containerd",
    ),
    Fault(
        name="a network over the clients' addresses",
        seed="docker network create --subnet 10.77.3.0/24 clash >/dev/null",
        mend="docker network rm clash >/dev/null",
        settings=("client_networks=10.77.0.0/16",),
        changes={"docker.subnets": FAILED},
        says="10.77",
    ),
    Fault(
        name="clients elsewhere than Docker's networks",
        settings=("client_networks=10.77.0.0/16",),
    ),
    Fault(
        name="a bridge with larger packets than the device",
        seed="docker network create --opt com.docker.network.driver.mtu=9000 jumbo >/dev/null",
        mend="docker network rm jumbo >/dev/null",
        changes={"docker.mtu": FAILED},
        says="9000",
    ),
    Fault(
        name="another container called traefik",
        seed=_named("traefik"),
        mend=f"docker rm traefik >/dev/null{NO_IMAGE}",
        changes={"docker.conflicts": FAILED},
        says="traefik",
    ),
    Fault(
        name="a node left by compose v1",
        seed=f"{IMAGE}of=com.docker.compose\n"
        "docker create --name data_sesam-node_1 --label $of.project=data"
        " --label $of.service=sesam-node --label $of.version=1.29.2 tiny /nothing >/dev/null",
        mend=f"docker rm data_sesam-node_1 >/dev/null{NO_IMAGE}",
        changes={"docker.conflicts": FAILED},
        says="compose v1",
    ),
    Fault(
        name="a container that has nothing to do with Sesam",
        seed=_named("registry"),
        mend=f"docker rm registry >/dev/null{NO_IMAGE}",
    ),
)

FAULTS = (*ENGINE, *LOGINS, WRONG_LOGIN, *SURROUNDINGS)
