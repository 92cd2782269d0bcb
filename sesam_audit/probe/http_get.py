"""The last part of a dial: one GET, and of its answer what may be told."""

import re
import time

from .streams import exchange
from .urls import in_url

TOKEN = re.compile(rb'("(?:\w+_)?token"\s*:\s*")[^"]*')


def dial_http(ask, link):
    host = in_url(ask["name"] or ask["address"])
    host += "" if ask["port"] == (443 if ask["tls"] else 80) else ":%d" % ask["port"]
    headers = {"Host": host, "User-Agent": "sesam-audit", "Accept": ask["accept"]}
    response = exchange(link, "GET %s HTTP/1.1" % ask["path"], headers, ask["end"])
    told = {}
    for key, value in response.getheaders()[:40]:
        key = key.lower()
        told[key] = (told[key] + ", " + value if key in told else value)[:500]
    # Signed links carry their right in the query, cookies are somebody's session.
    told.update({key: told[key].partition("?")[0] for key in ("location",) if key in told})
    told.pop("set-cookie", None)
    yield {"status": response.status, "headers": told, "time": time.time()}
    body, part = b"", b" "
    while part and len(body) < 4096:
        try:
            part = response.read1(4096 - len(body))
        except Exception as error:
            if type(error).__name__ != "IncompleteRead":
                raise
            part = b""
        body += part
        yield {"body": TOKEN.sub(rb"\1...", body)}
