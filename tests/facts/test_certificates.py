"""The certificates that Traefik's configuration names."""

from __future__ import annotations

import pytest

from sesam_audit.asks import (
    Certificates,
    CertificatesAnswer,
    File,
    FileAnswer,
    PrivateKey,
    PrivateKeyAnswer,
    Stat,
    StatAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.certificate_rules import days_left, inspect_certificates
from sesam_audit.facts.certificates import CertificateFiles, CertificatePair
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile
from sesam_audit.profile_values import NamedFile

from .certificate_maker import NOW, Made, make
from .machine import find
from .sesam_host import DOMAIN, Answers, document, rendered, there
from .test_traefik import COMPLETE, HOST_FILE, STATIC

ROOT = make("Lab Root", authority=True)
ISSUER = make("Lab E1", ROOT, authority=True)
LEAF = make("sesam", ISSUER, dns=(DOMAIN,))
KEY = there("file", mode=0o600)


def pair(
    *chain: Made,
    key: PrivateKeyAnswer | Unknown | None = None,
    file: StatAnswer = KEY,
    name: str = "a",
) -> CertificatePair:
    pems = tuple(each.pem for each in chain)
    fitting = PrivateKeyAnswer(public=chain[0].public if chain else "")
    return CertificatePair(
        f"/{name}.crt", f"/{name}.key", CertificatesAnswer(pems=pems), key or fitting, file
    )


@pytest.fixture
def provided() -> Profile:
    """Own certificates, with the throwaway root among the public ones."""
    return Profile(certificates="provided", public_roots=NamedFile("roots.pem", ROOT.pem))


def inspect(profile: Profile, *pairs: CertificatePair) -> Inspection:
    return inspect_certificates(CertificateFiles(pairs), DOMAIN, NOW, profile)


def test_a_whole_chain(provided: Profile) -> None:
    assert inspect(provided, pair(LEAF, ISSUER)) == Inspection()


def test_a_root_at_the_end_does_no_harm(provided: Profile) -> None:
    assert inspect(provided, pair(LEAF, ISSUER, ROOT)) == Inspection()


def test_a_wildcard(provided: Profile) -> None:
    leaf = make("wild", ISSUER, dns=("*.customer.example.org",))

    assert inspect(provided, pair(leaf, ISSUER)) == Inspection()


@pytest.mark.parametrize("dns", [(), ("other.example.org",), ("*.example.org",)])
def test_another_name(dns: tuple[str, ...], provided: Profile) -> None:
    (problem,) = inspect(provided, pair(make("x", ISSUER, dns=dns), ISSUER)).problems

    assert f"no certificate is for {DOMAIN}" in problem


def test_the_common_name_does_not_count(provided: Profile) -> None:
    assert inspect(provided, pair(make(DOMAIN, ISSUER), ISSUER)).problems


@pytest.mark.parametrize(
    ("days", "since", "words"), [(-1, -9, "expired on"), (9, 1, "is not valid before")]
)
def test_outside_its_dates(days: float, since: float, words: str, provided: Profile) -> None:
    leaf = make("x", ISSUER, dns=(DOMAIN,), days=days, since=since)
    (problem,) = inspect(provided, pair(leaf, ISSUER)).problems

    assert words in problem


def test_a_certificate_above_outside_its_dates(provided: Profile) -> None:
    old = make("Lab E0", ROOT, authority=True, days=-1, since=-9)
    leaf = make("x", old, dns=(DOMAIN,))

    assert inspect(provided, pair(leaf, old)).problems == [
        "a certificate above the first in /a.crt is outside its dates"
    ]


def test_the_certificate_between_is_missing(provided: Profile) -> None:
    assert inspect(provided, pair(LEAF)).problems == [
        "/a.crt lacks the certificate of Lab E1 that signed it"
    ]


def test_a_private_root_that_is_in_the_file() -> None:
    found = inspect(Profile(certificates="provided"), pair(LEAF, ISSUER, ROOT))

    assert not found.problems
    assert "every client has to trust it" in found.notes[0]


def test_a_private_authority_that_is_not_known() -> None:
    found = inspect(Profile(certificates="provided"), pair(LEAF))

    assert not found.problems
    assert "cannot be told" in str(found.unknown)


def test_self_signed_where_provided_was_said(provided: Profile) -> None:
    alone = make("x", dns=(DOMAIN,))

    assert "is self-signed" in inspect(provided, pair(alone)).problems[0]


def test_self_signed_as_said() -> None:
    found = inspect(Profile(certificates="self-signed"), pair(make("x", dns=(DOMAIN,))))

    assert not found.problems
    assert not found.doubts


def test_the_key_of_another_certificate(provided: Profile) -> None:
    other = PrivateKeyAnswer(public=ISSUER.public)

    assert inspect(provided, pair(LEAF, ISSUER, key=other)).problems == [
        "/a.key is not the key of /a.crt"
    ]


@pytest.mark.parametrize(
    ("key", "file", "problem"),
    [
        (PrivateKeyAnswer(error="ENOENT"), StatAnswer(error="ENOENT"), "/a.key is missing"),
        (PrivateKeyAnswer(message="bad decrypt"), KEY, "holds no private key that can be read"),
        (None, there("file", mode=0o644), "has mode 0644"),
    ],
)
def test_faults_of_the_key(
    key: PrivateKeyAnswer | None, file: StatAnswer, problem: str, provided: Profile
) -> None:
    (found,) = inspect(provided, pair(LEAF, ISSUER, key=key, file=file)).problems

    assert problem in found


@pytest.mark.parametrize(
    ("key", "file", "reason"),
    [
        (PrivateKeyAnswer(error="EACCES"), KEY, "needs root"),
        (PrivateKeyAnswer(error="UNSUPPORTED", message="no openssl"), KEY, "no openssl"),
        (Unknown("no answer in time"), KEY, "no answer in time"),
        (None, StatAnswer(error="EACCES"), "needs root"),
    ],
)
def test_a_key_that_cannot_be_told(
    key: PrivateKeyAnswer | Unknown | None, file: StatAnswer, reason: str, provided: Profile
) -> None:
    found = inspect(provided, pair(LEAF, ISSUER, key=key, file=file))

    assert not found.problems
    assert reason in str(found.unknown)


def test_a_file_without_certificates(provided: Profile) -> None:
    assert "/a.crt holds no certificate that can be read" in inspect(provided, pair()).problems


@pytest.mark.parametrize(
    ("error", "problem", "reason"),
    [("ENOENT", "/a.crt is missing", ""), ("EACCES", "", "needs root")],
)
def test_no_certificate_file(error: str, problem: str, reason: str, provided: Profile) -> None:
    lost = CertificatePair(
        "/a.crt", "/a.key", CertificatesAnswer(error=error), PrivateKeyAnswer(public="x"), KEY
    )
    found = inspect(provided, lost)

    assert problem in "".join(found.problems)
    assert reason in str(found.unknown)


def test_faults_of_a_pair_for_another_name_are_notes(provided: Profile) -> None:
    old = make("x", ISSUER, dns=("old.example.org",), days=-1, since=-9)
    found = inspect(provided, pair(old, ISSUER, name="old"), pair(LEAF, ISSUER))

    assert not found.problems
    assert "not used for" in found.notes[0]


def test_days_left_by_the_one_that_ends_first() -> None:
    short = make("x", ISSUER, dns=(DOMAIN,), days=10)
    files = CertificateFiles((pair(LEAF), pair(short)))

    assert days_left(files, DOMAIN, NOW) == 10


def test_no_days_without_a_certificate_for_the_name() -> None:
    with pytest.raises(Unknown):
        days_left(CertificateFiles((pair(LEAF),)), "other.example.org", NOW)


def named(text: str) -> Answers:
    crt, key = "/srv/data/traefik/certs/sesam.crt", "/srv/data/traefik/certs/sesam.key"
    return {
        **rendered(document("provided")),
        File(HOST_FILE): FileAnswer(text=text),
        Certificates(crt): CertificatesAnswer(pems=(LEAF.pem, ISSUER.pem)),
        PrivateKey(key): PrivateKeyAnswer(public=LEAF.public),
        Stat(key): KEY,
    }


def test_from_traefiks_configuration_to_the_files_in_three_rounds(provided: Profile) -> None:
    found = find(CertificateFiles, named(COMPLETE), provided, rounds=3)

    assert [each.path for each in found.pairs] == ["/srv/data/traefik/certs/sesam.crt"]
    assert inspect_certificates(found, DOMAIN, NOW, provided) == Inspection()


def test_a_configuration_that_names_none() -> None:
    with pytest.raises(Unknown, match="names no certificate"):
        find(CertificateFiles, named(STATIC))
