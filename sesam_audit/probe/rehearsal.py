"""The requests of one pull, as dockerd makes them."""

import base64
import contextlib
import json
import re
import time
from urllib.parse import urlencode, urljoin

from .censoring import censored, texts
from .faults import Stopped, named, words
from .hub import AUTH, REGISTRY, fits, hub_login
from .proxy import tunnel
from .proxy_settings import by_settings
from .registry_roots import doubted
from .streams import exchange, remaining
from .tcp import dial_tcp
from .tls import again, context, dial_tls, seen_of
from .urls import in_url, urlparts

MANIFESTS = ", ".join(
    "application/vnd." + each
    for each in (
        "oci.image.index.v1+json", "docker.distribution.manifest.list.v2+json",
        "oci.image.manifest.v1+json", "docker.distribution.manifest.v2+json",
    )
)  # fmt: skip
TELLING = (
    "content-type", "content-range", "location", "date", "server", "retry-after",
    "docker-content-digest", "docker-distribution-api-version",
    "ratelimit-limit", "ratelimit-remaining",
    "x-amz-cf-id", "x-amz-cf-pop", "x-amz-request-id", "cf-ray",
)  # fmt: skip


class Rehearsal:
    """The requests of one pull: what is told of them, and the secrets that stay here."""

    def __init__(self, ask):
        self.ask, self.login = ask, hub_login(ask["login_file"])
        self.steps, self.last, self.more, self.began = [], {}, {}, 0.0
        self.blob = ask["method"] == "GET"
        self.secrets = texts(ask["login"].encode("utf-8")) + texts(self.login)

    def known(self, **more):
        self.more.update(more)
        return censored(dict(self.more, steps=self.steps, last=self.last), self.secrets)

    def broken(self, error):
        """Nothing of an unforeseen error but its kind: it may quote what stays here."""
        told = {"error": named(error), "detail": words(error)}
        told.update(getattr(error, "known", {}))
        if told["error"].startswith("CRASH"):
            told = {"error": "CRASH: " + type(error).__name__, "detail": ""}
        self.last.update(told)
        for step in self.steps[-1:]:
            step.update(error=told["error"], seconds=round(time.monotonic() - self.began, 4))
        return self.known(error=told["error"], detail=told["detail"])

    def run(self, links):
        blob, where = self.ask["method"] == "GET", "/v2/%s/%s/%s"
        headers = {"Range": "bytes=0-1023"} if blob else {"Accept": MANIFESTS}
        kind = "blobs" if blob else "manifests"
        url = "https://" + REGISTRY + where % (self.ask["repository"], kind, self.ask["reference"])
        response = yield from self.request(links, url, headers)
        if response.status == 401:
            token = yield from self.token(links, response)
            if not token:
                return
            headers["Authorization"] = "Bearer " + token
            response = yield from self.request(links, url, headers)
        response = yield from self.followed(links, url, headers, response)
        if self.ask.get("spend") and not blob and response.status == 200:
            response = yield from self.layer(links, dict(headers))
        yield from self.ending(response)

    def followed(self, links, url, headers, response):
        """The answer where the redirects end; the token stays with the registry."""
        for _ in range(5):
            if response.status not in (301, 302, 303, 307, 308):
                return response
            before, url = url, self.led(url, response)
            if urlparts(before)[:2] != urlparts(url)[:2]:
                headers.pop("Authorization", None)
            response = yield from self.request(links, url, headers)
        if 300 <= response.status < 400:
            raise Stopped(error="HTTP", detail="more than five redirects")
        return response

    def layer(self, links, headers):
        """The smallest layer's first bytes; this spends a pull: the manifest is read for it."""
        where, reference = "https://%s/v2/%s/" % (REGISTRY, self.ask["repository"]), ""
        for _ in range(2):  # an index, then the manifest for this machine
            url = where + "manifests/" + (reference or self.ask["reference"])
            response = yield from self.request(links, url, headers, "GET")
            if response.status != 200:
                return response
            try:
                found = json.loads(str(response.read(1 << 20), "utf-8"))
                listed = found.get("manifests") or found["layers"]
                ours = [each for each in listed if fits(each.get("platform"))] or listed
                digest = min(ours, key=lambda each: each["size"])["digest"]
                reference = re.match(r"sha256:[0-9a-f]{64}$", digest).group()
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                raise Stopped(error="HTTP", detail="the manifest names no layer") from None
            if "manifests" not in found:
                break
        self.blob = True
        headers = {key: headers[key] for key in headers if key == "Authorization"}
        headers["Range"] = "bytes=0-1023"
        url = where + "blobs/" + reference
        response = yield from self.request(links, url, headers, "GET")
        return (yield from self.followed(links, url, headers, response))

    def led(self, url, response):
        """Where a redirect leads; what its query holds is a right, and a secret."""
        try:
            url = urljoin(url, response.getheader("Location") or "")
        except ValueError:
            raise Stopped(error="HTTP", detail="it leads to what is no URL") from None
        self.secrets += [url.partition("?")[2]]
        return url

    def request(self, links, url, headers, method=None):
        """One request on a connection of its own; no byte of it goes to an unproved server."""
        host, port, target = urlparts(url)
        ask = dict(self.ask, name=host, port=port, address="", public=False)
        way = {}
        if ask.get("context") == "daemon":
            ask, way = by_settings(ask)
            self.secrets += texts(ask["login"].encode("utf-8"))
        method, self.began = method or ("GET" if self.blob else "HEAD"), time.monotonic()
        step = {"host": host, "path": target.partition("?")[0][:500]}
        self.steps.append(step)
        self.last = dict(way)
        link, place = yield from self.entered(dial_tcp(ask, links))
        if ask["proxy"]:
            yield self.entering({"layer": "proxy"})
            yield self.entering(tunnel(link, ask))
        else:
            step["address"] = place[4][0]
        link = yield from self.entered(self.secured(ask, links, link, place))
        yield self.entering({"layer": "http"})
        host = in_url(host) + ("" if port == 443 else ":%d" % port)
        headers = dict({"Host": host, "User-Agent": "sesam-audit"}, **headers)
        response = exchange(link, "%s %s HTTP/1.1" % (method, target), headers, ask["end"])
        step.update(status=response.status, seconds=round(time.monotonic() - self.began, 4))
        told = {key: (response.getheader(key) or "").partition("?")[0][:500] for key in TELLING}
        told = {key: value for key, value in told.items() if value}
        yield self.entering({"status": response.status, "headers": told, "time": time.time()})
        return response

    def entering(self, part):
        self.last.update(part)
        return self.known()

    def entered(self, parts):
        """What a part of a dial yields goes into the last connection; its result is returned."""
        while True:
            try:
                part = next(parts)
            except StopIteration as stop:
                return stop.value
            yield self.entering(part)

    def secured(self, ask, links, link, place):
        """TLS as dockerd wants it, chain and name; of who is refused the chain is still shown."""
        made, store = context("dockerd")
        yield {"layer": "tls", "store": store}
        link.settimeout(remaining(ask["end"]))
        try:
            link = links.enter_context(made.wrap_socket(link, server_hostname=ask["name"]))
        except (OSError, ValueError) as error:  # Python 3.6 has a ValueError for a wrong name
            mismatch = type(error).__name__ == "CertificateError"
            if not mismatch and getattr(error, "reason", "") != "CERTIFICATE_VERIFY_FAILED":
                raise
            with contextlib.suppress(OSError, Stopped):
                yield from dial_tls(ask, links, again(ask, links, place), place)
            doubted()
            raise Stopped(error="TLS", detail=words(error)) from error
        yield dict(seen_of(link), trusted=True)
        return link

    def token(self, links, response):
        """A token for what was challenged; None when there is none, and then it ended here."""
        challenge = response.getheader("WWW-Authenticate") or ""
        said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not re.match("(?i)bearer ", challenge) or "realm" not in said:
            yield from self.ending(response)
            return None
        scope = said.get("scope") or "repository:%s:pull" % self.ask["repository"]
        query = urlencode({"service": said.get("service", ""), "scope": scope})
        url = said["realm"] + ("&" if "?" in said["realm"] else "?") + query
        headers = {}
        if self.login:
            host, port, _ = urlparts(url)
            if (host, port) != (AUTH, 443):
                detail = "the challenge names %s:%d, which gets no login" % (host, port)
                raise Stopped(error="HTTP", detail=detail)
            headers["Authorization"] = "Basic " + str(base64.b64encode(self.login), "ascii")
        response = yield from self.request(links, url, headers, "GET")
        if response.status != 200:
            yield from self.ending(response)
            return None
        try:
            found = json.loads(str(response.read(1 << 16), "utf-8"))
            token = found.get("token") or found["access_token"]
            token = re.match(r"[\x21-\x7e]+$", token).group()
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise Stopped(error="HTTP", detail="its answer holds no token") from None
        self.secrets.append(token)
        return token

    def ending(self, response):
        """The last answer: a blob's bytes are counted, a refusal's code and title are kept."""
        blob = response.status in (200, 206) and self.blob
        body, part = b"", b" "
        while part and len(body) < (1024 if blob else 4096):
            try:
                part = response.read1((1024 if blob else 4096) - len(body))
            except Exception as error:
                if type(error).__name__ != "IncompleteRead":
                    raise
                part = b""
            body += part
            if blob:
                yield self.known(received=len(body), sample=body[:4].hex())
        if "html" in self.last["headers"].get("content-type", "").lower():
            title = re.search(rb"(?i)<title[^>]*>[^<]{1,120}</title", body)
            yield self.entering({"body": title.group() if title else b""})
        code = re.search(rb'"code"\s*:\s*"([A-Z_]{1,60})"', b"" if blob else body)
        self.last["layer"] = "done"
        yield self.known(code=str(code.group(1), "ascii") if code else "")
