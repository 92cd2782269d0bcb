"""Inbound: ports 80 and 443, the node's name, and what must not answer."""

from __future__ import annotations

from shlex import quote

from sesam_audit.asks import AUDITOR
from sesam_audit.errors import NotApplicable, Unknown
from sesam_audit.facts.caa import Caa
from sesam_audit.facts.closed_ports import closed_subjects, looked, shut
from sesam_audit.facts.domain import Domain, is_global
from sesam_audit.facts.host_firewall import COMMAND, HostFirewall
from sesam_audit.facts.inbound import ADDRESS, NAME_6, WAYS
from sesam_audit.facts.leads import Leads
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.port_owners import DOCKER_PORTS, WEB_PORTS, PortOwners
from sesam_audit.facts.proofs import Looks, looks_at
from sesam_audit.facts.ways_in import WaysIn
from sesam_audit.judge import Then
from sesam_audit.model import Owner
from sesam_audit.profile import Profile
from sesam_audit.requirement import MUST, SHOULD, Found, Subject, requirement
from sesam_audit.wanted import NODE_PORT

from .unless import unless_closed_ports, unless_letsencrypt


@requirement(
    source="Guide, Inbound firewall rules: 80/HTTP from “ANY (they don't provide a list of src"
    " IPs) to support renewal of certificates”",
    level=MUST,
    each=lambda _: WAYS,
    when=unless_letsencrypt(
        "certificates are {}: “this port opening can be skipped” (guide) where Let's Encrypt is not"
        " used"
    ),
    owner=Owner.NETWORK,
    vantage=AUDITOR,
    rule="IN-80",
)
def check_http(  # noqa: PLR0913, PLR0917 - what a way in is judged by
    outside: Outside,
    owners: PortOwners,
    ways: WaysIn,
    subject: Subject,
    then: Then,
    found: Found,
) -> None:
    """Port 80 is open to anybody, for Let's Encrypt.

    Ask the network team, rule IN-80: allow TCP 80 from ANY to this host, in front of it and on
    it. With certificates of your own it may stay closed: certificates = "provided" in the
    profile.

    To prove it, name a machine on the internet that you reach by ssh:

        sesam-audit run ssh://THIS-HOST --from ssh://MACHINE=internet
    """
    _in_use(subject, ways)
    looks = looks_at(80, subject, outside, owners, ways)
    for note in looks.notes:
        found.note(note)
    assert not looks.faults, looks.faults[0]
    best = looks.best("internet", "clients", "none")
    issued = outside.views[0].issued(then)
    if issued is not None and issued.overdue:
        found.note(f"Let's Encrypt {issued}: a renewal is overdue, so this proves nothing any more")
    elif issued is not None and (best is None or best.stands != "internet"):
        found(f"proved by Let's Encrypt, which {issued}", required="open to ANY")
        return
    if subject == ADDRESS and (best is None or best.stands != "internet"):
        _leave_to_the_name(looks_at(80, ways.by_name, outside, owners, ways), "internet")
    if best is None:
        raise looks.unproved
    found.vantage = best.vantage
    found(f"reachable from {best}", required="reachable from ANY")
    if best.stands != "internet":
        raise looks.too_few(f"reachable from {best}; ANY is not proven")


@requirement(
    source="Guide, Inbound firewall rules: 443/HTTPS from Clients: “Any client that needs to"
    " connect to the sesam node api”",
    level=MUST,
    each=lambda _: WAYS,
    owner=Owner.NETWORK,
    vantage=AUDITOR,
    rule="IN-443",
)
def check_https(
    outside: Outside, owners: PortOwners, ways: WaysIn, subject: Subject, found: Found
) -> None:
    """Port 443 is open to the node's clients.

    Ask the network team, rule IN-443: allow TCP 443 from the clients' networks to this host; it may
    be a private network or VPN.

    To prove it, name a machine in its clients' network that you reach by ssh:

        sesam-audit run ssh://THIS-HOST --from ssh://MACHINE=clients
    """
    _in_use(subject, ways)
    looks = looks_at(443, subject, outside, owners, ways)
    for note in looks.notes:
        found.note(note)
    assert not looks.faults, looks.faults[0]
    best = looks.best("clients", "internet", "none")
    if subject == ADDRESS and best is None:
        _leave_to_the_name(looks_at(443, ways.by_name, outside, owners, ways))
    if best is None:
        raise looks.unproved
    found.vantage = best.vantage
    found(f"reachable from {best}")


