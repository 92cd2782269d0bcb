"""What to ask of whoever keeps the firewall, as text for a change ticket: from the rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sesam_audit.model import Flow, HostReport, Report

_OWN_PATH = "the host's network path"
_NAT = "The source is the host's own address; what it is after NAT was not measured."
_FORWARDED = ("dns-fails", "dns-sinkhole", "tcp-refused", "tcp-timeout", "tls-fails")
_UNREACHED = ("dns-fails", "tcp-refused", "tcp-timeout")  # said of the proxy, where there is one
_PROXY_RULE = "OUT-PROXY"


def stands_for(flow: Flow) -> str:
    """The wildcards of the guide that a dialled name stands in for; "" when it was asked for."""
    covering = [each for each in _holding(flow) if each.startswith("*.")]
    return f"{', '.join(covering)} (a wildcard cannot be proved)" if covering else ""


def closed(flow: Flow) -> bool:
    """Whether a row asks for a change: its finding failed, and it is not the way that worked."""
    return flow.outcome == "failed" and flow.result != "ok"


def inside_alone(flow: Flow, host: HostReport) -> bool:
    """Whether a container met what the host itself, by the same way, did not meet."""
    return (
        flow.vantage == "container"
        and flow.result in _FORWARDED
        and any(
            (each.rule, each.name, each.port, each.proxy)
            == (flow.rule, flow.name, flow.port, flow.proxy)
            and (each.vantage, each.result) == ("host", "ok")
            for each in host.flows
        )
    )


def ask(flow: Flow, host: HostReport) -> str:
    """The change that would mend a row, in one sentence; "" where there is none to ask for."""
    if not closed(flow):
        return ""
    return f"{flow.rule or 'not in the guide'}: {_change(flow, host)} ({flow.name}: {flow.result})"


def source(host: HostReport) -> str:
    """The host's own address on its way out; a container's is translated before any firewall."""
    own = (flow for flow in host.flows if flow.context == _OWN_PATH and flow.source)
    return next((flow.source for flow in own), host.address or "the host")


def _change(flow: Flow, host: HostReport) -> str:
    mended_here = _here(flow, host)
    if mended_here:
        return f"no firewall change: {mended_here}"
    if flow.rule.startswith("IN-"):
        return _inward(flow)
    if flow.rule == _PROXY_RULE:
        return _to_proxy(flow, f"{flow.name}:{flow.port}", "the other outbound rules", host)
    return _outward(flow, host)


def _here(flow: Flow, host: HostReport) -> str:
    """What is to be mended on the machine itself; "" where its network is at fault."""
    if flow.result == "clock-skew":
        return "set the host's clock"
    if not inside_alone(flow, host):
        return ""
    if flow.result.startswith("dns-"):
        return (
            "the host itself resolves it; let its containers' DNS questions through on the host"
            ' (DOCKER-USER, nftables, "dns" in /etc/docker/daemon.json)'
        )
    return (
        "the host itself reaches it; let the host forward what its containers send"
        " (DOCKER-USER, nftables)"
    )


def _outward(flow: Flow, host: HostReport) -> str:
    to = _destinations(flow) if _holding(flow) else _outside(flow)
    if flow.proxy and flow.result in (*_UNREACHED, "proxy-refused", "proxy-needs-auth"):
        return _to_proxy(flow, flow.proxy, to, host)
    if flow.result.startswith("dns-"):
        return f"let the host's resolver answer truthfully for {to}"
    own = source(host)
    words = {
        "tls-intercepted": f"leave {to} out of TLS inspection, which shows {flow.interception!r}",
        "block-page": f"let {to} pass the web filter or captive portal",
    }
    through = f"the proxy {flow.proxy}, for {own}," if flow.proxy else own
    return words.get(
        flow.result, f"allow TCP {flow.port} from {through} to {to}, without opening TLS"
    )


def _to_proxy(flow: Flow, proxy: str, to: str, host: HostReport) -> str:
    """What lets a host through a proxy to its destinations."""
    name, _, port = proxy.rpartition(":")
    if flow.result == "proxy-needs-auth":
        return f"give this host a login for the proxy {proxy}, or let it without"
    if flow.result == "dns-fails":
        return f"let the host's resolver answer for {name}, the proxy's name"
    if flow.result in _UNREACHED:
        return f"allow TCP {port} from {source(host)} to the proxy {proxy}"
    what = f"the destinations of {to}" if flow.rule == _PROXY_RULE else f"port {flow.port} of {to}"
    return f"let the proxy {proxy} CONNECT to {what}"


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


def _holding(flow: Flow) -> list[str]:
    """The rule's destinations that hold the dialled name."""
    known = _destinations(flow).split(", ")
    wild = [x for x in known if x.startswith("*.") and flow.name.endswith(x.removeprefix("*"))]
    return wild or [each for each in known if each == flow.name]


def _outside(flow: Flow) -> str:
    """A name that the rule does not hold, so that opening the rule would not open it."""
    return f"{flow.name} (outside {_destinations(flow)})" if flow.rule else flow.name


def ticket(name: str, flows: Iterable[Flow], report: Report, host: HostReport) -> str:
    """The text of one rule's change ticket; "" where nothing of it failed."""
    wrong = [flow for flow in flows if closed(flow)]
    return "\n".join(_ticket(name, wrong, report, host)) if wrong else ""


def _ticket(name: str, wrong: list[Flow], report: Report, host: HostReport) -> Iterator[str]:
    on_host = all(_here(flow, host) for flow in wrong)
    yield (
        f"To mend on the Sesam machine {_machine(host)}, rule {name or 'not in the guide'}"
        if on_host
        else f"Firewall change {name or 'not in the guide'}, for the Sesam machine {_machine(host)}"
    )
    for change in dict.fromkeys(_change(flow, host) for flow in wrong):
        yield f"- {change[0].upper()}{change[1:]}."
    yield f"Why: {wrong[0].sentence}"
    if wrong[0].if_closed:
        yield f"Until then: {wrong[0].if_closed}."
    yield f"Seen by {report.tool}, requirements {report.requirements}:"
    yield from map(_seen, wrong)
    if not name.startswith("IN-") and not on_host:
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
