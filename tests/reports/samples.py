"""Made-up reports as a real audit would give them: one for each verdict, and hostile ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import fields, replace

from sesam_audit.errors import Lack
from sesam_audit.level import Level, Outcome, Stage
from sesam_audit.model import Finding, Flow, HostReport, Owner, Quantity, Report, Waiver

MUST, SHOULD = Level.MUST, Level.SHOULD
AT = "2026-11-22T21:58:07Z"

DOCKER_RULE = (
    'Guide, Outbound firewall rules: "The sesam-node needs access to docker HUB to pull and update'
    ' images used by the sesam-node and microservices."'
)


def finding(id_: str, title: str, message: str = "", **more: Any) -> Finding:
    """A passed must, changed by `more`."""
    given: dict[str, Any] = {
        "subject": None,
        "level": MUST,
        "outcome": Outcome.PASSED,
        "source": "Guide",
        "remedy": "",
        "owner": Owner.YOU,
        "user": "root (sudo from ops)",
        "at": AT,
        "seconds": 0.012,
    }
    given.update(more)
    return Finding(id=id_, title=title, message=message or title, **given)


def gigabytes(number: float) -> Quantity:
    return Quantity(int(number * 10**9), "B", f"{number:g} GB")


def _hardware() -> list[Finding]:
    source = (
        'Guide, Hardware requirements: "We recommend setting up at least a machine with 4 CPUs,'
        ' 16GB RAM and a 350GB data partition with fast storage"'
    )
    return [
        finding(
            "hardware.cpu",
            "At least 4 CPUs that containers may use",
            "8 found, 4 required",
            measured=Quantity(8, "", "8"),
            required=Quantity(4, "", "4"),
            source=source,
            evidence=("File /proc/cpuinfo", "DockerApi /info"),
        ),
        finding(
            "hardware.memory",
            "At least 16 GB of memory",
            "33.4 GB found, 16 GB required",
            measured=gigabytes(33.4),
            required=gigabytes(16),
            source=source,
            evidence=("File /proc/meminfo",),
        ),
        finding(
            "hardware.data-partition",
            "The data partition is at least 350 GB",
            "500 GB found, 350 GB required",
            measured=gigabytes(500),
            required=gigabytes(350),
            source=source,
            needs=("layout.data-mount",),
            evidence=("File /proc/self/mountinfo", "Space /srv/data"),
        ),
        finding(
            "hardware.data-free",
            "At least 10 % and 20 GB of the data partition are free",
            "461 GB found, 50 GB required",
            level=SHOULD,
            measured=gigabytes(461),
            required=gigabytes(50),
            source="Engineering: a full disk stops every pipe",
            evidence=("Space /srv/data",),
        ),
        finding(
            "hardware.storage-speed",
            "The data partition is on fast storage",
            "not rotational",
            level=SHOULD,
            source=source,
            evidence=("File /sys/dev/block/259:1/queue/rotational",),
        ),
    ]


def _os() -> list[Finding]:
    return [
        finding(
            "os.release",
            "Ubuntu 20.04 or later, or Red Hat Enterprise Linux 8 or later",
            "Ubuntu 24.04.3 LTS",
            source='Guide, Software requirements: "Ubuntu >= 20.04 or RHEL >= 8"',
            evidence=("File /etc/os-release",),
        ),
        finding(
            "os.rebuild",
            "The distribution is one the guide names",
            "judged by os.release",
            level=SHOULD,
            outcome=Outcome.NOT_APPLICABLE,
            reason="the profile does not accept rebuilds",
        ),
        finding(
            "os.clock",
            "The clock is right to the minute",
            "0.2 s found, 60.0 s required",
            measured=Quantity(0.2, "s", "0.2 s"),
            required=Quantity(60.0, "s", "60.0 s"),
            source="Engineering: certificates and licences are judged by the clock",
            notes=("Compared with registry-1.docker.io and portal.sesam.io",),
        ),
        finding("os.clock-sync", "A time service is active", "chronyd is active", level=SHOULD),
    ]


def _docker() -> list[Finding]:
    return [
        finding(
            "docker.engine",
            "Docker Engine answers",
            "Docker Engine 28.5.2 answers",
            source='Guide, Software requirements: "Docker"',
            evidence=("DockerApi /info", "DockerApi /version"),
        ),
        finding("docker.compose", "Docker Compose v2 is installed", "2.40.3 found"),
        finding("docker.boot", "Docker starts with the machine", "docker.service is enabled"),
        finding(
            "docker.api",
            "The Docker API speaks the versions of the stack's clients",
            "minimum API 1.24, watchtower speaks 1.25",
        ),
        finding(
            "docker.registry-login",
            "sesam's Docker login for Docker Hub is where watchtower reads it",
            "config.json of sesam holds a login for https://index.docker.io/v1/",
            source='Guide, Docker Setup: "docker login"',
            remedy="Log in as sesam:\n\n    sudo -u sesam docker login",
            evidence=("DockerConfig /home/sesam/.docker/config.json",),
        ),
        finding(
            "docker.storage",
            "Docker's storage has at least 20 GB free",
            "41 GB found, 20 GB required",
            level=SHOULD,
            measured=gigabytes(41),
            required=gigabytes(20),
        ),
        finding(
            "docker.proxy",
            "The Docker daemon uses the proxy",
            outcome=Outcome.NOT_APPLICABLE,
            reason="no proxy in the profile",
        ),
    ]


def _network() -> list[Finding]:
    outside: dict[str, Any] = {
        "vantage": "jump.example.net (internet)",
        "owner": Owner.NETWORK,
        "seconds": 0.21,
    }
    return [
        finding(
            "inbound.http",
            "Port 80 is open to everybody",
            "203.0.113.20:80 answered jump.example.net with our token",
            rule="IN-80",
            source=(
                'Guide, Inbound firewall rules: "requires port 80 to be open for incoming traffic'
                ' from ANY"'
            ),
            **outside,
        ),
        finding(
            "inbound.https",
            "Port 443 is open to the clients",
            "203.0.113.20:443 answered jump.example.net with our token",
            rule="IN-443",
            source='Guide, Inbound firewall rules: "needs to have access to port 443"',
            **outside,
        ),
        finding(
            "inbound.dns",
            "The node's name leads to this machine",
            "sesam.example.com resolves to 203.0.113.20, proved by the token",
            owner=Owner.DNS,
        ),
        *(
            finding(
                "outbound.docker",
                "Docker Hub can be reached from where images are pulled",
                f"{name}:443 answered as expected, TLS 1.3, issued by Amazon",
                subject=f"{name}:443 via daemon",
                rule="OUT-HUB",
                source=DOCKER_RULE,
                owner=Owner.NETWORK,
                vantage="daemon",
                seconds=0.148,
                evidence=(f"Dial {name}:443",),
            )
            for name in (
                "registry-1.docker.io",
                "auth.docker.io",
                "production.cloudfront.docker.com",
            )
        ),
        finding(
            "outbound.letsencrypt",
            "Let's Encrypt can be reached",
            "acme-v02.api.letsencrypt.org:443 is an ACME directory",
            subject="acme-v02.api.letsencrypt.org:443",
            rule="OUT-LE",
            vantage="container",
            owner=Owner.NETWORK,
        ),
        *(
            finding(
                "outbound.sesam",
                "The Sesam portal and log shipping can be reached",
                f"{name}:443 answered, TLS 1.3",
                subject=f"{name}:443",
                rule="OUT-SESAM",
                vantage="container",
                owner=Owner.NETWORK,
                evidence=(f"Dial {name}:443",),
            )
            for name in ("portal.sesam.io", "ss-companyhub.sesam.cloud")
        ),
        finding(
            "outbound.pypi",
            "The Python Package Index can be reached",
            "pypi.org:443 answered with its simple index",
            subject="pypi.org:443",
            rule="OUT-PYPI",
            owner=Owner.NETWORK,
        ),
        finding(
            "outbound.interception",
            "Nobody intercepts TLS",
            "every chain ends in a public root",
            level=SHOULD,
            owner=Owner.NETWORK,
        ),
    ]


def _license() -> list[Finding]:
    return [
        finding("license.file", "The licence file is there", "1.4 kB, owned by sesam"),
        finding("license.permissions", "Others cannot read the licence", "mode 0600", level=SHOULD),
        finding(
            "license.expiry",
            "The licence has not expired",
            "2027-06-30 00:00 UTC found",
            measured=Quantity("2027-06-30T00:00:00+00:00", "time", "2027-06-30 00:00 UTC"),
            source='Guide: "Without a valid license the pipes will stop running"',
        ),
        finding(
            "license.signature",
            "The licence is signed by Sesam",
            outcome=Outcome.NOT_APPLICABLE,
            reason="no license_public_key in the profile",
        ),
    ]


def _layout() -> list[Finding]:
    return [
        finding("layout.user", "User and group sesam share one number", "1000:1000"),
        finding(
            "layout.data-mount",
            "/srv/data is a mount of its own",
            "/dev/nvme1n1p1, ext4, read-write",
            evidence=("File /proc/self/mountinfo",),
        ),
        finding(
            "layout.data-link",
            "/sesam/node-00/data leads to the data disk",
            "leads to /srv/data/sesam/node-00/data",
            evidence=("Stat /sesam/node-00/data",),
        ),
        finding("layout.ownership", "Everything is owned by sesam", "211 entries, all sesam:sesam"),
        finding("layout.env", "The .env file is filled in", "no placeholder is left"),
        finding("layout.networks", "The networks sesam and microservices exist", "both, bridge"),
    ]


def findings() -> list[Finding]:
    """Every finding of a perfect host, in the order in which things depend on each other."""
    return [*_hardware(), *_os(), *_docker(), *_layout(), *_license(), *_network()]


def changed(base: Iterable[Finding], **changes: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Some findings with other fields; keys are ids with `__` for the dot and `_` for dashes."""
    wanted = {key.replace("__", ".").replace("_", "-"): value for key, value in changes.items()}
    return tuple(replace(item, **wanted.get(item.id, {})) for item in base)


