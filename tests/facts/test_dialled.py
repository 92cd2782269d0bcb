"""One word for every way a connection can end, and only that one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Attempt, DialAnswer
from sesam_audit.destinations import Consumer, Destination, destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts.dialled import classify
from sesam_audit.facts.scene import Dialled, Scene
from sesam_audit.profile import Profile
from sesam_audit.testing import NOW

from .network import DAY, PRIVATE, PUBLIC, chain, destination, good, stopped, tls

HUB, PORTAL, PYPI = "registry-1.docker.io", "portal.sesam.io", "pypi.org"
CDN, FILES = "production.cloudfront.docker.com", "files.pythonhosted.org"
INSPECTION = "Example Corp Inspection"
PAGE = {"content-type": "text/html"}
MISMATCH = ("tls-name-mismatch", "it shows HTTP")


def judged(name: str, answer: DialAnswer, **more: Any) -> Dialled:
    given: dict[str, Any] = {"now": NOW, "roots": PUBLIC.bundle, **more}
    return classify(Scene(answer, destination(name), **given))


@pytest.mark.parametrize("name", [each.name for each in destinations(Profile())])
def test_the_service_itself_is_ok(name: str) -> None:
    assert judged(name, good(name)).word == "ok"


def test_success_tells_the_answer_and_the_issuer() -> None:
    verdict = judged(HUB, good(HUB))

    assert verdict.text == (
        "the registry's challenge (HTTP 401), TLSv1.3 issued by Test Trust Services E1"
    )


@pytest.mark.parametrize(
    ("answer", "word", "said"),
    [
        (stopped("dns", "NXDOMAIN"), "dns-fails", "does not exist"),
        (stopped("dns", "TIMEOUT"), "dns-fails", "did not answer"),
        (stopped("dns", "SERVFAIL"), "dns-fails", "could not answer"),
        (stopped("tcp", "ECONNREFUSED", "192.0.2.7"), "tcp-refused", "reset"),
        (stopped("tcp", "EHOSTUNREACH", "192.0.2.7"), "tcp-refused", "unreachable"),
        (stopped("tcp", "TIMEOUT", "192.0.2.7"), "tcp-timeout", "vanish"),
        (stopped("tcp", "ECONNREFUSED", "127.0.0.1"), "dns-sinkhole", "127.0.0.1"),
        (stopped("tcp", "ECONNREFUSED", "0.0.0.0"), "dns-sinkhole", "nowhere"),
        (stopped("tls", "ECONNRESET", "192.0.2.7"), "tls-fails", "filter by name"),
        (stopped("tls", "TIMEOUT", "192.0.2.7"), "tls-fails", "took the connection"),
        (stopped("tls", "TLS", "192.0.2.7", detail="wrong version number"), "tls-fails", "wrong"),
    ],
)
def test_connections_that_end_on_the_way(answer: DialAnswer, word: str, said: str) -> None:
    verdict = judged(HUB, answer)

    assert verdict.word == word
    assert said in verdict.text


def timed_out(*seconds: float) -> DialAnswer:
    attempts = tuple(Attempt(address="192.0.2.7", result="TIMEOUT", seconds=x) for x in seconds)
    return DialAnswer(layer="tcp", error="TIMEOUT", addresses=("192.0.2.7",), attempts=attempts)


@pytest.mark.parametrize("context", ["", "daemon", "shell"])
@pytest.mark.parametrize("error", ["SERVFAIL", "TIMEOUT", "NXDOMAIN"])
def test_the_ways_of_the_daemon_and_of_a_shell_ask_the_hosts_resolver(
    context: str, error: str
) -> None:
    verdict = judged(HUB, replace(stopped("dns", error), context=context))

    assert verdict.text.startswith("the host's resolver")


@pytest.mark.parametrize("error", ["SERVFAIL", "TIMEOUT", "NXDOMAIN"])
def test_a_container_asks_its_own_resolver(error: str) -> None:
    verdict = judged(HUB, replace(stopped("dns", error), context="container default"))

    assert verdict.text.startswith("the container's resolver")


@pytest.mark.parametrize("proxy", ["", "proxy.example:3128"])
@pytest.mark.parametrize(
    ("context", "seconds"),
    [("", 6.4), ("daemon", 2.4), ("container sesam", 7.0)],  # a container asks twice
)
def test_silence_of_the_resolver_proves_nothing_before_every_name_server_had_its_turn(
    context: str, seconds: float, proxy: str
) -> None:
    answer = replace(stopped("dns", "TIMEOUT"), context=context, seconds=seconds)

    with pytest.raises(Unknown, match=r"resolver did not answer .* the deadline") as raised:
        judged(HUB, answer, resolving=6.5 if context != "container sesam" else 5.0, proxy=proxy)
    assert raised.value.command == "sesam-audit run ssh://THIS-HOST --set deadline=30"


@pytest.mark.parametrize(("context", "seconds"), [("", 6.6), ("container sesam", 10.1)])
def test_silence_of_the_resolver_for_long_enough_is_a_failure(context: str, seconds: float) -> None:
    answer = replace(stopped("dns", "TIMEOUT"), context=context, seconds=seconds)

    assert judged(HUB, answer, resolving=6.5 if not context else 5.0).word == "dns-fails"


def test_a_resolver_that_used_up_the_time_proves_no_timeout_of_the_connection() -> None:
    with pytest.raises(Unknown, match=r"only 0\.4 s were left of the deadline"):
        judged(HUB, timed_out(0.4))


def test_many_addresses_share_the_time() -> None:
    assert judged(HUB, timed_out(*[1.2] * 8)).word == "tcp-timeout"


def test_a_connection_alone_never_counts() -> None:
    answer = replace(stopped("tls", "TIMEOUT", "192.0.2.7"), error=None, layer="done")

    assert judged(PORTAL, answer).word == "tls-fails"


def test_tls_without_an_http_answer_is_no_service() -> None:
    answer = good(HUB, layer="http", status=0, headers=None, error="TIMEOUT")

    assert judged(HUB, answer).word == "wrong-service"


def test_certificate_of_another_name() -> None:
    verdict = judged(HUB, good(HUB, chain=chain("blocked.example.net")))

    assert verdict.word == "tls-name-mismatch"
    assert "blocked.example.net" in verdict.text


@pytest.mark.parametrize("name", [HUB, PORTAL])
def test_interception_names_the_authority(name: str) -> None:
    answer = good(name, chain=chain(name, INSPECTION), trusted=False, trust_error="self-signed")

    verdict = judged(name, answer)

    assert verdict.word == "tls-intercepted"
    assert "Example Corp Inspection Root" in verdict.text


def test_private_authority_the_host_trusts_is_fine_for_the_daemon() -> None:
    assert judged(HUB, good(HUB, chain=chain(HUB, INSPECTION))).ok


def test_private_authority_the_host_trusts_breaks_containers() -> None:
    assert judged(PORTAL, good(PORTAL, chain=chain(PORTAL, INSPECTION))).word == "tls-intercepted"


def test_public_certificate_the_hosts_store_does_not_know() -> None:
    answer = good(HUB, trusted=False, trust_error="unable to get local issuer certificate")

    verdict = judged(HUB, answer)

    assert verdict.word == "tls-fails"
    assert "ca-certificates.crt" in verdict.text


def test_authorities_that_only_root_can_read_may_be_the_daemons() -> None:
    answer = good(HUB, layer="tls", error="EACCES", detail="whether dockerd trusts /etc/docker/x")

    with pytest.raises(Unknown, match="needs root: whether dockerd trusts"):
        judged(HUB, answer)


def test_containers_do_not_mind_the_hosts_store() -> None:
    assert judged(PORTAL, good(PORTAL, trusted=False, trust_error="no issuer")).ok


def test_missing_certificate_between() -> None:
    answer = good(PORTAL, chain=chain(PORTAL)[:1], trusted=False)

    assert judged(PORTAL, answer).word == "tls-fails"


def test_certificate_that_ended() -> None:
    answer = good(PORTAL, chain=PUBLIC.chain(PORTAL, days=(-90, -1)), trusted=False)

    verdict = judged(PORTAL, answer)

    assert (verdict.word, verdict.text) == ("tls-fails", "the certificate ended on 2026-11-21")


@pytest.mark.parametrize("name", [HUB, PORTAL])
@pytest.mark.parametrize(
    ("days", "error"), [(-400, "certificate is not yet valid"), (400, "certificate has expired")]
)
def test_wrong_clock_of_the_host(name: str, days: int, error: str) -> None:
    clock = (NOW + days * DAY).timestamp()

    verdict = judged(name, good(name, trusted=False, trust_error=error, time=clock))

    assert verdict.word == "clock-skew"


def test_wrong_clock_that_no_certificate_minds() -> None:
    assert judged(PORTAL, good(PORTAL, time=(NOW + DAY).timestamp())).ok


@pytest.mark.parametrize(
    ("addresses", "shared"),
    [(("10.0.0.9",), ()), (("192.168.1.1",), ()), (("203.0.113.9",), ("203.0.113.9",))],
)
def test_sinkhole_is_an_odd_address_with_a_certificate_that_does_not_fit(
    addresses: tuple[str, ...], shared: tuple[str, ...]
) -> None:
    answer = good(HUB, chain=chain("blocked.example.net"), addresses=addresses)

    assert judged(HUB, answer, shared=frozenset(shared)).word == "dns-sinkhole"


def test_private_endpoint_with_the_true_certificate_is_ok() -> None:
    assert judged(HUB, good(HUB, addresses=("10.0.0.9",))).ok


def test_shared_address_of_a_content_network_is_ok() -> None:
    answer = good(PYPI, addresses=("151.101.0.223",))

    assert judged(PYPI, answer, shared=frozenset({"151.101.0.223"})).ok


LEADS_AWAY = {"status": 302, "headers": {"location": "http://login.example.net/?x"}}


@pytest.mark.parametrize(
    ("changes", "word", "said"),
    [
        (LEADS_AWAY, "block-page", "leads to http://login.example.net/"),
        ({"status": 511, "headers": PAGE}, "block-page", "HTTP 511 with a web page"),
        ({"status": 403, "headers": PAGE}, "block-page", "with a web page"),
        ({"status": 200, "headers": PAGE, "body": "<title>It works</title>"}, *MISMATCH),
        ({"status": 404, "headers": PAGE, "body": "<title>It works</title>"}, *MISMATCH),
        ({"status": 404, "headers": {}}, "tls-name-mismatch", "ed by"),
    ],
)
@pytest.mark.parametrize("authority", ["Test Trust Services", "login.example.net"])
def test_a_captive_portal_shows_its_own_certificate_and_leads_away(
    changes: dict[str, Any], word: str, said: str, authority: str
) -> None:
    """Publicly trusted or signed by itself."""
    shown = chain("login.example.net", authority)
    verdict = judged(PORTAL, good(PORTAL, chain=shown, trusted=False, **changes))

    assert verdict.word == word
    assert verdict.text.startswith("the certificate is for login.example.net")
    assert said in verdict.text


def test_interception_stays_interception_and_tells_the_page() -> None:
    answer = good(PORTAL, chain=chain(PORTAL, INSPECTION), status=403, headers=PAGE)
    verdict = judged(PORTAL, answer)

    assert verdict.word == "tls-intercepted"
    assert verdict.text.endswith("; it shows HTTP 403 with a web page")


@pytest.mark.parametrize(
    ("location", "word"),
    [("http://login.example.net/", "block-page"), ("https://db.example.org/", "ok"), ("", "ok")],
)
def test_without_tls_only_a_redirect_away_tells_a_portal(location: str, word: str) -> None:
    (extra,) = destinations(Profile(extra_destinations=("db.example.org:80",)))[-1:]
    answer = DialAnswer(layer="done", status=302, headers={"location": location})

    assert classify(Scene(answer, extra, NOW, PUBLIC.bundle)).word == word


def test_the_status_of_captive_portals_is_no_trouble_of_the_service() -> None:
    assert judged(HUB, good(HUB, status=511)).word == "block-page"


TROUBLE = pytest.mark.parametrize("status", [429, 500, 502, 503])


@TROUBLE
def test_trouble_of_the_service_is_no_firewall(status: int) -> None:
    assert judged(HUB, good(HUB, status=status)).word == "service-trouble"


@TROUBLE
@pytest.mark.parametrize("name", [HUB, PYPI, FILES, CDN])
def test_trouble_told_by_whoever_opens_tls_is_not_the_services(name: str, status: int) -> None:
    plain = good(name, chain=chain(name, INSPECTION), status=status, headers={})

    said, page = judged(name, plain), judged(name, replace(plain, headers=PAGE))

    assert (said.word, page.word) == ("wrong-service", "block-page")
    assert "by whoever opens TLS with certificates of 'Example Corp Inspection Root'" in said.text
    assert "Example Corp Inspection Root" in page.text


def test_trouble_with_a_sign_of_the_service_passed_the_inspection() -> None:
    headers = {"x-amz-cf-id": "x"}
    answer = good(CDN, chain=chain(CDN, INSPECTION), status=503, headers=headers)

    assert judged(CDN, answer).word == "service-trouble"


@pytest.mark.parametrize(("name", "status"), [(HUB, 503), (FILES, 404)])
def test_a_hidden_chain_does_not_tell_who_answers(name: str, status: int) -> None:
    with pytest.raises(Unknown, match="no public roots"):
        judged(name, hidden(name, status=status))

    assert judged(name, hidden(name, status=status, public=True)).word != "wrong-service"


@pytest.mark.parametrize(
    ("name", "changes", "word"),
    [
        (HUB, {"status": 200, "headers": {}}, "wrong-service"),
        (HUB, {"status": 401, "headers": {"www-authenticate": "Basic"}}, "wrong-service"),
        (HUB, {"status": 403, "headers": PAGE, "body": "<title>Blocked</title>"}, "block-page"),
        (
            HUB,
            {"status": 302, "headers": {"location": "http://login.example.net/?x"}},
            "block-page",
        ),
        (
            PORTAL,
            {"status": 302, "headers": {"location": "http://login.example.net/"}},
            "block-page",
        ),
        (PORTAL, {"status": 302, "headers": {"location": "/login"}}, "ok"),
        (PORTAL, {"status": 302, "headers": {"location": "http://[/"}}, "ok"),
        (PORTAL, {"status": 302, "headers": {"location": "https://login.sesam.io/"}}, "ok"),
        (PORTAL, {"status": 200, "headers": PAGE}, "ok"),
        ("auth.docker.io", {"status": 200, "body": "{}"}, "wrong-service"),
        ("acme-v02.api.letsencrypt.org", {"status": 200, "body": "[1]"}, "wrong-service"),
        ("acme-v02.api.letsencrypt.org", {"status": 200, "body": "[" * 9000}, "wrong-service"),
        (
            "acme-v02.api.letsencrypt.org",
            {"status": 200, "body": '{"newNonce":"https://acme.example/","meta":{}}'},
            "wrong-service",
        ),
        (PYPI, {"headers": PAGE, "body": "https://files.pythonhosted.org/pip.whl"}, "ok"),
        (PYPI, {"headers": PAGE, "body": "Blocked"}, "block-page"),
        ("pypi.python.org", {"status": 200, "headers": {}}, "wrong-service"),
        ("pypi.python.org", {"headers": {"location": "https://login.example/"}}, "block-page"),
        ("production.cloudfront.docker.com", {"status": 403, "headers": PAGE}, "ok"),
    ],
)
def test_who_answers_counts(name: str, changes: dict[str, Any], word: str) -> None:
    assert judged(name, good(name, **changes)).word == word


@pytest.mark.parametrize(
    ("name", "headers", "word"),
    [
        (CDN, PAGE, "block-page"),
        (CDN, {}, "wrong-service"),
        (CDN, {"content-type": "text/plain"}, "wrong-service"),
        (CDN, {**PAGE, "x-amz-cf-id": "x"}, "ok"),
        (CDN, {"x-amz-request-id": "x"}, "ok"),
        (FILES, {"content-type": "text/plain"}, "wrong-service"),
        (FILES, {"content-type": "text/plain", "x-served-by": "cache-1"}, "ok"),
    ],
)
def test_behind_a_trusted_private_authority_an_answer_needs_a_sign(
    name: str, headers: dict[str, str], word: str
) -> None:
    answer = good(name, chain=chain(name, INSPECTION), status=403, headers=headers)

    assert judged(name, answer).word == word


@pytest.mark.parametrize(
    ("answer", "word", "fault"),
    [
        (DialAnswer(layer="proxy", error="HTTP", proxy_status=403), "proxy-refused", False),
        (DialAnswer(layer="proxy", error="HTTP", proxy_status=407), "proxy-needs-auth", True),
        (DialAnswer(layer="proxy", error="ECONNRESET"), "proxy-refused", True),
        (DialAnswer(layer="tcp", error="ECONNREFUSED"), "tcp-refused", True),
        (DialAnswer(layer="tcp", error="TIMEOUT"), "tcp-timeout", True),
        (DialAnswer(layer="dns", error="NXDOMAIN"), "dns-fails", True),
    ],
)
def test_ways_a_proxy_fails(answer: DialAnswer, word: str, fault: bool) -> None:
    verdict = judged(HUB, answer, proxy="proxy.example:3128")

    assert (verdict.word, verdict.proxy_fault) == (word, fault)
    assert "proxy.example:3128" in verdict.text


def test_through_a_proxy_the_service_is_judged_as_ever() -> None:
    assert judged(HUB, good(HUB, addresses=(), proxy_status=200), proxy="proxy:3128").ok


@pytest.mark.parametrize("error", ["UNSUPPORTED", "CRASH: KeyError: 'x'"])
def test_a_target_that_cannot_dial_proves_nothing(error: str) -> None:
    with pytest.raises(Unknown):
        judged(HUB, DialAnswer(error=error))


def hidden(name: str, **changes: Any) -> DialAnswer:
    """As a Python before 3.10 shows it: the server's own certificate alone."""
    answer = good(name, whole_chain=False, **changes)
    return replace(answer, chain=answer.chain[:1])


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (hidden(PORTAL, public=True), "ok"),
        (hidden(PORTAL, public=False), "tls-intercepted"),
        (hidden(PORTAL, public=True, chain=chain(PYPI)), "tls-name-mismatch"),
        (hidden(PORTAL, public=False, chain=PUBLIC.chain(PORTAL, days=(-9, -1))), "tls-fails"),
    ],
)
def test_hidden_chain_is_judged_on_the_spot(answer: DialAnswer, word: str) -> None:
    assert judged(PORTAL, answer).word == word


