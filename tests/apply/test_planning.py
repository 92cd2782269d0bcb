"""From facts to steps: what is planned on which host, in which order, and what stops it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sesam_audit.asks import (
    Account,
    AccountAnswer,
    ComposeVersion,
    DockerApiAnswer,
    EnvFile,
    EnvFileAnswer,
    File,
    FileAnswer,
    LicenseAnswer,
    LicenseFile,
    Names,
    NamesAnswer,
    RunAnswer,
    Self,
    SelfAnswer,
    Stat,
    StatAnswer,
    Walk,
    WalkAnswer,
)
from sesam_audit.facts.deployment import KEYS
from sesam_audit.given import GivenLogin
from sesam_audit.planning import draft, unmended
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from sesam_audit.wanted import ENV_FILE, HOME, LOGIN_FILE, LOGIN_FOLDER, NODE, POINT, STORE
from tests.conftest import REPOSITORY
from tests.facts.bare import docker, said
from tests.facts.sesam_host import VALUES, document, link, rendered, there

from .sites import (
    APPLIANCE,
    GROUP,
    LICENSE,
    PASSWD,
    PROFILE,
    SHARED_PLUGIN,
    drafted,
    networks,
    of_kind,
    one,
    sesam,
    site,
)

ROOT_DISK = Profile(data="rootdisk", node_domain="node.example.org", dns_admin="it@example.org")
COMPOSE = f"{POINT}/docker-compose.yml"


def paths(made: Any, kind: str) -> list[str]:
    return [step.after["path"] for step in of_kind(made, kind)]


def test_a_bare_host_gets_everything_in_the_order_of_the_phases() -> None:
    made = drafted()
    kinds = list(dict.fromkeys(step.kind for step in made.steps))

    assert kinds == ["group", "user", "directory", "link", "file", "environment", "network"]
    assert not made.stops
    assert not made.missing


def test_each_step_names_what_it_mends() -> None:
    made = drafted()
    mended = {identifier for step in made.steps for identifier in step.mends}

    assert {
        "layout.user",
        "layout.directories",
        "layout.data-link",
        "license.file",
        "layout.compose-file",
        "layout.env",
        "layout.networks",
    } <= mended
    assert all(step.reason for step in made.steps)


def test_user_and_group_get_one_number_that_is_free_as_both() -> None:
    taken = {
        File("/etc/passwd", limit=1_048_576): FileAnswer(text=f"{PASSWD}a:x:1500:77::/:/bin/sh\n"),
        File("/etc/group", limit=1_048_576): FileAnswer(text=f"{GROUP}b:x:1501:\n"),
        Account("1502"): AccountAnswer(name="from-ldap", uid=1502),
    }
    (user,) = of_kind(drafted(taken), "user")

    assert (user.after["uid"], user.after["gid"]) == (1503, 1503)


def test_a_group_that_is_there_lends_its_number() -> None:
    made = drafted({Account("sesam"): _no_user(own_group=1700)})

    assert not of_kind(made, "group")
    assert of_kind(made, "user")[0].after["uid"] == 1700


def _no_user(own_group: int) -> AccountAnswer:
    return AccountAnswer(error="ENOENT", own_group=own_group)


def test_a_group_whose_number_a_user_has_stops() -> None:
    made = drafted({Account("sesam"): _no_user(own_group=1000)})

    assert "no number was found" in made.stops[0].words
    assert not of_kind(made, "user")


def test_an_account_with_two_numbers_is_left_and_said() -> None:
    made = drafted(sesam(1500, 1600))

    assert not of_kind(made, "user")
    assert "user sesam has the number 1500, group sesam has 1600" in made.notes[0]
    assert one(made, "/sesam").after["gid"] == 1600


def test_sesam_is_never_put_into_the_docker_group() -> None:
    made = drafted()

    assert any("group docker" in note for note in made.notes)
    assert not any("docker" in str(step.after) for step in of_kind(made, "user"))


def test_a_directory_that_is_right_is_left() -> None:
    right = {Stat("/sesam"): there(uid=1500, gid=1500, mode=0o755)}
    wrong = {Stat("/sesam/node-00"): there(uid=0, gid=0, mode=0o750)}
    made = drafted(sesam(), right, wrong)

    assert "/sesam" not in paths(made, "directory")
    assert one(made, "/sesam/node-00").after["mode"] == "0750"


def test_a_login_folder_that_others_may_enter_is_closed() -> None:
    made = drafted(sesam(), {Stat(LOGIN_FOLDER): there(uid=1500, gid=1500, mode=0o755)})

    assert one(made, LOGIN_FOLDER).after["mode"] == "0700"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_in_the_place_of_a_directory_stops(kind: str) -> None:
    made = drafted({Stat("/sesam/node-00/logs"): StatAnswer(kind=kind)})

    assert any(f"is a {kind}" in stop.words for stop in made.stops)


def test_a_home_of_somebody_else_stops() -> None:
    made = drafted({Stat(HOME): there(uid=1001, user="former", mode=0o700)})

    assert any("belongs to former" in stop.words for stop in made.stops)


def test_an_empty_directory_gives_way_to_the_link() -> None:
    made = drafted({Stat(NODE): there(inode=7), Names(NODE): NamesAnswer()})
    (step,) = of_kind(made, "link")

    assert step.after["empty_directory"] == "replace"
    assert (step.after["path"], step.after["text"], step.after["uid"]) == (NODE, STORE, 1500)


def test_a_directory_that_holds_something_stops() -> None:
    made = drafted({Stat(NODE): there(inode=7), Names(NODE): NamesAnswer(names=("lake.db",))})

    assert not of_kind(made, "link")
    assert any("holds lake.db" in stop.words for stop in made.stops)


def test_a_link_that_leads_to_the_store_stays() -> None:
    assert not of_kind(drafted({Stat(NODE): link(STORE, error="ENOENT")}), "link")
    store = {Stat(STORE): there(inode=20), Stat(NODE): link(STORE, inode=20)}
    assert not of_kind(drafted(store), "link")


def test_a_link_elsewhere_stops() -> None:
    made = drafted({Stat(NODE): link("/mnt/store", inode=3)})

    assert any("/mnt/store" in stop.words for stop in made.stops)


def test_the_root_disk_has_no_link_and_its_store_is_a_directory() -> None:
    made = drafted(profile=ROOT_DISK)

    assert not of_kind(made, "link")
    assert NODE in paths(made, "directory")
    assert one(made, f"{NODE}/license.key").secret == "license"


def test_the_stray_link_of_the_guide_is_removed() -> None:
    stray = {
        Stat(STORE): there(inode=20),
        Stat(NODE): link(STORE, inode=20),
        Stat(f"{STORE}/data"): link(STORE, inode=20),
    }
    (step,) = of_kind(drafted(stray), "stray-link")

    assert step.after == {"path": f"{STORE}/data"}


def test_secrets_are_named_and_travel_beside_the_plan() -> None:
    made = drafted()
    key = one(made, f"{STORE}/license.key")

    assert (key.secret, key.after["content"], key.after["mode"]) == ("license", None, "0600")
    assert made.secrets == {"license": LICENSE.text}
    assert LICENSE.text not in str(made)
    assert LICENSE.sha256 not in str(made)


def test_a_license_that_differs_by_line_ends_alone_stays() -> None:
    same = LicenseAnswer(
        size=90, sha256="other", problems=("crlf",), id=LICENSE.id, expires=LICENSE.expires
    )
    path = f"{STORE}/license.key"
    made = drafted({Stat(path): there("file"), LicenseFile(path): same})

    assert path not in paths(made, "file")
    assert any("line ends" in note for note in made.notes)


def test_without_a_license_its_number_is_missing() -> None:
    made = drafted(license=None)

    assert made.missing == [
        "the license (--license FILE)",
        "SUBSCRIPTION_ID (it stands in the license: --license FILE)",
    ]
    assert not of_kind(made, "environment")


def test_an_appliance_id_that_is_there_is_kept() -> None:
    env = {EnvFile(ENV_FILE, KEYS): EnvFileAnswer(values={"APPLIANCE_ID": VALUES["APPLIANCE_ID"]})}

    assert one(drafted(), ENV_FILE).after["values"]["APPLIANCE_ID"] == APPLIANCE
    assert one(drafted(env), ENV_FILE).after["values"]["APPLIANCE_ID"] == VALUES["APPLIANCE_ID"]


def _laid(value: dict[str, Any] | None = None, **more: Any) -> Any:
    """A compose file that renders, and a store where it says."""
    names = NamesAnswer(names=("docker-compose.yml", ".env"))
    return {
        **rendered(value, **more),
        Names(POINT): names,
        Stat(STORE): there(inode=20),
        Stat(NODE): link(STORE, inode=20),
    }


def test_a_compose_file_that_does_its_part_stays() -> None:
    made = drafted(_laid())

    assert COMPOSE not in paths(made, "file")
    assert any("does its part" in note for note in made.notes)


def test_it_is_written_anew_when_asked() -> None:
    assert COMPOSE in paths(drafted(_laid(), replace_stack=True), "file")


def test_values_that_are_not_set_yet_are_no_fault_of_the_compose_file() -> None:
    made = drafted(_laid(warnings=('The "NODE_DOMAIN" variable is not set.',)))

    assert COMPOSE not in paths(made, "file")


def test_a_stack_without_its_node_is_written_anew() -> None:
    broken = document()
    del broken["services"]["sesam-node"]
    step = one(drafted(_laid(broken)), COMPOSE)

    assert "no sesam-node" in step.reason


def test_a_stack_that_binds_another_store_is_written_anew() -> None:
    step = one(drafted(_laid(), profile=ROOT_DISK), COMPOSE)

    assert f"it mounts {STORE}" in step.reason


def test_a_store_that_is_bound_elsewhere_is_never_left_behind() -> None:
    """A host by the published file, which binds the data disk's path on a root disk."""
    held = {Stat(NODE): there(inode=30), Names(STORE): NamesAnswer(names=("lmdb",))}
    made = drafted(_laid(), held, profile=ROOT_DISK)

    assert COMPOSE not in paths(made, "file")
    (stop,) = (each for each in made.stops if each.words.startswith(STORE))
    assert stop.words == f"{STORE} holds lmdb, and the stack would be started on {NODE}"


