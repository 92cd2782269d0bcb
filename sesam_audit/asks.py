"""What can be asked of a host, each question with the type of its answer: the one vocabulary.

A question is a small frozen record; `answer = yield from File("/etc/fstab")` asks it inside a
fact. The probe has a function of the same lower-case name for each (probe.py, probe_sh.py).
`error` in an answer is an errno name (ENOENT, EACCES, ...), or TIMEOUT, TOOBIG, UNSUPPORTED or
CRASH with the probe's words; None means that the question was answered.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar, get_args

from sesam_audit.errors import Unknown

A = TypeVar("A", bound="Answer")
T = TypeVar("T")

Steps = Generator[tuple["Ask[Any]", ...], tuple["Answer | Unknown", ...], T]
"""A fact being found: yields questions, is sent their answers, returns what they mean."""

MISSING = frozenset({"ENOENT", "ENOTDIR"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What every answer carries; `seconds` is how long the question took on the target."""

    error: str | None = None
    seconds: float = 0.0

    @property
    def missing(self) -> bool:
        """Proved absent: only ENOENT and ENOTDIR prove it, EACCES does not."""
        return self.error in MISSING


@dataclass(frozen=True)
class Ask(Generic[A]):
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
        shown = [getattr(self, item.name) for item in fields(self)][: self.shown]
        return " ".join([type(self).__name__.lower(), *map(_word, shown)])


