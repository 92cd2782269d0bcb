"""Stage live: a stack in order is ready, and each fault of it flips exactly its own check."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sesam_audit.level import Stage
from sesam_audit.requirement import catalogue

from .auditing import Audited, Auditor, Outcomes
from .faults.fault import BLOCKED, FAILED, NOT_APPLICABLE, PASSED, UNKNOWN, Fault, matches
from .faults.scenes import PROVIDED, STANDARD, TRAEFIK_YML
from .host import LabHost
from .lab import Lab
from .stack import COMPOSE, Stack
from .staging import differences

FILE, CONFIG = "/srv/data/docker-compose.yml", "/home/sesam/.docker/config.json"
NODE = "sesam/sesam-node"
LIVE = ("--stage", "live")
WAYS = ("host's address", "NODE_DOMAIN")
WITHOUT_A_FAULT = {"stack.portal": "a person's step", "stack.image-channel": "in tests/lab/faults"}

Deed = Callable[[Lab, LabHost], object]


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One thing that is wrong with a running stack, and what it changes."""

    name: str
    changes: Mapping[str, str]
    says: str
    seed: Deed
    mend: Deed

    def expected(self, baseline: Outcomes) -> Outcomes:
        return Fault(name=self.name, changes=self.changes).expected(baseline)


@pytest.fixture(scope="module")
def auditor(lab: Lab) -> Auditor:
    return Auditor(lab, ("auditor_stands_for=internet",))