def test_a_store_on_the_data_disk_is_not_left_behind_where_no_stack_tells_of_it() -> None:
    made = drafted({Names(STORE): NamesAnswer(names=("lmdb",))}, profile=ROOT_DISK)

    assert any(each.words.startswith(f"{STORE} holds lmdb") for each in made.stops)


@pytest.mark.parametrize("asked", [{}, {"replace_stack": True}])
def test_a_store_in_a_place_of_its_own_is_not_left_behind(asked: dict[str, bool]) -> None:
    value = _bound_to("bind", "/mnt/store")
    held = {
        Stat("/mnt/store"): there(inode=31),
        Names("/mnt/store"): NamesAnswer(names=("lmdb",)),
    }
    stops = drafted(_laid(value), held, **asked).stops

    assert any(each.words.startswith("/mnt/store holds lmdb") for each in stops)
    empty = {**held, Names("/mnt/store"): NamesAnswer()}
    assert not any("/mnt" in each.words for each in drafted(_laid(value), empty).stops)
    unread = {**held, Names("/mnt/store"): NamesAnswer(error="EACCES")}
    assert any("needs root" in each.words for each in drafted(_laid(value), unread).stops)


def test_the_store_itself_by_another_name_is_not_elsewhere() -> None:
    held = {Stat("/mnt/store"): there(inode=20), Names("/mnt/store"): NamesAnswer(names=("x",))}
    made = drafted(_laid(_bound_to("bind", "/mnt/store")), held, replace_stack=True)

    assert not made.stops
    assert COMPOSE in paths(made, "file")