@requirement(
    source="Product files: docker-compose.yml publishes 80 and 443 of Traefik",
    level=MUST,
    each=lambda _: ("80", "443"),
)
def check_port_owner(owners: PortOwners, subject: Subject, found: Found) -> None:
    """Ports 80 and 443 are free for the stack, or its Traefik has them.

    See who holds the port:

        sudo ss -ltnp 'sport = :80 or sport = :443'

    Stop it, and keep it from starting again. A service, such as nginx:

        sudo systemctl disable --now nginx

    A container:

        sudo docker stop NAME

    A redirection is among these rules:

        sudo iptables -t nat -S
    """
    for unit in owners.sleeping:
        found.note(f"{unit} is enabled and stopped: at the next boot it takes the port first")
    owner = owners.of(int(subject))
    free = owner.kind == "free"
    found("free" if free else owner.who, required="free, or the stack's Traefik")
    assert owner.kind in ("free", "stack"), f"port {subject} is held by {owner.who}"


@requirement(
    source="Product files: NODE_DOMAIN is the name of Traefik's router; Engineering: it must lead"
    " to this host",
    level=MUST,
    owner=Owner.DNS,
)
def check_dns(domain: Domain, leads: Leads, profile: Profile, found: Found) -> None:
    """NODE_DOMAIN resolves, and every address leads to this host.

    Ask the DNS team for an A record of NODE_DOMAIN with this host's public address, and for an AAAA
    record only if IPv6 is open too. An address of NAT is proved by a machine that gets through to
    this host by NODE_DOMAIN, or declared:

        sesam-audit run ssh://THIS-HOST --from ssh://MACHINE=internet
        sesam-audit run ssh://THIS-HOST --set public_addresses=ADDRESS
    """
    for each in domain.resolved:
        found.note(str(each))
    public = profile.certificates == "letsencrypt"
    assert not (public and domain.private), (
        f"{domain.name} is a private name, which Let's Encrypt cannot reach"
    )
    assert not all(each.absent for each in domain.resolved), f"{domain.name} does not resolve"
    outside = profile.auditor_stands_for == "internet"
    assert not (public and outside and domain.absent_for(AUDITOR)), (
        f"{domain.name} does not resolve outside, where Let's Encrypt looks"
    )
    addresses = found(domain.addresses)
    if not addresses:
        raise Unknown(f"{domain.name} was not resolved", f"dig {quote(domain.name)}")
    declared = frozenset(profile.public_addresses)
    everything_private = not any(map(is_global, (*addresses, *declared)))
    assert not (public and everything_private), (
        f"{domain.name} leads only to private addresses ({', '.join(addresses)}), which Let's"
        " Encrypt cannot reach"
    )
    for address in filter(leads.ours.__contains__, addresses):
        found.note(f"{address} is proved: it brought this host's own answer")
    strangers = [each for each in addresses if each not in declared and each not in leads.ours]
    if strangers and isinstance(domain.own, Unknown):
        raise domain.own
    own = frozenset() if isinstance(domain.own, Unknown) else domain.own
    strangers = [address for address in strangers if address not in own]
    wrong = [f"{each} ({leads.theirs[each]})" for each in strangers if each in leads.theirs]
    assert not wrong, f"{domain.name} leads to another machine: {', '.join(wrong)}"
    if strangers:
        raise Unknown(
            f"{', '.join(strangers)} is not on this host, but may be NAT in front of it:"
            " declare it (public_addresses), or prove it from outside",
            f"sesam-audit run ssh://THIS-HOST --set public_addresses={','.join(strangers)}",
        )


@requirement(
    source="Engineering: CAA records decide who may issue certificates (RFC 8659)",
    level=MUST,
    when=unless_letsencrypt("certificates are {}: Let's Encrypt issues none"),
    owner=Owner.DNS,
    vantage=AUDITOR,
)
def check_caa(caa: Caa, found: Found) -> None:
    """CAA records allow Let's Encrypt to issue for NODE_DOMAIN.

    Ask the DNS team to add this record, at the name that holds the others:

        CAA 0 issue "letsencrypt.org"
    """
    shown = ", ".join(map(repr, caa.issuers)) or "no restriction"
    found(
        f"{caa.holder}: {shown}" if caa.holder else "no CAA record",
        required="no CAA record, or one that allows letsencrypt.org",
    )
    if any("accounturi" in value for value in caa.issuers):
        found.note("the record names an ACME account: it must be the one of this host's Traefik")
    assert not caa.critical, (
        f"CAA of {caa.holder} has a critical tag ({', '.join(caa.critical)}) that forbids issuing"
    )
    assert caa.allows("letsencrypt.org"), f"CAA of {caa.holder} allows only {shown}"


