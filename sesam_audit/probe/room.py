"""A room: containers that only wait, for dials and the listener to take their way."""

import contextlib
import os
import re
import socket
import struct
import threading
import time
from urllib.parse import quote

from .daemon import docker
from .executables import which
from .faults import Stopped, named, words
from .janitor import ROOM_SECONDS, janitor
from .labelled import ROOM_LABEL, owner
from .server import listener
from .streams import remaining
from .threads import CHANGED

# The stack's containers reach others through Docker's networks (their resolver, routes, packet
# size, forwarding), and others reach them through published ports. To take the same way, one
# container is started on a network of its own kind, with the ports published, and one on the
# network `sesam` where it is there. Nothing is pulled: the image is empty, and what runs in it is
# this machine's own `sleep`, from /usr, mounted read-only. The dials and the listener stay here:
# their threads enter the containers' network namespaces (setns).

ROOM_SUBNETS = ("192.0.2.0/28", "198.51.100.0/28", "203.0.113.0/28")  # RFC 5737: nobody's


def enter(name, end):
    """Take this thread, and whatever it opens, into the network of a room's container."""
    if not ROOM.ready.wait(remaining(end)):
        raise Stopped(error="NOROOM", detail="no container stood in time")
    if ROOM.reason or threading.current_thread() is threading.main_thread():
        raise Stopped(error="NOROOM", detail=ROOM.reason or "no thread could be started")
    name = name if name in ROOM.places else "container default"
    namespace, settings = ROOM.places[name]
    if ROOM.libc.setns(namespace, 0x40000000):  # CLONE_NEWNET, of this thread alone
        raise Stopped(error="NOROOM", detail="this machine's kernel does not let it in")
    return {"context": name, "settings": settings}


class Room:
    """The containers of this conversation; `places`: each one's namespace and resolv.conf."""

    def __init__(self):
        self.ready, self.asked, self.reason = threading.Event(), False, ""
        self.places, self.ports = {}, {}  # ports: "" where published, else why not

    def furnish(self, ports, dials, reads):
        try:
            self.reason = self.hindrance() or ""
            if not self.reason:
                self.build(ports, dials, reads)
        except Stopped as stopped:
            self.reason = stopped.known["detail"]
        except Exception as error:
            self.reason = "a container could not be made: " + (words(error) or named(error))
        self.ready.set()

    def hindrance(self):
        if os.geteuid() != 0:
            return "needs root: entering a container's network"
        if "podman" in os.path.realpath("/var/run/docker.sock"):
            return "podman answers in Docker's place (docker.engine)"
        try:
            import ctypes

            self.libc = ctypes.CDLL(None)
        except ImportError:
            return "this machine's Python has no ctypes"
        try:
            info = docker("GET", "/info")
        except OSError as error:
            return "no Docker daemon answers (%s)" % named(error)
        options = " ".join(map(str, info.get("SecurityOptions") or ()))
        for word, way in (("rootless", "rootless"), ("userns", "with userns-remap")):
            if "name=" + word in options:
                return "Docker runs %s (docker.engine)" % way
        return None if which("sleep") else "there is no program `sleep` to wait in a container"

    def build(self, ports, dials, reads):
        self.labels = {
            ROOM_LABEL: owner(os.getpid()),
            "com.centurylinklabs.watchtower.enable": "false",
            "traefik.enable": "false",
        }
        janitor(self.labels[ROOM_LABEL])
        changes = quote('LABEL "%s"="%s"' % (ROOM_LABEL, self.labels[ROOM_LABEL]))
        empty = b"\0" * 1024  # a tar archive of nothing
        path = "/images/create?fromSrc=-&changes=" + changes
        self.image = docker("POST", path, data=empty)["status"]
        # What leads nowhere is layout.networks' to tell: Traefik and the node have two networks.
        ways = [each for each in docker("GET", "/networks") if not each.get("Internal")]
        names = [each["Name"] for each in ways]
        until = time.monotonic() + 3
        with CHANGED:
            while not all(each.done for each in reads) and time.monotonic() < until:
                CHANGED.wait(until - time.monotonic())
        wanted = {"container default": self.network()}
        if dials and "sesam" in names:
            wanted["container sesam"] = "sesam"
        for port in ports:
            with contextlib.suppress(OSError), listener(port):
                self.ports[str(port)] = ""
            self.ports.setdefault(str(port), "EADDRINUSE")
        failures = {}
        threads = [
            threading.Thread(target=self.open, args=(*each, failures)) for each in wanted.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if "container default" not in self.places:
            raise failures["container default"]

    def network(self):
        failure = Stopped(detail="the addresses for its network are in use")
        with open("/proc/net/route", encoding="ascii") as rows:
            routes = [[int(row.split()[each], 16) for each in (1, 7)] for row in list(rows)[1:]]
        for subnet in ROOM_SUBNETS:
            (address,) = struct.unpack("=I", socket.inet_aton(subnet.partition("/")[0]))
            if any(to == address & mask for to, mask in routes if bin(mask).count("1") >= 8):
                continue
            settings = {"Name": "sesam-audit-room-%d" % os.getpid(), "Labels": self.labels}
            settings["IPAM"] = {"Config": [{"Subnet": subnet}]}
            try:
                return docker("POST", "/networks/create", settings)["Id"]
            except Stopped as stopped:
                failure = stopped
        raise failure

    def open(self, name, network, failures):
        try:
            while True:
                free = [each for each, fault in self.ports.items() if not fault]
                ports = free if name == "container default" else []
                settings = self.container(network, ports)
                made = "/containers/" + docker("POST", "/containers/create", settings)["Id"]
                try:
                    docker("POST", made + "/start")
                    break
                except Stopped as stopped:
                    taken = {*re.findall(r":(\d+)\b", stopped.known["detail"])}.intersection(ports)
                    with contextlib.suppress(Stopped):  # AutoRemove may have done it
                        docker("DELETE", made + "?force=1")
                    if not taken:
                        raise
                    self.ports.update(dict.fromkeys(taken, "EADDRINUSE"))
            found = docker("GET", made + "/json")
            namespace = os.open("/proc/%d/ns/net" % found["State"]["Pid"], os.O_RDONLY)
            self.places[name] = namespace, found["ResolvConfPath"]
        except Exception as error:
            failures[name] = error

    def container(self, network, ports):
        mounts = [each for each in ("/bin", "/lib", "/lib64", "/usr") if os.path.isdir(each)]
        return {
            "Image": self.image,
            "Entrypoint": ["sleep"],
            "Cmd": [str(ROOM_SECONDS + 15)],
            "User": "65534:65534",
            "Labels": self.labels,
            "ExposedPorts": {port + "/tcp": {} for port in ports},
            "HostConfig": {
                "AutoRemove": True,
                "NetworkMode": network,
                "PortBindings": {port + "/tcp": [{"HostPort": port}] for port in ports},
                "Binds": ["%s:%s:ro" % (each, each) for each in mounts],
                "ReadonlyRootfs": True,
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges", "label=disable"],
                "LogConfig": {"Type": "none"},
            },
        }


ROOM = Room()
