"""The parts of a URL, and a name as it stands in one."""

import re

from .faults import Stopped


def in_url(name):
    return "[%s]" % name if ":" in name else name


def urlparts(url):
    """Host, port and request target of an https URL; nothing else is asked anything."""
    from urllib.parse import quote, urlsplit

    try:
        found = urlsplit(url)
        host, port = found.hostname or "", found.port or 443
    except ValueError:
        raise Stopped(error="HTTP", detail="it leads to what is no URL") from None
    if found.scheme != "https" or not re.match(r"[a-z0-9._-]+$|[0-9a-f:.]+$", host):
        away = "%s://%s" % (found.scheme[:20], host[:253])
        raise Stopped(error="HTTP", detail="it leads to %s, not to https" % away)
    target = (found.path or "/") + ("?" + found.query if found.query else "")
    return host, port, quote(target, safe="%/:=&?~#+!$,;'@()*[]")
