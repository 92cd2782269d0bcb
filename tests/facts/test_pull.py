"""What rehearsed pulls mean: how far they got, whom they met, and which image was asked for."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import (
    Answer,
    Ask,
    ComposeAnswer,
    DialAnswer,
    EnvFile,
    EnvFileAnswer,
    File,
    FileAnswer,
    Hop,
    Pull,
    PullAnswer,
)
from sesam_audit.destinations import PINNED_BLOBS, PRIVATE_IMAGE
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Answers, Evidence
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.pull import Pulled, Rehearsal, uncovered
from sesam_audit.facts.sent import sent
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW
from sesam_audit.wanted import ENV_FILE, LOGIN_FILE
from tests.facts.network import PUBLIC, chain
from tests.facts.pulls import AUTH, CDN, R2, REGISTRY, blob, blob_refused, gone, manifest, stopped
from tests.facts.sesam_host import COMPOSE, document

FIRST, SECOND = (
    Pull(each.repository, each.digest, "GET", context="daemon") for each in PINNED_BLOBS
)


def image(tag: str) -> Pull:
    return Pull("sesam/sesam-node", tag, login_file=LOGIN_FILE, context="daemon")


def pulled(answer: PullAnswer) -> Pulled:
    return Pulled(answer, PUBLIC.bundle)


def rehearsal(public: PullAnswer, private: PullAnswer | None = None) -> Rehearsal:
    return Rehearsal(pulled(public), pulled(private or manifest()))


def asked(
    answers: dict[Ask[Any], Answer], profile: Profile | None = None
) -> tuple[Rehearsal | Unknown, list[tuple[Ask[Any], ...]]]:
    """The fact found from these answers, and what was asked round by round."""
    inquiry = Inquiry((Rehearsal,), profile or Profile())
    rounds: list[tuple[Ask[Any], ...]] = []
    evidence = Evidence("x")
    while inquiry.pending and len(rounds) < 5:
        rounds.append(inquiry.pending)
        found: Answers = {
            ask: answers.get(ask, ask.answer(error="ENOENT")) for ask in inquiry.pending
        }
        evidence.answers.update(found)
        inquiry.feed(found)
    fact: Any = inquiry.finish(evidence, "too many rounds")[Rehearsal]
    return fact, rounds


def pulls(rounds: list[tuple[Ask[Any], ...]]) -> list[list[Pull]]:
    found = [[ask for ask in each if isinstance(ask, Pull)] for each in rounds]
    return [each for each in found if each]


def env(tag: str) -> dict[Ask[Any], Answer]:
    return {EnvFile(ENV_FILE, KEYS): EnvFileAnswer(values={"SESAM_NODE_IMAGE_TAG": tag})}


# -- what is asked ---------------------------------------------------------------------------------


def test_both_pulls_share_the_first_round() -> None:
    fact, rounds = asked({FIRST: blob(), image("weekly-prod"): manifest()})

    assert isinstance(fact, Rehearsal)
    assert pulls(rounds) == [[FIRST, image("weekly-prod")]]
    assert fact.tag == "weekly-prod"
    assert fact.layers(NOW).ok


def test_a_blob_that_is_gone_has_a_spare() -> None:
    fact, rounds = asked({FIRST: gone(), SECOND: blob(), image("weekly-prod"): manifest()})

    assert pulls(rounds)[1] == [SECOND]
    assert isinstance(fact, Rehearsal)
    assert fact.layers(NOW).ok


def test_a_blob_that_does_not_arrive_has_none() -> None:
    _, rounds = asked({FIRST: stopped(CDN, "tcp", "TIMEOUT"), image("weekly-prod"): manifest()})

    assert pulls(rounds) == [[FIRST, image("weekly-prod")]]


def test_another_tag_is_asked_for_too() -> None:
    fact, rounds = asked({FIRST: blob(), image("weekly-prod"): manifest(), **env("nightly")})

    assert pulls(rounds)[1] == [image("nightly")]
    assert isinstance(fact, Rehearsal)
    assert fact.tag == "nightly"
    assert isinstance(fact.private, Pulled)
    assert fact.private.answer.error == "ENOENT"


def pinned_to(digest: str) -> dict[Ask[Any], Answer]:
    value = document()
    value["services"]["sesam-node"]["image"] = f"{PRIVATE_IMAGE}@{digest}"
    return {COMPOSE: ComposeAnswer(code=0, document=value)}


def test_a_digest_is_asked_for_in_place_of_a_tag() -> None:
    digest = f"sha256:{'0' * 64}"
    fact, rounds = asked({FIRST: blob(), image("weekly-prod"): manifest(), **pinned_to(digest)})

    assert pulls(rounds)[1] == [image(digest)]
    assert isinstance(fact, Rehearsal)
    assert fact.image == f"{PRIVATE_IMAGE}@{digest}"


def test_a_digest_that_is_none_is_not_asked_for() -> None:
    fact, rounds = asked({FIRST: blob(), image("weekly-prod"): manifest(), **pinned_to("md5:1")})

    assert len(pulls(rounds)) == 1
    assert isinstance(fact, Rehearsal)
    assert "no digest" in str(fact.private)


@pytest.mark.parametrize("tag", ["a b", "../../x", "x" * 129, "?x", "é"])
def test_a_tag_that_is_none_is_not_asked_for(tag: str) -> None:
    fact, rounds = asked({FIRST: blob(), image("weekly-prod"): manifest(), **env(tag)})

    assert len(pulls(rounds)) == 1
    assert isinstance(fact, Rehearsal)
    assert isinstance(fact.private, Unknown)
    assert "no tag" in fact.private.reason
    assert fact.private.command == "sudoedit /srv/data/.env"


def test_a_pull_takes_the_daemons_way_whatever_the_profile_says() -> None:
    _, rounds = asked({}, Profile(proxy="http://proxy.example:3128"))

    assert {(ask.proxy, ask.context) for ask in pulls(rounds)[0]} == {("", "daemon")}


# -- what it means ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "error", "word"),
    [
        ("dns", "NXDOMAIN", "dns-fails"),
        ("tcp", "ECONNREFUSED", "tcp-refused"),
        ("tcp", "TIMEOUT", "tcp-timeout"),
        ("tls", "ECONNRESET", "tls-fails"),
        ("http", "TIMEOUT", "wrong-service"),
    ],
)
def test_how_far_it_got_and_where(layer: str, error: str, word: str) -> None:
    changes: dict[str, Any] = {"chain": chain(CDN), "whole_chain": True, "trusted": True}
    answer = stopped(CDN, layer, error, **(changes if layer == "http" else {}))

    verdict = rehearsal(answer).layers(NOW)

    assert verdict.word == word
    assert verdict.text.startswith(f"{CDN}: ")


def test_an_inspecting_authority_is_named() -> None:
    seen = {"chain": chain(CDN, "Example Corp Inspection"), "whole_chain": True, "trusted": False}
    verdict = rehearsal(stopped(CDN, "tls", "TLS", **seen)).layers(NOW)

    assert verdict.word == "tls-intercepted"
    assert "Example Corp Inspection" in verdict.text


def test_a_certificate_of_another_name_is_told() -> None:
    seen = {"chain": chain("blocked.example.net"), "whole_chain": True, "trusted": True}
    verdict = rehearsal(stopped(CDN, "tls", "TLS", **seen)).layers(NOW)

    assert verdict.word == "tls-name-mismatch"


def test_an_inspecting_authority_that_the_host_trusts_serves_the_daemon() -> None:
    answer = blob()
    assert answer.last is not None
    inspected = replace(answer.last, chain=chain(CDN, "Example Corp Inspection"))

    assert rehearsal(replace(answer, last=inspected)).layers(NOW).ok


@pytest.mark.parametrize(
    ("status", "word"),
    [(429, "service-trouble"), (503, "service-trouble"), (403, "service-trouble")],
)
def test_trouble_of_the_true_service(status: int, word: str) -> None:
    assert rehearsal(blob_refused(status)).layers(NOW).word == word


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (403, "text/html", "block-page"),
        (200, "text/html", "block-page"),
        (200, "", "wrong-service"),
    ],
)
def test_an_answer_that_nobody_vouches_for(status: int, kind: str, word: str) -> None:
    answer = blob_refused(status, kind)
    assert answer.last is not None
    last = replace(answer.last, chain=chain(CDN, "Example Corp Inspection"))

    assert rehearsal(replace(answer, last=last)).layers(NOW).word == word


def test_bytes_that_are_no_layer_do_not_count() -> None:
    answer = replace(blob(), sample="3c21646f")

    assert not rehearsal(answer).layers(NOW).ok


def test_a_layer_that_breaks_off_does_not_count() -> None:
    answer = replace(blob(), error="TIMEOUT", received=512, seconds=9.0)

    verdict = rehearsal(answer).layers(NOW)

    assert verdict.word == "wrong-service"
    assert "after 512 bytes" in verdict.text


def test_both_blobs_gone_is_unknown() -> None:
    with pytest.raises(Unknown, match="no longer holds"):
        rehearsal(gone()).layers(NOW)


@pytest.mark.parametrize("host", [CDN, "portal.example.net"])
def test_gone_is_the_registry_s_word_alone(host: str) -> None:
    answer = replace(gone(), steps=(*gone().steps[:-1], Hop(host, "/", 404)))

    assert not pulled(answer).gone


@pytest.mark.parametrize("code", ["", "UNAUTHORIZED"])
def test_a_404_without_the_registry_s_own_error_is_not_gone(code: str) -> None:
    assert not pulled(replace(gone(), code=code)).gone


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (PullAnswer(error="UNSUPPORTED"), "Python 3.6"),
        (PullAnswer(error="CRASH: KeyError"), "went wrong"),
        (PullAnswer(error="TIMEOUT"), "TIMEOUT"),
        (PullAnswer(), "no words"),
        (replace(stopped(CDN, "tcp", "TIMEOUT"), seconds=0.9), "only 0.9 s"),
        (stopped(CDN, "tls", "EACCES"), "needs root"),
        (PullAnswer(steps=(Hop(CDN),)), "no connection"),
    ],
)
def test_what_proves_nothing(answer: PullAnswer, said: str) -> None:
    with pytest.raises(Unknown, match=said):
        rehearsal(answer).layers(NOW)


def test_a_proxy_that_wants_a_login_is_its_own_fault() -> None:
    answer = stopped(REGISTRY, "proxy", "HTTP", proxy_status=407)

    verdict = Rehearsal(Pulled(answer, PUBLIC.bundle, "p:3128"), pulled(manifest())).layers(NOW)

    assert (verdict.word, verdict.proxy_fault) == ("proxy-needs-auth", True)


def test_every_host_is_met_once() -> None:
    assert rehearsal(blob()).met() == (REGISTRY, AUTH, CDN)


def test_hosts_of_one_pull_do_when_the_other_was_not_tried() -> None:
    assert Rehearsal(Unknown("no"), pulled(manifest())).met() == (REGISTRY, AUTH)
    with pytest.raises(Unknown, match="no"):
        Rehearsal(Unknown("no"), Unknown("neither")).met()


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        (REGISTRY, True),
        (CDN, True),
        (R2, False),
        ("docker.com.example.net", False),
        ("notdocker.com", False),
    ],
)
def test_what_the_guide_s_wildcards_hold(host: str, covered: bool) -> None:
    assert bool(uncovered([host])) is not covered


def test_the_old_layer_host_is_recognised() -> None:
    assert "June 2026" in uncovered([R2])[0]


def test_a_connection_without_a_status_shows_its_error() -> None:
    assert pulled(stopped(CDN, "tcp", "TIMEOUT")).way.endswith(f"{CDN} TIMEOUT")
    assert DialAnswer().status == 0


def test_what_was_sent_says_where_the_login_went() -> None:
    named = manifest()
    by_proxy = replace(named, last=replace(named.last or DialAnswer(), proxy="p:3128"))
    evidence = Evidence("x", answers={FIRST: blob(), image("x"): by_proxy})

    assert list(sent(evidence)) == [
        "host -> registry-1.docker.io: pull, /v2/x/y",
        "host -> auth.docker.io: pull, /token",
        "host -> registry-1.docker.io: pull, /v2/x/y",
        "host -> production.cloudfront.docker.com: pull, /data",
        "host -> registry-1.docker.io through p:3128: pull, /v2/x/y",
        "host -> auth.docker.io through p:3128: pull, /token with the login",
        "host -> registry-1.docker.io through p:3128: pull, /v2/x/y",
    ]


def test_a_name_server_that_is_silent_leaves_the_last_of_several_names_too_little_time() -> None:
    steps = (Hop("registry-1.docker.io", status=401, seconds=5.1), Hop("auth.docker.io"))
    last = DialAnswer(layer="dns", context="daemon")
    answer = PullAnswer(steps=steps, last=last, error="TIMEOUT", seconds=7.5)

    assert Pulled(answer).ended(NOW).word == "dns-fails"
    with pytest.raises(Unknown, match=r"the host's resolver did not answer .* in 2\.4 s"):
        Pulled(answer, resolving=6.5).ended(NOW)


def test_how_long_a_resolver_may_take_is_known_of_each_pull() -> None:
    text = "nameserver 10.255.255.1\nnameserver 192.0.2.53\n"
    fact, _ = asked({FIRST: blob(), File("/etc/resolv.conf"): FileAnswer(text=text)})

    assert isinstance(fact, Rehearsal)
    assert isinstance(fact.public, Pulled)
    assert fact.public.resolving == 6.5