def _word(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def denied(answer: Answer, path: str, command: str = "") -> Unknown:
    """The outcome of an answer that could not be given: needs root, or its error by name."""
    if answer.error in ("EACCES", "EPERM"):
        return Unknown(f"needs root: {path} is not readable", command or f"sudo ls -ld {path}")
    return Unknown(f"{path}: {answer.error}", command)


# -- who answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SelfAnswer(Answer):
    uid: int = -1
    user: str = ""
    login: str = ""  # the user before sudo
    groups: tuple[str, ...] = ()
    hostname: str = ""
    kernel: str = ""
    machine: str = ""
    python: tuple[int, ...] = ()  # () for the shell probe
    time: float = 0.0  # the target's clock, Unix seconds, when the question was answered


@dataclass(frozen=True)
class Self(Ask[SelfAnswer]):
    """Who answers, with which Python, and what its clock says."""


@dataclass(frozen=True, kw_only=True)
class ContactAnswer(Answer):
    scheme: str = ""  # ssh, local, docker, podman
    address: str = ""  # what the auditor dials for this host; "" when it has none
    asked: float = 0.0  # the auditor's clock around the first exchange, Unix seconds
    answered: float = 0.0


@dataclass(frozen=True)
class Contact(Ask[ContactAnswer]):
    """How the auditor reaches this host; answered by the engine, never by the target.

    `asked` and `answered` are zero until the first exchange is over.
    """


# -- files -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class FileAnswer(Answer):
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
            raise denied(self, path, command or f"sudo cat {path}")
        return self.text


@dataclass(frozen=True)
class File(Ask[FileAnswer]):
    """A file's text, verbatim. Never for files that hold secrets: those have asks of their own."""

    path: str
    limit: int = 65_536


@dataclass(frozen=True, kw_only=True)
class FilesAnswer(Answer):
    files: dict[str, str] | None = None  # path -> text, at most 500
    errors: dict[str, str] | None = None  # path -> errno name, also of unreadable directories


@dataclass(frozen=True)
class Files(Ask[FilesAnswer]):
    """The texts of all files that match a shell pattern (`/sys/class/block/*/size`)."""

    pattern: str
    limit: int = 16_384


@dataclass(frozen=True, kw_only=True)
class NamesAnswer(Answer):
    names: tuple[str, ...] = ()  # sorted, at most 1000


@dataclass(frozen=True)
class Names(Ask[NamesAnswer]):
    """What a directory holds."""

    path: str


@dataclass(frozen=True)
class Resolved:
    """What a path leads to after all links."""

    path: str = ""
    kind: str = ""  # as StatAnswer.kind
    device: int = 0
    inode: int = 0
    uid: int = -1
    mode: int = 0
    error: str | None = None  # ENOENT: dangling; ELOOP: a loop


@dataclass(frozen=True, kw_only=True)
class StatAnswer(Answer):
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


@dataclass(frozen=True)
class Stat(Ask[StatAnswer]):
    """A path itself (links are not followed), and what it leads to."""

    path: str


@dataclass(frozen=True, kw_only=True)
class SpaceAnswer(Answer):
    total: int = 0  # bytes
    available: int = 0  # bytes for a non-root user
    inodes: int = 0
    inodes_available: int = 0


@dataclass(frozen=True)
class Space(Ask[SpaceAnswer]):
    """The size and free space of the file system that holds a path."""

    path: str


@dataclass(frozen=True, kw_only=True)
class WalkAnswer(Answer):
    entries: int = 0  # looked at
    offenders: int = 0
    samples: tuple[str, ...] = ()  # at most 20, "path owner:group"
    passed_over: tuple[str, ...] = ()  # paths not judged by rule, at most 50
    unreadable: tuple[str, ...] = ()  # directories that could not be entered, at most 20
    complete: bool = False  # False when a bound was reached


@dataclass(frozen=True)
class Walk(Ask[WalkAnswer]):
    """Everything below the roots (themselves included) that uid:gid does not own.

    Links are not followed; other file systems are passed over, except a root itself; so are
    the paths in `skip` and every entry named in `skip_names`.
    """

    slow: ClassVar[bool] = True
    roots: tuple[str, ...]
    uid: int
    gid: int
    skip: tuple[str, ...] = ()
    skip_names: tuple[str, ...] = ()
    entries: int = 200_000
    seconds_limit: float = 5.0


@dataclass(frozen=True, kw_only=True)
class FsyncAnswer(Answer):
    writes: int = 0
    p50: float = 0.0  # seconds
    p99: float = 0.0


@dataclass(frozen=True)
class Fsync(Ask[FsyncAnswer]):
    """Opt-in: fsync latency of 4 KiB writes in a directory; the file is removed. It writes."""

    slow: ClassVar[bool] = True
    path: str
    writes: int = 300
    seconds_limit: float = 8.0


# -- files that hold secrets: reduced on the target ------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LicenseAnswer(Answer):
    size: int = 0
    sha256: str = ""
    blank: bool = False
    problems: tuple[str, ...] = ()
    """What is wrong with its form, of: crlf, bom, literal-newlines, no-begin, no-end, html,
    not-base64, not-json, no-payload, payload-not-base64, payload-not-json, no-id, truncated."""
    id: str | None = None
    expires: str | None = None
    created: str | None = None
    signed: bool = False  # a field that looks like a signature is there
    text: str = ""  # only with `whole`; never saved


@dataclass(frozen=True)
class LicenseFile(Ask[LicenseAnswer]):
    """A license, reduced to what may be known. `whole` brings its text, to verify a signature."""

    path: str
    whole: bool = False


@dataclass(frozen=True)
class Registry:
    """What a docker client configuration says of one registry."""

    auth: bool = False  # an inline, decodable user:password
    helper: str = ""


@dataclass(frozen=True, kw_only=True)
class DockerConfigAnswer(Answer):
    json: bool = False  # it parses, and is an object
    registries: dict[str, Registry] | None = None
    store: str = ""  # credsStore
    context: str = ""  # currentContext
    proxies: dict[str, str] | None = None  # of `default`, without userinfo


@dataclass(frozen=True)
class DockerConfig(Ask[DockerConfigAnswer]):
    """A docker client's config.json, without its credentials."""

    path: str


@dataclass(frozen=True, kw_only=True)
class EnvFileAnswer(Answer):
    values: dict[str, str] | None = None  # of the asked keys only
    names: tuple[str, ...] = ()  # of all other keys
    doubtful: tuple[str, ...] = ()  # asked keys whose value uses $ or quotes over several lines


@dataclass(frozen=True)
class EnvFile(Ask[EnvFileAnswer]):
    """The asked keys of a compose .env file, read as compose does (quotes, comments, last wins)."""

    path: str
    keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ComposeAnswer(Answer):
    """`document` is `docker compose config --format json` without foreign environment values."""

    code: int = -1
    document: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()  # e.g. The "X" variable is not set
    message: str = ""  # the end of stderr when it failed


@dataclass(frozen=True)
class Compose(Ask[ComposeAnswer]):
    """The rendered stack of a directory, with a clean environment, as compose itself would pick it.

    Environment values are kept for the listed keys and for keys that begin with WATCHTOWER_; all
    others become null. Userinfo in URLs is cut everywhere.
    """

    slow: ClassVar[bool] = True
    directory: str
    keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CertificatesAnswer(Answer):
    pems: tuple[str, ...] = ()  # the CERTIFICATE blocks, in order
    private: bool = False  # the file also holds a private key


@dataclass(frozen=True)
class Certificates(Ask[CertificatesAnswer]):
    """The certificates of a PEM file; a private key beside them stays where it is."""

    path: str


@dataclass(frozen=True, kw_only=True)
class PrivateKeyAnswer(Answer):
    public: str = ""  # the public half, PEM; made by the target's openssl
    message: str = ""


@dataclass(frozen=True)
class PrivateKey(Ask[PrivateKeyAnswer]):
    """The public half of a private key."""

    slow: ClassVar[bool] = True
    path: str


# -- people, programs, sockets, daemons ------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AccountAnswer(Answer):
    """ENOENT when there is no such user; a group of the same name is looked up on its own."""

    name: str = ""
    uid: int = -1
    gid: int = -1
    group: str = ""  # name of the primary group
    home: str = ""
    groups: tuple[str, ...] = ()  # supplementary
    own_group: int | None = None  # number of the group with the user's name, if any


@dataclass(frozen=True)
class Account(Ask[AccountAnswer]):
    """A user by name, or by number when the name is digits; through the target's name services."""

    name: str


@dataclass(frozen=True, kw_only=True)
class RunAnswer(Answer):
    """ENOENT in `error` when the program is not there."""

    code: int = -1
    out: str = ""
    err: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Run(Ask[RunAnswer]):
    """A program's output; LC_ALL=C, a standard PATH, its own session, killed at its bounds.

    `user` runs it as that user (by runuser, needs root).
    """

    slow: ClassVar[bool] = True
    argv: tuple[str, ...]
    seconds_limit: float = 8.0
    limit: int = 262_144
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class DockerApiAnswer(Answer):
    """ECONNREFUSED: nobody listens on the socket; ENOENT: no socket; EACCES: no permission."""

    status: int = 0
    value: Any = None


@dataclass(frozen=True)
class DockerApi(Ask[DockerApiAnswer]):
    """GET on unix:///var/run/docker.sock, whatever DOCKER_HOST says; only the named keys are kept.

    A list answer keeps those keys of each element; `keep` of () keeps everything. Of `Labels`,
    which may hold other people's secrets, only those in `labels` stay.
    """

    slow: ClassVar[bool] = True
    path: str
    keep: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listener:
    """One listening TCP socket; pid 0 when its owner could not be read."""

    address: str = ""
    port: int = 0
    pid: int = 0
    command: str = ""
    cgroup: str = ""


@dataclass(frozen=True, kw_only=True)
class ListenersAnswer(Answer):
    listeners: tuple[Listener, ...] = ()


@dataclass(frozen=True)
class Listeners(Ask[ListenersAnswer]):
    """Who listens on the named TCP ports, on every address, v4 and v6."""

    ports: tuple[int, ...]


# -- the network -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ListenAnswer(Answer):
    ports: dict[str, str] | None = None  # port -> "" when it listens there, else an errno name
    token: str = ""  # made on the target, different at every run


@dataclass(frozen=True)
class Listen(Ask[ListenAnswer]):
    """Listen on free TCP ports of the host, all addresses, until the conversation ends.

    Every connection is answered with HTTP 200, the token (X-Sesam-Audit) and the address it came
    from (X-Sesam-Peer), then closed. No firewall is touched; a taken port is left alone.
    """

    ports: tuple[int, ...]
    seconds_limit: float = 45.0


@dataclass(frozen=True, kw_only=True)
class LookupAnswer(Answer):
    """`error`: NXDOMAIN, SERVFAIL, REFUSED, TIMEOUT, NOSERVER. No error, no records: no data."""

    records: tuple[str, ...] = ()  # A, AAAA: addresses; CAA: 'flags tag value'
    server: str = ""


@dataclass(frozen=True)
class Lookup(Ask[LookupAnswer]):
    """One DNS question to the resolvers of /etc/resolv.conf, not through /etc/hosts."""

    slow: ClassVar[bool] = True
    shown: ClassVar[int] = 2
    name: str
    type: str  # A, AAAA or CAA
    vantage: str = "host"
    seconds_limit: float = 4.0


@dataclass(frozen=True)
class Attempt:
    """One TCP connection tried."""

    address: str = ""
    result: str = ""  # open, or ECONNREFUSED, TIMEOUT, EHOSTUNREACH, ENETUNREACH, ...
    source: str = ""  # the socket's own address
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DialAnswer(Answer):
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
    time: float = 0.0  # the target's clock when the HTTP answer came


@dataclass(frozen=True)
class Dial(Ask[DialAnswer]):
    """One connection in layers: DNS, TCP, (proxy CONNECT,) TLS, HTTP GET.

    `tls` False speaks plain HTTP; `path` "" stops after TLS. `address` is dialled instead of
    resolving the name. `seconds_limit` bounds the whole; 0 is the run's deadline.
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
    vantage: str = "host"
    public: bool = False  # judge against the `Roots` sent earlier (for Pythons that hide the chain)
    seconds_limit: float = 0.0


@dataclass(frozen=True)
class Hop:
    """One request of a pull; `path` without its query, `error` in Dial's words."""

    host: str = ""
    path: str = ""
    status: int = 0
    address: str = ""  # "" through a proxy
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PullAnswer(Answer):
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


@dataclass(frozen=True)
class Pull(Ask[PullAnswer]):
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
    vantage: str = "host"
    seconds_limit: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RootsAnswer(Answer):
    count: int = 0


@dataclass(frozen=True)
class Roots(Ask[RootsAnswer]):
    """Hand public roots (PEM) to a Python that cannot show its chain; kept for the conversation."""

    pem: str


VOCABULARY: dict[str, type[Ask[Any]]] = {
    kind.__name__: kind
    for kind in (
        Self, Contact, File, Files, Names, Stat, Space, Walk, Fsync, LicenseFile, DockerConfig,
        EnvFile, Compose, Certificates, PrivateKey, Account, Run, DockerApi, Listeners, Lookup,
        Dial, Listen, Pull, Roots,
    )
}  # fmt: skip
"""Every question by name, for requests and for saved evidence."""
