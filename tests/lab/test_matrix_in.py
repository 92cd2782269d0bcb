"""Every verdict on the way in: which real part brings it, and that it brings no other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .auditing import Audited, Auditor
from .faults.fault import FAILED, NOT_APPLICABLE, PASSED, UNKNOWN
from .host import LabHost, Wanted
from .lab import Lab
from .services import NETWORK, SINKHOLE

WAYS = ("host's address", "NODE_DOMAIN")
NAMED = "NODE_DOMAIN"
FROM = ("--from", "ssh://outside=internet", "--only", "inbound")
ALL = tuple((rule, way) for rule in ("IN-80", "IN-443") for way in WAYS)
IDS = {"IN-80": "inbound.http", "IN-443": "inbound.https"}


@pytest.fixture(scope="module")
def outside(lab: Lab) -> Iterator[LabHost]:
    """A machine of its own on the lab's internet."""
    host = lab.host("outside", Wanted(bare=True, data_disk=False, docker=False))
    yield host
    lab.stop_host(host)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A part in the way in; `rows` are the words from outside, all other rows are ok."""

    name: str
    rows: dict[tuple[str, str], str]
    changes: dict[str, str]
    says: str
    street: str = ""  # a rule of nftables before the host, for its public address
    leads: str = ""  # where the name leads
    translated: str = ""  # where connections to the public address arrive in truth
    words: tuple[str, ...] = FROM


def _both(word: str) -> dict[tuple[str, str], str]:
    return {("IN-80", NAMED): word, ("IN-443", NAMED): word}


def _ids(outcome: str, *rows: tuple[str, str]) -> dict[str, str]:
    return {f"{IDS[rule]} [{way}]": outcome for rule, way in rows}


BY_NAME = tuple(_both(""))
NOT_TRIED = {row: "not tried" for row in ALL if row[1] != NAMED}  # a private address: another's
LEFT_TO_THE_NAME = ("IN-80", WAYS[0])
BLIND = {  # from outside no address is proved to be the host's
    f"inbound.exposure [{port}]": UNKNOWN for port in (2375, 2376, 9042)
}
OVER_IPV6 = tuple((rule, "NODE_DOMAIN over IPv6") for rule in IDS)
NO_IPV6 = _ids(NOT_APPLICABLE, *OVER_IPV6) | {"inbound.closed [closed ports]": NOT_APPLICABLE}
CELLS = (
    Cell(name="right host: the audit's own listener", rows={}, changes={}, says=""),
    Cell(
        name="refused: nftables reject with reset",
        rows={("IN-443", NAMED): "tcp-refused"},
        changes=_ids(UNKNOWN, ("IN-443", NAMED)),  # it may be private
        says="refused",
        street="tcp dport 443 reject with tcp reset",
    ),
    Cell(
        name="filtered: nftables drop",
        rows={("IN-80", NAMED): "tcp-timeout"},
        changes=_ids(FAILED, ("IN-80", NAMED)),
        says="filtered",
        street="tcp dport 80 drop",
    ),
    Cell(
        name="mute: nftables drop all that is said",
        rows={("IN-443", NAMED): "mute"},
        changes=_ids(UNKNOWN, ("IN-443", NAMED)),
        says="does not come",
        street="tcp dport 443 tcp flags & psh == psh drop",
    ),
    Cell(
        name="answered by something else: another web server behind the address",
        rows=_both("answered"),
        changes=_ids(FAILED, *BY_NAME) | BLIND,
        says="something else than this host",
        translated=SINKHOLE,
    ),
    Cell(
        name="the name leads elsewhere",
        rows=_both("answered"),
        changes=_ids(FAILED, *BY_NAME) | BLIND | {"inbound.dns": FAILED},
        says="leads to another machine",
        leads=SINKHOLE,
    ),
    Cell(
        name="not proven: nobody may listen",
        rows=_both("tcp-refused"),
        changes=_ids(UNKNOWN, *ALL) | BLIND,
        says="nothing listens yet",
        words=(*FROM, "--passive"),
    ),
)


@contextlib.contextmanager
def put(lab: Lab, cell: Cell, perfect: LabHost) -> Iterator[None]:
    """The cell's part in its place, and away again."""
    address = perfect.public_address
    rule = f"ip daddr {address} {cell.street}"
    try:
        with contextlib.ExitStack() as stack:
            if cell.street:
                stack.enter_context(lab.internet.filtered(rule))
            if cell.leads:
                lab.internet.publish(perfect.node_domain, cell.leads)
            if cell.translated:
                lab.internet.translate(address, cell.translated)
            yield
    finally:
        lab.internet.reset()
        lab.internet.publish(perfect.node_domain, address)


