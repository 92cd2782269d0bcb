"""A small HTTP server: by its token those outside know which machine they reached."""

import contextlib
import os
import socket
import time

from .threads import start

OURS = set()  # the audit's own listening sockets, which `listeners` leaves out


def listener(port):
    """Both families at once, so that a port taken on any address is seen as taken."""
    families = (
        [socket.AF_INET6, socket.AF_INET]
        if os.path.exists("/proc/net/if_inet6")
        else [socket.AF_INET]
    )
    server = socket.socket(families[0], socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if families[0] == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    OURS.add("socket:[%d]" % os.fstat(server.fileno()).st_ino)
    server.bind(("", port))
    server.listen(16)
    return server


def attend(server, token, until):
    with server:
        server.settimeout(1)
        while time.monotonic() < until:
            with contextlib.suppress(OSError):  # nobody came, or whoever came left again
                link, peer = server.accept()
                start(greet, link, peer[0], token)


def greet(link, peer, token):
    said = "HTTP/1.1 200 OK\r\nX-Sesam-Audit: %s\r\nX-Sesam-Peer: %s\r\nConnection: close\r\n"
    with link, contextlib.suppress(OSError):
        link.settimeout(2)
        link.recv(4096)
        link.sendall((said % (token, peer) + "Content-Length: 0\r\n\r\n").encode())
