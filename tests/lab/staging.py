"""Hosts in order, started when a test first needs them, and what differs from how they were."""

from __future__ import annotations

from .auditing import Audited, Auditor, Outcomes
from .faults.scenes import SCENES, Scene
from .host import LabHost
from .lab import Lab

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

    def close(self) -> None:
        """End the hosts that were started, and take back what they published."""
        for name in ("portal.sesam.io", "ss-companyhub.sesam.cloud"):
            self._lab.internet.publish(name, None)
        for host, _, _ in self.ready.values():
            if host is not self._perfect:
                self._lab.stop_host(host)


def differences(audited: Audited, wanted: Outcomes) -> list[str]:
    """Where the findings are not the wanted ones, with what they say."""
    assert list(audited.outcomes) == list(wanted)
    return [
        f"{key}: {wanted[key]} expected, {found['outcome']} found: {found['message']}"
        for key, found in audited.findings.items()
        if found["outcome"] != wanted[key]
    ]
