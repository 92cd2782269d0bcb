"""The stack: what runs, how it fares, what it serves, and whether it is the channel's image."""

from __future__ import annotations

from datetime import timezone

from sesam_audit.errors import NotApplicable, Unknown
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.domain import NodeName
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounted import StackMounts
from sesam_audit.facts.node_image import PATIENCE, NodeImage, overdue
from sesam_audit.facts.running import LOOK, RunningStack
from sesam_audit.facts.served import HEALTH, Served
from sesam_audit.facts.served_rules import api_fault, inspect_certificate, redirection_fault
from sesam_audit.judge import Now, Then
from sesam_audit.profile import Profile
from sesam_audit.requirement import LIVE, MUST, SHOULD, Found, Subject, requirement
from sesam_audit.wanted import SERVICES

from .unless import unless_redirection

START = "Guide, Start Services: “Start the services using Docker Compose”"
TRAEFIK = ("stack.services [traefik]",)
NODE = (*TRAEFIK, "stack.services [sesam-node]")


@requirement(
    source=START,
    level=MUST,
    stages=(LIVE,),
    each=lambda _: tuple(SERVICES),
    needs=("docker.engine", "layout.compose-file"),
)
def check_services(running: RunningStack, subject: Subject, profile: Profile, found: Found) -> None:
    """Every service of the stack runs, is well and stays up.

    Start what is not there:

        cd /srv/data && sudo docker compose up -d

    See why a service ended, or what its health check says; NAME is a service:

        cd /srv/data && sudo docker compose ps --all
        cd /srv/data && sudo docker compose logs --tail 50 NAME

    After mending it, start that one anew:

        cd /srv/data && sudo docker compose up -d --force-recreate NAME
    """
    containers = running.of(subject)
    assert containers, f"there is no container of {subject}"
    for each in containers:
        assert not each.fault, f"{subject} {each.fault}"
    for each in containers:
        found(str(each))
        if doubt := each.doubt(profile.settled):
            raise Unknown(f"{subject} {doubt}", LOOK)


@requirement(
    source="Engineering: a container keeps the file or directory it was started with, whatever"
    " lies at its path later",
    level=MUST,
    stages=(LIVE,),
    needs=("docker.engine", "layout.compose-file"),
)
def check_mounts(mounts: StackMounts, found: Found) -> None:
    """The containers see what lies at their paths on the host now.

    A login that was renewed, a configuration that was edited, or a disk that was mounted after the
    start reach a container only when it starts anew. The updater and its login, for example:

        cd /srv/data && sudo docker compose restart watchtower

    Where the container sees another kind of thing, a directory in place of a file, make it anew:

        cd /srv/data && sudo docker compose up -d --force-recreate watchtower

    Where it is the node's data, first look at both places: one of them holds what was written since
    the start.
    """
    found(f"{len(mounts.views)} mounts lead to what lies at their paths")
    _settle(mounts.inspect(), found)


@requirement(
    source="Product files: Traefik serves NODE_DOMAIN on 443; guide, Inbound firewall rules:"
    " certificates by Let's Encrypt, your own, or self-signed",
    level=MUST,
    stages=(LIVE,),
    needs=TRAEFIK,
)
def check_tls(served: Served, now: Now, then: Then, profile: Profile, found: Found) -> None:
    """Port 443 serves the certificate of NODE_DOMAIN.

    With Let's Encrypt, see why Traefik got none; the name must lead here and port 80 be open:

        cd /srv/data && sudo docker compose logs traefik | grep -i acme

    With certificates of your own, put them where Traefik's configuration names them
    (layout.traefik-config), then start it anew:

        cd /srv/data && sudo docker compose restart traefik

    See what is served; NODE_DOMAIN is the name in /srv/data/.env:

        openssl s_client -connect 127.0.0.1:443 -servername NODE_DOMAIN </dev/null
    """
    found.note(served.where)
    leaf = served.leaf
    if leaf is not None:
        until = leaf.not_after.astimezone(timezone.utc)
        found(
            f"a certificate for {', '.join(leaf.names[:3]) or leaf.subject} by {leaf.issuer},"
            f" until {until:%Y-%m-%d}"
        )
    renews = profile.certificates == "letsencrypt"  # Traefik does, long before another date
    _settle(inspect_certificate(served, then if renews else now, profile), found)


@requirement(
    source="Product files: Traefik's entry point web redirects to websecure",
    level=MUST,
    stages=(LIVE,),
    needs=TRAEFIK,
    when=unless_redirection,
)
def check_redirect(served: Served, found: Found) -> None:
    """Port 80 leads to https of the same name.

    The flags in /srv/data/docker-compose.yml do it, or where Traefik has a configuration file, its
    entry point web:

        --entrypoints.web.http.redirections.entrypoint.to=websecure
        --entrypoints.web.http.redirections.entrypoint.scheme=https

    Then start it with them:

        cd /srv/data && sudo docker compose up -d traefik
    """
    found.note(served.where)
    fault = redirection_fault(served)
    found(f"port 80 leads to https://{served.name}")
    assert not fault, fault


