"""A host on which nothing is there but what a test puts on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sesam_audit.asks import Answer, Ask, DockerApiAnswer, Self, SelfAnswer
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Answers, Evidence
from sesam_audit.facts import engine
from sesam_audit.inquiry import recall
from sesam_audit.profile import Profile

DATA = Path(__file__).parent / "data"
ROOT = {Self(): SelfAnswer(uid=0, user="root")}

T = TypeVar("T")
Given = Mapping[Any, Answer]


@dataclass
class Bare(Evidence):
    """Evidence in which every other question was answered: there is no such thing."""

    def __getitem__(self, ask: Ask[Any]) -> Answer | Unknown:
        return self.answers.get(ask, ask.answer(error="ENOENT"))


def find(kind: type[T], *answers: Given, profile: Profile | None = None) -> T:
    """The fact as it comes out on a bare host with these answers."""
    everything: Answers = {ask: answer for each in (ROOT, *answers) for ask, answer in each.items()}
    found = recall([kind], profile or Profile(), Bare("host", answers=everything))[kind]
    if isinstance(found, Unknown):
        raise found
    assert isinstance(found, kind)
    return found


def unknown(kind: type, *answers: Given, profile: Profile | None = None) -> str:
    """Why the fact cannot be told on a bare host with these answers."""
    with pytest.raises(Unknown) as caught:
        find(kind, *answers, profile=profile)
    return caught.value.reason


def read(name: str) -> str:
    return (DATA / name).read_text()


def said(path: str, value: Any, status: int = 200) -> Given:
    """What the daemon answers when it is asked for its description."""
    ask = {each.path: each for each in (engine._INFO, engine._VERSION)}[path]
    return {ask: DockerApiAnswer(status=status, value=value)}


def docker(version: str = "20.10", **info: Any) -> Given:
    """A daemon that answers."""
    described = json.loads(read("docker/info-20.10.json"))
    return {
        **said("/info", described | info),
        **said("/version", json.loads(read(f"docker/version-{version}.json"))),
    }