def test_hidden_chain_without_roots_sent_proves_nothing() -> None:
    with pytest.raises(Unknown, match="no public roots"):
        judged(PORTAL, hidden(PORTAL))


def test_hidden_chain_is_enough_for_the_hosts_own_store() -> None:
    assert destination(PYPI).consumer is Consumer.HOST
    assert judged(PYPI, hidden(PYPI)).ok


def test_addresses_in_place_of_names_need_no_name() -> None:
    profile = Profile(sesam_destinations="ips")
    there = destination("52.142.116.113", profile)
    answer = tls("ss-companyhub.sesam.cloud", status=0, headers=None)

    assert classify(Scene(answer, there, NOW, PUBLIC.bundle)).ok


@pytest.mark.parametrize("address", ["137.116.234.60", "52.142.116.113"])
def test_an_address_may_show_a_certificate_of_its_own(address: str) -> None:
    there = destination(address, Profile(sesam_destinations="ips"))
    answer = tls("x", chain("TRAEFIK DEFAULT CERT", "Traefik"), trusted=False, status=0)

    assert classify(Scene(answer, there, NOW, PUBLIC.bundle)).ok


@pytest.mark.parametrize("address", ["137.116.234.60", "52.142.116.113"])
def test_an_authority_that_signs_for_others_opens_the_tls_of_addresses_too(address: str) -> None:
    there = destination(address, Profile(sesam_destinations="ips"))
    answer = tls("x", chain("x.example", INSPECTION), trusted=False, status=0)
    inspectors = frozenset({"Example Corp Inspection Root"})

    verdict = classify(Scene(answer, there, NOW, PUBLIC.bundle, inspectors=inspectors))

    assert verdict.word == "tls-intercepted"


