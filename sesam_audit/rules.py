"""The guide's firewall tables, row by row, under the stable names reviewers know them by."""

from __future__ import annotations

from msgspec import Struct


class Rule(Struct, frozen=True, kw_only=True):
    """One row of the guide's firewall tables, under the stable name reviewers know it by."""

    name: str
    port: str
    source: str
    destinations: tuple[str, ...]
    sentence: str
    consequence: str

    def covers(self, host: str) -> bool:
        """Whether the documented destinations hold this host name."""
        wild = (each.removeprefix("*") for each in self.destinations if each.startswith("*."))
        return host in self.destinations or any(host.endswith(end) for end in wild)


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            name="IN-80",
            port="80/HTTP",
            source="ANY (Public)",
            destinations=("Sesam IP",),
            sentence="Sesam uses Traefik to generate certificates, which requires port 80 to be"
            " open for incoming traffic from ANY (they don't provide a list of src IPs) to support"
            " renewal of certificates. If you want to bring your own certificate or use a"
            " self-signed this port opening can be skipped.",
            consequence="Let's Encrypt cannot issue or renew the certificate",
        ),
        Rule(
            name="IN-443",
            port="443/HTTPS",
            source="Clients",
            destinations=("Sesam IP",),
            sentence="Any client that needs to connect to the sesam node api needs to have access"
            " to port 443 on the sesam-node IP. This does not need to happen over the internet and"
            " can be access given through local network/VPN or similar.",
            consequence="clients cannot use the sesam node API",
        ),
        Rule(
            name="OUT-HUB",
            port="443/HTTPS",
            source="Sesam IP",
            destinations=("*.docker.com", "*.docker.io"),
            sentence="The sesam-node needs access to docker HUB to pull and update images used by"
            " the sesam-node and microservices.",
            consequence="the service will not be able to self-update",
        ),
        Rule(
            name="OUT-LE",
            port="443/HTTPS",
            source="Sesam IP",
            destinations=("*.letsencrypt.org",),
            sentence="Only needed if certificates are managed by Certbot / Let's Encrypt",
            consequence="the service will not be able to update its Let's Encrypt TLS certificates",
        ),
        Rule(
            name="OUT-SESAM",
            port="443/HTTPS",
            source="Sesam IP",
            destinations=("*.sesam.io", "*.sesam.cloud"),
            sentence="The sesam-node needs to communicate with several services hosted on these"
            " domains. These services include the sesam portal, log shipping, shipping metrics and"
            " sesam-agent updates.",
            consequence="the service will not be able to retrieve data from the Sesam portal, and"
            " it won't be able to ship logs and metrics to Sesam; notifications will not work and"
            " billing will break",
        ),
        Rule(
            name="OUT-PYPI",
            port="443/HTTPS",
            source="Sesam IP",
            destinations=("files.pythonhosted.org", "pypi.org", "pypi.python.org"),
            sentence="The sesam-agent is a python program that has some dependencies on software"
            " that is hosted on The Python Package Index (PyPI).",
            consequence="the service will not be able to self-update",
        ),
    )
}

PROXY_RULE = "OUT-PROXY"
"""The way to the profile's proxy, which is no row of the guide's tables but an option of its."""
PROXY_SENTENCE = "An option is to allow this access through a proxy."
PROXY_CONSEQUENCE = "none of the destinations can be reached"
