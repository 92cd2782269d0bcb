"""The rehearsed pull against real TLS servers: registry, login, layers, and whoever is in the way.

All names are reached through a proxy that leads each to a server of its own on this machine; where
addresses matter, through a hosts file in a mount namespace.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sesam_audit.asks import Dial, Pull, PullAnswer
from tests.lab.certificates import Authority

from .test_probe import TEXT, Conversation, Server, as_root, on_every_python, pump, request_on

REGISTRY, AUTH = "registry-1.docker.io", "auth.docker.io"
CDN, STRANGER = "production.cloudfront.docker.com", "login.example.net"
DIGEST = "sha256:" + "ab" * 32
MANIFEST = "sha256:" + "cd" * 32
LAYER = b"\x1f\x8b\x08\x00" + bytes(4092)
LOGIN = "customer:dckr_pat_hunter2"
CODED = base64.b64encode(LOGIN.encode()).decode()
TOKEN = "eyJ0b2tlbi1odW50ZXIz.abc_def"
SIGNATURE = "Expires=2000000000&Signature=hunter4"
SECRETS = (LOGIN, "hunter2", CODED, TOKEN, "hunter4", "Signature")

Answer = Callable[["Request"], bytes]


@dataclass(frozen=True)
class Request:
    """What a server was asked."""

    host: str
    method: str
    target: str
    headers: dict[str, str]

    @property
    def login(self) -> str:
        return self.headers.get("authorization", "")


def reply(status: int, body: bytes = b"", /, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def to(url: str, status: int = 307) -> bytes:
    return reply(status, Location=url)


def challenge(realm: str = f"https://{AUTH}/token", scope: str = "repository:x/y:pull") -> bytes:
    said = f'Bearer realm="{realm}",service="registry.docker.io",scope="{scope}"'
    return reply(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', WWW_Authenticate=said)


def registry(request: Request) -> bytes:
    if request.login != f"Bearer {TOKEN}":
        return challenge()
    if "/blobs/" in request.target:
        return to(f"https://{CDN}/blobs/data?{SIGNATURE}")
    said = {"Docker-Content-Digest": MANIFEST, "RateLimit-Remaining": "99;w=21600"}
    return reply(200, b"", **said)


def auth(request: Request) -> bytes:
    if request.login not in ("", f"Basic {CODED}"):
        return reply(401, b'{"details":"incorrect username or password"}')
    return reply(200, json.dumps({"token": TOKEN, "expires_in": 300}).encode())


def layers(request: Request) -> bytes:
    found = re.fullmatch(r"bytes=0-(\d+)", request.headers.get("range", ""))
    assert found
    return reply(206, LAYER[: int(found[1]) + 1], Content_Range=f"bytes 0-{found[1]}/{len(LAYER)}")


def silent(_: Request) -> bytes:
    time.sleep(5)
    return b""


def always(answer: bytes) -> Answer:
    return lambda _: answer


@dataclass
class Hub:
    """Servers by name, the proxy that leads to them, and everything they were asked."""

    public: Authority
    private: Authority
    directory: Path
    asked: list[Request] = field(default_factory=list)
    connects: list[bytes] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)
    proxy_login: str = ""

    def serve(self, name: str, answer: Answer, **options: Any) -> None:
        self.ports[name] = self._started(self.tls(name, answer, **options))

    def tls(
        self, name: str, answer: Answer, by: Authority | None = None, shown: str = ""
    ) -> Callable[[socket.socket], None]:
        """A server called `name`, with the certificate of an authority, perhaps of another name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(by or self.public).leaf(shown or name))

        def serve(link: socket.socket) -> None:
            with context.wrap_socket(link, server_side=True) as secured:
                line, *rest = request_on(secured).decode().split("\r\n")
                headers = dict(each.split(": ", 1) for each in rest if each)
                method, target, _ = line.split(" ")
                low = {key.lower(): value for key, value in headers.items()}
                self.asked.append(Request(name, method, target, low))
                said = answer(self.asked[-1])
                secured.sendall(
                    said.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else said
                )

        return serve

    def start_proxy(self) -> None:
        self.proxy = f"127.0.0.1:{self._started(self._connect)}"

    def _started(self, serve: Callable[[socket.socket], None]) -> int:
        self.servers.append(Server(serve))
        return self.servers[-1].port

    def _connect(self, link: socket.socket) -> None:
        self.connects.append(request_on(link))
        if (
            self.proxy_login
            and base64.b64encode(self.proxy_login.encode()) not in self.connects[-1]
        ):
            link.sendall(b"HTTP/1.1 407 Log In\r\nProxy-Authenticate: Basic realm=x\r\n\r\n")
            return
        name, _, port = self.connects[-1].split()[1].decode().partition(":")
        if name not in self.ports or port != "443":
            link.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.ports[name])) as onward:
            back = threading.Thread(target=pump, args=(onward, link), daemon=True)
            back.start()
            pump(link, onward)
            back.join(5)

    def text(self) -> bytes:
        """The probe, whose host trusts the public authority alone."""
        text = TEXT.replace(
            b'"/etc/ssl/certs/ca-certificates.crt"', b'"%s"' % bytes(self.public.root)
        )
        text = text.replace(b"/var/run/docker.sock", b"%s/docker.sock" % bytes(self.directory))
        return text.replace(b"/etc/docker/certs.d", b"%s/certs.d" % bytes(self.directory))

    @property
    def login_file(self) -> str:
        return str(self.directory / "config.json")

    def blob(self, **options: Any) -> Pull:
        return Pull("library/hello-world", DIGEST, "GET", proxy=self.proxy, **options)

    def image(self, **options: Any) -> Pull:
        given = {"login_file": self.login_file, **options}
        return Pull("sesam/sesam-node", "weekly-prod", proxy=self.proxy, **given)

    def __call__(self, ask: Pull, **options: Any) -> PullAnswer:
        """The answer of a new probe; no secret is anywhere in what it said."""
        python = options.pop("python", sys.executable)
        with Conversation(python, text=self.text()) as conversation:
            given = {"without": (*SECRETS, "pr0xy-secret"), **options}
            return conversation(ask, **given)

    def to(self, host: str) -> list[Request]:
        return [each for each in self.asked if each.host == host]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    place = tmp_path_factory.mktemp("authorities")
    return Authority(place / "public", "Test Trust"), Authority(place / "private", "Inspection")