def flow(rule: str, name: str, finding_id: str = "", subject: str = "", **more: Any) -> Flow:
    """A name that answered, changed by `more`."""
    given: dict[str, Any] = {
        "asked": "443/HTTPS from Sesam IP to *.docker.com, *.docker.io",
        "sentence": "The sesam-node needs access to docker HUB to pull and update images",
        "if_closed": "the service will not be able to self-update",
        "port": 443,
        "purpose": "the registry's challenge for dockerd",
        "need": "needed" if finding_id else "indicator",
        "outcome": "passed" if finding_id else "",
        "result": "ok",
        "said": "TLSv1.3 issued by Amazon",
        "vantage": "host",
        "source": "10.0.0.4",
        "context": "the host's network path",
        "consumer": "the Docker daemon",
        "addresses_v4": ("192.0.2.7", "192.0.2.8"),
        "addresses_v6": ("2001:db8::7",),
        **dict.fromkeys(("dns", "tcp", "tls", "http"), "ok"),
        "http_status": 401,
        "tls_version": "TLSv1.3",
        "leaf_subject": name,
        "issuer": "Amazon",
        "sha256": "ab" * 32,
        "not_after": "2027-01-31",
        "public_roots": "trusted",
        "host_store": "trusted",
        "tcp_seconds": 0.021,
        "seconds": 0.148,
        "at": AT,
    }
    given.update(more)
    return Flow(rule=rule, name=name, finding=finding_id, subject=subject, **given)