@pytest.fixture(scope="module")
def live(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("running")
    Stack(host).start()
    yield host
    lab.stop_host(host)


@pytest.fixture(scope="module")
def baseline(auditor: Auditor, live: LabHost) -> Outcomes:
    return auditor.audit(live, words=LIVE).outcomes


# -- how faults are made ---------------------------------------------------------------------------


def run(script: str) -> Deed:
    return lambda _, host: host.run(script)


def nothing(_: Lab, __: LabHost) -> None:
    """Leave everything as it is."""


def offered(behaviour: str, release: str = "1") -> Deed:
    """The channel's image behaves so, and the node runs it."""

    def deed(lab: Lab, host: LabHost) -> None:
        lab.internet.registry.offer(NODE, "weekly-prod", behaviour=behaviour, release=release)
        host.run(f"{COMPOSE} pull --quiet sesam-node && {COMPOSE} up --detach sesam-node")

    return deed


def until(deed: Deed, service: str, path: str, wanted: Callable[[object], bool]) -> Deed:
    """After the deed, wait until the daemon says what is wanted of a container."""

    def waiting(lab: Lab, host: LabHost) -> None:
        deed(lab, host)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            value: object = Stack(host).inspect(service)
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else None
            if wanted(value):
                return
            time.sleep(0.2)
        raise RuntimeError(f"{service}: {path} is {value}")

    return waiting


def edited(script: str, *services: str) -> Deed:
    """The compose file changed with sed, and these services made anew from it."""
    names = " ".join(services)
    return run(
        f"cp -a {FILE} /run/kept.yml; sed -i {script!r} {FILE}\n"
        f"{COMPOSE} up --detach --force-recreate {names}"
    )


def restored(*services: str) -> Deed:
    return run(
        f"cp -a /run/kept.yml {FILE}\n{COMPOSE} up --detach --force-recreate {' '.join(services)}"
    )


def well(deed: Deed) -> Deed:
    """After the deed, wait until the node answers through 443."""

    def healing(lab: Lab, host: LabHost) -> None:
        deed(lab, host)
        Stack(host).wait()

    return healing


RESTART = f"{COMPOSE} restart traefik"
ACME = "/srv/data/traefik/letsencrypt/acme.json"


def strange_certificate(lab: Lab, host: LabHost) -> None:
    """What the resolver keeps under the node's name is another one's certificate."""
    chain, key = lab.internet.public.issue("other.example.org")
    host.write("/run/acme.json", json.dumps({host.node_domain: chain + key}), mode=0o600)
    host.run(f"cp -a {ACME} /run/kept.json; cp -a /run/acme.json {ACME}; {RESTART}")
    Stack(host).wait()


UNMADE_LOGIN = (
    f"cp -a {CONFIG} /run/config.json; {COMPOSE} rm --stop --force watchtower\n"
    f"rm {CONFIG}; cd /srv/data; docker compose up --detach watchtower"
)

TROUBLES = (
    Trouble(
        name="a node that crashes",
        seed=until(offered("crashes"), NODE[6:], "RestartCount", lambda x: x in range(3, 99)),
        mend=well(offered("")),
        changes={"stack.services [sesam-node]": FAILED},
        says="exit code 3",
    ),
    Trouble(
        name="a node that its own check finds unwell",
        seed=until(offered("unhealthy"), NODE[6:], "State.Health.Status", "unhealthy".__eq__),
        mend=well(offered("")),
        changes={"stack.services [sesam-node]": FAILED},
        says="health check",
    ),
    Trouble(
        name="a service that was never made",
        seed=run(f"{COMPOSE} rm --stop --force fluentbit"),
        mend=run(f"{COMPOSE} up --detach fluentbit"),
        changes={"stack.services [fluentbit]": FAILED},
        says="no container of fluentbit",
    ),
    Trouble(
        name="a stopped Traefik",
        seed=run(f"{COMPOSE} stop --timeout 2 traefik"),
        mend=well(run(f"{COMPOSE} start traefik")),
        # Live, the audit's own listener never takes the ports in Traefik's place.
        changes={
            "stack.services [traefik]": FAILED,
            **{f"inbound.{rule} [{way}]": UNKNOWN for rule in ("http", "https") for way in WAYS},
        },
        says="has ended",
    ),
    Trouble(
        name="another one's certificate",
        seed=strange_certificate,
        mend=well(run(f"cp -a /run/kept.json {ACME}; {RESTART}")),
        changes={"stack.tls": FAILED},
        says="for other.example.org, not for",
    ),
    Trouble(
        name="Traefik's own certificate",
        seed=well(edited("/tls.certresolver/d", "sesam-node", "traefik")),
        mend=well(restored("sesam-node", "traefik")),
        changes={"stack.tls": FAILED},
        says="TRAEFIK DEFAULT CERT",
    ),
    Trouble(
        name="no redirection",
        seed=well(edited("/redirections/d", "traefik")),
        mend=well(restored("traefik")),
        changes={
            "stack.redirect": FAILED,
            "inbound.http [host's address]": UNKNOWN,  # it may be another machine's port
            "inbound.http [NODE_DOMAIN]": UNKNOWN,
        },
        says="in place of leading to https",
    ),
    Trouble(
        name="a node that is not well",
        seed=lambda _, host: Stack(host).health(503),
        mend=lambda _, host: Stack(host).health(200),
        changes={"stack.api": FAILED},
        says="not well",
    ),
    Trouble(
        name="a node that was started otherwise than the file says",
        seed=run(
            f"cp -a {FILE} /run/kept.yml; cd /srv/data\n"
            "printf 'services: {sesam-node: {labels: {traefik.enable: \"false\"}}}' >/run/2.yml\n"
            f"docker compose -f {FILE} -f /run/2.yml up -d --force-recreate sesam-node"
        ),
        mend=well(restored("sesam-node")),
        changes={"stack.api": FAILED},
        says="Traefik knows no way",
    ),
    Trouble(
        name="a node that Traefik does not know",
        seed=edited("/traefik.enable/d", "sesam-node"),
        mend=well(restored("sesam-node")),
        changes={
            "layout.compose-file": FAILED,
            **dict.fromkeys(("stack.tls", "stack.redirect", "stack.api"), BLOCKED),
        },
        says="exposedByDefault",
    ),
    Trouble(
        name="an image pushed just now",
        seed=lambda lab, _: lab.internet.registry.offer(NODE, "weekly-prod", release="2"),
        mend=lambda lab, _: lab.internet.registry.offer(NODE, "weekly-prod"),
        changes={"stack.image-current": UNKNOWN},
        says="nobody tells",
    ),
    Trouble(
        name="another channel than the file's",
        seed=well(lambda _, host: Stack(host).replace("sesam-node", "nightly")),
        mend=well(run(f"{COMPOSE} up --detach sesam-node")),
        changes={"stack.image-current": FAILED},
        says="started as sesam/sesam-node:nightly",
    ),
    Trouble(
        name="a login that was renewed",
        seed=run(f"cp -a {CONFIG} {CONFIG}.new; mv {CONFIG}.new {CONFIG}"),
        mend=run(f"{COMPOSE} restart watchtower"),
        changes={"stack.mounts": FAILED},
        says="config.json was replaced: watchtower still sees an older one",
    ),
    Trouble(
        name="a login that Docker made a directory of",
        seed=until(run(UNMADE_LOGIN), "watchtower", "RestartCount", lambda x: x in range(3, 99)),
        mend=run(
            f"cd /srv/data; docker compose rm --stop --force watchtower; rmdir {CONFIG}\n"
            f"cp -a /run/config.json {CONFIG}; {COMPOSE} up --detach watchtower"
        ),
        changes={
            "docker.registry-login": FAILED,
            "layout.bind-sources": FAILED,
            "stack.services [watchtower]": FAILED,
        },
        says="is a directory",
    ),
)


def test_a_live_host_in_order_is_ready(auditor: Auditor, live: LabHost) -> None:
    audited = auditor.audit(live, words=LIVE)
    off = {key: outcome for key, outcome in STANDARD.items() if outcome == NOT_APPLICABLE}
    wanted = {**dict.fromkeys(audited.outcomes, PASSED), **off, "stack.portal": NOT_APPLICABLE}

    assert differences(audited, wanted) == []
    assert (audited.code, audited.report["verdict"]) == (0, "ready")
    assert audited.host()["stage"] == "live"


def test_every_requirement_of_the_running_stack_has_a_fault() -> None:
    spoiled = {key.partition(" ")[0] for trouble in TROUBLES for key in trouble.changes}
    stack = {x.id for x in catalogue().values() if x.category == "stack" and Stage.LIVE in x.stages}

    assert stack - spoiled == WITHOUT_A_FAULT.keys()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.name)
