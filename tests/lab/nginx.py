"""The nginx configuration of the fake internet: the true answers, and four ways to be wrong."""

from __future__ import annotations

from pathlib import Path

from .certificates import Authority
from .services import (
    CDN,
    ELSEWHERE,
    LIMITED,
    MAPS,
    NO_BLOBS,
    R2,
    SERVICES,
    SINKHOLE,
    STRANGER,
)

# The ports that stand for a way to be wrong; connections to 443 are led there name by name.
WRONG_NAME, OTHER_AUTHORITY, CAPTIVE = 4441, 4442, 4443
REGISTRIES = {4444: ELSEWHERE, 4445: NO_BLOBS, 4446: LIMITED}  # other tempers of the registry
LAYERS_ELSEWHERE, BLOBS_GONE, LIMIT = REGISTRIES

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
LOGIN_PAGE = "location / { return 302 http://login.example.net/?from=$host; }"
BLOCK_PAGE = """
    location / {
        default_type text/html;
        return 403 '<html><body>Blocked by policy</body></html>';
    }
"""
PLAIN = "server { listen 80 default_server; return 301 https://$host$request_uri; }"


def config(directory: Path, public: Authority, private: Authority) -> str:
    """The whole configuration; certificates are made on the way."""
    (directory / "www").mkdir()
    (directory / "www/lab").mkdir()
    (directory / "www/docker").symlink_to(directory / "registry/docker")
    (directory / "www/blob").write_bytes(b"\x1f\x8b\x08\x00" + bytes(4092))
    stranger = public.leaf(STRANGER)
    parts = [HEAD.format(directory=directory), MAPS, PLAIN]
    default = "default_server"
    parts += [_server(443, STRANGER, stranger, BLOCK_PAGE, extra_address=SINKHOLE, default=default)]
    for name, service in SERVICES.items():
        leaf = public.leaf(name)
        parts += [_server(443, name, leaf, service.locations, extra_address=service.extra_address)]
        parts += [_server(WRONG_NAME, name, stranger, service.locations)]
        parts += [_server(CAPTIVE, name, leaf, LOGIN_PAGE)]
        parts += [_server(OTHER_AUTHORITY, name, private.leaf(name), service.locations)]
    registry = "registry-1.docker.io"
    for port, locations in REGISTRIES.items():
        parts += [_server(port, registry, public.leaf(registry), locations)]
    parts += [_server(443, R2, public.leaf(R2), CDN)]
    return "\n".join([*parts, "}", ""])


def _server(
    port: int,
    name: str,
    leaf: tuple[Path, Path],
    locations: str,
    *,
    extra_address: str = "",
    default: str = "",
) -> str:
    listens = [f"{port}"] + ([f"{extra_address}:{port}"] if extra_address else [])
    chain, key = leaf
    return (
        f"server {{ server_name {name};"
        f" {' '.join(f'listen {listen} ssl {default};' for listen in listens)}"
        f" ssl_certificate {chain}; ssl_certificate_key {key};\n{locations}\n}}"
    )
