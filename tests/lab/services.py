"""What the fake internet serves: each name with its address and an answer of authentic shape."""

from __future__ import annotations

import base64
from dataclasses import dataclass

LOGIN = base64.b64encode(b"sesamcustomer:dckr_pat_of_the_lab").decode()
STRANGERS_LOGIN = base64.b64encode(b"stranger:dckr_pat_of_the_lab").decode()  # no customer
NETWORK = "192.88.99"  # a retired anycast block: global to every rule, home to nobody
NETWORK_6 = "3ffe:ffff"  # of the 6bone, given back
AGENT_DOWNLOAD = "137.116.234.60"  # the guide's address for the agent
LOG_SHIPPING = "52.142.116.113"  # the guide's address for log shipping

HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body>{0}</body></html>"
REGISTRY = """
    location = /v2/ {
        add_header WWW-Authenticate
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"' always;
        add_header Docker-Distribution-Api-Version registry/2.0 always;
        default_type application/json;
        if ($http_authorization ~ "^Bearer lab-") { return 200 '{}'; }
        return 401 '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}';
    }
    location ~ ^/v2/(?<repository>.+)/manifests/(?<reference>[^/]+)$ {
        add_header WWW-Authenticate $challenge always;
        add_header Docker-Distribution-Api-Version registry/2.0 always;
        default_type application/json;
        if ($may_read = 0) {
            return 401 '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}';
        }
        proxy_hide_header Docker-Distribution-Api-Version;
        proxy_set_header Host $host;
        proxy_pass http://registry;
    }
    location ~ ^/v2/.+/blobs/sha256:(?<pair>..)(?<rest>.+)$ {
        add_header WWW-Authenticate $blob_challenge always;
        default_type application/json;
        if ($http_authorization !~ "^Bearer lab-") {
            return 401 '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}';
        }
        set $layers production.cloudfront.docker.com/registry-v2/docker/registry/v2/blobs/sha256;
        return 307 https://$layers/$pair/$pair$rest/data?Expires=2000000000&Signature=lab;
    }
"""
CLOUDFRONT = "production.cloudfront.docker.com"
R2 = "docker-images-prod.6aa30f8b08e16409.r2.cloudflarestorage.com"
ELSEWHERE = REGISTRY.replace(CLOUDFRONT, R2)  # layers from outside the guide's wildcards
NO_BLOBS = REGISTRY.replace(
    "set $layers",
    """return 404 '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}';
        set $layers""",
)


def _private(kind: str, answer: str) -> str:
    return f"location ~ ^/v2/sesam/sesam-node/{kind}/ {{ {answer} }}\n{REGISTRY}"


def _error(status: int, code: str) -> str:
    return f"""default_type application/json;
        add_header Docker-Distribution-Api-Version registry/2.0 always;
        return {status} '{{"errors":[{{"code":"{code}","message":"no"}}]}}';"""


