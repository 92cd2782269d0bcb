"""Answers sesam-audit's questions about the machine it runs on. It changes nothing.

It is one program without dependencies: the auditor sends its text to `python3` on the machine, and
then speaks with it over the program's own standard input and output. A request is one line of JSON
that holds questions ("asks"); the reply is a JSON list with one answer for each, compressed. Every
kind of question is one function below, and the table ANSWERS at the end names them all: files to
read, directories to look at, programs to run, connections to try.

It never
  - writes, with two exceptions: `fsync` measures a disk with a nameless file that is gone at its
    end, and is asked only when the operator ordered it; and a *room* (below: "a room"), unless the
    operator ordered `--passive`: containers that only wait, so that dials and the listener
    take the way that the stack's containers will take; they are removed at the end, with their
    network and their empty image, also when the connection or this program dies;
  - tells secrets: what may hold them (license, docker logins, .env, keys, the rendered stack) is
    reduced here to what the audit needs, and user:password is cut out of every URL that leaves;
  - sends anything anywhere but to its standard output and to the endpoints it is asked to dial,
    which get a plain GET; it follows no redirect and takes no proxy from the environment;
    `pull` alone does more: it rehearses a pull from Docker Hub, redirects included, and shows the
    login that lies on this machine to https://auth.docker.io, as the updater will;
  - stays: it ends, and kills every program that it started, when its standard input ends (the
    auditor or the connection is gone), and after fifteen minutes in any case.
"""

import base64
import collections
import contextlib
import errno
import fnmatch
import functools
import grp
import io
import itertools
import json
import os
import pwd
import queue
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from stat import S_IFMT, S_IMODE, S_ISDIR, S_ISLNK, S_ISREG

LIFETIME = 900
ANSWER_CAP, REPLY_CAP = 1 << 20, 8 << 20
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
SLOW = {
    "Walk",
    "Fsync",
    "Compose",
    "ComposeVersion",
    "PrivateKey",
    "Run",
    "DockerApi",
    "Lookup",
    "Dial",
    "Pull",
    "Listen",
}
PROGRAMS = {"Compose", "ComposeVersion", "Run"}  # they take longest, beside everything else
LOOKS = {"Listeners", "DockerApi", "Run"}  # these see the room of an audit that has just ended
SECRET = {"LicenseFile", "DockerConfig", "EnvFile", "Compose", "PrivateKey", "DockerApi", "Pull"}

CHANGED = threading.Condition()  # guards what questions know of their answers
SPAWNING = threading.Lock()  # guards CHILDREN
CHILDREN = set()  # process groups of running programs


# -- conversation ---------------------------------------------------------------------------------


def converse(marker):
    """Answer one request after the other until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not break a frame
    for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    signal.alarm(LIFETIME)
    requests = queue.Queue()
    threading.Thread(target=listen, args=(requests,), daemon=True).start()
    try:
        while True:
            reply = zlib.compress(respond(json.loads(requests.get())), 1)
            out.write(b"\n%s %d\n%s" % (marker.encode(), len(reply), reply))
            out.flush()
    except Exception as error:
        sys.stderr.write("sesam-audit's probe: %s\n" % type(error).__name__)
    finally:
        end()


def listen(requests):
    for line in sys.stdin.buffer:
        requests.put(line)
    end()


def end(*_):
    """Kill what was started and leave, whatever the other threads are waiting for."""
    SPAWNING.acquire(timeout=2)  # and never released: nothing starts any more
    for group in list(CHILDREN):
        kill(group)
    os._exit(0)


def respond(request):
    """One round: each ask is answered by the deadline, or with what is known of it by then."""
    now, seconds = time.monotonic(), request["deadline"]
    start(settle, request["asks"])
    questions = []
    for ask in request["asks"]:
        # The work ends a little before the waiting, so that it can say how far it came.
        own = ask.get("seconds_limit") or seconds
        ask["end"] = now + min(own, seconds - min(0.25, seconds / 10))
        login = "" if ask.get("anonymous") else request.get("secrets", {}).get("proxy", "")
        ask["login"] = login
        questions.append(Question(ask, min(now + seconds, ask["end"] + 0.5)))
        if ask["ask"] == "Roots":
            questions[-1].work()
    prepare(questions)
    quick = collections.deque(each for each in questions if each.ask["ask"] not in SLOW)
    for question in sorted(questions, key=lambda each: each.ask["ask"] not in PROGRAMS):
        if question.ask["ask"] in SLOW:
            start(question.work)
    for _ in range(min(4, len(quick))):  # four, so that a dead network mount does not stop the rest
        start(drain, quick)
    with CHANGED:
        for question in questions:
            while not question.done and question.last > time.monotonic():
                CHANGED.wait(max(0.0, question.last - time.monotonic()))
        known = [question.snapshot() for question in questions]
    return encode(known)


def start(work, *args):
    try:
        threading.Thread(target=work, args=args, daemon=True).start()
    except RuntimeError:  # no more threads for this user
        work(*args)


def drain(quick):
    with contextlib.suppress(IndexError):
        while True:
            quick.popleft().work()


class Question:
    """One ask and what is known of its answer: a thread writes it, the round reads it."""

    def __init__(self, ask, last):
        self.ask, self.last = dict(ask, began=time.monotonic()), last
        self.known, self.done = {}, False

    def work(self):
        """Let the ask's function answer: it returns the answer, or yields it part by part."""
        if self.done:
            return
        if self.ask["ask"] in LOOKS:
            ROOM.calm.wait(3)
        self.ask["began"] = time.monotonic()
        try:
            found = ANSWERS.get(self.ask["ask"], unsupported)(self.ask)
            for part in [found] if isinstance(found, dict) else found:
                self.enter(part)
        except Exception as error:
            self.enter(fault(error, self.ask["ask"]))
        self.enter({}, done=True)

    def enter(self, part, done=False):
        with CHANGED:
            self.known = dict(self.known, **part, seconds=self.seconds())
            self.done = done
            CHANGED.notify_all()

    def snapshot(self):
        if self.done:
            return self.known
        return dict(self.known, error="TIMEOUT", seconds=self.seconds())

    def seconds(self):
        return round(time.monotonic() - self.ask["began"], 4)


