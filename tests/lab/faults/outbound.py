"""Faults on the way out: every name, and every way to be in the way."""

from __future__ import annotations

from collections.abc import Callable

from ..host import LabHost
from ..internet import Internet
from ..lab import Lab
from ..services import R2, SERVICES
from ..street import MARK
from .fault import FAILED, UNKNOWN, Fault

SUBJECTS = {
    "registry-1.docker.io": "outbound.docker [registry-1.docker.io:443]",
    "auth.docker.io": "outbound.docker [auth.docker.io:443]",
    "production.cloudfront.docker.com": "outbound.docker [production.cloudfront.docker.com:443]",
    "acme-v02.api.letsencrypt.org": "outbound.letsencrypt [acme-v02.api.letsencrypt.org:443]",
    "portal.sesam.io": "outbound.sesam [portal.sesam.io:443]",
    "ss-companyhub.sesam.cloud": "outbound.sesam [log shipping]",
    "pypi.org": "outbound.pypi [pypi.org:443]",
    "files.pythonhosted.org": "outbound.pypi [files.pythonhosted.org:443]",
    "pypi.python.org": "outbound.pypi [pypi.python.org:443]",
}
UPDATES = {
    f"outbound.docker-updates [{name}:443 by the updater]": FAILED
    for name in ("registry-1.docker.io", "auth.docker.io")
}
INDICATORS = tuple(name for name in SERVICES if name not in SUBJECTS)
DECIDED_BY_PUBLIC_ROOTS = tuple(
    name for name in SUBJECTS if "sesam" in name or "letsencrypt" in name
)


def fail(*names: str) -> dict[str, str]:
    return {SUBJECTS[name]: FAILED for name in names}


INSIDE = {**UPDATES, **fail(*DECIDED_BY_PUBLIC_ROOTS)}


def _switched(way: str, *names: str, **options: float) -> Callable[[Internet], None]:
    def network(internet: Internet) -> None:
        getattr(internet, way)(*names, **options)

    return network


def _for_all(way: str, *names: str) -> Callable[[Internet], None]:
    """As `_switched`, and for the auditor too: nobody's firewall, but the world."""

    def network(internet: Internet) -> None:
        getattr(internet, way)(*names)
        internet.everywhere()

    return network


def _alone(way: str, *names: str) -> Callable[[Internet], None]:
    """As `_switched`, with an auditor who has no internet to compare with."""

    def network(internet: Internet) -> None:
        getattr(internet, way)(*names)
        internet.cut_off()

    return network


CLOSED = tuple(
    Fault(
        name=f"{name} refused",
        network=_switched("refuse", name),
        changes=fail(name),
        says="(tcp-refused|refused).*; the auditor reached it",
    )
    for name in SUBJECTS
)

CONTROL = (
    *(
        Fault(
            name=f"PyPI's index {what}, for the auditor as well",
            network=_for_all(way, "pypi.org"),
            changes={SUBJECTS["pypi.org"]: UNKNOWN},
            says="the auditor, who reaches 12 others, did not reach it either.*may be gone",
        )
        for way, what in (
            ("refuse", "refused"),
            (UNKNOWN, "gone"),
            ("wrong_certificate", "under another name"),
        )
    ),
    Fault(
        name="PyPI's index opened by a company that stands before the auditor too",
        network=_for_all("intercept", "pypi.org"),
        changes={SUBJECTS["pypi.org"]: FAILED, "outbound.interception": FAILED},
        says="the auditor met tls-intercepted there",
    ),
    Fault(
        name="PyPI's index refused, and an auditor without internet",
        network=_alone("refuse", "pypi.org"),
        changes={SUBJECTS["pypi.org"]: FAILED},
        says="cannot compare",
    ),
    Fault(
        name="PyPI's index dropped by the host's own output filter",
        seed="nft -f - <<'END'\ntable inet seeded {\n chain way {\n type filter hook output"
        f" priority 0; ip daddr {SERVICES['pypi.org'].address} tcp dport 443 drop\n }}\n}}\nEND",
        mend="nft delete table inet seeded",
        settings=("deadline=5",),
        changes=fail("pypi.org"),
        says="the auditor reached it",
    ),
)

