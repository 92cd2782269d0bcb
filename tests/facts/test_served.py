"""What 443 and 80 answer for NODE_DOMAIN on the host itself, and what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    CertificatesAnswer,
    Dial,
    DialAnswer,
    DockerApiAnswer,
    PrivateKeyAnswer,
    Roots,
    RootsAnswer,
    StatAnswer,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.certificates import CertificateFiles, CertificatePair
from sesam_audit.facts.containers import ASK
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.served import HEALTH, Served
from sesam_audit.facts.served_rules import api_fault, inspect_certificate, redirection_fault
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW

from .live_stack import listed
from .machine import find
from .network import PRIVATE, PUBLIC, Certificate, issue, stopped, tls

NAME = "sesam.customer.example.org"
PROFILE = Profile(node_domain=NAME)
SECURE = Dial(NAME, 443, path=HEALTH, address="127.0.0.1", seconds_limit=6.0)
PLAIN = Dial(NAME, 80, tls=False, address="127.0.0.1", seconds_limit=6.0)
LETSENCRYPT, PROVIDED = PROFILE, Profile(node_domain=NAME, certificates="provided")
SELF_SIGNED = Profile(node_domain=NAME, certificates="self-signed")


def served(secure: DialAnswer | Unknown, plain: DialAnswer | Unknown | None = None) -> Served:
    return Served(NAME, secure, plain or led(f"https://{NAME}/"), PUBLIC.bundle)


def led(location: str, status: int = 308) -> DialAnswer:
    return replace(tls(NAME), chain=(), status=status, headers={"location": location})


def own(*names: str, common: str = "", days: tuple[int, int] = (-30, 60)) -> Certificate:
    return issue(common or names[0], names=names, days=days)


# -- the question ----------------------------------------------------------------------------------


def test_both_ports_are_dialled_on_the_host_itself() -> None:
    found = find(Served, {SECURE: tls(NAME), PLAIN: led(f"https://{NAME}/")}, PROFILE)

    assert found.tls().status == 200
    assert found.redirects
    assert found.where.startswith("asked on the host itself, at 127.0.0.1")


def test_an_address_that_docker_publishes_on_is_dialled() -> None:
    ports = [{"IP": "10.1.2.3", "PublicPort": port, "Type": "tcp"} for port in (80, 443)]
    answers: dict[Ask[Any], Answer | Unknown] = {
        ASK: DockerApiAnswer(status=200, value=[listed("traefik", Ports=ports)]),
        Dial(NAME, 443, path=HEALTH, address="10.1.2.3", seconds_limit=6.0): tls(NAME),
    }

    found = find(Served, answers, PROFILE)

    assert (found.tls().status, found.place) == (200, "10.1.2.3")


def test_a_python_that_hides_the_chain_is_sent_roots() -> None:
    hidden = replace(tls(NAME), chain=tls(NAME).chain[:1], whole_chain=False)
    again = Dial(NAME, 443, path="", address="127.0.0.1", public=True)

    found = find(Served, {SECURE: hidden, again: replace(hidden, public=True)}, PROFILE)

    assert isinstance(found.secure, DialAnswer)
    assert found.secure.public is True
    assert replace(found, roots=PUBLIC.bundle).trust(NOW).trusted


def test_roots_travel_only_when_they_are_needed() -> None:
    answers: dict[Ask[Any], Answer | Unknown] = {SECURE: tls(NAME), PLAIN: led("/")}
    assert find(Served, answers, PROFILE, rounds=2).tls().status == 200
    assert isinstance(find(Served, answers, PROVIDED, rounds=3).files, Unknown)
    assert Roots.answer is RootsAnswer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Unknown("not collected"), "not collected"),
        (DialAnswer(error="UNSUPPORTED"), "no Python"),
        (DialAnswer(error="CRASH: Oops"), "Oops"),
        (stopped("tls", "TIMEOUT", "127.0.0.1"), r"did not answer in time \(tls\)"),
    ],
)
def test_what_was_not_asked_is_unknown(answer: DialAnswer | Unknown, words: str) -> None:
    with pytest.raises(Unknown, match=words):
        served(answer).tls()
    with pytest.raises(Unknown, match=words):
        served(tls(NAME), answer).http()


# -- the certificate -------------------------------------------------------------------------------


def judged(
    certificates: tuple[str, ...], profile: Profile = LETSENCRYPT, **changes: Any
) -> Inspection:
    return inspect_certificate(served(tls(NAME, certificates, **changes)), NOW, profile)


@pytest.mark.parametrize("profile", [LETSENCRYPT, PROVIDED, SELF_SIGNED])
def test_a_certificate_of_a_public_authority(profile: Profile) -> None:
    found = judged(PUBLIC.chain(NAME), profile)

    assert (found.problems, found.doubts) == ([], [])


@pytest.mark.parametrize("profile", [LETSENCRYPT, PROVIDED, SELF_SIGNED])
@pytest.mark.parametrize(
    ("certificates", "words"),
    [
        ((own("a.b.traefik.default", common="TRAEFIK DEFAULT CERT").der,), "TRAEFIK DEFAULT CERT"),
        (PUBLIC.chain("other.example.org"), f"is for other.example.org, not for {NAME}"),
        (PUBLIC.chain(NAME, days=(-60, -1)), "expired on 2026-11-21"),
        (PUBLIC.chain(NAME, days=(1, 60)), "not valid before 2026-11-23"),
    ],
)
def test_a_certificate_that_no_option_allows(
    profile: Profile, certificates: tuple[str, ...], words: str
) -> None:
    (problem,) = judged(certificates, profile).problems

    assert words in problem


@pytest.mark.parametrize(
    ("profile", "problem"),
    [
        (LETSENCRYPT, "self-signed, but the profile says letsencrypt"),
        (PROVIDED, "self-signed, but the profile says provided"),
        (SELF_SIGNED, ""),
    ],
)
def test_a_self_signed_certificate(profile: Profile, problem: str) -> None:
    found = judged((own(NAME).der,), profile)

    assert problem in " ".join(found.problems)
    assert bool(found.problems) is bool(problem)
    assert found.doubts == []


@pytest.mark.parametrize(
    ("profile", "with_root", "state"),
    [
        (LETSENCRYPT, False, "problem"),
        (LETSENCRYPT, True, "problem"),
        (PROVIDED, False, "doubt"),
        (PROVIDED, True, "note"),
        (SELF_SIGNED, False, ""),
    ],
)
def test_a_certificate_of_a_private_authority(
    profile: Profile, with_root: bool, state: str
) -> None:
    root = (PRIVATE.root.der,) if with_root else ()

    found = judged((*PRIVATE.chain(NAME), *root), profile)

    states = {"problem": found.problems, "doubt": found.doubts, "note": found.notes}
    assert {name for name, each in states.items() if each} == ({state} if state else set())


def test_a_chain_without_the_certificate_between() -> None:
    (problem,) = judged(PUBLIC.chain(NAME)[:1], LETSENCRYPT).problems

    assert "is not sent along" in problem
    assert judged(PUBLIC.chain(NAME)[:1], SELF_SIGNED).problems == []


def on_disk(certificate: str) -> CertificateFiles:
    """What the files hold, by base64 DER."""
    pem = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
    file, key = CertificatesAnswer(pems=(pem,)), PrivateKeyAnswer(public="x")
    pair = CertificatePair("/certs/node.crt", "/certs/node.key", file, key, StatAnswer(kind="file"))
    return CertificateFiles((pair,))


@pytest.mark.parametrize("profile", [PROVIDED, SELF_SIGNED])
def test_a_certificate_that_was_replaced_and_never_read(profile: Profile) -> None:
    """Traefik reads certificates at its start alone."""
    old, new = own(NAME).der, own(NAME, days=(-1, 90)).der
    shown = served(tls(NAME, (old,)))

    replaced = inspect_certificate(replace(shown, files=on_disk(new)), NOW, profile).problems
    same = inspect_certificate(replace(shown, files=on_disk(old)), NOW, profile).problems
    other = inspect_certificate(replace(shown, files=on_disk(own("a.b").der)), NOW, profile)

    assert "443 serves another certificate (SHA-256" in replaced[0]
    assert "than /certs/node.crt holds" in replaced[0]
    assert not any("another certificate" in each for each in (*same, *other.problems))


def test_a_file_that_may_not_be_read_is_a_note() -> None:
    shown = replace(served(tls(NAME, (own(NAME).der,))), files=Unknown("needs root"))

    found = inspect_certificate(shown, NOW, SELF_SIGNED)

    assert (found.problems, found.unknown) == ([], None)
    assert "cannot be told: needs root" in found.notes[-1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (stopped("tcp", "ECONNREFUSED", "127.0.0.1"), "nothing answers on port 443"),
        (stopped("tls", "TLS", "127.0.0.1", detail="wrong version number"), "does not speak TLS"),
    ],
)
def test_no_certificate_at_all(answer: DialAnswer, words: str) -> None:
    (problem,) = inspect_certificate(served(answer), NOW, PROFILE).problems

    assert words in problem


# -- the redirection -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "location", [f"https://{NAME}/", f"https://{NAME}:443/x", f"HTTPS://{NAME}"]
)
def test_a_redirection(location: str, status: int) -> None:
    assert redirection_fault(served(tls(NAME), led(location, status))) == ""


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        (led("", 404), "answers HTTP 404 in place of leading"),
        (led(f"https://{NAME}/", 200), "answers HTTP 200"),
        (led("https://other.example.org/"), "leads to https://other.example.org, not to"),
        (led(f"http://{NAME}/login"), f"leads to http://{NAME}, not to"),
        (led(f"https://{NAME}:8443/"), "8443"),
        (led("/login"), "leads to nowhere"),
        (stopped("tcp", "ECONNREFUSED", "127.0.0.1"), "does not answer (ECONNREFUSED)"),
    ],
)
def test_no_redirection(plain: DialAnswer, words: str) -> None:
    assert words in redirection_fault(served(tls(NAME), plain))


# -- the API ---------------------------------------------------------------------------------------


def health(status: int, body: str = "", kind: str = "application/json") -> Served:
    return served(tls(NAME, status=status, body=body, headers={"content-type": kind}))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, "text/plain"), (200, ""), (401, "application/json"), (403, "application/problem+json")],
)
def test_the_api_answers(status: int, kind: str) -> None:
    assert api_fault(health(status, kind=kind)) == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (health(404, "404 page not found\n", "text/plain"), "Traefik knows no way"),
        (health(404, '{"error":"x"}'), "answers HTTP 404, as the node's health does not"),
        (health(503, "no available server\n", "text/plain"), "Traefik finds no node"),
        (health(503, '{"status": "stopping"}'), 'not well (HTTP 503: {"status": "stopping"})'),
        (health(502, "Bad Gateway", "text/plain"), "Traefik does not get an answer"),
        (health(504, "Gateway Timeout", "text/plain"), "HTTP 504"),
        (health(401, "<html>", "text/html"), "answers HTTP 401"),
        (health(302), "answers HTTP 302"),
        (served(stopped("tcp", "ECONNREFUSED", "127.0.0.1")), "no HTTP answer"),
        (served(stopped("http", "HTTP", "127.0.0.1", detail="closed")), "closed"),
    ],
)
def test_the_api_does_not_answer(answer: Served, words: str) -> None:
    assert words in api_fault(answer)


def test_too_many_requests_decide_nothing() -> None:
    with pytest.raises(Unknown, match="429"):
        api_fault(health(429))
