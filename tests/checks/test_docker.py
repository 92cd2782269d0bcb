"""The checks of Docker, each over made-up facts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sesam_audit.asks import FileAnswer, PullAnswer, Registry, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.compose_plugin import ComposePlugin, Plugin
from sesam_audit.facts.containers import Container, Containers
from sesam_audit.facts.docker_boot import SNAP, DockerBoot
from sesam_audit.facts.docker_clients import Client, DockerClients
from sesam_audit.facts.docker_login import HUB, ROOT_CONFIG, DockerLogin, Login
from sesam_audit.facts.docker_proxy import ContainerProxy, ProxySources, Setting
from sesam_audit.facts.docker_start import DockerStart, DockerUnit
from sesam_audit.facts.docker_storage import DockerStorage, Room
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.networks import Network, Networks
from sesam_audit.facts.pull import Pulled, Rehearsal
from sesam_audit.facts.routes import Route, Routes
from sesam_audit.facts.selinux import SELinux
from sesam_audit.facts.subnets import Place, Subnets
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size
from sesam_audit.requirement import catalogue
from sesam_audit.testing import evaluate
from sesam_audit.wanted import LOGIN_FILE
from tests.facts import pulls
from tests.facts.network import PUBLIC

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
DOCKER = Engine(kind="docker", version="29.1.3", api="1.52", min_api="1.44", root="/var/lib/docker")
BEHIND = Profile(proxy="proxy.example:3128")
PROXY = "http://proxy.example:3128"
NO_ROOT = Unknown("needs root: it is closed", "sudo open it")


# docker.engine


@pytest.mark.parametrize("version", ["20.10.24", "29.1.3"])
def test_engine(version: str) -> None:
    finding = evaluate("docker.engine", replace(DOCKER, version=version))

    assert finding.outcome is PASSED
    assert finding.message == f"Docker Engine {version}"


def test_engine_of_an_image() -> None:
    assert evaluate("docker.engine", Engine(kind="installed")).outcome is PASSED


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (Engine("absent"), "Docker is not installed"),
        (Engine("stopped"), "its daemon does not answer"),
        (Engine("podman"), "podman answers in Docker's place"),
        (Engine("rootless"), "rootless only"),
        (replace(DOCKER, root="/var/snap/docker/common/var-lib-docker"), "comes from a snap"),
        (replace(DOCKER, security=("seccomp", "rootless")), "Docker runs rootless"),
        (replace(DOCKER, security=("seccomp", "userns")), "userns-remap"),
    ],
)
def test_engine_of_another_kind(engine: Engine, words: str) -> None:
    finding = evaluate("docker.engine", engine)

    assert finding.outcome is FAILED
    assert words in finding.message


def test_engine_that_may_not_be_asked() -> None:
    assert evaluate("docker.engine", unknown={Engine: NO_ROOT}).outcome is UNKNOWN


def test_engine_says_what_the_docker_group_means() -> None:
    (note,) = evaluate("docker.engine", replace(DOCKER, user="operator")).notes

    assert note == "operator may use Docker without sudo, which is as good as being root"


def test_engine_names_a_proxy_that_the_profile_lacks() -> None:
    (note,) = evaluate("docker.engine", replace(DOCKER, https_proxy=PROXY)).notes

    assert PROXY in note


# docker.compose

COMPOSE = ComposePlugin((Plugin("root", "2.40.3"),), shared="/usr/libexec/docker-compose")
NO_PLUGIN = ComposePlugin((Plugin("root", "", "unknown flag: --short"),))


@pytest.mark.parametrize("version", ["2.0.0", "2.26.1-4", "5.0.1"])
def test_compose(version: str) -> None:
    plugins = (Plugin("root", version), Plugin("operator", version))

    assert evaluate("docker.compose", replace(COMPOSE, plugins=plugins)).outcome is PASSED


@pytest.mark.parametrize(
    ("compose", "words"),
    [
        (NO_PLUGIN, "root has no compose plugin"),
        (replace(NO_PLUGIN, standalone="1.29.2"), "docker-compose 1.29.2 is there as a program of"),
        (replace(NO_PLUGIN, standalone="1.29.2"), "(compose v1)"),
        (replace(NO_PLUGIN, docker=False), "there is no docker command"),
        (replace(COMPOSE, shared=""), "only root has the compose plugin"),
        (
            replace(COMPOSE, plugins=(*COMPOSE.plugins, Plugin("operator"))),
            "operator has no compose plugin",
        ),
        (
            ComposePlugin((Plugin("root", "", "Error: unrecognized command `podman compose`"),)),
            "podman's stand-in for docker answers root: Error: unrecognized command",
        ),
        (
            replace(COMPOSE, plugins=(Plugin("root", "1.9.0"),)),
            "version 1.9.0; required: 2 or newer",
        ),
    ],
)
def test_compose_that_will_not_do(compose: ComposePlugin, words: str) -> None:
    finding = evaluate("docker.compose", compose)

    assert finding.outcome is FAILED
    assert words in finding.message


def test_compose_v2_as_a_program_is_not_called_v1() -> None:
    assert "v1" not in evaluate("docker.compose", replace(NO_PLUGIN, standalone="2.40.3")).message


def test_compose_without_docker_is_not_a_second_fault() -> None:
    bare = replace(NO_PLUGIN, docker=False, installed=False)

    assert evaluate("docker.compose", bare).outcome is UNKNOWN


def test_compose_names_a_context() -> None:
    (note,) = evaluate("docker.compose", replace(COMPOSE, context="desktop-linux")).notes

    assert "desktop-linux" in note


# docker.boot


def start(text: str = "", error: str | None = "ENOENT") -> DockerStart:
    return DockerStart(DockerUnit(), StatAnswer(), FileAnswer(text=text, error=error))


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [
        (start(), PASSED),
        (start("{}", None), PASSED),
        (start('{ "log-driver": "json-file", }', None), FAILED),
        (start(error="EACCES"), UNKNOWN),
    ],
)
def test_boot(ahead: DockerStart, outcome: Outcome) -> None:
    assert evaluate("docker.boot", DockerBoot("enabled", "enabled"), ahead).outcome is outcome


def test_a_snap_s_daemon_has_other_files() -> None:
    snap = DockerBoot("enabled", unit=SNAP)

    assert evaluate("docker.boot", snap, start("{", None)).outcome is PASSED


@pytest.mark.parametrize(
    ("boot", "words"),
    [
        (DockerBoot("disabled", "enabled"), "docker.socket alone is enabled"),
        (DockerBoot("disabled", "disabled"), "after a reboot Docker stays down"),
        (DockerBoot("masked"), "docker.service is masked"),
        (DockerBoot("enabled-runtime"), "after a reboot"),
        (DockerBoot("not-found"), "docker.service is not there"),
        (DockerBoot("enabled", containerd="masked"), "containerd.service is masked"),
    ],
)
def test_boot_without_docker(boot: DockerBoot, words: str) -> None:
    finding = evaluate("docker.boot", boot, start())

    assert finding.outcome is FAILED
    assert words in finding.message


@pytest.mark.parametrize("boot", [DockerBoot("not-found", installed=False), DockerBoot("")])
def test_boot_of_nothing(boot: DockerBoot) -> None:
    assert evaluate("docker.boot", boot, start()).outcome is UNKNOWN


# docker.api


def clients(*versions: str, doubt: str = "") -> DockerClients:
    return DockerClients(tuple(Client("service", "image", each, doubt) for each in versions))


@pytest.mark.parametrize(
    ("least", "version"),
    [("1.44", ""), ("1.44", "1.44"), ("1.44", "1.52"), ("1.24", "1.25"), ("1.12", "1.25")],
)
def test_api(least: str, version: str) -> None:
    engine = replace(DOCKER, min_api=least)

    assert evaluate("docker.api", engine, clients("", version)).outcome is PASSED


@pytest.mark.parametrize(
    ("least", "version"), [("1.44", "1.43"), ("1.40", "1.25"), ("1.44", "1.5"), ("1.25", "1.24")]
)
def test_api_below_the_daemons(least: str, version: str) -> None:
    finding = evaluate("docker.api", replace(DOCKER, min_api=least), clients(version))

    assert finding.outcome is FAILED
    assert finding.message == (
        f"service (image) speaks version {version} of the API,"
        f" the daemon refuses what is below {least}"
    )


def test_api_above_an_old_daemons() -> None:
    old = replace(DOCKER, api="1.41", min_api="1.12")

    finding = evaluate("docker.api", old, clients("1.44"))

    assert finding.outcome is FAILED
    assert "the daemon ends at 1.41" in finding.message


def test_api_of_a_program_of_unknown_age() -> None:
    finding = evaluate("docker.api", DOCKER, clients("1.24", doubt="its tag tells nothing"))

    assert finding.outcome is UNKNOWN
    assert "its tag tells nothing" in finding.message


def test_api_that_every_age_speaks() -> None:
    old = replace(DOCKER, min_api="1.12")

    assert evaluate("docker.api", old, clients("1.24", doubt="x")).outcome is PASSED


def test_api_of_a_daemon_that_does_not_tell() -> None:
    assert evaluate("docker.api", replace(DOCKER, min_api=""), clients("")).outcome is UNKNOWN


def test_api_without_a_stack() -> None:
    assert evaluate("docker.api", DOCKER, unknown={DockerClients: NO_ROOT}).outcome is UNKNOWN


# docker.registry-login

SESAM = SesamUser(exists=True, uid=1500, gid=1500, home="/home/sesam")
LOGIN = Login(LOGIN_FILE, uid=1500, registries={HUB: Registry(auth=True)})


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_registry_login(mode: int) -> None:
    login = DockerLogin(replace(LOGIN, mode=mode))

    assert evaluate("docker.registry-login", login, SESAM).outcome is PASSED


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (replace(LOGIN, kind=""), f"there is no {LOGIN_FILE}"),
        (replace(LOGIN, kind="directory"), "Docker made it"),
        (replace(LOGIN, json=False), "is not JSON"),
        (replace(LOGIN, store="desktop"), "can call no helper"),
        (replace(LOGIN, registries={}), "holds no login"),
        (replace(LOGIN, uid=0), "belongs to user 0, not to sesam"),
        (replace(LOGIN, mode=0o640), "has mode 0640, mode 0600 is required"),
        (replace(LOGIN, mode=0o604), "has mode 0604"),
    ],
)
def test_registry_login_that_will_not_do(login: Login, words: str) -> None:
    finding = evaluate("docker.registry-login", DockerLogin(login), SESAM)

    assert finding.outcome is FAILED
    assert words in finding.message


def test_registry_login_in_another_home() -> None:
    user = replace(SESAM, home="/opt/sesam")

    finding = evaluate("docker.registry-login", DockerLogin(LOGIN), user)

    assert finding.outcome is FAILED
    assert "the home of sesam is /opt/sesam" in finding.message


def test_registry_login_without_its_owner() -> None:
    user = SesamUser(exists=False)

    assert evaluate("docker.registry-login", DockerLogin(LOGIN), user).outcome is UNKNOWN


def test_registry_login_that_may_not_be_read() -> None:
    finding = evaluate("docker.registry-login", SESAM, unknown={DockerLogin: NO_ROOT})

    assert finding.outcome is UNKNOWN


def test_registry_login_of_others_is_told() -> None:
    root = Login(ROOT_CONFIG, registries={HUB: Registry(auth=True)})

    finding = evaluate("docker.registry-login", DockerLogin(LOGIN, (root,)), SESAM)

    assert finding.notes == (f"{ROOT_CONFIG}, which docker compose may use, holds a login too",)


# docker.registry-access


def access(private: PullAnswer | Unknown, tag: str = "weekly-prod") -> Finding:
    pulled = private if isinstance(private, Unknown) else Pulled(private, PUBLIC.bundle)
    return evaluate("docker.registry-access", Rehearsal(Unknown("not asked"), pulled, tag))


def test_registry_access() -> None:
    finding = access(pulls.manifest(), "nightly")

    assert finding.outcome is PASSED
    assert "sesam/sesam-node:nightly" in finding.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (pulls.login(401), "refuses the name or password of the login (HTTP 401)"),
        (pulls.login(403), "refuses the name or password of the login (HTTP 403)"),
        (pulls.manifest(401), "which may not read sesam/sesam-node:weekly-prod (HTTP 401)"),
        (pulls.manifest(403), "which may not read sesam/sesam-node:weekly-prod (HTTP 403)"),
        (pulls.manifest(404), "no such tag, or no right to see it"),
    ],
)
def test_registry_access_refused(answer: PullAnswer, said: str) -> None:
    finding = access(answer)

    assert finding.outcome is FAILED
    assert said in finding.message


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (pulls.manifest(429), "registry-1.docker.io limits this address or login (HTTP 429)"),
        (pulls.login(429), "auth.docker.io limits"),
        (pulls.manifest(503), "try again later"),
        (pulls.manifest(204), "decides nothing"),
        (pulls.login(200), "decides nothing"),
        (pulls.stopped(pulls.REGISTRY, "tcp", "TIMEOUT"), "(outbound.docker)"),
        (pulls.stopped(pulls.AUTH, "tls", "ECONNRESET"), "(outbound.docker)"),
        (PullAnswer(error="EACCES"), "needs root: /home/sesam/.docker/config.json"),
        (PullAnswer(error="ENOKEY"), "holds no login"),
        (PullAnswer(error="ENOENT"), "config.json: ENOENT"),
        (PullAnswer(error="UNSUPPORTED"), "Python 3.6"),
        (Unknown("SESAM_NODE_IMAGE_TAG is '?', no tag"), "no tag"),
    ],
)
def test_registry_access_that_nobody_can_tell(answer: PullAnswer | Unknown, said: str) -> None:
    finding = access(answer)

    assert finding.outcome is UNKNOWN
    assert said in finding.message


def test_registry_access_waits_for_the_login_and_the_way_to_the_hub() -> None:
    needs = catalogue()["docker.registry-access"].needs
    assert needs == ("docker.registry-login", "outbound.docker")


# docker.storage


@pytest.mark.parametrize(("free", "outcome"), [(20 * 10**9, PASSED), (20 * 10**9 - 1, FAILED)])
def test_storage(free: int, outcome: Outcome) -> None:
    rooms = (Room("/var/lib/docker", Size(10**12)), Room("/var/lib/containerd", Size(free)))

    assert evaluate("docker.storage", DockerStorage(rooms)).outcome is outcome


def test_storage_names_the_short_root() -> None:
    rooms = (Room("/var/lib/docker", Size(10**12)), Room("/var/lib/containerd", Size(10**9)))

    finding = evaluate("docker.storage", DockerStorage(rooms))

    assert finding.message == "1 GB free at /var/lib/containerd, 20 GB required"


def test_storage_that_was_not_measured() -> None:
    assert evaluate("docker.storage", unknown={DockerStorage: NO_ROOT}).outcome is UNKNOWN


# docker.proxy


@pytest.mark.parametrize("url", [PROXY, "proxy.example:3128", "http://PROXY.example:3128/"])
def test_proxy(url: str) -> None:
    engine = replace(DOCKER, https_proxy=url, no_proxy="localhost,sesam-node")

    assert evaluate("docker.proxy", engine, ProxySources(()), profile=BEHIND).outcome is PASSED


@pytest.mark.parametrize(
    ("engine", "files", "words"),
    [
        (DOCKER, (), "the daemon uses no HTTPS proxy"),
        (DOCKER, ("/etc/docker/daemon.json",), "sets one: restart it"),
        (replace(DOCKER, https_proxy="http://other:3128"), (), "the daemon uses http://other:3128"),
        (
            replace(DOCKER, https_proxy="http://proxy.example:8080"),
            (),
            "required: proxy.example:3128",
        ),
        (
            replace(DOCKER, https_proxy=PROXY, no_proxy=".docker.io"),
            (),
            "bypass the proxy for registry-1",
        ),
    ],
)
def test_proxy_that_is_not_used(engine: Engine, files: tuple[str, ...], words: str) -> None:
    finding = evaluate("docker.proxy", engine, ProxySources(files), profile=BEHIND)

    assert finding.outcome is FAILED
    assert words in finding.message


def test_proxy_says_where_it_is_set() -> None:
    engine = replace(DOCKER, https_proxy=PROXY)

    finding = evaluate("docker.proxy", engine, ProxySources(("/etc/x",)), profile=BEHIND)

    assert finding.notes == ("a proxy is set in /etc/x",)


@pytest.mark.parametrize("name", ["docker.proxy", "docker.container-proxy"])
def test_no_proxy_in_this_deployment(name: str) -> None:
    finding = evaluate(name)

    assert finding.outcome is NOT_APPLICABLE
    assert finding.message == "this deployment has no proxy"


def test_proxy_of_a_daemon_that_may_not_be_asked() -> None:
    finding = evaluate("docker.proxy", ProxySources(()), profile=BEHIND, unknown={Engine: NO_ROOT})

    assert finding.outcome is UNKNOWN


# docker.container-proxy

ALL = "localhost,watchtower,traefik,sesam-node,fluentbit"


def test_container_proxy() -> None:
    containers = ContainerProxy((Setting(LOGIN_FILE, PROXY, ALL),))

    finding = evaluate("docker.container-proxy", containers, profile=BEHIND)

    assert finding.outcome is PASSED
    assert LOGIN_FILE in finding.notes[0]


def test_container_proxy_of_the_stack_itself() -> None:
    services = {"node": Setting("service node", PROXY, "node")}

    finding = evaluate("docker.container-proxy", ContainerProxy((), services), profile=BEHIND)

    assert finding.outcome is PASSED


@pytest.mark.parametrize(
    ("clients_", "words"),
    [
        ((), "watchtower would get no proxy"),
        ((Setting(LOGIN_FILE),), "watchtower would get no proxy"),
        (
            (Setting(LOGIN_FILE, "http://other:1", ALL),),
            f"would get http://other:1 from {LOGIN_FILE}",
        ),
        ((Setting(LOGIN_FILE, PROXY, "traefik"),), "lacks watchtower, sesam-node, fluentbit"),
    ],
)
def test_container_proxy_that_will_not_do(clients_: tuple[Setting, ...], words: str) -> None:
    finding = evaluate("docker.container-proxy", ContainerProxy(clients_), profile=BEHIND)

    assert finding.outcome is FAILED
    assert words in finding.message


def test_container_proxy_where_roots_may_not_be_read() -> None:
    hidden = ContainerProxy((), unread=(ROOT_CONFIG,))

    finding = evaluate("docker.container-proxy", hidden, profile=BEHIND)

    assert finding.outcome is UNKNOWN
    assert finding.message.startswith("needs root: ")


# docker.subnets


@pytest.mark.parametrize(
    ("network", "outcome"), [("172.18.255.0/24", FAILED), ("172.16.255.0/24", PASSED)]
)
def test_subnets(network: str, outcome: Outcome) -> None:
    subnets = Subnets((Place("the clients", network),), {"sesam": ("172.18.0.0/16",)})

    assert evaluate("docker.subnets", subnets).outcome is outcome


def test_subnets_name_what_is_covered() -> None:
    subnets = Subnets((Place("the clients", "172.18.0.0/24"),), {"sesam": ("172.18.0.0/16",)})

    assert evaluate("docker.subnets", subnets).message == (
        "Docker's network sesam (172.18.0.0/16) covers the clients"
    )


def test_subnets_that_were_not_read() -> None:
    assert evaluate("docker.subnets", unknown={Subnets: NO_ROOT}).outcome is UNKNOWN


# docker.mtu


def routes(mtu: int) -> Routes:
    return Routes((Route("0.0.0.0/0", "eth0", on_link=False),), {"eth0": mtu})


@pytest.mark.parametrize(("mtu", "outcome"), [(1500, PASSED), (9000, PASSED), (1499, FAILED)])
def test_mtu(mtu: int, outcome: Outcome) -> None:
    networks = Networks((Network("sesam"), Network("host", driver="host", mtu=65536)))

    assert evaluate("docker.mtu", networks, routes(mtu)).outcome is outcome


def test_mtu_names_the_large_networks() -> None:
    networks = Networks((Network("sesam"), Network("fine", mtu=1400)))

    finding = evaluate("docker.mtu", networks, routes(1460))

    assert finding.message == "sesam (1500) may send larger packets than the 1460 bytes of eth0"


@pytest.mark.parametrize("unclear", [Routes(()), replace(routes(1500), mtus={})])
def test_mtu_of_no_device(unclear: Routes) -> None:
    assert evaluate("docker.mtu", Networks(), unclear).outcome is UNKNOWN


# docker.selinux


@pytest.mark.parametrize(
    ("selinux", "outcome"),
    [
        (SELinux("enforcing", labels=False), PASSED),
        (SELinux("permissive", labels=True), PASSED),
        (SELinux("permissive", NO_ROOT), PASSED),
        (SELinux("enforcing", labels=True), FAILED),
        (SELinux("enforcing", NO_ROOT), UNKNOWN),
        (SELinux("disabled", labels=False), NOT_APPLICABLE),
    ],
)
def test_selinux(selinux: SELinux, outcome: Outcome) -> None:
    assert evaluate("docker.selinux", selinux).outcome is outcome


# docker.conflicts


@pytest.mark.parametrize(
    "container",
    [
        Container("traefik", "traefik:v3", project="data"),
        Container("sesam-node", "sesam/sesam-node:weekly", directory="/srv/data"),
        Container("database", "postgres:17", project="shop"),
        Container("db", "postgres:17", project="data", directory="/opt/data", service="db"),
        Container("adapter", "sesam/some-microservice:1", networks=("microservices",)),
    ],
)
def test_conflicts_with_nobody(container: Container) -> None:
    assert evaluate("docker.conflicts", Containers((container,))).outcome is PASSED


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (
            Container("traefik", "traefik:v2", "exited", project="web"),
            "traefik (traefik:v2, exited) has a name that the stack needs",
        ),
        (Container("sesam", "sesam/sesam-node:1"), "is of an older installation of Sesam"),
        (Container("data_x_1", "x", project="data", compose="1.29.2"), "was left by compose v1"),
        (Container("old", "sesam/other", compose="1.25.0"), "was left by compose v1"),
        (
            Container("data-traefik-1", "x", project="data", directory="/opt", service="traefik"),
            "is of another project that is called data too",
        ),
    ],
)
def test_conflicts(container: Container, words: str) -> None:
    finding = evaluate("docker.conflicts", Containers((container,)))

    assert finding.outcome is FAILED
    assert words in finding.message


def test_conflicts_are_told_together() -> None:
    both = Containers((Container("traefik", "x"), Container("sesam", "sesam/sesam-node")))

    assert evaluate("docker.conflicts", both).message.count(";") == 1


def test_what_an_apply_put_to_rest_is_in_nobody_s_way() -> None:
    kept = Container("sesam-audit-kept-sesam-node", "sesam/sesam-node:weekly-prod", "exited")

    finding = evaluate("docker.conflicts", Containers((kept,)))

    assert finding.outcome is PASSED
    assert "sesam-audit finish removes it" in finding.notes[0]


def test_a_kept_container_that_runs_again_is_in_the_way() -> None:
    risen = Container("sesam-audit-kept-sesam-node", "sesam/sesam-node:weekly-prod", "running")

    assert evaluate("docker.conflicts", Containers((risen,))).outcome is FAILED


def test_conflicts_leave_others_v1_stacks_alone() -> None:
    shop = Container("shop_web_1", "nginx", project="shop", compose="1.29.2")

    finding = evaluate("docker.conflicts", Containers((shop,)))

    assert finding.outcome is PASSED
    assert "compose 1.29.2" in finding.notes[0]


def test_conflicts_that_were_not_looked_for() -> None:
    assert evaluate("docker.conflicts", unknown={Containers: NO_ROOT}).outcome is UNKNOWN
