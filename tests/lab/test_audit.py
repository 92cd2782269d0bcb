"""The main job on real hosts: as everybody an auditor may be, and what it must never do."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from . import perfect as perfect_host
from .auditing import Audited, Auditor
from .faults.fault import NOT_APPLICABLE, PASSED
from .faults.outbound import INSIDE
from .faults.scenes import STANDARD
from .host import LabHost, Wanted
from .lab import Lab
from .root import ASKER_PASSWORD
from .services import LOGIN

NEEDS_ROOT = {  # what an ordinary user cannot tell, whoever that is
    "docker.engine",
    "docker.registry-login",
    "inbound.port-owner [80]",
    "inbound.port-owner [443]",
    "inbound.dns",
    "inbound.caa",
    "inbound.host-firewall",
    "license.file",
    "layout.compose-file",
    "layout.env",
    "stack.image-channel",
}
NEEDS_LISTENER = {"inbound.https [host's address]", "inbound.https [NODE_DOMAIN]"}  # as root alone
LICENSE = perfect_host.license_text()
SECRETS = {
    "license": LICENSE.splitlines()[5],
    "license holder": perfect_host.EMAIL,
    "registry login": LOGIN,
    "sudo password": ASKER_PASSWORD,
    "proxy password": "pr0xy-secret",
    "proxy password on the host": "unit-secret",
    "microservice's secret": "stack-secret",
}


@pytest.fixture(scope="module")
def auditor(lab: Lab) -> Auditor:
    return Auditor(lab)


@pytest.fixture(scope="module")
def second(lab: Lab) -> Iterator[LabHost]:
    """Another perfect host, but of a release too old."""
    host = lab.host("second", Wanted(os_release='NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="18.04"\n'))
    yield host
    lab.stop_host(host)


@contextmanager
def without_python(host: LabHost) -> Iterator[None]:
    paths = "/usr/bin/python3 /usr/bin/python3.11"
    host.run(f"mkdir /run/away && mv {paths} /run/away")
    try:
        yield
    finally:
        host.run("mv /run/away/* /usr/bin && rmdir /run/away")


def not_passed(audited: Audited) -> dict[str, str]:
    return {key: outcome for key, outcome in audited.outcomes.items() if outcome != PASSED}


# -- who audits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["auditor", "root"])
def test_a_perfect_host_audited_with_privilege(
    auditor: Auditor, perfect: LabHost, user: str
) -> None:
    audited = auditor.audit(perfect, user=user)
    assert not_passed(audited) == STANDARD
    assert (audited.code, audited.report["verdict"]) == (3, "incomplete")
    assert audited.host()["user"].partition(" ")[0] == user


def test_sudo_with_its_password_on_standard_input(auditor: Auditor, perfect: LabHost) -> None:
    words = (perfect.spec("asker"), "--ask-sudo-password", "--format", "json", "-q")
    audited = auditor(*words, text=f"{ASKER_PASSWORD}\n")
    assert not_passed(audited) == STANDARD
    assert not audited.errors


def test_a_wrong_sudo_password_is_one_sentence(auditor: Auditor, perfect: LabHost) -> None:
    words = (perfect.spec("asker"), "--ask-sudo-password", "--format", "json", "-q")
    audited = auditor(*words, text="not it\n")
    assert audited.code == 3
    assert set(audited.outcomes.values()) == {"unknown", "blocked", NOT_APPLICABLE}
    assert re.search("sudo.*password", audited.host()["trouble"])


def test_an_insisted_sudo_that_wants_a_password(auditor: Auditor, perfect: LabHost) -> None:
    audited = auditor(perfect.spec("asker"), "--sudo", "--format", "json", "-q")
    assert audited.code == 3
    assert "sudo" in audited.host()["trouble"]


@pytest.mark.parametrize(
    ("user", "words"), [("plain", ()), ("asker", ()), ("auditor", ("--no-sudo",))]
)
def test_an_ordinary_user_proves_nothing_wrong(
    auditor: Auditor, perfect: LabHost, user: str, words: tuple[str, ...]
) -> None:
    audited = auditor.audit(perfect, user=user, words=words)
    outcomes = audited.outcomes
    assert audited.code == 3
    assert "failed" not in outcomes.values()
    unproven = {key for key, outcome in outcomes.items() if outcome == "unknown"} - STANDARD.keys()
    assert unproven == NEEDS_ROOT | NEEDS_LISTENER | set(INSIDE)
    for key in NEEDS_ROOT:
        finding = audited.findings[key]
        assert finding["reason"].startswith("needs root: ")
        assert "sudo " in finding["remedy"]
    for key in (key for key, outcome in outcomes.items() if outcome == "blocked"):
        assert _root_of(key, audited) in {name.partition(" ")[0] for name in NEEDS_ROOT}


def _root_of(key: str, audited: Audited) -> str:
    """The id at the end of a chain of what is blocked by what."""
    finding = audited.findings[key]
    while finding["outcome"] == "blocked":
        finding = audited.findings[finding["blocked_by"]]
    return str(finding["id"])


def test_a_host_without_python(auditor: Auditor, perfect: LabHost) -> None:
    with without_python(perfect):
        audited = auditor.audit(perfect)
    unproven = {key for key, outcome in audited.outcomes.items() if outcome == "unknown"}
    dialled = {key for key in audited.outcomes if re.match(r"outbound\.\w+ \[[\w-]+\.", key)}
    dialled |= {"outbound.sesam [log shipping]", "outbound.interception"}
    assert "failed" not in audited.outcomes.values()
    assert unproven - STANDARD.keys() == NEEDS_LISTENER | dialled
    reasons = {key: audited.findings[key]["reason"] for key in dialled - {"outbound.interception"}}
    unsaid = {key for key, reason in reasons.items() if "Python" not in reason}
    assert not unsaid


# -- several hosts, and in two steps ---------------------------------------------------------------


def test_a_dead_host_costs_the_others_nothing(
    lab: Lab, auditor: Auditor, perfect: LabHost, second: LabHost
) -> None:
    specs = (f"ssh://{lab.internet.resolver}", second.spec(), perfect.spec())
    audited = auditor(*specs, "--format", "json", "-q")
    hosts = audited.report["hosts"]
    assert [host["host"] for host in hosts] == list(specs)
    assert [host["verdict"] for host in hosts] == ["incomplete", "not-ready", "incomplete"]
    assert audited.code == 1
    assert audited.report["verdict"] == "not-ready"
    assert "refuse" in hosts[0]["trouble"]
    assert {each["outcome"] for each in hosts[0]["findings"]} <= {
        "unknown",
        "blocked",
        NOT_APPLICABLE,
    }
    assert hosts[2]["coverage"] == auditor.audit(perfect).host()["coverage"]


def test_a_dead_host_and_a_good_one_are_incomplete(
    lab: Lab, auditor: Auditor, perfect: LabHost
) -> None:
    dead = f"ssh://{lab.internet.resolver}"
    assert auditor(dead, perfect.spec(), "--format", "json", "-q").code == 3


def test_collecting_and_judging_is_the_same_as_running(
    auditor: Auditor, perfect: LabHost, tmp_path: Path
) -> None:
    collected = auditor(perfect.spec(), "-o", str(tmp_path / "evidence"), action="collect")
    assert collected.code == 0, collected.errors
    (saved,) = (tmp_path / "evidence").iterdir()
    judged = auditor(str(saved), "--format", "json", "-q", action="judge")
    ran = auditor.audit(perfect)
    assert judged.outcomes == ran.outcomes
    assert (judged.code, judged.report["verdict"]) == (ran.code, ran.report["verdict"])


def test_a_part_is_never_ready(auditor: Auditor, perfect: LabHost) -> None:
    words = (perfect.spec(), "--only", "hardware", "--only", "layout.user", "--format", "json")
    audited = auditor(*words)
    assert (audited.code, audited.report["verdict"]) == (0, "partial")
    assert {key.partition(".")[0] for key in audited.outcomes} == {"hardware", "layout"}
    assert auditor(*words, "--require-complete").code == 3
    assert not re.search(r"\bready\b", audited.errors, re.IGNORECASE)


# -- what is told ----------------------------------------------------------------------------------


def test_every_report_of_one_run_counts_the_same(
    auditor: Auditor, perfect: LabHost, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"report.{name}" for name in ("json", "junit", "html", "text")}
    words = [word for name, path in files.items() for word in ("--report", f"{name}={path}")]
    audited = auditor(perfect.spec(), *words, "--format", "json", "-q")
    texts = {name: path.read_text() for name, path in files.items()}
    assert json.loads(texts["json"]) == audited.report
    counts = audited.host()["coverage"]
    suite = ET.fromstring(texts["junit"])
    cases = suite.findall(".//testcase")
    assert len(cases) == counts["planned"]
    assert len(suite.findall(".//failure")) == counts["failed"]
    assert len(suite.findall(".//skipped")) == counts["not_applicable"]
    shown = re.findall(r"<dt>([a-z ]+)</dt><dd>(\d+)</dd>", texts["html"])
    assert {key.replace(" ", "_"): int(number) for key, number in shown} == counts
    plain = " ".join(texts["text"].split())
    for name in ("planned", "passed", "failed", "warnings", "unknown", "blocked"):
        assert f"{counts[name]} {name}" in plain
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files.values())


def test_standard_output_carries_only_what_was_asked_for(
    auditor: Auditor, perfect: LabHost
) -> None:
    audited = auditor(perfect.spec())
    assert audited.report["schema"] == "sesam-audit/report/1"
    assert "Nothing wrong found" in audited.errors
    assert "\x1b" not in audited.out + audited.errors
    assert not auditor(perfect.spec(), "-q").errors


# -- what an audit must never do -------------------------------------------------------------------

WATCHED = "/etc /root /srv /sesam /home /tmp /var/tmp /opt /usr/local"
LISTING = f"""
find {WATCHED} -xdev -printf '%p %y %m %U:%G %s %i %T@ %C@ %l\\n' 2>/dev/null
find /srv/data -printf '%p %y %m %U:%G %s %i %T@ %C@ %l\\n'
find {WATCHED} /srv/data -xdev -type f -print0 | sort -z | xargs -0 sha256sum
find /var/lib/docker -maxdepth 1 -printf '%p %y %m %U:%G %C@\\n'
docker ps --all --quiet; docker image ls --quiet; docker network ls --quiet
iptables-save | grep -v '^[#:]'
nft list ruleset 2>/dev/null | sed 's/packets [0-9]* bytes [0-9]*//'
"""


@pytest.mark.parametrize(("user", "words"), [("auditor", ("--passive",)), ("plain", ())])
def test_an_audit_changes_nothing_on_the_host(
    auditor: Auditor, perfect: LabHost, user: str, words: tuple[str, ...]
) -> None:
    wait_for_rooms_to_go(perfect)
    before = perfect.run(LISTING).stdout
    assert "/srv/data/.env" in before
    auditor.audit(perfect, user=user, words=words)
    assert perfect.run(LISTING).stdout == before


def test_an_audit_with_containers_leaves_the_host_as_it_was(
    auditor: Auditor, perfect: LabHost
) -> None:
    """Docker's own directories, where containers came and went, have been written to."""
    listing = LISTING.replace("'%p %y %m %U:%G %C@\\n'", "'%p %y %m %U:%G\\n'")
    assert listing != LISTING
    wait_for_rooms_to_go(perfect)
    before, until = perfect.run(listing).stdout, time.monotonic() + 30
    audited = auditor.audit(perfect)
    assert "a container published 80 and 443 until the audit's end" in audited.host()["sent"]
    while perfect.run(listing).stdout != before and time.monotonic() < until:
        time.sleep(0.2)
    assert perfect.run(listing).stdout == before


