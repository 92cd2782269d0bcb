"""Faults of certificates of one's own, and of the Traefik that is to serve them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..certificates import self_signed
from ..host import LabHost
from ..lab import Lab
from .fault import FAILED, UNKNOWN, Fault
from .scenes import CERTS, TRAEFIK_YML, put_certificate

PAIR = (f"{CERTS}/node.crt", f"{CERTS}/node.key")
PUBLISHED_TRAEFIK_YML = """\
entryPoints:
  web: {address: ":80"}
  websecure: {address: ":443"}
providers: {docker: {exposedByDefault: false}}
tls:
  certificates: [{certFile: /certs/node.crt, keyFile: /certs/node.key}]
"""


def _provided(name: str, make: Callable[[Lab, LabHost], tuple[str, str]], **more: Any) -> Fault:
    """Another certificate and key in place of the right ones."""

    def outside(lab: Lab, host: LabHost) -> None:
        put_certificate(host, *make(lab, host))

    return Fault(name=name, scene="provided", keep=PAIR, outside=outside, **more)


def _configured(name: str, script: str, says: str, **more: Any) -> Fault:
    return Fault(
        name=name,
        scene="provided",
        keep=(TRAEFIK_YML,),
        seed=script,
        changes={"layout.traefik-config": FAILED},
        says=says,
        **more,
    )


WRONG = {"layout.certificates": FAILED}
FAULTS = (
    _provided(
        "a certificate of another name",
        lambda lab, _: lab.internet.public.issue("other.example.org"),
        changes=WRONG,
        says="other.example.org",
    ),
    _provided(
        "a certificate that has ended",
        lambda lab, host: lab.internet.public.issue(host.node_domain, days=-1),
        changes=WRONG,
        says="ended|expired",
    ),
    _provided(
        "a certificate that will soon end",
        lambda lab, host: lab.internet.public.issue(host.node_domain, days=20),
        changes={"layout.certificates-soon": FAILED},
    ),
    _provided(
        "a key of another certificate",
        lambda lab, host: (
            lab.internet.public.issue(host.node_domain)[0],
            lab.internet.public.issue(host.node_domain)[1],
        ),
        changes=WRONG,
        says="key",
    ),
    _provided(
        "a certificate without the one that signed it",
        lambda lab, host: _leaf_alone(*lab.internet.public.issue(host.node_domain)),
        changes=WRONG,
        says="lacks",
    ),
    _provided(
        "a self-signed certificate that is said to be provided",
        lambda _, host: self_signed(host.node_domain),
        changes=WRONG,
        says="self-signed",
    ),
    _provided(
        "a self-signed certificate",
        lambda _, host: self_signed(host.node_domain),
        settings=("certificates=self-signed",),
    ),
    Fault(
        name="a key that others may read",
        scene="provided",
        keep=PAIR,
        seed=f"chmod 0644 {PAIR[1]}",
        changes=WRONG,
        says="0644|others",
    ),
    Fault(
        name="no certificate",
        scene="provided",
        keep=PAIR,
        seed=f"rm {PAIR[0]}",
        changes=WRONG,
        says="node.crt",
    ),
    _configured(
        "Traefik's file as published, whose certificates Traefik skips",
        f"cat >{TRAEFIK_YML} <<'END'\n{PUBLISHED_TRAEFIK_YML}END",
        "default certificate",
    ),
    _configured(
        "a Traefik that does not redirect to https",
        f"sed -i '/redirections/d' {TRAEFIK_YML}",
        "redirect",
    ),
    Fault(
        name="a Traefik configured with nothing",
        scene="provided",
        keep=(TRAEFIK_YML,),
        seed=f"echo '{{}}' >{TRAEFIK_YML}",
        changes={"layout.traefik-config": FAILED, "layout.certificates": UNKNOWN},
        says="entry point",
    ),
    Fault(
        name="a directory that Docker made of a missing traefik.yml",
        scene="provided",
        keep=(TRAEFIK_YML,),
        seed=f"rm {TRAEFIK_YML}; mkdir {TRAEFIK_YML}; chown sesam:sesam {TRAEFIK_YML}",
        changes={"layout.bind-sources": FAILED, "layout.certificates": UNKNOWN},
        says="directory",
    ),
    Fault(
        name="port 80 taken where nobody outside needs it",
        scene="provided",
        seed="systemd-run --quiet --collect --unit=squatter python3 -m http.server 80\n"
        "until ss -Hltn sport = :80 | grep -q .; do sleep 0.02; done",
        mend="systemctl stop squatter",
        changes={"inbound.port-owner [80]": FAILED},
    ),
)


def _leaf_alone(chain: str, key: str) -> tuple[str, str]:
    end = "-----END CERTIFICATE-----\n"
    return chain.partition(end)[0] + end, key
