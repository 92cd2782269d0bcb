"""The names that stand in for the wildcards of the guide's firewall rules (rules.py).

A wildcard cannot be tested: each rule is tried through names the product really uses. Needed
names decide; indicators only show that a rule is narrower than the wildcard asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import Enum

from msgspec import Struct

from sesam_audit.profile import Profile
from sesam_audit.wanted import NODE_IMAGE

AGENT_DOWNLOAD = "137.116.234.60"
LOG_SHIPPING = "52.142.116.113"
LOG_SUBJECT = "log shipping"  # .env may name another host than the profile
DEFAULT, SESAM = "container default", "container sesam"  # Dial.context, as the stack's file has it
BY_UPDATER = " by the updater"  # ends the subject of what watchtower's container dials
IPS_WARNING = (
    "the guide does not recommend addresses in place of *.sesam.io and *.sesam.cloud:"
    ' "these IPs are subject to change at any time" (the log address changed in November 2021)'
)


class Consumer(str, Enum):
    """Whose connection it will be: this decides which store of roots counts."""

    DOCKERD = "the Docker daemon"
    CONTAINER = "a container"
    HOST = "the host"


class Service(str, Enum):
    """The answer only the true service gives."""

    REGISTRY = "the registry's challenge"
    TOKEN = "a registry token"  # noqa: S105 - words for people
    ACME = "an ACME directory"
    SIMPLE_INDEX = "a PyPI simple index"
    TO_PYPI = "a redirect to pypi.org"
    IDENTITY = "a TLS server that proves this name"
    ANY_TLS = "a TLS server"
    OWN_TLS = "a TLS server with a certificate for this name"
    HTTP = "a web server"
    TCP = "an open port"


class Destination(Struct, frozen=True, kw_only=True):
    """One name that stands in for a rule: what is asked of it, and what it must answer."""

    name: str
    rule: str
    service: Service
    consumer: Consumer
    by: str = ""  # the very program that will connect
    context: str = ""  # where a container dials it: container sesam, container default
    container: str = ""  # the service of the stack that dials it from there
    port: int = 443
    path: str = "/"  # "" stops after TLS
    accept: str = "*/*"
    tls: bool = True
    needed: bool = True
    subject: str = ""
    signs: tuple[str, ...] = ()  # response headers only this service sends
    server_name: str = ""  # said in TLS's hello where the destination is an address
    seen: str = ""  # when it last was part of the service
    source: str = ""

    @property
    def key(self) -> str:
        """The subject of its finding."""
        return self.subject or f"{self.name}:{self.port}"

    @property
    def direct(self) -> bool:
        """Whether no proxy for the web can be on the way."""
        return self.service is Service.TCP

    @property
    def tolerant(self) -> bool:
        """Whether a private authority may be the server's own, and no sign of inspection."""
        return self.service in (Service.ANY_TLS, Service.OWN_TLS)


def _hub(name: str, service: Service, source: str, **more: object) -> Destination:
    given: dict[str, object] = {"consumer": Consumer.DOCKERD, "by": "dockerd", **more}
    return Destination(name=name, rule="OUT-HUB", service=service, source=source, **given)  # type: ignore[arg-type]