CLOSED: dict[str, Any] = {
    "outcome": "failed",
    "result": "tcp-timeout",
    "said": "192.0.2.9 port 443 did not answer: packets vanish on the way",
    "addresses_v4": ("192.0.2.9",),
    "addresses_v6": (),
    "tcp": "timeout",
    "tls": "not reached",
    "http": "not reached",
    "http_status": 0,
    "seconds": 10.0,
    **dict.fromkeys(
        (
            *("tls_version", "leaf_subject", "issuer", "sha256", "not_after"),
            *("public_roots", "host_store"),
        ),
        "",
    ),
}


def flows(cloudfront: Mapping[str, Any] | None = None) -> tuple[Flow, ...]:
    """A way in, three names for Docker Hub and an indicator."""
    inward = {
        "asked": "443/HTTPS from Clients to Sesam IP",
        "sentence": "Any client that needs to connect to the sesam node api needs to have access",
        "purpose": "clients use the node's API",
        "vantage": "jump.example.net",
        "source_after_nat": "198.51.100.9",
        "context": "jump.example.net's network, standing for internet",
        "dns": "not tried",
    }
    hub = ("registry-1.docker.io", "auth.docker.io", "production.cloudfront.docker.com")
    return (
        flow("IN-443", "203.0.113.20", "inbound.https", **inward),
        *(
            flow(
                "OUT-HUB",
                name,
                "outbound.docker",
                f"{name}:443 via daemon",
                **((cloudfront or {}) if "cloudfront" in name else {}),
            )
            for name in hub
        ),
        flow("OUT-HUB", "hub.docker.com", redirect="www.docker.com/", http_status=301),
    )


