"""What to ask of whoever keeps the firewall, as text for a change ticket: from the rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sesam_audit.model import Flow, HostReport, Report

_OWN_PATH = "the host's network path"
_NAT = "The source is the host's own address; what it is after NAT was not measured."


def stands_for(flow: Flow) -> str:
    """The wildcards of the guide that a dialled name stands in for; "" when it was asked for."""
    ends = [each for each in _destinations(flow).split(", ") if each.startswith("*.")]
    covering = [each for each in ends if flow.name.endswith(each.removeprefix("*"))] or ends
    return f"{', '.join(covering)} (a wildcard cannot be proved)" if covering else ""


def closed(flow: Flow) -> bool:
    """Whether a row asks for a change: its finding failed, and it is not the way that worked."""
    return flow.outcome == "failed" and flow.result != "ok"


def ask(flow: Flow, host: HostReport) -> str:
    """The change that would mend a row, in one sentence; "" where there is none to ask for."""
    if not closed(flow):
        return ""
    change = _change(flow, source(host))
    return f"{flow.rule or 'not in the guide'}: {change} ({flow.name}: {flow.result})"


def source(host: HostReport) -> str:
    """The host's own address on its way out; a container's is translated before any firewall."""
    own = (flow for flow in host.flows if flow.context == _OWN_PATH and flow.source)
    return next((flow.source for flow in own), host.address or "the host")


def _change(flow: Flow, own: str) -> str:
    return _inward(flow) if flow.rule.startswith("IN-") else _outward(flow, own)


def _outward(flow: Flow, own: str) -> str:
    to = _destinations(flow)
    if flow.result.startswith("dns-"):
        return f"let the host's resolver answer truthfully for {to}"
    words = {
        "tls-intercepted": f"leave {to} out of TLS inspection, which shows {flow.interception!r}",
        "block-page": f"let {to} pass the web filter or captive portal",
        "proxy-refused": f"let the proxy {flow.proxy} CONNECT to port {flow.port} of {to}",
        "proxy-needs-auth": f"give this host a login for the proxy {flow.proxy}, or let it without",
        "clock-skew": "no change of the firewall, but set the host's clock",
    }
    allow = f"allow TCP {flow.port} from {own} to {to}, without opening TLS"
    return words.get(flow.result, allow)


def _inward(flow: Flow) -> str:
    where = ", ".join((*flow.addresses_v4, *flow.addresses_v6))
    at = f"{flow.name} ({where})" if where and where != flow.name else flow.name
    if flow.result in ("answered", "wrong-host"):
        return f"lead TCP {flow.port} of {at} to this host"
    if flow.result == "dns-fails":
        return f"give {flow.name} an address record that leads to this host"
    others = flow.asked.partition(" from ")[2].partition(" to ")[0]
    return f"allow TCP {flow.port} from {others} to {at}"


def _destinations(flow: Flow) -> str:
    """Where the rule leads, as the guide has it."""
    return flow.asked.rpartition(" to ")[2]


def ticket(name: str, flows: Iterable[Flow], report: Report, host: HostReport) -> str:
    """The text of one rule's change ticket; "" where nothing of it failed."""
    wrong = [flow for flow in flows if closed(flow)]
    return "\n".join(_ticket(name, wrong, report, host)) if wrong else ""


def _ticket(name: str, wrong: list[Flow], report: Report, host: HostReport) -> Iterator[str]:
    yield f"Firewall change {name or 'not in the guide'}, for the Sesam machine {_machine(host)}"
    for change in dict.fromkeys(_change(flow, source(host)) for flow in wrong):
        yield f"- {change[0].upper()}{change[1:]}."
    yield f"Why: {wrong[0].sentence}"
    if wrong[0].if_closed:
        yield f"Until then: {wrong[0].if_closed}."
    yield f"Seen by {report.tool}, requirements {report.requirements}:"
    yield from map(_seen, wrong)
    if not name.startswith("IN-"):
        yield _NAT


def _machine(host: HostReport) -> str:
    return f"{host.host} ({host.address})" if host.address else host.host


def _seen(flow: Flow) -> str:
    where = ", ".join((*flow.addresses_v4, *flow.addresses_v6))
    to = f"{flow.name}:{flow.port}" + (f" at {where}" if where and where != flow.name else "")
    who = f"{flow.vantage} {flow.source}".rstrip()
    who += f", {flow.context}," if flow.context.startswith("a container") else ""
    said = flow.result + (f", {flow.said}" if flow.said and flow.said != where else "")
    auditor = f"; the auditor met: {flow.control}" if flow.control else ""
    return f"- {flow.at} from {who} to {to}: {said}{auditor}"