def test_a_store_in_a_volume_is_not_left_behind() -> None:
    made = drafted(_laid(_bound_to("volume", "lake")), replace_stack=True)

    assert any("data in the volume lake" in each.words for each in made.stops)


def _bound_to(kind: str, source: str) -> dict[str, Any]:
    value = document()
    node = value["services"]["sesam-node"]
    node["volumes"] = [x for x in node["volumes"] if x["target"] != "/sesam/data"]
    node["volumes"].append({"type": kind, "source": source, "target": "/sesam/data"})
    return value


def test_a_file_that_compose_would_prefer_to_ours_stops() -> None:
    made = drafted({Names(POINT): NamesAnswer(names=("compose.yaml",))})

    assert any("before docker-compose.yml" in stop.words for stop in made.stops)


@pytest.mark.parametrize(
    ("least", "most", "told"),
    [("1.24", "1.47", ""), ("1.40", "1.51", "1.44"), ("1.45", "1.60", "1.45")],
)
def test_watchtower_is_told_the_version_that_the_daemon_takes(
    least: str, most: str, told: str
) -> None:
    version = said("/version", {"Version": "x", "MinAPIVersion": least, "ApiVersion": most})
    content = one(drafted(version), COMPOSE).after["content"]

    assert (f'DOCKER_API_VERSION: "{told}"' in content) is bool(told)


