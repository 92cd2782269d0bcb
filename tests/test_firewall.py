"""The rules to ask for: one sheet for one deployment, in four formats."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.destinations import IPS_WARNING
from sesam_audit.errors import UsageError
from sesam_audit.firewall import sheet
from sesam_audit.firewall_formats import COLUMNS, YOU_WILL_NEED, as_csv, as_json, as_markdown
from sesam_audit.firewall_nft import as_nft, resolved, wanted
from sesam_audit.opening import Need, Opening
from sesam_audit.profile import Profile
from sesam_audit.profile_values import is_host, is_network
from sesam_audit.rules import RULES

from .conftest import sesam_audit

MADE = datetime(2026, 11, 22, 21, 58, 4, tzinfo=timezone.utc)
WEB = ("https://db.example.org:8443",)
PROXY = Profile(proxy="http://proxy.example.org:8080", extra_destinations=WEB)
ADVICE = ["ALSO-DNS", "ALSO-NTP", "ALSO-OS", "ALSO-DOCKER", "ALSO-MICROSERVICES"]


def names(profile: Profile) -> list[str]:
    return [each.name for each in sheet(profile).rules]


def rule(profile: Profile, name: str) -> Opening:
    made = sheet(profile)
    return next(each for each in (*made.rules, *made.also) if each.name == name)


# -- which rules -----------------------------------------------------------------------------------


def test_every_rule_of_the_guide_by_default() -> None:
    assert names(Profile()) == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_the_guides_row(name: str) -> None:
    row, opening = RULES[name], rule(Profile(), name)

    assert opening.purpose == row.sentence
    assert opening.consequence == row.consequence
    assert f"{opening.ports[0]}/{opening.service}" == row.port
    assert opening.source == row.source
    assert opening.destinations == row.destinations
    assert opening.protocols == ("tcp",)
    assert opening.document.startswith("Guide, ")


@pytest.mark.parametrize("certificates", ["provided", "self-signed"])
def test_without_lets_encrypt(certificates: Any) -> None:
    made = sheet(Profile(certificates=certificates))

    assert [each.name for each in made.rules] == ["IN-443", "OUT-HUB", "OUT-SESAM", "OUT-PYPI"]
    assert [name for name, _ in made.skipped] == ["IN-80", "OUT-LE"]


def test_what_lets_encrypt_needs_is_conditional() -> None:
    needs = {each.name: each.need for each in sheet(Profile()).rules}

    assert [name for name, need in needs.items() if need is Need.CONDITIONAL] == ["IN-80", "OUT-LE"]
    assert set(needs.values()) == {Need.CONDITIONAL, Need.REQUIRED}


def test_sesam_by_addresses() -> None:
    opening = rule(Profile(sesam_destinations="ips"), "OUT-SESAM")

    assert set(opening.destinations) == {"portal.sesam.io", "137.116.234.60", "52.142.116.113"}
    assert IPS_WARNING in opening.notes[0]
    assert "portal.sesam.io is needed by name" in " ".join(opening.notes)


def test_a_log_host_outside_the_wildcards_is_named() -> None:
    opening = rule(Profile(fluentbit_host="logs.example.org"), "OUT-SESAM")

    assert opening.destinations == ("*.sesam.io", "*.sesam.cloud", "logs.example.org")


def test_extra_destinations_have_a_rule_for_each_port() -> None:
    extras = ("db.example.org:8443", "registry.example.org", "[2001:db8::1]:8443")
    profile = Profile(extra_destinations=extras)

    assert names(profile)[-2:] == ["OUT-EXTRA-443", "OUT-EXTRA-8443"]
    assert rule(profile, "OUT-EXTRA-8443").destinations == ("db.example.org", "2001:db8::1")


def test_clients_and_machine_as_far_as_they_are_known() -> None:
    profile = Profile(
        node_domain="node.example.org",
        public_addresses=("192.0.2.7",),
        client_networks=("10.20.0.0/16",),
    )

    assert rule(profile, "IN-443").source == "Clients (10.20.0.0/16)"
    assert rule(profile, "IN-443").destinations == ("Sesam IP (node.example.org, 192.0.2.7)",)
    assert rule(profile, "IN-80").source == "ANY (Public)"


def test_with_a_proxy_the_host_needs_the_proxy_only() -> None:
    made = sheet(PROXY)
    outbound = [each for each in (*made.rules, *made.also) if each.direction == "outbound"]
    direct = [each.name for each in outbound if not each.via_proxy]

    assert direct == ["OUT-PROXY", "ALSO-DNS", "ALSO-NTP"]
    assert rule(PROXY, "OUT-PROXY").destinations == ("proxy.example.org",)
    assert rule(PROXY, "OUT-PROXY").ports == (8080,)
    assert rule(PROXY, "OUT-HUB").source == "the proxy proxy.example.org:8080, for Sesam IP"


def test_a_database_is_reached_past_the_proxy() -> None:
    profile = Profile(proxy="proxy.example.org:8080", extra_destinations=("db.example.org:5432",))

    assert not rule(profile, "OUT-EXTRA-5432").via_proxy


def test_what_the_guide_does_not_say_is_marked() -> None:
    also = sheet(Profile()).also

    assert [each.name for each in also] == ADVICE
    assert {each.need for each in also} == {Need.ADVICE}
    assert {each.document for each in also} == {"Engineering advice, not in the guide"}


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (Profile(extra_destinations=("a b",)), "extra_destinations: 'a b'"),
        (Profile(extra_destinations=("a.example:70000",)), "extra_destinations"),
        (Profile(extra_destinations=("a.example\n}:1",)), "extra_destinations"),
        (Profile(extra_destinations=("[fe80::1%\n}]:1",)), "extra_destinations"),
        (Profile(fluentbit_host='"; drop'), "fluentbit_host"),
        (Profile(node_domain="https://node"), "node_domain"),
        (Profile(proxy="a b:1"), "proxy"),
        (Profile(client_networks=("clients",)), "client_networks"),
        (Profile(public_addresses=("fe80::1%a\n",)), "public_addresses"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_host_comes_into_no_rule(profile: Profile, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        sheet(profile)


@pytest.mark.parametrize("text", ["pypi.org", "192.0.2.7", "2001:db8::1"])
def test_hosts(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize("text", ["*.docker.com", "the site's resolvers", "fe80::1%x", ""])
def test_no_hosts(text: str) -> None:
    assert not is_host(text)


def test_a_network_may_have_host_bits() -> None:
    assert is_network("10.20.1.1/16")


# -- text, table, JSON -----------------------------------------------------------------------------


def test_the_ticket_has_every_rule_with_all_that_is_asked_of_it() -> None:
    text = as_markdown(sheet(Profile()), MADE)
    parts = dict(re.findall(r"^### (\S+)\n\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL))

    assert list(parts) == [*RULES, *ADVICE]
    for part in parts.values():
        keys = re.findall(r"^- ([^:]+):", part, re.MULTILINE)
        wanted = {"Allow", "Source", "Destination", "Purpose", "Need", "If it is closed"}
        assert wanted | {"Taken from"} <= set(keys)


def test_a_section_of_the_ticket() -> None:
    text = as_markdown(sheet(Profile()), MADE)

    assert (
        "### OUT-LE\n\n"
        "- Allow: outbound, TCP 443 (HTTPS)\n"
        "- Source: Sesam IP\n"
        "- Destination: `*.letsencrypt.org`\n"
        '- Purpose: "Only needed if certificates are managed by Certbot / Let\'s Encrypt"\n'
        "- Need: conditional: while certificates come from Let's Encrypt, as here\n"
        "- If it is closed: the service will not be able to update its Let's Encrypt TLS"
        " certificates\n"
        "- Known behind the wildcards, no substitute for them: acme-v02.api.letsencrypt.org"
        " (the traefik container)\n"
        "- Also behind them, not needed today: acme-staging-v02.api.letsencrypt.org\n"
        "- Taken from: Guide, Outbound firewall rules\n"
    ) in text


def test_the_ticket_lists_what_is_needed_before_the_setup() -> None:
    text = as_markdown(sheet(Profile()), MADE)

    assert text.endswith("".join(f"- [ ] {each}\n" for each in YOU_WILL_NEED))
    for word in ("subscription", "license", "docker repository login", "`sesam` user"):
        assert word in text


def test_the_ticket_quotes_the_terms_of_service() -> None:
    assert "in violation of the terms of service" in as_markdown(sheet(Profile()), MADE)


def test_the_ticket_says_what_is_not_asked_for() -> None:
    text = as_markdown(sheet(Profile(certificates="provided")), MADE)

    assert "- IN-80: certificates are provided; the guide lets this opening be skipped.\n" in text
    assert "### IN-80" not in text


def test_the_ticket_says_that_the_proxy_is_all_the_host_needs() -> None:
    text = as_markdown(sheet(PROXY), MADE)

    assert "allow the destinations on the proxy;\nthe host itself needs only the proxy" in text
    assert "- Where: on the proxy\n" in text


def test_the_ticket_shows_the_options_it_was_made_for() -> None:
    assert "certificates = letsencrypt; sesam_destinations = domains;" in as_markdown(
        sheet(Profile(proxy_credentials="secret.txt")), MADE
    )
    assert "secret" not in as_markdown(sheet(Profile(proxy_credentials="secret.txt")), MADE)


def test_the_table_has_a_row_for_each_rule() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(sheet(PROXY), MADE))))

    assert tuple(rows[0]) == COLUMNS
    assert [row["rule"] for row in rows] == [*RULES, "OUT-EXTRA-8443", "OUT-PROXY", *ADVICE]
    assert {row["block"] for row in rows} == {"guide", "also needed"}
    hub = next(row for row in rows if row["rule"] == "OUT-HUB")
    assert hub["allow_on"] == "proxy"
    assert hub["destination"] == "*.docker.com, *.docker.io"


def test_the_table_holds_no_formula() -> None:
    for row in csv.reader(io.StringIO(as_csv(sheet(PROXY), MADE))):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_the_json_holds_everything() -> None:
    document = json.loads(as_json(sheet(Profile(certificates="provided")), MADE))
    (hub,) = (each for each in document["guide"] if each["name"] == "OUT-HUB")

    assert document["schema"] == "sesam-audit/firewall/1"
    assert document["made"] == "2026-11-22T21:58:04Z"
    assert document["deployment"]["certificates"] == "provided"
    assert [each["name"] for each in document["also_needed"]] == ADVICE
    assert [each["name"] for each in document["not_asked_for"]] == ["IN-80", "OUT-LE"]
    assert hub["stand_ins"][0]["name"] == "registry-1.docker.io"
    assert {each["needed"] for each in hub["stand_ins"]} == {True, False}
    assert hub["ports"] == [443]


# -- nft -------------------------------------------------------------------------------------------


ADDRESSES = {
    "pypi.org": ("192.0.2.9", "192.0.2.10", "2001:db8::9"),
    "files.pythonhosted.org": ("0.0.0.0", "127.0.0.1", "::1", "fe80::1"),
}


def chains(text: str) -> list[str]:
    """The lines of the chains."""
    return text.partition("chain inbound")[2].splitlines()


def test_sets_hold_what_names_resolved_to() -> None:
    text = as_nft(sheet(Profile()), MADE, ADDRESSES)

    assert "elements = { 192.0.2.9, 192.0.2.10 }" in text
    assert "elements = { 2001:db8::9 }" in text
    assert "# pypi.org: 192.0.2.9, 192.0.2.10, 2001:db8::9\n" in text


def test_a_name_that_does_not_resolve_stays_a_comment() -> None:
    text = as_nft(sheet(Profile()), MADE, ADDRESSES)

    assert "# pypi.python.org: not resolved to a usable address\n" in text


def test_no_packet_is_sent_to_a_sinkhole() -> None:
    text = as_nft(sheet(Profile()), MADE, ADDRESSES)

    assert "# files.pythonhosted.org: not resolved to a usable address\n" in text
    assert "127.0.0.1" not in text


def test_wildcards_are_named_as_what_cannot_be_expressed() -> None:
    text = as_nft(sheet(Profile()), MADE, {})

    assert "# not expressible in nftables: *.docker.com, *.docker.io\n" in text


def test_the_head_is_dated_and_warns() -> None:
    head = as_nft(sheet(Profile()), MADE, {}).partition("table inet")[0]

    assert "Made 2026-11-22T21:58:04Z" in head
    assert "this will rot" in head
    assert "wildcards" in head
    assert "you have no guarantee that the IPs don't change" in head


@pytest.mark.parametrize(
    "profile",
    [Profile(), PROXY, Profile(sesam_destinations="ips"), Profile(certificates="provided")],
    ids=["default", "proxy", "ips", "provided"],
)
def test_nothing_drops_and_nothing_hooks(profile: Profile) -> None:
    lines = as_nft(sheet(profile), MADE, ADDRESSES).splitlines()
    code = " ".join(line.partition("#")[0] for line in lines)

    assert not re.search(r"\b(drop|reject|policy|hook|flush|delete)\b", code)


def test_every_rule_says_which_it_is() -> None:
    for line in chains(as_nft(sheet(Profile()), MADE, ADDRESSES)):
        assert " accept" not in line or re.search(r'accept comment "[A-Z0-9-]+"$', line)


def test_addresses_of_the_profile_need_no_resolver() -> None:
    text = as_nft(sheet(Profile(sesam_destinations="ips")), MADE, {})

    assert "elements = { 52.142.116.113, 137.116.234.60 }" in text


def test_clients_are_a_set_and_anybody_is_none() -> None:
    profile = Profile(client_networks=("10.20.1.1/16", "2001:db8::/32"))
    text = as_nft(sheet(profile), MADE, {})

    assert "elements = { 10.20.0.0/16 }" in text
    assert 'ip6 saddr @in_443_v6 tcp dport { 443 } counter accept comment "IN-443"' in text
    assert '        tcp dport { 80 } counter accept comment "IN-80"\n' in text


def test_unknown_clients_are_not_everybody() -> None:
    text = as_nft(sheet(Profile()), MADE, {})

    assert "@in_443_v4 tcp dport { 443 }" in text


def test_what_the_proxy_dials_has_no_set() -> None:
    text = as_nft(sheet(PROXY), MADE, {"proxy.example.org": ("192.0.2.1",)})

    assert "set out_hub" not in text
    assert "# OUT-HUB: on the proxy\n" in text
    assert "elements = { 192.0.2.1 }" in text
    assert wanted(sheet(PROXY)) == ("proxy.example.org",)


def test_names_are_resolved_by_this_machine() -> None:
    found = resolved(["localhost", "192.0.2.1", "no-such-name.invalid", "x" * 64], 10)

    assert set(found["localhost"]) & {"127.0.0.1", "::1"}
    assert found["192.0.2.1"] == ("192.0.2.1",)
    assert not found["no-such-name.invalid"]
    assert not found["x" * 64]


def test_resolving_ends_in_time() -> None:
    begun = time.monotonic()
    resolved([f"{number}.no-such-name.invalid" for number in range(50)], 0.001)

    assert time.monotonic() - begun < 1


# -- the command -----------------------------------------------------------------------------------


def test_the_command_prints_a_ticket_by_default(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").write_text('certificates = "provided"\n')
    done = sesam_audit(
        "firewall", "--profile", "profile.toml", "--set", "node_domain=n.example.org", cwd=tmp_path
    )

    assert done.returncode == 0
    assert not done.stderr
    assert done.stdout.startswith("# Firewall rules for a self-hosted Sesam machine\n")
    assert "### IN-80" not in done.stdout
    assert "Sesam IP (n.example.org)" in done.stdout


@pytest.mark.parametrize(
    ("shape", "start"), [("csv", "rule,block"), ("json", "{\n"), ("nft", "# Firewall rules")]
)
def test_the_command_prints_every_format(shape: str, start: str) -> None:
    done = sesam_audit("firewall", "--format", shape, "--set", "deadline=1")

    assert done.returncode == 0
    assert done.stdout.startswith(start)
    assert done.stdout.endswith("\n")


@pytest.mark.parametrize(
    "words",
    [("--format", "pdf"), ("--set", "certificat=provided"), ("--set", "extra_destinations=a b")],
    ids=["format", "key", "value"],
)
def test_a_wrong_request(words: tuple[str, ...]) -> None:
    done = sesam_audit("firewall", *words)

    assert done.returncode == 2
    assert not done.stdout
