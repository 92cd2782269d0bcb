"""A company's proxy: CONNECT only, asks for a login or refuses names when it is told to."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

from relay import copy  # type: ignore[import-not-found] # beside this file: it runs as a program


def main(address: str, port: str, hosts: str, rules: str) -> None:
    """Serve for ever; `hosts` is the resolver's file, `rules` holds a login or names to refuse."""
    with socket.create_server((address, int(port)), backlog=64) as server:
        while True:
            client, _ = server.accept()
            given = (client, Path(hosts), Path(rules))
            threading.Thread(target=_serve, args=given, daemon=True).start()


def _serve(client: socket.socket, hosts: Path, rules: Path) -> None:
    with client:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := client.recv(4096)):
                return
            head += more
        name, _, port = head.split()[1].decode().rpartition(":")
        refusal = _refusal(name, head.decode(), rules.read_text().split())
        rows = (line.split() for line in hosts.read_text().splitlines())
        address = {known: found for found, known in rows}.get(name, name)
        try:
            server = None if refusal else socket.create_connection((address, int(port)), 5)
        except OSError:
            refusal = "502 Bad Gateway\r\n"
        if refusal or server is None:
            client.sendall(f"HTTP/1.1 {refusal}Content-Length: 0\r\n\r\n".encode())
            return
        with server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            copy(client, server)
            back.join()


def _refusal(name: str, head: str, rules: list[str]) -> str:
    """The status that keeps a client from a name; "" when it may pass."""
    if name in rules:
        return "403 Forbidden\r\n"
    logins = [rule for rule in rules if rule.startswith("Basic:")]
    if logins and f"Basic {logins[0].partition(':')[2]}" not in head:
        return '407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="company"\r\n'
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
