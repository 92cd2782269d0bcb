"""From options to a request."""

from __future__ import annotations

import io
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.asking import profile_of, request_of, targets_of, way_of
from sesam_audit.audit import Audit
from sesam_audit.bootstrap import Privilege, program
from sesam_audit.errors import UsageError
from sesam_audit.host import Way
from sesam_audit.level import Level, Stage
from sesam_audit.profile import Profile, load
from sesam_audit.request import Request

PLAIN: dict[str, Any] = {
    "stage": "preflight",
    "only": (),
    "skip": (),
    "settings": (),
    "profile_file": None,
    "waiver_file": None,
    "fail_on": "must",
    "require_complete": False,
    "as_of": None,
    "sudo": None,
    "ask_sudo_password": False,
    "ssh_config": None,
    "identity": None,
    "timeout": 60.0,
    "jobs": 16,
}


def asked(profile: Profile | None = None, **options: Any) -> Request:
    return request_of({**PLAIN, **options}, profile or Profile(), Way())


def way(*, alone: bool = True, **options: Any) -> Way:
    return way_of({**PLAIN, **options}, alone=alone)


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives standard input a text, as a pipe would."""

    def give(text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))

    return give


def test_each_host_is_taken_once_in_the_order_named() -> None:
    specs = [target.spec for target in targets_of(["b", "a", "ssh://b", "ssh://b/"])]
    assert specs == ["ssh://b", "ssh://a"]


@pytest.mark.parametrize(
    ("sudo", "privilege"),
    [(None, Privilege.TRY), (True, Privilege.MUST), (False, Privilege.PLAIN)],
)
def test_sudo_is_tried_insisted_on_or_left_alone(sudo: bool | None, privilege: Privilege) -> None:
    assert way(sudo=sudo).privilege is privilege


def test_the_sudo_password_is_the_first_line_of_standard_input(standard_input: Any) -> None:
    standard_input("open sesame \nthe rest\n")
    made = way(ask_sudo_password=True)
    assert (made.privilege, made.password) == (Privilege.ASK, "open sesame ")
    assert sys.stdin.read() == "the rest\n"


def test_no_password_is_no_empty_password(standard_input: Any) -> None:
    standard_input("")
    with pytest.raises(UsageError, match="No password came") as refusal:
        way(ask_sudo_password=True)
    assert refusal.value.remedy == "Give it as a line of its own"


def test_a_password_needs_no_line_end(standard_input: Any) -> None:
    standard_input("open sesame")
    assert way(ask_sudo_password=True).password == "open sesame"


def test_a_sudo_password_of_any_bytes_goes_to_the_host_as_it_came(standard_input: Any) -> None:
    standard_input(b"caf\xe9\n")
    password = way(ask_sudo_password=True).password
    assert program("m", b"x", password).startswith(b"caf\xe9\n")


def test_a_password_that_must_be_text_and_is_none_is_not_repeated(standard_input: Any) -> None:
    standard_input(b"user:caf\xe9\n")
    with pytest.raises(UsageError, match="is not UTF-8") as refusal:
        asked(load(None, ["proxy_credentials=-"]))
    assert not set(str(refusal.value)) & {"\udce9", "é"}
    assert "e9" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_a_password_does_not_show_in_what_is_printed_of_a_way(standard_input: Any) -> None:
    standard_input("open sesame\n")
    assert "open sesame" not in repr(way(ask_sudo_password=True))


def test_nobody_is_asked_without_a_terminal(standard_input: Any) -> None:
    standard_input("")
    assert not way(alone=True).interactive


def test_the_day_is_utc() -> None:
    assert asked(as_of="2027-01-02").as_of == datetime(2027, 1, 2, tzinfo=timezone.utc)


def test_now_is_now() -> None:
    moment = asked(as_of="now").as_of
    assert moment is not None
    assert abs((datetime.now(timezone.utc) - moment).total_seconds()) < 60


def test_without_a_day_the_evidence_decides() -> None:
    assert asked().as_of is None


def test_the_deployment_can_be_asked_for_again() -> None:
    made = asked(profile_file=Path("a b.toml"), settings=("data=rootdisk",), identity=Path("key"))
    assert made.again == "--profile 'a b.toml' --identity key --set data=rootdisk"


def test_what_fails_a_host_is_a_level() -> None:
    assert asked(fail_on="should").fail_on is Level.SHOULD


def test_a_stage_that_is_not_built_says_so() -> None:
    with pytest.raises(UsageError, match="not built in this release"):
        asked(stage="image")


@pytest.mark.parametrize("stage", [Stage.PREFLIGHT, Stage.LIVE])
def test_a_stage_is_what_is_judged(stage: Stage) -> None:
    assert asked(stage=stage.value).stage is stage


def test_who_waits_wants_services_that_have_settled() -> None:
    assert profile_of({**PLAIN, "wait": 300.0}).settled == 60
    assert profile_of({**PLAIN, "wait": None}).settled == 0
    assert profile_of({**PLAIN, "wait": 300.0, "settings": ("settled=5",)}).settled == 5


def test_measuring_the_storage_is_a_setting() -> None:
    assert profile_of({**PLAIN, "measure_storage": True}).measure_storage


# -- the proxy's credentials -----------------------------------------------------------------------


def test_credentials_come_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("user:open:sesame\n")
    made = asked(load(None, [f"proxy_credentials={path}"]))
    assert made.secrets == (("proxy", "user:open:sesame"),)


def test_credentials_come_from_standard_input(standard_input: Any) -> None:
    standard_input("user:sesame\n")
    assert asked(load(None, ["proxy_credentials=-"])).secrets == (("proxy", "user:sesame"),)


def test_a_sudo_password_comes_before_the_credentials(standard_input: Any) -> None:
    standard_input("first\nuser:second\n")
    assert way(ask_sudo_password=True).password == "first"
    assert asked(load(None, ["proxy_credentials=-"])).secrets == (("proxy", "user:second"),)


@pytest.mark.parametrize("text", ["", "no colon", "user:pass\nuser:pass", "\xff\xfe"])
def test_a_file_without_credentials_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="proxy_credentials") as refusal:
        asked(load(None, [f"proxy_credentials={path}"]))
    assert "pass" not in str(refusal.value)


def test_credentials_do_not_show_in_what_is_printed_of_a_request(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("user:sesame\n")
    assert "sesame" not in repr(asked(load(None, [f"proxy_credentials={path}"])))


@pytest.mark.parametrize(("stage", "listens"), [("preflight", True), ("live", False)])
def test_nothing_takes_the_ports_of_a_stack_that_may_be_starting(stage: str, listens: bool) -> None:
    assert Audit(asked(stage=stage)).profile.listen is listens
