"""The sesam user, and the owner of USER_ID."""

from __future__ import annotations

import pytest

from sesam_audit.asks import Account, AccountAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser, UserIdOwner

from .machine import find
from .sesam_host import env_file, on_data_disk, rendered


def test_the_account() -> None:
    found = find(SesamUser, on_data_disk())

    assert found == SesamUser(
        exists=True, uid=1000, gid=1000, own_group=1000, home="/home/sesam", group="sesam"
    )


def test_no_account() -> None:
    assert not find(SesamUser, {}).exists


def test_a_group_without_its_user() -> None:
    found = find(SesamUser, {Account("sesam"): AccountAnswer(error="ENOENT", own_group=1003)})

    assert (found.exists, found.own_group) == (False, 1003)


def test_name_services_that_fail_prove_nothing() -> None:
    with pytest.raises(Unknown):
        find(SesamUser, {Account("sesam"): AccountAnswer(error="EIO")})


def test_files_bear_the_number_of_the_group_sesam() -> None:
    assert SesamUser(exists=True, uid=7, gid=100, own_group=7).group_id == 7


def test_the_primary_group_without_a_group_sesam() -> None:
    assert SesamUser(exists=True, uid=7, gid=100).group_id == 100


def test_the_owner_of_user_id() -> None:
    ubuntu = {Account("1000"): AccountAnswer(name="ubuntu", uid=1000)}

    assert find(UserIdOwner, on_data_disk() | ubuntu).name == "ubuntu"


def test_nobody_has_user_id() -> None:
    assert find(UserIdOwner, on_data_disk()).name == ""


def test_user_id_that_is_no_number_has_no_owner() -> None:
    answers = on_data_disk() | rendered({"services": {}}) | env_file(USER_ID="sesam")

    assert find(UserIdOwner, answers).name == ""
