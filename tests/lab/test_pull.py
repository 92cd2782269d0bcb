"""The rehearsed pull on real hosts: who was in the way of a layer, and what the login may do."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator

import pytest

from .auditing import Audited, Auditor
from .host import LabHost
from .internet import Internet
from .lab import Lab
from .services import CLOUDFRONT, LOGIN, R2, STRANGERS_LOGIN

LAYERS, COVERAGE = "outbound.docker-layers", "outbound.docker-coverage"
ACCESS = "docker.registry-access"
CONFIG = "/home/sesam/.docker/config.json"
OTHER = base64.b64encode(b"sesamcustomer:another_pat").decode()


@pytest.fixture
def internet(lab: Lab) -> Iterator[Internet]:
    yield lab.internet
    lab.internet.reset()


@pytest.fixture(scope="module")
def auditor(lab: Lab) -> Auditor:
    return Auditor(lab)


def pulled(auditor: Auditor, host: LabHost, *settings: str) -> Audited:
    words = ("--only", "docker", "--only", "outbound")
    audited = auditor.audit(host, *settings, words=words)
    assert OTHER not in audited.out
    assert LOGIN not in audited.out
    assert "lab-customer" not in audited.out
    assert "Signature" not in audited.out
    return audited


def judged(audited: Audited) -> dict[str, str]:
    return {each: audited.outcomes[each] for each in (LAYERS, COVERAGE, ACCESS)}


def test_a_perfect_host_passes_all_three(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    before = len(internet.requests())
    audited = pulled(auditor, perfect)

    assert judged(audited) == dict.fromkeys((LAYERS, COVERAGE, ACCESS), "passed")
    assert CLOUDFRONT in audited.findings[LAYERS]["message"]
    asked = internet.requests()[before:]
    fetched = [line for line in asked if line.startswith(f"{CLOUDFRONT} GET /registry-v2/")]
    assert len(fetched) == 1
    assert fetched[0].endswith(" 206")
    assert any("HEAD /v2/sesam/sesam-node/manifests/weekly-prod 200" in line for line in asked)
    assert not any(" GET /v2/" in line and "/manifests/" in line for line in asked)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Internet.refuse, "tcp-refused"),
        (Internet.blackhole, "tcp-timeout"),
        (Internet.intercept, "tls-intercepted"),
        (Internet.wrong_certificate, "tls-name-mismatch"),
        (Internet.captive, "block-page"),
        (Internet.unknown, "dns-fails"),
    ],
)
def test_somebody_in_the_way_of_the_layers(
    auditor: Auditor,
    perfect: LabHost,
    internet: Internet,
    fault: Callable[[Internet, str], None],
    word: str,
) -> None:
    fault(internet, CLOUDFRONT)

    audited = pulled(auditor, perfect)

    closed = audited.findings[f"outbound.docker [{CLOUDFRONT}:443]"]
    assert (closed["outcome"], closed["message"].partition(":")[0]) == ("failed", word)
    assert "Example Corp Inspection" in closed["message"] or word != "tls-intercepted"
    assert judged(audited) == dict.fromkeys((LAYERS, COVERAGE, ACCESS), "blocked")


@pytest.mark.parametrize(
    ("fault", "word"),
    [(Internet.refuse, "tcp-refused"), (Internet.wrong_certificate, "tls-name-mismatch")],
)
def test_somebody_in_the_way_of_layers_that_no_rule_holds(
    auditor: Auditor,
    perfect: LabHost,
    internet: Internet,
    fault: Callable[[Internet, str], None],
    word: str,
) -> None:
    internet.layers_elsewhere()
    fault(internet, R2)

    audited = pulled(auditor, perfect)

    message = audited.findings[LAYERS]["message"]
    assert judged(audited) == {LAYERS: "failed", COVERAGE: "blocked", ACCESS: "passed"}
    assert message.startswith(f"{word}: {R2}")
    assert f"the guide's wildcards do not hold {R2}" in message


def test_layers_from_elsewhere_arrive_but_are_named(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    internet.layers_elsewhere()

    audited = pulled(auditor, perfect)

    assert judged(audited) == {LAYERS: "passed", COVERAGE: "failed", ACCESS: "passed"}
    assert R2 in audited.findings[COVERAGE]["message"]
    assert "June 2026" in audited.findings[COVERAGE]["message"]


def test_blobs_that_are_gone_are_nobody_s_fault(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    internet.blobs_gone()

    audited = pulled(auditor, perfect)

    assert judged(audited) == {LAYERS: "unknown", COVERAGE: "blocked", ACCESS: "passed"}
    assert "no longer holds" in audited.findings[LAYERS]["message"]


def test_the_registry_s_limit_is_no_firewall(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    internet.limited()

    audited = pulled(auditor, perfect)

    limit = audited.findings["outbound.docker [registry-1.docker.io:443]"]
    assert (limit["outcome"], "429" in limit["message"]) == ("unknown", True)
    assert judged(audited) == dict.fromkeys((LAYERS, COVERAGE, ACCESS), "blocked")


def test_an_authority_in_certs_d_alone_is_worth_what_the_daemon_makes_of_it(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    """A daemon that keeps its images itself takes none of it for Docker Hub."""
    internet.intercept("registry-1.docker.io", "auth.docker.io", CLOUDFRONT)
    for name in ("docker.io", "registry-1.docker.io"):
        perfect.run(f"mkdir -p /etc/docker/certs.d/{name}")
        perfect.write(f"/etc/docker/certs.d/{name}/ca.crt", internet.private.root.read_text())
    try:
        daemon = perfect.run("docker pull traefik:latest 2>&1", check=False).stdout
        audited = pulled(auditor, perfect)
    finally:
        perfect.run("rm -r /etc/docker/certs.d")

    assert "certificate signed by unknown authority" in daemon
    for name in ("registry-1.docker.io", "auth.docker.io", CLOUDFRONT):
        finding = audited.findings[f"outbound.docker [{name}:443]"]
        assert finding["outcome"] == "failed"
        assert finding["message"].startswith("tls-intercepted")
    assert judged(audited) == dict.fromkeys((LAYERS, COVERAGE, ACCESS), "blocked")


@pytest.fixture
def login(perfect: LabHost) -> Iterator[Callable[[str], None]]:
    """Puts another login into the host's file for one test."""
    before = perfect.read(CONFIG)

    def write(auth: str) -> None:
        text = json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}})
        perfect.run(f"cat >{CONFIG}", text=text)

    yield write
    perfect.run(f"cat >{CONFIG}", text=before)


