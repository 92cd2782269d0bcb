"""A tunnel through an HTTP proxy."""

import base64

from .faults import Stopped
from .streams import exchange
from .urls import in_url


def tunnel(link, ask):
    target = "%s:%d" % (in_url(ask["address"] or ask["name"]), ask["port"])
    headers = {"Host": target, "User-Agent": "sesam-audit"}
    if ask["login"]:
        login = str(base64.b64encode(ask["login"].encode("utf-8")), "ascii")
        headers["Proxy-Authorization"] = "Basic " + login
    response = exchange(link, "CONNECT %s HTTP/1.1" % target, headers, ask["end"])
    wants = (response.getheader("Proxy-Authenticate") or "")[:500]
    known = {"proxy_status": response.status, "proxy_authenticate": wants}
    if not 200 <= response.status < 300:
        raise Stopped(error="HTTP", detail="%d %s" % (response.status, response.reason), **known)
    return known
