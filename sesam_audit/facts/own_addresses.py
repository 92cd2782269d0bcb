"""The addresses that are the host's own, as its kernel has them."""

from __future__ import annotations

import ipaddress
import re

from sesam_audit.asks import File, FileAnswer, Steps
from sesam_audit.facts import gather

_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
_FIB, _INET6 = "/proc/net/fib_trie", "/proc/net/if_inet6"


def own_addresses() -> Steps[frozenset[str]]:
    """Every address of every interface.

    Raises:
        Unknown: the kernel's tables cannot be read.
    """
    four, six = yield from gather(File(_FIB, 1_048_576), File(_INET6))
    return frozenset((*_LOCAL.findall(four.read(_FIB) or ""), *_version_6(six)))


def _version_6(answer: FileAnswer) -> list[str]:
    """The addresses of /proc/net/if_inet6, which is not there when IPv6 is off."""
    rows = [line.split() for line in (answer.read(_INET6) or "").splitlines()]
    return [
        str(ipaddress.IPv6Address(bytes.fromhex(row[0])))
        for row in rows
        if row and re.fullmatch(r"[0-9a-f]{32}", row[0])
    ]
