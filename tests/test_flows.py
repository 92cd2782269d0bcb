"""Rows of firewall evidence from facts: what was dialled, how far it got, what was never tried."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import Attempt, ContactAnswer, DialAnswer, Hop, PullAnswer
from sesam_audit.destinations import AGENT_DOWNLOAD
from sesam_audit.errors import Unknown, needs_vantage
from sesam_audit.evidence import Known
from sesam_audit.facts.control import Control
from sesam_audit.facts.inbound import Inbound
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.pull import Pulled, Rehearsal
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.rooms import Rooms
from sesam_audit.facts.scene import Scene
from sesam_audit.facts.telling import notes
from sesam_audit.flows import flows
from sesam_audit.judge import Case
from sesam_audit.level import Level, Outcome
from sesam_audit.model import Finding, Flow, Owner
from sesam_audit.profile import Profile
from sesam_audit.rules import RULES
from sesam_audit.testing import NOW

from .facts import pulls
from .facts.network import PUBLIC, chain, destination, good, perfect, stopped, tls
from .facts.pulls import CDN

PYPI = "pypi.org:443"
AT = "2026-11-22T12:00:00Z"
OPENED = chain("pypi.org", "Example Corp Inspection")


def rows(
    reach: Reach | None = None,
    *views: Inbound,
    profile: Profile | None = None,
    findings: tuple[Finding, ...] = (),
) -> list[Flow]:
    facts: dict[type, Any] = {}
    if reach is not None:
        facts[Reach] = reach
    if views:
        facts[Outside] = Outside(views)
    case = Case(known=Known(facts), profile=profile or Profile(), now=NOW, at=AT)
    return list(flows(case, findings))


def outward(subject: str, answer: DialAnswer | Unknown, **options: Any) -> Flow:
    """The row of one name, everything else being well."""
    profile = Profile(**options)
    reach = perfect(profile)
    reached = {**reach.reached, subject: Reached(reach.reached[subject].destination, answer)}
    name = reach.reached[subject].destination.name
    (row,) = (x for x in rows(replace(reach, reached=reached), profile=profile) if x.name == name)
    return row


def test_one_rows_control_costs_no_other_row(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows(perfect(Profile()))

    def fall(_: Control, subject: str, __: object) -> str:
        if subject == PYPI:
            raise KeyError("x")
        return "ok"

    monkeypatch.setattr(Control, "word", fall)
    case = Case(
        known=Known({Reach: perfect(Profile()), Control: Control()}), profile=Profile(), now=NOW
    )
    made = list(flows(case, ()))

    assert [flow.name for flow in made] == [flow.name for flow in whole]
    assert {flow.control for flow in made if flow.name == "pypi.org"} == {
        "not understood: KeyError('x')"
    }


def layers(flow: Flow) -> tuple[str, str, str, str]:
    return flow.dns, flow.tcp, flow.tls, flow.http


def finding(id_: str, subject: str | None, rule: str | None, outcome: Outcome) -> Finding:
    return Finding(
        id=id_,
        subject=subject,
        title="t",
        level=Level.MUST,
        outcome=outcome,
        message="m",
        source="s",
        remedy="",
        owner=Owner.NETWORK,
        rule=rule,
        reason=None if outcome in (Outcome.PASSED, Outcome.FAILED) else "because",
    )


# -- what there is a row for -----------------------------------------------------------------------


def test_every_rule_of_the_guide_has_rows_in_its_order() -> None:
    assert list(dict.fromkeys(row.rule for row in rows(perfect()))) == list(RULES)


def test_a_row_carries_the_guides_own_words() -> None:
    row = next(row for row in rows(perfect()) if row.rule == "OUT-HUB")

    assert row.sentence == RULES["OUT-HUB"].sentence
    assert row.asked == "443/HTTPS from Sesam IP to *.docker.com, *.docker.io"


def test_where_a_firewall_knows_addresses_the_row_asks_for_them() -> None:
    profile = Profile(sesam_destinations="ips")
    asked = {
        row.asked for row in rows(perfect(profile), profile=profile) if row.rule == "OUT-SESAM"
    }

    assert asked == {"443/HTTPS from Sesam IP to portal.sesam.io, 137.116.234.60, 52.142.116.113"}


def test_needed_names_and_indicators_are_told_apart() -> None:
    need = {row.name: row.need for row in rows(perfect())}

    assert need["registry-1.docker.io"] == "needed"
    assert need["hub.docker.com"] == "indicator"


def test_what_the_profile_adds_comes_last_and_is_not_called_the_guides() -> None:
    profile = Profile(extra_destinations=("api.example.com:8443",))
    last = rows(perfect(profile), profile=profile)[-1]

    assert (last.rule, last.name, last.port) == ("", "api.example.com", 8443)
    assert last.sentence.startswith("Not in the guide")


def test_a_rule_that_the_profile_switches_off_keeps_its_rows() -> None:
    profile = Profile(certificates="provided")
    off = finding(
        "outbound.letsencrypt",
        "acme-v02.api.letsencrypt.org:443",
        "OUT-LE",
        Outcome.NOT_APPLICABLE,
    )
    row = next(
        row
        for row in rows(perfect(profile), profile=profile, findings=(off,))
        if row.rule == "OUT-LE"
    )

    assert (row.result, row.outcome, row.said) == ("not tried", "not-applicable", "because")


def test_without_facts_every_row_says_that_it_was_not_tried() -> None:
    found = rows()

    assert {row.rule for row in found} == set(RULES)
    assert {(row.result, row.said) for row in found} == {("not tried", "not collected")}


def test_a_row_names_the_finding_that_judges_it() -> None:
    judged = finding("outbound.pypi", PYPI, "OUT-PYPI", Outcome.FAILED)
    row = next(row for row in rows(perfect(), findings=(judged,)) if row.name == "pypi.org")

    assert (row.outcome, row.finding, row.subject) == ("failed", "outbound.pypi", PYPI)


def test_a_row_that_cannot_be_understood_costs_no_other() -> None:
    broken = replace(good("pypi.org"), attempts=None)
    found = outward(PYPI, broken)

    assert found.result == "unknown"
    assert found.said.startswith("not understood")


# -- how far a dial got ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "result", "expected"),
    [
        (good("pypi.org"), "ok", ("ok", "ok", "ok", "ok")),
        (
            stopped("dns", "NXDOMAIN"),
            "dns-fails",
            ("NXDOMAIN", "not reached", "not reached", "not reached"),
        ),
        (
            stopped("tcp", "TIMEOUT", "192.0.2.7"),
            "tcp-timeout",
            ("ok", "timeout", "not reached", "not reached"),
        ),
        (
            stopped("tcp", "ECONNREFUSED", "192.0.2.7"),
            "tcp-refused",
            ("ok", "refused", "not reached", "not reached"),
        ),
        (
            stopped("tls", "ECONNRESET", "192.0.2.7"),
            "tls-fails",
            ("ok", "ok", "reset", "not reached"),
        ),
        (
            tls("pypi.org", chain("other.example"), trusted=False, addresses=("8.8.8.8",)),
            "tls-name-mismatch",
            ("ok", "ok", "name-mismatch", "answered"),
        ),
        (
            good("pypi.org", chain=OPENED, trusted=False, addresses=("8.8.8.8",)),
            "tls-intercepted",
            ("ok", "ok", "intercepted", "answered"),
        ),
        (
            good("pypi.org", addresses=("127.0.0.1",)),
            "dns-sinkhole",
            ("sinkhole", "answered", "answered", "answered"),
        ),
        (good("pypi.org", status=503), "service-trouble", ("ok", "ok", "ok", "service-trouble")),
    ],
)
def test_each_layer_has_its_word(
    answer: DialAnswer, result: str, expected: tuple[str, ...]
) -> None:
    row = outward(PYPI, answer)

    assert row.result == result
    assert layers(row) == expected


def test_a_dial_that_stops_after_tls_tried_no_http() -> None:
    reach = perfect(profile := Profile(sesam_destinations="ips"))
    row = next(row for row in rows(reach, profile=profile) if row.name == AGENT_DOWNLOAD)

    assert layers(row) == ("ok", "ok", "ok", "not tried")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            good("pypi.org", addresses=(), proxy_status=200),
            ("by the proxy", "ok", "ok", "ok"),
        ),
        (
            DialAnswer(layer="proxy", error="HTTP", proxy_status=403),
            ("by the proxy", "ok", "not reached", "not reached"),
        ),
        (
            DialAnswer(layer="tcp", error="TIMEOUT"),
            ("by the proxy", "to the proxy: timeout", "not reached", "not reached"),
        ),
    ],
)
def test_through_a_proxy_the_name_is_the_proxys_to_resolve(
    answer: DialAnswer, expected: tuple[str, ...]
) -> None:
    row = outward(PYPI, answer, proxy="proxy.example.com:3128")

    assert layers(row) == expected
    assert row.proxy == "proxy.example.com:3128"
    assert row.proxy_status == answer.proxy_status


@pytest.mark.parametrize("error", ["UNSUPPORTED", "CRASH: boom"])
def test_a_host_that_cannot_dial_tried_nothing(error: str) -> None:
    row = outward(PYPI, DialAnswer(error=error))

    assert set(layers(row)) == {"not tried"}


def test_a_dial_that_was_never_made_says_why() -> None:
    row = outward(PYPI, Unknown("the connection broke"))

    assert (row.result, row.said) == ("not tried", "the connection broke")


# -- who answered ----------------------------------------------------------------------------------


def test_a_row_tells_addresses_by_family_and_the_sockets_own() -> None:
    attempts = (Attempt("192.0.2.7", "open", "198.51.100.4", 0.021),)
    row = outward(PYPI, good("pypi.org", addresses=("192.0.2.7", "2001:db8::7"), attempts=attempts))

    assert (row.addresses_v4, row.addresses_v6) == (("192.0.2.7",), ("2001:db8::7",))
    assert (row.source, row.source_after_nat) == ("198.51.100.4", "not measured")
    assert row.tcp_seconds == 0.021


def test_a_row_tells_the_certificate() -> None:
    row = outward(PYPI, good("pypi.org"))

    assert (row.tls_version, row.leaf_subject) == ("TLSv1.3", "pypi.org")
    assert row.issuer.startswith("Test Trust Services E1")
    assert len(row.sha256) == 64
    assert (row.public_roots, row.host_store, row.interception) == ("trusted", "trusted", "")


def test_an_authority_that_opens_tls_is_named_even_where_the_host_trusts_it() -> None:
    row = outward(PYPI, good("pypi.org", chain=OPENED, trusted=True))

    assert row.result == "ok"
    assert row.interception.startswith("Example Corp Inspection")
    assert (row.public_roots, row.host_store) == ("unknown-issuer", "trusted")


def test_a_hidden_chain_is_not_called_untrusted() -> None:
    lone = good("pypi.org", chain=chain("pypi.org")[:1], whole_chain=False)

    assert outward(PYPI, lone).public_roots.startswith("not known")


def test_a_redirect_is_told_by_host_and_path() -> None:
    away = good("pypi.org", status=302, headers={"location": "https://a.example/b?token=secret"})

    assert outward(PYPI, away).redirect == "a.example/b"


def test_a_row_tells_where_the_rehearsal_of_a_pull_ended() -> None:
    last = replace(good("production.cloudfront.docker.com"), status=206)
    hops = (Hop("registry-1.docker.io", "/v2/", 307), Hop("layers.example.net", "/", 206))
    answer = PullAnswer(steps=hops, last=last, received=1024, sample="1f8b0800")
    pulled = Rehearsal(Pulled(answer, PUBLIC.bundle), Unknown("no login"))
    judged = finding("outbound.docker-layers", None, "OUT-HUB", Outcome.PASSED)
    case = Case(known=Known({Rehearsal: pulled}), profile=Profile(), now=NOW, at=AT)
    (row,) = (row for row in flows(case, [judged]) if row.name == "layers.example.net")

    assert (row.rule, row.finding, row.http_status) == ("OUT-HUB", "outbound.docker-layers", 206)
    assert row.source == "198.51.100.4"


def pulled(rehearsal: Rehearsal, *findings: Finding) -> dict[str, Flow]:
    """The rows of the pulls by what they were for."""
    case = Case(known=Known({Rehearsal: rehearsal}), profile=Profile(), now=NOW, at=AT)
    kinds = {"the first bytes": "public", "the manifest": "private", "a layer's first": "spent"}
    found = {}
    for flow in flows(case, findings):
        for words, kind in kinds.items():
            if flow.purpose.startswith(words):
                found[kind] = flow
    return found


PUBLIC_PULL = Pulled(pulls.blob(), PUBLIC.bundle)
ACCESS = finding("docker.registry-access", None, None, Outcome.PASSED)


def test_a_row_of_a_pull_lists_every_host_on_the_way() -> None:
    rows = pulled(Rehearsal(PUBLIC_PULL, Unknown("no login")))

    assert rows["public"].redirect == (
        "registry-1.docker.io/v2/x/y 401 -> auth.docker.io/token 200"
        " -> registry-1.docker.io/v2/x/y 307 -> production.cloudfront.docker.com/data 206"
    )


@pytest.mark.parametrize(
    ("signer", "name", "result", "tls"),
    [
        ("Example Corp Inspection", CDN, "tls-intercepted", "intercepted"),
        ("", "blocked.example.net", "tls-name-mismatch", "name-mismatch"),
    ],
)
def test_a_row_of_a_pull_blames_the_layer_that_its_verdict_blames(
    signer: str, name: str, result: str, tls: str
) -> None:
    shown = chain(name, signer) if signer else chain(name)
    seen = {"chain": shown, "whole_chain": True, "trusted": not signer}
    answer = pulls.stopped(CDN, "tls", "TLS", **seen)
    row = pulled(Rehearsal(Pulled(answer, PUBLIC.bundle), Unknown("no login")))["public"]

    assert (row.result, row.tcp, row.tls, row.http) == (result, "ok", tls, "not reached")


def test_the_private_image_has_a_row_with_its_own_finding() -> None:
    private = Pulled(pulls.manifest(), PUBLIC.bundle)
    rows = pulled(Rehearsal(PUBLIC_PULL, private), ACCESS)

    assert rows.keys() == {"public", "private"}
    row = rows["private"]
    assert (row.rule, row.name, row.result) == ("OUT-HUB", "registry-1.docker.io", "ok")
    assert (row.finding, row.outcome) == ("docker.registry-access", "passed")
    assert row.redirect.endswith("-> registry-1.docker.io/v2/x/y 200")


def test_a_login_that_is_refused_is_no_firewalls_fault() -> None:
    failed = replace(ACCESS, outcome=Outcome.FAILED)
    row = pulled(Rehearsal(PUBLIC_PULL, Pulled(pulls.login(401), PUBLIC.bundle)), failed)["private"]

    assert (row.name, row.http_status) == ("auth.docker.io", 401)
    assert (row.result, row.outcome) == ("ok", "failed")


def test_a_private_pull_that_ended_on_the_way_says_where() -> None:
    stopped_there = pulls.stopped("auth.docker.io", "tcp", "ECONNREFUSED")
    row = pulled(Rehearsal(PUBLIC_PULL, Pulled(stopped_there, PUBLIC.bundle)))["private"]

    assert (row.name, row.result) == ("auth.docker.io", "tcp-refused")


def test_without_a_login_the_private_row_says_so() -> None:
    nothing = Pulled(PullAnswer(error="ENOKEY"), PUBLIC.bundle)
    row = pulled(Rehearsal(PUBLIC_PULL, nothing))["private"]

    assert (row.name, row.result) == ("registry-1.docker.io", "not tried")
    assert row.said == "/home/sesam/.docker/config.json holds no login for Docker Hub"


def spent(answer: PullAnswer) -> Flow:
    private = Pulled(pulls.manifest(), PUBLIC.bundle)
    whole = Rehearsal(PUBLIC_PULL, private, spent=Pulled(answer, PUBLIC.bundle))
    layers = finding("outbound.docker-layers", None, "OUT-HUB", Outcome.FAILED)
    return pulled(whole, layers, ACCESS)["spent"]


def test_a_spent_pull_has_a_row_that_is_judged_as_layers() -> None:
    read = Hop("registry-1.docker.io", "/v2/x/manifests/weekly-prod", 200)
    layer = Hop("registry-1.docker.io", "/v2/x/blobs/sha256:aa", 307)
    whole = replace(pulls.blob(), steps=(read, layer, *pulls.blob().steps))
    away = pulls.stopped(pulls.R2, "tcp", "TIMEOUT")
    closed = replace(away, steps=(read, layer, *away.steps))

    assert (spent(whole).result, spent(whole).finding) == ("ok", "outbound.docker-layers")
    assert (spent(closed).name, spent(closed).result) == (pulls.R2, "tcp-timeout")


def test_a_spent_pulls_layer_that_is_gone_is_none_of_those_that_are_pinned() -> None:
    read = Hop("registry-1.docker.io", "/v2/x/manifests/weekly-prod", 200)
    layer = Hop("registry-1.docker.io", "/v2/x/blobs/sha256:aa", 404)
    lost = replace(pulls.gone(), steps=(read, layer))

    assert "pinned" not in spent(lost).said
    assert spent(lost).result == "service-trouble"


def test_a_spent_pull_that_did_not_read_the_manifest_is_the_logins() -> None:
    assert spent(pulls.login(401)).finding == "docker.registry-access"


# -- when ------------------------------------------------------------------------------------------


def test_a_row_tells_when_it_was_dialled() -> None:
    row = outward(PYPI, good("pypi.org", time=NOW.timestamp() + 7))

    assert row.at == "2026-11-22T12:00:07Z"
    assert outward(PYPI, stopped("tcp", "TIMEOUT", "192.0.2.7")).at == AT
    late = replace(stopped("tcp", "TIMEOUT", "192.0.2.7"), time=NOW.timestamp() + 3)
    assert outward(PYPI, late).at == "2026-11-22T12:00:03Z"


def test_a_clock_that_the_services_contradict_is_put_right() -> None:
    date = {"date": "Sun, 22 Nov 2026 11:00:00 GMT"}
    reach = perfect()
    for key, each in reach.reached.items():
        if isinstance(each.answer, DialAnswer):
            headers = {**(each.answer.headers or {}), **date}
            dated = replace(each.answer, headers=headers)
            reach.reached[key] = Reached(each.destination, dated)

    assert {row.at for row in rows(reach) if row.result == "ok"} == {"2026-11-22T11:00:00Z"}


def inside(rooms: Rooms) -> list[Flow]:
    """The rows of the portal and of the registry's front, judged and beside."""
    case = Case(known=Known({Reach: perfect(), Rooms: rooms}), profile=Profile(), now=NOW, at=AT)
    by_updater = "registry-1.docker.io:443 by the updater"
    findings = (
        finding("outbound.sesam", "portal.sesam.io:443", "OUT-SESAM", Outcome.FAILED),
        finding("outbound.docker", "registry-1.docker.io:443", "OUT-HUB", Outcome.PASSED),
        finding("outbound.docker-updates", by_updater, "OUT-HUB", Outcome.UNKNOWN),
    )
    names = ("portal.sesam.io", "registry-1.docker.io")
    found = (row for row in flows(case, findings) if row.name in names)
    return [row for row in found if not row.purpose.startswith("the manifest")]