def encode(answers):
    parts, total = [], 0
    for answer in answers:
        try:
            part = json.dumps(clean(answer), allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:
            part = json.dumps({"error": "CRASH: " + type(error).__name__}).encode()
        if len(part) > ANSWER_CAP or total + len(part) > REPLY_CAP:
            part = b'{"error": "TOOBIG"}'
        total += len(part)
        parts.append(part)
    return b"[" + b",".join(parts) + b"]"


# -- words ----------------------------------------------------------------------------------------

# The second form is for passwords with a raw slash; it leaves http://host:80/path@x alone.
USERINFO = re.compile(
    r"""://(?:[^\s"'<>/?#]*@|[^\s"'<>/?#:@\[]*:(?!\d*(?:[/?#,\s"']|$))[^\s"'<>]*@)"""
)
WORD = r"(?:pass(?:w|phrase|_|\b)|secret|token|api[-_]?key|basicauth|digestauth)[\w.-]*"
SECRETIVE = re.compile("(?i)" + WORD)
ASSIGNED = re.compile(
    r"""(?i)(--?[\w.-]*%s\s+|%s["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;]+)""" % (WORD, WORD)
)


def clean(value):
    """What leaves this machine goes through here: text without surrogates, URLs without logins."""
    if isinstance(value, bytes):
        return USERINFO.sub("://", str(value, "utf-8", "backslashreplace"))
    if isinstance(value, str):
        return clean(value.encode("utf-8", "backslashreplace"))
    if isinstance(value, dict):
        return {clean(key): clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value]
    return value


def reduced(value, keys, place=""):
    """A stack or container as data: environments keep the asked keys, secrets become `...`."""
    environment = place.lower() in ("environment", "env")
    if isinstance(value, dict) and (environment or place == "args"):
        return {key: each if wanted(key, keys) else None for key, each in value.items()}
    if isinstance(value, dict):
        return {
            key: "..." if isinstance(each, str) and secretly(key) else reduced(each, keys, key)
            for key, each in value.items()
            if not key.startswith("x-")
        }
    if isinstance(value, list) and environment:
        pairs = [(str(each).partition("=")[0], each) for each in value]
        return [each if wanted(key, keys) else key for key, each in pairs]
    if isinstance(value, list):
        flags = [re.match("--?[^=]*$", str(each)) and secretly(str(each)) for each in value]
        return ["..." if flag else reduced(each, keys) for flag, each in zip([0] + flags, value)]
    return ASSIGNED.sub(r"\1...", value) if isinstance(value, str) else value


def wanted(key, keys):
    ours = key.startswith("WATCHTOWER_") and not re.search("PASS|TOKEN|SECRET|URL|HOOK", key)
    return ours or key in keys


def secretly(key):
    return key == "content" or SECRETIVE.search(key)


def fault(error, ask):
    told = {"error": named(error)}
    if ask in SECRET and told["error"].startswith("CRASH"):
        told["error"] = "CRASH: " + type(error).__name__
    elif ask == "Dial":
        told["detail"] = words(error)
        told.update(getattr(error, "known", {}))
    return told


def named(error):
    """An error by name. Its errno is told of real ones only: an ssl error's 1 would read EPERM."""
    if isinstance(error, socket.gaierror):
        kinds = ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")  # not everywhere all of them
        unknown = [getattr(socket, each, None) for each in kinds]
        return "NXDOMAIN" if error.errno in unknown else "SERVFAIL"
    if isinstance(error, socket.timeout) or getattr(error, "errno", 0) == errno.ETIMEDOUT:
        return "TIMEOUT"
    if type(error).__module__ in ("ssl", "http.client"):
        return "TLS" if type(error).__module__ == "ssl" else "HTTP"
    if isinstance(error, UnicodeError) and "label" in str(error):
        return "NXDOMAIN"  # a name that DNS cannot carry
    if isinstance(error, OSError) and error.errno in errno.errorcode:
        return errno.errorcode[error.errno]
    return "CRASH: " + words(error)


def words(error):
    said = getattr(error, "verify_message", "") or str(error)
    said = re.sub(r"^\[[^]]*\] |\s*\(_?\w+\.c:\d+\)$", "", said)[:300]
    return said if isinstance(error, OSError) else type(error).__name__ + ": " + said


def unsupported(ask):
    return {"error": "UNSUPPORTED"}


# -- who answers ----------------------------------------------------------------------------------


def myself(ask):
    return {
        "uid": os.geteuid(),
        "user": user_name(os.geteuid()),
        "login": os.environ.get("SUDO_USER", ""),
        "groups": group_names({os.getegid(), *os.getgroups()}),
        "hostname": socket.gethostname(),
        "kernel": os.uname().release,
        "machine": os.uname().machine,
        "python": sys.version_info[:3],
        "time": time.time(),
    }


def account(ask):
    name = ask["name"] or os.environ.get("SUDO_USER", "") or str(os.geteuid())
    name = user_name(int(name)) if name.isdigit() else name
    try:
        own_group = grp.getgrnam(name).gr_gid
    except KeyError:
        own_group = None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return {"error": "ENOENT", "own_group": own_group}
    return {
        "name": found.pw_name,
        "uid": found.pw_uid,
        "gid": found.pw_gid,
        "group": group_name(found.pw_gid),
        "home": found.pw_dir,
        "groups": group_names({*os.getgrouplist(name, found.pw_gid)} - {found.pw_gid}),
        "own_group": own_group,
    }


@functools.lru_cache(maxsize=None)
def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@functools.lru_cache(maxsize=None)
def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""


def group_names(gids):
    return [group_name(gid) or str(gid) for gid in sorted(gids)]


# -- files ----------------------------------------------------------------------------------------

KINDS = {
    0o100000: "file", 0o040000: "directory", 0o120000: "link", 0o140000: "socket",
    0o060000: "block", 0o020000: "char", 0o010000: "fifo",
}  # fmt: skip


def raw(path):
    """Paths are bytes here: names need not be text, and the locale may be C."""
    return path.encode("utf-8", "surrogateescape")


def read(path, limit):
    """A regular file's first bytes, and whether there are more. No FIFO or device is opened."""
    kind = os.stat(path).st_mode
    if not S_ISREG(kind):
        raise OSError(errno.EISDIR if S_ISDIR(kind) else errno.EINVAL, "not a regular file")
    data = b""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    with open(opened, "rb", buffering=0) as stream:
        while len(data) <= limit:
            part = stream.read(limit + 1 - len(data))
            if not part:
                break
            data += part
    return data[:limit], len(data) > limit


def file(ask):
    data, cut = read(raw(ask["path"]), ask["limit"])
    return {"text": data, "cut": cut}


def files(ask):
    texts, errors = {}, {}
    paths = expand(raw(ask["pattern"]), errors)
    for path in paths[:500]:
        try:
            texts[path], cut = read(path, ask["limit"])
            if cut:
                errors[path] = "TOOBIG"
        except IsADirectoryError:
            continue
        except OSError as error:
            errors[path] = named(error)
    if len(paths) > 500:
        errors[ask["pattern"]] = "TOOBIG"
    return {"files": texts, "errors": errors}


def expand(pattern, errors):
    """What a pattern matches. Not glob, which is silent about directories that it may not read."""
    paths = [b"/"]
    for part in pattern.strip(b"/").split(b"/"):
        grown = []
        for path in paths:
            try:
                if re.search(rb"[*?[]", part):
                    found = fnmatch.filter(os.listdir(path), part)
                    found = sorted(each for each in found if each[:1] != b"." or part[:1] == b".")
                else:
                    os.lstat(os.path.join(path, part))
                    found = [part]
                grown += [os.path.join(path, each) for each in found]
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                errors[path] = named(error)
        paths = grown[:5000]
    return paths


def names(ask):
    with os.scandir(raw(ask["path"])) as entries:
        return {"names": sorted(each.name for each in itertools.islice(entries, 20000))[:1000]}


def stat(ask):
    path = raw(ask["path"])
    own, real = os.lstat(path), os.path.realpath(path)
    try:
        resolved = dict(looks(os.stat(path)), path=real)
    except OSError as error:
        resolved = {"path": real, "error": named(error)}
    return dict(
        looks(own),
        gid=own.st_gid,
        user=user_name(own.st_uid),
        group=group_name(own.st_gid),
        size=own.st_size,
        modified=own.st_mtime,
        target=os.readlink(path) if S_ISLNK(own.st_mode) else "",
        resolved=resolved,
    )


def looks(found):
    return {
        "kind": KINDS.get(S_IFMT(found.st_mode), ""),
        "device": found.st_dev,
        "inode": found.st_ino,
        "uid": found.st_uid,
        "mode": S_IMODE(found.st_mode),
    }


def space(ask):
    found = os.statvfs(raw(ask["path"]))
    return {
        "total": found.f_blocks * found.f_frsize,
        "available": found.f_bavail * found.f_frsize,
        "inodes": found.f_files,
        "inodes_available": found.f_favail,
    }


def walk(ask):
    """Who owns what below the roots: lstat only, no other file system entered.

    No link is followed below them; a root, and what is skipped, is meant where its links lead.
    """
    leads = {root: os.path.realpath(root) for root in map(os.path.normpath, map(raw, ask["roots"]))}
    roots = set(leads.values())
    skip, skip_names = set(), set(map(raw, ask["skip_names"]))
    for path in map(raw, ask["skip"]):
        above = [root for root in leads if path == root or path.startswith(os.path.join(root, b""))]
        root = max(above, key=len, default=path)
        skip.add(leads.get(root, root) + path[len(root) :])
    seen, missing, offenders, samples, passed, unreadable = 0, 0, 0, [], [], []
    waiting = [(root, None) for root in sorted(roots)]  # each with the device to stay on
    while waiting and seen < ask["entries"] and time.monotonic() < ask["end"]:
        path, device = waiting.pop()
        try:
            found = os.lstat(path)
            if S_ISLNK(found.st_mode) and device is None:  # it leads to itself
                raise OSError(errno.ELOOP, "")
            # On overlay a file's device differs from its directory's: directories alone tell.
            foreign = S_ISDIR(found.st_mode) and device not in (None, found.st_dev)
            if foreign or path in skip or os.path.basename(path) in skip_names:
                passed.append(path)
                continue
            seen += 1
            if (found.st_uid, found.st_gid) != (ask["uid"], ask["gid"]):
                offenders += 1
                user, group = user_name(found.st_uid), group_name(found.st_gid)
                owner = " %s:%s" % (user or found.st_uid, group or found.st_gid)
                samples += [path + raw(owner)] * (len(samples) < 20)
            if S_ISDIR(found.st_mode):
                with os.scandir(path) as entries:
                    inside = [each.path for each in itertools.islice(entries, ask["entries"])]
                waiting += [(each, found.st_dev) for each in inside if each not in roots]
        except FileNotFoundError:
            missing += device is None
        except OSError:
            unreadable.append(path)
    if missing == len(roots):
        return {"error": "ENOENT"}
    return {
        "entries": seen,
        "offenders": offenders,
        "samples": samples,
        "passed_over": passed[:50],
        "unreadable": unreadable[:20],
        "complete": not waiting,
    }


def fsync(ask):
    import tempfile

    times = []
    with tempfile.TemporaryFile(dir=raw(ask["path"]), buffering=0) as stream:
        while len(times) < ask["writes"] and time.monotonic() < ask["end"]:
            began = time.monotonic()
            stream.write(b"\0" * 4096)
            os.fsync(stream.fileno())
            times.append(time.monotonic() - began)
    times.sort()
    count = len(times)
    if not count:
        return {"error": "TIMEOUT"}
    return {"writes": count, "p50": times[count // 2], "p99": times[count * 99 // 100]}


# -- files that hold secrets ----------------------------------------------------------------------


def license_file(ask):
    import hashlib

    data, cut = read(raw(ask["path"]), 1 << 18)
    if cut:
        return {"error": "TOOBIG"}
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = str(data, "utf-16" if wide else "utf-8", "replace")
    problems = ["bom"] * (wide or text[:1] == "\ufeff")
    text = text.strip("\ufeff \t\r\n\0")
    return dict(
        license_content(text, problems) if text else {},
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        blank=not text,
        problems=["crlf"] * (b"\r" in data) + problems,
        text=data if ask["whole"] else "",
    )


def license_content(text, problems):
    """What a license says of itself: its number and dates, never its holder or its signature."""
    if "\\n" in text:
        problems.append("literal-newlines")
    text = text.replace("\\r", "").replace("\\n", "\n").replace("\r", "\n")
    if re.search(r"(?i)<(!doctype|html|head|body)\b", text):
        problems.append("html")
        return {}
    begin = re.search(r"--+\s*BEGIN[^\n-]*SESAM[^\n-]*--+", text)
    finish = re.search(r"--+\s*END[^\n-]*SESAM[^\n-]*--+", text)
    problems += ["no-begin"] * (not begin) + ["no-end"] * (not finish)
    body = text[begin.end() if begin else 0 : finish.start() if finish else len(text)]
    outer, problem = decoded(re.sub(r"(?m)^--.*", "", body))
    if problem:
        problems.append(problem)
        return {}
    signed = any(re.search("(?i)sign|^sig$", key) and each for key, each in outer.items())
    if not outer.get("payload"):
        problems.append("no-payload")
        return {"signed": signed}
    payload, problem = decoded(str(outer["payload"]))
    if problem:
        problems.append("payload-" + problem.replace("truncated", "not-json"))
        return {"signed": signed}
    told = {"signed": signed}
    for key in ("_id", "expires", "created"):
        value = payload.get(key)
        told[key.strip("_")] = str(value)[:200] if value and isinstance(value, (str, int)) else None
    problems += ["no-id"] * (not told["id"])
    return told


def decoded(text):
    """A JSON object from base64, and the word for what is wrong with it."""
    text = re.sub(r"\s", "", text)
    if not re.match(r"[A-Za-z0-9+/]+={0,2}$", text):
        return None, "not-base64"
    text = text.rstrip("=")
    text = text[: len(text) - (len(text) % 4 == 1)]  # a last letter alone holds no byte
    data = base64.b64decode(text + "=" * (-len(text) % 4))
    try:
        found = json.loads(str(data, "utf-8"))
    except (ValueError, RecursionError):
        data = data.strip()
        return None, "truncated" if data[:1] == b"{" and data[-1:] != b"}" else "not-json"
    return (found, "") if isinstance(found, dict) else (None, "not-json")


def docker_config(ask):
    data, cut = read(raw(ask["path"]), 1 << 20)
    try:
        found = json.loads(str(data, "utf-8-sig"))
    except (ValueError, RecursionError):
        found = None
    if cut or not isinstance(found, dict):
        return {"json": False}
    auths, helpers = table(found, "auths"), table(found, "credHelpers")
    proxies = table(table(found, "proxies"), "default")
    return {
        "json": True,
        "registries": {
            name: {"auth": has_login(auths.get(name)), "helper": str(helpers.get(name, ""))}
            for name in list(dict.fromkeys([*auths, *helpers]))[:50]
        },
        "store": str(found.get("credsStore") or ""),
        "context": str(found.get("currentContext") or ""),
        "proxies": {
            key: re.sub(r"^(\w+://)?.*@", r"\1", str(proxies[key]))
            for key in ("httpProxy", "httpsProxy", "ftpProxy", "allProxy", "noProxy")
            if key in proxies
        },
    }


def table(found, key):
    return found[key] if isinstance(found.get(key), dict) else {}


def has_login(entry):
    return bool(login_of(entry))


def login_of(entry):
    """The user:password of a registry in a docker config; empty when there is none inline."""
    try:
        login = base64.b64decode(entry["auth"], validate=True)
    except (ValueError, TypeError, KeyError):
        return b""
    return login if b":" in login else b""


ASSIGNMENT = re.compile(
    r"""(?as)[ \t]*(?:export[ \t]+)?([\w.\[\]-]+)[ \t]*[=:][ \t]*"""
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\n]*)[^\n]*"""
)


def env_file(ask):
    """A .env as compose reads it: quotes over lines, comments after a blank, the last one wins."""
    data, cut = read(raw(ask["path"]), 1 << 18)
    if cut:
        return {"error": "TOOBIG"}
    text = str(data, "utf-8-sig", "backslashreplace").replace("\r\n", "\n")
    values, others, at = {}, set(), 0
    while at < len(text):
        found = ASSIGNMENT.match(text, at)
        if found and found.group(1) in ask["keys"]:
            values[found.group(1)] = env_value(found.group(2))
        elif found:
            others.add(found.group(1))
        at = (text.find("\n", found.end() if found else at) + 1) or len(text)
    return {
        "values": {key: value for key, (value, _) in values.items()},
        "names": sorted(others),
        "doubtful": sorted(key for key, (_, doubt) in values.items() if doubt),
    }


def env_value(text):
    quote = text[:1]
    if quote not in ("'", '"'):
        value = text.split(" #")[0].rstrip()
        return value, "$" in value
    if len(text) < 2 or text[-1] != quote:
        return "", True  # an open quote: what follows may be another's secret
    value = text[1:-1]
    return value, "\n" in value or quote == '"' and bool(re.search(r"[$\\]", value))


def compose_plugin():
    """The plugin that `docker compose` would start: called by itself it answers twice as fast."""
    places = [home() + "/.docker"] + [
        place + "/docker"
        for place in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
    ]
    found = [place + "/cli-plugins/docker-compose" for place in places]
    first = next(filter(os.path.lexists, found), None)
    return first if first and os.access(first, os.X_OK) else None


def plain_docker():
    """Whether `docker` is Docker's own program, which looks for plugins where we do.

    It is not podman's script, a snap, or told of other places.
    """
    program = os.path.realpath(next(filter(runs, programs("docker")), ""))
    settings = raw(home() + "/.docker/config.json")
    with contextlib.suppress(OSError):
        elsewhere = os.path.exists(settings) and read(settings, 1 << 20)[0].lower()
        own = os.path.basename(program) == "docker" and read(raw(program), 4)[0] == b"\x7fELF"
        return own and b"pluginsextradirs" not in (elsewhere or b"")
    return False


def compose_version(ask):
    """The plugin's own word, asked as Docker asks for it: a third of what the command takes."""
    plugin = compose_plugin() if plain_docker() else None
    if plugin:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            done = spawn([plugin, "docker-cli-plugin-metadata"], ask["end"], 65536)
            told = json.loads(str(done["out"], "utf-8"))
            if done["code"] == 0 and told["SchemaVersion"] == "0.1.0" and told["Vendor"]:
                return {"code": 0, "out": str(told["Version"]) + "\n"}
    command = ["docker", "compose", "version", "--short"]
    return run(dict(ask, argv=command, user="", limit=65536))


def compose(ask):
    directory = raw(ask["directory"])
    os.stat(directory)
    if not which("docker"):
        return {"error": "ENOENT", "message": "there is no docker"}
    plugin = compose_plugin()
    argv = ([plugin] if plugin else ["docker", "compose"]) + ["config", "--format", "json"]
    done = spawn(argv, ask["end"], 4 << 20, {"PATH": PATH, "HOME": home()}, directory)
    said = str(done["err"], "utf-8", "replace")
    found = re.findall(r'level=warning msg="((?:[^"\\]|\\.)*)"|WARN\[\d+\] (.*)', said)
    warnings = [re.sub(r"\\(.)", r"\1", one or two)[:500] for one, two in found[:50]]
    answer = {"code": done["code"], "warnings": [ASSIGNED.sub(r"\1...", each) for each in warnings]}
    if done["error"] or done["cut"]:
        return dict(answer, error=done["error"] or "TOOBIG")
    if done["code"] == 0:
        document = json.loads(str(done["out"], "utf-8"))
        return dict(answer, document=reduced(document, ask["keys"]))
    if not plugin and re.search(
        r"docker --help|unknown (shorthand )?flag|not a docker command", said
    ):
        return dict(answer, message="docker: 'compose' is not a docker command")
    # Parse errors quote the line at fault, which may hold a secret: only names stay.
    quoted = r'(service |network |volume )?"(?:[^"\\]|\\.)*"'
    said = re.sub(quoted, lambda found: found.group(0) if found.group(1) else '"..."', said)
    said = re.sub(r"(unterminated quoted value) .*", r"\1 ...", said)
    return dict(answer, message=ASSIGNED.sub(r"\1...", said)[-2000:])


PEM = re.compile(
    r"-----BEGIN (?:X509 )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:X509 )?CERTIFICATE-----"
)


def certificates(ask):
    data, cut = read(raw(ask["path"]), 1 << 20)
    text = str(data, "ascii", "replace")
    answer = {"pems": PEM.findall(text)[:200], "private": "PRIVATE KEY-----" in text}
    return dict(answer, error="TOOBIG") if cut else answer


def private_key(ask):
    """openssl's word for the public half; the private one is read by openssl alone."""
    path = raw(ask["path"])
    read(path, 1)
    if not which("openssl"):
        return {"error": "UNSUPPORTED", "message": "there is no openssl"}
    argv = ["openssl", "pkey", "-in", path, "-pubout", "-passin", "pass:"]
    done = spawn(argv, ask["end"], 65536)
    if done["error"] or done["code"]:
        return {"error": done["error"], "message": done["err"][-500:]}
    return {"public": done["out"]}


# -- programs -------------------------------------------------------------------------------------


def run(ask):
    argv, user, place = list(map(raw, ask["argv"])), ask["user"], home()
    if not which(ask["argv"][0]):
        return {"error": "ENOENT"}
    if user and user != user_name(os.geteuid()):
        if os.geteuid() != 0:
            return {"error": "EPERM", "err": "only root can run it as " + user}
        if not which("runuser"):
            return {"error": "UNSUPPORTED", "err": "there is no runuser"}
        try:
            place = pwd.getpwnam(user).pw_dir
        except KeyError:
            return {"error": "EINVAL", "err": "there is no user " + user}
        argv = ["runuser", "-u", user, "--"] + argv
    return spawn(argv, ask["end"], ask["limit"], {"PATH": PATH, "HOME": place, "LC_ALL": "C"})


def spawn(argv, end, limit, env=None, cwd="/"):
    """Run a program, without a shell, in its own session, until it ends or meets a bound."""
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    env = env or {"PATH": PATH, "HOME": home(), "LC_ALL": "C"}
    with SPAWNING:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, env=env, cwd=cwd, start_new_session=True, **pipes
        )
        CHILDREN.add(child.pid)
    out, err, error, cut = bytearray(), bytearray(), None, False
    with child.stdout, child.stderr, selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, out)
        selector.register(child.stderr, selectors.EVENT_READ, err)
        while not cut:
            # Seen but not reaped, so that the number stays its own until the group is killed.
            over = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            left = end - time.monotonic()
            if left <= 0:
                error = None if over else "TIMEOUT"
                break
            pause = min(left, 0.1 if selector.get_map() else 0.002)
            ready = selector.select(0 if over else pause)
            if over and not ready:
                break  # a daemon that it left behind may still hold the pipes
            for key, _ in ready:
                part = os.read(key.fd, 65536)
                key.data.extend(part)
                cut = cut or len(key.data) > limit
                if not part:
                    selector.unregister(key.fileobj)
    with SPAWNING:
        kill(child.pid)
        CHILDREN.discard(child.pid)
    ended = {"error": error, "code": child.wait(), "cut": cut}
    return dict(ended, out=bytes(out[:limit]), err=bytes(err[:limit]))


