"""The verdict matrix: for each word a connection can come to, the real part that brings it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..internet import Internet
from ..services import PRIVATE_SINKHOLE, SERVICES
from .fault import FAILED, UNKNOWN, Fault
from .outbound import (
    DECIDED_BY_PUBLIC_ROOTS,
    INSIDE,
    SUBJECTS,
    fail,
    trust_the_company,
)
from .scened import NOTHING_OUT
from .system import PYTHON, off

HUB, TOKEN, CDN = "registry-1.docker.io", "auth.docker.io", "production.cloudfront.docker.com"
ACME, PORTAL = "acme-v02.api.letsencrypt.org", "portal.sesam.io"
PYPI, FILES = "pypi.org", "files.pythonhosted.org"
LAYERS = "layers"
"""The row of the rehearsed pull, whichever host it ended at."""
BY_HOST_STORE = tuple(name for name in SUBJECTS if name not in DECIDED_BY_PUBLIC_ROOTS)
SOON = ("deadline=3",)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One fault by one real part; `words` is what it makes of each name, all others stay ok."""

    part: str
    fault: Fault
    words: dict[str, str]


def _cell(
    word: str,
    part: str,
    way: str | Callable[[Internet], None],
    *names: str,
    says: str = "",
    settings: tuple[str, ...] = (),
    **changed: str,
) -> Cell:
    """A fault of the network that makes all of these names say one word, and fail."""

    def network(internet: Internet) -> None:
        if callable(way):
            way(internet)
        else:
            getattr(internet, way)(*names)

    words = dict.fromkeys(names, word)
    if set(names).intersection((HUB, TOKEN, CDN)):
        words[LAYERS] = word
    changes = fail(*(name for name in names if name in SUBJECTS)) | changed
    fault = Fault(
        name=f"{word} by {part}",
        network=network,
        changes=changes,
        says=says,
        settings=settings,
    )
    return Cell(part=part, fault=fault, words=words)


def _sink(name: str, address: str) -> Callable[[Internet], None]:
    return lambda internet: internet.sinkhole(name, address=address)


NAMES = (
    _cell("dns-fails", "dnsmasq: no such name", "unknown", PORTAL, says="does not exist"),
    _cell("dns-fails", "unbound, cut off: SERVFAIL", "servfail", ACME, says="d not answer"),
    _cell(
        "dns-fails", "dnsmasq, waiting for another", "unanswered", PYPI,
        says="did not answer", settings=SOON,
    ),
    _cell(
        "dns-sinkhole", "dnsmasq: a private address", _sink(TOKEN, PRIVATE_SINKHOLE), TOKEN,
        says="10.66.66.66",
    ),
    _cell(
        "dns-sinkhole", "dnsmasq: one address for two rules", "sinkhole", PORTAL, ACME,
        says="blocked.example.net",
    ),
    _cell("dns-sinkhole", "dnsmasq: 0.0.0.0", _sink(FILES, "0.0.0.0"), FILES, says="nowhere"),
    _cell("dns-sinkhole", "dnsmasq: loopback", _sink(PYPI, "127.0.0.1"), PYPI, says="to nowhere"),
)  # fmt: skip

PACKETS = (
    _cell("tcp-refused", "nftables: reject with reset", "refuse", HUB, says="reset"),
    _cell("tcp-refused", "nftables: reject by ICMP", "forbid", PORTAL, says="refused|unreachable"),
    _cell("tcp-timeout", "nftables: drop", "blackhole", ACME, says="vanish", settings=SOON),
    _cell("tls-fails", "nftables: reset at TLS's hello", "cut", PYPI, says="filter by name"),
    _cell(
        "tls-fails", "nftables: half-open", "swallow", PORTAL,
        says="took the connection", settings=SOON,
    ),
)  # fmt: skip

SERVERS = (
    _cell("tls-fails", "nginx: TLS 1.1 alone", "old_tls", CDN, says="TLS ended"),
    _cell("tls-fails", "nginx: no TLS", "plain_http", ACME, says="version number|record layer"),
    _cell("tls-fails", "nginx: an ended certificate", "expired", PORTAL, says="ended on"),
    _cell("tls-fails", "nginx: a certificate to come", "not_yet_valid", PYPI, says="begins on"),
    _cell(
        "tls-name-mismatch", "nginx: another's certificate", "wrong_certificate", FILES,
        says="blocked.example.net",
    ),
    _cell(
        "block-page", "nftables and nginx: a captive portal", "captive", PORTAL, PYPI,
        says="leads to http://login.example.net/",
    ),
    _cell(
        "block-page", "nftables and nginx: a captive portal without an authority",
        "captive_unsigned", PYPI, ACME, says="leads to http://login.example.net/",
    ),
    _cell("block-page", "nginx: HTTP 511", "captive_status", PYPI, PORTAL, says="HTTP 511"),
    _cell("wrong-service", "nginx: another service", "other_service", PYPI, ACME, says="HTTP 200"),
)  # fmt: skip