def test_containers_and_host_have_a_row_each_and_only_the_consumers_is_judged() -> None:
    silent = perfect(None, {"portal.sesam.io:443": stopped("tcp", "TIMEOUT", "192.0.2.7")})

    hub, updates, portal, beside = inside(Rooms(silent))

    assert [(x.context, x.result, x.finding, x.outcome) for x in (hub, portal, beside)] == [
        ("the host's network path", "ok", "outbound.docker", "passed"),
        ("the host's network path", "tcp-timeout", "outbound.sesam", "failed"),
        ("the host's network path", "ok", "", ""),
    ]
    assert (updates.consumer, updates.finding) == ("a container", "outbound.docker-updates")
    assert [x.vantage for x in (hub, updates, portal, beside)] == [
        "host",
        "container",
        "container",
        "host",
    ]
    assert [x.need for x in (hub, updates, portal, beside)] == ["needed"] * 3 + ["beside"]


def test_the_context_is_where_it_was_dialled() -> None:
    context = {"context": "container default"}  # there was no network sesam
    rooms = Rooms(perfect(None, {"portal.sesam.io:443": good("portal.sesam.io", **context)}))

    assert inside(rooms)[2].context == "a container on a network like the project's own"


def test_a_row_says_why_nothing_was_dialled_from_a_container() -> None:
    _, updates, portal, _ = inside(Rooms(Reach({}), "needs root: entering it"))

    assert updates.said == portal.said
    assert (portal.result, portal.context) == (
        "not tried",
        "a container on Docker's network sesam",
    )
    assert portal.said.endswith("needs root: entering it")