@pytest.fixture
def hub(authorities: tuple[Authority, Authority], tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(*authorities, tmp_path)
    hub.serve(REGISTRY, registry)
    hub.serve(AUTH, auth)
    hub.serve(CDN, layers)
    hub.start_proxy()
    config = {"auths": {"https://index.docker.io/v1/": {"auth": CODED}}}
    Path(hub.login_file).write_text(json.dumps(config))
    yield hub
    for server in hub.servers:
        server.close()


def way(answer: PullAnswer) -> list[tuple[str, int]]:
    return [(step.host, step.status) for step in answer.steps]


def ended(answer: PullAnswer) -> tuple[str | None, str]:
    assert answer.last is not None
    assert answer.last.error == answer.error
    return answer.error, answer.last.layer


# -- the way it should go --------------------------------------------------------------------------


@on_every_python
def test_a_layer_s_first_bytes(hub: Hub, python: str) -> None:
    answer = hub(hub.blob(), python=python)

    assert ended(answer) == (None, "done")
    assert way(answer) == [(REGISTRY, 401), (AUTH, 200), (REGISTRY, 307), (CDN, 206)]
    assert (answer.received, answer.sample) == (1024, "1f8b0800")
    assert answer.steps[0].path == f"/v2/library/hello-world/blobs/{DIGEST}"
    assert answer.steps[1].path == "/token"
    assert answer.steps[3].path == "/blobs/data"
    assert answer.last is not None
    assert answer.last.trusted
    assert answer.last.chain
    assert answer.last.headers == {"content-range": "bytes 0-1023/4096"}
    assert [each.login for each in hub.asked] == ["", "", f"Bearer {TOKEN}", ""]
    assert hub.to(CDN)[0].target == f"/blobs/data?{SIGNATURE}"


@on_every_python
def test_the_private_image_with_the_login(hub: Hub, python: str) -> None:
    answer = hub(hub.image(), python=python)

    assert ended(answer) == (None, "done")
    assert way(answer) == [(REGISTRY, 401), (AUTH, 200), (REGISTRY, 200)]
    assert answer.last is not None
    assert answer.last.headers == {
        "docker-content-digest": MANIFEST,
        "ratelimit-remaining": "99;w=21600",
    }
    assert [each.method for each in hub.asked] == ["HEAD", "GET", "HEAD"]
    assert [each.login for each in hub.asked] == ["", f"Basic {CODED}", f"Bearer {TOKEN}"]
    asked = "/token?service=registry.docker.io&scope=repository%3Ax%2Fy%3Apull"
    assert hub.to(AUTH)[0].target == asked


def test_a_layer_that_comes_whole_is_cut(hub: Hub) -> None:
    hub.serve(CDN, always(reply(200, LAYER * 4000)))

    answer = hub(hub.blob())

    assert (answer.error, answer.received, answer.sample) == (None, 1024, "1f8b0800")


def test_a_redirect_on_the_registry_keeps_the_token_and_no_other_does(hub: Hub) -> None:
    def leading(request: Request) -> bytes:
        if not request.login and not request.target.startswith("/back"):
            return challenge()
        led = {"/here": f"https://{CDN}/there", "/back": f"https://{CDN}/last"}
        return to(led.get(request.target, "/here"), 302)

    hub.serve(REGISTRY, leading)
    hub.serve(CDN, lambda x: to(f"https://{REGISTRY}/back") if x.target == "/there" else layers(x))

    answer = hub(hub.blob())

    assert answer.received == 1024
    shown = [(each.host, each.target, bool(each.login)) for each in hub.asked[3:]]
    assert shown == [
        (REGISTRY, "/here", True),
        (CDN, "/there", False),
        (REGISTRY, "/back", False),
        (CDN, "/last", False),
    ]


# -- where the login does not go -------------------------------------------------------------------


@pytest.mark.parametrize(
    "realm",
    [
        f"https://{STRANGER}/token",
        f"https://{AUTH}.example.net/token",
        f"https://{AUTH}@{STRANGER}/token",
        f"https://{AUTH}:8443/token",
        f"http://{AUTH}/token",
        f"//{AUTH}/token",
        "https://[x",
        "",
    ],
)
def test_a_foreign_realm_gets_no_login(hub: Hub, realm: str) -> None:
    for name in (STRANGER, f"{AUTH}.example.net"):
        hub.serve(name, auth)
    hub.serve(REGISTRY, always(challenge(realm)))

    answer = hub(hub.image())

    assert answer.error == "HTTP"
    assert answer.detail
    assert way(answer) == [(REGISTRY, 401)]
    assert [each.login for each in hub.asked] == [""]


def test_a_foreign_realm_is_asked_for_an_anonymous_token_and_named(hub: Hub) -> None:
    hub.serve(STRANGER, auth)
    hub.serve(REGISTRY, lambda x: registry(x) if x.login else challenge(f"https://{STRANGER}/t"))

    answer = hub(hub.blob())

    assert [host for host, _ in way(answer)] == [REGISTRY, STRANGER, REGISTRY, CDN]
    assert answer.received == 1024


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_login_follows_no_redirect(hub: Hub, status: int) -> None:
    hub.serve(STRANGER, auth)
    hub.serve(AUTH, always(to(f"https://{STRANGER}/token?{SIGNATURE}", status)))

    answer = hub(hub.image())

    assert way(answer) == [(REGISTRY, 401), (AUTH, status)]
    assert not hub.to(STRANGER)


@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_an_unproved_realm_gets_no_login(hub: Hub, wrong: str) -> None:
    options = {"by": hub.private} if wrong == "authority" else {"shown": STRANGER}
    hub.serve(AUTH, auth, **options)

    answer = hub(hub.image())

    assert ended(answer) == ("TLS", "tls")
    assert way(answer) == [(REGISTRY, 401), (AUTH, 0)]
    assert answer.last is not None
    assert answer.last.chain
    assert answer.last.trusted is (wrong == "name")
    assert not hub.to(AUTH)


# -- who is in the way -----------------------------------------------------------------------------


@on_every_python
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_layer_host_that_is_somebody_else(hub: Hub, python: str, wrong: str) -> None:
    options = {"by": hub.private} if wrong == "authority" else {"shown": STRANGER}
    hub.serve(CDN, layers, **options)

    answer = hub(hub.blob(), python=python)

    assert ended(answer) == ("TLS", "tls")
    assert way(answer)[-1] == (CDN, 0)
    assert answer.steps[-1].error == "TLS"
    assert answer.last is not None
    assert answer.last.chain
    assert not hub.to(CDN)


CONTAINERD = '["driver-type", "io.containerd.snapshotter.v1"]'


def certs_d(hub: Hub, name: str, images: str | None) -> None:
    """Everything is signed by an authority of certs.d alone; a daemon says where its images are."""
    place = hub.directory / "certs.d" / name
    place.mkdir(parents=True)
    (place / "ca.crt").write_text(hub.private.root.read_text())
    for host, answer in ((REGISTRY, registry), (AUTH, auth), (CDN, layers)):
        hub.serve(host, answer, by=hub.private)
    if images is None:
        return
    body = f'{{"DriverStatus": [{images}]}}'.encode()
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(f"{hub.directory}/docker.sock")
    bound.listen()

    def info(link: socket.socket) -> None:
        assert request_on(link).startswith(b"GET /info ")
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    hub.servers.append(Server(info, bound))


@pytest.mark.parametrize(
    ("name", "images", "received", "error"),
    [
        ("docker.io", CONTAINERD, 1024, None),
        ("docker.io", '["Backing Filesystem", "extfs"]', 0, "TLS"),
        ("docker.io", None, 0, "EACCES"),
        (REGISTRY, CONTAINERD, 0, "TLS"),
    ],
    ids=["containerd", "overlay2", "no daemon", "another name"],
)
def test_an_authority_of_certs_d_is_the_daemons_where_containerd_keeps_its_images(
    hub: Hub, name: str, images: str | None, received: int, error: str | None
) -> None:
    certs_d(hub, name, images)

    answer = hub(hub.blob())

    assert (answer.received, answer.error) == (received, error)


@pytest.mark.parametrize(
    ("images", "trusted", "error"),
    [(CONTAINERD, True, None), ("", False, None), (None, False, "EACCES")],
    ids=["containerd", "overlay2", "no daemon"],
)
def test_the_daemons_dial_believes_whom_its_pull_believes(
    hub: Hub, images: str | None, trusted: bool, error: str | None
) -> None:
    certs_d(hub, "docker.io", images)
    settings = hub.directory / "default"
    settings.write_text(f"HTTPS_PROXY=http://{hub.proxy}\n")
    text = hub.text().replace(b'"/etc/default/docker"', b'"%s"' % bytes(settings))
    text = text.replace(b"in first + expand(", b"in [] and expand(")  # this machine's own dockerd

    with Conversation(text=text) as conversation:
        answer = conversation(Dial(REGISTRY, path="/v2/", context="daemon"))

    assert (answer.trusted, answer.error) == (trusted, error)
    assert answer.chain


@pytest.mark.parametrize(
    ("location", "said"),
    [
        (f"http://{STRANGER}/", f"it leads to http://{STRANGER}, not to https"),
        ("ftp://x/", "it leads to ftp://x, not to https"),
        ("https://[x", "it leads to what is no URL"),
        ("https://a b/", "it leads to https://a b, not to https"),
        ("https://x:99999/", "it leads to what is no URL"),
    ],
)
def test_a_redirect_to_what_is_no_https(hub: Hub, location: str, said: str) -> None:
    hub.serve(REGISTRY, lambda x: to(location) if x.login else challenge())

    answer = hub(hub.blob())

    assert way(answer)[-1] == (REGISTRY, 307)
    assert answer.error == "HTTP"
    assert said in answer.detail


def test_redirects_without_an_end(hub: Hub) -> None:
    hub.serve(CDN, always(to(f"https://{CDN}/again?{SIGNATURE}")))

    answer = hub(hub.blob())

    assert answer.detail == "more than five redirects"
    assert way(answer)[3:] == [(CDN, 307)] * 5


def test_a_request_that_a_header_would_split(hub: Hub) -> None:
    hub.serve(REGISTRY, lambda x: to(f"https://{CDN}/a b\tc") if x.login else challenge())

    assert hub(hub.blob()).received == 1024
    assert hub.to(CDN)[0].target == "/a%20bc"


@pytest.mark.parametrize(
    "body", [b"", b"no", b"[]", b"{}", b'{"token":7}', b'{"token":"a\\r\\nb"}']
)
def test_an_answer_without_a_token(hub: Hub, body: bytes) -> None:
    hub.serve(AUTH, always(reply(200, body)))

    answer = hub(hub.blob())

    assert answer.error in ("HTTP", None)
    assert way(answer)[1] == (AUTH, 200)
    assert not any("\n" in each.login for each in hub.asked)


def test_a_refused_login(hub: Hub) -> None:
    wrong = base64.b64encode(b"customer:wrong-word").decode()
    config = {"auths": {"https://index.docker.io/v1/": {"auth": wrong}}}
    Path(hub.login_file).write_text(json.dumps(config))

    answer = hub(hub.image(), without=(wrong, "wrong-word"))

    assert ended(answer) == (None, "done")
    assert way(answer) == [(REGISTRY, 401), (AUTH, 401)]


def test_a_blob_that_is_gone(hub: Hub) -> None:
    gone = reply(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"?"}]}')
    hub.serve(REGISTRY, lambda x: gone if x.login else challenge())

    answer = hub(hub.blob())

    assert (answer.error, answer.code, way(answer)[-1]) == (None, "BLOB_UNKNOWN", (REGISTRY, 404))


