"""Ownership below /srv/data and /sesam: what the walk is asked, and what it proves."""

from __future__ import annotations

from typing import Any

import pytest

from sesam_audit.asks import Ask, DockerApi, DockerApiAnswer, File, FileAnswer, Walk, WalkAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.engine import _INFO, _VERSION
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.ownership import Ownership
from sesam_audit.inquiry import Inquiry
from sesam_audit.profile import Profile

from .machine import find
from .sesam_host import Answers, on_data_disk


def walk_of(answers: Answers) -> Walk:
    """The walk that is asked for."""
    inquiry, seen = Inquiry((Ownership,), Profile()), dict[Ask[Any], None]()
    while inquiry.pending:
        seen.update(dict.fromkeys(inquiry.pending))
        inquiry.feed({ask: answers.get(ask, ask.answer(error="ENOENT")) for ask in inquiry.pending})
    (walk,) = (ask for ask in seen if isinstance(ask, Walk))
    return walk


def test_it_looks_for_the_numbers_of_sesam() -> None:
    walk = walk_of(on_data_disk())

    assert (walk.roots, walk.uid, walk.gid) == (("/srv/data", "/sesam"), 1000, 1000)


def test_what_others_own_by_rule_is_passed_over() -> None:
    walk = walk_of(on_data_disk())

    assert {"lost+found", "acme.json", ".zfs", ".snapshot", ".snapshots"} == set(walk.skip_names)
    assert {"/srv/data/traefik/letsencrypt", "/sesam/fluentbit"} <= set(walk.skip)
    assert {"/srv/data/.env", "/srv/data/docker-compose.yml"} <= set(walk.skip)


def engine(root: str) -> Answers:
    info: DockerApi = _INFO
    return {
        info: DockerApiAnswer(status=200, value={"DockerRootDir": root}),
        _VERSION: DockerApiAnswer(status=200, value={"Version": "29.3.0"}),
    }


def test_dockers_own_directory_on_the_data_disk() -> None:
    walk = walk_of(on_data_disk() | engine("/srv/data/images"))

    assert "/srv/data/images" in walk.skip
    assert "/srv/data/docker" not in walk.skip


def test_dockers_directory_as_configured_when_it_does_not_answer() -> None:
    daemon: Answers = {
        File("/etc/docker/daemon.json"): FileAnswer(text='{"data-root": "/srv/data/dd/"}')
    }

    assert "/srv/data/dd" in walk_of(on_data_disk() | daemon).skip


def test_containerds_directory() -> None:
    config: Answers = {
        File("/etc/containerd/config.toml"): FileAnswer(text='version = 2\nroot = "/srv/data/cd"\n')
    }

    assert "/srv/data/cd" in walk_of(on_data_disk() | config).skip


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"data-root": 5}', '{"data-root": "/var/lib/docker"}']
)
def test_other_settings_change_nothing(text: str) -> None:
    daemon: Answers = {File("/etc/docker/daemon.json"): FileAnswer(text=text)}

    assert walk_of(on_data_disk() | daemon).skip[-1].startswith("/srv/data/")


SECRET: Answers = {File("/etc/docker/daemon.json"): FileAnswer(error="EACCES")}
SEALED: Answers = {File("/etc/containerd/config.toml"): FileAnswer(error="EACCES")}


def strangers(*more: Answers) -> Inspection:
    answers = on_data_disk()
    for each in more:
        answers |= each
    walk = WalkAnswer(entries=9, offenders=1, samples=("/srv/data/dd root:root",), complete=True)
    return find(Ownership, answers | {walk_of(answers): walk}).inspect()


@pytest.mark.parametrize("more", [(SECRET,), (SEALED,), (SEALED, engine("/var/lib/docker"))])
def test_a_stranger_may_be_dockers_own_where_its_settings_are_hidden(
    more: tuple[Answers, ...],
) -> None:
    found = strangers(*more)

    assert not found.problems
    assert found.unknown is not None
    assert "1 of 9 entries do not belong to sesam:sesam" in found.unknown.reason
    assert "Docker's own may be among them: needs root: /etc/" in found.unknown.reason


@pytest.mark.parametrize("more", [(), (SECRET, engine("/var/lib/docker"))])
def test_a_stranger_is_a_problem_where_dockers_own_place_is_known(
    more: tuple[Answers, ...],
) -> None:
    assert "do not belong" in strangers(*more).problems[0]


def test_without_sesam_nobody_owns_anything() -> None:
    with pytest.raises(Unknown, match="no user sesam"):
        find(Ownership, {})


def test_nothing_to_walk() -> None:
    with pytest.raises(Unknown):
        find(Ownership, on_data_disk())


def test_a_whole_walk_without_offenders() -> None:
    found = Ownership(WalkAnswer(entries=9, complete=True)).inspect()

    assert (found.problems, found.doubts) == ([], [])


def test_offenders_are_named_and_counted() -> None:
    samples = tuple(f"/sesam/{n} root:root" for n in range(9))
    walk = WalkAnswer(entries=90, offenders=40, samples=samples, complete=True)
    (problem,) = Ownership(walk).inspect().problems

    assert "40 of 90 entries do not belong to sesam:sesam: /sesam/0 root:root" in problem
    assert "4 more" in problem


def test_a_bound_without_offenders_proves_nothing() -> None:
    found = Ownership(WalkAnswer(entries=200_000, complete=False)).inspect()

    assert not found.problems
    assert "only the first 200000" in str(found.unknown)


def test_a_bound_with_an_offender_is_proof() -> None:
    walk = WalkAnswer(entries=5, offenders=1, samples=("/a b:c",), complete=False)

    assert "(so far)" in Ownership(walk).inspect().problems[0]


def test_unreadable_directories_prove_nothing() -> None:
    walk = WalkAnswer(entries=5, complete=True, unreadable=("/srv/data/sesam",))

    assert "needs root" in str(Ownership(walk).inspect().unknown)


def test_what_was_passed_over_is_named() -> None:
    walk = WalkAnswer(entries=5, complete=True, passed_over=("/srv/data/lost+found",))

    assert Ownership(walk).inspect().notes == ["not judged, by rule: /srv/data/lost+found"]
