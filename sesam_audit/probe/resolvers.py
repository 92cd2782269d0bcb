"""The name servers of this machine or of a container."""

import errno
import re
import socket

from .reading import raw, read


def name_servers(settings="/etc/resolv.conf"):
    """The addresses that resolve names here, as its settings have them."""
    text = str(read(raw(settings), 65536)[0], "ascii", "replace")
    return re.findall(r"(?m)^nameserver\s+(\S+)", text)[:3]


def unrouted(server):
    """Whether no route leads to a name server: nothing is sent to learn it."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        return link.connect_ex((server, 53)) in (errno.ENETUNREACH, errno.EADDRNOTAVAIL)