PORTAL = "portal.sesam.io:443"


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        (Outcome.PASSED, "unknown"),
        (Outcome.FAILED, "unknown"),
        (Outcome.UNKNOWN, "unknown"),
        (Outcome.BLOCKED, "blocked"),
        (Outcome.NOT_APPLICABLE, "not-applicable"),
    ],
)
def test_what_nobody_tried_reads_as_no_proof(judged: Outcome, told: str) -> None:
    reach = Reach({})
    verdict = finding("outbound.sesam", PORTAL, "OUT-SESAM", judged)
    row = next(x for x in rows(reach, findings=(verdict,)) if x.name == "portal.sesam.io")

    assert (row.result, row.outcome, row.finding) == ("not tried", told, "outbound.sesam")


def test_the_hosts_own_row_is_judged_where_its_dial_decided() -> None:
    answer = stopped("tcp", "ECONNREFUSED", "192.0.2.7")
    reach = perfect(changes={PORTAL: answer})
    failed = finding("outbound.sesam", PORTAL, "OUT-SESAM", Outcome.FAILED)
    rooms = Rooms(Reach({}), "needs root: entering it")
    case = Case(known=Known({Reach: reach, Rooms: rooms}), profile=Profile(), now=NOW, at=AT)
    inside, host = (x for x in flows(case, [failed]) if x.name == "portal.sesam.io")

    assert (inside.result, inside.outcome) == ("not tried", "unknown")
    assert (host.result, host.outcome, host.need) == ("tcp-refused", "failed", "beside")


