"""What stands between a company and the internet: Debian's squid, mitmproxy and pebble."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

from .certificates import Authority

PROXY, LOGIN_PROXY, STRICT_PROXY = 3128, 3129, 3130  # open, with a login, with names it refuses
INSPECTION, BLOCKING = 4450, 4451  # TLS is opened; TLS is opened and a block page shown
STERN = {403: 4452, 503: 4453}  # TLS is opened, and nothing but a status comes
ACME = 14000
PROXY_LOGIN = "sesam:proxy secret of the lab"
REFUSED = "pypi.org"
BLOCK_PAGE = "<!DOCTYPE html><html><head><title>Blocked by policy</title></head></html>"

Command = tuple[str, ...]

SQUID = f"""
http_port {PROXY} name=open
http_port {LOGIN_PROXY} name=login
http_port {STRICT_PROXY} name=strict
dns_nameservers {{resolver}}
positive_dns_ttl 1 second
negative_dns_ttl 1 second
dns_timeout 3 seconds
connect_timeout 20 seconds
cache deny all
cache_mem 1 MB
pid_filename none
cache_log /dev/null
access_log none
coredump_dir none
netdb_filename none
shutdown_lifetime 0 seconds
visible_hostname proxy.customer.example.org
auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/users
auth_param basic realm company
auth_param basic children 1
acl at_login myportname login
acl at_strict myportname strict
acl known proxy_auth REQUIRED
acl refused dstdomain {REFUSED}
http_access deny at_strict refused
http_access deny at_login !known
http_access allow all
"""


def squid(directory: Path, resolver: str) -> Command:
    """One squid with three doors; as its own user, whom the lab's directories are closed to."""
    directory.mkdir()
    user, _, password = PROXY_LOGIN.partition(":")
    hashed = subprocess.run(
        ("openssl", "passwd", "-apr1", "-stdin"),
        input=password,
        capture_output=True,
        text=True,
        check=True,
    )
    (directory / "users").write_text(f"{user}:{hashed.stdout}")
    (directory / "squid.conf").write_text(SQUID.format(resolver=resolver))
    for path in (directory, *directory.iterdir()):
        path.chmod(0o755)
    script = (
        "mount -t tmpfs none /dev/shm; "  # squid's segments have fixed names
        f"mount --bind {shlex.quote(str(directory))} /etc/squid; "
        "exec setpriv --reuid=proxy --regid=proxy --clear-groups squid -N"
    )
    return ("unshare", "--mount", "sh", "-euc", script)


def inspection(directory: Path, port: int, public: Authority, private: Authority) -> Command:
    """A mitmproxy: a transparent gateway that signs every name with the company's authority."""
    directory.mkdir(exist_ok=True)
    (directory / "mitmproxy-ca.pem").write_text(private.key_and_root)
    page = directory / "blocked.html"
    page.write_text(BLOCK_PAGE)
    blocking = ("--map-local", f"|.|{page}", "--set", "connection_strategy=lazy")
    return (
        *("mitmdump", "--quiet", "--mode", "transparent", "--listen-port", str(port)),
        *("--set", f"confdir={directory}", "--set", "block_global=false"),
        *("--set", f"ssl_verify_upstream_trusted_ca={public.root}"),
        *(blocking if port == BLOCKING else ()),
        *(each for status, at in STERN.items() if at == port for each in _nothing_but(status)),
    )


def _nothing_but(status: int) -> Command:
    return ("--set", f"block_list=/~all/{status}", "--set", "connection_strategy=lazy")


def pebble(directory: Path, public: Authority) -> Command:
    """Let's Encrypt's own test server, which nginx stands before as a CDN does."""
    chain, key = public.leaf("pebble.example.net")
    settings = {
        "listenAddress": f"127.0.0.1:{ACME}",
        "managementListenAddress": f"127.0.0.1:{ACME + 1}",
        "certificate": str(chain),
        "privateKey": str(key),
        "httpPort": 80,
        "tlsPort": 443,
    }
    at = directory / "pebble.json"
    at.write_text(json.dumps({"pebble": settings}))
    return ("pebble", "-config", str(at))
