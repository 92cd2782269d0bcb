""".env: whose value counts, and what is refused before a host is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sesam_audit.environment import GivenEnvironment, Settled, read_environment, settle
from sesam_audit.errors import UsageError
from sesam_audit.facts.deployment import KEYS
from sesam_audit.profile import Profile
from tests.facts.sesam_host import SUBSCRIPTION, VALUES

APPLIANCE = "0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c99"
WISHED = Profile(node_domain="node.example.org", dns_admin="it@example.org")


def settled(
    profile: Profile = WISHED,
    given: dict[str, str] | None = None,
    current: dict[str, str] | None = None,
    **more: Any,
) -> Settled:
    known: dict[str, Any] = {"subscription": SUBSCRIPTION, "number": 1500, "appliance": APPLIANCE}
    return settle(profile, GivenEnvironment(given or {}), current or {}, **{**known, **more})


def test_a_bare_host_gets_every_documented_value_in_the_documented_order() -> None:
    found = settled()

    assert list(found.values) == list(KEYS)
    assert found.values["USER_ID"] == "1500"
    assert found.values["SESAM_NODE_IMAGE_TAG"] == "weekly-prod"
    assert found.missing == ()


def test_what_is_there_stays() -> None:
    found = settled(Profile(), current=VALUES, number=1000)

    assert found.values == VALUES


def test_the_appliance_id_of_the_host_is_never_replaced_by_a_new_one() -> None:
    assert settled(current=VALUES).values["APPLIANCE_ID"] == VALUES["APPLIANCE_ID"]


@pytest.mark.parametrize("broken", ["your_appliance_id", "", "not-a-uuid"])
def test_a_placeholder_gives_way_to_a_new_appliance_id(broken: str) -> None:
    assert settled(current={"APPLIANCE_ID": broken}).values["APPLIANCE_ID"] == APPLIANCE


def test_the_license_and_the_account_beat_whatever_says_otherwise() -> None:
    others = {"SUBSCRIPTION_ID": "another", "USER_ID": "1000"}
    found = settled(given=others, current=others)

    assert found.values["SUBSCRIPTION_ID"] == SUBSCRIPTION
    assert found.values["USER_ID"] == "1500"


def test_given_beats_what_is_there_and_the_profile_beats_both() -> None:
    found = settled(
        Profile(node_domain="profile.example.org"),
        given={"NODE_DOMAIN": "given.example.org", "DNS_ADMIN": "given@example.org"},
        current=VALUES,
    )

    assert found.values["NODE_DOMAIN"] == "profile.example.org"
    assert found.values["DNS_ADMIN"] == "given@example.org"


def test_what_nobody_knows_is_missing() -> None:
    assert settled(Profile(), subscription="").missing == (
        "SUBSCRIPTION_ID",
        "NODE_DOMAIN",
        "DNS_ADMIN",
    )


def test_only_lets_encrypt_needs_somebody_to_write_to() -> None:
    profile = Profile(certificates="provided", node_domain="node.example.org")

    assert settled(profile).missing == ()


@pytest.mark.parametrize("domain", ["https://node.example.org", "node", "node.example.org:443"])
def test_a_name_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(UsageError, match="NODE_DOMAIN"):
        settled(Profile(node_domain=domain))


def test_a_given_file_is_split_into_documented_values_and_lines_of_others(tmp_path: Path) -> None:
    file = tmp_path / "given.env"
    file.write_bytes(
        b"# ours\r\nNODE_DOMAIN=node.example.org\r\nexport TOKEN='a b$c' # why\r\nUSER_ID = 7\r\n"
    )
    found = read_environment(file)

    assert found.values == {"NODE_DOMAIN": "node.example.org", "USER_ID": "7"}
    assert found.lines == {"TOKEN": "export TOKEN='a b$c' # why"}


@pytest.mark.parametrize("line", ["NODE_DOMAIN=$HOST", 'DNS_ADMIN="a\nb"', "DNS_ADMIN='a b'"])
def test_a_documented_value_that_only_compose_can_read_is_refused(
    tmp_path: Path, line: str
) -> None:
    file = tmp_path / "given.env"
    file.write_text(f"{line}\n")

    with pytest.raises(UsageError, match="plain text"):
        read_environment(file)


def test_values_of_other_keys_are_not_shown_in_a_traceback() -> None:
    assert "secret" not in repr(GivenEnvironment({}, {"TOKEN": "TOKEN=secret"}))