@requirement(
    source="Product files: the node's API specification, /health answers 200 or 503",
    level=MUST,
    stages=(LIVE,),
    needs=NODE,
)
def check_api(served: Served, found: Found) -> None:
    """The node's API answers through port 443.

    A node that is not well says why in its logs:

        sudo tail -n 50 /sesam/node-00/logs/node_health.log
        sudo less /sesam/node-00/logs/stacktrace.html

    Where Traefik does not find the node (404, 502, 503, 504), see that both run, share the network
    sesam, and that NODE_DOMAIN in /srv/data/.env is the name that was asked for:

        cd /srv/data && sudo docker compose ps
        cd /srv/data && sudo docker compose logs --tail 50 traefik sesam-node
        sudo docker network inspect sesam
    """
    found.note(served.where)
    fault = api_fault(served)
    found(f"{HEALTH} answers HTTP {served.tls().status}")
    assert not fault, fault


@requirement(
    source="Guide, Introduction: “Self hosted subscriptions are required to run the latest image of"
    " their chosen software channel”",
    level=MUST,
    stages=(LIVE,),
    needs=("docker.registry-access",),
)
def check_image_current(image: NodeImage, now: Now, found: Found) -> None:
    """The node runs the newest image of its channel.

    The updater looks hourly. When the new image was pushed nobody tells: it is known to be old when
    it lies here unused, or stood in an earlier report (earlier = "REPORT.json" in the profile). See
    what the updater says:

        cd /srv/data && sudo docker compose logs --tail 50 watchtower

    Update by hand, with the login in /home/sesam/.docker:

        cd /srv/data && sudo docker --config /home/sesam/.docker compose pull sesam-node
        cd /srv/data && sudo docker compose up -d sesam-node
    """
    assert "@" not in image.wanted, f"{image.wanted} is pinned: no newer image takes its place"
    assert image.asked == image.wanted, (
        f"the node was started as {image.asked}, the stack's file says {image.wanted}"
    )
    digests, newest = image.digests, image.channel
    found(digests[0], required=newest, words=f"{image.wanted} is {{}}")
    if newest in digests:
        return
    since = image.known_since()
    differs = f"the node runs {_short(digests[0])}, {image.wanted} is {_short(newest)} now"
    assert since is None or not overdue(since, now), (
        f"{differs}, and has been since {since:%Y-%m-%d %H:%M} UTC at least"
    )
    when = f"known since {since:%Y-%m-%d %H:%M} UTC" if since else "since when, nobody tells"
    raise Unknown(
        f"{differs} ({when}): the updater has {PATIENCE.total_seconds() / 3600:.0f} hours",
        "cd /srv/data && sudo docker compose logs --tail 50 watchtower",
    )


@requirement(
    source="Product files: .env ships SESAM_NODE_IMAGE_TAG=weekly-prod; guide, Introduction:"
    " “Self hosted subscriptions are required to run the latest image of their chosen software"
    " channel”",
    level=SHOULD,
    needs=("layout.data-mount",),
)
def check_image_channel(deployment: Deployment, found: Found) -> None:
    """The node runs from the channel for production, weekly-prod.

    On a test machine another channel may be what you want. In production, put weekly-prod there as
    SESAM_NODE_IMAGE_TAG and start the stack with it:

        sudoedit /srv/data/.env
        cd /srv/data && sudo docker compose up -d
    """
    digest = deployment.pinned.get("SESAM_NODE_IMAGE_TAG", "")
    assert not digest, f"the node's image is pinned to {digest[:19]}, which is of no channel"
    tag = deployment.value("SESAM_NODE_IMAGE_TAG")
    if not tag:
        raise Unknown("SESAM_NODE_IMAGE_TAG is not set (layout.env)", "cat /srv/data/.env")
    assert found(tag, required="weekly-prod", words="the channel {}") == "weekly-prod", (
        f"the node's channel is {tag}, weekly-prod is the one for production"
    )


@requirement(
    source="Guide, Start Services: “Log in to Sesam portal and add your sesam-node URL to the"
    " connection under the network tab and finally upload the license.”",
    level=SHOULD,
    stages=(LIVE,),
)
def check_portal(name: NodeName, found: Found) -> None:
    """The node is known to the Sesam portal, and its data are backed up.

    No audit can see this: log in to https://portal.sesam.io, add the node's URL to the connection
    under the network tab, and upload the license there. Copy the back-ups that the node writes to
    another place; the guide leaves that to you.
    """
    url = f"https://{name.name or 'NODE_DOMAIN'}"
    found.note("1. Log in to https://portal.sesam.io and open your subscription.")
    found.note(f"2. Under the network tab, add {url} to the connection as the node's URL.")
    found.note("3. Upload the license there: the one in license.key.")
    found.note("4. Copy the folder backup of its data directory to another place, again and again.")
    raise NotApplicable("a person's step")


def _settle(inspection: Inspection, found: Found) -> None:
    """Fail on the problems, else be in doubt about the rest."""
    for note in inspection.notes:
        found.note(note)
    problems = inspection.problems
    assert not problems, "; ".join(problems)
    if inspection.unknown:
        raise inspection.unknown


def _short(digest: str) -> str:
    return digest[:19]
