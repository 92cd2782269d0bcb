"""Docker's client configurations."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Account,
    AccountAnswer,
    DockerConfig,
    DockerConfigAnswer,
    Registry,
    Resolved,
    Stat,
    StatAnswer,
)
from sesam_audit.facts.docker_login import HUB, ROOT_CONFIG, ClientProxies, DockerLogin, Login
from sesam_audit.wanted import LOGIN_FILE

from .bare import Given, find, unknown

LOGIN = DockerConfigAnswer(json=True, registries={HUB: Registry(auth=True)})
GOOD = Login(LOGIN_FILE, uid=1500, registries={HUB: Registry(auth=True)})


def config(
    answer: DockerConfigAnswer = LOGIN, path: str = LOGIN_FILE, stat: StatAnswer | None = None
) -> Given:
    file = stat or StatAnswer(kind="file", uid=1500, mode=0o600)
    return {DockerConfig(path): answer, Stat(path): file}


def test_a_login() -> None:
    assert find(DockerLogin, config()).updater == GOOD


def test_no_login() -> None:
    assert find(DockerLogin).updater == Login(LOGIN_FILE, kind="")


def test_a_directory_in_its_place() -> None:
    there = config(DockerConfigAnswer(error="EISDIR"), stat=StatAnswer(kind="directory"))

    assert find(DockerLogin, there).updater.kind == "directory"


def test_a_link_counts_as_what_it_leads_to() -> None:
    link = StatAnswer(
        kind="link", uid=0, mode=0o777, resolved=Resolved("/x", "file", uid=7, mode=0o644)
    )

    found = find(DockerLogin, config(stat=link)).updater

    assert (found.kind, found.uid, found.mode) == ("file", 7, 0o644)


def test_a_link_to_nothing() -> None:
    link = StatAnswer(kind="link", resolved=Resolved("/x", error="ENOENT"))

    assert find(DockerLogin, config(stat=link)).updater.kind == "dangling link"


def test_a_login_that_may_not_be_read_is_not_missing() -> None:
    assert "needs root" in unknown(DockerLogin, config(stat=StatAnswer(error="EACCES")))


def test_a_file_that_may_not_be_read() -> None:
    assert "needs root" in unknown(DockerLogin, config(DockerConfigAnswer(error="EACCES")))


def test_others_who_may_run_compose() -> None:
    mine = "/home/operator/.docker/config.json"
    me = {Account(): AccountAnswer(name="operator", home="/home/operator")}

    found = find(DockerLogin, config(), config(path=ROOT_CONFIG), config(path=mine), me)

    assert [each.path for each in found.others] == [ROOT_CONFIG, mine]


def test_roots_login_that_may_not_be_read_is_left_out() -> None:
    root = config(path=ROOT_CONFIG, stat=StatAnswer(error="EACCES"))

    assert find(DockerLogin, config(), root).others == ()


@pytest.mark.parametrize(
    ("login", "fault"),
    [
        (GOOD, ""),
        (replace(GOOD, kind=""), f"there is no {LOGIN_FILE}"),
        (replace(GOOD, kind="directory"), "Docker made it because the file was not there"),
        (replace(GOOD, kind="socket"), "is a socket, not a file"),
        (replace(GOOD, json=False), "is not JSON"),
        (replace(GOOD, store="desktop"), "lies with desktop, but the updater's container can"),
        (replace(GOOD, registries={HUB: Registry(True, "pass")}), "lies with pass"),
        (replace(GOOD, registries={"ghcr.io": Registry(auth=True)}), "is for ghcr.io, not for"),
        (replace(GOOD, registries={}), f"holds no login for {HUB}"),
        (replace(GOOD, registries={HUB: Registry()}), f"holds no login for {HUB}"),
    ],
)
def test_why_the_updater_is_not_logged_in(login: Login, fault: str) -> None:
    assert fault in login.fault
    assert bool(fault) == bool(login.fault)


def test_proxies_of_every_client() -> None:
    proxies = {"httpsProxy": "http://proxy:3128"}
    mine = config(DockerConfigAnswer(json=True, proxies=proxies))
    root = config(path=ROOT_CONFIG, stat=StatAnswer(error="EACCES"))

    found = find(ClientProxies, mine, root)

    assert [each.proxies for each in found.logins] == [proxies]
    assert found.unread == (ROOT_CONFIG,)
