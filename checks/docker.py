"""Docker: the engine, its compose plugin, its login, its surroundings."""

from __future__ import annotations

from shlex import quote

from sesam_audit.errors import NotApplicable, Unknown, needs_root
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.compose_plugin import ComposePlugin
from sesam_audit.facts.containers import Containers
from sesam_audit.facts.docker_boot import SERVICE, DockerBoot
from sesam_audit.facts.docker_clients import DockerClients
from sesam_audit.facts.docker_login import DockerLogin
from sesam_audit.facts.docker_proxy import ContainerProxy, ProxySources, bypassed, endpoint
from sesam_audit.facts.docker_start import DockerStart
from sesam_audit.facts.docker_storage import DockerStorage
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.networks import Networks
from sesam_audit.facts.pull import Rehearsal
from sesam_audit.facts.pull_rights import allowed
from sesam_audit.facts.routes import Routes
from sesam_audit.facts.selinux import SELinux
from sesam_audit.facts.subnets import Subnets
from sesam_audit.facts.versions import version
from sesam_audit.judge import Then
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size
from sesam_audit.requirement import IMAGE, LIVE, MUST, PREFLIGHT, SHOULD, Found, requirement
from sesam_audit.wanted import HOME

from .unless import unless_proxy

EVERY_STAGE = (IMAGE, PREFLIGHT, LIVE)
ENGINE = ("docker.engine",)
STACK = "Guide, Start Services: “docker compose up -d”"
FREE = Size(20 * 10**9)
HUB_NAMES = ("registry-1.docker.io", "auth.docker.io", "production.cloudfront.docker.com")


@requirement(source="Guide, Software requirements: “Docker”", level=MUST, stages=EVERY_STAGE)
def check_engine(engine: Engine, profile: Profile, found: Found) -> None:
    """Docker Engine answers on /var/run/docker.sock.

    Not installed: add Docker's own repository (https://docs.docker.com/engine/install/), then, with
    dnf in place of apt-get on RHEL:

        sudo apt-get install docker-ce docker-ce-cli containerd.io docker-compose-plugin
        sudo systemctl enable --now docker

    Installed, but silent: start it, and see why it had stopped.

        sudo systemctl start docker
        sudo journalctl -u docker -n 50 --no-pager

    A snap in its place: remove it first, with what it holds.

        sudo snap remove docker

    Podman in its place: remove its stand-in first.

        sudo apt-get remove podman-docker

    Rootless: end it, then enable the service as above.

        dockerd-rootless-setuptool.sh uninstall

    User remapping: take "userns-remap" out of /etc/docker/daemon.json, then restart Docker.

        sudo systemctl restart docker
    """
    if engine.user:
        found.note(f"{engine.user} may use Docker without sudo, which is as good as being root")
    if engine.https_proxy and not profile.proxy:
        found.note(f"the daemon uses the proxy {engine.https_proxy}, the profile names none")
    if engine.kind in ("docker", "installed"):
        found(f"Docker Engine {engine.version}".strip())
    assert not engine.shortcomings, "; ".join(engine.shortcomings.values())


@requirement(source=STACK, level=MUST, stages=EVERY_STAGE)
def check_compose(compose: ComposePlugin, found: Found) -> None:
    """Docker's compose plugin, version 2 or newer, is there for every user.

    With Docker's own packages:

        sudo apt-get install docker-compose-plugin

    With Ubuntu's package docker.io:

        sudo apt-get install docker-compose-v2

    On RHEL:

        sudo dnf install docker-compose-plugin

    A copy in ~/.docker/cli-plugins serves one user only: remove it once the package is there.
    """
    if compose.context not in ("", "default"):
        found.note(
            f"the docker command uses the context {compose.context}, which may be another machine"
        )
    if not (compose.docker or compose.installed):
        raise Unknown("Docker is not installed (docker.engine)", "docker compose version")
    for plugin in compose.plugins:
        if plugin.version:
            found(plugin.version, required="2 or newer", words="version {}")
    assert not compose.shortcoming, compose.shortcoming


