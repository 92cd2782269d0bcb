"""Each fault flips exactly its own check and what is declared to depend on it; false ones none."""

from __future__ import annotations

import pytest

from .faults import FAULTS
from .faults.fault import PASSED, Fault, matches, preflight, seeded
from .faults.scenes import SCENES, Scene
from .lab import Lab
from .staging import Scenes, differences

WITHOUT_A_FAULT = {
    "docker.selinux": "the kernels that tests run on have no SELinux",
    "license.signature": "what licenses are signed with is not public; judged in tests/facts",
}


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