def host(name: str = "ssh://node-1.example.com", **more: Any) -> HostReport:
    """A host where everything holds."""
    given: dict[str, Any] = {
        "stage": Stage.PREFLIGHT,
        "findings": tuple(findings()),
        "user": "root (sudo from ops)",
        "address": "203.0.113.20",
        "started": "2026-11-22T21:58:05Z",
        "seconds": 4.27,
        "sent": (
            "daemon -> registry-1.docker.io:443: GET /v2/",
            "daemon -> auth.docker.io:443: GET /token",
            "container -> portal.sesam.io:443: TLS handshake",
            "host -> its resolver: DNS CAA sesam.example.com",
            "auditor -> 203.0.113.20:80: a token over HTTP",
        ),
        "not_verified": (
            "Wildcard rules (*.docker.com, *.docker.io): three names stood in for them",
            "That port 80 is open to ANY: it was dialled from jump.example.net only",
            "Portal registration: a person's step",
        ),
        "flows": flows(),
    }
    given.update(more)
    return HostReport(host=name, **given)


def report(*hosts: HostReport, **more: Any) -> Report:
    """One run over these hosts."""
    given: dict[str, Any] = {
        "tool": "sesam-audit 0.1.0",
        "requirements": "2026-11-22",
        "started": "2026-11-22T21:58:04Z",
        "finished": "2026-11-22T21:58:09Z",
        "profile": {"node_domain": "sesam.example.com", "auditor_stands_for": "clients"},
    }
    given.update(more)
    return Report(hosts=hosts or (host(),), **given)


def ready() -> Report:
    return report()


