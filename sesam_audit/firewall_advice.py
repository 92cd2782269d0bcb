"""What every machine needs of a firewall and the guide does not say: engineering advice."""

from __future__ import annotations

from sesam_audit.opening import Need, Opening


def _advice(name: str, to: tuple[str, ...], purpose: str, closed: str, **more: object) -> Opening:
    return Opening(
        name=name,
        direction="outbound",
        destinations=to,
        purpose=purpose,
        consequence=closed,
        document="Engineering advice, not in the guide",
        need=Need.ADVICE,
        **more,  # type: ignore[arg-type]
    )


ADVICE = (
    _advice(
        "ALSO-DNS",
        ("the site's resolvers",),
        "Names are resolved by the host and, through it, by its containers.",
        "nothing that is dialled by name works",
        ports=(53,),
        service="DNS",
        protocols=("udp", "tcp"),
        direct=True,
    ),
    _advice(
        "ALSO-NTP",
        ("the site's time servers",),
        "Certificates and the license are judged by the clock.",
        "the clock drifts until TLS fails",
        ports=(123,),
        service="NTP",
        protocols=("udp",),
        direct=True,
    ),
    _advice(
        "ALSO-OS",
        (
            "archive.ubuntu.com",
            "security.ubuntu.com",
            "cdn.redhat.com",
            "subscription.rhsm.redhat.com",
        ),
        "Packages and security updates of the operating system: the first two names for Ubuntu,"
        " the others for RHEL, or the site's own mirror in their place.",
        "the machine cannot be installed, nor kept safe",
        ports=(80, 443),
        service="HTTP, HTTPS",
    ),
    _advice(
        "ALSO-DOCKER",
        ("download.docker.com",),
        "Docker's own package mirror, to install Docker and to update it; it lies inside"
        " *.docker.com, and is to be named where wildcards cannot be.",
        "Docker must be installed and updated by other means",
    ),
    _advice(
        "ALSO-MICROSERVICES",
        ("the registries and source systems of your own microservices",),
        "Images that do not come from Docker Hub, and the systems that microservices read and"
        " write, each on its own port. Name them in extra_destinations, as HOST:PORT or"
        " https://HOST:PORT, and they are audited.",
        "those microservices do not start, or have nothing to read",
        condition="where there are such microservices",
    ),
)
