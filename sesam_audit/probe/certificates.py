"""Certificates as they lie on the disk, and the public half of a private key."""

import re

from .executables import which
from .programs import spawn
from .reading import raw, read

PEM = re.compile(
    r"-----BEGIN (?:X509 )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:X509 )?CERTIFICATE-----"
)


def certificates(ask):
    data, cut = read(raw(ask["path"]), 1 << 20)
    text = str(data, "ascii", "replace")
    answer = {"pems": PEM.findall(text)[:200], "private": "PRIVATE KEY-----" in text}
    return dict(answer, error="TOOBIG") if cut else answer


def private_key(ask):
    """openssl's word for the public half; the private one is read by openssl alone."""
    path = raw(ask["path"])
    read(path, 1)
    if not which("openssl"):
        return {"error": "UNSUPPORTED", "message": "there is no openssl"}
    argv = ["openssl", "pkey", "-in", path, "-pubout", "-passin", "pass:"]
    done = spawn(argv, ask["end"], 65536)
    if done["error"] or done["code"]:
        return {"error": done["error"], "message": done["err"][-500:]}
    return {"public": done["out"]}
