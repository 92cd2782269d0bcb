"""A slow path: relays redirected connections to where they were going, but answers late."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from pathlib import Path

SO_ORIGINAL_DST = 80  # linux/netfilter_ipv4.h


def main(address: str, port: str, delay: str) -> None:
    """Serve for ever; `delay` is a file that holds the seconds to wait."""
    with socket.create_server((address, int(port)), backlog=64) as server:
        while True:
            client, _ = server.accept()
            seconds = float(Path(delay).read_text())
            threading.Thread(target=_serve, args=(client, seconds), daemon=True).start()


def _serve(client: socket.socket, seconds: float) -> None:
    original = client.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    port, packed = struct.unpack("!2xH4s8x", original)
    time.sleep(seconds)
    with client, socket.create_connection((socket.inet_ntoa(packed), port)) as server:
        back = threading.Thread(target=copy, args=(server, client), daemon=True)
        back.start()
        copy(client, server)
        back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # either side may leave early


if __name__ == "__main__":
    main(*sys.argv[1:])
