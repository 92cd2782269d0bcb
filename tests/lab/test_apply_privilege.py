"""Apply by people who are not root at once: sudo with a password, sudo on a terminal, no sudo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from .lab import Lab
from .root import ASKER_PASSWORD
from .test_apply import PASSWORD, Applier, applying, tree
from .test_apply_trouble import ENTRIES, Told, finished

SUDOERS = "/etc/sudoers.d/as-strict-as-can-be"
LOGIN_FILE = "/home/sesam/.docker/config.json"
ASKED = ("--ask-sudo-password",)


@pytest.fixture(scope="module")
def applier(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applier]:
    with applying(lab, "privilege", tmp_path_factory.mktemp("privilege")) as it:
        yield replace(it, settings=(*it.settings, "auditor_stands_for=internet"))


@pytest.fixture
def asker(applier: Applier) -> Iterator[Applier]:
    """Whom sudo asks for a password; what was done is taken back afterwards."""
    yield replace(applier, user="asker")
    applier("undo", "--yes")


@pytest.fixture(params=["as it is", "on a terminal, nothing remembered"])
def strict(asker: Applier, request: pytest.FixtureRequest) -> Iterator[Applier]:
    if request.param != "as it is":
        rules = "Defaults use_pty\nDefaults timestamp_timeout=0\n"
        asker.host.write(SUDOERS, rules, mode=0o440)
    yield asker
    asker.host.run(f"rm -f {SUDOERS}")


def test_both_passwords_come_on_standard_input(strict: Applier) -> None:
    words = ("--yes", "--no-start", "--format", "json", *ASKED, "--login", "sesamcustomer")
    before = tree(strict.host)
    done = strict("apply", *words, text=f"{ASKER_PASSWORD}\n{PASSWORD}\n")

    assert done.code == 0, done.errors
    assert strict.host.run(f"stat -c '%U %a' {LOGIN_FILE}").stdout == "sesam 600\n"
    for secret in (ASKER_PASSWORD, PASSWORD):
        assert secret not in done.out + done.errors
    again = strict("apply", "--plan", "--no-start", *ASKED, text=f"{ASKER_PASSWORD}\n")
    assert (again.code, "nothing to do" in again.out) == (0, True), again.out
    back = strict("undo", "--yes", *ASKED, text=f"{ASKER_PASSWORD}\n")
    assert back.code == 0, back.errors
    assert tree(strict.host) == before


def test_a_wrong_password_is_one_sentence_and_changes_nothing(strict: Applier) -> None:
    before = tree(strict.host)
    done = strict("apply", "--yes", "--no-start", *ASKED, text="not it\n")

    assert done.code == 3
    assert re.search("sudo.*password", done.errors)
    assert tree(strict.host) == before


@pytest.mark.parametrize(
    ("user", "words"), [("plain", ()), ("asker", ()), ("auditor", ("--no-sudo",))]
)
def test_without_root_it_stops_before_anything(
    applier: Applier, user: str, words: tuple[str, ...]
) -> None:
    before = tree(applier.host)
    done = replace(applier, user=user)("apply", "--yes", "--no-start", *words)

    assert done.code == 1  # something is in the way
    assert "In the way: nothing is changed before this is settled" in done.errors
    assert "--ask-sudo-password" in done.errors
    assert tree(applier.host) == before


def test_the_work_outlives_a_connection_under_sudo(strict: Applier) -> None:
    host = strict.host
    fill = f"mkdir -p /srv/data/old && cd /srv/data/old && seq {ENTRIES} | xargs touch"
    host.run(fill, timeout=120)
    process = strict.start("apply", "--yes", "--no-start", "--format", "json", *ASKED)
    try:
        assert process.stdin
        process.stdin.write(f"{ASKER_PASSWORD}\n")
        process.stdin.flush()
        told = Told(process)
        told.until("Give to sesam what others own")
        host.run("pkill -KILL -f 'sshd: asker'", check=False)

        assert told.end() == 1, told.text  # of the login that is not there
        assert "The work goes on there" in told.text
        again = strict("apply", "--plan", "--no-start", *ASKED, text=f"{ASKER_PASSWORD}\n")
        assert again.code == 0, again.out
    finally:
        process.kill()
        finished(process)
        strict("undo", "--yes", *ASKED, text=f"{ASKER_PASSWORD}\n")
        host.run("rm -rf /srv/data/old", timeout=120)
