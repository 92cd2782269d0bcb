"""The TLS of a dial: whom this machine's stores trust, and the chain that was shown."""

import base64
import contextlib
import os
import re
import threading

from .faults import Stopped, words
from .proxy import tunnel
from .registry_roots import doubted, registry_roots
from .streams import remaining
from .tcp import connect

BUNDLES = (  # in the order in which Go, and so Docker, looks for them
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
CONTEXTS = {}  # by purpose, the TLS context and its store: loading a bundle takes 20 ms
LOADING = threading.Lock()


def dial_tls(ask, links, link, place):
    """The host's own store judges first. The certificate's names are the auditor's to judge."""
    whose, refused = "daemon" if ask.get("context") == "daemon" else "host", ""
    if "settings" in ask:  # in a room: containers bring stores of their own
        yield {"layer": "tls"}
        link, _ = handshake(ask, links, link, "none")
    else:
        yield {"layer": "tls", "store": context(whose)[1]}
        link, refused = handshake(ask, links, link, whose)
        yield {"trusted": not refused, "trust_error": refused}
        if refused:
            link, _ = handshake(ask, links, again(ask, links, place), "none")
    yield seen_of(link)
    if refused and whose == "daemon":
        doubted()
    if ask["public"] and "public" in CONTEXTS:
        with contextlib.suppress(OSError, Stopped):
            _, refused = handshake(ask, links, again(ask, links, place), "public")
            yield {"public": not refused}
    return link


def again(ask, links, place):
    """Another connection to the address that was open, for another handshake."""
    link, attempt = connect(place, ask["end"], links)
    if not link:
        raise Stopped(error=attempt["result"], detail="when connecting again")
    if ask["proxy"]:
        tunnel(link, ask)
    return link


def handshake(ask, links, link, purpose):
    name = ask["name"]
    sni = None if not name or ":" in name or re.match(r"[\d.]+$", name) else name
    link.settimeout(remaining(ask["end"]))
    try:
        link = context(purpose)[0].wrap_socket(link, server_hostname=sni)
    except OSError as error:
        if getattr(error, "reason", "") != "CERTIFICATE_VERIFY_FAILED":
            raise
        return None, words(error)
    return links.enter_context(link), ""


def context(purpose, pem=""):
    import ssl

    with LOADING:
        if purpose not in CONTEXTS or pem:
            made, store = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ""
            made.check_hostname = purpose == "dockerd"
            made.verify_mode = ssl.CERT_NONE if purpose == "none" else ssl.CERT_REQUIRED
            if pem:
                made.load_verify_locations(cadata=str(pem.encode("ascii", "ignore"), "ascii"))
            if purpose in ("host", "daemon", "dockerd"):
                store = next(filter(os.path.isfile, BUNDLES), "")
                with contextlib.suppress(OSError):  # an empty bundle trusts nobody
                    made.load_verify_locations(store) if store else made.load_default_certs()
            for path in registry_roots()[0] if purpose in ("daemon", "dockerd") else ():
                with contextlib.suppress(OSError):
                    made.load_verify_locations(path)
            CONTEXTS[purpose] = made, store
        return CONTEXTS[purpose]


def roots(ask):
    return {"count": context("public", ask["pem"])[0].cert_store_stats()["x509"]}


def seen_of(link):
    """The version and the chain: all of it since Python 3.10, the leaf alone before."""
    name = "get_unverified_chain"
    whole = getattr(link, name, None) or getattr(link._sslobj, name, None)
    chain = (whole() if whole else [link.getpeercert(True)]) or ()
    ders = [each if isinstance(each, bytes) else each.public_bytes(2) for each in chain]  # 2: DER
    return {
        "tls_version": link.version() or "",
        "chain": [base64.b64encode(each) for each in ders[:10]],
        "whole_chain": bool(whole),
    }