# -- inbound ---------------------------------------------------------------------------------------


def view(answer: DialAnswer | Unknown, **more: Any) -> Inbound:
    """What a vantage met on every port by every way."""
    given: dict[str, Any] = {
        "contact": ContactAnswer(scheme="ssh", address="203.0.113.20"),
        "name": "node.example.com",
        "by_address": {80: answer, 443: answer},
        "by_name": {80: answer, 443: answer},
        "roots": PUBLIC.bundle,
    }
    return Inbound(**{**given, **more})


REFUSED = DialAnswer(
    layer="tcp",
    error="ECONNREFUSED",
    addresses=("203.0.113.20",),
    attempts=(Attempt("203.0.113.20", "ECONNREFUSED", "198.51.100.9"),),
)


def test_a_way_in_has_a_row_for_each_vantage() -> None:
    outside = view(REFUSED, vantage="ssh://jump", stands="internet")
    found = [row for row in rows(None, view(REFUSED), outside) if row.rule == "IN-443"]

    assert [(row.name, row.vantage) for row in found] == [
        ("203.0.113.20", "auditor"),
        ("203.0.113.20", "ssh://jump"),
        ("node.example.com", "auditor"),
        ("node.example.com", "ssh://jump"),
    ]
    assert found[1].context.endswith("standing for internet")