def wait_for_rooms_to_go(perfect: LabHost) -> None:
    """An audit that has just ended still removes its containers for a moment."""
    look, until = "docker ps -aq; docker images -aq; pgrep -x python3", time.monotonic() + 30
    while perfect.run(look, check=False).stdout and time.monotonic() < until:
        time.sleep(0.2)


def test_an_audit_of_a_host_without_python_changes_nothing_either(
    auditor: Auditor, perfect: LabHost
) -> None:
    wait_for_rooms_to_go(perfect)
    with without_python(perfect):
        before = perfect.run(LISTING).stdout
        auditor.audit(perfect)
        assert perfect.run(LISTING).stdout == before


@pytest.mark.parametrize("user", ["auditor", "plain"])
def test_an_audit_is_one_connection(auditor: Auditor, perfect: LabHost, user: str) -> None:
    with journal(perfect) as said:
        auditor.audit(perfect, user=user)
    assert len(re.findall("Accepted publickey for", said[0])) == 1


@contextmanager
def journal(host: LabHost) -> Iterator[list[str]]:
    """Afterwards holds what the host's services and sudo logged meanwhile."""
    shown = host.run("journalctl --lines 0 --show-cursor").stdout
    cursor = shlex.quote(shown.partition("cursor: ")[2].strip())
    said: list[str] = []
    yield said
    said.append(host.run(f"journalctl --sync; journalctl --after-cursor {cursor}").stdout)