def test_a_wrong_credential(
    auditor: Auditor, perfect: LabHost, login: Callable[[str], None]
) -> None:
    login(OTHER)

    audited = pulled(auditor, perfect)

    assert judged(audited) == {LAYERS: "passed", COVERAGE: "passed", ACCESS: "failed"}
    assert "refuses the name or password" in audited.findings[ACCESS]["message"]


def test_a_login_without_the_right(
    auditor: Auditor, perfect: LabHost, login: Callable[[str], None]
) -> None:
    login(STRANGERS_LOGIN)

    audited = pulled(auditor, perfect)

    assert audited.outcomes[ACCESS] == "failed"
    assert "may not read sesam/sesam-node:weekly-prod" in audited.findings[ACCESS]["message"]


@pytest.mark.parametrize(
    ("temper", "outcome", "said"),
    [
        ("denied", "failed", "may not read sesam/sesam-node:weekly-prod (HTTP 403)"),
        ("unknown", "failed", "(HTTP 404): no such tag, or no right to see it"),
        ("limited", "unknown", "limits this address or login (HTTP 429)"),
    ],
)
def test_what_the_registry_says_of_the_private_image(
    auditor: Auditor, perfect: LabHost, internet: Internet, temper: str, outcome: str, said: str
) -> None:
    internet.private_image(temper)

    audited = pulled(auditor, perfect)

    assert judged(audited) == {LAYERS: "passed", COVERAGE: "passed", ACCESS: outcome}
    assert said in audited.findings[ACCESS]["message"]


def test_no_registry_proves_nothing_about_the_login(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    internet.refuse("registry-1.docker.io")

    audited = pulled(auditor, perfect)

    assert judged(audited) == dict.fromkeys((LAYERS, COVERAGE, ACCESS), "blocked")
    assert audited.findings[ACCESS]["blocked_by"] == "outbound.docker"


def test_the_whole_audit_is_bounded_when_layers_vanish(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    internet.blackhole(CLOUDFRONT)

    audited = pulled(auditor, perfect, "deadline=3")

    assert audited.outcomes[LAYERS] == "blocked"
    assert audited.outcomes[f"outbound.docker [{CLOUDFRONT}:443]"] == "failed"


def test_nothing_of_the_private_image_is_read_unless_told(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    before = len(internet.requests())
    pulled(auditor, perfect)

    asked = internet.requests()[before:]
    assert not any(" GET " in line and "/manifests/" in line for line in asked)
    assert not any("sesam/sesam-node/blobs" in line for line in asked)


@pytest.mark.parametrize(
    ("temper", "said"),
    [
        ("pulls limited", "was not read, so no layer was asked for"),
        ("layers limited", "service-trouble: registry-1.docker.io: HTTP 429"),
        ("layers in trouble", "service-trouble: registry-1.docker.io: HTTP 503"),
    ],
)
def test_a_spent_pull_that_the_registry_cuts_short_is_no_firewall(
    auditor: Auditor, perfect: LabHost, internet: Internet, temper: str, said: str
) -> None:
    internet.private_image(temper)

    words = ("--only", "docker", "--only", "outbound", "--spend-pull")
    audited = auditor.audit(perfect, words=words)

    assert judged(audited) == {LAYERS: "unknown", COVERAGE: "blocked", ACCESS: "passed"}
    assert said in audited.findings[LAYERS]["message"]


def test_a_pull_of_the_private_image_is_spent_when_told(
    auditor: Auditor, perfect: LabHost, internet: Internet
) -> None:
    before = len(internet.requests())
    words = ("--only", "docker", "--only", "outbound", "--spend-pull")
    audited = auditor.audit(perfect, words=words)

    asked = internet.requests()[before:]
    assert judged(audited) == dict.fromkeys((LAYERS, COVERAGE, ACCESS), "passed")
    (note,) = (x for x in audited.findings[LAYERS]["notes"] if x.startswith("--spend-pull"))
    assert note.endswith(f"{CLOUDFRONT} 206")
    assert any(" GET /v2/sesam/sesam-node/manifests/weekly-prod 200" in line for line in asked)
    assert any(" GET /v2/sesam/sesam-node/blobs/sha256:" in line for line in asked)
    assert LOGIN not in audited.out
    assert "lab-customer" not in audited.out
