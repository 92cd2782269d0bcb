"""A connection step by step, by the way of who will make it."""

import contextlib
import time

from .faults import fault
from .http_get import dial_http
from .proxy import tunnel
from .retrying import ended, patience
from .tcp import dial_tcp
from .tls import dial_tls


def dial(ask):
    """A connection by the way of who will make it; what may pass by itself is tried once more."""
    if ask.get("context", "").startswith("container"):
        from .room import enter

        told = enter(ask["context"], ask["end"])
        ask["began"] = time.monotonic()  # the wait for the room is no part of the dial
        ask = dict(ask, **told)
        yield {"context": ask["context"]}
    if ask.get("context") in ("daemon", "shell"):
        from .proxy_settings import by_settings

        ask, told = by_settings(ask)
        yield told
    for tries in (1, 2):
        known, failed = {}, None
        try:
            for part in dial_once(ask):
                known.update(part)
                yield part
        except Exception as error:
            failed = error
            known.update(fault(error, "Dial"))
        wait = patience(known, ask["end"]) if tries == 1 else 0
        if wait:
            time.sleep(wait)
            yield dict(UNDIALLED, tries=2, first=ended(known))
            continue
        if failed is not None:
            raise failed
        return


UNDIALLED = {
    "layer": "dns", "error": None, "detail": "", "addresses": [], "attempts": [],
    "proxy_status": 0, "proxy_authenticate": "", "tls_version": "", "chain": [],
    "whole_chain": False, "trusted": None, "trust_error": "", "public": None, "store": "",
    "status": 0, "headers": None, "body": "", "time": 0.0,
}  # fmt: skip


def dial_once(ask):
    """DNS, TCP, proxy, TLS, HTTP: each is told when it is known, before the next is tried."""
    with contextlib.ExitStack() as links:
        link, place = yield from dial_tcp(ask, links)
        if ask["proxy"]:
            yield {"layer": "proxy"}
            yield tunnel(link, ask)
        if ask["tls"]:
            link = yield from dial_tls(ask, links, link, place)
        if ask["path"]:
            yield {"layer": "http"}
            yield from dial_http(ask, link)
        yield {"layer": "done"}
