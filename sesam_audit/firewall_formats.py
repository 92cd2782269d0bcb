"""The rules to ask for as text for a change ticket, as a table and as JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from sesam_audit import REQUIREMENTS_VERSION, __version__
from sesam_audit.destinations import Destination, host_port
from sesam_audit.opening import SESAM_IP, Opening, Sheet
from sesam_audit.profile import Profile
from sesam_audit.rules import RULES

TERMS = (
    "These outbound firewall rules must be active to operate the service. Not opening the ports"
    " for the specified domains or IPs is in violation of the terms of service."
)
NO_GUARANTEE = (
    "In general it is hard to be specific on IP addresses since most of these services are hosted"
    " on Content Delivery Networks (CDNs), which basically means that you have no guarantee that"
    " the IPs don't change. If you don't have a firewall that support wildcards and/or use of"
    " domain names, an option is to allow this access through a proxy."
)
YOU_WILL_NEED = (
    "A subscription in the Sesam portal (https://portal.sesam.io)",
    "A license key",
    "A docker repository login (provided by Sesam support)",
    "A `sesam` user on the virtual machine",
)
_WILDCARD = re.compile(r"(?<!`)\*(?:\.[\w-]+)+")
COLUMNS = (
    "rule",
    "block",
    "direction",
    "protocol",
    "port",
    "source",
    "destination",
    "stand_ins",
    "need",
    "condition",
    "purpose",
    "if_closed",
    "document",
    "allow_on",
    "notes",
)


def as_markdown(sheet: Sheet, made: datetime) -> str:
    """Text to be pasted into a change ticket."""
    return "\n".join(_markdown(sheet, made)) + "\n"


def _markdown(sheet: Sheet, made: datetime) -> Iterator[str]:
    inbound = [each for each in sheet.rules if each.direction == "inbound"]
    outbound = [each for each in sheet.rules if each.direction == "outbound"]
    yield from ("# Firewall rules for a self-hosted Sesam machine", "")
    yield (
        f"Written on {made:%Y-%m-%d} by sesam-audit {__version__}"
        f" from the guide for self-hosted Sesam, requirements version {REQUIREMENTS_VERSION}."
    )
    yield from ("", "The deployment: " + "; ".join(_options(sheet.profile)) + ".")
    yield f"{SESAM_IP} is the machine's address as the firewall sees it, after NAT if there is any."
    yield from ("", "## Inbound", "")
    yield from _sections(inbound)
    yield from ("## Outbound", "", f"> {TERMS}", ">", f"> {NO_GUARANTEE}", "")
    if sheet.profile.proxy:
        yield "This deployment uses a proxy: allow the destinations on the proxy;"
        yield from ("the host itself needs only the proxy (OUT-PROXY).", "")
    yield from _sections(outbound)
    if sheet.skipped:
        yield from ("## Not asked for", "")
        yield from (f"- {name}: {why}." for name, why in sheet.skipped)
        yield ""
    yield from ("## Also needed, not in the guide", "", "Engineering advice:", "")
    yield from _sections(sheet.also)
    yield from ("## You will need", "", "The guide's list, before the setup can start:", "")
    yield from (f"- [ ] {each}" for each in YOU_WILL_NEED)


def _options(profile: Profile) -> Iterator[str]:
    for key, value in _deployment(profile).items():
        text = ", ".join(value) if isinstance(value, tuple) else value
        if text:
            yield f"{key} = {text}"


def _deployment(profile: Profile) -> dict[str, str | tuple[str, ...]]:
    """The options that rules depend on."""
    host, port = profile.proxy_address or ("", 0)
    return {
        "certificates": profile.certificates,
        "sesam_destinations": profile.sesam_destinations,
        "node_domain": profile.node_domain,
        "public_addresses": profile.public_addresses,
        "client_networks": profile.client_networks,
        "proxy": host_port(host, port) if host else "",
        "fluentbit_host": profile.fluentbit_host,
        "extra_destinations": profile.extra_destinations,
    }


def _sections(openings: Iterable[Opening]) -> Iterator[str]:
    for each in openings:
        yield from (f"### {each.name}", "")
        for key, text in _lines(each):
            yield f"- {key}: {_coded(text)}"
        yield ""


def _lines(opening: Opening) -> Iterator[tuple[str, str]]:
    quoted = f'"{opening.purpose}"' if opening.name in RULES else opening.purpose
    yield "Allow", f"{opening.direction}, {_port(opening)}"
    yield "Source", opening.source
    yield "Destination", ", ".join(opening.destinations)
    if opening.via_proxy:
        yield "Where", "on the proxy"
    yield "Purpose", quoted
    yield "Need", ": ".join(filter(None, (opening.need.value, opening.condition)))
    yield "If it is closed", opening.consequence
    if opening.wildcards:
        yield from _known(opening.stand_ins)
    for note in opening.notes:
        yield "Note", note
    yield "Taken from", opening.document


def _known(stand_ins: tuple[Destination, ...]) -> Iterator[tuple[str, str]]:
    needed = [each for each in stand_ins if each.needed]
    rest = [each for each in stand_ins if not each.needed]
    yield "Known behind the wildcards, no substitute for them", ", ".join(map(_stand_in, needed))
    if rest:
        yield "Also behind them, not needed today", ", ".join(each.name for each in rest)


def _stand_in(each: Destination) -> str:
    return f"{each.name} ({each.by})"


def _port(opening: Opening) -> str:
    protocols = " and ".join(each.upper() for each in opening.protocols)
    ports = ", ".join(map(str, opening.ports))
    return f"{protocols} {ports} ({opening.service})" if opening.service else f"{protocols} {ports}"


def _coded(text: str) -> str:
    """Wildcards as code: an asterisk alone is emphasis."""
    return _WILDCARD.sub(r"`\g<0>`", text)


def as_csv(sheet: Sheet, _made: datetime) -> str:
    """One row for each rule, in both blocks."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for block, openings in _blocks(sheet):
        writer.writerows(_row(block, each) for each in openings)
    return out.getvalue()