def rows(audited: Audited, vantage: str = "ssh://outside") -> dict[tuple[str, str], str]:
    return {
        (flow["rule"], flow["subject"]): flow["result"]
        for flow in audited.host()["flows"]
        if flow["rule"].startswith("IN-") and flow["vantage"] == vantage
    }


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_part_in_the_way_in_brings_its_verdict_and_no_other(
    lab: Lab, perfect: LabHost, outside: LabHost, cell: Cell
) -> None:
    auditor = Auditor(lab)
    assert outside.name == "outside"
    with put(lab, cell, perfect):
        audited = auditor.audit(perfect, "deadline=8", words=cell.words)

    open_80 = cell.changes.get(f"inbound.http [{NAMED}]", PASSED) == PASSED
    by_address = _ids(NOT_APPLICABLE if open_80 else UNKNOWN, LEFT_TO_THE_NAME)
    others = dict.fromkeys(audited.outcomes, PASSED) | NO_IPV6 | by_address
    assert rows(audited) == {row: cell.rows.get(row, "ok") for row in ALL} | NOT_TRIED
    assert audited.outcomes == others | cell.changes
    said = [audited.findings[key]["message"] for key in cell.changes]
    assert not said or any(cell.says in each for each in said), said


def test_a_host_that_looks_at_itself_proves_nothing(lab: Lab, perfect: LabHost) -> None:
    words = ("--from", "ssh://perfect=internet", "--only", "inbound")
    audited = Auditor(lab).audit(perfect, words=words)

    assert rows(audited, "ssh://perfect") == dict.fromkeys(ALL, "not tried")
    flows = [flow for flow in audited.host()["flows"] if flow["vantage"] == "ssh://perfect"]
    said = {flow["said"] for flow in flows if flow["subject"] == NAMED}
    assert len(said) == 1
    assert "ssh://perfect runs on the host itself, which is no evidence about it" in said.pop()
    assert {audited.outcomes[f"inbound.http [{way}]"] for way in WAYS} == {UNKNOWN}