LIMITED = Cell(
    part="nginx: the registry's limit",
    fault=Fault(
        name="service-trouble by nginx: the registry's limit",
        network=Internet.limited,
        changes={SUBJECTS[HUB]: UNKNOWN},
        says="429",
    ),
    words={HUB: "service-trouble", LAYERS: "service-trouble"},
)
IN_TROUBLE = Cell(
    part="nginx: the services themselves",
    fault=Fault(
        name="service-trouble by nginx: the services themselves",
        network=lambda internet: internet.out_of_order(PORTAL, PYPI, CDN),
        changes={SUBJECTS[name]: UNKNOWN for name in (PORTAL, PYPI, CDN)},
        says="HTTP 503: the service, not a firewall",
    ),
    words=dict.fromkeys((PORTAL, PYPI, CDN, LAYERS), "service-trouble"),
)
INSPECTED = Cell(
    part="mitmproxy",
    fault=Fault(
        name="tls-intercepted by mitmproxy",
        network=lambda internet: internet.intercept(PORTAL, PYPI),
        changes={**fail(PORTAL, PYPI), "outbound.interception": FAILED},
        says="Example Corp Inspection",
    ),
    words=dict.fromkeys((PORTAL, PYPI), "tls-intercepted"),
)
BLOCKED = Cell(
    part="mitmproxy, whom the host trusts: a block page",
    fault=Fault(
        name="block-page by mitmproxy, whom the host trusts",
        keep=("/etc/ssl/certs", "/usr/local/share/ca-certificates"),
        network=lambda internet: internet.block(PORTAL, PYPI, HUB),
        outside=trust_the_company,
        changes={**fail(PORTAL, PYPI, HUB), "outbound.interception": FAILED},
        says="Blocked by policy",
    ),
    words={
        PYPI: "block-page", HUB: "block-page", LAYERS: "block-page", PORTAL: "tls-intercepted",
    },
)  # fmt: skip


def _stern(status: int, *names: str) -> Cell:
    """One who opens TLS, whom the host trusts, and who says no without a page."""
    return Cell(
        part=f"mitmproxy, whom the host trusts: HTTP {status}",
        fault=Fault(
            name=f"wrong-service by mitmproxy, whom the host trusts: HTTP {status}",
            keep=("/etc/ssl/certs", "/usr/local/share/ca-certificates"),
            network=lambda internet: internet.block(*names, status=status),
            outside=trust_the_company,
            changes={**fail(*names), "outbound.interception": FAILED},
            says=f"HTTP {status}, .*by whoever opens TLS with certificates of 'Example Corp",
        ),
        words=dict.fromkeys((*names, LAYERS), "wrong-service"),
    )


STERN = (_stern(403, FILES, CDN), _stern(503, HUB, PYPI, FILES))
SKEWED = Cell(
    part="faketime",
    fault=Fault(
        name="clock-skew by faketime",
        keep=(PYTHON,),
        seed=off("-30d"),
        changes={**fail(*SUBJECTS), "os.clock": FAILED},
        says="not by the host's clock",
    ),
    words=dict.fromkeys((*SERVICES, LAYERS), "clock-skew"),
)
REFUSED = Cell(
    part="squid: a list of names",
    fault=Fault(
        name="proxy-refused by squid",
        scene="proxied",
        network=Internet.proxy_refuses,
        changes={"outbound.proxy": FAILED, SUBJECTS[PYPI]: FAILED},
        says="HTTP 403",
    ),
    words={PYPI: "proxy-refused"},
)
DEMANDED = Cell(
    part="squid: a login",
    fault=Fault(
        name="proxy-needs-auth by squid",
        scene="proxied",
        network=Internet.proxy_demands_login,
        changes={"outbound.proxy": FAILED, **NOTHING_OUT},
        says="Basic realm",
    ),
    words=dict.fromkeys((*SERVICES, LAYERS), "proxy-needs-auth"),
)
LOSSY = Cell(
    part="a resolver that loses questions",
    fault=Fault(
        name="ok with a resolver that loses questions",
        keep=("/etc/resolv.conf",),
        seed="echo options timeout:1 >>/etc/resolv.conf",
        network=Internet.lossy,
        changes=INSIDE,  # Docker asks for them with a new socket each time
    ),
    words={},
)
FINE = tuple(
    Cell(part=part, fault=Fault(name=f"ok with {part}", network=network), words={})
    for part, network in {
        "a slow server": lambda internet: internet.slow(PORTAL, seconds=1),
        "names at one address, as a CDN has them": _sink(FILES, SERVICES[PYPI].address),
        "a private address whose TLS is authentic": lambda internet: internet.sinkhole(
            HUB, address=internet.resolver
        ),
        "IPv6 addresses on a host without IPv6": Internet.six,
    }.items()
)

CELLS = (
    *NAMES,
    *PACKETS,
    *SERVERS,
    *(LIMITED, IN_TROUBLE, INSPECTED, BLOCKED, *STERN, SKEWED, REFUSED, DEMANDED, LOSSY),
    *FINE,
)