_CDN = ("x-amz-cf-id", "x-amz-cf-pop", "x-amz-request-id", "cf-ray")
_REGISTRY = ("docker-distribution-api-version", "docker-content-digest")
_PYPI_CDN = ("x-served-by", "x-pypi-file-size")
_ACME_SEEN = "2026-11"
_TABLE = (
    _hub(
        "registry-1.docker.io", Service.REGISTRY, "Docker documentation: allow list", path="/v2/",
        seen="2026-06", by="dockerd, and watchtower for its digest checks", context=DEFAULT,
        container="watchtower",
    ),
    _hub(
        "auth.docker.io", Service.TOKEN, "Docker documentation: allow list",
        path="/token?service=registry.docker.io", seen="2026-06", context=DEFAULT,
        by="dockerd, and watchtower for its digest checks", container="watchtower",
    ),
    _hub(
        "production.cloudfront.docker.com", Service.IDENTITY,
        "Docker documentation: allow list since 2026-05-19 (docs#25108)", seen="2026-06",
        signs=_CDN,
    ),
    _hub(
        "hub.docker.com", Service.IDENTITY, "Docker documentation: allow list", needed=False,
        seen="2026-06", signs=_CDN,
    ),
    _hub(
        "index.docker.io", Service.REGISTRY, "Docker: the registry's older name", path="/v2/",
        needed=False, seen="2026-06",
    ),
    _hub(
        "production.cloudflare.docker.com", Service.IDENTITY,
        "Docker documentation: removed on 2026-06-08 (docs#25304)", needed=False, seen="2026-05",
        signs=_CDN,
    ),
    Destination(
        name="acme-v02.api.letsencrypt.org", rule="OUT-LE", service=Service.ACME,
        consumer=Consumer.CONTAINER, by="the traefik container", path="/directory",
        context=SESAM, container="traefik", seen=_ACME_SEEN,
        source="Let's Encrypt documentation: ACME endpoints",
    ),
    Destination(
        name="acme-staging-v02.api.letsencrypt.org", rule="OUT-LE", service=Service.ACME,
        consumer=Consumer.CONTAINER, by="nobody, unless Traefik is set to staging",
        path="/directory", context=SESAM, container="traefik", needed=False, seen=_ACME_SEEN,
        source="Let's Encrypt documentation: ACME endpoints",
    ),
    Destination(
        name="portal.sesam.io", rule="OUT-SESAM", service=Service.IDENTITY,
        consumer=Consumer.CONTAINER, by="the sesam-node container", context=SESAM,
        container="sesam-node", seen="2026-11",
        source="Guide; Product files: --sesam-portal-url https://portal.sesam.io/unified/",
    ),
    Destination(
        name="pypi.org", rule="OUT-PYPI", service=Service.SIMPLE_INDEX, consumer=Consumer.HOST,
        by="the sesam-agent", path="/simple/pip/", accept="application/vnd.pypi.simple.v1+json",
        seen="2026-11", source="Guide: outbound firewall rules",
    ),
    Destination(
        name="files.pythonhosted.org", rule="OUT-PYPI", service=Service.IDENTITY,
        consumer=Consumer.HOST, by="the sesam-agent", seen="2026-11", signs=_PYPI_CDN,
        source="Guide: outbound firewall rules",
    ),
    Destination(
        name="pypi.python.org", rule="OUT-PYPI", service=Service.TO_PYPI, consumer=Consumer.HOST,
        by="the sesam-agent", path="/simple/pip/", seen="2026-11",
        source="Guide: outbound firewall rules",
    ),
)  # fmt: skip


class PinnedBlob(Struct, frozen=True):
    """A gzipped layer of an official image, whose first bytes a rehearsed pull fetches."""

    repository: str
    digest: str
    seen: str
    source: str


# Not verified against the Hub itself, which could not be reached on 2026-11-22: each digest was
# found in several independent public files on that day.
PINNED_BLOBS = (
    PinnedBlob(
        "library/hello-world",
        "sha256:c1ec31eb59444d78df06a974d155e597c894ab4cda84f08294145e845394988e",
        seen="2024-01",
        source="hello-world for amd64 of 2023-05, 2459 bytes; published manifests and crane logs",
    ),
    PinnedBlob(
        "library/alpine",
        "sha256:31e352740f534f9ad170f75378a84fe453d6156e40700b882d737a8f4a6988a3",
        seen="2023-08",
        source="alpine 3.18.2 for amd64, 3397879 bytes; docker-library/repo-info",
    ),
)
PRIVATE_IMAGE, PRODUCTION_TAG = NODE_IMAGE, "weekly-prod"


def layer_host(name: str) -> Destination:
    """A host that a pull met, wherever the registry sent it."""
    signs = {"registry-1.docker.io": _REGISTRY, "auth.docker.io": ()}.get(name, _CDN)
    return _hub(name, Service.IDENTITY, "met by the rehearsal of a pull", path="/v2/", signs=signs)