def kill(group):
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)


def which(program):
    return any(map(runs, programs(program)))


def programs(program):
    return [os.path.join(each, program) for each in PATH.split(":")]


def runs(path):
    return os.path.isfile(raw(path)) and os.access(raw(path), os.X_OK)


def home():
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"


MOST = 8 << 20


def daemon(method, path, until, body=b"", kind="application/json"):
    """One request to the Docker daemon of this machine, whatever DOCKER_HOST says."""
    headers = {"Host": "docker", "Content-Type": kind, "Content-Length": len(body)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(remaining(until))
        link.connect("/var/run/docker.sock")
        response = exchange(link, "%s %s HTTP/1.1" % (method, path), headers, until, body)
        return response, response.read(MOST + 1)


def docker_api(ask):
    response, data = daemon("GET", ask["path"], min(ask["end"], time.monotonic() + 8))
    if len(data) > MOST:
        return {"error": "TOOBIG", "status": response.status}
    try:
        value = reduced(json.loads(str(data, "utf-8")), ("DOCKER_API_VERSION", "NODE_DOMAIN"))
    except ValueError:
        value = None
    if isinstance(value, list):
        others = [each for each in value if not isinstance(each, dict) or not owner_of(each)]
        return {"status": response.status, "value": [picked(each, ask) for each in others]}
    ask = ask if response.status == 200 else {"keep": ["message"], "labels": []}
    return {"status": response.status, "value": picked(value, ask)}


def picked(value, ask):
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("Labels"), dict):  # other people's labels may hold their secrets
        ours = {key: value["Labels"][key] for key in ask["labels"] if key in value["Labels"]}
        value = dict(value, Labels=ours)
    if not ask["keep"]:
        return value
    found = {key: within(value, key) for key in ask["keep"]}
    return {key: each for key, each in found.items() if each is not MISSING}