def test_a_page_that_repeats_what_it_was_sent(hub: Hub) -> None:
    """Whatever comes back of the login, the token and the links is cut."""

    def echo(request: Request) -> bytes:
        if not request.login:
            return challenge()
        page = f"<title>No {request.login} {SIGNATURE} {LOGIN} hunter2</title>{CODED}"
        return reply(403, page.encode(), Content_Type="text/html", Location=f"/x?{SIGNATURE}")

    hub.serve(REGISTRY, lambda x: echo(x) if x.login else challenge())
    private = hub(hub.image(), without=("hunter2", CODED, TOKEN))
    hub.serve(REGISTRY, registry)
    hub.serve(
        CDN, lambda x: reply(403, f"<title>{x.target}</title>".encode(), Content_Type="text/html")
    )
    public = hub(hub.blob())

    assert private.steps[-1].status == 403
    assert public.last is not None
    assert public.last.body == "<title>/blobs/data?...</title"


def test_an_answer_that_is_no_http(hub: Hub) -> None:
    hub.serve(REGISTRY, lambda x: b"SSH-2.0 \r\n\r\n" if x.login else challenge())

    answer = hub(hub.blob())

    assert ended(answer) == ("HTTP", "http")


# -- time ------------------------------------------------------------------------------------------


def test_a_slow_layer_ends_with_the_deadline(hub: Hub) -> None:
    hub.serve(CDN, silent)
    began = time.monotonic()

    answer = hub(hub.blob(), deadline=1.5)

    assert time.monotonic() - began < 4
    assert ended(answer) == ("TIMEOUT", "http")
    assert way(answer)[-1] == (CDN, 0)


