"""Outbound: the destinations the guide asks to open, dialled from the target."""

from __future__ import annotations

from shlex import quote

from sesam_audit.destinations import (
    BY_UPDATER,
    IPS_WARNING,
    LOG_SUBJECT,
    Service,
    destinations,
    extras,
    subjects,
    updates,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts.closed import Closed, Worlds, closed_subjects, settled
from sesam_audit.facts.control import Control
from sesam_audit.facts.interception import Interceptors
from sesam_audit.facts.pull import Pulled, Rehearsal, firewalled, uncovered
from sesam_audit.facts.reach import Reach
from sesam_audit.facts.rooms import Rooms
from sesam_audit.facts.scene import Dialled, by_hand
from sesam_audit.facts.sesam_addresses import SesamAddresses
from sesam_audit.facts.telling import about_logs, indicators, notes, pinned
from sesam_audit.judge import Then
from sesam_audit.model import Owner
from sesam_audit.profile import Profile
from sesam_audit.requirement import MUST, SHOULD, Found, Subject, requirement
from sesam_audit.rules import PROXY_RULE, RULES

from .unless import (
    unless_addresses,
    unless_closed_destinations,
    unless_extras,
    unless_letsencrypt,
    unless_proxy,
)

GUIDE = "Guide, Outbound firewall rules, 443/tcp: "


@requirement(
    source=GUIDE + "“*.docker.com, *.docker.io … to pull and update images”; Docker's allow list",
    level=MUST,
    each=subjects("OUT-HUB"),
    owner=Owner.NETWORK,
    rule="OUT-HUB",
)
def check_docker(
    reach: Reach, control: Control, subject: Subject, then: Then, found: Found
) -> None:
    """The host reaches the real Docker Hub.

    Ask the network team, rule OUT-HUB: allow TCP 443 from this host to *.docker.com and
    *.docker.io, without opening TLS. Where the firewall cannot hold wildcards, allow them through a
    proxy and name it: proxy = "HOST:PORT" in the profile.

    Until then, in the guide's words, "the service will not be able to self-update".
    """
    _prove(reach, control, subject, then, found)
    _indicate(reach, control, "OUT-HUB", subject, then, found)


@requirement(
    source="Engineering: an image is pulled only when the layer hosts answer too",
    level=MUST,
    needs=("outbound.docker",),
    owner=Owner.NETWORK,
    rule="OUT-HUB",
)
def check_docker_layers(rehearsal: Rehearsal, control: Control, then: Then, found: Found) -> None:
    """The first bytes of a public image's layer arrive.

    Ask the network team, rule OUT-HUB: the registry sends clients on to layer hosts, which lie
    under *.docker.com, today production.cloudfront.docker.com. A pull shows whether they answer:

        sudo docker pull hello-world
    """
    if isinstance(rehearsal.public, Pulled):
        found.note(f"for dockerd, on the host's network path: {rehearsal.public.way}")
    verdict = rehearsal.layers(then)
    found(str(verdict), required="the first bytes of a layer")
    firewalled(verdict)
    beside = ""
    if not verdict.ok:
        beside = control.beside(rehearsal.ended_at, verdict, then)
        found.note(f"dialled by the auditor: {control.word(rehearsal.ended_at, then)}")
    for outside in uncovered(rehearsal.met()):
        beside += f"; the guide's wildcards do not hold {outside}"
    assert verdict.ok, f"{verdict}{beside}"
    if isinstance(rehearsal.spent, Pulled):
        found.note(f"--spend-pull, of {rehearsal.image}: {rehearsal.spent.way}")
    if rehearsal.spent is not None:
        spent = firewalled(rehearsal.spent_layer(then))
        assert spent.ok, f"no layer of {rehearsal.image} came: {spent}"


@requirement(
    source="Product files: watchtower, a container, asks Docker Hub for new images every hour",
    level=MUST,
    each=updates,
    needs=("outbound.docker",),
    owner=Owner.NETWORK,
    rule="OUT-HUB",
)
def check_docker_updates(  # noqa: PLR0913, PLR0917 - what a destination is judged by
    reach: Reach, rooms: Rooms, control: Control, subject: Subject, then: Then, found: Found
) -> None:
    """The updater's container reaches the real Docker Hub.

    The host itself reaches it. Look at what the host does with forwarded packets, and with
    the DNS questions of containers:

        sudo iptables -S FORWARD; sudo iptables -S DOCKER-USER
        sudo nft list ruleset

    In nftables, accept what containers send, before the drop:

        iifname "br-*" accept

    Where TLS is opened on the way, ask the network team to leave *.docker.io out: the
    container does not know a company's own CA.
    """
    key = subject.removesuffix(BY_UPDATER)
    _prove_inside(reach, rooms, control, key, then, found)


@requirement(
    source="Docker: layers have been served from *.r2.cloudflarestorage.com, outside *.docker.com",
    level=SHOULD,
    needs=("outbound.docker-layers",),
    owner=Owner.NETWORK,
    rule="OUT-HUB",
)
def check_docker_coverage(rehearsal: Rehearsal, found: Found) -> None:
    """Every host that a pull meets lies inside the guide's wildcards.

    Ask the network team to add the hosts that are named here to rule OUT-HUB.
    """
    hosts = rehearsal.met()
    found(", ".join(hosts), required=", ".join(RULES["OUT-HUB"].destinations), words="{} met")
    outside = uncovered(hosts)
    assert not outside, f"outside the guide's wildcards: {', '.join(outside)}"
    if not (isinstance(rehearsal.public, Pulled) and rehearsal.public.arrived):
        raise Unknown(f"only {', '.join(hosts)} met: no layer came (outbound.docker-layers)")


@requirement(
    source=GUIDE
    + "“*.letsencrypt.org. Only needed if certificates are managed by … Let's Encrypt”",
    level=MUST,
    each=subjects("OUT-LE"),
    when=unless_letsencrypt(
        "certificates are {}: the guide needs this rule only where Let's Encrypt manages them"
    ),
    owner=Owner.NETWORK,
    rule="OUT-LE",
)
def check_letsencrypt(  # noqa: PLR0913, PLR0917 - what a destination is judged by
    reach: Reach, rooms: Rooms, control: Control, subject: Subject, then: Then, found: Found
) -> None:
    """The host's containers reach the real Let's Encrypt.

    Ask the network team, rule OUT-LE: allow TCP 443 from this host to *.letsencrypt.org, without
    opening TLS. With certificates of your own it is not needed: certificates = "provided" in the
    profile.

    Until then, in the guide's words, "the service will not be able to update its Let's Encrypt TLS
    certificates".

    Where the message says that the host itself reaches it, nothing is closed: look at what the host
    does with forwarded packets and with the DNS questions of containers, as for
    outbound.docker-updates:

        sudo iptables -S FORWARD; sudo iptables -S DOCKER-USER
        sudo nft list ruleset
    """
    _indicate(reach, control, "OUT-LE", subject, then, found)
    _prove_inside(reach, rooms, control, subject, then, found)


@requirement(
    source=GUIDE + "“*.sesam.io, *.sesam.cloud … portal, log shipping, shipping metrics and"
    " sesam-agent updates”",
    level=MUST,
    each=subjects("OUT-SESAM"),
    owner=Owner.NETWORK,
    rule="OUT-SESAM",
)
def check_sesam(  # noqa: PLR0913, PLR0917 - what a destination is judged by
    reach: Reach, rooms: Rooms, control: Control, subject: Subject, then: Then, found: Found
) -> None:
    """The host's containers reach Sesam's real portal and log shipping.

    Ask the network team, rule OUT-SESAM: allow TCP 443 from this host to *.sesam.io and
    *.sesam.cloud, without opening TLS.

    Until then the service gets no data from the portal and ships no logs or metrics, in the guide's
    words: "This will make notifications not work and it will break billing".

    A name outside these wildcards (FLUENTBIT_HOST) is to be allowed by itself.

    Where the message says that the host itself reaches it, nothing is closed: look at what the host
    does with forwarded packets and with the DNS questions of containers, as for
    outbound.docker-updates:

        sudo iptables -S FORWARD; sudo iptables -S DOCKER-USER
        sudo nft list ruleset
    """
    if subject == LOG_SUBJECT:
        for note in about_logs(reach):
            found.note(note)
    if reach.reached[subject].destination.service is Service.ANY_TLS:
        found.note(IPS_WARNING)
    if reach.reached[subject].destination.context:
        _prove_inside(reach, rooms, control, subject, then, found)
    else:
        _prove(reach, control, subject, then, found)


@requirement(
    source="Guide, Outbound firewall rules: “can be replaced with IPs 137.116.234.60 and"
    " 52.142.116.113 … We do not recommend doing this”",
    level=SHOULD,
    when=unless_addresses,
    owner=Owner.NETWORK,
    rule="OUT-SESAM",
)
def check_sesam_ips(addresses: SesamAddresses, found: Found) -> None:
    """Every known Sesam name leads only to the two addresses that are open.

    Ask the network team, rule OUT-SESAM, to open *.sesam.io and *.sesam.cloud by name, or the
    addresses that are named here too.
    """
    found.note(IPS_WARNING)
    beyond = addresses.beyond()
    led = [f"{name} -> {', '.join(where)}" for name, where in beyond.items()]
    assert not beyond, f"your rule does not cover {'; '.join(led)}"
    if addresses.silent:
        raise Unknown(
            f"not resolved on the host: {', '.join(addresses.silent)}",
            f"getent ahosts {quote(addresses.silent[0].split()[0])}",
        )


@requirement(
    source=GUIDE + "“files.pythonhosted.org, pypi.org, pypi.python.org”",
    level=MUST,
    each=subjects("OUT-PYPI"),
    owner=Owner.NETWORK,
    rule="OUT-PYPI",
)
def check_pypi(reach: Reach, control: Control, subject: Subject, then: Then, found: Found) -> None:
    """The host reaches the real Python Package Index.

    Ask the network team, rule OUT-PYPI: allow TCP 443 from this host to files.pythonhosted.org,
    pypi.org and pypi.python.org, without opening TLS. The sesam-agent gets its software there.

    Until then, in the guide's words, "the service will not be able to self-update".
    """
    _prove(reach, control, subject, then, found)


@requirement(
    source="The profile: extra_destinations",
    level=MUST,
    each=extras,
    when=unless_extras,
    owner=Owner.NETWORK,
)
def check_extra(  # noqa: PLR0913, PLR0917 - what a destination is judged by
    reach: Reach, rooms: Rooms, control: Control, subject: Subject, then: Then, found: Found
) -> None:
    """The destinations that the profile adds answer.

    Ask the network team to allow TCP from this host to the destination that is named here.

    Where the message says that the host itself reaches it, nothing is closed: look at what the host
    does with forwarded packets and with the DNS questions of containers, as for
    outbound.docker-updates:

        sudo iptables -S FORWARD; sudo iptables -S DOCKER-USER
        sudo nft list ruleset
    """
    _prove_inside(reach, rooms, control, subject, then, found)


@requirement(
    source="Engineering: least privilege; the profile: closed_destinations",
    level=SHOULD,
    each=closed_subjects,
    when=unless_closed_destinations,
    owner=Owner.NETWORK,
)
def check_closed(
    closed: Closed, worlds: Worlds, subject: Subject, then: Then, found: Found
) -> None:
    """The destinations that should be closed are.

    Ask the network team to refuse connections from this host to the destination that is named here,
    or take it out of closed_destinations in the profile.
    """
    looks = closed.looks(subject, then, worlds)
    for note in closed.notes(looks, subject, then):
        found.note(note)
    through = [f"{look.place} ({look.said})" for look in looks if look.open is True]
    assert not through, f"open from {' and from '.join(through)}"
    found(settled(looks), required="closed")


@requirement(
    source="Engineering: containers believe public roots only, and do not know a company's own CA",
    level=SHOULD,
    owner=Owner.NETWORK,
)
def check_interception(interceptors: Interceptors, then: Then, found: Found) -> None:
    """Nothing on the way opens TLS: every chain ends in a public root.

    Ask the network team to leave the guide's destinations out of TLS inspection. A company's CA in
    the host's store helps the Docker daemon and the host, never the stack's containers.
    """
    seen = interceptors.seen(then)
    found.note(f"judged against {interceptors.roots.name}")
    if interceptors.unseen:
        found.note(f"the containers' own way is not known: {interceptors.unseen}")
    met = interceptors.met(then)
    assert not met, f"TLS is opened by {'; '.join(map(str, met))}"
    if not seen:
        raise Unknown("no TLS chain was seen: nothing was reached")
    found.note(f"{len(seen)} of {len(interceptors.names(then))} destinations showed a chain")


@requirement(
    source="Guide, Firewall requirements: “an option is to allow this access through a proxy”",
    level=MUST,
    when=unless_proxy,
    owner=Owner.NETWORK,
    rule=PROXY_RULE,
)
def check_proxy(reach: Reach, control: Control, profile: Profile, then: Then, found: Found) -> None:
    """The proxy opens the way to every destination.

    Where the proxy itself is not reached, ask the network team, rule OUT-PROXY: allow TCP from this
    host to the proxy and its port. Where it refuses, ask them to let it CONNECT to port 443 of the
    names that are listed here, from this host. Where it demands a login, put USER:PASSWORD into a
    file of mode 0600, and name the file: proxy_credentials = "FILE" in the profile.
    """
    subjects = [x.key for x in destinations(profile) if x.needed and not x.direct]
    ways = {subject: reach.through_proxy(subject, then) for subject in subjects}
    ways |= {subject: control.excused(subject, way, then) for subject, way in ways.items()}
    refused = [way for way in ways.values() if isinstance(way, Dialled)]
    found.note(f"{len(subjects) - len(refused)} of {len(subjects)} were not refused")
    assert not refused, "; ".join(dict.fromkeys(map(str, refused)))
    for way in ways.values():
        if isinstance(way, Unknown):
            raise way


def _prove_inside(  # noqa: PLR0913, PLR0917 - what a destination is judged by
    reach: Reach, rooms: Rooms, control: Control, subject: str, then: Then, found: Found
) -> None:
    """`_prove` for a program that will connect from a container; the host stands beside."""
    inside = rooms.dialled(subject, then)
    if not isinstance(inside, Dialled):
        _prove(reach, control, subject, then, found)
        reason = inside.reason if inside else "no container dials it"
        raise Unknown(
            f"the host itself reaches it, but its containers may not: {reason}",
            (inside and inside.command) or by_hand(reach.reached[subject].destination),
            inside.lacks if inside else None,
        )
    found.vantage = "container"
    for note in pinned(reach, subject):
        found.note(note)
    try:
        outside = reach.dialled(subject, then)
    except Unknown as unknown:
        _prove(rooms.reach, control, subject, then, found, f"not known, {unknown.reason}")
        return
    alone = outside.ok and not inside.ok
    _prove(rooms.reach, None if alone else control, subject, then, found, str(outside))


def _prove(  # noqa: PLR0913, PLR0917 - what a destination is judged by
    reach: Reach, control: Control | None, subject: str, then: Then, found: Found, host: str = ""
) -> None:
    """Assert that a destination answered as itself, for the program that will connect to it.

    `host` is what the host's own dial came to, beside a container's; without `control` it reached
    what the container did not, which tells more than the auditor.
    """
    scene = reach.scene(subject, then)
    verdict = reach.dialled(subject, then)
    for note in (*notes(scene, reach.proxy), *pinned(reach, subject)):
        found.note(note)
    if host:
        found.note(f"dialled from the host itself: {host}")
    if control is not None:
        found.note(f"dialled by the auditor: {control.word(subject, then)}")
    found(str(verdict), required=scene.destination.service.value)
    if verdict.proxy_fault and reach.left_to_proxy(subject, then):
        raise Unknown(f"{verdict} (outbound.proxy)", by_hand(scene.destination))
    beside = "; so it is from a container, while the host itself reaches it"
    if control is not None:
        beside = "" if verdict.ok else control.beside(subject, verdict, then)
    if verdict.word == "service-trouble":
        raise Unknown(f"{verdict}; try again later{beside}", by_hand(scene.destination))
    assert verdict.ok, f"{verdict}{beside}"


def _indicate(  # noqa: PLR0913, PLR0917 - what a rule's indicators are judged by
    reach: Reach, control: Control, rule: str, subject: Subject, then: Then, found: Found
) -> None:
    """Show the indicators of a rule beside its first name; they never fail."""
    if subject == reach.first(rule):
        for note in indicators(reach, control, rule, then):
            found.note(note)