@requirement(
    source="Engineering: `restart: always` brings containers back only once Docker runs",
    level=MUST,
    stages=EVERY_STAGE,
)
def check_boot(boot: DockerBoot, start: DockerStart, found: Found) -> None:
    """Docker starts when the machine boots.

    Enable the service; a masked one is unmasked first:

        sudo systemctl unmask docker.service
        sudo systemctl enable docker.service

    The same helps containerd.service where that is named. Where its settings or its unit would keep
    it from starting, see both, and mend what is named; dockerd before 23.0 cannot validate.

        sudo dockerd --validate --config-file /etc/docker/daemon.json
        systemctl cat docker.service

    Then let it start with them, while you are there to see it:

        sudo systemctl daemon-reload
        sudo systemctl restart docker
    """
    if boot.service == "not-found" and not boot.installed:
        raise Unknown("Docker is not installed (docker.engine)", "systemctl is-enabled docker")
    word = {"not-found": "not there", "": "in an unknown state"}.get(boot.service, boot.service)
    state = found(f"{boot.unit} is {word}", required="enabled")
    if boot.service == "":
        raise Unknown(
            "systemd does not say whether Docker starts", f"systemctl status {quote(boot.unit)}"
        )
    assert boot.starts or boot.socket != "enabled", (
        f"{state}: docker.socket alone is enabled, which starts no container at boot"
    )
    assert boot.starts, f"{state}: after a reboot Docker stays down"
    assert not boot.containerd, f"containerd.service is {boot.containerd}, and Docker waits for it"
    ahead = start.inspect()
    assert boot.unit != SERVICE or not ahead.problems, "; ".join(ahead.problems)
    if boot.unit == SERVICE and ahead.unknown:
        raise ahead.unknown


@requirement(
    source="Docker documentation: the daemon refuses API versions below its minimum",
    level=MUST,
    needs=("docker.engine", "layout.compose-file"),
    apply_mends=True,
)
def check_api(engine: Engine, clients: DockerClients, found: Found) -> None:
    """The Docker daemon speaks the API version of every program in the stack.

    watchtower: add DOCKER_API_VERSION with the value 1.44 to its environment in
    /srv/data/docker-compose.yml. It must lie between the daemon's minimum and its own version,
    which the first command shows.

        sudo docker version
        cd /srv/data && sudo docker compose up -d watchtower

    traefik: set TRAEFIK_DOCKER_IMAGE_TAG in /srv/data/.env to latest, or to v3.6.1, v2.11.31 or
    newer.

        cd /srv/data && sudo docker compose up -d traefik

    Or let the daemon accept old clients, in /etc/docker/daemon.json, beside what stands there:

        {"min-api-version": "1.24"}

    Then restart it:

        sudo systemctl restart docker
    """
    least, most = engine.api_range
    found(f"the daemon speaks API {engine.min_api} to {engine.api}")
    fixed = [client for client in clients.clients if client.version]
    for client in (client for client in fixed if not client.doubt):
        speaks = version(client.version) or (0,)
        assert least <= speaks, (
            f"{client.service} ({client.image}) speaks version {client.version} of the API, "
            f"the daemon refuses what is below {engine.min_api}"
        )
        assert speaks <= most, (
            f"{client.service} insists on version {client.version} of the API, "
            f"the daemon ends at {engine.api}"
        )
    for client in (client for client in fixed if client.doubt):
        if (version(client.version) or (0,)) < least:
            run = f"sudo docker run --rm {quote(client.image)} {client.tells}"
            raise Unknown(f"{client.image}: {client.doubt}", run)


@requirement(
    source="Guide, Installation: “A docker repository login (provided by Sesam support)”; "
    "product files: the updater mounts /home/sesam/.docker/config.json",
    level=MUST,
    apply_mends=True,
)
def check_registry_login(login: DockerLogin, user: SesamUser, found: Found) -> None:
    """The updater's login to Docker Hub lies in /home/sesam/.docker/config.json.

    Log in with the name and password from Sesam support, then hand the file to sesam:

        sudo install -d -o sesam -g sesam -m 0700 /home/sesam/.docker
        sudo docker --config /home/sesam/.docker login --username NAME
        sudo chown sesam:sesam /home/sesam/.docker/config.json
        sudo chmod 0600 /home/sesam/.docker/config.json

    Where Docker made a directory of the missing file, first take the stack down and remove it:

        cd /srv/data && sudo docker compose down
        sudo rmdir /home/sesam/.docker/config.json

    Where a helper holds the login, first take credsStore and credHelpers out of the file. To pull
    with this login yourself:

        cd /srv/data && sudo docker --config /home/sesam/.docker compose pull
    """
    mine = login.updater
    for other in login.others:
        has = "holds a login too" if other.logged_in else "holds no login"
        found.note(f"{other.path}, which docker compose may use, {has}")
    assert not mine.fault, mine.fault
    if not user.exists:
        raise Unknown("there is no user sesam to own it (layout.user)", f"ls -l {quote(mine.path)}")
    assert user.home == HOME, f"the home of sesam is {user.home}, but the updater reads {mine.path}"
    assert mine.uid == user.uid, f"{mine.path} belongs to user {mine.uid}, not to sesam"
    mode = found(f"mode {mine.mode:04o}", required="mode 0600 or stricter")
    assert not mine.mode & 0o177, f"{mine.path} has {mode}, mode 0600 is required"


