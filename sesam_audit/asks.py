"""What can be asked of a host, each question with the type of its answer: the one vocabulary.

A question is a small frozen record; `answer = yield from File("/etc/fstab")` asks it inside a
fact. The probe has a function for each (probe/vocabulary.py names them), its shell twin for most.
`error` in an answer is an errno name (ENOENT, EACCES, ...), or TIMEOUT, TOOBIG, UNSUPPORTED or
CRASH with the probe's words; None means that the question was answered.
"""

from __future__ import annotations

from collections.abc import Generator
from shlex import quote
from typing import Any, ClassVar, Generic, TypeVar, get_args

from msgspec import Struct

from sesam_audit.errors import Unknown, needs_root

A = TypeVar("A", bound="Answer")
T = TypeVar("T")

Steps = Generator[tuple["Ask[Any]", ...], tuple["Answer | Unknown", ...], T]
"""A fact being found: yields questions, is sent their answers, returns what they mean."""

MISSING = frozenset({"ENOENT", "ENOTDIR"})

HOST, AUDITOR = "host", "auditor"  # vantages; any other is the spec of a `--from` machine


class Answer(Struct, frozen=True, kw_only=True):
    """What every answer carries; `seconds` is how long the question took on the target."""

    error: str | None = None
    seconds: float = 0.0

    @property
    def missing(self) -> bool:
        """Proved absent: only ENOENT and ENOTDIR prove it, EACCES does not."""
        return self.error in MISSING


class Ask(Struct, Generic[A], frozen=True):
    """One question to a host, or to the auditor's own machine where it has that `vantage`."""

    answer: ClassVar[type[Answer]]
    slow: ClassVar[bool] = False
    shown: ClassVar[int] = 1  # how many fields name it in a report

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.answer = get_args(cls.__orig_bases__[0])[0]  # type: ignore[attr-defined]

    def __iter__(self) -> Steps[A]:
        (answer,) = yield (self,)
        if isinstance(answer, Unknown):
            raise answer
        if not isinstance(answer, (DialAnswer, PullAnswer)):  # which tell how far they got
            if answer.error == "TIMEOUT":
                raise Unknown(f"no answer in time: {self}")
            if answer.error == "UNSUPPORTED" and not getattr(answer, "message", ""):
                raise Unknown(f"needs Python 3.6 or later on the host: {self}", "python3 --version")
        return answer  # type: ignore[return-value]

    def __str__(self) -> str:
        shown = [getattr(self, name) for name in self.__struct_fields__[: self.shown]]
        return " ".join([type(self).__name__.lower(), *map(_word, shown)])