def test_its_own_limit_ends_it_before_the_deadline(hub: Hub) -> None:
    hub.serve(AUTH, silent)

    answer = hub(hub.blob(seconds_limit=0.7), deadline=8)

    assert answer.error == "TIMEOUT"
    assert answer.seconds < 2


def test_a_layer_that_stops_on_the_way(hub: Hub) -> None:
    head = b"HTTP/1.1 206 Part\r\nContent-Length: 1024\r\n\r\n"
    hub.serve(CDN, lambda _: head + LAYER[:100])

    answer = hub(hub.blob())

    assert (answer.received, answer.sample) == (100, "1f8b0800")


@as_root
@pytest.mark.parametrize("fault", ["", "refused", "black hole", "no such name"])
def test_names_and_addresses_without_a_proxy(hub: Hub, tmp_path: Path, fault: str) -> None:
    """In a mount namespace with a hosts file, on loopback addresses of their own."""
    places = {REGISTRY: "127.77.0.1", AUTH: "127.77.0.2", CDN: "127.77.0.3"}
    answers = {REGISTRY: registry, AUTH: auth, CDN: layers}
    hosts = "".join(f"{address} {name}\n" for name, address in places.items())
    if fault == "no such name":
        hosts = hosts.replace(CDN, "another.test")
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
    (tmp_path / "none").write_text("nameserver 127.77.0.9\noptions timeout:1 attempts:1\n")
    with contextlib.ExitStack() as stack:
        for name, address in places.items():
            if name == CDN and fault == "refused":
                continue
            bound = stack.enter_context(socket.socket())
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((address, 443))
            if name == CDN and fault == "black hole":
                bound.listen(0)
                for _ in range(4):
                    filler = stack.enter_context(socket.socket())
                    filler.setblocking(False)
                    filler.connect_ex((address, 443))
                time.sleep(0.05)
                continue
            bound.listen()
            server = Server(hub.tls(name, answers[name]), bound)
            stack.callback(server.close)
        mounts = {"/etc/hosts": tmp_path / "hosts", "/etc/resolv.conf": tmp_path / "none"}
        with Conversation(mounts=mounts, text=hub.text()) as conversation:
            ask = Pull("library/hello-world", DIGEST, "GET")
            answer = conversation(ask, deadline=2, without=SECRETS)
    wanted = {
        "": (None, "done"),
        "refused": ("ECONNREFUSED", "tcp"),
        "black hole": ("TIMEOUT", "tcp"),
        "no such name": (None, "dns"),
    }[fault]
    assert answer.last is not None
    assert answer.last.layer == wanted[1]
    assert wanted[0] is None or answer.error == wanted[0]
    assert [step.address for step in answer.steps[:3]] == ["127.77.0.1", "127.77.0.2", "127.77.0.1"]
    assert answer.steps[-1].host == CDN


