"""Whether a connection that ended badly is tried once more."""

import re
import time

from .resolvers import name_servers, unrouted


def patience(known, end):
    """Seconds until a second try of what may pass by itself; 0 where there is none."""
    status, wait = known.get("status") or known.get("proxy_status") or 0, 0
    if known.get("error") in ("ECONNRESET", "EPIPE"):
        wait = 0.3
    elif known.get("error") == "SERVFAIL":
        servers = name_servers()
        wait = 0 if servers and all(map(unrouted, servers)) else 0.3  # no way: no second try
    elif "EOF" in known.get("detail", ""):
        wait = 0.3
    elif status == 429 or status >= 500:
        asked = (known.get("headers") or {}).get("retry-after", "")
        wait = max(1, int(asked)) if re.match(r"[0-9]{1,4}$", asked) else 1
    return wait if time.monotonic() + wait + 1 < end else 0


def ended(known):
    """How a try ended, in a few words."""
    status = known.get("status") or known.get("proxy_status")
    error = "HTTP %d" % status if status else known.get("error") or "no words"
    return "%s at %s" % (error, known.get("layer", "dns"))
