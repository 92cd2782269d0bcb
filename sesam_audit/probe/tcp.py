"""The first part of a dial: addresses, and a connection to one of them."""

import contextlib
import socket
import time

from .faults import Stopped, named
from .resolving import addresses, resolved
from .streams import remaining

NO_ROUTE = ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT")


def dial_tcp(ask, links):
    yield {"layer": "dns", "time": time.time()}
    host, port, flags = ask["address"] or ask["name"], ask["port"], 0
    if ask["proxy"]:
        host, _, port = ask["proxy"].rpartition("@")[2].rpartition(":")
    elif ask["address"]:
        flags = socket.AI_NUMERICHOST
    if "settings" in ask:
        places = resolved(ask, host.strip("[]"), port)
    else:
        family = {4: socket.AF_INET, 6: socket.AF_INET6}.get(ask.get("family"), 0)
        places = addresses(host.strip("[]"), port, flags, family)
    yield {"layer": "tcp", "addresses": [] if ask["proxy"] else [each[4][0] for each in places]}
    attempts = []
    for index, place in enumerate(places):
        share = (ask["end"] - time.monotonic()) / (len(places) - index)
        link, attempt = connect(place, time.monotonic() + share, links)
        attempts.append(attempt)
        yield {"attempts": list(attempts)}
        if attempt["result"] == "open":
            return link, place
    results = [each["result"] for each in attempts]
    raise Stopped(error=next((each for each in results if each not in NO_ROUTE), results[-1]))


def connect(place, until, links):
    attempt, began, link = {"address": place[4][0], "result": "open"}, time.monotonic(), None
    try:
        link = links.enter_context(socket.socket(place[0], socket.SOCK_STREAM))
        link.settimeout(remaining(until))
        link.connect(place[4])
    except OSError as error:
        attempt["result"] = named(error)
    with contextlib.suppress(OSError, AttributeError):
        attempt["source"] = link.getsockname()[0]
    attempt["seconds"] = round(time.monotonic() - began, 4)
    return link if attempt["result"] == "open" else None, attempt