def test_a_refused_port_is_told_by_layer() -> None:
    row = next(row for row in rows(None, view(REFUSED)) if row.rule == "IN-443")

    assert (row.result, row.source) == ("tcp-refused", "198.51.100.9")
    assert layers(row) == ("not tried", "refused", "not reached", "not reached")


def test_the_listeners_answer_tells_the_source_after_nat() -> None:
    headers = {"x-sesam-audit": "token", "x-sesam-peer": "192.0.2.99"}
    heard = tls("node.example.com", status=200, headers=headers, chain=())
    row = rows(None, view(heard, token="token", listening=frozenset({80, 443})))[0]

    assert (row.result, row.source_after_nat) == ("ok", "192.0.2.99")
    assert row.source == "198.51.100.4"


def test_each_further_address_of_the_name_has_a_row_of_its_own() -> None:
    heard = tls("node.example.com", status=200, headers={"x-sesam-audit": "token"}, chain=())
    silent = replace(REFUSED, error="TIMEOUT", addresses=("203.0.113.21",))
    there = view(heard, token="token", beside={"NODE_DOMAIN": {443: (silent,)}})
    found = [row for row in rows(None, there) if row.rule == "IN-443"]

    assert [(row.name, row.result) for row in found[1:]] == [
        ("node.example.com", "ok"),
        ("203.0.113.21", "tcp-timeout"),
    ]


