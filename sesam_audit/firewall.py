"""The firewall rules to ask for, before a machine exists: the guide's rows for one deployment."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from sesam_audit.destinations import (
    AGENT_DOWNLOAD,
    IPS_WARNING,
    LOG_SHIPPING,
    Destination,
    destinations,
    host_port,
)
from sesam_audit.errors import UsageError
from sesam_audit.firewall_advice import ADVICE
from sesam_audit.opening import SESAM_IP, Need, Opening, Sheet
from sesam_audit.profile import Profile
from sesam_audit.profile_values import is_host, is_network
from sesam_audit.rules import PROXY_CONSEQUENCE, PROXY_RULE, RULES, Rule

_LETS_ENCRYPT = ("IN-80", "OUT-LE")
_METRICS = "Metrics go to a name that nobody documents: only the wildcards cover it."


def sheet(profile: Profile) -> Sheet:
    """The rules for a deployment.

    Raises:
        UsageError: the profile holds something that is no host, port or network.
    """
    _check(profile)
    encrypt = profile.certificates == "letsencrypt"
    why = f"certificates are {profile.certificates}; the guide lets this opening be skipped"
    return Sheet(
        profile=profile,
        rules=tuple(_sent(each, profile) for each in _rules(profile)),
        also=tuple(_sent(each, profile) for each in ADVICE),
        skipped=() if encrypt else tuple((name, why) for name in _LETS_ENCRYPT),
    )


def _rules(profile: Profile) -> Iterator[Opening]:
    for rule in RULES.values():
        if rule.name in _LETS_ENCRYPT and profile.certificates != "letsencrypt":
            continue
        opening = _opening(rule)
        if rule.name.startswith("IN-"):
            yield _received(opening, profile)
        else:
            known = tuple(each for each in destinations(profile) if each.rule == rule.name)
            opening = replace(opening, stand_ins=known)
            yield _sesam(opening, rule, profile) if rule.name == "OUT-SESAM" else opening
    yield from _extras(profile)
    if profile.proxy_address:
        yield _proxy(*profile.proxy_address)


def _opening(rule: Rule) -> Opening:
    """A row of the guide, as it stands there."""
    port, _, service = rule.port.partition("/")
    direction = "inbound" if rule.name.startswith("IN-") else "outbound"
    encrypt = rule.name in _LETS_ENCRYPT
    return Opening(
        name=rule.name,
        direction=direction,
        ports=(int(port),),
        service=service,
        source=rule.source,
        destinations=rule.destinations,
        purpose=rule.sentence,
        consequence=rule.consequence,
        document=f"Guide, {direction.capitalize()} firewall rules",
        need=Need.CONDITIONAL if encrypt else Need.REQUIRED,
        condition="while certificates come from Let's Encrypt, as here" if encrypt else "",
    )


def _received(opening: Opening, profile: Profile) -> Opening:
    """An inbound rule, with what the profile knows of the machine and its clients."""
    known = ", ".join(filter(None, (profile.node_domain, *profile.public_addresses)))
    clients = profile.client_networks if opening.source == "Clients" else ()
    return replace(
        opening,
        source=f"{opening.source} ({', '.join(clients)})" if clients else opening.source,
        networks=clients,
        destinations=(f"{SESAM_IP} ({known})" if known else SESAM_IP,),
    )


def _sesam(opening: Opening, rule: Rule, profile: Profile) -> Opening:
    names = tuple(each.name for each in opening.stand_ins)
    if profile.sesam_destinations == "ips":
        notes = (
            f"Warning: {IPS_WARNING}.",
            f"{AGENT_DOWNLOAD} is for the agent's software, {LOG_SHIPPING} for log shipping.",
            "Neither address is the portal's: portal.sesam.io is needed by name.",
            "The addresses take the place of this rule only: DNS is still asked for the names.",
        )
        return replace(opening, destinations=names, notes=notes)
    outside = tuple(name for name in names if not rule.covers(name))
    said = (f"{name} is the profile's fluentbit_host, for log shipping." for name in outside)
    return replace(opening, destinations=(*opening.destinations, *outside), notes=(*said, _METRICS))


def _extras(profile: Profile) -> Iterator[Opening]:
    extras = [each for each in destinations(profile) if not each.rule]
    for port in sorted({each.port for each in extras}):
        yield Opening(
            name=f"OUT-EXTRA-{port}",
            direction="outbound",
            ports=(port,),
            service={80: "HTTP", 443: "HTTPS"}.get(port, ""),
            destinations=tuple(dict.fromkeys(each.name for each in extras if each.port == port)),
            purpose="The deployment's own destinations, for its microservices.",
            consequence="the microservices that need them do not work",
            document="The profile, extra_destinations; not in the guide",
            direct=all(each.direct for each in extras if each.port == port),
        )


def _proxy(host: str, port: int) -> Opening:
    return Opening(
        name=PROXY_RULE,
        direction="outbound",
        ports=(port,),
        service="HTTP proxy",
        destinations=(host,),
        purpose="The destinations of the other outbound rules are to be allowed on this proxy;"
        " the host itself needs only the proxy.",
        consequence=PROXY_CONSEQUENCE,
        document="Guide, Firewall requirements: access through a proxy is an option",
        direct=True,
        notes=(
            "The proxy must pass TLS on unopened: containers do not know a company's own CA.",
            "The host's shell, the Docker daemon and the containers must each be told of it.",
        ),
    )


def _sent(opening: Opening, profile: Profile) -> Opening:
    """Who dials: the host, or the proxy for it."""
    if opening.direction == "inbound" or opening.direct or not profile.proxy_address:
        return opening
    proxy = host_port(*profile.proxy_address)
    return replace(opening, source=f"the proxy {proxy}, for {SESAM_IP}", via_proxy=True)


def _check(profile: Profile) -> None:
    """Nothing but hosts and networks goes into a ticket or a rule set."""
    for each in destinations(profile):
        _check_destination(each)
    proxy, _ = profile.proxy_address or ("none", 0)
    for key, name in (("proxy", proxy), ("node_domain", profile.node_domain or "none")):
        if not is_host(name):
            raise UsageError(f"{key}: {name!r} is not a host")
    for key in ("client_networks", "public_addresses"):
        for text in getattr(profile, key):
            if not is_network(text):
                raise UsageError(f"{key}: {text!r} is not an address or network")


def _check_destination(each: Destination) -> None:
    if is_host(each.name) and 0 < each.port < 65536:
        return
    if each.rule:
        raise UsageError(f"fluentbit_host: {each.name!r} is not a host")
    raise UsageError(
        f"extra_destinations: {each.subject!r} is not a destination",
        "Write HOST:PORT or https://HOST:PORT, and an IPv6 address as [ADDRESS]:PORT",
    )