def _word(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def denied(answer: Answer, path: str, command: str = "") -> Unknown:
    """The outcome of an answer that could not be given: needs root, or its error by name."""
    if answer.error in ("EACCES", "EPERM"):
        return needs_root(f"{path} is not readable", command or f"sudo ls -ld {quote(path)}")
    return Unknown(f"{path}: {answer.error}", command)


# -- who answers -----------------------------------------------------------------------------------


class SelfAnswer(Answer, frozen=True, kw_only=True):
    uid: int = -1
    user: str = ""
    login: str = ""  # the user before sudo
    groups: tuple[str, ...] = ()
    hostname: str = ""
    kernel: str = ""
    machine: str = ""
    python: tuple[int, ...] = ()  # () for the shell probe
    time: float = 0.0  # the target's clock, Unix seconds, when the question was answered


class Self(Ask[SelfAnswer], frozen=True):
    """Who answers, with which Python, and what its clock says."""


class ContactAnswer(Answer, frozen=True, kw_only=True):
    scheme: str = ""  # ssh, local, docker, podman
    address: str = ""  # what the auditor dials for this host; "" when it has none
    port: int = 0  # of its sshd, as the auditor, or the last jump, dials it
    vantages: dict[str, str] = {}  # the address of each `--from` machine that has one
    asked: float = 0.0  # the auditor's clock around the first exchange, Unix seconds
    answered: float = 0.0


class Contact(Ask[ContactAnswer], frozen=True):
    """How the auditor reaches this host; answered by the engine, never by the target.

    `asked` and `answered` are zero until the first exchange is over.
    """


# -- files -----------------------------------------------------------------------------------------


class FileAnswer(Answer, frozen=True, kw_only=True):
    text: str = ""  # undecodable bytes as \\xNN
    cut: bool = False

    def read(self, path: str, command: str = "") -> str | None:
        """The text, None when the file is proved absent.

        Raises:
            Unknown: it could not be read.
        """
        if self.missing:
            return None
        if self.error:
            raise denied(self, path, command or f"sudo cat {quote(path)}")
        return self.text


class File(Ask[FileAnswer], frozen=True):
    """A file's text, verbatim. Never for files that hold secrets: those have asks of their own."""

    path: str
    limit: int = 65_536


class FilesAnswer(Answer, frozen=True, kw_only=True):
    files: dict[str, str] | None = None  # path -> text, at most 500
    errors: dict[str, str] | None = None  # path -> errno name, also of unreadable directories


class Files(Ask[FilesAnswer], frozen=True):
    """The texts of all files that match a shell pattern (`/sys/class/block/*/size`)."""

    pattern: str
    limit: int = 16_384


class NamesAnswer(Answer, frozen=True, kw_only=True):
    names: tuple[str, ...] = ()  # sorted, at most 1000


class Names(Ask[NamesAnswer], frozen=True):
    """What a directory holds."""

    path: str


class Resolved(Struct, frozen=True):
    """What a path leads to after all links."""

    path: str = ""
    kind: str = ""  # as StatAnswer.kind
    device: int = 0
    inode: int = 0
    uid: int = -1
    mode: int = 0
    error: str | None = None  # ENOENT: dangling; ELOOP: a loop


class StatAnswer(Answer, frozen=True, kw_only=True):
    kind: str = ""  # file, directory, link, socket, block, char, fifo
    uid: int = -1
    gid: int = -1
    user: str = ""  # "" when the number has no name
    group: str = ""
    mode: int = 0  # permission bits only
    size: int = 0
    device: int = 0
    inode: int = 0
    modified: float = 0.0
    target: str = ""  # the link's own text
    resolved: Resolved | None = None  # for links; for others the thing itself


class Stat(Ask[StatAnswer], frozen=True):
    """A path itself (links are not followed), and what it leads to."""

    path: str


class SpaceAnswer(Answer, frozen=True, kw_only=True):
    total: int = 0  # bytes
    available: int = 0  # bytes for a non-root user
    inodes: int = 0
    inodes_available: int = 0


class Space(Ask[SpaceAnswer], frozen=True):
    """The size and free space of the file system that holds a path."""

    path: str


class WalkAnswer(Answer, frozen=True, kw_only=True):
    entries: int = 0  # looked at
    offenders: int = 0
    samples: tuple[str, ...] = ()  # at most 20, "path owner:group"
    passed_over: tuple[str, ...] = ()  # paths not judged by rule, at most 50
    unreadable: tuple[str, ...] = ()  # directories that could not be entered, at most 20
    complete: bool = False  # False when a bound was reached


class Walk(Ask[WalkAnswer], frozen=True):
    """Everything below the roots (themselves included) that uid:gid does not own.

    Links are not followed, except by a root itself; other file systems are passed over, except a
    root's own; so are the paths in `skip` and every entry named in `skip_names`.
    """

    slow: ClassVar[bool] = True
    roots: tuple[str, ...]
    uid: int
    gid: int
    skip: tuple[str, ...] = ()
    skip_names: tuple[str, ...] = ()
    entries: int = 200_000
    seconds_limit: float = 5.0


class FsyncAnswer(Answer, frozen=True, kw_only=True):
    writes: int = 0
    p50: float = 0.0  # seconds
    p99: float = 0.0


class Fsync(Ask[FsyncAnswer], frozen=True):
    """Opt-in: fsync latency of 4 KiB writes in a directory; the file is removed. It writes."""

    slow: ClassVar[bool] = True
    path: str
    writes: int = 300
    seconds_limit: float = 8.0


# -- files that hold secrets: reduced on the target ------------------------------------------------


class LicenseAnswer(Answer, frozen=True, kw_only=True):
    size: int = 0
    sha256: str = ""
    blank: bool = False
    problems: tuple[str, ...] = ()
    """What is wrong with its form, of: crlf, bom, literal-newlines, no-begin, no-end, outside,
    one-line, html, not-base64, not-json, no-payload, payload-not-base64, payload-not-json, no-id,
    truncated."""
    id: str | None = None
    expires: str | None = None
    created: str | None = None
    signed: bool = False  # a field that looks like a signature is there
    text: str = ""  # only with `whole`; never saved


class LicenseFile(Ask[LicenseAnswer], frozen=True):
    """A license, reduced to what may be known. `whole` brings its text, to verify a signature."""

    path: str
    whole: bool = False


class Registry(Struct, frozen=True):
    """What a docker client configuration says of one registry."""

    auth: bool = False  # an inline, decodable user:password
    helper: str = ""


class DockerConfigAnswer(Answer, frozen=True, kw_only=True):
    json: bool = False  # it parses, and is an object
    registries: dict[str, Registry] | None = None
    store: str = ""  # credsStore
    context: str = ""  # currentContext
    proxies: dict[str, str] | None = None  # of `default`, without userinfo


class DockerConfig(Ask[DockerConfigAnswer], frozen=True):
    """A docker client's config.json, without its credentials."""

    path: str


class EnvFileAnswer(Answer, frozen=True, kw_only=True):
    values: dict[str, str] | None = None  # of the asked keys only
    names: tuple[str, ...] = ()  # of all other keys
    doubtful: tuple[str, ...] = ()  # asked keys whose value uses $ or quotes over several lines


class EnvFile(Ask[EnvFileAnswer], frozen=True):
    """The asked keys of a compose .env file, read as compose does (quotes, comments, last wins)."""

    path: str
    keys: tuple[str, ...]


class ComposeAnswer(Answer, frozen=True, kw_only=True):
    """`document` is `docker compose config --format json` without foreign environment values."""

    code: int = -1
    document: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()  # e.g. The "X" variable is not set
    message: str = ""  # the end of stderr when it failed


class Compose(Ask[ComposeAnswer], frozen=True):
    """The rendered stack of a directory, with a clean environment, as compose itself would pick it.

    Environment values are kept for the listed keys and for keys that begin with WATCHTOWER_; all
    others become null. Userinfo in URLs is cut everywhere.
    """

    slow: ClassVar[bool] = True
    directory: str
    keys: tuple[str, ...]


class CertificatesAnswer(Answer, frozen=True, kw_only=True):
    pems: tuple[str, ...] = ()  # the CERTIFICATE blocks, in order
    private: bool = False  # the file also holds a private key


class Certificates(Ask[CertificatesAnswer], frozen=True):
    """The certificates of a PEM file; a private key beside them stays where it is."""

    path: str


class PrivateKeyAnswer(Answer, frozen=True, kw_only=True):
    public: str = ""  # the public half, PEM; made by the target's openssl
    message: str = ""


class PrivateKey(Ask[PrivateKeyAnswer], frozen=True):
    """The public half of a private key."""

    slow: ClassVar[bool] = True
    path: str


# -- people, programs, sockets, daemons ------------------------------------------------------------


class AccountAnswer(Answer, frozen=True, kw_only=True):
    """ENOENT when there is no such user; a group of the same name is looked up on its own."""

    name: str = ""
    uid: int = -1
    gid: int = -1
    group: str = ""  # name of the primary group
    home: str = ""
    groups: tuple[str, ...] = ()  # supplementary
    own_group: int | None = None  # number of the group with the user's name, if any


class Account(Ask[AccountAnswer], frozen=True):
    """A user by name, or by number when the name is digits; through the target's name services.

    Without a name it is the user who logged in, before sudo.
    """

    name: str = ""


class RunAnswer(Answer, frozen=True, kw_only=True):
    """ENOENT in `error` when the program is not there."""

    code: int = -1
    out: str = ""
    err: str = ""
    cut: bool = False


class Run(Ask[RunAnswer], frozen=True):
    """A program's output; LC_ALL=C, a standard PATH, its own session, killed at its bounds.

    `user` runs it as that user (by runuser, needs root).
    """

    slow: ClassVar[bool] = True
    argv: tuple[str, ...]
    seconds_limit: float = 8.0
    limit: int = 262_144
    user: str = ""


class ComposeVersion(Ask[RunAnswer], frozen=True):
    """What `docker compose version --short` says to the user who asks.

    Where Docker's own command would start a plugin, that plugin tells its version itself, asked
    as Docker asks it before it starts it (its metadata; docker/cli, cli-plugins/manager).
    """

    slow: ClassVar[bool] = True


class DockerApiAnswer(Answer, frozen=True, kw_only=True):
    """ECONNREFUSED: nobody listens on the socket; ENOENT: no socket; EACCES: no permission."""

    status: int = 0
    value: Any = None


class DockerApi(Ask[DockerApiAnswer], frozen=True):
    """GET on unix:///var/run/docker.sock, whatever DOCKER_HOST says; only the named keys are kept.

    A list answer keeps those keys of each element; `keep` of () keeps everything, `State.Status`
    the one key of an inner object, under that name. Of `Labels`,
    which may hold other people's secrets, only those in `labels` stay.
    """

    slow: ClassVar[bool] = True
    path: str
    keep: tuple[str, ...]
    labels: tuple[str, ...] = ()


class Listener(Struct, frozen=True):
    """One listening TCP socket; pid 0 when its owner could not be read."""

    address: str = ""
    port: int = 0
    pid: int = 0
    command: str = ""
    cgroup: str = ""


class ListenersAnswer(Answer, frozen=True, kw_only=True):
    listeners: tuple[Listener, ...] = ()


class Listeners(Ask[ListenersAnswer], frozen=True):
    """Who listens on the named TCP ports, on every address, v4 and v6."""

    ports: tuple[int, ...]


# -- the network -----------------------------------------------------------------------------------


class ListenAnswer(Answer, frozen=True, kw_only=True):
    ports: dict[str, str] | None = None  # port -> "" when it listens there, else an errno name
    token: str = ""  # made on the target, different at every run
    published: bool = False  # in a container, its ports published as the stack's will be
    detail: str = ""  # why it listens in the host's own network, though `published` was asked


class Listen(Ask[ListenAnswer], frozen=True):
    """Listen on free TCP ports of the host, all addresses, until the conversation ends.

    Every connection is answered with HTTP 200, the token (X-Sesam-Audit) and the address it came
    from (X-Sesam-Peer), then closed. No firewall is touched; a taken port is left alone.
    `published` listens in a container of the audit's own where one can be made.
    """

    slow: ClassVar[bool] = True
    ports: tuple[int, ...]
    published: bool = False
    seconds_limit: float = 45.0


class LookupAnswer(Answer, frozen=True, kw_only=True):
    """`error`: NXDOMAIN, SERVFAIL, REFUSED, TIMEOUT, NOSERVER. No error, no records: no data."""

    records: tuple[str, ...] = ()  # A, AAAA: addresses; CAA: 'flags tag value'
    server: str = ""


class Lookup(Ask[LookupAnswer], frozen=True):
    """One DNS question to the resolvers of /etc/resolv.conf, not through /etc/hosts."""

    slow: ClassVar[bool] = True
    shown: ClassVar[int] = 2
    name: str
    type: str  # A, AAAA or CAA
    vantage: str = HOST
    seconds_limit: float = 4.0


class Attempt(Struct, frozen=True):
    """One TCP connection tried."""

    address: str = ""
    result: str = ""  # open, or ECONNREFUSED, TIMEOUT, EHOSTUNREACH, ENETUNREACH, ...
    source: str = ""  # the socket's own address
    seconds: float = 0.0


class DialAnswer(Answer, frozen=True, kw_only=True):
    """Each layer as far as it got; `layer` is where it ended: dns, tcp, proxy, tls, http or done.

    `error` says why it did not reach `done`: TIMEOUT, an errno name, a DNS word (NXDOMAIN,
    SERVFAIL), or TLS, HTTP with the words in `detail`.
    """

    layer: str = "dns"
    detail: str = ""
    addresses: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    proxy_status: int = 0  # of CONNECT
    proxy_authenticate: str = ""
    tls_version: str = ""
    chain: tuple[str, ...] = ()  # DER, base64, leaf first; alone where Python shows no more
    whole_chain: bool = False
    trusted: bool | None = None  # against the host's own store; None when not tried
    trust_error: str = ""
    public: bool | None = None  # against `Roots` sent along; None when none were sent
    store: str = ""  # the bundle file used
    status: int = 0
    headers: dict[str, str] | None = None  # lower-case names, at most 40
    body: str = ""  # the first 4 KiB
    time: float = 0.0  # the target's clock when it began, or when the HTTP answer came
    context: str = ""  # where it was dialled: "container default" also where there is no `sesam`
    proxy: str = ""  # HOST:PORT of the consumer's own, "" where it goes without
    proxy_from: str = ""  # where that is set, or why it goes without
    tries: int = 1  # 2 where the first ended in what may pass: a reset, SERVFAIL, 429, 5xx
    first: str = ""  # how the first of two ended


class Dial(Ask[DialAnswer], frozen=True):
    """One connection in layers: DNS, TCP, (proxy CONNECT,) TLS, HTTP GET.

    `tls` False speaks plain HTTP; `path` "" stops after TLS. `address` is dialled instead of
    resolving the name. `seconds_limit` bounds the whole; 0 is the run's deadline.
    `family` 4 or 6 dials the name's addresses of that family alone.
    `context` is "" for the host's own network, "container sesam" for a container on the network
    `sesam`, "container default" for one on a network like the project's own: dialled with
    the container's resolver and routes, and without the host's store. NOROOM: there is none.
    "daemon" is the host's network too, by dockerd's own proxy, login and exceptions.
    """

    slow: ClassVar[bool] = True
    shown: ClassVar[int] = 3
    name: str
    port: int = 443
    path: str = "/"
    tls: bool = True
    accept: str = "*/*"
    address: str = ""
    proxy: str = ""  # HOST:PORT; its credentials travel beside the asks
    anonymous: bool = False  # they are another proxy's, and not for this one
    vantage: str = HOST
    public: bool = False  # judge against the `Roots` sent earlier (for Pythons that hide the chain)
    context: str = ""
    family: int = 0
    seconds_limit: float = 0.0


class Hop(Struct, frozen=True):
    """One request of a pull; `path` without its query, `error` in Dial's words."""

    host: str = ""
    path: str = ""
    status: int = 0
    address: str = ""  # "" through a proxy
    error: str = ""
    seconds: float = 0.0


class PullAnswer(Answer, frozen=True, kw_only=True):
    """Every request in its order, and the last connection as Dial tells it.

    An `error` without steps is the login file's, ENOKEY where it holds none. Of headers only what
    tells of limits, digests, kinds and CDNs is kept, of bodies the title of a web page.
    """

    steps: tuple[Hop, ...] = ()
    last: DialAnswer | None = None
    detail: str = ""
    received: int = 0  # bytes of the blob
    sample: str = ""  # its first four, hexadecimal
    code: str = ""  # of the registry's own error
    tries: int = 1
    first: str = ""


class Pull(Ask[PullAnswer], frozen=True):
    """A pull from Docker Hub, rehearsed as dockerd would: challenge, token, request, redirects.

    The login of `login_file` goes to https://auth.docker.io alone, over verified TLS, never along
    a redirect; the token goes to the registry alone. Neither leaves the target.
    """

    slow: ClassVar[bool] = True
    shown: ClassVar[int] = 3
    repository: str
    reference: str  # a tag, or a blob's digest
    method: str = "HEAD"  # HEAD of a manifest, or GET of a blob's first 1024 bytes
    login_file: str = ""  # a docker client's config.json; "" is anonymous
    proxy: str = ""
    vantage: str = HOST
    context: str = ""  # "daemon": by dockerd's own proxy, login and exceptions
    spend: bool = False  # of a manifest: read it, and fetch a layer's first 1024 bytes too
    seconds_limit: float = 0.0


class RootsAnswer(Answer, frozen=True, kw_only=True):
    count: int = 0


class Roots(Ask[RootsAnswer], frozen=True):
    """Hand public roots (PEM) to a Python that cannot show its chain; kept for the conversation."""

    pem: str


VOCABULARY: dict[str, type[Ask[Any]]] = {
    kind.__name__: kind
    for kind in (
        Self, Contact, File, Files, Names, Stat, Space, Walk, Fsync, LicenseFile, DockerConfig,
        EnvFile, Compose, ComposeVersion, Certificates, PrivateKey, Account, Run, DockerApi,
        Listeners, Lookup, Dial, Listen, Pull, Roots,
    )
}  # fmt: skip
"""Every question by name, for requests and for saved evidence."""