def test_the_listener_of_another_audited_host_is_the_wrong_host(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    auditor = Auditor(lab)
    nothing_out = f"ip saddr {outside.address} ip daddr {NETWORK}.0/24 drop"
    lab.internet.publish(perfect.node_domain, outside.public_address)
    try:
        with (
            lab.internet.filtered(nothing_out),
            auditor.start(outside.spec(), "--format", "json", settings=("deadline=9",)) as other,
        ):
            outside.run("until ss -Hltn sport = :443 | grep -q .; do sleep 0.05; done")
            audited = auditor.audit(perfect, words=("--only", "inbound"))
            other.kill()
    finally:
        lab.internet.publish(perfect.node_domain, perfect.public_address)

    assert rows(audited, "auditor") == {
        row: "wrong-host" if row[1] == NAMED else "ok" for row in ALL
    }
    assert audited.outcomes["inbound.https [NODE_DOMAIN]"] == FAILED
    assert "another machine answers" in audited.findings["inbound.https [NODE_DOMAIN]"]["message"]
    assert audited.outcomes["inbound.dns"] == FAILED
    assert outside.public_address in audited.findings["inbound.dns"]["message"]


NAT, DEAD = f"{NETWORK}.200", f"{NETWORK}.201"


@contextlib.contextmanager
def leading(lab: Lab, perfect: LabHost, *addresses: str) -> Iterator[None]:
    """The name leads there for a while."""
    lab.internet.publish(perfect.node_domain, *addresses)
    try:
        yield
    finally:
        lab.internet.reset()
        lab.internet.publish(perfect.node_domain, perfect.public_address)


def changed(audited: Audited) -> dict[str, str]:
    """What came out otherwise than on a host that is proved."""
    usual = dict.fromkeys(audited.outcomes, PASSED) | NO_IPV6
    usual |= _ids(NOT_APPLICABLE, LEFT_TO_THE_NAME)
    return {key: x for key, x in audited.outcomes.items() if x != usual[key]}


@pytest.mark.parametrize("dead", ["", f"ip daddr {DEAD} drop"], ids=["unreachable", "silent"])
def test_one_dead_address_of_two_is_a_fault_and_named(
    lab: Lab, perfect: LabHost, outside: LabHost, dead: str
) -> None:
    assert outside.name == "outside"
    quiet = lab.internet.filtered(dead) if dead else contextlib.nullcontext()
    with leading(lab, perfect, DEAD, perfect.public_address), quiet:
        audited = Auditor(lab).audit(perfect, "deadline=9", words=FROM)

    wanted = _ids(FAILED, *BY_NAME) | _ids(UNKNOWN, LEFT_TO_THE_NAME) | {"inbound.dns": UNKNOWN}
    assert changed(audited) == wanted
    message = audited.findings[f"inbound.http [{NAMED}]"]["message"]
    assert f"port 80 at {DEAD} does not answer" in message
    assert DEAD in audited.findings["inbound.dns"]["message"]


def test_two_addresses_that_both_lead_here_are_fine(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    with leading(lab, perfect, NAT, perfect.public_address):
        lab.internet.translate(NAT, perfect.public_address)
        audited = Auditor(lab).audit(perfect, words=FROM)

    assert changed(audited) == {}
    assert any(f"{NAT} is proved" in note for note in audited.findings["inbound.dns"]["notes"])


def test_only_the_hairpin_fails_which_is_a_note(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    own = f"{{ {perfect.address}, {perfect.public_address} }}"
    back = lab.internet.filtered(f"ip saddr {own} ip daddr {NAT} drop")
    with leading(lab, perfect, NAT), back:
        lab.internet.translate(NAT, perfect.public_address)
        audited = Auditor(lab).audit(perfect, "deadline=9", words=FROM)

    assert changed(audited) == {}
    for rule in IDS.values():
        notes = audited.findings[f"{rule} [{NAMED}]"]["notes"]
        assert any("get back to its own NODE_DOMAIN (silent): ignored" in x for x in notes)


def test_the_hairpin_alone_proves_nothing(lab: Lab, perfect: LabHost) -> None:
    others = lab.internet.filtered(f"ip saddr {lab.auditor_address} ip daddr {NAT} drop")
    with leading(lab, perfect, NAT), others:
        lab.internet.translate(NAT, perfect.public_address)
        audited = Auditor(lab).audit(perfect, "deadline=9", words=("--only", "inbound"))

    for rule in IDS.values():
        finding = audited.findings[f"{rule} [{NAMED}]"]
        assert finding["outcome"] == UNKNOWN
        assert "hairpin only" in finding["message"]
    assert audited.outcomes["inbound.dns"] == UNKNOWN


SIX_CLOSED = (
    "nft add table ip6 six; nft 'add chain ip6 six in { type filter hook prerouting priority -300;"
    " }'; nft add rule ip6 six in tcp dport '{ 80, 443 }' drop"
)


@pytest.fixture
def with_six(lab: Lab, perfect: LabHost, outside: LabHost) -> Iterator[None]:
    """The host has an IPv6 address too, its name leads there, and outside has IPv6 as well."""
    with lab.six(perfect, outside):
        lab.internet.publish(perfect.node_domain, perfect.public_address, perfect.address_6)
        yield
        lab.internet.publish(perfect.node_domain, perfect.public_address)


@pytest.mark.usefixtures("with_six")
def test_a_name_with_both_families_is_proved_over_ipv6(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    audited = Auditor(lab).audit(perfect, words=FROM)

    assert rows(audited) == dict.fromkeys((*ALL, *OVER_IPV6), "ok") | NOT_TRIED
    off = _ids(NOT_APPLICABLE, LEFT_TO_THE_NAME) | {"inbound.closed [closed ports]": NOT_APPLICABLE}
    assert audited.outcomes == dict.fromkeys(audited.outcomes, PASSED) | off


@pytest.mark.usefixtures("with_six")
def test_an_aaaa_that_does_not_answer_is_a_fault(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    perfect.run(SIX_CLOSED)
    try:
        audited = Auditor(lab).audit(perfect, "deadline=6", words=FROM)
    finally:
        perfect.run("nft delete table ip6 six")

    assert changed(audited) == _ids(FAILED, *OVER_IPV6)
    assert {rows(audited)[row] for row in OVER_IPV6} == {"tcp-timeout"}
    for key in changed(audited):
        assert f"AAAA {perfect.address_6} does not answer" in audited.findings[key]["message"]


@pytest.mark.usefixtures("with_six")
def test_a_name_with_an_aaaa_alone_needs_no_other(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    with leading(lab, perfect, perfect.address_6):
        audited = Auditor(lab).audit(perfect, words=FROM)

    over_ipv4 = _ids(NOT_APPLICABLE, *BY_NAME)
    assert changed(audited) == over_ipv4 | _ids(PASSED, *OVER_IPV6)


def test_an_aaaa_that_nobody_could_try_is_not_proven(
    lab: Lab, perfect: LabHost, outside: LabHost
) -> None:
    assert outside.name == "outside"
    with lab.six(perfect):
        lab.internet.publish(perfect.node_domain, perfect.public_address, perfect.address_6)
        audited = Auditor(lab).audit(perfect, words=FROM)
    lab.internet.publish(perfect.node_domain, perfect.public_address)

    assert changed(audited) == _ids(UNKNOWN, *OVER_IPV6)
    message = audited.findings["inbound.http [NODE_DOMAIN over IPv6]"]["message"]
    assert "no route" in message