def test_a_fault_changes_exactly_what_it_should(
    lab: Lab, auditor: Auditor, live: LabHost, baseline: Outcomes, trouble: Trouble
) -> None:
    try:
        trouble.seed(lab, live)
        audited = auditor.audit(live, words=LIVE)
    finally:
        trouble.mend(lab, live)

    assert differences(audited, {**baseline, **trouble.expected(baseline)}) == []
    said = [audited.findings[key]["message"] for key in trouble.changes]
    assert matches(trouble.says, said)


def test_the_baseline_is_back(auditor: Auditor, live: LabHost, baseline: Outcomes) -> None:
    assert differences(auditor.audit(live, words=LIVE), baseline) == []


# -- images, users, evidence -----------------------------------------------------------------------


def test_an_image_that_lies_here_unused_was_not_pushed_just_now(
    lab: Lab, auditor: Auditor, live: LabHost
) -> None:
    """The newest image was pulled, but the node was never made anew from it."""
    later = f"{datetime.now(timezone.utc) + timedelta(days=3):%Y-%m-%d}"
    lab.internet.registry.offer(NODE, "weekly-prod", release="3")
    live.run(f"{COMPOSE} pull --quiet sesam-node")
    chosen = (*LIVE, "--only", "stack.image-current")
    try:
        soon, late = (auditor.audit(live, words=(*chosen, *x)) for x in ((), ("--as-of", later)))
    finally:
        offered("")(lab, live)
        Stack(live).wait()

    assert soon.outcomes == {"stack.image-current": UNKNOWN}
    assert late.outcomes == {"stack.image-current": FAILED}
    assert "and has been since" in late.findings["stack.image-current"]["message"]


def test_an_image_of_an_earlier_report_was_not_pushed_just_now(
    lab: Lab, auditor: Auditor, live: LabHost, tmp_path: Path
) -> None:
    """The updater never fetched it: only a report of before knows since when it is there."""
    later = f"{datetime.now(timezone.utc) + timedelta(days=3):%Y-%m-%d}"
    lab.internet.registry.offer(NODE, "weekly-prod", release="4")
    chosen = (*LIVE, "--only", "stack.image-current")
    try:
        first = auditor.audit(live, words=chosen)
        (tmp_path / "last.json").write_text(first.out)
        earlier = f"earlier={tmp_path / 'last.json'}"
        soon = auditor.audit(live, earlier, words=chosen)
        late = auditor.audit(live, earlier, words=(*chosen, "--as-of", later))
    finally:
        lab.internet.registry.offer(NODE, "weekly-prod")

    outcomes = [each.outcomes["stack.image-current"] for each in (first, soon, late)]
    assert outcomes == [UNKNOWN, UNKNOWN, FAILED]


def test_an_ordinary_user_proves_no_fault(auditor: Auditor, live: LabHost) -> None:
    audited = auditor.audit(live, user="plain", words=LIVE)

    assert audited.code == 3
    assert audited.of(FAILED) == {}
    stack = {key: each for key, each in audited.outcomes.items() if key.startswith("stack.")}
    assert PASSED not in stack.values()


def test_saved_evidence_is_judged_alike(
    auditor: Auditor, live: LabHost, baseline: Outcomes, tmp_path: Path
) -> None:
    collected = auditor(live.spec(), *LIVE, "-o", str(tmp_path), action="collect")
    (saved,) = tmp_path.iterdir()
    judged = auditor(str(saved), *LIVE, "--format", "json", "-q", action="judge")

    assert collected.code == 0
    assert judged.outcomes == baseline


# -- waiting ---------------------------------------------------------------------------------------


def test_waiting_ends_when_the_node_is_well(auditor: Auditor, live: LabHost) -> None:
    Stack(live).health(503)
    words = (live.spec(), *LIVE, "--only", "stack.api", "--wait", "80", "--format", "json")
    with auditor.start(*words, settings=("settled=1",)) as process:
        assert process.stderr
        said = process.stderr.readline()
        Stack(live).health(200)
        out, errors = process.communicate(timeout=90)

    assert said.startswith("Waiting for stack.api: the node says that it is not well")
    assert process.returncode == 0
    assert Audited(0, out, errors).outcomes == {"stack.api": PASSED}


