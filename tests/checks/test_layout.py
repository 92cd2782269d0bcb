"""The layout checks; what the facts find wrong is tested with the facts."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import CertificatesAnswer, PrivateKeyAnswer, StatAnswer, WalkAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser, UserIdOwner
from sesam_audit.facts.bind_sources import BindSource, BindSources
from sesam_audit.facts.boot_mount import BootMount
from sesam_audit.facts.certificates import CertificateFiles, CertificatePair
from sesam_audit.facts.data_directory import DataDirectory, Place
from sesam_audit.facts.data_link import StrayLink
from sesam_audit.facts.data_mount import DataMount
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.directories import AcmeFile, Directories
from sesam_audit.facts.fstab import BootEntry
from sesam_audit.facts.mounts import Mount
from sesam_audit.facts.networks import Network, Networks
from sesam_audit.facts.ownership import Ownership
from sesam_audit.facts.shell_variables import ShellVariables
from sesam_audit.facts.stack import BindMount, Rendering, Service, Stack
from sesam_audit.facts.stack_files import StackFiles
from sesam_audit.facts.traefik import TraefikConfig
from sesam_audit.level import Outcome, Stage
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile
from sesam_audit.requirement import Requirement, catalogue
from sesam_audit.testing import evaluate
from sesam_audit.wanted import NODE, STORE
from tests.facts.certificate_maker import Made, make
from tests.facts.sesam_host import DOMAIN, VALUES

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NOT_APPLICABLE = Outcome.NOT_APPLICABLE
DENIED = Unknown("needs root: it is not readable", "sudo ls")
ROOT_DISK = Profile(data="rootdisk")
SELF_SIGNED = Profile(certificates="self-signed")


def place(path: str, kind: str = "directory", inode: int = 1, **more: Any) -> Place:
    return Place(path, kind, path, kind, (8, inode), **more)


GONE = Place("/x", error="ENOENT")
CLOSED = Place("/x", error="EACCES")
STORED = place(STORE)
LINKED = Place(NODE, "link", STORE, "directory", (8, 1))


LAYOUT = [item for item in catalogue().values() if item.category == "layout"]


@pytest.mark.parametrize("item", LAYOUT, ids=lambda item: item.id)
def test_an_unknown_fact_leaves_it_unknown(item: Requirement) -> None:
    off = item.when and item.when(Profile())
    profile = SELF_SIGNED if off else Profile()
    facts: dict[type, Exception] = dict.fromkeys(item.facts(), DENIED)

    assert evaluate(item.id, profile=profile, unknown=facts).outcome is UNKNOWN


def sesam(**changes: Any) -> SesamUser:
    good = {"uid": 1001, "gid": 1001, "own_group": 1001, "home": "/home/sesam", "group": "sesam"}
    return SesamUser(**{"exists": True, **good, **changes})


def test_user() -> None:
    assert evaluate("layout.user", sesam()).outcome is PASSED


@pytest.mark.parametrize(
    ("user", "message"),
    [
        (SesamUser(exists=False), "there is no user sesam"),
        (sesam(own_group=None), "there is no group sesam"),
        (sesam(gid=100, group="users"), "the group of user sesam is users, not sesam"),
        (sesam(gid=1002, own_group=1002), "user sesam has the number 1001, group sesam has 1002"),
        (sesam(home="/var/lib/sesam"), "the home of sesam is /var/lib/sesam, not /home/sesam"),
    ],
)
def test_user_fails(user: SesamUser, message: str) -> None:
    finding = evaluate("layout.user", user)

    assert (finding.outcome, finding.message) == (FAILED, message)


def test_user_is_judged_on_an_image() -> None:
    assert evaluate("layout.user", sesam(), stage=Stage.IMAGE).outcome is PASSED


@pytest.mark.parametrize(
    ("places", "outcome"),
    [
        ((STORED, place("/sesam/node-00")), PASSED),
        ((STORED, GONE), FAILED),
        ((STORED, CLOSED), UNKNOWN),
        ((CLOSED, GONE), FAILED),
    ],
)
def test_directories(places: tuple[Place, ...], outcome: Outcome) -> None:
    assert evaluate("layout.directories", Directories(places)).outcome is outcome


def data(**changes: Any) -> DataDirectory:
    good = {"path": STORE, "node": LINKED, "store": STORED, "bound": STORED, "licenses": (STORE,)}
    return DataDirectory(**{**good, **changes})


ON_ROOT = data(path=NODE, node=place(NODE), store=GONE, bound=place(NODE), licenses=(NODE,))


@pytest.mark.parametrize(
    ("found", "profile", "outcome"),
    [
        (data(), Profile(), PASSED),
        (data(node=place(NODE, inode=2)), Profile(), FAILED),
        (data(node=CLOSED), Profile(), UNKNOWN),
        (ON_ROOT, ROOT_DISK, PASSED),
        (data(), ROOT_DISK, FAILED),
    ],
)
def test_data_link(found: DataDirectory, profile: Profile, outcome: Outcome) -> None:
    assert evaluate("layout.data-link", found, profile=profile).outcome is outcome


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        (GONE, PASSED),
        (place(f"{STORE}/data", inode=2), PASSED),
        (Place(f"{STORE}/data", "link", STORE, "directory", (8, 1)), FAILED),
        (CLOSED, UNKNOWN),
    ],
)
def test_stray_link(inside: Place, outcome: Outcome) -> None:
    assert evaluate("layout.stray-link", StrayLink(inside, STORED)).outcome is outcome


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (data(), PASSED),
        (ON_ROOT, PASSED),
        (data(bound=place("/other", inode=5)), FAILED),
        (data(bound=None), FAILED),
        (data(licenses=(NODE,), node=place(NODE, inode=5)), FAILED),
        (data(bound=DENIED), UNKNOWN),
        (data(licenses_doubt=DENIED), UNKNOWN),
    ],
)
def test_data_path(found: DataDirectory, outcome: Outcome) -> None:
    assert evaluate("layout.data-path", found).outcome is outcome


DISK = Mount("/srv/data", "/dev/sdb1", "ext4", ("rw",), "8:17")


@pytest.mark.parametrize(
    ("mount", "outcome"),
    [
        (DISK, PASSED),
        (None, FAILED),
        (Mount("/srv/data", "tmpfs", "tmpfs"), FAILED),
        (Mount("/srv/data", "systemd-1", "autofs"), UNKNOWN),
    ],
)
def test_data_mount(mount: Mount | None, outcome: Outcome) -> None:
    assert evaluate("layout.data-mount", DataMount(mount)).outcome is outcome


def test_data_mount_says_what_is_mounted() -> None:
    assert "/dev/sdb1 (ext4)" in evaluate("layout.data-mount", DataMount(DISK)).message


def test_without_the_data_disk_nothing_below_it_is_judged() -> None:
    below = ("directories", "data-link", "stray-link", "ownership", "compose-file", "env")
    names = (*(f"layout.{each}" for each in below), "license.file", "license.permissions")

    assert all("layout.data-mount" in catalogue()[name].needs for name in names)


@pytest.mark.parametrize("name", ["data-mount", "data-mount-boot", "data-mount-order"])
def test_the_root_disk_has_no_mount(name: str) -> None:
    assert evaluate(f"layout.{name}", profile=ROOT_DISK).outcome is NOT_APPLICABLE


def entry(source: str = "UUID=1", *options: str) -> BootMount:
    return BootMount(BootEntry(source, "/srv/data", "ext4", options))


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(
    ("boot", "outcome"),
    [(entry(), PASSED), (BootMount(), FAILED), (entry("UUID=1", "noauto"), FAILED)],
)
def test_data_mount_boot(boot: BootMount, outcome: Outcome, stage: Stage) -> None:
    assert evaluate("layout.data-mount-boot", boot, stage=stage).outcome is outcome


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(
    ("boot", "outcome"),
    [(entry(), PASSED), (entry("/dev/sdb1"), FAILED), (entry("UUID=1", "nofail"), FAILED)],
)
def test_data_mount_order(boot: BootMount, outcome: Outcome, stage: Stage) -> None:
    assert evaluate("layout.data-mount-order", boot, stage=stage).outcome is outcome


@pytest.mark.parametrize(
    ("walk", "outcome"),
    [
        (WalkAnswer(entries=9, complete=True), PASSED),
        (WalkAnswer(entries=9, offenders=1, samples=("/a root:root",), complete=True), FAILED),
        (WalkAnswer(entries=9, offenders=1, complete=False), FAILED),
        (WalkAnswer(entries=9, complete=False), UNKNOWN),
        (WalkAnswer(entries=9, complete=True, unreadable=("/a",)), UNKNOWN),
    ],
)
def test_ownership(walk: WalkAnswer, outcome: Outcome) -> None:
    assert evaluate("layout.ownership", Ownership(walk)).outcome is outcome


NODE_SERVICE = Service(
    "sesam-node",
    image="sesam/sesam-node:weekly-prod",
    mounts=(BindMount(STORE, "/sesam/data"),),
    labels={
        "traefik.http.routers.sesam-node.rule": f"Host(`{DOMAIN}`)",
        "traefik.http.services.sesam-node.loadbalancer.server.port": "9042",
    },
    restart="always",
)
TRAEFIK = Service(
    "traefik",
    image="traefik:latest",
    ports=(80, 443),
    mounts=(BindMount("/srv/data/traefik", "/etc/traefik"),),
    restart="always",
)
STACK = Stack(
    {
        "sesam-node": NODE_SERVICE,
        "traefik": TRAEFIK,
        "fluentbit": Service("fluentbit", image="sesam/fluent-bit:latest", restart="always"),
        "watchtower": Service("watchtower", image="containrrr/watchtower", restart="always"),
    }
)
NAMES = ("docker-compose.yml", ".env")


@pytest.mark.parametrize(
    ("files", "outcome"),
    [
        (StackFiles(NAMES, Rendering(STACK)), PASSED),
        (StackFiles((), DENIED), FAILED),
        (StackFiles(NAMES, Rendering(None, "yaml: line 2")), FAILED),
        (StackFiles(NAMES, Rendering(Stack({}))), FAILED),
        (StackFiles(NAMES, DENIED), UNKNOWN),
        (StackFiles(DENIED, Rendering(STACK)), UNKNOWN),
    ],
)
def test_compose_file(files: StackFiles, outcome: Outcome) -> None:
    assert evaluate("layout.compose-file", files).outcome is outcome


@pytest.mark.parametrize(
    ("deployment", "outcome"),
    [
        (Deployment(VALUES), PASSED),
        (Deployment(VALUES | {"NODE_DOMAIN": "your_node_domain"}), FAILED),
        (Deployment({}, present=False), FAILED),
        (Deployment(VALUES, doubtful=("NODE_DOMAIN",)), UNKNOWN),
        (Deployment(VALUES | {"USER_ID": "1"}, doubtful=("NODE_DOMAIN",)), FAILED),
        (Deployment(VALUES, pinned={"SESAM_NODE_IMAGE_TAG": "sha256:1"}), FAILED),
        (Deployment(VALUES, pinned={"FLUENTBIT_IMAGE_TAG": "sha256:1"}), PASSED),
    ],
)
def test_env(deployment: Deployment, outcome: Outcome) -> None:
    user = sesam(uid=1000, gid=1000, own_group=1000)

    finding = evaluate("layout.env", deployment, ShellVariables(), user, UserIdOwner(""))

    assert finding.outcome is outcome


def test_a_variable_of_the_shell_is_noted() -> None:
    user = sesam(uid=1000, gid=1000, own_group=1000)
    shell = ShellVariables({"/etc/environment": {"NODE_DOMAIN": "hidden.example.org"}})
    finding = evaluate("layout.env", Deployment(VALUES), shell, user, UserIdOwner(""))

    assert finding.outcome is PASSED
    assert "/etc/environment sets NODE_DOMAIN for shells" in finding.notes[0]
    assert "hidden" not in finding.notes[0]


def source(target: str, found: Place) -> BindSources:
    return BindSources((BindSource("watchtower", BindMount(found.path, target), found),))


@pytest.mark.parametrize(
    ("sources", "outcome"),
    [
        (source("/config.json", place("/c", "file")), PASSED),
        (source("/data", GONE), PASSED),
        (source("/config.json", GONE), FAILED),
        (source("/config.json", place("/c")), FAILED),
        (source("/config.json", CLOSED), UNKNOWN),
    ],
)
def test_bind_sources(sources: BindSources, outcome: Outcome) -> None:
    assert evaluate("layout.bind-sources", sources).outcome is outcome


def networks(*others: Network) -> Networks:
    return Networks((Network("sesam"), Network("bridge"), *others))


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (networks(), "there is no network microservices"),
        (
            networks(Network("microservices", driver="overlay")),
            "the network microservices has the driver overlay, not bridge",
        ),
        (
            networks(Network("microservices", internal=True)),
            "the network microservices is internal: nothing leads outside",
        ),
        (
            networks(Network("microservices"), Network("microservices")),
            "2 networks are called microservices, and Docker cannot choose",
        ),
    ],
)
def test_networks_fail(found: Networks, message: str) -> None:
    finding = evaluate("layout.networks", found)

    assert (finding.outcome, finding.message) == (FAILED, message)


def test_networks() -> None:
    assert evaluate("layout.networks", networks(Network("microservices"))).outcome is PASSED


def certificate(own: Made, mode: int = 0o600) -> CertificateFiles:
    key = PrivateKeyAnswer(public=own.public)
    file = StatAnswer(kind="file", mode=mode)
    return CertificateFiles(
        (CertificatePair("/a.crt", "/a.key", CertificatesAnswer(pems=(own.pem,)), key, file),)
    )


GOOD = make("sesam", dns=(DOMAIN,))


@pytest.mark.parametrize(
    ("files", "outcome"),
    [
        (certificate(GOOD), PASSED),
        (certificate(GOOD, 0o644), FAILED),
        (certificate(make("sesam", dns=("other.example.org",))), FAILED),
        (certificate(make("sesam", dns=(DOMAIN,), days=-1, since=-2)), FAILED),
    ],
)
def test_certificates(files: CertificateFiles, outcome: Outcome) -> None:
    finding = evaluate(
        "layout.certificates", files, Deployment({"NODE_DOMAIN": DOMAIN}), profile=SELF_SIGNED
    )

    assert finding.outcome is outcome


def test_certificates_for_a_name_that_is_not_set() -> None:
    finding = evaluate(
        "layout.certificates", certificate(GOOD), Deployment({}), profile=SELF_SIGNED
    )

    assert finding.outcome is UNKNOWN
    assert "NODE_DOMAIN is not set (layout.env)" in finding.message


def test_a_provided_certificate_needs_its_chain() -> None:
    root = make("Lab Root", authority=True)
    profile = Profile(certificates="provided", public_roots=NamedFile("roots.pem", root.pem))
    between = make("Lab E1", root, authority=True)
    files = certificate(make("sesam", between, dns=(DOMAIN,)))
    deployment = Deployment({"NODE_DOMAIN": DOMAIN})

    finding = evaluate("layout.certificates", files, deployment, profile=profile)

    assert finding.outcome is FAILED
    assert "lacks the certificate of Lab E1" in finding.message


@pytest.mark.parametrize(("days", "outcome"), [(30.1, PASSED), (30, FAILED), (3, FAILED)])
def test_certificates_soon(days: float, outcome: Outcome) -> None:
    files = certificate(make("sesam", dns=(DOMAIN,), days=days))
    deployment = Deployment({"NODE_DOMAIN": DOMAIN})

    finding = evaluate("layout.certificates-soon", files, deployment, profile=SELF_SIGNED)

    assert finding.outcome is outcome


PAIR = {"certfile": "/etc/traefik/a.crt", "keyfile": "/etc/traefik/a.key"}
TLS = {"tls": {"certificates": [PAIR]}}
SETTINGS = {
    "entrypoints": {
        "web": {"address": ":80", "http": {"redirections": {"entrypoint": {"to": "websecure"}}}},
        "websecure": {"address": ":443"},
    },
    "providers": {"docker": {}, "file": {"filename": "/etc/traefik/traefik.yml"}},
}


@pytest.mark.parametrize(
    ("config", "outcome"),
    [
        (TraefikConfig(TRAEFIK, None, "", SETTINGS, {"/x": TLS}), PASSED),
        (TraefikConfig(TRAEFIK, None, "", SETTINGS, {"/x": {}}), FAILED),
        (TraefikConfig(TRAEFIK, None, "", {"providers": {}}, {}), FAILED),
        (TraefikConfig(TRAEFIK, None, doubts=(DENIED,)), UNKNOWN),
    ],
)
def test_traefik_config(config: TraefikConfig, outcome: Outcome) -> None:
    assert evaluate("layout.traefik-config", config, profile=SELF_SIGNED).outcome is outcome


@pytest.mark.parametrize("name", ["certificates", "certificates-soon", "traefik-config"])
def test_lets_encrypt_needs_no_files(name: str) -> None:
    assert evaluate(f"layout.{name}").outcome is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("file", "outcome"),
    [
        (StatAnswer(error="ENOENT"), PASSED),
        (StatAnswer(kind="file", mode=0o600), PASSED),
        (StatAnswer(kind="file", mode=0o604), FAILED),
        (StatAnswer(kind="file", mode=0o640), FAILED),
        (StatAnswer(error="EACCES"), UNKNOWN),
    ],
)
def test_acme_file(file: StatAnswer, outcome: Outcome) -> None:
    assert evaluate("layout.acme-file", AcmeFile(file)).outcome is outcome


def test_own_certificates_need_no_acme_file() -> None:
    assert evaluate("layout.acme-file", profile=SELF_SIGNED).outcome is NOT_APPLICABLE