# -- proxies ---------------------------------------------------------------------------------------


def test_a_proxy_that_wants_a_login(hub: Hub) -> None:
    hub.proxy_login = "me:pr0xy-secret"

    refused = hub(hub.blob())
    let = hub(hub.blob(), secrets={"proxy": "me:pr0xy-secret"})

    assert ended(refused) == ("HTTP", "proxy")
    assert refused.last is not None
    assert refused.last.proxy_status == 407
    assert let.received == 1024
    assert all(step.address == "" for step in let.steps)


def test_a_proxy_that_does_not_lead_to_the_layers(hub: Hub) -> None:
    del hub.ports[CDN]

    answer = hub(hub.blob())

    assert ended(answer) == ("HTTP", "proxy")
    assert way(answer)[-1] == (CDN, 0)
    assert answer.detail == "502 Bad Gateway"


# -- the login's file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"auths": []}',
        '{"credsStore": "pass"}',
        '{"auths": {"https://index.docker.io/v1/": {}}}',
        '{"auths": {"https://index.docker.io/v1/": {"auth": "bm8gY29sb24="}}}',
        '{"auths": {"https://index.docker.io/v1/": {"auth": 7}}}',
        json.dumps({"auths": {"ghcr.io": {"auth": CODED}}}),
    ],
)
def test_a_file_without_a_login_is_asked_nothing(hub: Hub, text: str) -> None:
    Path(hub.login_file).write_text(text)

    answer = hub(hub.image())

    assert (answer.error, answer.steps, hub.asked) == ("ENOKEY", (), [])


def test_no_file_at_all(hub: Hub) -> None:
    Path(hub.login_file).unlink()

    assert hub(hub.image()).missing


@as_root
def test_a_file_that_nobody_may_read() -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("needs a system-wide Python")
    Path("/run/sesam-audit-login").touch(0o600)
    try:
        with Conversation("/usr/bin/python3", user=65534) as nobody:
            answer = nobody(Pull("a/b", "c", login_file="/run/sesam-audit-login"))
    finally:
        Path("/run/sesam-audit-login").unlink()
    assert (answer.error, answer.steps) == ("EACCES", ())
