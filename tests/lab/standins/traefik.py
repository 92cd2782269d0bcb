#!/usr/bin/python3
"""The reverse proxy: reads its configuration by Traefik's rules, routes by Docker's labels.

A file of configuration (--configFile, or the places Traefik looks in) counts alone: flags beside
it are not read, and `tls` in it is not either, that belongs to the file provider.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PLACES = ("/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml")
ACME = "https://acme-v02.api.letsencrypt.org/lab/"
OWN = Path("/lab/default.pem")  # TRAEFIK DEFAULT CERT


def parse(text: str) -> Any:
    """The part of YAML that configurations use: nested maps, lists, plain and quoted words."""
    lines = []
    for line in text.splitlines():
        bare = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        if bare.strip():
            lines.append((len(bare) - len(bare.lstrip()), bare.strip()))
    return block(lines)


def block(lines: list[tuple[int, str]]) -> Any:
    if not lines:
        return None
    depth = lines[0][0]
    if lines[0][1].startswith("- "):
        items: list[list[tuple[int, str]]] = []
        for indent, words in lines:
            if indent == depth and words.startswith("- "):
                items.append([(indent + 2, words[2:].strip())])
            else:
                items[-1].append((indent, words))
        return [block(item) if ":" in item[0][1] else word(item[0][1]) for item in items]
    found: dict[str, Any] = {}
    for number, (indent, words) in enumerate(lines):
        if indent != depth:
            continue
        key, _, value = words.partition(":")
        rest = lines[number + 1 :]
        end = next(
            (
                i
                for i, each in enumerate(rest)
                if each[0] <= depth and not (each[0] == depth and each[1].startswith("- "))
            ),
            len(rest),
        )
        found[word(key)] = word(value.strip()) if value.strip() else block(rest[:end])
    return found


def word(text: str) -> Any:
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    if text.startswith("[") and text.endswith("]"):
        return [word(each.strip()) for each in text[1:-1].split(",")]
    return text[1:-1] if text[:1] in "'\"" and len(text) > 1 else text


def look(tree: Any, path: str) -> Any:
    """The value at a path, whatever the case of its names; None where there is none."""
    for name in path.split("."):
        if not isinstance(tree, dict):
            return None
        tree = {str(key).lower(): value for key, value in tree.items()}.get(name.lower())
    return tree


def configuration() -> Any:
    """The static configuration: of a file alone, else of the flags."""
    flags = [each[2:].partition("=") for each in sys.argv[1:] if each.startswith("--")]
    named = [value for name, _, value in flags if name.lower() == "configfile"]
    for path in (*named, *PLACES):
        if Path(path).is_file():
            return parse(Path(path).read_text())
    tree: dict[str, Any] = {}
    for name, _, value in flags:
        *parents, last = name.lower().split(".")
        at = tree
        for each in parents:
            at = at.setdefault(each, {}) if isinstance(at.get(each, {}), dict) else {}
        at[last] = value or "true"
    return tree


def containers() -> list[dict[str, Any]]:
    """What runs, by the daemon's API."""
    connection = http.client.HTTPConnection("docker")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect("/var/run/docker.sock")
    connection.request("GET", "/containers/json")  # in any version, as 3.6.1 and later
    found: list[dict[str, Any]] = json.loads(connection.getresponse().read())
    return found


def backend(host: str) -> tuple[str, int] | None:
    """Where the requests for a name go: the container whose rule names it."""
    if look(CONFIG, "providers.docker") is None:
        return None
    for container in containers():
        labels = container["Labels"]
        rules = [
            v for k, v in labels.items() if re.fullmatch(r"traefik\.http\.routers\..*\.rule", k)
        ]
        if labels.get("traefik.enable") == "true" and f"Host(`{host}`)" in rules:
            ports = [v for k, v in labels.items() if k.endswith("loadbalancer.server.port")]
            networks = container["NetworkSettings"]["Networks"].values()
            address = next(each["IPAddress"] for each in networks if each["IPAddress"])
            return address, int(ports[0])
    return None


def domains() -> list[str]:
    """The names for which a certificate resolver is to find certificates."""
    found = []
    for container in containers():
        labels = container["Labels"]
        for key, resolver in labels.items():
            if key.endswith(".tls.certresolver") and look(
                CONFIG, f"certificatesResolvers.{resolver}"
            ):
                rule = labels.get(key.replace(".tls.certresolver", ".rule"), "")
                found += re.findall(r"Host\(`([^`]+)`\)", rule)
    return found