def extra(text: str) -> Destination:
    return destinations(Profile(extra_destinations=(text,)))[-1]


@pytest.mark.parametrize(
    ("shown", "word"),
    [
        (chain("registry.example.org"), "ok"),
        (chain("registry.example.org", "Example Corp"), "ok"),
        (chain("other.example.org"), "tls-name-mismatch"),
        (chain("other.example.org", "Example Corp"), "tls-name-mismatch"),
        (PRIVATE.chain("registry.example.org", days=(-9, -1)), "tls-fails"),
        (PRIVATE.chain("registry.example.org", days=(1, 9)), "tls-fails"),
    ],
)
def test_a_registry_of_ones_own_may_have_an_authority_of_ones_own(
    shown: tuple[str, ...], word: str
) -> None:
    answer = tls("x", shown, trusted=False, status=0, addresses=("10.0.0.9",))
    scene = Scene(answer, extra("https://registry.example.org:5000"), NOW, PUBLIC.bundle)

    assert classify(scene).word == word


def test_a_database_is_a_port_that_takes_connections() -> None:
    answer = DialAnswer(layer="done", addresses=("10.0.0.9",))

    verdict = classify(Scene(answer, extra("db.example.org:5432"), NOW, PUBLIC.bundle))

    assert (verdict.word, verdict.text) == ("ok", "the connection stands")


@pytest.mark.parametrize("status", [200, 503])
def test_a_second_try_is_told_with_what_the_first_came_to(status: int) -> None:
    twice = {"tries": 2, "first": "ECONNRESET at tls"}
    answer = replace(good("portal.sesam.io"), status=status, **twice)

    verdict = classify(Scene(answer, destination("portal.sesam.io"), NOW, PUBLIC.bundle))

    assert verdict.ok is (status == 200)
    assert verdict.text.endswith("(second try of 2; the first: ECONNRESET at tls)")
