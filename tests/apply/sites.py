"""Hosts as planning sees them, made of answers: bare, laid out, or changed by a test."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sesam_audit.asks import (
    Account,
    AccountAnswer,
    Ask,
    ComposeVersion,
    DockerApiAnswer,
    File,
    FileAnswer,
    Files,
    FilesAnswer,
    Listeners,
    ListenersAnswer,
    Resolved,
    RunAnswer,
    Stat,
    StatAnswer,
    Walk,
    WalkAnswer,
)
from sesam_audit.evidence import Answers
from sesam_audit.facts.compose_plugin import SHARED
from sesam_audit.facts.containers import ASK as CONTAINERS_ASK
from sesam_audit.facts.neighbours import MOUNTS
from sesam_audit.facts.networks import _ASK as NETWORKS_ASK
from sesam_audit.facts.port_owners import PORTS
from sesam_audit.given import GivenLicense
from sesam_audit.inquiry import recall
from sesam_audit.judge import Case, judge, plan, with_needs
from sesam_audit.level import Stage
from sesam_audit.model import Finding
from sesam_audit.planning import FACTS, draft
from sesam_audit.profile import Profile
from sesam_audit.requirement import catalogue, select
from sesam_audit.site import Draft, Site, Step, Wishes
from sesam_audit.testing import NOW
from tests.facts.bare import ROOT, Bare, Given, docker
from tests.facts.sesam_host import SUBSCRIPTION

APPLIANCE = "0b6a4d3e-5c1f-4a77-9f60-3f1f6f0a2c99"
LICENSE = GivenLicense(
    text="-----BEGIN SESAM LICENSE-----\n", id=SUBSCRIPTION, expires="2027-11-22"
)
PROFILE = Profile(node_domain="node.example.org", dns_admin="it@example.org")
WISHES = Wishes(license=LICENSE, appliance=APPLIANCE, start=False)

SHARED_PLUGIN = Stat(f"{SHARED[-1]}/docker-compose")
MOUNTINFO = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
40 22 8:16 / /srv/data rw,relatime - ext4 /dev/sdb rw
"""
SYSFS = {f"/sys/class/block/{name}/dev": f"8:{n}\n" for name, n in (("sda1", 1), ("sdb", 16))}
PASSWD = "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n"
GROUP = "root:x:0:\nubuntu:x:1000:\n"


class Machine(Bare):
    """A bare host: a walk finds nothing, a number nobody has, everything else is not there."""

    def __getitem__(self, ask: Ask[Any]) -> Any:
        if ask not in self.answers and isinstance(ask, Walk):
            return WalkAnswer(entries=1, complete=True)
        return super().__getitem__(ask)


def with_docker(version: str = "20.10", **info: Any) -> Given:
    """A daemon, its plugin and no networks."""
    return {
        **docker(version, **info),
        ComposeVersion(): RunAnswer(code=0, out="2.26.1\n"),
        SHARED_PLUGIN: StatAnswer(kind="file", resolved=Resolved("x", "file", mode=0o755)),
        NETWORKS_ASK: DockerApiAnswer(status=200, value=[]),
        CONTAINERS_ASK: DockerApiAnswer(status=200, value=[]),
        MOUNTS: DockerApiAnswer(status=200, value=[]),
    }


BARE: Given = {
    **ROOT,
    **with_docker(),
    Listeners(PORTS): ListenersAnswer(),
    File("/proc/self/mountinfo", limit=262_144): FileAnswer(text=MOUNTINFO),
    Files("/sys/class/block/*/dev"): FilesAnswer(files=SYSFS),
    File("/proc/net/route", 262_144): FileAnswer(text="Iface\tDestination\tGateway\n"),
    File("/etc/passwd", limit=1_048_576): FileAnswer(text=PASSWD),
    File("/etc/group", limit=1_048_576): FileAnswer(text=GROUP),
}


def site(*answers: Given, profile: Profile = PROFILE, wishes: Wishes = WISHES, **more: Any) -> Site:
    """A bare host with these answers, as planning sees it; `more` are other wishes."""
    everything: Answers = {ask: answer for each in (BARE, *answers) for ask, answer in each.items()}
    evidence = Machine("host", answers=everything)
    chosen = [
        x
        for x in select(Stage.PREFLIGHT)[0]
        if x.category in _JUDGED or x.id == "inbound.port-owner"
    ]
    judged = with_needs(chosen, catalogue())
    kinds = dict.fromkeys([*(kind for item in judged for kind in item.facts()), *FACTS])
    known = recall(kinds, profile, evidence)
    case = Case(known=known, profile=profile, now=NOW)
    found: dict[tuple[str, str | None], Finding] = {}
    for item, subject in plan(judged, profile):
        found[item.id, subject] = judge(item, subject, case, found)
    return Site(profile, known, tuple(found.values()), replace(wishes, **more))


_JUDGED = {"layout", "license", "docker"}


def drafted(*answers: Given, **more: Any) -> Draft:
    """What planning makes of a bare host with these answers."""
    return draft(site(*answers, **more))


def of_kind(made: Draft, kind: str) -> list[Step]:
    return [step for step in made.steps if step.kind == kind]


def one(made: Draft, path: str) -> Step:
    """The one step that is about a path."""
    (found,) = (step for step in made.steps if step.after.get("path") == path)
    return found


def sesam(uid: int = 1500, gid: int | None = None) -> Given:
    """The account is there."""
    answer = AccountAnswer(
        name="sesam", uid=uid, gid=uid if gid is None else gid, group="sesam",
        home="/home/sesam", own_group=uid if gid is None else gid,
    )  # fmt: skip
    return {Account("sesam"): answer}


def networks(*names: str) -> Given:
    """Docker's networks of these names."""
    value = json.loads(
        json.dumps([{"Name": name, "Driver": "bridge", "Id": name * 8} for name in names])
    )
    return {NETWORKS_ASK: DockerApiAnswer(status=200, value=value)}