_LIMITED = _error(429, "TOOMANYREQUESTS")
PRIVATE_TEMPERS = {  # what the registry may say of the private image alone
    "denied": _private("manifests", _error(403, "DENIED")),
    "unknown": _private("manifests", _error(404, "MANIFEST_UNKNOWN")),
    "limited": _private("manifests", _LIMITED),
    "pulls limited": REGISTRY.replace(
        "if ($may_read = 0)",
        "if ($request_method = GET) { return 429 'Too Many Requests'; }\n if ($may_read = 0)",
    ),
    "layers limited": _private("blobs", _LIMITED),
    "layers in trouble": _private("blobs", _error(503, "UNAVAILABLE")),
}
LIMITED = "location / { return 429 'Too Many Requests'; }"
CDN = """
    add_header X-Amz-Cf-Id lab always;
    location /registry-v2/ {
        rewrite ^/registry-v2/(.*)$ /$1 break;
        try_files $uri /blob =404;
    }
    location / {
        default_type application/xml;
        return 403 '<?xml version="1.0" encoding="UTF-8"?><Error><Code>MissingKey</Code>
            <Message>Missing Key-Pair-Id query parameter or cookie value</Message></Error>';
    }
"""
ACME = """
    location = /directory { proxy_set_header Host $host; proxy_pass https://127.0.0.1:14000/dir; }
    location / { proxy_set_header Host $host; proxy_pass https://127.0.0.1:14000; }
    location /lab/ { }
"""
TOKEN = """
    location = /token {
        default_type application/json;
        if ($login = refused) { return 401 '{"details":"incorrect username or password"}'; }
        return 200 '{"token":"lab-$login","access_token":"lab-$login","expires_in":300}';
    }
"""
SIMPLE = """
    location = /simple/pip/ {
        if ($wants_json) { rewrite ^ /simple/pip.json last; }
        default_type text/html;
        return 200 '<!DOCTYPE html><html><body>
            <a href="https://files.pythonhosted.org/pip.whl">pip</a></body></html>';
    }
    location = /simple/pip.json {
        internal;
        default_type application/vnd.pypi.simple.v1+json;
        return 200 '{"meta":{"api-version":"1.4"},"name":"pip","files":[]}';
    }
"""
CHALLENGE = (
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="$scope"'
)
MAPS = f"""
    map $http_authorization $login {{
        default refused;
        "" anonymous;
        "Basic {LOGIN}" customer;
        "Basic {STRANGERS_LOGIN}" stranger;
    }}
    map "$http_authorization $uri" $may_read {{
        default 0;
        "~^Bearer lab-customer " 1;
        "~^Bearer lab-anonymous /v2/(library|traefik|containrrr)/" 1;
    }}
    map $uri $scope {{
        "~^/v2/(?<named>.+)/(manifests|blobs)/" "repository:$named:pull";
    }}
    map $may_read $challenge {{
        0 '{CHALLENGE}';
    }}
    map $http_authorization $blob_challenge {{
        default '{CHALLENGE}';
        "~^Bearer lab-" "";
    }}
    map $http_accept $wants_json {{
        default "";
        "~application/vnd\\.pypi\\.simple\\.v1\\+json" 1;
    }}
"""


@dataclass(frozen=True)
class Service:
    """A name of the fake internet: its address and the nginx locations that answer."""

    name: str
    address: str
    locations: str
    extra_address: str = ""


def _answer(status: int, kind: str, body: str) -> str:
    return f"location / {{ default_type {kind}; return {status} '{body}'; }}"


_ANSWERS = {
    "registry-1.docker.io": REGISTRY,
    "index.docker.io": REGISTRY,
    "auth.docker.io": TOKEN,
    "production.cloudfront.docker.com": CDN,
    "production.cloudflare.docker.com": CDN,
    "hub.docker.com": _answer(200, "text/html", HTML.format("Docker Hub")),
    "acme-v02.api.letsencrypt.org": ACME,
    "acme-staging-v02.api.letsencrypt.org": ACME,
    "portal.sesam.io": _answer(200, "text/html", HTML.format("Sesam Portal")),
    "ss-companyhub.sesam.cloud": _answer(404, "text/plain", "404 page not found"),
    "pypi.org": SIMPLE,
    "files.pythonhosted.org": "add_header X-Served-By cache-lab always;"
    + _answer(404, "text/plain", "404 Not Found"),
    "pypi.python.org": "location / { return 301 https://pypi.org$request_uri; }",
}
_EXTRA = {"portal.sesam.io": AGENT_DOWNLOAD, "ss-companyhub.sesam.cloud": LOG_SHIPPING}

SERVICES = {
    name: Service(name, f"{NETWORK}.{number}", locations, _EXTRA.get(name, ""))
    for number, (name, locations) in enumerate(_ANSWERS.items(), start=11)
}
SIX = {name: f"{NETWORK_6}:88::{number}" for number, name in enumerate(SERVICES, start=11)}
SINKHOLE, PRIVATE_SINKHOLE = f"{NETWORK}.250", "10.66.66.66"
LAYERS = f"{NETWORK}.54"  # of the host outside the guide's wildcards
STRANGER = "blocked.example.net"  # the name on the certificate of whoever answers in the way