WAYS = (
    Fault(
        name="Sesam's names in a black hole",
        network=_switched("blackhole", "portal.sesam.io", "ss-companyhub.sesam.cloud"),
        settings=("deadline=5",),
        changes=fail("portal.sesam.io", "ss-companyhub.sesam.cloud"),
        says="vanish",
    ),
    Fault(
        name="everything in a black hole",
        network=_switched("blackhole", *SERVICES),
        settings=("deadline=5",),
        changes={**fail(*SUBJECTS), "outbound.interception": UNKNOWN},
        says="vanish",
    ),
    Fault(
        name="a registry that does not exist",
        network=_switched(UNKNOWN, "registry-1.docker.io"),
        changes=fail("registry-1.docker.io"),
        says="does not exist",
    ),
    Fault(
        name="another server at PyPI's address",
        network=_switched("wrong_certificate", "pypi.org"),
        changes=fail("pypi.org"),
        says="blocked.example.net",
    ),
    Fault(
        name="a captive portal before Let's Encrypt",
        network=_switched("captive", "acme-v02.api.letsencrypt.org"),
        changes=fail("acme-v02.api.letsencrypt.org"),
        says="login.example.net",
    ),
    Fault(
        name="a sinkhole for PyPI and the Hub",
        network=_switched("sinkhole", "pypi.org", "auth.docker.io"),
        changes=fail("pypi.org", "auth.docker.io"),
    ),
    Fault(
        name="the portal led to 0.0.0.0",
        network=lambda internet: internet.sinkhole("portal.sesam.io", address="0.0.0.0"),
        changes=fail("portal.sesam.io"),
        says="nowhere",
    ),
    Fault(
        name="all TLS opened by the company",
        network=_switched("intercept", *SERVICES),
        changes={**fail(*SUBJECTS), "outbound.interception": FAILED},
        says="Example Corp Inspection",
    ),
    Fault(
        name="a resolver that answers nobody",
        network=lambda internet: internet.deaf(),
        settings=("deadline=5",),
        changes={
            **fail(*SUBJECTS),
            "outbound.interception": UNKNOWN,
        },
    ),
    Fault(
        name="a portal that takes longer than the deadline",
        network=_switched("slow", "portal.sesam.io", seconds=12),
        settings=("deadline=5",),
        changes=fail("portal.sesam.io"),
    ),
)


def trust_the_company(lab: Lab, host: LabHost) -> None:
    """What an administrator does about TLS inspection: the company's root joins the host's."""
    at = "/usr/local/share/ca-certificates/company.crt"
    host.run("mkdir -p /usr/local/share/ca-certificates")
    host.write(at, lab.internet.private.root.read_text())
    host.run("update-ca-certificates >/dev/null 2>&1")


CONTAINERS = (
    Fault(
        name="containers whose questions to the resolver the host does not forward",
        seed="iptables -I DOCKER-USER -p udp --dport 53 -j DROP",
        mend="iptables -D DOCKER-USER -p udp --dport 53 -j DROP",
        changes=INSIDE,
        says="dns-fails: the container's resolver .*the host itself reaches it",
    ),
    Fault(
        name="containers whose questions to two resolvers the host does not forward",
        keep=("/etc/resolv.conf",),
        seed="echo nameserver 10.255.255.1 >>/etc/resolv.conf;"
        " iptables -I DOCKER-USER -p udp --dport 53 -j DROP",
        mend="iptables -D DOCKER-USER -p udp --dport 53 -j DROP",
        changes=INSIDE,
        says="dns-fails: the container's resolver .*the host itself reaches it",
    ),
    Fault(
        name="forwarded connections to port 443 dropped in DOCKER-USER",
        seed="iptables -I DOCKER-USER -p tcp --dport 443 -j DROP",
        mend="iptables -D DOCKER-USER -p tcp --dport 443 -j DROP",
        settings=("deadline=8",),
        changes={
            **INSIDE,
            "inbound.host-firewall": FAILED,
            "inbound.https [host's address]": UNKNOWN,
            "inbound.https [NODE_DOMAIN]": UNKNOWN,
        },
        says="DOCKER-USER.*443|while the host itself reaches it",
    ),
)