@requirement(
    source="Guide, Installation: “A docker repository login (provided by Sesam support)”",
    level=MUST,
    needs=("docker.registry-login", "outbound.docker"),
    apply_mends=True,
)
def check_registry_access(rehearsal: Rehearsal, then: Then, found: Found) -> None:
    """The login may read Sesam's private image.

    Try it:

        sudo docker --config /home/sesam/.docker manifest inspect sesam/sesam-node:weekly-prod

    Where the login is refused, log in again as docker.registry-login says. Where it may not read
    the image, ask Sesam support. "no such manifest": the tag is wrong. "toomanyrequests": wait an
    hour.
    """
    refusal, way = allowed(rehearsal, then)
    found.note(way)
    found(f"{rehearsal.image} may be read")
    assert not refusal, refusal


@requirement(source="Engineering: images pile up between updates", level=SHOULD, needs=ENGINE)
def check_storage(storage: DockerStorage, found: Found) -> None:
    """At least 20 GB are free for images and containers.

    See what takes the room, and remove images without a name:

        sudo docker system df
        sudo docker image prune

    Or enlarge the file system that holds them.
    """
    for room in storage.rooms:
        found.note(f"{room.available} free at {room.path}")
    room = min(storage.rooms, key=lambda room: room.available)
    words = f"{{}} free at {room.path}"
    assert found(room.available, required=FREE, words=words) >= FREE


@requirement(
    source="Docker documentation: the daemon takes its proxy from its own settings",
    level=MUST,
    needs=ENGINE,
    when=unless_proxy,
)
def check_proxy(engine: Engine, sources: ProxySources, profile: Profile, found: Found) -> None:
    """The Docker daemon goes through the deployment's proxy.

    Write the proxy into /etc/docker/daemon.json, beside what stands there:

        {"proxies": {"https-proxy": "http://PROXY:PORT", "no-proxy": "localhost,127.0.0.1"}}

    Then restart Docker, and see what it uses:

        sudo systemctl restart docker
        sudo docker info | grep -i proxy

    Docker before 23.0 takes HTTPS_PROXY of its unit instead:

        sudo systemctl edit docker.service
    """
    if sources.files:
        found.note(f"a proxy is set in {', '.join(sources.files)}")
    proxy = engine.answering().https_proxy
    found(proxy or "no proxy", required=profile.proxy, words="the daemon uses {}")
    assert proxy or not sources.files, (
        f"the daemon uses no proxy, though {sources.files[0]} sets one: restart it"
    )
    assert proxy, "the daemon uses no HTTPS proxy"
    assert endpoint(proxy) == profile.proxy_address
    for name in HUB_NAMES:
        assert not bypassed(engine.no_proxy, name), (
            f"the daemon's no-proxy list makes it bypass the proxy for {name}"
        )


@requirement(
    source="Docker documentation: compose copies the proxies of the invoking user's "
    "configuration into containers",
    level=MUST,
    when=unless_proxy,
)
def check_container_proxy(containers: ContainerProxy, profile: Profile, found: Found) -> None:
    """The stack's containers will get the deployment's proxy.

    Write the proxy into /root/.docker/config.json, or into the configuration of whoever else runs
    compose, beside the login that stands there:

        "proxies": {"default": {
          "httpProxy": "http://PROXY:PORT",
          "httpsProxy": "http://PROXY:PORT",
          "noProxy": "localhost,127.0.0.1,watchtower,traefik,sesam-node,fluentbit"
        }}

    Then make the containers anew:

        cd /srv/data && sudo docker compose up -d --force-recreate
    """
    wanted = profile.proxy_address
    for name in containers.services:
        given = containers.given(name, wanted)
        if endpoint(given.https) != wanted and containers.unread:
            run = f"sudo grep -i proxy {quote(containers.unread[0])}"
            raise needs_root(f"{containers.unread[0]} is not readable", run)
        assert given.https, f"{name} would get no proxy"
        found(given.https, required=profile.proxy)
        assert endpoint(given.https) == wanted, (
            f"{name} would get {given.https} from {given.where}; required: {profile.proxy}"
        )
        missing = [each for each in containers.services if not bypassed(given.no_proxy, each)]
        assert not missing, f"the noProxy of {given.where} lacks {', '.join(missing)}"
    sources = dict.fromkeys(containers.given(name, wanted).where for name in containers.services)
    found.note(f"from {' and '.join(sources)}: whoever runs compose must use that configuration")