def faults() -> tuple[Finding, ...]:
    """Small memory, no data disk, no way to Docker Hub, wrong DNS; a licence nobody may read."""
    failed, unknown = Outcome.FAILED, Outcome.UNKNOWN
    closed: dict[str, Any] = {
        "outcome": failed,
        "message": "production.cloudfront.docker.com:443 via daemon: TCP timed out after 10.0 s",
        "remedy": (
            "Ask for the outbound rule OUT-HUB: 443/tcp from this machine to *.docker.com and"
            " *.docker.io. If the outbound firewall is not open the service will not be able to"
            " self-update.\n\nTo see it yourself:\n\n"
            "    curl -sS -o /dev/null -w '%{http_code}\\n' --max-time 10"
            " https://production.cloudfront.docker.com/"
        ),
    }
    waiting = "blocked by layout.data-mount, which failed"
    base = changed(
        findings(),
        hardware__memory={
            "outcome": failed,
            "message": "8.3 GB found, 16 GB required",
            "measured": gigabytes(8.3),
            "remedy": "Add memory to the machine; Sesam keeps its working set in RAM.",
        },
        hardware__data_partition={
            "outcome": Outcome.BLOCKED,
            "message": waiting,
            "reason": waiting,
            "blocked_by": "layout.data-mount",
            "measured": None,
        },
        hardware__data_free={
            "outcome": failed,
            "message": "12.4 GB found, 50 GB required",
            "measured": gigabytes(12.4),
            "remedy": "Free space or grow the file system: df -h /srv/data",
        },
        os__clock_sync={
            "outcome": failed,
            "message": "neither chronyd nor systemd-timesyncd is active",
            "remedy": "Switch one on:\n\n    sudo timedatectl set-ntp true",
        },
        layout__data_mount={
            "outcome": failed,
            "message": "/srv/data lies on the root disk /dev/nvme0n1p2",
            "apply_mends": True,
            "remedy": (
                "Make a file system on the data disk and mount it. /dev/nvme1n1 is empty, 500 GB,"
                " and fits:\n\n"
                "    sudo mkfs.ext4 -L sesam-data /dev/nvme1n1\n"
                "    echo 'LABEL=sesam-data /srv/data ext4 defaults 0 2' | sudo tee -a /etc/fstab\n"
                "    sudo mount /srv/data"
            ),
        },
        layout__ownership={
            "outcome": Outcome.BLOCKED,
            "message": waiting,
            "reason": waiting,
            "blocked_by": "layout.data-mount",
        },
        license__file={
            "outcome": unknown,
            "message": "needs root: /srv/data/sesam/node-00/data may not be entered",
            "reason": "needs root: /srv/data/sesam/node-00/data may not be entered",
            "lacks": Lack.ROOT,
            "remedy": "Run: sudo ls -l /srv/data/sesam/node-00/data/license.key",
        },
        inbound__dns={
            "outcome": failed,
            "message": "sesam.example.com resolves to 198.51.100.7, where another machine answers",
            "remedy": "Let the A record of sesam.example.com lead to 203.0.113.20.",
        },
    )
    return tuple(
        replace(item, **closed) if "cloudfront" in (item.subject or "") else item for item in base
    )


def not_ready() -> Report:
    return report(host(findings=faults(), user="ops", flows=flows(CLOSED)))


def unproven() -> tuple[Finding, ...]:
    """Nothing wrong, but asked without root and without a vantage."""
    root = "needs root: {} may not be read"
    hidden: dict[str, dict[str, Any]] = {
        "docker__registry_login": {"what": "/home/sesam/.docker/config.json"},
        "license__file": {"what": "/srv/data/sesam/node-00/data"},
        "license__permissions": {"what": "/srv/data/sesam/node-00/data"},
        "license__expiry": {"what": "/srv/data/sesam/node-00/data/license.key"},
        "layout__ownership": {"what": "/srv/data/traefik"},
        "layout__env": {"what": "/srv/data/.env"},
    }
    changes = {
        key: {
            "outcome": Outcome.UNKNOWN,
            "reason": root.format(value["what"]),
            "lacks": Lack.ROOT,
            "message": root.format(value["what"]),
            "remedy": f"Run: sudo ls -l {value['what']}",
        }
        for key, value in hidden.items()
    }
    vantage = "needs a vantage: no other machine dialled this one"
    for key in ("inbound__http", "inbound__https"):
        changes[key] = {
            "outcome": Outcome.UNKNOWN,
            "reason": vantage,
            "lacks": Lack.VANTAGE,
            "message": vantage,
            "remedy": "Run: sesam-audit run ssh://THIS-HOST",
            "vantage": "host",
        }
    slow = "pypi.org:443: the name server did not answer within 10.0 s"
    changes["outbound__pypi"] = {
        "outcome": Outcome.UNKNOWN,
        "reason": slow,
        "message": slow,
        "remedy": "Run: resolvectl query pypi.org",
    }
    return tuple(replace(item, user="ops") for item in changed(findings(), **changes))


