"""Questions to a name server, by datagram and by stream."""

import os
import socket
import struct
import time

from .faults import named
from .resolvers import name_servers
from .streams import Stream, remaining


def lookup(ask):
    """One question to the machine's resolvers, or a room's, twice to each. Nothing is followed."""
    kind = {"A": 1, "AAAA": 28, "CAA": 257}[ask["type"]]
    labels = ask["name"].rstrip(".").encode("idna").split(b".")
    name = b"".join(struct.pack("B", len(label)) + label for label in labels) + b"\0"
    query = os.urandom(2) + struct.pack(">5H", 256, 1, 0, 0, 0) + name + struct.pack(">2H", kind, 1)
    servers = name_servers(ask.get("settings", "/etc/resolv.conf")) * 2
    answer = {"error": "NOSERVER"}
    for index, server in enumerate(servers):
        answer = {"server": server}
        until = time.monotonic() + (ask["end"] - time.monotonic()) / (len(servers) - index)
        try:
            place = socket.getaddrinfo(server, 53, flags=socket.AI_NUMERICHOST)[0]
            reply = by_datagram(place, query, until)
            if reply[2] & 2:  # truncated
                reply = by_stream(place, query, until)
            answer["records"] = records(reply, kind)
            if reply[3] & 15 == 0:
                return answer
            answer["error"] = {3: "NXDOMAIN", 5: "REFUSED"}.get(reply[3] & 15, "SERVFAIL")
            if answer["error"] == "NXDOMAIN":
                return answer
        except OSError as error:
            answer["error"] = named(error)
        except (LookupError, ValueError, struct.error):
            answer["error"] = "SERVFAIL"
    return answer


def by_datagram(place, query, until):
    with socket.socket(place[0], socket.SOCK_DGRAM) as link:
        link.connect(place[4])
        link.send(query)
        while True:
            link.settimeout(remaining(until))
            reply = link.recv(65536)
            same = reply[12 : len(query)].lower() == query[12:].lower() or len(reply) == 12
            if reply[:2] == query[:2] and same and reply[2] & 0x80:
                return reply


def by_stream(place, query, until):
    with socket.socket(place[0], socket.SOCK_STREAM) as link:
        link.settimeout(remaining(until))
        link.connect(place[4])
        link.sendall(struct.pack(">H", len(query)) + query)
        reader = Stream(link, until).makefile("rb")
        return reader.read(struct.unpack(">H", reader.read(2))[0])


def records(reply, kind):
    """The records of a kind; an answer that ends early raises IndexError or struct.error."""
    questions, answers = struct.unpack_from(">2H", reply, 4)
    at, found = 12, []
    for number in range(min(questions, 4) + min(answers, 100)):
        while 0 < reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] else 1
        if number < questions:
            at += 4
            continue
        this, _, _, size = struct.unpack_from(">2HIH", reply, at)
        (data,) = struct.unpack_from("%ds" % size, reply, at + 10)
        at += 10 + size
        if this == kind == 257:
            found.append(b"%d %s %s" % (data[0], data[2 : 2 + data[1]], data[2 + data[1] :]))
        elif this == kind:
            found.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
    return found