def test_secrets_go_nowhere(lab: Lab, auditor: Auditor, perfect: LabHost, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("proxyuser:pr0xy-secret\n")
    out = tmp_path / "out"
    settings = (f"proxy={lab.internet.resolver}:3128", f"proxy_credentials={credentials}")
    words = ("--report-dir", str(out), "--evidence", str(out / "evidence"), "-v", "--debug")
    out.mkdir()
    command = (perfect.spec("asker"), *words, "--ask-sudo-password")
    with _secrets_on(perfect), journal(perfect) as said, _watched() as seen:
        ended = auditor(*command, settings=settings, text=f"{ASKER_PASSWORD}\n")
    files = {path.name: path.read_text() for path in out.rglob("*") if path.is_file()}
    assert len(files) == 6
    places = {"output": ended.out, "errors": ended.errors, "logs": said[0], **files}
    places["command lines"] = "\n".join(seen)
    assert "python3" in places["command lines"]
    found = {
        (what, where)
        for what, secret in SECRETS.items()
        for where, text in places.items()
        if secret in text
    }
    assert not found


@contextmanager
def _secrets_on(host: LabHost) -> Iterator[None]:
    """More places on the host where secrets lie: Docker's proxy, the stack's environment."""
    unit, override = "/run/systemd/system/docker.service.d", "/srv/data/docker-compose.override.yml"
    proxied = "[Service]\\nEnvironment=HTTPS_PROXY=http://u:unit-secret@192.0.2.1:3128\\n"
    host.run(f"mkdir -p {unit} && printf '{proxied}' >{unit}/proxy.conf")
    secret = "services:\n  mine:\n    image: mine\n    environment: {PASSWORD: stack-secret}\n"
    host.write(override, secret)
    original = host.read(f"{perfect_host.STORE}/license.key")
    host.write(f"{perfect_host.STORE}/license.key", LICENSE, "sesam", 0o600)
    try:
        yield
    finally:
        host.write(f"{perfect_host.STORE}/license.key", original, "sesam", 0o600)
        host.run(f"rm -r {unit} {override}")


@contextmanager
def _watched() -> Iterator[set[str]]:
    """The command lines of all processes of this machine and its hosts, while it lasts."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_text(errors="replace").replace("\0", " "))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


# -- who must be refused ---------------------------------------------------------------------------


def trouble(audited: Audited) -> str:
    """The one sentence about a host that was not reached, and nothing red."""
    assert audited.code == 3
    assert not {"passed", "failed"}.intersection(audited.outcomes.values())
    assert "Traceback" not in audited.errors
    return str(audited.host()["trouble"])


def test_a_changed_host_key_is_refused(lab: Lab, auditor: Auditor, perfect: LabHost) -> None:
    key = lab.identity.with_name("identity.pub").read_text()
    known = lab.known_hosts.read_text()
    lab.known_hosts.write_text(f"{perfect.name},{perfect.address} {key}")
    try:
        said = trouble(auditor.audit(perfect))
    finally:
        lab.known_hosts.write_text(known)
    assert "host key" in said.lower()


def test_a_refused_key_is_said(auditor: Auditor, perfect: LabHost) -> None:
    assert re.search("[Pp]ermission denied|key", trouble(auditor.audit(perfect, user="sshd")))
