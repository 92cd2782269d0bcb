"""The nginx configuration of the fake internet: the true answers, and the ways to be wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from .certificates import Authority, self_signed
from .services import (
    CDN,
    ELSEWHERE,
    LIMITED,
    MAPS,
    NO_BLOBS,
    PRIVATE_SINKHOLE,
    PRIVATE_TEMPERS,
    R2,
    SERVICES,
    SINKHOLE,
    STRANGER,
)

# The ports that stand for a way to be wrong; connections to 443 are led there name by name.
WRONG_NAME, OTHER_SERVICE, CAPTIVE = 4441, 4442, 4443
EXPIRED, NOT_YET, OLD_TLS, CAPTIVE_80 = 4447, 4448, 4449, 4480
REGISTRIES = {4444: ELSEWHERE, 4445: NO_BLOBS, 4446: LIMITED}  # other tempers of the registry
LAYERS_ELSEWHERE, BLOBS_GONE, LIMIT = REGISTRIES
PRIVATE = {temper: 4460 + number for number, temper in enumerate(PRIVATE_TEMPERS)}
COMPANYS, COMPANYS_NAME = 4457, "index.docker.io"  # a company's registry, by its own authority
CAPTIVE_UNSIGNED, CAPTIVE_STATUS, OUT_OF_ORDER = 4454, 4455, 4456

HEAD = """
daemon off;
master_process off;
user root;
pid nginx.pid;
error_log nginx.log warn;
events {{ worker_connections 512; }}
http {{
    log_format asked '$host $request_method $request_uri $status';
    access_log access.log asked;
    client_body_temp_path {directory}/tmp;
    proxy_temp_path {directory}/tmp;
    fastcgi_temp_path {directory}/tmp;
    uwsgi_temp_path {directory}/tmp;
    scgi_temp_path {directory}/tmp;
    server_names_hash_bucket_size 128;
    map_hash_bucket_size 256;
    ssl_protocols TLSv1.2 TLSv1.3;
    server_tokens off;
    root {directory}/www;
    upstream registry {{ server unix:{directory}/registry.sock; }}
"""
PORTAL = "login.example.net"
LOGIN_PAGE = f"location / {{ return 302 http://{PORTAL}/?from=$host; }}"
SOMETHING_ELSE = """location / { default_type application/json; return 200 '{"status":"up"}'; }"""
STATUS_PAGE = "location / { default_type text/html; return 511 '<html>Log in</html>'; }"
IN_TROUBLE = "location / { default_type text/plain; return 503 'Service Unavailable'; }"
NOT_BEGUN = timedelta(days=-2)
TLS_1_1 = "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"
BLOCK_PAGE = """
    location / {
        default_type text/html;
        return 403 '<html><body>Blocked by policy</body></html>';
    }
"""
PLAIN = """
    server {
        listen 80 default_server;
        listen [::]:80 default_server;
        return 301 https://$host$request_uri;
    }
"""


def config(directory: Path, public: Authority, private: Authority) -> str:
    """The whole configuration; certificates are made on the way."""
    (directory / "www").mkdir()
    (directory / "www/lab").mkdir()
    (directory / "www/docker").symlink_to(directory / "registry/docker")
    (directory / "www/blob").write_bytes(b"\x1f\x8b\x08\x00" + bytes(4092))
    stranger = public.leaf(STRANGER)
    parts = [HEAD.format(directory=directory), MAPS, PLAIN]
    default = "default_server"
    sinks = (SINKHOLE, PRIVATE_SINKHOLE)
    parts += [_server(443, STRANGER, stranger, BLOCK_PAGE, addresses=sinks, default=default)]
    parts += [_server(CAPTIVE, PORTAL, public.leaf(PORTAL), LOGIN_PAGE, default=default)]
    parts += [f"server {{ listen {CAPTIVE_80}; {LOGIN_PAGE} }}"]
    unsigned = directory / "portal.pem", directory / "portal.key"
    for path, text in zip(unsigned, self_signed(PORTAL), strict=True):
        path.write_text(text)
    parts += [_server(CAPTIVE_UNSIGNED, PORTAL, unsigned, LOGIN_PAGE, default=default)]
    parts += [_server(CAPTIVE_STATUS, PORTAL, unsigned, STATUS_PAGE, default=default)]
    for name, service in SERVICES.items():
        leaf, own = public.leaf(name), service.locations
        addresses = tuple(filter(None, (service.extra_address,)))
        parts += [_server(443, name, leaf, own, addresses=addresses)]
        parts += [_server(WRONG_NAME, name, stranger, own)]
        parts += [_server(OTHER_SERVICE, name, leaf, SOMETHING_ELSE)]
        parts += [_server(OUT_OF_ORDER, name, leaf, IN_TROUBLE)]
        parts += [_server(EXPIRED, name, public.leaf(name, days=-1), own)]
        parts += [_server(NOT_YET, name, public.leaf(name, NOT_BEGUN, 300), own)]
        parts += [_server(OLD_TLS, name, leaf, f"{TLS_1_1} {own}")]
    registry = "registry-1.docker.io"
    tempers = {PRIVATE[temper]: locations for temper, locations in PRIVATE_TEMPERS.items()}
    for port, locations in {**REGISTRIES, **tempers}.items():
        parts += [_server(port, registry, public.leaf(registry), locations)]
    parts += [_server(443, R2, public.leaf(R2), CDN)]
    parts += [_server(COMPANYS, COMPANYS_NAME, private.leaf(COMPANYS_NAME), SOMETHING_ELSE)]
    return "\n".join([*parts, "}", ""])


def _server(
    port: int,
    name: str,
    leaf: tuple[Path, Path],
    locations: str,
    *,
    addresses: tuple[str, ...] = (),
    default: str = "",
) -> str:
    listens = [f"{port}", f"[::]:{port}", *(f"{address}:{port}" for address in addresses)]
    chain, key = leaf
    return (
        f"server {{ server_name {name};"
        f" {' '.join(f'listen {listen} ssl {default};' for listen in listens)}"
        f" ssl_certificate {chain}; ssl_certificate_key {key};\n{locations}\n}}"
    )