MISSING = object()


def within(value, key):
    """A key of an object, `State.Status` being one further down."""
    for part in key.split("."):
        value = value.get(part, MISSING) if isinstance(value, dict) else MISSING
    return value


def listeners(ask):
    found = {}  # socket: its places
    for family, lines in ((socket.AF_INET, "/proc/net/tcp"), (socket.AF_INET6, "/proc/net/tcp6")):
        with contextlib.suppress(FileNotFoundError), open(lines, encoding="ascii") as rows:
            for row in rows:
                fields = row.split()
                address, _, port = fields[1].partition(":")
                if fields[3] == "0A" and int(port, 16) in ask["ports"]:
                    numbers = [int(each, 16) for each in re.findall("." * 8, address)]
                    packed = struct.pack("=%dI" % len(numbers), *numbers)
                    place = {"address": socket.inet_ntop(family, packed), "port": int(port, 16)}
                    found.setdefault("socket:[%s]" % fields[9], []).append(place)
    for each in OURS.intersection(found):
        del found[each]
    owners = socket_owners(found)
    return {
        "listeners": [dict(owners.get(each, {}), **one) for each in found for one in found[each]]
    }


OURS = set()  # the audit's own listening sockets, which `listeners` leaves out


def listening(ask):
    """A listener that proves to those outside that they reach this machine and no other."""
    token, ports, told = os.urandom(12).hex(), {}, {}
    if ask.get("published"):
        try:
            enter("container default", ask["end"])
            told, ports = {"published": True}, dict(ROOM.ports)
        except Stopped as stopped:
            told = {"detail": stopped.known["detail"]}
    for port in ask["ports"]:
        try:
            if not ports.get(str(port)):
                start(attend, listener(port), token, time.monotonic() + ask["seconds_limit"])
                ports[str(port)] = ""
        except OSError as error:
            ports[str(port)] = named(error)
    return dict(told, ports=ports, token=token)