def host_port(host: str, port: int) -> str:
    """Host and port as one text."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def log_shipping(host: str) -> Destination:
    """Where fluentbit sends logs, under the subject that stays when .env names another host."""
    return Destination(
        name=host,
        rule="OUT-SESAM",
        service=Service.IDENTITY,
        consumer=Consumer.CONTAINER,
        by="the fluentbit container",
        context=DEFAULT,
        container="fluentbit",
        subject=LOG_SUBJECT,
        seen="2026-11",
        source="Product files: FLUENTBIT_HOST of .env",
    )


def _by_address(address: str, consumer: Consumer, by: str, server_name: str = "") -> Destination:
    return Destination(
        name=address,
        rule="OUT-SESAM",
        service=Service.ANY_TLS,
        consumer=consumer,
        by=by,
        context=DEFAULT if consumer is Consumer.CONTAINER else "",
        container="fluentbit" if consumer is Consumer.CONTAINER else "",
        path="",
        server_name=server_name,
        seen="2026-11",
        source="Guide: the addresses that can replace the Sesam domains",
    )


def destinations(profile: Profile) -> tuple[Destination, ...]:
    """Everything this deployment dials, needed names and indicators, extras included."""
    return tuple(_destinations(profile))


def _destinations(profile: Profile) -> Iterator[Destination]:
    for each in _TABLE:
        if each.rule != "OUT-LE" or profile.certificates == "letsencrypt":
            yield each
    if profile.sesam_destinations == "ips":
        yield _by_address(AGENT_DOWNLOAD, Consumer.HOST, "the sesam-agent")
        yield by_log_address(profile.fluentbit_host)
    else:
        yield log_shipping(profile.fluentbit_host)
    yield from map(_extra, profile.extra_destinations)


def by_log_address(log_host: str) -> Destination:
    """The guide's address for log shipping: fluentbit asks there for the log host by its name."""
    return _by_address(LOG_SHIPPING, Consumer.CONTAINER, "the fluentbit container", log_host)


def _extra(text: str) -> Destination:
    """HOST:PORT is a TCP port; port 443 and https:// speak TLS there, port 80 HTTP."""
    scheme, plain = ("https", text[8:]) if text.startswith("https://") else ("", text)
    host, _, port = plain.rpartition(":")
    number = int(port) if host and port.isdecimal() else 443
    service = {80: Service.HTTP, 443: Service.OWN_TLS}.get(number, Service.TCP)
    service = Service.OWN_TLS if scheme else service
    return Destination(
        name=(host if host and port.isdecimal() else plain).strip("[]"),
        rule="",
        service=service,
        consumer=Consumer.CONTAINER,
        by="a microservice's container",
        context=SESAM,
        port=number,
        path="/" if service is Service.HTTP else "",
        tls=service is Service.OWN_TLS,
        subject=text,
        source="the profile's extra_destinations",
    )


def updates(profile: Profile) -> tuple[str, ...]:
    """The names of Docker Hub that the updater's container dials."""
    hub = (each for each in destinations(profile) if each.rule == "OUT-HUB" and each.context)
    return tuple(f"{each.key}{BY_UPDATER}" for each in hub)


def needed(profile: Profile, rule: str) -> tuple[str, ...]:
    """The subjects of a rule's findings; "" is the rule of the extra destinations."""
    whole = replace(profile, certificates="letsencrypt")  # switched off is still planned
    chosen = (each for each in destinations(whole) if each.needed and each.rule == rule)
    return tuple(dict.fromkeys(each.key for each in chosen))


def subjects(rule: str) -> Callable[[Profile], Sequence[str]]:
    """The needed names of a rule, for `each`."""
    return lambda profile: needed(profile, rule)


def extras(profile: Profile) -> tuple[str, ...]:
    """The subjects of the extra destinations, and one where there are none."""
    return needed(profile, "") or ("extra destinations",)
