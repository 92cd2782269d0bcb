"""What checks judge and what apply makes come from one place, for every variant."""

from __future__ import annotations

from itertools import product

import pytest

from sesam_audit.profile import Profile
from sesam_audit.wanted import (
    CERTIFICATES,
    HOME,
    LETSENCRYPT,
    LOGIN_FOLDER,
    NODE,
    STORE,
    demanded,
    directories,
    link,
    store,
)

VARIANTS = [
    Profile(certificates=certificates, data=data)  # type: ignore[arg-type]
    for certificates, data in product(
        ("letsencrypt", "provided", "self-signed"), ("datadisk", "rootdisk")
    )
]


@pytest.mark.parametrize("profile", VARIANTS, ids=lambda p: f"{p.certificates}-{p.data}")
def test_apply_makes_every_directory_that_the_checks_demand(profile: Profile) -> None:
    made = [each.path for each in directories(profile)]

    assert {*demanded(profile), store(profile)} <= set(made)
    assert len(made) == len(set(made))


@pytest.mark.parametrize("profile", VARIANTS, ids=lambda p: f"{p.certificates}-{p.data}")
def test_parents_come_before_what_lies_in_them(profile: Profile) -> None:
    made = [each.path for each in directories(profile)]

    for number, path in enumerate(made):
        parent = path.rpartition("/")[0]
        assert parent in (*made[:number], "", "/srv", "/home"), path


def test_a_data_disk_has_a_link_and_the_store_behind_it() -> None:
    profile = Profile(data="datadisk")

    assert link(profile) == (NODE, STORE)
    assert NODE not in {each.path for each in directories(profile)}


def test_the_root_disk_has_the_store_in_the_place_of_the_link() -> None:
    profile = Profile(data="rootdisk")

    assert link(profile) is None
    assert store(profile) == NODE
    assert STORE not in {each.path for each in directories(profile)}


@pytest.mark.parametrize(
    ("certificates", "there", "elsewhere"),
    [("letsencrypt", LETSENCRYPT, CERTIFICATES), ("provided", CERTIFICATES, LETSENCRYPT)],
)
def test_traefik_gets_the_one_folder_of_its_variant(
    certificates: str, there: str, elsewhere: str
) -> None:
    made = {each.path for each in directories(Profile(certificates=certificates))}  # type: ignore[arg-type]

    assert there in made
    assert elsewhere not in made


def test_the_home_of_the_login_is_closed_to_others() -> None:
    modes = {each.path: each.mode for each in directories(Profile())}

    assert modes[LOGIN_FOLDER] == 0o700
    assert modes[HOME] & 0o007 == 0
