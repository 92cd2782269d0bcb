"""The limit an audit is measured against: one ssh, one program on stdin, one JSON line back.

It reads what any audit of this kind must read and dials the documented names at the same time;
it judges nothing. Feed it to `ssh HOST python3 -`.
"""

import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading

NAMES = [
    "registry-1.docker.io", "auth.docker.io", "production.cloudfront.docker.com", "hub.docker.com",
    "index.docker.io", "acme-v02.api.letsencrypt.org", "portal.sesam.io",
    "ss-companyhub.sesam.cloud", "pypi.org", "files.pythonhosted.org", "pypi.python.org",
]  # fmt: skip
FILES = [
    "/proc/meminfo", "/proc/self/mountinfo", "/etc/os-release", "/etc/fstab", "/proc/net/tcp",
    "/srv/data/.env", "/srv/data/docker-compose.yml", "/etc/resolv.conf",
]  # fmt: skip
found = {"names": {}, "files": {}}
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def dial(name):  # noqa: ANN001, ANN201 - it also runs on Python 3.6
    try:
        plain = socket.create_connection((name, 443), 5)
        with plain, context.wrap_socket(plain, server_hostname=name) as link:
            link.sendall(b"GET / HTTP/1.0\r\n\r\n")
            found["names"][name] = link.recv(64).decode("latin-1")
    except OSError as error:
        found["names"][name] = repr(error)


docker = subprocess.Popen(["docker", "--version"], stdout=subprocess.PIPE)
threads = [threading.Thread(target=dial, args=(name,), daemon=True) for name in NAMES]
for thread in threads:
    thread.start()
for path in FILES:
    try:
        found["files"][path] = pathlib.Path(path).read_text()
    except OSError as error:
        found["files"][path] = repr(error)
found["docker"] = docker.communicate()[0].decode()
for thread in threads:
    thread.join(6)
json.dump(found, sys.stdout)
sys.stdout.flush()
os._exit(0)