def test_an_address_that_was_tried_in_vain_is_the_rows_result() -> None:
    attempts = (Attempt("203.0.113.9", "TIMEOUT"), Attempt("203.0.113.20", "open"))
    heard = tls("node.example.com", attempts=attempts, headers={"x-sesam-audit": "token"}, chain=())
    row = rows(None, view(heard, token="token"))[0]

    assert (row.result, row.said) == ("tcp-timeout", "203.0.113.9")


def test_without_a_vantage_a_way_in_was_not_tried() -> None:
    here = view(REFUSED, contact=ContactAnswer(scheme="local"), by_address={}, by_name={})
    row = rows(None, here)[0]

    assert row.result == "not tried"
    assert row.said.startswith("needs a vantage")


def test_a_vantage_that_was_not_reached_reads_as_no_proof_beside_one_that_proved_it() -> None:
    missing = needs_vantage("ssh://badhost was not reached: its name does not resolve")
    away = view(missing, vantage="ssh://badhost", stands="internet")
    passed = finding("inbound.https", "NODE_DOMAIN", "IN-443", Outcome.PASSED)
    heard = tls("node.example.com", headers={"x-sesam-audit": "token"}, chain=())
    found = rows(None, view(heard, token="token"), away, findings=(passed,))
    ours, theirs = (x for x in found if x.finding)

    assert (ours.result, ours.outcome) == ("ok", "passed")
    assert (theirs.result, theirs.outcome) == ("not tried", "unknown")
    assert theirs.said == missing.reason