def resolved(host: str) -> Path | None:
    """A certificate of the lab's ACME server, kept in the resolver's storage."""
    resolvers = look(CONFIG, "certificatesResolvers") or {}
    for resolver in resolvers.values():
        storage = Path(look(resolver, "acme.storage") or "/letsencrypt/acme.json")
        if storage.exists() and storage.stat().st_mode & 0o077:
            sys.stderr.write(f"permissions of {storage} are too open, please use 600\n")
            return None
        if not storage.exists():
            with urllib.request.urlopen(f"{ACME}{host}.pem", context=ANYBODY, timeout=10) as got:
                text = got.read().decode()
            os.close(os.open(storage, os.O_CREAT | os.O_WRONLY, 0o600))
            storage.write_text(json.dumps({host: text}))
        kept = json.loads(storage.read_text())
        if host in kept:
            with tempfile.NamedTemporaryFile("w", delete=False) as pem:
                pem.write(kept[host])
            return Path(pem.name)
    return None


def provided() -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
    """The file provider's certificates, and its default one."""
    where = look(CONFIG, "providers.file.filename") or look(CONFIG, "providers.file.directory")
    if not where or not Path(where).exists():
        return [], None
    files = sorted(Path(where).glob("*.y*ml")) if Path(where).is_dir() else [Path(where)]
    pairs, default = [], None
    for tree in (parse(path.read_text()) for path in files):
        pairs += [
            (look(each, "certFile"), look(each, "keyFile"))
            for each in look(tree, "tls.certificates") or ()
        ]
        if chosen := look(tree, "tls.stores.default.defaultCertificate"):
            default = (look(chosen, "certFile"), look(chosen, "keyFile"))
    return pairs, default


def names(path: str) -> set[str]:
    decoded = ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined]
    return {name for _, name in decoded.get("subjectAltName", ())}


def serving() -> ssl.SSLContext:
    """TLS with the certificate that covers the name asked for, else the default one."""
    pairs, chosen = provided()
    contexts = {name: context(*pair) for pair in pairs for name in names(pair[0])}
    default = context(*chosen) if chosen else context(str(OWN))

    def select(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name and name not in contexts and name in domains():
            try:
                if found := resolved(name):
                    contexts[name] = context(str(found))
            except OSError as error:
                sys.stderr.write(f"unable to obtain ACME certificate for {name}: {error}\n")
        connection.context = contexts.get(name or "", default)

    default.sni_callback = select
    return default


def context(certificate: str, key: str | None = None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    return made


class Entry(BaseHTTPRequestHandler):
    """An entry point: redirects, or passes on what a router knows."""

    redirection: str | None = None
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        if self.redirection:
            self._answer(301, b"Moved Permanently", {"Location": f"https://{host}{self.path}"})
            return
        if not (where := backend(host)):
            self._answer(404, b"404 page not found\n")
            return
        connection = http.client.HTTPConnection(*where, timeout=10)
        try:
            connection.request(self.command, self.path, headers={"Host": host})
            got = connection.getresponse()
            kind = {"Content-Type": got.getheader("Content-Type", "text/plain")}
            self._answer(got.status, got.read(), kind)
        except OSError:
            self._answer(502, b"Bad Gateway")

    do_HEAD = do_POST = do_GET  # noqa: N815 - the names that http.server calls

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {"Content-Type": "text/plain; charset=utf-8"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Secure(ThreadingHTTPServer):
    """Shakes hands in the thread of its connection: a client that says nothing blocks nobody."""

    tls: ssl.SSLContext

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            request.settimeout(10)
            request = self.tls.wrap_socket(request, server_side=True)
        except OSError:
            self.shutdown_request(request)
            return
        super().process_request_thread(request, client_address)


def listen(name: str, point: Any) -> None:
    secure = look(point, "http.redirections") is None and name != "web"
    to = look(point, "http.redirections.entryPoint.to")
    handler = type("Point", (Entry,), {"redirection": to})
    address = (
        str(look(point, "address")).rpartition(":")[0],
        int(look(point, "address").split(":")[-1]),
    )
    server = (Secure if secure else ThreadingHTTPServer)(address, handler)
    if isinstance(server, Secure):
        server.tls = serving()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stderr.write(f"entry point {name} on {address[1]}{' with TLS' if secure else ''}\n")


ANYBODY = ssl.create_default_context()
ANYBODY.check_hostname = False
ANYBODY.verify_mode = ssl.CERT_NONE
CONFIG = configuration()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for entry, settings in (look(CONFIG, "entryPoints") or {}).items():
    listen(entry, settings)
if os.environ.get("LAB_BEHAVIOUR") == "crashes":
    sys.exit("level=error msg=lost")
while True:
    signal.pause()