@requirement(
    source="Docker documentation: published ports are forwarded, past ufw and INPUT rules",
    level=SHOULD,
)
def check_host_firewall(firewall: HostFirewall, profile: Profile, found: Found) -> None:
    """Nothing on the host drops connections forwarded to the stack's ports.

    Look at the rule that is named. In DOCKER-USER, let the ports in before the drop:

        sudo iptables -I DOCKER-USER -p tcp -m multiport --dports 80,443 -j RETURN

    In nftables, accept what Docker redirects, before the drop:

        ct status dnat accept

    With firewalld, set StrictForwardPorts=no in /etc/firewalld/firewalld.conf, then:

        sudo systemctl restart firewalld docker

    With "iptables": false in /etc/docker/daemon.json, remove that line and restart Docker.
    """
    if firewall.ufw:
        found.note("ufw is on: it does not see the ports that Docker publishes")
    ports = WEB_PORTS if profile.certificates == "letsencrypt" else (443,)
    ways = {port: firewall.forwarding(port) for port in ports}
    stopped = [f"{port} by {way.stops}" for port, way in ways.items() if way.stops]
    assert not stopped, f"stopped on the host: {'; '.join(stopped)}"
    for port, way in ways.items():
        if way.unclear:
            raise Unknown(f"whether port {port} passes is not clear: {way.unclear}", COMMAND)


@requirement(
    source="Engineering: an open Docker API is root for everybody who reaches it",
    level=MUST,
    owner=Owner.YOU,
    vantage=AUDITOR,
)
def check_docker_api(outside: Outside, owners: PortOwners, found: Found) -> None:
    """Docker's API is not open to the network.

    Take tcp:// out of "hosts" in /etc/docker/daemon.json and out of the unit's -H; the stack needs
    the socket /var/run/docker.sock only. Then:

        sudo systemctl daemon-reload
        sudo systemctl restart docker
    """
    try:
        answering = [port for port in DOCKER_PORTS if outside.docker_api(port)]
    except Unknown:
        held = [owners.of(port) for port in DOCKER_PORTS]
        if any(owner.kind != "free" for owner in held):
            raise
        found.note("nobody on the host listens on 2375 or 2376")
        answering = []
    assert not answering, (
        f"port {' and '.join(map(str, answering))} answers anybody as a Docker API"
    )


@requirement(
    source="Engineering: only 80 and 443 are for others; Docker's published ports bypass ufw",
    level=SHOULD,
    each=lambda _: tuple(map(str, (NODE_PORT, *DOCKER_PORTS))),
    vantage=AUDITOR,
)
def check_exposure(outside: Outside, owners: PortOwners, subject: Subject, found: Found) -> None:
    """The node's own port and Docker's API ports are silent to others.

    Do not publish 9042 in the stack's file: Traefik reaches the node over Docker's
    network. Docker's published ports bypass ufw. To publish one for the host alone, write
    in the file:

        - "127.0.0.1:9042:9042"
    """
    _is_shut(subject, outside, owners, found, "; Docker's published ports bypass ufw")


@requirement(
    source="Engineering: least privilege; the profile: closed_ports",
    level=SHOULD,
    each=closed_subjects,
    when=unless_closed_ports,
    owner=Owner.NETWORK,
    vantage=AUDITOR,
)
def check_closed(outside: Outside, owners: PortOwners, subject: Subject, found: Found) -> None:
    """The ports that should not answer do not.

    Ask the network team to refuse the port that is named here in front of this host, or stop what
    listens there. Docker's published ports bypass ufw.
    """
    _is_shut(subject, outside, owners, found)


def _is_shut(
    port: str, outside: Outside, owners: PortOwners, found: Found, beside: str = ""
) -> None:
    looks = looked(int(port), outside.views, owners)
    for look in looks:
        found.note(str(look))
    answering = [look.open for look in looks if isinstance(look.open, str)]
    assert not answering, f"port {port} {'; '.join(answering)}{beside}"
    found(shut(looks), required="silent or refused")


def _in_use(way: str, ways: WaysIn) -> None:
    if not ways.in_use(way):
        family = "IPv6 address (AAAA" if way == NAME_6 else "IPv4 address (A"
        raise NotApplicable(f"no resolver knows an {family} record) of NODE_DOMAIN")


def _leave_to_the_name(named: Looks, stands: str = "") -> None:
    """The host's address only stands in for its name: a proof by the name makes up for it."""
    if not named.faults and any(stands in ("", proof.stands) for proof in named.proofs):
        raise NotApplicable("others come by NODE_DOMAIN, which is proved; this address is not")