def test_a_way_in_names_its_finding() -> None:
    judged = finding("inbound.http", "host's address", "IN-80", Outcome.UNKNOWN)
    row = rows(None, view(REFUSED), findings=(judged,))[0]

    assert (row.finding, row.subject, row.outcome) == ("inbound.http", "host's address", "unknown")


# -- by family -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempts", "four", "six", "named"),
    [
        ((("2001:db8::7", "TIMEOUT"), ("192.0.2.7", "open")), "ok", "timeout", True),
        ((("2001:db8::7", "ECONNREFUSED"), ("192.0.2.7", "open")), "ok", "refused", True),
        ((("2001:db8::7", "ENETUNREACH"), ("192.0.2.7", "open")), "ok", "no route", False),
        ((("192.0.2.7", "open"),), "ok", "not tried", False),
        ((("2001:db8::7", "open"),), "not tried", "ok", False),
        ((("2001:db8::7", "TIMEOUT"), ("192.0.2.7", "TIMEOUT")), "timeout", "timeout", False),
    ],
)
def test_each_family_has_its_own_result(
    attempts: tuple[tuple[str, str], ...], four: str, six: str, named: bool
) -> None:
    tried = tuple(Attempt(address, result) for address, result in attempts)
    answer = replace(good("pypi.org"), addresses=("2001:db8::7", "192.0.2.7"), attempts=tried)

    row = outward(PYPI, answer)

    assert (row.tcp_v4, row.tcp_v6) == (four, six)
    scene = Scene(answer, destination("pypi.org"), NOW, PUBLIC.bundle)
    assert any("IPv6 address does not answer" in note for note in notes(scene)) is named


def test_a_name_without_ipv6_has_no_word_for_it() -> None:
    row = outward(PYPI, good("pypi.org"))

    assert (row.tcp_v4, row.tcp_v6) == ("ok", "")