def listener(port):
    """Both families at once, so that a port taken on any address is seen as taken."""
    families = (
        [socket.AF_INET6, socket.AF_INET]
        if os.path.exists("/proc/net/if_inet6")
        else [socket.AF_INET]
    )
    server = socket.socket(families[0], socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if families[0] == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    OURS.add("socket:[%d]" % os.fstat(server.fileno()).st_ino)
    server.bind(("", port))
    server.listen(16)
    return server


def attend(server, token, until):
    with server:
        server.settimeout(1)
        while time.monotonic() < until:
            with contextlib.suppress(OSError):  # nobody came, or whoever came left again
                link, peer = server.accept()
                start(greet, link, peer[0], token)


def greet(link, peer, token):
    said = "HTTP/1.1 200 OK\r\nX-Sesam-Audit: %s\r\nX-Sesam-Peer: %s\r\nConnection: close\r\n"
    with link, contextlib.suppress(OSError):
        link.settimeout(2)
        link.recv(4096)
        link.sendall((said % (token, peer) + "Content-Length: 0\r\n\r\n").encode())


def socket_owners(sockets):
    owners = {}
    for pid in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        place = "/proc/%s/" % pid
        with contextlib.suppress(OSError):  # it ended, or it is not ours to look at
            for number in os.listdir(place + "fd") if len(owners) < len(sockets) else ():
                each = ""
                with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                    each = os.readlink(place + "fd/" + number)
                if each in sockets and each not in owners:
                    command, cgroup = read(place + "comm", 64)[0], read(place + "cgroup", 500)[0]
                    owners[each] = {"pid": int(pid), "command": command.strip(), "cgroup": cgroup}
    return owners


# -- DNS ------------------------------------------------------------------------------------------


def lookup(ask):
    """One question to the machine's resolvers, or a room's, twice to each. Nothing is followed."""
    kind = {"A": 1, "AAAA": 28, "CAA": 257}[ask["type"]]
    labels = ask["name"].rstrip(".").encode("idna").split(b".")
    name = b"".join(struct.pack("B", len(label)) + label for label in labels) + b"\0"
    query = os.urandom(2) + struct.pack(">5H", 256, 1, 0, 0, 0) + name + struct.pack(">2H", kind, 1)
    servers = name_servers(ask.get("settings", "/etc/resolv.conf")) * 2
    answer = {"error": "NOSERVER"}
    for index, server in enumerate(servers):
        answer = {"server": server}
        until = time.monotonic() + (ask["end"] - time.monotonic()) / (len(servers) - index)
        try:
            place = socket.getaddrinfo(server, 53, flags=socket.AI_NUMERICHOST)[0]
            reply = by_datagram(place, query, until)
            if reply[2] & 2:  # truncated
                reply = by_stream(place, query, until)
            answer["records"] = records(reply, kind)
            if reply[3] & 15 == 0:
                return answer
            answer["error"] = {3: "NXDOMAIN", 5: "REFUSED"}.get(reply[3] & 15, "SERVFAIL")
            if answer["error"] == "NXDOMAIN":
                return answer
        except OSError as error:
            answer["error"] = named(error)
        except (LookupError, ValueError, struct.error):
            answer["error"] = "SERVFAIL"
    return answer


def by_datagram(place, query, until):
    with socket.socket(place[0], socket.SOCK_DGRAM) as link:
        link.connect(place[4])
        link.send(query)
        while True:
            link.settimeout(remaining(until))
            reply = link.recv(65536)
            same = reply[12 : len(query)].lower() == query[12:].lower() or len(reply) == 12
            if reply[:2] == query[:2] and same and reply[2] & 0x80:
                return reply


def by_stream(place, query, until):
    with socket.socket(place[0], socket.SOCK_STREAM) as link:
        link.settimeout(remaining(until))
        link.connect(place[4])
        link.sendall(struct.pack(">H", len(query)) + query)
        reader = Stream(link, until).makefile("rb")
        return reader.read(struct.unpack(">H", reader.read(2))[0])


def records(reply, kind):
    """The records of a kind; an answer that ends early raises IndexError or struct.error."""
    questions, answers = struct.unpack_from(">2H", reply, 4)
    at, found = 12, []
    for number in range(min(questions, 4) + min(answers, 100)):
        while 0 < reply[at] < 0xC0:
            at += 1 + reply[at]
        at += 2 if reply[at] else 1
        if number < questions:
            at += 4
            continue
        this, _, _, size = struct.unpack_from(">2HIH", reply, at)
        (data,) = struct.unpack_from("%ds" % size, reply, at + 10)
        at += 10 + size
        if this == kind == 257:
            found.append(b"%d %s %s" % (data[0], data[2 : 2 + data[1]], data[2 + data[1] :]))
        elif this == kind:
            found.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
    return found


# -- dials ----------------------------------------------------------------------------------------

BUNDLES = (  # in the order in which Go, and so Docker, looks for them
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
NO_ROUTE = ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT")
CONTEXTS = {}  # by purpose, the TLS context and its store: loading a bundle takes 20 ms
LOADING = threading.Lock()


class Stopped(Exception):
    """A dial that ends for a reason that is no exception; `known` goes into its answer."""

    def __init__(self, **known):
        super().__init__()
        self.known = dict({"detail": ""}, **known)


class Stream(io.RawIOBase):
    """What a socket brings, for http.client, with one end of time for all reads together."""

    def __init__(self, link, until):
        self.link, self.until = link, until

    def readable(self):
        return True

    def makefile(self, mode):
        return io.BufferedReader(self)

    def readinto(self, buffer):
        self.link.settimeout(remaining(self.until))
        try:
            return self.link.recv_into(buffer)
        except OSError as error:
            # Python 3.6 and 3.7 raise where a server closes without close_notify: just an end.
            if named(error) == "TLS" and "eof" in str(error).lower() or error.errno == 0:
                return 0
            raise


def remaining(until):
    left = until - time.monotonic()
    if left <= 0:
        raise socket.timeout("out of time")
    return left


def exchange(link, line, headers, until, body=b""):
    from http.client import HTTPResponse

    head = [line] + ["%s: %s" % each for each in headers.items()] + ["Connection: close", "", ""]
    link.settimeout(remaining(until))
    link.sendall("\r\n".join(head).encode("utf-8") + body)
    response = HTTPResponse(Stream(link, until), method=line.split(" ")[0])
    response.begin()
    return response


def dial(ask):
    """A connection by the way of who will make it; what may pass by itself is tried once more."""
    if ask.get("context", "").startswith("container"):
        told = enter(ask["context"], ask["end"])
        ask["began"] = time.monotonic()  # the wait for the room is no part of the dial
        ask = dict(ask, **told)
        yield {"context": ask["context"]}
    if ask.get("context") in ("daemon", "shell"):
        ask, told = by_settings(ask)
        yield told
    for tries in (1, 2):
        known, failed = {}, None
        try:
            for part in dial_once(ask):
                known.update(part)
                yield part
        except Exception as error:
            failed = error
            known.update(fault(error, "Dial"))
        wait = patience(known, ask["end"]) if tries == 1 else 0
        if wait:
            time.sleep(wait)
            yield dict(UNDIALLED, tries=2, first=ended(known))
            continue
        if failed is not None:
            raise failed
        return


UNDIALLED = {
    "layer": "dns", "error": None, "detail": "", "addresses": [], "attempts": [],
    "proxy_status": 0, "proxy_authenticate": "", "tls_version": "", "chain": [],
    "whole_chain": False, "trusted": None, "trust_error": "", "public": None, "store": "",
    "status": 0, "headers": None, "body": "", "time": 0.0,
}  # fmt: skip


def name_servers(settings="/etc/resolv.conf"):
    """The addresses that resolve names here, as its settings have them."""
    text = str(read(raw(settings), 65536)[0], "ascii", "replace")
    return re.findall(r"(?m)^nameserver\s+(\S+)", text)[:3]


def unrouted(server):
    """Whether no route leads to a name server: nothing is sent to learn it."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as link:
        return link.connect_ex((server, 53)) in (errno.ENETUNREACH, errno.EADDRNOTAVAIL)


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


def dial_once(ask):
    """DNS, TCP, proxy, TLS, HTTP: each is told when it is known, before the next is tried."""
    with contextlib.ExitStack() as links:
        link, place = yield from dial_tcp(ask, links)
        if ask["proxy"]:
            yield {"layer": "proxy"}
            yield tunnel(link, ask)
        if ask["tls"]:
            link = yield from dial_tls(ask, links, link, place)
        if ask["path"]:
            yield {"layer": "http"}
            yield from dial_http(ask, link)
        yield {"layer": "done"}


# -- the ways of dockerd and of a shell -----------------------------------------------------------------

DAEMON_SETTINGS = (  # where administrators write its environment
    "/etc/systemd/system/docker.service.d/*.conf", "/etc/systemd/system/docker.service",
    "/run/systemd/system/docker.service.d/*.conf", "/etc/default/docker", "/etc/sysconfig/docker",
    "/etc/systemd/system.conf.d/*.conf", "/etc/systemd/system.conf", "/etc/environment",
)  # fmt: skip
DAEMON_JSON = "/etc/docker/daemon.json"
SHELL_SETTINGS = ("/etc/environment", "/etc/profile", "/etc/profile.d/*.sh")
SETTINGS = {}


def by_settings(ask):
    """The ask with dockerd's or a shell's proxy and login, and what of that may be told."""
    from urllib.parse import unquote, urlsplit

    with LOADING:
        if not SETTINGS:
            SETTINGS.update(daemon=daemon_settings(), shell=shell_settings())
    settings = SETTINGS[ask["context"]]
    (url, place), (spared, spared_by) = settings["https-proxy"], settings["no-proxy"]
    rule = sparing(spared, ask["name"], ask["port"])
    told = {"context": ask["context"], "proxy": "", "proxy_from": place}
    if not url or rule:
        if url:
            told["proxy_from"] = "%s (%s)" % (spared_by, rule)
        return dict(ask, proxy="", login=""), told
    parts = urlsplit(url if "//" in url else "http://" + url)
    if parts.scheme != "http" or not parts.hostname:
        kind = parts.scheme if parts.hostname else "no URL"
        raise OSError("the proxy (%s) is %s, which is not tried" % (place, kind[:20]))
    login = unquote(parts.username or "") + ":" + unquote(parts.password or "")
    told["proxy"] = "%s:%d" % (in_url(parts.hostname), parts.port or 80)
    return dict(ask, proxy=told["proxy"], login=login if parts.username else ""), told


def daemon_settings():
    """dockerd's proxy and what it spares, each with where it is set; flags come first, as there."""
    flags, environment = running_daemon()
    try:
        stored = table(json.loads(text_of(raw(DAEMON_JSON)).lstrip("\ufeff")), "proxies")
    except (OSError, ValueError, RecursionError, AttributeError):
        stored = {}
    found = {}
    for name in ("https-proxy", "no-proxy"):
        key = name.replace("-", "_").upper()
        known = environment or {}
        own = known.get(key) or known.get(key.lower())
        files = assigned(key, DAEMON_SETTINGS)
        files = [each for each in files if environment is None or each[1] == own]
        path, value = files[0] if files else ("dockerd's environment", own)
        place = "%s of %s" % (key, path)
        for other, source in ((stored.get(name), DAEMON_JSON), (flags.get(name), "dockerd")):
            if other and isinstance(other, str):
                value, place = other, "%s of %s" % (name, source)
        if not value:
            value, place = "", "dockerd has no proxy"
            place += "" if environment is not None else ", as far as its files tell"
        found[name] = value, place
    return found


def shell_settings():
    """The proxy that programs of a login find, and what it spares; this program's own first."""
    found = {}
    for name in ("https-proxy", "no-proxy"):
        key = name.replace("-", "_").upper()
        files = [each for each in assigned(key, SHELL_SETTINGS) if "$" not in each[1]]
        path, value = files[0] if files else ("", "")
        own = os.environ.get(key) or os.environ.get(key.lower())
        if own:
            path, value = next((each for each in files if each[1] == own), ("the environment", own))
        found[name] = value, "%s of %s" % (key, path) if value else "no proxy in the environment"
    return found


def running_daemon():
    """The flags of the running dockerd, and its environment; None where that is not readable."""
    first = [b"/"]  # containers may hold a dockerd of their own
    with contextlib.suppress(OSError):
        first = [b"/proc/%s/comm" % read(b"/var/run/docker.pid", 64)[0].strip()]
    for path in first + expand(b"/proc/[0-9]*/comm", {}):
        with contextlib.suppress(OSError):
            if read(path, 64)[0].strip() == b"dockerd":
                break
    else:
        return {}, None
    try:
        given = text_of(path[:-4] + b"cmdline").split("\0")
        flags = dict(each.lstrip("-").partition("=")[::2] for each in given if each[:1] == "-")
        flags.update((a.lstrip("-"), b) for a, b in zip(given, given[1:]) if "=" not in a)
        pairs = text_of(path[:-4] + b"environ").split("\0")
    except OSError:
        return {}, None
    return flags, dict(each.partition("=")[::2] for each in pairs)


def text_of(path):
    return str(read(path, 1 << 20)[0], "utf-8", "replace")


def assigned(key, patterns):
    """Every assignment to an environment variable in settings: path and value."""
    form = r"(?im)^(?![ \t]*[#;]).*?\b%s=[\"']?([^\"'\s]+)" % key
    for pattern in patterns:
        for path in expand(raw(pattern), {}):
            with contextlib.suppress(OSError):
                for value in re.findall(form, text_of(path)):
                    place = str(path, "utf-8", "replace")
                    yield place, value.replace("%%", "%") if ".conf" in place else value


def sparing(rules, name, port):
    """The word of a no-proxy list that spares a host, as Go reads it; "" when none does."""
    import ipaddress

    name = name.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if name == "localhost" or address is not None and address.is_loopback:
        return name
    for word in (each.strip().lower() for each in rules.split(",")):
        rule, _, only = word.rpartition(":")
        if not rule or not only.isdigit() or ":" in rule and "]" not in rule:
            rule, only = word, ""
        if not rule or only and int(only) != port:
            continue
        if rule == "*":
            return word
        if address is not None:
            with contextlib.suppress(ValueError):
                if address in ipaddress.ip_network(rule.strip("[]"), strict=False):
                    return word
            continue
        tail = rule[1:] if rule.startswith("*.") else rule
        if name.endswith(tail if tail.startswith(".") else "." + tail) or name == tail:
            return word
    return ""


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


def addresses(host, port, flags=socket.AI_NUMERICHOST, family=0):
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP, flags)


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


def in_url(name):
    return "[%s]" % name if ":" in name else name


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


# -- a room ---------------------------------------------------------------------------------------
#
# The stack's containers reach others through Docker's networks (their resolver, routes, packet
# size, forwarding), and others reach them through published ports. To take the same way, one
# container is started on a network of its own kind, with the ports published, and one on the
# network `sesam` where it is there. Nothing is pulled: the image is empty, and what runs in it is
# this machine's own `sleep`, from /usr, mounted read-only. The dials and the listener stay here:
# their threads enter the containers' network namespaces (setns).

ROOM_LABEL, ROOM_SECONDS = "sesam-audit.room", 60
ROOM_SUBNETS = ("192.0.2.0/28", "198.51.100.0/28", "203.0.113.0/28")  # RFC 5737: nobody's
ROOM_LISTS = {
    "containers": "containers/json?all=1&",
    "networks": "networks?",
    "images": "images/json?",
}
ROOM_WAITS = SLOW - LOOKS  # these see the machine with or without a room


def settle(asks):
    """Give the room of an audit that has just ended a moment to go, before anybody looks."""
    if ROOM.calm.is_set() or not LOOKS.intersection(each["ask"] for each in asks):
        return
    end = time.monotonic() + 3
    with contextlib.suppress(Exception):
        while any(not lives(owner_of(each)) for each in ROOM.things("containers", 1)):
            if time.monotonic() > end:
                break
            time.sleep(0.05)
    ROOM.calm.set()


def prepare(questions):
    """Have a room made if a question of this round is the first that needs one."""
    asks = [each.ask for each in questions]
    dials = any(each.get("context", "").startswith("container") for each in asks)
    ports = sorted({port for each in asks if each.get("published") for port in each["ports"]})
    if (dials or ports) and not ROOM.asked:
        ROOM.asked = True
        # What tells of this machine is answered first, as it is without the room.
        reads = [each for each in questions if each.ask["ask"] not in ROOM_WAITS]
        start(ROOM.furnish, ports, dials, reads)


def enter(name, end):
    """Take this thread, and whatever it opens, into the network of a room's container."""
    if not ROOM.ready.wait(remaining(end)):
        raise Stopped(error="NOROOM", detail="no container stood in time")
    if ROOM.reason or threading.current_thread() is threading.main_thread():
        raise Stopped(error="NOROOM", detail=ROOM.reason or "no thread could be started")
    name = name if name in ROOM.places else "container default"
    namespace, settings = ROOM.places[name]
    if ROOM.libc.setns(namespace, 0x40000000):  # CLONE_NEWNET, of this thread alone
        raise Stopped(error="NOROOM", detail="this machine's kernel does not let it in")
    return {"context": name, "settings": settings}


def resolved(ask, host, port):
    """A name by the container's own resolver; the machine's /etc/hosts and caches have no part."""
    with contextlib.suppress(socket.gaierror):
        return addresses(host, port)
    settings = str(read(raw(ask["settings"]), 65536)[0], "ascii", "replace")
    domains = " ".join(re.findall(r"(?m)^search\s+(.*)", settings)).split()[:6]
    kinds, found, answer = ["A"], [], {}
    with contextlib.suppress(OSError), open("/proc/thread-self/net/if_inet6", "rb") as rows:
        if any(row.split()[3] == b"00" for row in rows):  # a global address
            kinds = ["AAAA", "A"]
    for name in [host] + [host + "." + each for each in domains if "." not in host]:
        for kind in kinds if not found else ():
            answer = lookup(dict(ask, name=name, type=kind))
            found += answer.get("records", [])
    if not found:
        detail = "asked %s" % answer["server"] if answer.get("server") else ""
        raise Stopped(error=answer.get("error") or "NXDOMAIN", detail=detail)
    return [addresses(each, port)[0] for each in found]


class Room:
    """The containers of this conversation; `places`: each one's namespace and resolv.conf."""

    def __init__(self):
        self.calm, self.ready, self.asked, self.reason = (
            threading.Event(),
            threading.Event(),
            False,
            "",
        )
        self.places, self.ports = {}, {}  # ports: "" where published, else why not

    def furnish(self, ports, dials, reads):
        try:
            self.reason = self.hindrance() or ""
            if not self.reason:
                self.build(ports, dials, reads)
        except Stopped as stopped:
            self.reason = stopped.known["detail"]
        except Exception as error:
            self.reason = "a container could not be made: " + (words(error) or named(error))
        self.ready.set()

    def hindrance(self):
        if os.geteuid() != 0:
            return "needs root: entering a container's network"
        if "podman" in os.path.realpath("/var/run/docker.sock"):
            return "podman answers in Docker's place (docker.engine)"
        try:
            import ctypes

            self.libc = ctypes.CDLL(None)
        except ImportError:
            return "this machine's Python has no ctypes"
        try:
            info = self.docker("GET", "/info")
        except OSError as error:
            return "no Docker daemon answers (%s)" % named(error)
        options = " ".join(map(str, info.get("SecurityOptions") or ()))
        for word, way in (("rootless", "rootless"), ("userns", "with userns-remap")):
            if "name=" + word in options:
                return "Docker runs %s (docker.engine)" % way
        return None if which("sleep") else "there is no program `sleep` to wait in a container"

    def docker(self, method, path, body=None, data=b"", seconds=15):
        kind = "application/x-tar" if data else "application/json"
        data = data if body is None else json.dumps(body).encode()
        response, told = daemon(method, path, time.monotonic() + seconds, data, kind)
        found = json.loads(str(told, "utf-8").strip().rpartition("\n")[2] or "{}")
        if response.status >= 300:
            message = found.get("message", "") if isinstance(found, dict) else ""
            raise Stopped(detail="Docker: " + str(message)[:300], status=response.status)
        return found

    def build(self, ports, dials, reads):
        from urllib.parse import quote

        self.labels = {
            ROOM_LABEL: owner(os.getpid()),
            "com.centurylinklabs.watchtower.enable": "false",
            "traefik.enable": "false",
        }
        janitor(self.labels[ROOM_LABEL])
        changes = quote('LABEL "%s"="%s"' % (ROOM_LABEL, self.labels[ROOM_LABEL]))
        empty = b"\0" * 1024  # a tar archive of nothing
        path = "/images/create?fromSrc=-&changes=" + changes
        self.image = self.docker("POST", path, data=empty)["status"]
        # What leads nowhere is layout.networks' to tell: Traefik and the node have two networks.
        ways = [each for each in self.docker("GET", "/networks") if not each.get("Internal")]
        names = [each["Name"] for each in ways]
        until = time.monotonic() + 3
        with CHANGED:
            while not all(each.done for each in reads) and time.monotonic() < until:
                CHANGED.wait(until - time.monotonic())
        wanted = {"container default": self.network()}
        if dials and "sesam" in names:
            wanted["container sesam"] = "sesam"
        for port in ports:
            with contextlib.suppress(OSError), listener(port):
                self.ports[str(port)] = ""
            self.ports.setdefault(str(port), "EADDRINUSE")
        failures = []
        threads = [
            threading.Thread(target=self.open, args=(*each, failures)) for each in wanted.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if "container default" not in self.places:
            raise failures[0]

    def network(self):
        failure = Stopped(detail="the addresses for its network are in use")
        with open("/proc/net/route", encoding="ascii") as rows:
            routes = [[int(row.split()[each], 16) for each in (1, 7)] for row in list(rows)[1:]]
        for subnet in ROOM_SUBNETS:
            (address,) = struct.unpack("=I", socket.inet_aton(subnet.partition("/")[0]))
            if any(to == address & mask for to, mask in routes if bin(mask).count("1") >= 8):
                continue
            settings = {"Name": "sesam-audit-room-%d" % os.getpid(), "Labels": self.labels}
            settings["IPAM"] = {"Config": [{"Subnet": subnet}]}
            try:
                return self.docker("POST", "/networks/create", settings)["Id"]
            except Stopped as stopped:
                failure = stopped
        raise failure

    def open(self, name, network, failures):
        try:
            while True:
                free = [each for each, fault in self.ports.items() if not fault]
                ports = free if name == "container default" else []
                settings = self.container(network, ports)
                made = "/containers/" + self.docker("POST", "/containers/create", settings)["Id"]
                try:
                    self.docker("POST", made + "/start")
                    break
                except Stopped as stopped:
                    taken = {*re.findall(r":(\d+)\b", stopped.known["detail"])}.intersection(ports)
                    self.docker("DELETE", made + "?force=1")
                    if not taken:
                        raise
                    self.ports.update(dict.fromkeys(taken, "EADDRINUSE"))
            found = self.docker("GET", made + "/json")
            namespace = os.open("/proc/%d/ns/net" % found["State"]["Pid"], os.O_RDONLY)
            self.places[name] = namespace, found["ResolvConfPath"]
        except Exception as error:
            failures.append(error)

    def container(self, network, ports):
        mounts = [each for each in ("/bin", "/lib", "/lib64", "/usr") if os.path.isdir(each)]
        return {
            "Image": self.image,
            "Entrypoint": ["sleep"],
            "Cmd": [str(ROOM_SECONDS + 15)],
            "User": "65534:65534",
            "Labels": self.labels,
            "ExposedPorts": {port + "/tcp": {} for port in ports},
            "HostConfig": {
                "AutoRemove": True,
                "NetworkMode": network,
                "PortBindings": {port + "/tcp": [{"HostPort": port}] for port in ports},
                "Binds": ["%s:%s:ro" % (each, each) for each in mounts],
                "ReadonlyRootfs": True,
                "CapDrop": ["ALL"],
                "SecurityOpt": ["no-new-privileges", "label=disable"],
                "LogConfig": {"Type": "none"},
            },
        }

    def clear(self, gone):
        """Remove what belongs to owners that are gone; how much there was."""
        count = 0
        for kind in ROOM_LISTS:
            for each in self.things(kind):
                if gone(owner_of(each)):
                    count += 1
                    with contextlib.suppress(Stopped):  # it is going already, or still in use
                        self.docker("DELETE", "/%s/%s?force=1" % (kind, each["Id"]))
        return count

    def things(self, kind, seconds=15):
        from urllib.parse import quote

        label = quote(json.dumps({"label": [ROOM_LABEL]}))
        path = "/%sfilters=%s" % (ROOM_LISTS[kind], label)
        return self.docker("GET", path, seconds=seconds)


ROOM = Room()


def owner(pid):
    """A process as its label names it: a number alone is given again."""
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid, "rb") as stat:
        return "%d-%d" % (pid, int(stat.read().rpartition(b")")[2].split()[19]))
    return ""


def lives(name):
    return name == owner(int("0" + re.sub(r"\D.*", "", name)))


def owner_of(thing):
    labels = thing.get("Labels")
    return str(labels.get(ROOM_LABEL) or "") if isinstance(labels, dict) else ""


def janitor(name):
    """A process of its own that removes the room when this one ends, however it ends.

    It first removes what earlier ones had to leave: whoever's owner lives no more.
    """
    import http.client  # noqa: F401 - before the fork, which may leave imports locked
    import urllib.parse  # noqa: F401

    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(reader)
        os.waitpid(child, 0)
        return  # the writer stays open as long as this process lives
    try:
        if os.fork():  # nobody's child: who kills this program with its children lets it live
            os._exit(0)
        os.setsid()
        for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.dup2(reader, 3)
        os.closerange(4, 4096)
        with contextlib.suppress(Exception):
            ROOM.clear(lambda each: not lives(each))
        with selectors.DefaultSelector() as selector:
            selector.register(3, selectors.EVENT_READ)
            selector.select(ROOM_SECONDS)
        end, empty = time.monotonic() + 20, 0
        while empty < 10 and time.monotonic() < end:  # 2 s: a request may still be under way
            with contextlib.suppress(Exception):
                empty = 0 if ROOM.clear(lambda each: each == name) else empty + 1
            time.sleep(0.2)
    finally:
        os._exit(0)


# -- a pull, rehearsed ----------------------------------------------------------------------------

REGISTRY, AUTH, HUB = "registry-1.docker.io", "auth.docker.io", "https://index.docker.io/v1/"
REGISTRY_ROOTS = "/etc/docker/certs.d/docker.io/*.crt"
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


def pull(ask):
    """What dockerd would do, up to a layer's first bytes; where it ended is told, not why it may.

    The login goes to https://auth.docker.io alone, over TLS that dockerd itself would trust, never
    along a redirect. The token goes to the registry alone. Both, and whatever follows a `?`, stay
    here.
    """
    for tries in (1, 2):
        rehearsal = Rehearsal(ask)
        try:
            with contextlib.ExitStack() as links:
                yield from rehearsal.run(links)
        except Exception as error:
            yield rehearsal.broken(error)
        wait = patience(rehearsal.last, ask["end"]) if tries == 1 else 0
        if not wait:
            return
        first = {"tries": 2, "first": censored(ended(rehearsal.last), rehearsal.secrets)}
        time.sleep(wait)
        yield dict(
            first, error=None, detail="", steps=[], last=None, received=0, sample="", code=""
        )


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
        from urllib.parse import urljoin

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
        from urllib.parse import urlencode

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


def fits(platform):
    """Whether an index's entry is for this machine."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    return isinstance(platform, dict) and platform.get("architecture") == machine


def hub_login(path):
    """The user:password for Docker Hub in a docker config; it is for Rehearsal alone."""
    if not path:
        return b""
    try:
        found = json.loads(str(read(raw(path), 1 << 20)[0], "utf-8-sig"))
        login = login_of(found["auths"][HUB])
    except (ValueError, LookupError, TypeError, RecursionError):
        login = b""
    if not login:
        raise OSError(errno.ENOKEY, "no login for Docker Hub in it")
    return login


def registry_roots():
    """The authorities that dockerd adds for Docker Hub, and whether that cannot be told.

    It does where containerd keeps its images; else it takes none from /etc/docker for the Hub.
    """
    errors = {}
    paths = expand(raw(REGISTRY_ROOTS), errors)
    if not paths:
        return [], bool(errors)
    try:
        status = json.loads(str(daemon("GET", "/info", time.monotonic() + 3)[1], "utf-8"))
        containerd = "io.containerd.snapshotter.v1" in str(status["DriverStatus"])
    except (OSError, ValueError, LookupError, TypeError):
        return [], True
    return (paths, not all(os.access(x, os.R_OK) for x in paths)) if containerd else ([], False)


def doubted():
    """End a dial that was refused where dockerd may know more authorities."""
    if registry_roots()[1]:
        raise Stopped(error="EACCES", detail="whether dockerd trusts %s" % REGISTRY_ROOTS)


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


def texts(login):
    """The forms in which a user:password could come back."""
    password = login.partition(b":")[2]
    forms = (base64.b64encode(login), base64.b64encode(password), login, password)
    return [str(each, "utf-8", "replace") for each in forms]


def censored(value, secrets):
    """A copy without what stays here. What is shorter than four letters is no secret."""
    if isinstance(value, dict):
        return {key: censored(each, secrets) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [censored(each, secrets) for each in value]
    if isinstance(value, bytes):
        value = str(value, "utf-8", "backslashreplace")
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "...") if len(secret) > 3 else value
    return value


ANSWERS = {
    "Listen": listening,
    "Self": myself, "Account": account, "File": file, "Files": files, "Names": names, "Stat": stat,
    "Space": space, "Walk": walk, "Fsync": fsync, "LicenseFile": license_file,
    "DockerConfig": docker_config, "EnvFile": env_file, "Compose": compose,
    "ComposeVersion": compose_version,
    "Certificates": certificates, "PrivateKey": private_key, "Run": run, "DockerApi": docker_api,
    "Listeners": listeners, "Lookup": lookup, "Dial": dial, "Pull": pull, "Roots": roots,
}  # fmt: skip

if "MARKER" in globals():
    converse(MARKER)
