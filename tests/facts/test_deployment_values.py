"""The values of .env: what each must be, and what is said when it is not."""

from __future__ import annotations

import pytest

from sesam_audit.facts.account import SesamUser, UserIdOwner
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.deployment_values import inspect_values
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile

from .sesam_host import VALUES

SESAM = SesamUser(exists=True, uid=1000, gid=1000, own_group=1000)


def values(owner: str = "sesam", **changes: str) -> Inspection:
    return inspect_values(Deployment(VALUES | changes), SESAM, UserIdOwner(owner), Profile())


def test_real_values() -> None:
    assert values() == Inspection()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("APPLIANCE_ID", "your_appliance_id", "is still the placeholder"),
        ("SUBSCRIPTION_ID", "your_subscription_id", "is still the placeholder"),
        ("NODE_DOMAIN", "your_node_domain", "is still the placeholder"),
        ("DNS_ADMIN", "valid@email.address", "is still the placeholder"),
        ("APPLIANCE_ID", "appliance-1", "not a UUID"),
        ("APPLIANCE_ID", "", "is not set"),
        ("SUBSCRIPTION_ID", "", "is not set"),
        ("SESAM_NODE_IMAGE_TAG", "3.2.1", "not a channel"),
        ("SESAM_NODE_IMAGE_TAG", "", "is not set"),
        ("FLUENTBIT_IMAGE_TAG", "", "is not set"),
        ("USER_ID", "sesam", "not the number of a user"),
        ("DNS_ADMIN", "admin", "not an e-mail address"),
        ("NODE_DOMAIN", "https://sesam.example.org", "a scheme"),
        ("NODE_DOMAIN", "sesam.example.org:443", "a port"),
        ("NODE_DOMAIN", "sesam.example.org/api", "a path"),
        ("NODE_DOMAIN", "sesam.example.org.", "a dot at its end"),
        ("NODE_DOMAIN", '"sesam.example.org"', "quotes"),
        ("NODE_DOMAIN", "SESAM.EXAMPLE.ORG", "capital letters only"),
        ("NODE_DOMAIN", "sesam_1.example.org", "an underscore"),
        ("NODE_DOMAIN", "sesam", "not fully qualified"),
        ("NODE_DOMAIN", "10.0.0.4", "an address"),
        ("NODE_DOMAIN", "-a.example.org", "not a host name"),
        ("NODE_DOMAIN", "a..example.org", "not a host name"),
        ("NODE_DOMAIN", "sesam .example.org", "not a host name"),
        ("NODE_DOMAIN", ".".join(["a" * 63] * 4), "not a host name"),
        ("FLUENTBIT_HOST", "https://logs.sesam.cloud", "a scheme"),
    ],
)
def test_what_cannot_be(key: str, value: str, words: str) -> None:
    (problem,) = values(**{key: value}).problems

    assert problem.startswith(key)
    assert words in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("APPLIANCE_ID", "0B6A4D3E-5C1F-4A77-9F60-3F1F6F0A2C12"),
        ("SUBSCRIPTION_ID", "12345"),
        ("SESAM_NODE_IMAGE_TAG", "nightly"),
        ("TRAEFIK_DOCKER_IMAGE_TAG", "v3.6.1"),
        ("DNS_ADMIN", ""),
        ("FLUENTBIT_HOST", ""),
        ("NODE_DOMAIN", "xn--bcher-kva.example.org"),
    ],
)
def test_what_can_be(key: str, value: str) -> None:
    assert not values(**{key: value}).problems


def test_capitals_within_a_name_are_noted() -> None:
    found = values(NODE_DOMAIN="Sesam.example.org")

    assert not found.problems
    assert "capital letters" in found.notes[0]


def test_the_number_of_another_user_is_named() -> None:
    found = values("ubuntu", USER_ID="1001")

    assert found.problems == ["USER_ID is 1001, the number of ubuntu; sesam's number is 1000"]


def test_the_number_of_nobody() -> None:
    assert values("", USER_ID="7").problems == ["USER_ID is 7; sesam's number is 1000"]


def test_without_sesam_its_number_is_not_compared() -> None:
    found = inspect_values(Deployment(VALUES), SesamUser(False), UserIdOwner(""), Profile())

    assert not found.problems
    assert "no user sesam" in str(found.unknown)


def test_no_env_file() -> None:
    deployment = Deployment({}, origin="file", present=False)
    found = inspect_values(deployment, SESAM, UserIdOwner(""), Profile())

    assert found.problems == ["there is no /srv/data/.env"]


def test_a_directory_in_place_of_the_env_file() -> None:
    deployment = Deployment({"NODE_DOMAIN": ""}, directory=True)
    found = inspect_values(deployment, SESAM, UserIdOwner(""), Profile())

    assert found.problems == ["/srv/data/.env is a directory, not a file"]


def test_no_env_file_and_blanks_rendered() -> None:
    blank = Deployment({"NODE_DOMAIN": ""}, present=False, rendered=frozenset({"NODE_DOMAIN"}))
    found = inspect_values(blank, SESAM, UserIdOwner(""), Profile())

    assert "NODE_DOMAIN is not set" in found.problems


def test_a_doubtful_line_leaves_it_open() -> None:
    values = {key: value for key, value in VALUES.items() if key != "USER_ID"}
    deployment = Deployment(values, origin="file", doubtful=("USER_ID",))
    found = inspect_values(deployment, SESAM, UserIdOwner(""), Profile())

    assert not found.problems
    assert "USER_ID" in str(found.unknown)


def test_another_name_than_the_profiles_is_noted() -> None:
    profile = Profile(node_domain="other.example.org")
    found = inspect_values(Deployment(VALUES), SESAM, UserIdOwner(""), profile)

    assert found.notes == ["the profile's node_domain is other.example.org"]
