"""The stack, before it runs and while it does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from sesam_audit.asks import DialAnswer, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.domain import NodeName
from sesam_audit.facts.mounted import StackMounts, View
from sesam_audit.facts.node_image import DIGEST, LocalImage, NodeImage
from sesam_audit.facts.pull import Pulled, Rehearsal
from sesam_audit.facts.running import Fall, Mounted, RunningContainer, RunningStack
from sesam_audit.facts.served import Served
from sesam_audit.level import Outcome, Stage
from sesam_audit.model import Finding
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue
from sesam_audit.testing import NOW
from sesam_audit.testing import evaluate as judged
from sesam_audit.wanted import SERVICES
from tests.facts.network import PRIVATE, PUBLIC, issue, tls
from tests.facts.pulls import manifest

PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN
NAME = "sesam.customer.example.org"
NO_ROOT = Unknown("needs root: it is closed", "sudo open it")


def evaluate(identifier: str, *facts: Any, **more: Any) -> Finding:
    return judged(identifier, *facts, **{"stage": Stage.LIVE, **more})


@pytest.mark.parametrize(
    ("identifier", "fact"),
    [
        ("stack.services", RunningStack),
        ("stack.mounts", StackMounts),
        ("stack.tls", Served),
        ("stack.redirect", Served),
        ("stack.api", Served),
        ("stack.image-current", NodeImage),
    ],
)
def test_what_cannot_be_told_is_unknown(identifier: str, fact: type) -> None:
    subject = "traefik" if identifier == "stack.services" else None
    finding = evaluate(identifier, unknown={fact: NO_ROOT}, subject=subject)

    assert (finding.outcome, finding.reason) == (UNKNOWN, NO_ROOT.reason)


def test_before_the_start_only_the_channel_is_judged() -> None:
    staged = {x.id for x in catalogue().values() if x.category == "stack"}
    early = {x.id for x in catalogue().values() if Stage.PREFLIGHT in x.stages}

    assert staged & early == {"stack.image-channel"}


# stack.services


def running(**changes: Any) -> RunningStack:
    each = RunningContainer(**{"name": "sesam-node", "service": "node", "up": 3600, **changes})
    return RunningStack((each,), {"sesam-node": "node"})


def node(*facts: Any, **more: Any) -> Finding:
    return evaluate("stack.services", *facts, subject="sesam-node", **more)


def test_every_service_of_the_product_is_judged() -> None:
    assert catalogue()["stack.services"].subjects(Profile()) == tuple(SERVICES)


def test_a_service_that_runs() -> None:
    finding = node(running(health="healthy"))

    assert (finding.outcome, finding.message) == (PASSED, "runs for 60 minutes, healthy")


def test_a_service_that_does_not_run() -> None:
    finding = node(running(status="exited", code=3))

    assert (finding.outcome, finding.message) == (FAILED, "sesam-node has ended (exit code 3)")


def test_a_service_without_a_container() -> None:
    finding = node(RunningStack((), {"sesam-node": "node"}))

    assert (finding.outcome, finding.message) == (FAILED, "there is no container of sesam-node")


def test_a_loop_that_just_looks_well() -> None:
    finding = node(running(up=12, restarts=4, falls=(Fall(1, 15.0),) * 4))

    assert finding.outcome is FAILED
    assert "fell 4 times" in finding.message


def test_a_service_that_fell_once_is_watched() -> None:
    finding = node(running(up=12, restarts=1, falls=(Fall(1, 5.0),)))

    assert (finding.outcome, finding.remedy) == (
        UNKNOWN,
        "Run: cd /srv/data && sudo docker compose ps --all",
    )


@pytest.mark.parametrize(("up", "outcome"), [(59, UNKNOWN), (60, PASSED)])
def test_who_waits_wants_a_minute(up: float, outcome: Outcome) -> None:
    assert node(running(up=up), profile=Profile(settled=60)).outcome is outcome
    assert node(running(up=up)).outcome is PASSED


def test_one_of_two_containers_that_falls_is_enough() -> None:
    well = RunningContainer(name="a", service="node", up=3600)
    ill = RunningContainer(name="b", service="node", status="restarting", code=1)

    assert node(RunningStack((well, ill), {"sesam-node": "node"})).outcome is FAILED


# stack.mounts


def mounts(inside: StatAnswer, outside: StatAnswer) -> StackMounts:
    container = RunningContainer(name="watchtower", service="watchtower")
    return StackMounts(
        (View(container, Mounted("/x/config.json", "/config.json"), inside, outside),)
    )


FILE = StatAnswer(kind="file", device=8, inode=7)


@pytest.mark.parametrize(
    ("inside", "outside", "outcome"),
    [
        (FILE, FILE, PASSED),
        (FILE, replace(FILE, inode=8), FAILED),
        (replace(FILE, kind="directory", inode=8), FILE, FAILED),
        (StatAnswer(error="EACCES"), FILE, UNKNOWN),
    ],
)
def test_mounts(inside: StatAnswer, outside: StatAnswer, outcome: Outcome) -> None:
    assert evaluate("stack.mounts", mounts(inside, outside)).outcome is outcome


# stack.tls, stack.redirect, stack.api


def served(plain: str = f"https://{NAME}/", **changes: Any) -> Served:
    http = DialAnswer(layer="done", status=301, headers={"location": plain})
    return Served(NAME, tls(NAME, **changes), http, PUBLIC.bundle)


def test_the_certificate_of_the_name() -> None:
    finding = evaluate("stack.tls", served())

    assert finding.outcome is PASSED
    assert finding.message.startswith(f"a certificate for {NAME} by Test Trust Services E1")
    assert finding.message.endswith("until 2027-01-21")
    assert any("127.0.0.1" in note for note in finding.notes)
    assert finding.vantage == "host"


@pytest.mark.parametrize(("days", "outcome"), [(59.9, PASSED), (60.1, FAILED)])
def test_the_certificate_by_its_dates(days: float, outcome: Outcome) -> None:
    now = NOW + timedelta(days=days)

    assert evaluate("stack.tls", served(), now=now).outcome is outcome


def test_traefiks_default_certificate() -> None:
    default = issue("TRAEFIK DEFAULT CERT", names=("a.b.traefik.default",)).der
    for certificates in ("letsencrypt", "provided", "self-signed"):
        profile = Profile(certificates=certificates)
        finding = evaluate("stack.tls", served(certificates=(default,)), profile=profile)

        assert finding.outcome is FAILED
        assert "TRAEFIK DEFAULT CERT" in finding.message


def test_a_private_authority_that_is_not_shown_is_unknown() -> None:
    finding = evaluate(
        "stack.tls",
        served(certificates=PRIVATE.chain(NAME)),
        profile=Profile(certificates="provided"),
    )

    assert finding.outcome is UNKNOWN
    assert "public_roots" in finding.message


@pytest.mark.parametrize(
    ("plain", "outcome"), [(f"https://{NAME}/", PASSED), (f"http://{NAME}/x", FAILED)]
)
def test_the_redirection(plain: str, outcome: Outcome) -> None:
    assert evaluate("stack.redirect", served(plain)).outcome is outcome


def test_no_redirection_is_wanted_where_the_profile_says_so() -> None:
    finding = evaluate("stack.redirect", served("/"), profile=Profile(redirect=False))

    assert finding.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, PASSED), (503, FAILED), (404, FAILED), (429, UNKNOWN)]
)
def test_the_api(status: int, outcome: Outcome) -> None:
    assert evaluate("stack.api", served(status=status)).outcome is outcome


def test_a_node_that_is_not_well_is_led_to_its_logs() -> None:
    remedy = evaluate("stack.api", served(status=503)).remedy

    assert "node_health.log" in remedy
    assert "stacktrace.html" in remedy


# stack.image-current

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
CHANNEL = "sesam/sesam-node:weekly-prod"


def image(digest: str = NEW, named: LocalImage | None = None, asked: str = CHANNEL) -> NodeImage:
    answer = manifest()
    assert answer.last is not None
    told = replace(answer, last=replace(answer.last, headers={DIGEST: NEW}))
    rehearsal = Rehearsal(Unknown("not tried"), Pulled(told, PUBLIC.bundle))
    return NodeImage(asked, CHANNEL, LocalImage((digest,)), named or LocalImage(), rehearsal)


def test_the_newest_image() -> None:
    finding = evaluate("stack.image-current", image())

    assert finding.outcome is PASSED
    assert finding.measured is not None
    assert finding.measured.value == NEW


def test_another_image_that_nobody_dates_is_unknown() -> None:
    finding = evaluate("stack.image-current", image(OLD))

    assert finding.outcome is UNKNOWN
    assert "26 hours" in finding.message


@pytest.mark.parametrize(("hours", "outcome"), [(26, UNKNOWN), (27, FAILED)])
def test_an_image_that_lies_here_unused(hours: float, outcome: Outcome) -> None:
    pulled = datetime.fromtimestamp(NOW.timestamp() - hours * 3600, timezone.utc)

    finding = evaluate("stack.image-current", image(OLD, LocalImage((NEW,), pulled)))

    assert finding.outcome is outcome
    assert f"{pulled:%Y-%m-%d %H:%M} UTC" in finding.message


def test_a_node_of_another_channel() -> None:
    finding = evaluate("stack.image-current", image(asked="sesam/sesam-node:nightly"))

    assert finding.outcome is FAILED
    assert "started as sesam/sesam-node:nightly" in finding.message


def test_an_image_without_a_digest_is_unknown() -> None:
    assert (
        evaluate("stack.image-current", replace(image(), running=LocalImage())).outcome is UNKNOWN
    )


# stack.portal


def test_the_portal_is_a_persons_step() -> None:
    finding = evaluate("stack.portal", NodeName(NAME))

    assert (finding.outcome, finding.reason) == (Outcome.NOT_APPLICABLE, "a person's step")
    assert [note[:2] for note in finding.notes] == ["1.", "2.", "3.", "4."]
    assert f"https://{NAME}" in finding.notes[1]


def test_the_portals_steps_need_no_name() -> None:
    assert "NODE_DOMAIN" in evaluate("stack.portal", NodeName("")).notes[1]


# stack.image-channel


def channel(tag: str) -> Deployment:
    return Deployment({"SESAM_NODE_IMAGE_TAG": tag})


@pytest.mark.parametrize("stage", [Stage.PREFLIGHT, Stage.LIVE])
def test_the_production_channel(stage: Stage) -> None:
    finding = judged("stack.image-channel", channel("weekly-prod"), stage=stage)

    assert finding.outcome is PASSED


def test_an_image_pinned_to_a_digest_is_of_no_channel() -> None:
    pinned = {"SESAM_NODE_IMAGE_TAG": "sha256:0123456789abcdef"}
    finding = judged("stack.image-channel", replace(channel("weekly-prod"), pinned=pinned))

    assert finding.warning
    assert "pinned to sha256:0123456789ab" in finding.message
    of_node = evaluate("stack.image-current", replace(image(), wanted=f"{CHANNEL}@{NEW}"))
    assert of_node.outcome is FAILED
    assert "is pinned: no newer image" in of_node.message


@pytest.mark.parametrize("tag", ["weekly", "nightly", "latest", "Weekly-prod"])
def test_another_channel_is_a_warning(tag: str) -> None:
    finding = judged("stack.image-channel", channel(tag))

    assert finding.warning
    assert finding.message.startswith(f"the node's channel is {tag}")


def test_no_channel_is_unknown() -> None:
    assert judged("stack.image-channel", Deployment({})).outcome is UNKNOWN


def test_unreadable_values_are_unknown() -> None:
    finding = judged("stack.image-channel", unknown={Deployment: Unknown("needs root: .env")})

    assert (finding.outcome, finding.reason) == (UNKNOWN, "needs root: .env")