def incomplete() -> Report:
    return report(host("local://", user="ops", address="", findings=unproven()))


def partial() -> Report:
    chosen = tuple(item for item in findings() if item.category in ("hardware", "os"))
    rest = tuple(dict.fromkeys(i.id for i in findings() if i.category not in ("hardware", "os")))
    return report(host(findings=chosen, not_selected=rest), only=("hardware", "os"))


def waived() -> Report:
    """A ready host whose memory failed and whose licence is unknown, both accepted."""
    waiver = Waiver("delivered in January, see OPS-1432", "2027-01-31", "Kari Nordmann")
    items = changed(
        findings(),
        hardware__memory={
            "outcome": Outcome.FAILED,
            "message": "15.1 GB found, 16 GB required",
            "measured": gigabytes(15.1),
            "waiver": waiver,
        },
        license__expiry={
            "outcome": Outcome.UNKNOWN,
            "reason": "the licence states no expiry",
            "message": "the licence states no expiry",
            "waiver": waiver,
        },
    )
    return report(
        host(findings=items), header=("Sizes lowered by the profile: cpus 2 instead of 4",)
    )


def unreachable(name: str = "ssh://node-3.example.com") -> HostReport:
    lost = "did not run: the host was not reached"
    missing = tuple(
        replace(
            item,
            outcome=Outcome.UNKNOWN,
            message=lost,
            reason=lost,
            measured=None,
            evidence=(),
            notes=(),
            user="",
        )
        for item in findings()
        if item.outcome is not Outcome.NOT_APPLICABLE
    )
    return host(
        name,
        findings=missing,
        trouble="Connection refused by node-3.example.com port 22",
        remedy="Try it yourself:\n\n    ssh node-3.example.com true",
        address="",
        user="",
        sent=(),
        not_verified=(),
        flows=(),
        seconds=0.1,
    )


def several() -> Report:
    return report(
        host(),
        host("ssh://node-2.example.com", address="203.0.113.21", findings=faults()),
        unreachable(),
        host("ssh://node-4.example.com", address="203.0.113.23", findings=unproven(), user="ops"),
    )


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>'",
    "</style><style>body{display:none}</style>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "[bold red]Ready[/bold red][/nope]",
    "\x1b[31;1mReady\x1b[0m\x1b]0;owned\x07\x9b2J",
    "\u202eydaeR\u202c \u2066x\u2069",
    "]]><!--&lt;&amp;&#0;",
    "bad\ud800surrogate\ufffe\uffff",
    "line one\nReady\r\nReady\u2028Ready\x0bReady",
    "\x00nul\x08\x7f",
    "漢字かな😀é" * 30,
    "x" * 3000,
    "[[ATTACHMENT|/etc/passwd]]",
    "::error::injected %0A ##vso[task.complete]",
    " ",
    "",
)


def hostile() -> Report:
    """Every text of a report that a machine, a user or a file could have chosen, chosen badly."""
    items: list[Finding] = []
    for number, text in enumerate(HOSTILE):
        waiver = Waiver(text, text, text) if number % 5 == 0 else None
        outcome = list(Outcome)[number % 5] if waiver is None else Outcome.FAILED
        items.append(
            finding(
                f"hardware.hostile-{number}",
                text,
                text,
                subject=f"{number} {text}",
                outcome=outcome,
                source=text,
                remedy=f"{text}\n\n    {text}",
                measured=Quantity(text, text, text),
                required=Quantity(text, text, text),
                reason=text,
                vantage=text,
                user=text,
                rule=text,
                notes=(text, text),
                evidence=(text,),
                at=text,
                waiver=waiver,
            )
        )
    hosts = tuple(
        host(
            f"ssh://{number}{text}",
            findings=tuple(items) if number < 2 else (),
            trouble=text if number % 2 else "",
            remedy=text,
            user=text,
            address=text,
            started=text,
            sent=(text,),
            not_verified=(text,),
            not_selected=(text,),
            flows=(_hostile_flow(text),),
        )
        for number, text in enumerate(HOSTILE)
    )
    return report(
        *hosts,
        tool=HOSTILE[0],
        requirements=HOSTILE[1],
        header=HOSTILE,
        only=HOSTILE,
        skip=HOSTILE,
        profile=dict(zip(HOSTILE, HOSTILE, strict=True)),
    )


