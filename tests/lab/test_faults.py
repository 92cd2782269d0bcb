"""Each fault flips exactly its own check and what is declared to depend on it; false ones none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .auditing import Audited, Auditor, Outcomes
from .faults import FAULTS
from .faults.fault import PASSED, Fault, matches, preflight, seeded
from .faults.scenes import SCENES, Scene
from .host import LabHost
from .lab import Lab

WITHOUT_A_FAULT = {
    "docker.selinux": "the kernels that tests run on have no SELinux",
    "license.signature": "what licenses are signed with is not public; judged in tests/facts",
}

Stage = tuple[LabHost, Auditor, Outcomes]


class Scenes:
    """Hosts by the name of their scene, started when first needed, each with its baseline."""

    def __init__(self, lab: Lab, perfect: LabHost) -> None:
        self._lab = lab
        self._perfect = perfect
        self.ready: dict[str, Stage] = {}

    def __getitem__(self, name: str) -> Stage:
        if name not in self.ready:
            self.ready[name] = self._start(SCENES[name])
        return self.ready[name]

    def _start(self, scene: Scene) -> Stage:
        lab = self._lab
        host = lab.host(scene.name, scene.wanted(lab)) if scene.own_host else self._perfect
        if scene.prepare:
            scene.prepare(lab, host)
        auditor = Auditor(lab, scene.settings)
        return host, auditor, auditor.audit(host).outcomes


@pytest.fixture(scope="module")
def scenes(lab: Lab, perfect: LabHost) -> Iterator[Scenes]:
    scenes = Scenes(lab, perfect)
    yield scenes
    for name in ("portal.sesam.io", "ss-companyhub.sesam.cloud"):
        lab.internet.publish(name, None)
    for host, _, _ in scenes.ready.values():
        if host is not perfect:
            lab.stop_host(host)


def differences(audited: Audited, wanted: Outcomes) -> list[str]:
    """Where the findings are not the wanted ones, with what they say."""
    assert list(audited.outcomes) == list(wanted)
    return [
        f"{key}: {wanted[key]} expected, {found['outcome']} found: {found['message']}"
        for key, found in audited.findings.items()
        if found["outcome"] != wanted[key]
    ]


@pytest.mark.parametrize("scene", SCENES.values(), ids=list(SCENES))
def test_the_host_without_a_fault(scenes: Scenes, scene: Scene) -> None:
    host, auditor, outcomes = scenes[scene.name]
    wanted = {**dict.fromkeys(outcomes, PASSED), **scene.baseline}
    assert differences(auditor.audit(host), wanted) == []


def test_every_requirement_has_a_fault() -> None:
    """An id that is new needs a fault of its own, or a reason here why it cannot have one."""
    spoiled = {identifier for fault in FAULTS for identifier in fault.spoiled}
    assert preflight().keys() - spoiled == WITHOUT_A_FAULT.keys()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_exactly_what_it_should(lab: Lab, scenes: Scenes, fault: Fault) -> None:
    host, auditor, baseline = scenes[fault.scene]
    with seeded(fault, lab, host):
        audited = auditor.audit(host, *fault.settings, user=fault.user, words=fault.words)
    assert differences(audited, {**baseline, **fault.expected(baseline)}) == []
    said = [audited.findings[key]["message"] for key in fault.changes]
    assert matches(fault.says, said) or not said


@pytest.mark.parametrize("scene", SCENES.values(), ids=list(SCENES))
def test_the_baseline_is_back(scenes: Scenes, scene: Scene) -> None:
    host, auditor, baseline = scenes[scene.name]
    assert differences(auditor.audit(host), baseline) == []