def test_waiting_ends_when_the_time_is_up(auditor: Auditor, live: LabHost) -> None:
    Stack(live).health(503)
    began = time.monotonic()
    try:
        words = (*LIVE, "--only", "stack.api", "--wait", "4")
        audited = auditor.audit(live, "settled=1", words=words)
    finally:
        Stack(live).health(200)

    assert audited.code == 1
    assert 4 <= time.monotonic() - began < 20


def test_waiting_is_not_fooled_by_a_service_that_dies_every_15_seconds(
    lab: Lab, auditor: Auditor, live: LabHost
) -> None:
    """`docker compose up --wait` is."""
    offered("dies")(lab, live)
    try:
        only = ("--only", "stack.services", "--wait", "18")
        audited = auditor.audit(live, words=(*LIVE, *only))
    finally:
        offered("")(lab, live)
        Stack(live).wait()

    assert audited.code != 0
    assert audited.outcomes["stack.services [sesam-node]"] != PASSED
    assert "fell" in audited.findings["stack.services [sesam-node]"]["message"]


# -- certificates of one's own ---------------------------------------------------------------------

REDIRECTION = """\
    http:
      redirections:
        entryPoint:
          to: websecure
          scheme: https
"""
AS_PUBLISHED = """\
entryPoints:
  web:
    address: ":80"
  websecure:
    address: ":443"
providers:
  docker:
    exposedByDefault: false
tls:
  certificates:
    - certFile: /certs/node.crt
      keyFile: /certs/node.key
"""
COMPLETE = AS_PUBLISHED.replace('":80"\n', f'":80"\n{REDIRECTION}').replace(
    "tls:\n", "  file:\n    filename: /etc/traefik/traefik.yml\ntls:\n"
)


@pytest.fixture(scope="module")
def provided(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("provided-live")
    assert PROVIDED.prepare
    PROVIDED.prepare(lab, host)
    host.write(TRAEFIK_YML, COMPLETE, "sesam")
    Stack(host).start()
    yield host
    lab.stop_host(host)


def test_provided_certificates_are_served(lab: Lab, provided: LabHost) -> None:
    auditor = Auditor(lab, ("certificates=provided", "auditor_stands_for=clients"))

    audited = auditor.audit(provided, words=LIVE)

    assert (audited.code, audited.of(FAILED), audited.of(UNKNOWN)) == (0, {}, {})
    assert "Lab Trust Services" in audited.findings["stack.tls"]["message"]


def test_a_configuration_that_traefik_has_not_read_yet(lab: Lab, provided: LabHost) -> None:
    auditor = Auditor(lab, ("certificates=provided", "auditor_stands_for=clients"))
    provided.run(f"cp -a {TRAEFIK_YML} {TRAEFIK_YML}.new; mv {TRAEFIK_YML}.new {TRAEFIK_YML}")
    stale = auditor.audit(provided, words=LIVE)
    provided.run(f"{COMPOSE} restart traefik")
    Stack(provided).wait()
    fresh = auditor.audit(provided, words=LIVE)

    (message,) = stale.of(FAILED).values()
    assert message == f"{TRAEFIK_YML} was replaced: traefik still sees an older one"
    assert fresh.of(FAILED) == {}


def test_a_certificate_that_traefik_has_not_read_yet(lab: Lab, provided: LabHost) -> None:
    auditor = Auditor(lab, ("certificates=provided", "auditor_stands_for=clients"))
    chain, key = lab.internet.public.issue(provided.node_domain)
    provided.write("/srv/data/traefik/certs/node.crt", chain, "sesam")
    provided.write("/srv/data/traefik/certs/node.key", key, "sesam", mode=0o600)
    stale = auditor.audit(provided, words=LIVE)
    provided.run(f"{COMPOSE} restart traefik")
    Stack(provided).wait()
    fresh = auditor.audit(provided, words=LIVE)

    assert set(stale.of(FAILED)) == {"stack.tls"}
    assert "443 serves another certificate" in stale.findings["stack.tls"]["message"]
    assert fresh.of(FAILED) == {}


def test_the_published_configuration_serves_traefiks_own_certificate(
    lab: Lab, provided: LabHost
) -> None:
    auditor = Auditor(lab, ("certificates=provided", "auditor_stands_for=clients"))
    provided.write(TRAEFIK_YML, AS_PUBLISHED, "sesam")
    provided.run(f"{COMPOSE} restart traefik")
    Stack(provided).wait()

    audited = auditor.audit(provided, words=LIVE)

    assert set(audited.of(FAILED)) == {"stack.tls", "stack.redirect", "layout.traefik-config"}