def _hostile_flow(text: str) -> Flow:
    words = {item.name: text for item in fields(Flow) if item.type is str}
    lists = {"addresses_v4": (text, text), "addresses_v6": (text,)}
    return Flow(**{**words, **lists, "port": 443, "need": "needed", "outcome": "failed"})  # type: ignore[arg-type]


def generated(seed: int) -> Report:
    """A report of any shape a run can end in, the same one for the same seed."""
    draw = random.Random(seed)
    hosts = tuple(
        _generated_host(draw, number) for number in range(draw.choice((0, 1, 1, 1, 2, 5)))
    )
    return replace(
        report(host()),
        hosts=hosts,
        require_complete=draw.random() < 0.3,
        interrupted=draw.random() < 0.1,
    )


def _generated_host(draw: random.Random, number: int) -> HostReport:
    weights = draw.choice(((1, 0, 0, 0, 0), (20, 1, 1, 1, 1), (5, 5, 5, 5, 5), (0, 0, 1, 1, 3)))
    chosen = draw.sample(findings(), draw.choice((0, 1, 5, 20)))
    made = [_generated_finding(draw, item, weights) for item in chosen]
    return host(
        f"ssh://host-{number}",
        findings=tuple(_waiting(item, draw.choice(made)) for item in made),
        not_selected=draw.choice(((), (), ("docker.engine",))),
        fail_on=draw.choice((MUST, MUST, SHOULD)),
        trouble=draw.choice(("", "", "", "the connection broke off")),
    )


def _generated_finding(draw: random.Random, item: Finding, weights: Iterable[int]) -> Finding:
    outcome = draw.choices(list(Outcome), list(weights))[0]
    may_waive = outcome in (Outcome.FAILED, Outcome.UNKNOWN)
    waiver = Waiver("accepted", "2027-01-01", "ops") if may_waive and draw.random() < 0.2 else None
    reason = f"reason {draw.randrange(3)}" if outcome is not Outcome.PASSED else None
    level = draw.choice((MUST, MUST, SHOULD))
    return replace(item, outcome=outcome, level=level, waiver=waiver, reason=reason)


def _waiting(item: Finding, other: Finding) -> Finding:
    """A blocked finding waits for another one, which may have been waived."""
    if item.outcome is not Outcome.BLOCKED:
        return item
    return replace(item, needs=(other.id,), blocked_by=other.id)


def many(hosts: int = 200) -> Report:
    """About 16 000 findings, some of each outcome."""
    draw = random.Random(1)
    base = findings() + [
        replace(item, id=f"{item.id}-again", subject=f"{item.subject} again") for item in findings()
    ]
    base = (base * 2)[:80]
    return report(
        *(
            host(
                f"ssh://node-{number}.example.com",
                findings=tuple(
                    replace(
                        _generated_finding(draw, item, (30, 1, 1, 1, 2)), subject=f"part {place}"
                    )
                    for place, item in enumerate(base)
                ),
            )
            for number in range(hosts)
        )
    )


SAMPLES: dict[str, Callable[[], Report]] = {
    "ready": ready,
    "not-ready": not_ready,
    "incomplete": incomplete,
    "partial": partial,
    "waived": waived,
    "several": several,
}
