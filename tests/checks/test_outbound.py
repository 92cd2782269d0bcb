"""Outbound checks: what passes, what fails, what nobody can tell, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit import testing
from sesam_audit.asks import DialAnswer, PullAnswer
from sesam_audit.destinations import needed
from sesam_audit.errors import Unknown
from sesam_audit.facts.control import Control
from sesam_audit.facts.interception import Interceptors
from sesam_audit.facts.pull import Pulled, Rehearsal
from sesam_audit.facts.reach import Reach, Reached
from sesam_audit.facts.rooms import Rooms
from sesam_audit.facts.sesam_addresses import SesamAddresses
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from tests.facts import pulls
from tests.facts.network import PUBLIC, chain, destination, good, perfect, stopped, tls

UPDATES = tuple(
    ("outbound.docker-updates", f"{name}:443 by the updater")
    for name in ("registry-1.docker.io", "auth.docker.io")
)
BY_NAME = (
    ("outbound.docker", "registry-1.docker.io:443"),
    ("outbound.docker", "auth.docker.io:443"),
    ("outbound.docker", "production.cloudfront.docker.com:443"),
    *UPDATES,
    ("outbound.letsencrypt", "acme-v02.api.letsencrypt.org:443"),
    ("outbound.sesam", "portal.sesam.io:443"),
    ("outbound.sesam", "log shipping"),
    ("outbound.pypi", "pypi.org:443"),
    ("outbound.pypi", "files.pythonhosted.org:443"),
    ("outbound.pypi", "pypi.python.org:443"),
)
IPS = Profile(sesam_destinations="ips")
PROXY = Profile(proxy="proxy.example:3128")
EXTRA = Profile(extra_destinations=("db.example.org:8443",))


ALONE = Control(absent="the auditor is the host itself")


def evaluate(requirement: str, *facts: Any, **given: Any) -> Finding:
    """Judged without a control sample, containers meeting what the host meets, unless given."""
    rooms = [Rooms(each) for each in facts if isinstance(each, Reach)]
    return testing.evaluate(requirement, ALONE, *rooms, *facts, **given)


def with_answer(
    subject: str, answer: DialAnswer | Unknown, profile: Profile | None = None
) -> Reach:
    reach, subject = perfect(profile), subject.removesuffix(" by the updater")
    reach.reached[subject] = Reached(reach.reached[subject].destination, answer)
    return reach


def judged(
    requirement: str,
    subject: str,
    reach: Reach,
    profile: Profile | None = None,
    control: Control = ALONE,
) -> Finding:
    return evaluate(requirement, reach, control, subject=subject, profile=profile)


@pytest.mark.parametrize(("requirement", "subject"), BY_NAME)
def test_reached(requirement: str, subject: str) -> None:
    finding = judged(requirement, subject, perfect())

    assert finding.outcome is Outcome.PASSED
    assert finding.message.startswith("ok: ")


@pytest.mark.parametrize(("requirement", "subject"), BY_NAME)
def test_not_reached(requirement: str, subject: str) -> None:
    answer = stopped("tcp", "TIMEOUT", "192.0.2.7")

    finding = judged(requirement, subject, with_answer(subject, answer))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.startswith("tcp-timeout: 192.0.2.7 port 443")


# -- the control sample ----------------------------------------------------------------------------

SILENT = stopped("tcp", "TIMEOUT", "192.0.2.7")
OPENED = tls(
    "pypi.org",
    chain("pypi.org", "Example Corp Inspection"),
    trusted=False,
    addresses=("192.0.2.9",),
)
PYPI = ("outbound.pypi", "pypi.org:443")


def sample(answer: DialAnswer | Unknown, subject: str = PYPI[1]) -> Control:
    return Control(with_answer(subject, answer))


@pytest.mark.parametrize(("requirement", "subject"), BY_NAME)
def test_the_auditor_reaches_what_the_host_does_not(requirement: str, subject: str) -> None:
    reach = with_answer(subject, SILENT)

    finding = judged(requirement, subject, reach, control=Control(perfect()))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.endswith("; the auditor reached it")
    assert "dialled by the auditor: ok at 12:00:00Z" in finding.notes


@pytest.mark.parametrize(("requirement", "subject"), BY_NAME)
def test_a_name_that_answers_nobody_may_be_gone(requirement: str, subject: str) -> None:
    reach = with_answer(subject, SILENT)

    finding = judged(requirement, subject, reach, control=sample(SILENT, subject))

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith("tcp-timeout: 192.0.2.7")
    assert "the name may be gone" in finding.message


def test_whoever_shows_a_false_face_is_in_the_way_whatever_the_auditor_meets() -> None:
    finding = judged(*PYPI, with_answer(PYPI[1], OPENED), control=sample(SILENT))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.endswith("; the auditor met tcp-timeout there")


def test_an_auditor_behind_an_interceptor_excuses_nothing() -> None:
    finding = judged(*PYPI, with_answer(PYPI[1], SILENT), control=sample(OPENED))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.endswith("; the auditor met tls-intercepted there")


def test_an_auditor_without_internet_excuses_nothing() -> None:
    nowhere = perfect()
    for key, each in nowhere.reached.items():
        nowhere.reached[key] = Reached(each.destination, SILENT)

    finding = judged(*PYPI, with_answer(PYPI[1], SILENT), control=Control(nowhere))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.endswith("cannot compare")


@pytest.mark.parametrize("control", [ALONE, sample(Unknown("needs a vantage: auditor failed"))])
def test_without_a_sample_the_host_is_judged_alone(control: Control) -> None:
    finding = judged(*PYPI, with_answer(PYPI[1], SILENT), control=control)

    assert finding.outcome is Outcome.FAILED
    assert "auditor" not in finding.message
    assert any(note.startswith("dialled by the auditor: not known") for note in finding.notes)


@pytest.mark.parametrize(
    ("status", "outcome"), [(503, Outcome.UNKNOWN), (403, Outcome.FAILED)], ids=["gone", "refused"]
)
def test_a_proxy_that_reaches_nobody_is_told_from_one_that_refuses(
    status: int, outcome: Outcome
) -> None:
    answer = DialAnswer(layer="proxy", error="HTTP", proxy_status=status)
    reach = replace(with_answer(PYPI[1], answer), proxy="proxy.example:3128")

    assert judged(*PYPI, reach, control=sample(SILENT)).outcome is outcome
    proxy = evaluate("outbound.proxy", reach, sample(SILENT), profile=PROXY)
    assert proxy.outcome is outcome


def test_an_indicator_that_answers_nobody_says_nothing_of_a_rule() -> None:
    name = "production.cloudflare.docker.com:443"

    finding = judged(*BY_NAME[0], with_answer(name, SILENT), control=sample(SILENT, name))

    (note,) = (each for each in finding.notes if name in each)
    assert "may be gone" in note
    assert "narrower" not in note


@pytest.mark.parametrize(("requirement", "subject"), BY_NAME)
def test_nobody_could_dial(requirement: str, subject: str) -> None:
    reach = with_answer(subject, DialAnswer(error="UNSUPPORTED"))

    finding = judged(requirement, subject, reach)

    assert finding.outcome is Outcome.UNKNOWN
    assert "curl -v https://" in finding.remedy.replace("'", "")


@pytest.mark.parametrize(("requirement", "subject"), BY_NAME)
def test_not_asked(requirement: str, subject: str) -> None:
    finding = judged(requirement, subject, with_answer(subject, Unknown("the probe ended")))

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, "the probe ended")


@pytest.mark.parametrize("status", [429, 503])
def test_trouble_of_the_service_is_unknown(status: int) -> None:
    name = "registry-1.docker.io"
    reach = with_answer(f"{name}:443", good(name, status=status))

    finding = judged("outbound.docker", f"{name}:443", reach)

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.message.startswith("service-trouble")


def test_trouble_that_the_auditor_meets_too_is_the_worlds_though_tls_is_opened() -> None:
    away = {"status": 503, "headers": {}}
    opened = good("pypi.org", chain=chain("pypi.org", "Example Corp Inspection"), **away)
    reach = with_answer(PYPI[1], opened)

    alone = judged(*PYPI, reach, control=Control(perfect()))
    both = judged(*PYPI, reach, control=sample(good("pypi.org", **away)))

    assert alone.outcome is Outcome.FAILED
    assert "certificates of 'Example Corp Inspection Root'; the auditor reached it" in alone.message
    assert (both.outcome, "service-trouble" in both.message) == (Outcome.UNKNOWN, True)


def test_every_name_of_a_rule_is_a_finding() -> None:
    planned = [
        (item.id, subject)
        for item in catalogue().values()
        if item.category == "outbound"
        for subject in item.subjects(Profile())
        if item.each and item.id not in ("outbound.extra", "outbound.closed")
    ]

    assert planned == list(BY_NAME)


def test_addresses_are_findings_beside_the_portal() -> None:
    assert needed(IPS, "OUT-SESAM") == (
        "portal.sesam.io:443",
        "137.116.234.60:443",
        "52.142.116.113:443",
    )


@pytest.mark.parametrize("subject", ["137.116.234.60:443", "52.142.116.113:443"])
def test_addresses_pass_with_the_guides_warning(subject: str) -> None:
    reach = with_answer(subject, tls("x", chain("some.sesam.io"), status=0), IPS)

    finding = judged("outbound.sesam", subject, reach, IPS)

    assert finding.outcome is Outcome.PASSED
    assert any("subject to change" in note for note in finding.notes)
    assert any("some.sesam.io" in note for note in finding.notes)


def test_closed_indicator_is_a_note_on_the_first_name_only() -> None:
    reach = with_answer("hub.docker.com:443", stopped("tcp", "TIMEOUT", "192.0.2.7"))

    first = judged("outbound.docker", "registry-1.docker.io:443", reach)
    second = judged("outbound.docker", "auth.docker.io:443", reach)

    assert first.outcome is Outcome.PASSED
    assert any("hub.docker.com" in note and "narrower" in note for note in first.notes)
    assert not any("hub.docker.com" in note for note in second.notes)


def test_notes_say_for_whom_and_by_which_store() -> None:
    finding = judged("outbound.sesam", "portal.sesam.io:443", perfect())

    assert finding.notes[0].startswith("for the sesam-node container, judged by public roots")
    assert any("sha256" in note and "test roots: trusted" in note for note in finding.notes)


@pytest.mark.parametrize(
    ("log_host", "said"),
    [
        ("", "names no FLUENTBIT_HOST"),
        ("ss-companyhub.sesam.cloud", "passes to no service"),
        (Unknown("needs root: .env"), "not known: needs root"),
    ],
)
def test_log_shipping_says_who_named_the_host(log_host: str | Unknown, said: str) -> None:
    finding = judged("outbound.sesam", "log shipping", replace(perfect(), log_host=log_host))

    assert any(said in note for note in finding.notes)
    assert any("uploads were not tested" in note for note in finding.notes)


@pytest.mark.parametrize("certificates", ["provided", "self-signed"])
def test_letsencrypt_is_not_needed_with_own_certificates(certificates: Any) -> None:
    profile = Profile(certificates=certificates)

    finding = judged("outbound.letsencrypt", BY_NAME[5][1], perfect(profile), profile)

    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert catalogue()["outbound.letsencrypt"].subjects(profile) == (BY_NAME[5][1],)


def rehearsed(public: PullAnswer | Unknown, proxy: str = "") -> Rehearsal:
    pulled = public if isinstance(public, Unknown) else Pulled(public, PUBLIC.bundle, proxy)
    return Rehearsal(pulled, Pulled(pulls.manifest(), PUBLIC.bundle))


def test_layers_arrive() -> None:
    finding = evaluate("outbound.docker-layers", rehearsed(pulls.blob()))

    assert finding.outcome is Outcome.PASSED
    assert f"1024 bytes of a layer from {pulls.CDN}" in finding.message
    assert f"{pulls.REGISTRY} 307, {pulls.CDN} 206" in finding.notes[0]


@pytest.mark.parametrize("received", [0, 1])
def test_one_byte_of_a_layer_is_the_boundary(received: int) -> None:
    answer = replace(pulls.blob(), received=received)

    finding = evaluate("outbound.docker-layers", rehearsed(answer))

    assert finding.outcome is (Outcome.PASSED if received else Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("layer", "error", "word"),
    [("tcp", "TIMEOUT", "tcp-timeout"), ("tcp", "ECONNREFUSED", "tcp-refused")],
)
def test_layers_do_not_arrive(layer: str, error: str, word: str) -> None:
    answer = pulls.stopped(pulls.CDN, layer, error)

    finding = evaluate("outbound.docker-layers", rehearsed(answer))

    assert finding.outcome is Outcome.FAILED
    assert finding.message.startswith(f"{word}: {pulls.CDN}: 192.0.2.9 port 443")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (pulls.blob_refused(429), "service-trouble"),
        (pulls.blob_refused(503), "service-trouble"),
        (pulls.gone(), "no longer holds the layers"),
        (PullAnswer(error="UNSUPPORTED"), "Python 3.6"),
        (Unknown("the probe ended"), "the probe ended"),
    ],
)
def test_layers_that_nobody_can_tell(answer: PullAnswer | Unknown, said: str) -> None:
    finding = evaluate("outbound.docker-layers", rehearsed(answer))

    assert finding.outcome is Outcome.UNKNOWN
    assert said in finding.message


HEAD, READ = ((pulls.REGISTRY, "manifests/weekly-prod", 200),) * 2
LED = (pulls.REGISTRY, "blobs/sha256:0", 307)


@pytest.mark.parametrize(
    ("spent", "outcome", "said"),
    [
        (pulls.spent(HEAD, READ, LED, (pulls.CDN, "data", 206)), Outcome.PASSED, "1024 bytes"),
        (
            pulls.spent(HEAD, READ, LED, (pulls.CDN, "data", 503)),
            Outcome.UNKNOWN,
            "service-trouble: production.cloudfront.docker.com: HTTP 503",
        ),
        (pulls.spent(HEAD, READ, (*LED[:2], 429)), Outcome.UNKNOWN, "HTTP 429"),
        (pulls.spent(HEAD, READ, (*LED[:2], 404)), Outcome.UNKNOWN, "service-trouble"),
        (
            pulls.spent(HEAD, (*READ[:2], 429)),
            Outcome.UNKNOWN,
            "the manifest of sesam/sesam-node:weekly-prod was not read",
        ),
        (pulls.spent((*HEAD[:2], 403)), Outcome.UNKNOWN, "registry-1.docker.io 403"),
        (PullAnswer(error="ENOKEY"), Outcome.UNKNOWN, "no pull was rehearsed (ENOKEY)"),
        (Unknown("the probe ended"), Outcome.UNKNOWN, "the probe ended"),
        (
            replace(
                pulls.stopped(pulls.CDN, "tcp", "TIMEOUT"),
                steps=pulls.spent(HEAD, READ, LED, (pulls.CDN, "data", 0)).steps,
            ),
            Outcome.FAILED,
            "no layer of sesam/sesam-node:weekly-prod came: tcp-timeout",
        ),
    ],
    ids=["came", "503", "429", "404", "limited", "denied", "no login", "not asked", "filtered"],
)
def test_what_spending_a_pull_came_to(
    spent: PullAnswer | Unknown, outcome: Outcome, said: str
) -> None:
    whole = replace(
        rehearsed(pulls.blob()),
        spent=spent if isinstance(spent, Unknown) else Pulled(spent, PUBLIC.bundle),
    )

    finding = evaluate("outbound.docker-layers", whole)

    assert finding.outcome is outcome
    assert said in finding.message


def test_layers_behind_a_proxy_that_wants_a_login() -> None:
    answer = pulls.stopped(pulls.REGISTRY, "proxy", "HTTP", proxy_status=407)

    finding = evaluate("outbound.docker-layers", rehearsed(answer, "p:3128"))

    assert finding.outcome is Outcome.UNKNOWN
    assert "(outbound.proxy)" in finding.message


def test_every_host_is_covered() -> None:
    finding = evaluate("outbound.docker-coverage", rehearsed(pulls.blob()))

    assert finding.outcome is Outcome.PASSED
    assert pulls.CDN in finding.message


@pytest.mark.parametrize(
    "answer", [pulls.blob(pulls.R2), pulls.stopped(pulls.R2, "tcp", "TIMEOUT")]
)
def test_a_host_outside_the_wildcards_is_named(answer: PullAnswer) -> None:
    finding = evaluate("outbound.docker-coverage", rehearsed(answer))

    assert finding.outcome is Outcome.FAILED
    assert f"outside the guide's wildcards: {pulls.R2} (Docker's own list" in finding.message


@pytest.mark.parametrize(
    "answer",
    [
        pulls.stopped(pulls.REGISTRY, "tcp", "TIMEOUT"),
        pulls.gone(),
        Unknown("the probe ended"),
    ],
)
def test_coverage_is_not_told_when_no_layer_came(answer: PullAnswer | Unknown) -> None:
    finding = evaluate("outbound.docker-coverage", rehearsed(answer))

    assert finding.outcome is Outcome.UNKNOWN


def test_coverage_of_nothing() -> None:
    nothing = Rehearsal(Unknown("the probe ended"), Unknown("nor that"))

    finding = evaluate("outbound.docker-coverage", nothing)

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, "the probe ended")


def test_extra_destination_reached() -> None:
    finding = judged("outbound.extra", "db.example.org:8443", perfect(EXTRA), EXTRA)

    assert finding.outcome is Outcome.PASSED


def test_extra_destination_refused() -> None:
    reach = with_answer("db.example.org:8443", stopped("tcp", "ECONNREFUSED", "192.0.2.7"), EXTRA)

    finding = judged("outbound.extra", "db.example.org:8443", reach, EXTRA)

    assert finding.message.startswith("tcp-refused: 192.0.2.7 port 8443")


def test_extra_destination_that_nobody_could_dial() -> None:
    reach = with_answer("db.example.org:8443", DialAnswer(error="UNSUPPORTED"), EXTRA)

    assert judged("outbound.extra", "db.example.org:8443", reach, EXTRA).outcome is Outcome.UNKNOWN


def test_no_extra_destinations() -> None:
    finding = judged("outbound.extra", "extra destinations", perfect())

    assert finding.outcome is Outcome.NOT_APPLICABLE


# -- interception ----------------------------------------------------------------------------------


NO_PULL = Unknown("no pull was rehearsed")


def intercepted(
    reach: Reach,
    inside: Reach | str | None = None,
    rehearsal: Rehearsal | Unknown = NO_PULL,
) -> Finding:
    """Judged where containers meet what the host meets, unless told otherwise."""
    rooms = Rooms(Reach({}), inside) if isinstance(inside, str) else Rooms(_inside(inside or reach))
    return evaluate("outbound.interception", Interceptors(reach, rooms, rehearsal))


def _inside(reach: Reach) -> Reach:
    dialled = {key: each for key, each in reach.reached.items() if each.destination.context}
    return replace(reach, reached=dialled)


def opened(name: str, **changes: Any) -> DialAnswer:
    return good(name, chain=chain(name, "Example Corp Inspection"), **changes)


def test_no_interception() -> None:
    finding = intercepted(perfect())

    assert finding.outcome is Outcome.PASSED
    assert any("13 of 13" in note for note in finding.notes)


def test_interception_names_authority_and_destinations() -> None:
    finding = intercepted(with_answer("pypi.org:443", opened("pypi.org")))

    assert finding.outcome is Outcome.FAILED
    assert finding.message == (
        "TLS is opened by 'Example Corp Inspection Root' for pypi.org:443; the host's store knows"
        " it, which is enough for the sesam-agent"
    )


def opened_to(names: tuple[str, ...], profile: Profile | None = None, **changes: Any) -> Reach:
    reach = perfect(profile)
    for name in names:
        key = destination(name, profile).key
        reach.reached[key] = Reached(reach.reached[key].destination, opened(name, **changes))
    return reach


HUB, PORTAL = "registry-1.docker.io", "portal.sesam.io"


def test_an_interceptor_before_the_containers_alone_is_met() -> None:
    finding = intercepted(perfect(), opened_to((HUB, PORTAL)))

    assert finding.outcome is Outcome.FAILED
    assert finding.message == (
        "TLS is opened by 'Example Corp Inspection Root' for registry-1.docker.io:443 from a"
        " container, portal.sesam.io:443 from a container, which breaks the watchtower container,"
        " the sesam-node container"
    )


@pytest.mark.parametrize("trusted", [True, False])
def test_what_an_interceptor_breaks_is_told_by_whose_store_knows_it(trusted: bool) -> None:
    everything = opened_to((HUB, PORTAL, "pypi.org"), trusted=trusted)

    message = intercepted(everything).message
    broken, spared = message.partition(" which breaks ")[2], message.partition("; the host's ")[2]

    assert "the watchtower container, the sesam-node container" in message
    for program in ("the Docker daemon", "the sesam-agent"):
        assert (program in spared) is trusted
        assert (program in broken.partition(";")[0]) is not trusted


def test_an_interceptor_before_the_host_alone_breaks_no_container() -> None:
    finding = intercepted(opened_to((PORTAL,)), perfect())

    assert finding.message.endswith("for portal.sesam.io:443")


def test_without_a_container_the_hosts_way_stands_for_it() -> None:
    finding = intercepted(opened_to((PORTAL,)), "--passive makes no container")

    assert finding.message.endswith("which breaks the sesam-node container")
    assert intercepted(perfect(), "--passive makes no container").notes[1].endswith("no container")


def test_an_interceptor_before_a_layer_host_that_no_rule_holds_is_met() -> None:
    last = tls(pulls.R2, chain(pulls.R2, "Example Corp Inspection"), status=206)
    rehearsal = rehearsed(replace(pulls.blob(pulls.R2), last=last))

    finding = intercepted(perfect(), rehearsal=rehearsal)

    assert finding.outcome is Outcome.FAILED
    assert f"for {pulls.R2}:443; the host's store knows it" in finding.message


def test_a_portal_that_vouches_for_itself_opens_no_tls() -> None:
    answer = good("pypi.org", chain=chain("login.example.net", "login.example.net"))

    assert intercepted(with_answer("pypi.org:443", answer)).outcome is Outcome.PASSED


def test_a_private_authority_of_the_companys_own_registry_is_no_inspection() -> None:
    profile = Profile(extra_destinations=("https://registry.example.org",))
    name = "https://registry.example.org"
    company = tls("registry.example.org", chain("registry.example.org", "Example Corp"))
    inspected = tls(
        "registry.example.org", chain("registry.example.org", "Example Corp Inspection")
    )
    reach = with_answer(name, company, profile)

    finding = judged("outbound.extra", name, reach, profile)
    assert (finding.outcome, intercepted(reach).outcome) == (Outcome.PASSED,) * 2
    assert any("must be given that authority" in note for note in finding.notes)

    everywhere = opened_to((PORTAL,), profile)
    everywhere.reached[name] = Reached(reach.reached[name].destination, inspected)
    assert judged("outbound.extra", name, everywhere, profile).message.startswith("tls-intercepted")
    assert "registry.example.org" not in intercepted(everywhere).message


def test_a_missing_certificate_is_no_interception() -> None:
    answer = good("pypi.org", chain=chain("pypi.org")[:1])

    assert intercepted(with_answer("pypi.org:443", answer)).outcome is Outcome.PASSED


def test_interception_without_any_chain_is_unknown() -> None:
    silence = stopped("dns", "NXDOMAIN")
    reached = {key: Reached(each.destination, silence) for key, each in perfect().reached.items()}

    finding = intercepted(Reach(reached, PUBLIC.bundle))

    assert finding.outcome is Outcome.UNKNOWN


def test_hidden_chains_prove_no_interception() -> None:
    answer = replace(good("pypi.org"), chain=chain("pypi.org")[:1], whole_chain=False)
    reach = Reach({"pypi.org:443": Reached(destination("pypi.org"), answer)}, PUBLIC.bundle)

    assert intercepted(reach).outcome is Outcome.UNKNOWN


# -- proxy -----------------------------------------------------------------------------------------


def test_everything_through_the_proxy() -> None:
    assert evaluate("outbound.proxy", perfect(PROXY), profile=PROXY).outcome is Outcome.PASSED


def test_a_destination_the_proxy_refuses_is_named() -> None:
    refused = DialAnswer(layer="proxy", error="HTTP", proxy_status=403)
    reach = with_answer("pypi.org:443", refused, PROXY)

    proxy = evaluate("outbound.proxy", reach, profile=PROXY)
    name = judged("outbound.pypi", "pypi.org:443", reach, PROXY)

    assert proxy.message.startswith("proxy-refused: the proxy proxy.example:3128")
    assert name.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "answer",
    [
        DialAnswer(layer="tcp", error="ECONNREFUSED"),
        DialAnswer(layer="proxy", error="HTTP", proxy_status=407, proxy_authenticate="Basic"),
    ],
)
def test_a_broken_proxy_is_one_failure_and_no_wall_of_red(answer: DialAnswer) -> None:
    reached = {
        key: Reached(each.destination, answer) for key, each in perfect(PROXY).reached.items()
    }
    reach = Reach(reached, PUBLIC.bundle, "proxy.example:3128")

    proxy = evaluate("outbound.proxy", reach, profile=PROXY)
    names = [judged(requirement, subject, reach, PROXY) for requirement, subject in BY_NAME]

    assert proxy.outcome is Outcome.FAILED
    assert proxy.message.count("proxy.example") == 1
    assert {each.outcome for each in names} == {Outcome.UNKNOWN}


def test_a_firewall_behind_the_proxy_is_not_the_proxys_fault() -> None:
    answer = stopped("tls", "ECONNRESET")
    reach = with_answer("pypi.org:443", replace(answer, proxy_status=200), PROXY)

    assert evaluate("outbound.proxy", reach, profile=PROXY).outcome is Outcome.PASSED


def test_proxy_that_nobody_could_try() -> None:
    reach = with_answer("pypi.org:443", DialAnswer(error="UNSUPPORTED"), PROXY)

    assert evaluate("outbound.proxy", reach, profile=PROXY).outcome is Outcome.UNKNOWN


def test_without_a_proxy() -> None:
    assert evaluate("outbound.proxy", perfect()).outcome is Outcome.NOT_APPLICABLE


# -- the two addresses -----------------------------------------------------------------------------

COVERED: dict[str, tuple[str, ...]] = {
    "portal.sesam.io": ("137.116.234.60",),
    "logs.sesam.cloud": ("52.142.116.113",),
}


def test_names_inside_the_two_addresses() -> None:
    finding = evaluate("outbound.sesam-ips", SesamAddresses(COVERED), profile=IPS)

    assert finding.outcome is Outcome.PASSED
    assert any("subject to change" in note for note in finding.notes)


def test_names_that_lead_elsewhere_are_listed() -> None:
    addresses = SesamAddresses({**COVERED, "portal.sesam.io": ("137.116.234.60", "2001:db8::1")})

    finding = evaluate("outbound.sesam-ips", addresses, profile=IPS)

    assert finding.outcome is Outcome.FAILED
    assert finding.message == "your rule does not cover portal.sesam.io -> 2001:db8::1"


def test_names_without_addresses_are_unknown() -> None:
    addresses = SesamAddresses({**COVERED, "x.sesam.io": ()}, ("x.sesam.io (SERVFAIL)",))

    finding = evaluate("outbound.sesam-ips", addresses, profile=IPS)

    assert finding.outcome is Outcome.UNKNOWN
    assert finding.remedy == "Run: getent ahosts x.sesam.io"


def test_opened_by_name() -> None:
    finding = evaluate("outbound.sesam-ips", SesamAddresses(COVERED))

    assert finding.outcome is Outcome.NOT_APPLICABLE
