"""SELinux and Docker's labels."""

from __future__ import annotations

import pytest

from sesam_audit.asks import DockerApiAnswer, File, FileAnswer, RunAnswer, Stat, StatAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts import engine, selinux
from sesam_audit.facts.selinux import SELinux

from .bare import docker, find

ENFORCE = File("/sys/fs/selinux/enforce")
POLICY = File("/etc/selinux/config")
INSTALLED = {Stat("/usr/bin/dockerd"): StatAnswer(kind="file")}


@pytest.mark.parametrize(("digit", "mode"), [("1", "enforcing"), ("0\n", "permissive")])
def test_the_policy_now(digit: str, mode: str) -> None:
    assert find(SELinux, docker(), {ENFORCE: FileAnswer(text=digit)}) == SELinux(mode, labels=False)


def test_docker_labels_containers() -> None:
    labelling = docker(SecurityOptions=["name=seccomp,profile=builtin", "name=selinux"])

    assert find(SELinux, labelling, {ENFORCE: FileAnswer(text="1")}).labels is True


def test_a_host_without_selinux() -> None:
    assert find(SELinux, docker()) == SELinux("disabled", labels=False)


def test_docker_may_not_be_asked() -> None:
    closed = {ask: DockerApiAnswer(error="EACCES") for ask in (engine._INFO, engine._VERSION)}

    assert isinstance(find(SELinux, closed, {ENFORCE: FileAnswer(text="1")}).labels, Unknown)


@pytest.mark.parametrize(
    ("out", "labels"),
    [
        ('selinux-enabled": true\n', True),
        ("selinux-enabled\n", True),
        ("selinux-enabled=false\n", False),
        ("", False),
    ],
)
def test_an_image_as_configured(out: str, *, labels: bool) -> None:
    answers = {
        POLICY: FileAnswer(text="# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n"),
        selinux._CONFIGURED: RunAnswer(code=0, out=out),
    }

    assert find(SELinux, INSTALLED, answers) == SELinux("enforcing", labels=labels)


def test_an_image_without_a_policy() -> None:
    assert find(SELinux, INSTALLED, {selinux._CONFIGURED: RunAnswer(code=2)}).mode == "disabled"