@requirement(
    source="Engineering: addresses inside a Docker network are not reached outside it",
    level=SHOULD,
    needs=ENGINE,
)
def check_subnets(subnets: Subnets, found: Found) -> None:
    """Docker's networks cover no address that the host must reach elsewhere.

    Give Docker a range that nobody uses, in /etc/docker/daemon.json, beside what stands there:

        {"default-address-pools": [{"base": "10.201.0.0/16", "size": 24}]}

    Then restart Docker, and make the networks that are named anew, with the stack down:

        sudo systemctl restart docker
        cd /srv/data && sudo docker compose down
        sudo docker network rm NAME
        sudo docker network create NAME
        cd /srv/data && sudo docker compose up -d
    """
    collisions = found(subnets.collisions, words="collisions: {}")
    assert not collisions, "; ".join(collisions)


@requirement(
    source="Engineering: too large packets of containers vanish on the way",
    level=SHOULD,
    needs=ENGINE,
)
def check_mtu(networks: Networks, routes: Routes, found: Found) -> None:
    """Docker's networks send no larger packets than the host's network takes.

    Make the networks anew with the host's packet size, here 1450, and the stack down:

        cd /srv/data && sudo docker compose down
        sudo docker network rm sesam microservices
        sudo docker network create --opt com.docker.network.driver.mtu=1450 sesam
        sudo docker network create --opt com.docker.network.driver.mtu=1450 microservices
        cd /srv/data && sudo docker compose up -d

    Docker's own bridge takes it from /etc/docker/daemon.json, after a restart of Docker:

        {"mtu": 1450}
    """
    if routes.default is None or routes.default.device not in routes.mtus:
        raise Unknown("there is no default route whose packet size is known", "ip link")
    device = routes.default.device
    most = routes.mtus[device]
    bridges = [each for each in networks.networks if each.driver == "bridge"]
    largest = max((each.mtu for each in bridges), default=0)
    found(largest, required=f"at most {most} ({device})", words="packets up to {} bytes")
    large = [f"{each.name} ({each.mtu})" for each in bridges if each.mtu > most]
    assert not large, (
        f"{', '.join(large)} may send larger packets than the {most} bytes of {device}"
    )


@requirement(
    source="Docker documentation: with selinux-enabled, unlabelled mounts are refused; "
    "product files: the stack's mounts carry no labels",
    level=MUST,
    stages=EVERY_STAGE,
)
def check_selinux(selinux: SELinux, found: Found) -> None:
    """SELinux does not keep the stack's containers from their files.

    Take "selinux-enabled" out of /etc/docker/daemon.json, and --selinux-enabled out of Docker's
    unit; it is off by default. Then:

        sudo systemctl restart docker

    Do not switch SELinux itself off for this, and do not relabel /srv/data.
    """
    if selinux.mode == "disabled":
        raise NotApplicable("this host does not use SELinux")
    found(selinux.mode, words="SELinux is {}")
    if selinux.mode != "enforcing":
        return
    if isinstance(selinux.labels, Unknown):
        raise selinux.labels
    assert not selinux.labels, (
        "SELinux is enforcing and Docker has selinux-enabled: the stack's mounts would be refused"
    )


@requirement(
    source="Guide, Migrate an old installation: “Stop and remove all running containers”",
    level=MUST,
    needs=ENGINE,
)
def check_conflicts(containers: Containers, found: Found) -> None:
    """No container from elsewhere stands in the stack's way.

    Back up first, and see where the container keeps its data:

        sudo docker inspect --format '{{json .Mounts}}' NAME

    Then remove it, without -v, because an old store may lie in its volume:

        sudo docker stop NAME
        sudo docker rm NAME
    """
    for each in containers.made_by_v1:
        if each not in containers.left_by_v1:
            found.note(f"{each} was made by compose {each.compose}, for another stack")
    for each in containers.containers:
        if each.kept:
            found.note(f"{each} is kept from an older installation; sesam-audit finish removes it")
    faults = containers.conflicts
    names = sorted({each.name for several in faults.values() for each in several})
    found(names, words="containers in the way: {}")
    words = [f"{each} {fault}" for fault, several in faults.items() for each in several]
    assert not words, "; ".join(words)