SLOW = (
    Fault(
        name="a first name server that is silent",
        keep=("/etc/resolv.conf",),
        seed="sed -i '1i nameserver 10.255.255.1' /etc/resolv.conf",
        changes={
            **dict.fromkeys(INSIDE, UNKNOWN),
            "outbound.docker-layers": UNKNOWN,
            "docker.registry-access": UNKNOWN,
        },
        says="did not answer for .* the deadline is too short",
    ),
    Fault(
        name="a first name server that is silent, and time to wait for it",
        keep=("/etc/resolv.conf",),
        seed="sed -i '1i nameserver 10.255.255.1' /etc/resolv.conf",
        settings=("deadline=40",),
    ),
)


def _inside(way: str, *names: str) -> Callable[[Internet], None]:
    """As `_switched`, for what comes from containers alone."""

    def network(internet: Internet) -> None:
        getattr(internet, way)(*names)
        internet.for_marked()

    return network


def _layers_opened(internet: Internet) -> None:
    internet.layers_elsewhere()
    internet.intercept(R2)


MARKING = (
    "nft -f - <<'END'\ntable inet seeded {\n chain way {\n type filter hook prerouting"
    f' priority mangle; iifname "br-*" ip dscp set {MARK}\n }}\n}}\nEND'
)
INSPECTED = (
    Fault(
        name="all TLS of containers opened by the company, and the host's own left alone",
        network=_inside("intercept", *SERVICES),
        seed=MARKING,
        mend="nft delete table inet seeded",
        changes={**INSIDE, "outbound.interception": FAILED},
        says="from a container, which breaks the watchtower container, the traefik container",
    ),
    Fault(
        name="a company that opens the TLS of layers outside the guide's wildcards",
        keep=("/etc/ssl/certs", "/usr/local/share/ca-certificates"),
        network=_layers_opened,
        outside=trust_the_company,
        changes={"outbound.docker-coverage": FAILED, "outbound.interception": FAILED},
        says="Example Corp Inspection Root' for .*r2.cloudflarestorage.com:443; the host's store",
    ),
    Fault(
        name="all TLS opened by a company whom the host trusts, and its containers do not",
        keep=("/etc/ssl/certs", "/usr/local/share/ca-certificates"),
        network=_switched("intercept", *SERVICES),
        outside=trust_the_company,
        changes={**INSIDE, "outbound.interception": FAILED},
        says="Example Corp Inspection",
    ),
)

PULLS = (
    Fault(
        name="a registry that leads to layers outside the guide's wildcards",
        network=_switched("layers_elsewhere"),
        changes={"outbound.docker-coverage": FAILED},
        says="r2.cloudflarestorage.com",
    ),
    Fault(
        name="a registry that no longer has the pinned layers",
        network=_switched("blobs_gone"),
        changes={"outbound.docker-layers": UNKNOWN},
        says="no longer",
    ),
)

HARMLESS = (
    Fault(name="a slow portal", network=_switched("slow", "portal.sesam.io", seconds=1)),
    Fault(name="indicators closed", network=_switched("refuse", *INDICATORS)),
    Fault(name="indicators that are gone for all", network=_for_all(UNKNOWN, *INDICATORS)),
    Fault(name="indicators that are gone", network=_switched(UNKNOWN, *INDICATORS)),
    Fault(name="an auditor without internet", network=lambda internet: internet.cut_off()),
    Fault(
        name="PyPI's names at one address, as a CDN has them",
        network=lambda internet: internet.sinkhole(
            "pypi.org", "files.pythonhosted.org", address=SERVICES["pypi.org"].address
        ),
    ),
)

FAULTS = (*CLOSED, *CONTAINERS, *CONTROL, *WAYS, *INSPECTED, *PULLS, *SLOW, *HARMLESS)
