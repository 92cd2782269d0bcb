"""Who listens on which ports of this machine."""

import contextlib
import os
import re
import socket
import struct

from .reading import read
from .server import OURS


def listeners(ask):
    found = {}  # socket: its places
    for family, lines in ((socket.AF_INET, "/proc/net/tcp"), (socket.AF_INET6, "/proc/net/tcp6")):
        with contextlib.suppress(FileNotFoundError), open(lines, encoding="ascii") as rows:
            for row in rows:
                fields = row.split()
                address, _, port = fields[1].partition(":")
                if fields[3] == "0A" and int(port, 16) in ask["ports"]:
                    numbers = [int(each, 16) for each in re.findall("." * 8, address)]
                    packed = struct.pack("=%dI" % len(numbers), *numbers)
                    place = {"address": socket.inet_ntop(family, packed), "port": int(port, 16)}
                    found.setdefault("socket:[%s]" % fields[9], []).append(place)
    for each in OURS.intersection(found):
        del found[each]
    owners = socket_owners(found)
    return {
        "listeners": [dict(owners.get(each, {}), **one) for each in found for one in found[each]]
    }


def socket_owners(sockets):
    owners = {}
    for pid in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        place = "/proc/%s/" % pid
        with contextlib.suppress(OSError):  # it ended, or it is not ours to look at
            for number in os.listdir(place + "fd") if len(owners) < len(sockets) else ():
                each = ""
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    each = os.readlink(place + "fd/" + number)
                if each in sockets and each not in owners:
                    command, cgroup = read(place + "comm", 64)[0], read(place + "cgroup", 500)[0]
                    owners[each] = {"pid": int(pid), "command": command.strip(), "cgroup": cgroup}
    return owners