@pytest.mark.parametrize("told", [{}, {"MinAPIVersion": "1.44"}, {"ApiVersion": "1.51"}])
def test_a_daemon_that_does_not_tell_its_versions_stops_the_stacks_file(
    told: dict[str, str],
) -> None:
    made = drafted(said("/version", {"Version": "x", **told}))

    assert not [step for step in made.steps if step.after.get("path") == COMPOSE]
    assert any("which API versions it speaks" in stop.words for stop in made.stops)


def test_strangers_are_handed_over_with_what_is_passed_over() -> None:
    walk = WalkAnswer(entries=90, offenders=30, samples=("/srv/data/x root:root",), complete=True)
    (ask,) = (x for x in _asked(Walk) if x.uid == 1500)
    (step,) = of_kind(drafted({ask: walk}), "ownership")

    assert step.after["roots"] == ["/srv/data", "/sesam"]
    assert "lost+found" in step.after["names"]
    assert "/srv/data/x" in step.reason


def _asked(kind: type) -> list[Any]:
    """The questions of a kind that a bare host was asked."""
    known = site().known
    return list({ask: None for asks in known.asked.values() for ask in asks if type(ask) is kind})


def test_networks_that_are_there_stay() -> None:
    made = drafted(networks("sesam"))

    assert [step.after for step in of_kind(made, "network")] == [
        {"name": "microservices", "subnet": None}
    ]


def test_a_network_gets_addresses_of_its_own_where_dockers_choice_would_cover_others() -> None:
    profile = Profile(
        node_domain="node.example.org", dns_admin="a@b.cc", client_networks=("172.18.0.0/16",)
    )
    subnets = [step.after["subnet"] for step in of_kind(drafted(profile=profile), "network")]

    assert subnets == ["10.213.0.0/24", "10.213.1.0/24"]


def test_the_profile_names_the_networks_addresses() -> None:
    profile = Profile(network_subnets=("10.9.0.0/24", "10.9.1.0/24"))
    wanted = [step.after["subnet"] for step in of_kind(drafted(profile=profile), "network")]
    one_there = of_kind(drafted(networks("sesam"), profile=profile), "network")

    assert wanted == ["10.9.0.0/24", "10.9.1.0/24"]
    assert [step.after["subnet"] for step in one_there] == ["10.9.1.0/24"]


def test_addresses_in_use_are_not_taken_whoever_wants_it() -> None:
    subnets = ("10.9.0.0/24", "10.9.1.0/24")
    profile = Profile(network_subnets=subnets, client_networks=("10.9.1.7/32",))

    (stop,) = drafted(profile=profile).stops

    assert "10.9.1.0/24 covers the clients' network 10.9.1.7/32" in stop.words


def test_with_selinux_in_the_daemon_nothing_is_started_and_all_is_laid_out() -> None:
    enforcing = {File("/sys/fs/selinux/enforce"): FileAnswer(text="1")}
    labels = docker("20.10", SecurityOptions=["name=selinux"])

    started = drafted(enforcing, labels, start=True).stops
    laid_out = drafted(enforcing, labels)

    assert any("the stack's mounts would be refused" in stop.words for stop in started)
    assert (laid_out.stops, bool(laid_out.steps)) == ([], True)


def test_nothing_is_planned_without_root() -> None:
    made = drafted({Self(): SelfAnswer(uid=1000, user="plain")})

    assert not made.steps
    assert "as plain" in made.stops[0].words


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=ubuntu\nVERSION_ID=24.04\n", "sudo apt-get install docker-ce"),
        ("ID=rhel\nVERSION_ID=9.4\n", "linux/rhel/docker-ce.repo"),
        ('ID=rocky\nID_LIKE="rhel centos fedora"\nVERSION_ID=9.4\n', "linux/centos/"),
        ("ID=void\n", "docs.docker.com/engine/install"),
    ],
)
def test_without_docker_its_makers_steps_are_shown(release: str, command: str) -> None:
    no_docker = {
        ask: DockerApiAnswer(error="ENOENT")
        for ask in docker()
        if type(ask).__name__ == "DockerApi"
    }
    made = drafted(no_docker, {File("/etc/os-release", limit=16_384): FileAnswer(text=release)})

    assert not made.steps
    assert "Docker is not installed" in made.stops[0].words
    assert command in made.stops[0].remedy


