"""Chains against public roots: trusted, or one word why not."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest

from sesam_audit.errors import Unknown
from sesam_audit.facts.leaf import leaf
from sesam_audit.facts.trust import Bundle, judge_chain, public_roots
from sesam_audit.profile_values import NO_FILE, NamedFile
from sesam_audit.testing import NOW

from .network import DAY, PRIVATE, PUBLIC, authority, issue

NAME = "portal.sesam.io"
ROOTS = PUBLIC.bundle
CHAIN = PUBLIC.chain(NAME)


def test_chain_to_a_public_root_is_trusted() -> None:
    assert judge_chain(CHAIN, NAME, NOW, ROOTS).trusted


def test_wildcard_covers_one_label() -> None:
    chain = PUBLIC.chain("*.sesam.io")

    assert judge_chain(chain, NAME, NOW, ROOTS).trusted
    assert judge_chain(chain, "a.portal.sesam.io", NOW, ROOTS).word == "name-mismatch"


def test_address_in_the_certificate() -> None:
    assert judge_chain(PUBLIC.chain("192.0.2.7"), "192.0.2.7", NOW, ROOTS).trusted


def test_no_name_demanded() -> None:
    assert judge_chain(CHAIN, "", NOW, ROOTS).trusted


@pytest.mark.parametrize(
    ("at", "word"),
    [
        (NOW - 31 * DAY, "not-yet-valid"),
        (NOW - 30 * DAY, "trusted"),
        (NOW + 60 * DAY, "trusted"),
        (NOW + 60 * DAY + timedelta(seconds=1), "expired"),
    ],
)
def test_dates(at: datetime, word: str) -> None:
    assert judge_chain(CHAIN, NAME, at, ROOTS).word == word


def test_another_name_is_a_mismatch() -> None:
    assert judge_chain(CHAIN, "pypi.org", NOW, ROOTS).word == "name-mismatch"


def test_private_authority_is_named() -> None:
    trust = judge_chain(PRIVATE.chain(NAME), NAME, NOW, ROOTS)

    assert (trust.word, trust.issuer) == ("unknown-issuer", "Example Corp Inspection Root")


def test_private_authority_that_sends_its_root_too() -> None:
    chain = (*PRIVATE.chain(NAME), PRIVATE.root.der)

    assert judge_chain(chain, NAME, NOW, ROOTS).word == "unknown-issuer"


def test_self_signed_certificate_is_an_unknown_issuer() -> None:
    alone = issue("appliance", names=(NAME,))

    assert judge_chain((alone.der,), NAME, NOW, ROOTS).issuer == "appliance"


def test_missing_certificate_between() -> None:
    trust = judge_chain(CHAIN[:1], NAME, NOW, ROOTS)

    assert (trust.word, trust.issuer) == ("incomplete", "Test Trust Services E1")


def test_lets_encrypt_is_known_by_its_parent() -> None:
    isrg = authority("Internet Security Research Group")
    r11 = issue("R11", isrg.root, organisation="Let's Encrypt")
    chain = (issue(NAME, r11, names=(NAME,)).der,)

    assert judge_chain(chain, NAME, NOW, isrg.bundle).word == "incomplete"


def test_public_leaf_that_signs_another_proves_nothing() -> None:
    owned = issue("evil.example", PUBLIC.between, names=("evil.example",))
    forged = issue(NAME, owned, names=(NAME,))
    chain = (forged.der, owned.der, PUBLIC.between.der)

    assert not judge_chain(chain, NAME, NOW, ROOTS).trusted


def test_odd_private_roots_are_trusted_with_the_objection_noted() -> None:
    root = issue("Odd Root", plain=True)
    chain = (issue(NAME, root, names=(NAME,), plain=True).der,)

    trust = judge_chain(chain, NAME, NOW, Bundle("odd", root.pem))

    assert trust.trusted
    assert trust.doubt


@pytest.mark.parametrize("chain", [(), ("",), ("bm8gREVS",), ("\udcff",), ("%%%",)])
def test_what_is_no_certificate_is_unreadable(chain: tuple[str, ...]) -> None:
    assert judge_chain(chain, NAME, NOW, ROOTS).word == "unreadable"


def test_garbage_behind_a_good_leaf_is_unreadable() -> None:
    garbage = base64.b64encode(b"garbage").decode()

    assert judge_chain((CHAIN[0], garbage), NAME, NOW, ROOTS).word == "unreadable"


def test_without_roots_nothing_is_trusted() -> None:
    assert judge_chain(CHAIN, NAME, NOW, Bundle()).word == "unknown-issuer"


@pytest.mark.parametrize("pem", ["garbage", PUBLIC.root.pem.replace("\nMII", "\nAAA")])
def test_roots_that_are_not_understood_say_nothing_of_the_chain(pem: str) -> None:
    with pytest.raises(Unknown, match=r"the public roots of mine\.pem are not understood"):
        judge_chain(CHAIN, NAME, NOW, Bundle("mine.pem", pem))


def test_shipped_roots_are_named_and_parse() -> None:
    roots = public_roots(NO_FILE)

    assert roots.name.startswith("certifi 20")
    assert judge_chain(CHAIN, NAME, NOW, roots).word == "unknown-issuer"


def test_roots_of_the_profile_replace_the_shipped_ones() -> None:
    roots = public_roots(NamedFile("roots.pem", PUBLIC.root.pem))

    assert roots.name == "roots.pem"
    assert judge_chain(CHAIN, NAME, NOW, roots).trusted


def test_leaf_shows_what_people_compare() -> None:
    found = leaf(CHAIN[0])

    assert found is not None
    assert found.issuer == "Test Trust Services E1"
    assert found.names == (NAME,)
    assert len(found.sha256) == 64