def _row(block: str, opening: Opening) -> dict[str, str]:
    return {
        "rule": opening.name,
        "block": block,
        "direction": opening.direction,
        "protocol": ", ".join(opening.protocols),
        "port": ", ".join(map(str, opening.ports)),
        "source": opening.source,
        "destination": ", ".join(opening.destinations),
        "stand_ins": ", ".join(each.name for each in opening.stand_ins),
        "need": opening.need.value,
        "condition": opening.condition,
        "purpose": opening.purpose,
        "if_closed": opening.consequence,
        "document": opening.document,
        "allow_on": _allow_on(opening),
        "notes": " ".join(opening.notes),
    }


def as_json(sheet: Sheet, made: datetime) -> str:
    """Everything, for programs."""
    document = {
        "schema": "sesam-audit/firewall/1",
        "tool": {
            "name": "sesam-audit",
            "version": __version__,
            "requirements": REQUIREMENTS_VERSION,
        },
        "made": f"{made:%Y-%m-%dT%H:%M:%SZ}",
        "deployment": _deployment(sheet.profile),
        "statements": [TERMS, NO_GUARANTEE],
        **{block.replace(" ", "_"): list(map(_object, each)) for block, each in _blocks(sheet)},
        "not_asked_for": [{"name": name, "reason": why} for name, why in sheet.skipped],
        "you_will_need": YOU_WILL_NEED,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _blocks(sheet: Sheet) -> Iterator[tuple[str, tuple[Opening, ...]]]:
    yield "guide", sheet.rules
    yield "also needed", sheet.also


def _object(opening: Opening) -> dict[str, object]:
    return {
        "name": opening.name,
        "direction": opening.direction,
        "protocols": opening.protocols,
        "ports": opening.ports,
        "service": opening.service,
        "source": opening.source,
        "source_networks": opening.networks,
        "destinations": opening.destinations,
        "stand_ins": [
            {
                "name": each.name,
                "needed": each.needed,
                "used_by": each.by,
                "last_seen": each.seen,
                "source": each.source,
            }
            for each in opening.stand_ins
        ],
        "need": opening.need.value,
        "condition": opening.condition,
        "purpose": opening.purpose,
        "if_closed": opening.consequence,
        "document": opening.document,
        "allow_on": _allow_on(opening),
        "notes": opening.notes,
    }


def _allow_on(opening: Opening) -> str:
    return "proxy" if opening.via_proxy else "firewall"