def test_without_the_plugin_nothing_is_planned() -> None:
    made = drafted(
        {ComposeVersion(): RunAnswer(code=1, err="docker: 'compose' is not a docker command.")}
    )

    assert not made.steps
    assert made.stops[0].words == "docker compose: root has no compose plugin"
    assert "docs.docker.com/engine/install" in made.stops[0].remedy


def test_a_plugin_that_one_user_alone_has_is_none() -> None:
    made = drafted({SHARED_PLUGIN: StatAnswer(error="ENOENT")})

    assert not made.steps
    assert "only root has the compose plugin, in a home directory" in made.stops[0].words


@pytest.mark.parametrize(
    ("info", "words", "remedy"),
    [
        ({"DockerRootDir": "/var/snap/docker/x"}, "comes from a snap", "snap remove docker"),
        ({"SecurityOptions": ["name=userns"]}, "remaps users", "Take userns-remap out"),
        ({"SecurityOptions": ["name=rootless"]}, "runs rootless", "docs.docker.com"),
    ],
)
def test_a_docker_that_will_not_do_stops_everything(
    info: dict[str, Any], words: str, remedy: str
) -> None:
    made = drafted(docker("20.10", **info))

    assert not made.steps
    assert words in made.stops[0].words
    assert remedy in made.stops[0].remedy


def test_a_data_disk_that_is_not_mounted_stops_everything() -> None:
    mounts = FileAnswer(text="22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n")
    made = drafted({File("/proc/self/mountinfo", limit=262_144): mounts})

    assert not made.steps
    assert "nothing is mounted on /srv/data" in made.stops[0].words


LOGIN = GivenLogin(user="customer", password="dckr_pat")


def test_the_start_pulls_starts_and_waits() -> None:
    made = drafted(start=True, login=LOGIN)
    kinds = [step.kind for step in made.steps][-4:]

    assert kinds == ["login", "pull", "up", "wait"]
    assert "sesam/sesam-node:weekly-prod" in of_kind(made, "pull")[0].after["images"]
    assert of_kind(made, "pull")[0].after["refresh"] == of_kind(made, "pull")[0].after["images"]
    assert of_kind(made, "up")[0].after["files"] == [COMPOSE]
    assert made.secrets["registry"] == "dckr_pat"
    assert one(made, LOGIN_FILE).after["user"] == "customer"


@pytest.mark.parametrize(("settled", "window"), [(0.0, None), (5.0, 5.0)])
def test_the_profile_says_how_long_a_service_has_to_run(
    settled: float, window: float | None
) -> None:
    made = drafted(profile=replace(PROFILE, settled=settled), start=True, login=LOGIN)

    assert of_kind(made, "wait")[0].after.get("window") == window


def test_without_a_login_the_start_asks_for_one() -> None:
    assert any("--login USER" in each for each in drafted(start=True).missing)
    assert not any("--login" in each for each in drafted(start=False).missing)


def test_failed_musts_that_apply_never_mends_are_listed() -> None:
    host = site()
    left = {item.id for item in unmended(host.findings, draft(host))}

    assert "layout.data-mount-boot" in left
    assert "layout.user" not in left
    assert "docker.registry-login" not in left


def test_a_check_that_apply_mends_is_named_by_a_phase() -> None:
    plans = (REPOSITORY / "sesam_audit").glob("*_plan.py")
    named = "".join(path.read_text("utf-8") for path in plans)
    mended = {item.id for item in catalogue().values() if item.apply_mends}

    of_license = {f"license.{each}" for each in ("file", "permissions", "format", "expiry")}
    assert not {each for each in mended if f'"{each}"' not in named} - of_license


def test_certificates_of_ones_own_are_asked_for() -> None:
    profile = Profile(certificates="provided", node_domain="node.example.org")
    made = drafted(profile=profile)

    assert "the certificate (--certificate FILE --certificate-key FILE)" in made.missing
    assert paths(made, "file")[-1] == "/srv/data/traefik/traefik.yml"


def test_the_profile_is_taken_as_it_is() -> None:
    assert one(drafted(), ENV_FILE).after["values"]["NODE_DOMAIN"] == PROFILE.node_domain
